"""Anchor the ledger outside the database: the signed checkpoint goes to the evidence bucket."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from sluice.errors import Exit, Ref, SluiceError
from sluice.exchange.house import House
from sluice.ledger.checkpoint import heads_changed, make_checkpoint, read_checkpoint
from sluice.ledger.model import LedgerReport
from sluice.ledger.store import find_first_appended, find_last_checkpoint, get_jws, list_checkpoints

PREFIX = "checkpoints/"
PUT_WITHIN = timedelta(minutes=10)
"""A checkpoint is put outside right after its commit, by the next worker if that one died: a minute later."""
ANCHORED_WITHIN = timedelta(days=1)
"""A young ledger has no checkpoint yet; one of yesterday that has none is not anchored at all, or no longer."""


class AnchorsMissing(SluiceError):
    """Raised where nothing is seen to be bad: the copies that would show it are not there."""

    code: ClassVar[str] = "SLU-455"
    summary: ClassVar[str] = "checkpoints of the ledger are not in the evidence bucket, so that a cut would not show"
    cure: ClassVar[str] = (
        "see that SLUICE_BUCKET_EVIDENCE names the bucket that always had them, and who can empty it; what `reconcile` "
        "puts there again proves nothing of the time before: compare with receipts (`ledger verify --receipts`)"
    )
    exit: ClassVar[Exit] = Exit.MISSING


def anchor_ledger(house: House, now: datetime) -> int:
    """Sign all chain heads, if one moved, and store every checkpoint that is missing outside; the last number.

    A worker may die between signing and storing, so what is missing is looked up, not remembered. A key tells when it
    was made too: after a restore the database gives numbers again that other checkpoints outside it have.
    """
    last = find_last_checkpoint(house.conn)
    if last is None or heads_changed(house.conn, last, house.keyring.public):
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


def check_compared(house: House, report: LedgerReport, anchors: Sequence[bytes], looked_at: datetime) -> None:
    """Raises AnchorsMissing when a report that found nothing bad compared too little outside the database.

    looked_at: aware, before the anchors were read. What was signed since, or just before, may still be on its way.
    """
    if report.only_inside:
        oldest = read_checkpoint(report.only_inside[0].jws, house.keyring.public)
        is_missing = not anchors or datetime.fromisoformat(oldest.made_at) < looked_at - PUT_WITHIN
    else:
        since = None if anchors else find_first_appended(house.conn)
        is_missing = since is not None and since < looked_at - ANCHORED_WITHIN
    if is_missing:
        raise AnchorsMissing(
            Ref("bucket", house.settings.bucket_evidence),
            Ref("checkpoints", report.checkpoints),
            Ref("not in the bucket", len(report.only_inside)),
        )
