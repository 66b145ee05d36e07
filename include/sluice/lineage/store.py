"""What lineage reads of the database, besides the ledger. Nothing is written here."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sluice.db import Connection
from sluice.lineage.drawing import Fate


def find_makers(
    conn: Connection, bucket: str, key: str, version_id: str | None, at: datetime | None = None
) -> list[str]:
    """Ids of exchanges that an object came in by, or was made by; every version's when none is named.

    ``at``: closed by then, else open ones too."""
    rows = conn.execute(
        """select exchange_id::text as id from exchange
           where bucket = %(bucket)s and key = %(key)s
             and (%(version)s::text is null or version_id = %(version)s)
             and (%(at)s::timestamptz is null or closed_at <= %(at)s)
           union
           select c.exchange_id::text from copy c join exchange e using (exchange_id)
           where c.bucket = %(bucket)s and c.key = %(key)s
             and (%(version)s::text is null or c.version_id = %(version)s)
             and (%(at)s::timestamptz is null or e.closed_at <= %(at)s)
           order by 1""",
        {"bucket": bucket, "key": key, "version": version_id, "at": at},
    ).fetchall()
    return [row["id"] for row in rows]


def find_users(
    conn: Connection, exchange_ids: Sequence[str], at: datetime | None = None, limit: int | None = None
) -> list[str]:
    """Ids of what was made of any of these exchanges, the newest first; ``at``: closed by then, else open ones too."""
    rows = conn.execute(
        """select r.exchange_id::text as id from return_input r join exchange e using (exchange_id)
           where r.input_id = any(%(ids)s::uuid[]) and (%(at)s::timestamptz is null or e.closed_at <= %(at)s)
           group by 1, e.opened_at order by e.opened_at desc, 1 limit %(limit)s""",
        {"ids": list(exchange_ids), "at": at, "limit": limit},
    ).fetchall()
    return [row["id"] for row in rows]


def find_sources(conn: Connection, exchange_ids: Sequence[str], limit: int | None = None) -> list[str]:
    """Ids of the exchanges that these were made of, the newest first."""
    rows = conn.execute(
        """select r.input_id::text as id from return_input r join exchange i on i.exchange_id = r.input_id
           where r.exchange_id = any(%(ids)s::uuid[])
           group by 1, i.opened_at order by i.opened_at desc, 1 limit %(limit)s""",
        {"ids": list(exchange_ids), "limit": limit},
    ).fetchall()
    return [row["id"] for row in rows]


def find_latest(conn: Connection, at: datetime, limit: int) -> list[str]:
    """Ids of the exchanges that were closed before a moment, the newest first."""
    return _found(conn, "opened_at <= %(at)s", {"at": at, "limit": limit})


def find_newest(conn: Connection, exchange_ids: Collection[str], at: datetime, limit: int) -> list[str]:
    """Of these exchanges the same."""
    return _found(conn, "exchange_id = any(%(ids)s::uuid[])", {"ids": list(exchange_ids), "at": at, "limit": limit})


def _found(conn: Connection, where: str, values: Mapping[str, object]) -> list[str]:
    rows = conn.execute(
        f"""select exchange_id::text as id from exchange where {where} and closed_at <= %(at)s
            order by opened_at desc, exchange_id desc limit %(limit)s""".encode(),
        values,
    ).fetchall()
    return [row["id"] for row in rows]


def find_fate(conn: Connection, exchange_ids: Sequence[str], at: datetime) -> Fate:
    """Which copies of these exchanges were gone at a moment, and which returns had not been delivered yet."""
    ids = list(exchange_ids)
    copies = conn.execute(
        """select exchange_id::text as id, kind, coalesce(gone_at <= %s, false) as is_gone
           from copy where exchange_id = any(%s::uuid[])""",
        (at, ids),
    ).fetchall()
    waiting = conn.execute(
        """select e.exchange_id::text as id from exchange e left join acknowledgement a using (exchange_id)
           where e.exchange_id = any(%s::uuid[]) and e.direction = 'outbound_return'
             and (a.delivered_at is null or a.delivered_at > %s)""",
        (ids, at),
    ).fetchall()
    gone, there = (
        frozenset((row["id"], row["kind"]) for row in copies if row["is_gone"] is is_gone) for is_gone in (True, False)
    )
    return Fate(gone, there, frozenset(row["id"] for row in waiting))
