"""Verify the ledger in our own code, because a server under audit cannot be its own witness.

Each chain must pass four checks: every entry hashes to its hash, it names the hash of the entry
before, the numbers run from 1 without a gap, and every signed statement about the chain (checkpoint,
anchor, receipt) still holds. The first three find a careless change; the last one finds a change that
was made consistent.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import groupby

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sluice.db import Connection
from sluice.errors import Ref
from sluice.ledger.checkpoint import Statement, join_heads, read_checkpoint
from sluice.ledger.hashing import ZERO_HASH, entry_hash
from sluice.ledger.model import (
    Bad,
    ChainReport,
    Checkpoint,
    Head,
    LedgerMisused,
    LedgerReport,
    SignatureInvalid,
    StoredEntry,
    Witness,
)
from sluice.ledger.sign import encode, read_canonical, read_public, split_compact
from sluice.ledger.store import read_checkpoints, read_heads, snapshot, stream_entries

CHECKPOINTS = "(checkpoints)"
"""Takes the place of a chain's name when a checkpoint itself is bad; no chain can have this name."""

Watch = Callable[[Iterable[StoredEntry], int], Iterable[StoredEntry]]
"""Wraps the stream of entries, e.g. in a progress bar; its second argument is their expected number."""


def verify(
    conn: Connection,
    *,
    public_pem: bytes,
    anchors: Sequence[bytes] = (),
    receipts: Sequence[Witness] = (),
    watch: Watch = lambda entries, _: entries,
    canonical: bool = False,
) -> LedgerReport:
    """Verify the whole ledger in one snapshot, streaming.

    anchors: checkpoints (compact JWS) kept outside the database. receipts: what receipts say about
    entries. canonical: also check that every body is in RFC 8785 form (several times slower). Raises
    PublicKeyInvalid.
    """
    public = read_public(public_pem)
    with snapshot(conn):
        heads = read_heads(conn)
        checkpoints = read_checkpoints(conn)
        entries = watch(stream_entries(conn), sum(head.seq for head in heads))
        return verify_entries(
            entries,
            heads,
            checkpoints,
            public=public,
            anchors=anchors,
            receipts=receipts,
            canonical=canonical,
        )


def verify_entries(
    entries: Iterable[StoredEntry],
    heads: Sequence[Head],
    checkpoints: Sequence[Checkpoint],
    *,
    public: Ed25519PublicKey,
    anchors: Sequence[bytes] = (),
    receipts: Sequence[Witness] = (),
    canonical: bool = False,
) -> LedgerReport:
    """Verify a copy of the ledger. ``entries``: by chain, then in stored order; else raises LedgerMisused."""
    signed, bad_checkpoints = _check_checkpoints(checkpoints, anchors, public)
    outside = frozenset(anchors)
    reports = _check_chains(entries, heads, _by_chain(signed), _by_chain(receipts), canonical)
    return LedgerReport(
        entries=sum(report.entries for report in reports),
        head=join_heads(
            [Head(report.chain, report.entries, bytes.fromhex(report.head)) for report in reports if report.entries]
        ),
        chains=tuple(reports),
        checkpoints=len(checkpoints),
        only_inside=tuple(checkpoint for checkpoint in checkpoints if checkpoint.jws not in outside),
        not_yet_anchored=sum(report.not_yet_anchored for report in reports),
        bad=tuple(report.bad for report in reports if report.bad) + tuple(bad_checkpoints),
    )


@dataclass(frozen=True, slots=True)
class _Words:
    """What signed documents say about one chain: by entry number, and the highest of these numbers."""

    at: Mapping[int, tuple[Witness, ...]] = field(default_factory=dict)
    last: int = 0


def _by_chain(witnesses: Iterable[Witness]) -> dict[str, _Words]:
    sorted_ones: dict[str, dict[int, dict[bytes, Witness]]] = {}
    for witness in witnesses:
        at = sorted_ones.setdefault(witness.chain, {}).setdefault(witness.seq, {})
        at.setdefault(witness.hash, witness)
    return {
        chain: _Words({seq: tuple(said.values()) for seq, said in at.items()}, max(at))
        for chain, at in sorted_ones.items()
    }


def _check_checkpoints(
    checkpoints: Sequence[Checkpoint], anchors: Sequence[bytes], public: Ed25519PublicKey
) -> tuple[list[Witness], list[Bad]]:
    """What the valid statements say about heads, each head once, and what is wrong with the other statements."""
    said: dict[tuple[str, int, bytes], Witness] = {}
    bad: list[Bad] = []
    prev = ZERO_HASH
    for number, checkpoint in enumerate(checkpoints, start=1):
        why = _why_bad_checkpoint(checkpoint, number, prev, public, said)
        if why:
            bad.append(Bad(CHECKPOINTS, number, why, number))
        prev = sha256(checkpoint.jws).digest()
    stored = {checkpoint.jws for checkpoint in checkpoints}
    for jws in anchors:
        if jws in stored:
            continue
        try:
            statement = read_checkpoint(jws, public)
        except SignatureInvalid as error:
            bad.append(Bad(CHECKPOINTS, 0, f"an anchor does not hold: {_reason(error)}", 0))
            continue
        _note(statement, said)
        bad.append(Bad(CHECKPOINTS, statement.seq, "anchored, but not in the database", statement.seq))
    return list(said.values()), sorted(bad, key=lambda one: one.seq)


