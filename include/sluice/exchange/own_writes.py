"""Versions that erasures put in place of copies, noted before they are put, so that no poll takes one for an arrival.

A listing does not say who put a version: its ETag is the MD5 of its bytes only on some servers, and not with a key of a
KMS. So a version is recognised by its id, or by the SHA-256 that it was put with, which the store returns.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sluice.db import Connection
from sluice.errors import NotFound, ObjectUnreadable, Ref
from sluice.lake.s3.objects import ObjectStore, StoredObject


@dataclass(frozen=True, slots=True)
class OwnWrite:
    """One version that an erasure puts.

    ``version_id``: what it became; None if it was not put yet, or if its worker died before noting it.
    """

    sha256: str
    version_id: str | None


OwnWrites = Mapping[tuple[str, str], Collection[OwnWrite]]
"""Bucket and key -> what we put, or are about to put, there."""


def note_own_write(conn: Connection, bucket: str, key: str, sha256: str) -> None:
    """Note that a version with these bytes will be ours. Call before it is put."""
    conn.execute(
        """insert into own_write (bucket, key, sha256, made_at) values (%s, %s, %s, %s)
           on conflict (bucket, key, sha256) do update set version_id = null""",
        (bucket, key, sha256, datetime.now(UTC)),
    )


def pin_own_write(conn: Connection, bucket: str, key: str, sha256: str, version_id: str) -> None:
    """Note the version that it became: from then on the same bytes from somebody else are an arrival again."""
    conn.execute(
        "update own_write set version_id = %s where (bucket, key, sha256) = (%s, %s, %s)",
        (version_id, bucket, key, sha256),
    )


def find_own_writes(conn: Connection, items: Iterable[StoredObject]) -> OwnWrites:
    """Return what we put, or are about to put, under the keys of these versions, by bucket and key.

    Call after the listing: then nothing that the listing shows is missing.
    """
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
    """Whether a version is one of our ``writes``. Raises NotFound when it has to be looked up and is not there.

    ``with_twins``: also accept a version that only has the same bytes as one known by its id; a try that died may have
    put it.
    """
    if any(each.version_id == item.version_id for each in writes):
        return True
    hashes = {each.sha256 for each in writes if with_twins or each.version_id is None}
    if not hashes:
        return False
    try:
        there = objects.head(item.bucket, item.key, item.version_id)
    except ObjectUnreadable:  # its metadata is none of ours
        return False
    if there is None:
        raise NotFound(Ref("bucket", item.bucket), Ref("version", item.version_id))
    return there.sha256 in hashes
