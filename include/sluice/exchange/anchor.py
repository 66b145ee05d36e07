"""Anchor the ledger outside the database: the signed checkpoint goes to the evidence bucket."""

from datetime import datetime

from sluice.exchange.house import House
from sluice.ledger.checkpoint import heads_changed, make_checkpoint
from sluice.ledger.model import Checkpoint
from sluice.ledger.store import find_last_checkpoint, read_checkpoints

PREFIX = "checkpoints/"


def anchor_ledger(house: House, now: datetime) -> int:
    """Sign all chain heads, if one moved, and store every checkpoint that is missing outside; the last number.

    A worker may die between signing and storing, so what is missing is looked up, not remembered.
    """
    last = find_last_checkpoint(house.conn)
    if last is None or heads_changed(house.conn, last):
        last = make_checkpoint(house.conn, house.keyring, now)
    stored = {item.key for item in house.objects.list_versions(house.settings.bucket_evidence, PREFIX)}
    for checkpoint in read_checkpoints(house.conn):
        if _key(checkpoint) not in stored:
            _store(house, checkpoint)
    return last.seq


def _key(checkpoint: Checkpoint) -> str:
    return f"{PREFIX}{checkpoint.seq:012d}.jws"


def _store(house: House, checkpoint: Checkpoint) -> None:
    house.objects.put_once(house.settings.bucket_evidence, _key(checkpoint), checkpoint.jws, "application/jose")


def read_anchors(house: House) -> list[bytes]:
    """All checkpoints outside the database, oldest first."""
    bucket = house.settings.bucket_evidence
    found = sorted(house.objects.list_versions(bucket, PREFIX), key=lambda item: item.key)
    return [house.objects.read(bucket, item.key, item.version_id) for item in found]
