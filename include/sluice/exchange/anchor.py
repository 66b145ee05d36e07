"""Anchor the ledger outside the database: the signed checkpoint goes to the evidence bucket."""

from datetime import datetime

from sluice.exchange.house import House
from sluice.ledger.checkpoint import heads_changed, make_checkpoint
from sluice.ledger.model import Checkpoint
from sluice.ledger.store import find_last_checkpoint

PREFIX = "checkpoints/"


def anchor_ledger(house: House, now: datetime) -> int:
    """Sign all chain heads, if one moved, and store the checkpoint under its number; the number.

    A checkpoint that was signed but not stored by a worker that died is stored first.
    """
    last = find_last_checkpoint(house.conn)
    if last is not None:
        _store(house, last)
    if last is not None and not heads_changed(house.conn, last):
        return last.seq
    checkpoint = make_checkpoint(house.conn, house.keyring, now)
    _store(house, checkpoint)
    return checkpoint.seq


def _store(house: House, checkpoint: Checkpoint) -> None:
    key = f"{PREFIX}{checkpoint.seq:012d}.jws"
    house.objects.put_once(house.settings.bucket_evidence, key, checkpoint.jws, "application/jose")


def read_anchors(house: House) -> list[bytes]:
    """All checkpoints outside the database, oldest first."""
    bucket = house.settings.bucket_evidence
    found = sorted(house.objects.list_versions(bucket, PREFIX), key=lambda item: item.key)
    return [house.objects.read(bucket, item.key, item.version_id) for item in found]
