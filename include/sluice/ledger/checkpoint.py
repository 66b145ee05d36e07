"""Checkpoints: one signature over the heads of all chains, kept outside the database as well.

The owner of the database can rewrite a chain consistently, but cannot sign it. The last checkpoint that
is held elsewhere (the evidence bucket, a principal's receipt) therefore proves what was there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from psycopg.pq import TransactionStatus

from sluice.db import Connection, transaction
from sluice.errors import Ref
from sluice.keys import Keyring
from sluice.ledger.hashing import ZERO_HASH
from sluice.ledger.model import Checkpoint, Head, LedgerMisused, SignatureInvalid, Witness
from sluice.ledger.sign import open_signed, sign, split_compact
from sluice.ledger.store import find_last_checkpoint, insert_checkpoint, lock_checkpoints, read_heads

TYPE = "sluice-checkpoint+jws"


@dataclass(frozen=True, slots=True)
class Statement:
    """The content of a checkpoint. ``prev``: SHA-256 of the previous checkpoint's JWS, zeros for the first."""

    seq: int
    prev: bytes
    made_at: str
    heads: tuple[Head, ...]
    jws: bytes

    @property
    def witnesses(self) -> tuple[Witness, ...]:
        """One witness per head."""
        source = f"checkpoint {self.seq}"
        return tuple(Witness(head.chain, head.seq, head.hash, source) for head in self.heads)


def make_checkpoint(conn: Connection, keyring: Keyring, now: datetime) -> Checkpoint:
    """Sign all committed heads and store the statement; the caller must put ``jws`` outside the database.

    ``now``: aware. Runs in a transaction of its own, because a head that is rolled back must never be
    signed. Raises LedgerMisused when the connection is already in a transaction.
    """
    if conn.info.transaction_status is not TransactionStatus.IDLE:
        raise LedgerMisused(Ref("call", "make_checkpoint"))
    with transaction(conn):
        lock_checkpoints(conn)
        last = find_last_checkpoint(conn)
        seq = 1 if last is None else last.seq + 1
        prev = ZERO_HASH if last is None else sha256(last.jws).digest()
        body = _body(seq, prev, read_heads(conn), now.astimezone(UTC))
        jws = sign(body, keyring.signing, TYPE).compact
        insert_checkpoint(conn, seq, body, jws, now)
    return Checkpoint(seq, body, jws, now)


def read_checkpoint(jws: bytes, public: Ed25519PublicKey) -> Statement:
    """Read a checkpoint that ``public`` signed. Raises SignatureInvalid."""
    said = open_signed(split_compact(jws), public, TYPE)
    try:
        heads = tuple(Head(line["chain"], line["seq"], bytes.fromhex(line["hash"])) for line in said["chains"])
        statement = Statement(said["seq"], bytes.fromhex(said["prev"]), said["made_at"], heads, jws)
        if said["entries"] == sum(head.seq for head in heads) and said["head"] == join_heads(heads):
            return statement
    except (KeyError, TypeError, ValueError):
        pass
    raise SignatureInvalid(Ref("payload", "not a statement of this version"))


def heads_changed(conn: Connection, last: Checkpoint, public: Ed25519PublicKey) -> bool:
    """Whether a chain has moved since ``last``; if not, another checkpoint would add nothing.

    This compares with the signed statement, and counts an invalid one as moved. Otherwise somebody who can write to the
    database could pretend that nothing moved, and no checkpoint would ever vouch for later entries.
    """
    try:
        return read_checkpoint(last.jws, public).heads != read_heads(conn)
    except SignatureInvalid:
        return True


def join_heads(heads: Sequence[Head]) -> str:
    """One hash over all chains: SHA-256 in hex of the canonical list of their heads."""
    return sha256(rfc8785.dumps(_lines(heads))).hexdigest()


def _body(seq: int, prev: bytes, heads: Sequence[Head], now: datetime) -> bytes:
    return rfc8785.dumps(
        {
            "chains": _lines(heads),
            "entries": sum(head.seq for head in heads),
            "head": join_heads(heads),
            "made_at": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "prev": prev.hex(),
            "seq": seq,
        }
    )


def _lines(heads: Sequence[Head]) -> list[Any]:
    return [{"chain": head.chain, "hash": head.hash.hex(), "seq": head.seq} for head in heads]
