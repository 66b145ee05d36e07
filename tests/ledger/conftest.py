"""A ledger in memory, made as the database makes it, and records to put into a real one."""

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sluice.keys import Keyring
from sluice.ledger.checkpoint import TYPE, join_heads
from sluice.ledger.hashing import ZERO_HASH, entry_hash
from sluice.ledger.model import Checkpoint, Head, LedgerReport, StoredEntry, Witness
from sluice.ledger.opened import OpenedRecord
from sluice.ledger.sign import sign
from sluice.ledger.verify import verify_entries
from sluice.terms import Direction

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


@dataclass
class Copy:
    """A copy of a ledger that somebody may tamper with: chains, heads, checkpoints."""

    chains: dict[str, list[StoredEntry]]
    heads: dict[str, Head]
    checkpoints: list[Checkpoint]
    signing: Ed25519PrivateKey

    def twin(self) -> "Copy":
        chains = {chain: list(entries) for chain, entries in self.chains.items()}
        return replace(self, chains=chains, heads=dict(self.heads), checkpoints=list(self.checkpoints))

    def append(self, chain: str, body: bytes, exchange: bytes) -> None:
        before = self.chains.setdefault(chain, [])
        prev = before[-1].hash if before else ZERO_HASH
        appended = (825_000_000_000_000 + len(before)).to_bytes(8, "big")
        seq = len(before) + 1
        digest = entry_hash(chain, seq, "exchange.closed", exchange, prev, body, appended)
        before.append(StoredEntry(chain, seq, "exchange.closed", exchange, body, prev, digest, appended))
        self.heads[chain] = Head(chain, seq, digest)

    def sign_heads(self) -> None:
        heads = [self.heads[chain] for chain in sorted(self.heads)]
        prev = sha256(self.checkpoints[-1].jws).digest() if self.checkpoints else ZERO_HASH
        seq = len(self.checkpoints) + 1
        body = rfc8785.dumps(
            {
                "chains": [{"chain": head.chain, "hash": head.hash.hex(), "seq": head.seq} for head in heads],
                "entries": sum(head.seq for head in heads),
                "head": join_heads(heads),
                "made_at": "2026-11-25T12:00:00.000Z",
                "prev": prev.hex(),
                "seq": seq,
            }
        )
        jws = sign(body, self.signing, TYPE).compact
        self.checkpoints.append(Checkpoint(seq, body, jws, NOON))

    def verify(self, *, anchors: list[bytes] | None = None, receipts: list[Witness] | None = None) -> LedgerReport:
        entries = (entry for chain in sorted(self.chains) for entry in self.chains[chain])
        return verify_entries(
            entries,
            list(self.heads.values()),
            self.checkpoints,
            public=self.signing.public_key(),
            anchors=anchors or (),
            receipts=receipts or (),
        )


MakeCopy = Callable[[int], Copy]


@pytest.fixture(scope="session")
def signing() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture(scope="session")
def make_copy(signing: Ed25519PrivateKey) -> MakeCopy:
    """A ledger of three chains, four checkpoints, nothing after the last one."""

    def make(seed: int) -> Copy:
        dice = random.Random(seed)
        copy = Copy({}, {}, [], signing)
        for _ in range(4):
            for number in range(dice.randint(3, 24)):
                chain = dice.choice(["DPA-A", "DPA-B", "DPA-C"])
                copy.append(
                    chain, rfc8785.dumps({"n": number, "x": dice.random()}), uuid.UUID(int=dice.getrandbits(128)).bytes
                )
            copy.sign_heads()
        return copy

    return make


@pytest.fixture
def keyring(signing: Ed25519PrivateKey, tmp_path: Path) -> Keyring:
    return Keyring(tmp_path / "keys", bytes(32), signing)


MakeOpened = Callable[..., OpenedRecord]


@pytest.fixture
def make_opened() -> MakeOpened:
    def make(exchange_id: str | None = None, *, size_bytes: int = 1000) -> OpenedRecord:
        return OpenedRecord(
            exchange_id=exchange_id or str(uuid.uuid4()),
            principal="energy01",
            direction=Direction.INBOUND,
            flow="renewal",
            bucket="exchange",
            key="energy01/inbound/renewal/a.csv",
            version_id="v1",
            size_bytes=size_bytes,
            opened_at=(NOON + timedelta(seconds=1)).isoformat().replace("+00:00", "Z"),
            agreement_id="DPA-ENERGY01",
            agreement_version="3.0.0",
        )

    return make