def _note(statement: Statement, said: dict[tuple[str, int, bytes], Witness]) -> None:
    """Add the heads of a statement. Most are those of the checkpoint before, so only the first witness is kept."""
    for witness in statement.witnesses:
        said.setdefault((witness.chain, witness.seq, witness.hash), witness)


def _why_bad_checkpoint(
    checkpoint: Checkpoint,
    number: int,
    prev: bytes,
    public: Ed25519PublicKey,
    said: dict[tuple[str, int, bytes], Witness],
) -> str | None:
    try:
        statement = read_checkpoint(checkpoint.jws, public)
    except SignatureInvalid as error:
        return _reason(error)
    _note(statement, said)
    if encode(checkpoint.body) != split_compact(checkpoint.jws).payload:
        return "its body is not what was signed"
    if statement.seq != number or checkpoint.seq != number:
        return "a checkpoint is missing or out of order"
    if statement.prev != prev:
        return "does not name the checkpoint before it"
    return None


def _reason(error: SignatureInvalid) -> str:
    return "; ".join(str(ref) for ref in error.refs)


def _check_chains(
    entries: Iterable[StoredEntry],
    heads: Sequence[Head],
    signed: Mapping[str, _Words],
    receipts: Mapping[str, _Words],
    canonical: bool,
) -> list[ChainReport]:
    expected = {head.chain: head for head in heads}
    none = _Words()
    reports: dict[str, ChainReport] = {}
    for chain, found in groupby(entries, key=lambda entry: entry.chain):
        words = (signed.get(chain, none), receipts.get(chain, none))
        if chain in reports:
            raise LedgerMisused(Ref("chain", chain), Ref("entries", "not chain by chain"))
        reports[chain] = _check_chain(chain, found, expected.get(chain), *words, canonical)
    for chain in {*expected, *signed, *receipts} - set(reports):
        reports[chain] = ChainReport(chain, 0, ZERO_HASH.hex(), 0, Bad(chain, 1, "the whole chain is missing", 1))
    return [reports[chain] for chain in sorted(reports)]


def _check_chain(
    chain: str, found: Iterator[StoredEntry], head: Head | None, signed: _Words, receipts: _Words, canonical: bool
) -> ChainReport:
    count, vouched, prev, bad = 0, 0, ZERO_HASH, None
    for entry in found:
        count += 1
        if bad:
            continue
        said = (*signed.at.get(count, ()), *receipts.at.get(count, ()))
        bad = _find_bad(entry, count, prev, said, vouched)
        if canonical and not bad and not _is_canonical(entry.body):
            bad = Bad(chain, count, "its body is not canonical", count)
        vouched = count if said else vouched
        prev = entry.hash
    bad = bad or _find_bad_end(chain, count, prev, head, signed, receipts)
    return ChainReport(chain, count, prev.hex(), max(0, count - signed.last), bad)


def _find_bad(entry: StoredEntry, seq: int, prev: bytes, said: tuple[Witness, ...], vouched: int) -> Bad | None:
    """Check the entry that should be number ``seq``. ``vouched``: the last number before it that was signed."""
    if entry.seq != seq:
        return Bad(entry.chain, seq, "an entry is missing or out of order", seq)
    if entry.prev_hash != prev:
        return Bad(entry.chain, seq, "does not name the hash of the entry before it", vouched + 1)
    computed = entry_hash(entry.chain, seq, entry.kind, entry.exchange, prev, entry.body, entry.appended)
    if computed != entry.hash:
        return Bad(entry.chain, seq, "its content does not give its hash", seq)
    for witness in said:
        if witness.hash != computed:
            return Bad(entry.chain, seq, f"{witness.source} signed another hash", vouched + 1)
    return None


def _find_bad_end(
    chain: str, count: int, last: bytes, head: Head | None, signed: _Words, receipts: _Words
) -> Bad | None:
    beyond = [words.at[words.last][0] for words in (signed, receipts) if words.last > count]
    if beyond:
        return Bad(chain, count + 1, f"missing; {beyond[0].source} signed number {beyond[0].seq}", count + 1)
    if head is None:
        return Bad(chain, 1, "the chain has no head row", 1)
    if head.seq != count:
        first = min(head.seq, count) + 1
        return Bad(chain, first, f"the head row names number {head.seq}", first)
    if head.hash != last:
        return Bad(chain, count, "the head row names another hash", count)
    return None


def _is_canonical(body: bytes) -> bool:
    try:
        read_canonical(body, "body")
        return True
    except SignatureInvalid:
        return False
