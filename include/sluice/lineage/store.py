"""What lineage reads of the database, besides the ledger. Nothing is written here."""

from collections.abc import Sequence
from datetime import datetime

from sluice.db import Connection
from sluice.lineage.drawing import Fate


def find_makers(conn: Connection, bucket: str, key: str, version_id: str | None) -> list[str]:
    """Ids of exchanges that an object came in by, or was made by; every version's when none is named."""
    rows = conn.execute(
        """select exchange_id::text as id from exchange
           where bucket = %(bucket)s and key = %(key)s
             and (%(version)s::text is null or version_id = %(version)s)
           union
           select exchange_id::text from copy
           where bucket = %(bucket)s and key = %(key)s
             and (%(version)s::text is null or version_id = %(version)s)
           order by 1""",
        {"bucket": bucket, "key": key, "version": version_id},
    ).fetchall()
    return [row["id"] for row in rows]


def find_users(conn: Connection, exchange_ids: Sequence[str]) -> list[str]:
    """Ids of returns that were opened on any of these exchanges."""
    rows = conn.execute(
        "select distinct exchange_id::text as id from return_input where input_id = any(%s::uuid[]) order by 1",
        (list(exchange_ids),),
    ).fetchall()
    return [row["id"] for row in rows]


def find_sources(conn: Connection, exchange_ids: Sequence[str]) -> list[str]:
    """Ids of the exchanges that these returns were opened on."""
    rows = conn.execute(
        "select distinct input_id::text as id from return_input where exchange_id = any(%s::uuid[]) order by 1",
        (list(exchange_ids),),
    ).fetchall()
    return [row["id"] for row in rows]


def find_lists(conn: Connection, exchange_ids: Sequence[str]) -> list[str]:
    """Ids of dial lists that may have been made of these exchanges: of their flow, and closed after them."""
    rows = conn.execute(
        """select distinct e.exchange_id::text as id
           from dial_list d join exchange e using (exchange_id)
           join exchange i on (i.principal, i.flow) = (e.principal, e.flow) and i.closed_at <= e.closed_at
           where i.exchange_id = any(%s::uuid[]) and i.exchange_id <> e.exchange_id order by 1""",
        (list(exchange_ids),),
    ).fetchall()
    return [row["id"] for row in rows]


def find_latest(conn: Connection, at: datetime, limit: int) -> list[str]:
    """Ids of the exchanges that were closed last before a moment."""
    rows = conn.execute(
        """select exchange_id::text as id from exchange where opened_at <= %(at)s and closed_at <= %(at)s
           order by opened_at desc limit %(limit)s""",
        {"at": at, "limit": limit},
    ).fetchall()
    return [row["id"] for row in rows]


def find_fate(conn: Connection, exchange_ids: Sequence[str], at: datetime) -> Fate:
    """Which copies of these exchanges were gone at a moment, and which returns had not been delivered yet."""
    ids = list(exchange_ids)
    gone = conn.execute(
        "select exchange_id::text as id, kind from copy where exchange_id = any(%s::uuid[]) and gone_at <= %s",
        (ids, at),
    ).fetchall()
    waiting = conn.execute(
        """select e.exchange_id::text as id from exchange e left join acknowledgement a using (exchange_id)
           where e.exchange_id = any(%s::uuid[]) and e.direction = 'outbound_return'
             and (a.delivered_at is null or a.delivered_at > %s)""",
        (ids, at),
    ).fetchall()
    return Fate(frozenset((row["id"], row["kind"]) for row in gone), frozenset(row["id"] for row in waiting))
