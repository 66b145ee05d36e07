"""Anchor the ledger outside the database: the signed checkpoint goes to the evidence bucket."""

from datetime import UTC, datetime

from sluice.exchange.house import House
from sluice.ledger.checkpoint import heads_changed, make_checkpoint
from sluice.ledger.store import find_last_checkpoint, get_jws, list_checkpoints

PREFIX = "checkpoints/"


def anchor_ledger(house: House, now: datetime) -> int:
    """Sign all chain heads, if one moved, and store every checkpoint that is missing outside; the last number.

    A worker may die between signing and storing, so what is missing is looked up, not remembered. A key tells when it
    was made too: after a restore the database gives numbers again that other checkpoints outside it have.
    """
    last = find_last_checkpoint(house.conn)
    if last is None or heads_changed(house.conn, last):
        last = make_checkpoint(house.conn, house.keyring, now)
    bucket = house.settings.bucket_evidence
    stored = {item.key for item in house.objects.list_versions(bucket, PREFIX)}
    for seq, made_at in list_checkpoints(house.conn).items():
        key = f"{PREFIX}{seq:012d}-{made_at.astimezone(UTC):%Y%m%dT%H%M%S.%f}Z.jws"
        if key not in stored:
            house.objects.put_once(bucket, key, get_jws(house.conn, seq), "application/jose")
    return last.seq


def read_anchors(house: House) -> list[bytes]:
    """All checkpoints outside the database, oldest first."""
    bucket = house.settings.bucket_evidence
    found = sorted(house.objects.list_versions(bucket, PREFIX), key=lambda item: item.key)
    return [house.objects.read(bucket, item.key, item.version_id) for item in found]
