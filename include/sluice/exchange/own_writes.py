"""What erasures put in the place of copies: noted before it is put, so that no poll takes it for an arrival.

A listing does not say whose a version is: its ETag is the MD5 of its bytes on some servers only, not under a key of a
KMS. So a version is known by its id, or by the SHA-256 that it was put with, which the store gives back of it.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from sluice.db import Connection
from sluice.errors import NotFound, Ref
from sluice.lake.s3.objects import ObjectStore, StoredObject


@dataclass(frozen=True, slots=True)
class OwnWrite:
    """One of them. ``version_id``: as what it was put; None: not yet, or nobody lived to say so."""

    sha256: str
    version_id: str | None


def note_own_write(conn: Connection, bucket: str, key: str, sha256: str) -> None:
    """Say that a version with these bytes will be ours, before it is put."""
    conn.execute(
        """insert into own_write (bucket, key, sha256, made_at) values (%s, %s, %s, %s)
           on conflict (bucket, key, sha256) do update set version_id = null""",
        (bucket, key, sha256, datetime.now(UTC)),
    )


def pin_own_write(conn: Connection, bucket: str, key: str, sha256: str, version_id: str) -> None:
    """It was put as this version: the same bytes from somebody else are an arrival again."""
    conn.execute(
        "update own_write set version_id = %s where (bucket, key, sha256) = (%s, %s, %s)",
        (version_id, bucket, key, sha256),
    )


def find_own_writes(conn: Connection, items: Iterable[StoredObject]) -> dict[tuple[str, str], list[OwnWrite]]:
    """What we put, or are about to put, under the keys of these versions, by bucket and key. Asked after a listing:
    of what that shows it leaves nothing out."""
    names = sorted({(item.bucket, item.key) for item in items})
    if not names:
        return {}
    rows = conn.execute(
        """select bucket, key, sha256, version_id from own_write
           join unnest(%s::text[], %s::text[]) as asked (bucket, key) using (bucket, key)""",
        ([bucket for bucket, _ in names], [key for _, key in names]),
    ).fetchall()
    found: dict[tuple[str, str], list[OwnWrite]] = {}
    for row in rows:
        found.setdefault((row["bucket"], row["key"]), []).append(OwnWrite(row["sha256"], row["version_id"]))
    return found


def is_own(objects: ObjectStore, item: StoredObject, writes: Collection[OwnWrite], *, with_twins: bool = False) -> bool:
    """Whether a version is one of these. Raises NotFound where it has to be asked for and is not there.

    with_twins: also where it only has the bytes of one that is known by its id; a try that died may have put it.
    """
    if any(each.version_id == item.version_id for each in writes):
        return True
    hashes = {each.sha256 for each in writes if with_twins or each.version_id is None}
    if not hashes:
        return False
    there = objects.head(item.bucket, item.key, item.version_id)
    if there is None:
        raise NotFound(Ref("bucket", item.bucket), Ref("version", item.version_id))
    return there.sha256 in hashes
