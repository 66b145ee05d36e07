"""What a breach slice reads of the database, besides ledger and catalogue. Nothing is written."""

from collections.abc import Sequence
from datetime import date

from sluice.db import Connection


def find_results(conn: Connection, first: date, last: date) -> list[tuple[str, str]]:
    """Exchange and principal of results with contacts on these Brussels days, both inclusive."""
    rows = conn.execute(
        """select distinct e.exchange_id::text as id, e.principal from result_day d join exchange e using (exchange_id)
           where d.day between %s and %s order by 2, 1""",
        (first, last),
    ).fetchall()
    return [(row["id"], row["principal"]) for row in rows]


def find_principals(conn: Connection, exchange_ids: Sequence[str]) -> dict[str, str]:
    """Whose exchanges these are."""
    rows = conn.execute(
        "select exchange_id::text as id, principal from exchange where exchange_id = any(%s::uuid[])",
        (list(exchange_ids),),
    ).fetchall()
    return {row["id"]: row["principal"] for row in rows}


def find_gone(conn: Connection, exchange_ids: Sequence[str]) -> dict[str, dict[str, int | None]]:
    """Copies of these exchanges that were removed: by exchange and kind how many rows they had, as far as is known."""
    rows = conn.execute(
        """select exchange_id::text as id, kind, rows from copy
           where exchange_id = any(%s::uuid[]) and gone_at is not null order by exchange_id, kind""",
        (list(exchange_ids),),
    ).fetchall()
    found: dict[str, dict[str, int | None]] = {}
    for row in rows:
        found.setdefault(row["id"], {})[row["kind"]] = row["rows"]
    return found


def find_erased(conn: Connection, exchange_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """Rows that erasures took out of copies of these exchanges that are still there, by exchange and kind."""
    rows = conn.execute(
        """select exchange_id::text as id, kind, sum(rows_before - rows_after)::bigint as rows
           from erasure_outcome join copy using (exchange_id, kind)
           where exchange_id = any(%s::uuid[]) and outcome = 'erased' and gone_at is null
           group by exchange_id, kind having sum(rows_before - rows_after) > 0 order by 1, 2""",
        (list(exchange_ids),),
    ).fetchall()
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row["id"], {})[row["kind"]] = row["rows"]
    return found


def find_kinds(conn: Connection, bucket: str, key: str, version_id: str | None) -> dict[str, set[str]]:
    """Which copies lie, or lay, at an address: kinds by exchange. An arrived file lies under its exchange's key."""
    rows = conn.execute(
        """select c.exchange_id::text as id, c.kind from copy c join exchange e using (exchange_id)
           where c.bucket = %(bucket)s and (c.key = %(key)s or (c.kind = 'arrived' and e.key = %(key)s))
             and (%(version)s::text is null or c.version_id = %(version)s)""",
        {"bucket": bucket, "key": key, "version": version_id},
    ).fetchall()
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row["id"], set()).add(row["kind"])
    return found
