"""Anchor the ledger outside the database: the signed checkpoint goes to the evidence bucket."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sluice.errors import Exit, Ref, SluiceError
from sluice.exchange.house import House
from sluice.lake.s3.objects import ObjectStore
from sluice.ledger.checkpoint import heads_changed, make_checkpoint, read_checkpoint
from sluice.ledger.model import LedgerReport, SignatureInvalid
from sluice.ledger.store import checkpoints_before, find_first_appended, find_last_checkpoint, get_jws
from sluice.media_types import JOSE

PREFIX = "checkpoints/"
PUT_WITHIN = timedelta(minutes=10)
"""How long a checkpoint may take to be put outside: it goes right after its commit or, if that worker died, a minute
later."""
ANCHORED_WITHIN = timedelta(days=1)
"""How long a ledger may have no checkpoint outside. A young one has none yet; later it is not, or no longer, anchored
at all."""


class AnchorsMissing(SluiceError):
    """Raised when nothing was found to be bad, but the copies that would show it are not there."""

    code: ClassVar[str] = "SLU-455"
    summary: ClassVar[str] = "checkpoints of the ledger are not in the evidence bucket, so that a cut would not show"
    cure: ClassVar[str] = (
        "see that SLUICE_BUCKET_EVIDENCE names the bucket that always had them, and who can empty it; what is "
        "put there again proves nothing of the time before: compare with receipts (`ledger verify --receipts`)"
    )
    exit: ClassVar[Exit] = Exit.MISSING


class EvidenceOfAnother(SluiceError):
    """Two installations that share buckets would each take in, keep and remove what is the other's."""

    code: ClassVar[str] = "SLU-456"
    summary: ClassVar[str] = "the evidence bucket has checkpoints that another signing key signed"
    cure: ClassVar[str] = (
        "where another installation uses these buckets, set SLUICE_BUCKET_* to buckets of this one alone; else bring "
        "back the signing key with which this one began (SLUICE_SIGNING_KEY, or var/secrets)"
    )
    exit: ClassVar[Exit] = Exit.REFUSED


def check_own_evidence(objects: ObjectStore, bucket: str, public: Ed25519PublicKey | None) -> None:
    """Raises EvidenceOfAnother when a ledger that began in this bucket is not ours.

    public: the key of this installation; None while it has none, so that nothing there can be its own. Only first
    checkpoints are read: each ledger has one, and so has one that began anew in an older database.
    """
    for item in objects.list_versions(bucket, f"{PREFIX}{1:012d}-"):
        with suppress(SignatureInvalid):
            if public is not None:
                read_checkpoint(objects.read(bucket, item.key, item.version_id), public)
                continue
        raise EvidenceOfAnother(Ref("bucket", bucket), Ref("object", item.key))


def anchor_ledger(house: House, now: datetime) -> int:
    """Sign all chain heads if one moved, and store every checkpoint that is missing outside; return the last number.

    A worker may die between signing and storing, so what is missing is looked up, not remembered: from the newest back
    to one that is there. The oldest is stored first, so that there is no gap below a stored one. If somebody removed
    checkpoints further back, :func:`put_missing` finds that. A key also says when its checkpoint was made: after a
    restore the database uses numbers again that other checkpoints outside already have.
    """
    last = find_last_checkpoint(house.conn)
    if last is None or heads_changed(house.conn, last, house.keyring.public):
        last = make_checkpoint(house.conn, house.keyring, now)
    bucket, missing = house.settings.bucket_evidence, dict[int, str]()
    for seq, made_at in checkpoints_before(house.conn, last.seq + 1):
        key = _key(seq, made_at)
        if house.objects.head(bucket, key) is not None:
            break
        missing[seq] = key
    _put(house, missing)
    return last.seq


def put_missing(house: House) -> int:
    """Store every checkpoint that is not outside; return how many. It lists all of them, too much for every minute."""
    stored = {item.key for item in house.objects.list_versions(house.settings.bucket_evidence, PREFIX)}
    last = find_last_checkpoint(house.conn)
    known = checkpoints_before(house.conn, last.seq + 1) if last else ()
    missing = {seq: key for seq, made_at in known if (key := _key(seq, made_at)) not in stored}
    _put(house, missing)
    return len(missing)


def _key(seq: int, made_at: datetime) -> str:
    return f"{PREFIX}{seq:012d}-{made_at.astimezone(UTC):%Y%m%dT%H%M%S.%f}Z.jws"


def _put(house: House, missing: Mapping[int, str]) -> None:
    """Store these checkpoints, the oldest first."""
    for seq in sorted(missing):
        jws = get_jws(house.conn, seq)
        house.objects.put_once(house.settings.bucket_evidence, missing[seq], jws, JOSE)


def read_anchors(house: House) -> list[bytes]:
    """All checkpoints outside the database, oldest first."""
    bucket = house.settings.bucket_evidence
    found = sorted(house.objects.list_versions(bucket, PREFIX), key=lambda item: item.key)
    return [house.objects.read(bucket, item.key, item.version_id) for item in found]


def check_compared(house: House, report: LedgerReport, anchors: Sequence[bytes], looked_at: datetime) -> None:
    """Raises AnchorsMissing when a report that found nothing bad compared too little outside the database.

    ``looked_at``: an aware moment before the anchors were read. A checkpoint signed after it, or just before, may still
    be on its way.
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
