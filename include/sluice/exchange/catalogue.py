"""The catalogue: which objects hold what of an exchange now. Its record says which there were when it closed.

The two differ once an erasure has edited a copy or removed it, so whoever reads, delivers or sweeps asks here.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from sluice.db import Connection
from sluice.errors import NotFound, Ref
from sluice.ledger.record import CopyLine
from sluice.terms import ExchangeId

INSERT = """insert into copy (exchange_id, kind, bucket, key, version_id, sha256, size_bytes, rows, retention_rule,
        delete_after)
    values (%(exchange_id)s, %(kind)s, %(bucket)s, %(key)s, %(version_id)s, %(sha256)s, %(size_bytes)s, %(rows)s,
        %(retention_rule)s, %(delete_after)s)"""


def insert_copies(conn: Connection, exchange_id: str, copies: Iterable[CopyLine]) -> None:
    """Add the objects of an exchange that closes."""
    with conn.cursor() as cursor:
        cursor.executemany(INSERT, [{"exchange_id": exchange_id, **copy.model_dump()} for copy in copies])


def insert_delivered(conn: Connection, exchange_id: str, copy: CopyLine) -> None:
    """Add the delivered file, once."""
    conn.execute(f"{INSERT} on conflict do nothing", {"exchange_id": exchange_id, **copy.model_dump()})


def find_copies(conn: Connection, exchange_id: ExchangeId) -> list[CopyLine]:
    """Copies of an exchange that are still there, as they are now."""
    rows = conn.execute(
        """select kind, bucket, key, version_id, sha256, size_bytes, rows, retention_rule,
               delete_after::text as delete_after
           from copy where exchange_id = %s and gone_at is null order by kind""",
        (exchange_id,),
    ).fetchall()
    return [CopyLine(**row) for row in rows]


def get_copy(conn: Connection, exchange_id: ExchangeId, kind: str) -> CopyLine:
    """One copy as it is now. Raises NotFound when there is none (any more)."""
    found = next((copy for copy in find_copies(conn, exchange_id) if copy.kind == kind), None)
    if found is None:
        raise NotFound(Ref("copy", kind), Ref("exchange", exchange_id))
    return found


def find_version(conn: Connection, exchange_id: ExchangeId, kind: str) -> tuple[str, str] | None:
    """Version and SHA-256 of a copy as it is now; None when there is none (any more)."""
    row = conn.execute(
        "select version_id, sha256 from copy where exchange_id = %s and kind = %s and gone_at is null",
        (exchange_id, kind),
    ).fetchone()
    return (row["version_id"], row["sha256"]) if row else None


def is_gone(conn: Connection, exchange_id: ExchangeId, kind: str) -> bool:
    """Whether such a copy was there and was removed."""
    row = conn.execute(
        "select 1 from copy where exchange_id = %s and kind = %s and gone_at is not null", (exchange_id, kind)
    ).fetchone()
    return row is not None


def find_gone(conn: Connection, exchange_id: ExchangeId) -> dict[str, datetime]:
    """Kinds of copies of an exchange that were removed, and when."""
    rows = conn.execute(
        "select kind, gone_at from copy where exchange_id = %s and gone_at is not null", (exchange_id,)
    ).fetchall()
    return {row["kind"]: row["gone_at"] for row in rows}


def note_own_write(conn: Connection, bucket: str, key: str, etag: str) -> None:
    """Say that a version with these bytes will be ours, before it is put: no poll takes it for an arrival."""
    conn.execute(
        """insert into own_write (bucket, key, etag, made_at) values (%s, %s, %s, %s)
           on conflict (bucket, key, etag) do update set version_id = null""",
        (bucket, key, etag, datetime.now(UTC)),
    )


def pin_own_write(conn: Connection, bucket: str, key: str, etag: str, version_id: str) -> None:
    """It was put as this version: the same bytes from somebody else are an arrival again."""
    conn.execute(
        "update own_write set version_id = %s where (bucket, key, etag) = (%s, %s, %s)", (version_id, bucket, key, etag)
    )


def find_own_writes(conn: Connection, bucket: str, prefix: str) -> set[tuple[str, str]]:
    """Key and ETag of what we put, or are about to put, under a prefix."""
    rows = conn.execute(
        "select key, etag from own_write where bucket = %s and starts_with(key, %s)", (bucket, prefix)
    ).fetchall()
    return {(row["key"], row["etag"]) for row in rows}
