"""The catalogue: which objects hold what of an exchange now. Its record says which there were when it closed.

The two differ once an erasure has edited a copy or removed it, so whoever reads, delivers or sweeps asks here.
"""

from collections.abc import Iterable
from datetime import datetime

from sluice.db import Connection
from sluice.errors import NotFound, Ref
from sluice.ledger.record import CopyLine, ExchangeRecord
from sluice.lineage.model import ChangedCopy
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


def move_copy(
    conn: Connection,
    exchange_id: ExchangeId,
    kind: str,
    *,
    version_id: str,
    sha256: str,
    size_bytes: int,
    rows: int | None,
) -> None:
    """Let a copy be another version of its object, as an edit put it. ``rows``: None if their number stays."""
    conn.execute(
        """update copy set version_id = %s, sha256 = %s, size_bytes = %s, rows = coalesce(%s, rows)
           where exchange_id = %s and kind = %s""",
        (version_id, sha256, size_bytes, rows, exchange_id, kind),
    )


def mark_gone(conn: Connection, exchange_id: ExchangeId, kind: str) -> None:
    """Note that a copy is removed; its line stays."""
    conn.execute("update copy set gone_at = now() where exchange_id = %s and kind = %s", (exchange_id, kind))


def find_copies(conn: Connection, exchange_id: ExchangeId) -> list[CopyLine]:
    """Copies of an exchange that are still there, as they are now."""
    rows = conn.execute(
        """select kind, bucket, key, version_id, sha256, size_bytes, rows, retention_rule,
               delete_after::text as delete_after
           from copy where exchange_id = %s and gone_at is null order by kind""",
        (exchange_id,),
    ).fetchall()
    return [CopyLine(**row) for row in rows]


def find_changed(conn: Connection, record: ExchangeRecord) -> list[ChangedCopy]:
    """Copies of an exchange that an erasure edited, or that were removed, since it closed."""
    rows = conn.execute(
        """select kind, bucket, key, version_id, gone_at is not null as is_gone
           from copy where exchange_id = %s order by kind""",
        (record.exchange_id,),
    ).fetchall()
    left = {copy.kind: copy.version_id for copy in record.how_long.copies}
    every = [ChangedCopy(**row) for row in rows]
    return [each for each in every if each.is_gone or left.get(each.kind, each.version_id) != each.version_id]


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
