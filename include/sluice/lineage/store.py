"""What lineage reads from the database, besides the ledger. Nothing is written here."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sluice.db import Connection
from sluice.lineage.drawing import Fate
from sluice.lineage.model import Lying


def find_makers(
    conn: Connection, bucket: str, key: str, version_id: str | None, at: datetime | None = None
) -> list[str]:
    """Ids of the exchanges by which an object came in or was made; of all its versions if none is named.

    ``at``: only those closed by then; if None, open ones too."""
    rows = conn.execute(
        """select exchange_id::text as id from exchange
           where bucket = %(bucket)s and key = %(key)s
             and (%(version)s::text is null or version_id = %(version)s)
             and (%(at)s::timestamptz is null or closed_at <= %(at)s)""",
        {"bucket": bucket, "key": key, "version": version_id, "at": at},
    ).fetchall()
    lying = find_lying(conn, bucket, key, version_id)
    known = (each for each in lying if at is None or (each.closed_at is not None and each.closed_at <= at))
    return sorted({row["id"] for row in rows} | {each.exchange_id for each in known})


def find_lying(conn: Connection, bucket: str, key: str, version_id: str | None) -> list[Lying]:
    """Copies that are or were at an address, and open exchanges whose file is there; all versions if none is named.

    An arrived file is at the key of its exchange. The catalogue keeps only the last version of a copy. A version that
    no copy has now or arrived as must be one that an erasure replaced, so it belongs to the edited copies at the
    address.
    """
    rows = conn.execute(
        """with there as (
               select exchange_id, kind, version_id from copy where bucket = %(bucket)s and key = %(key)s
               union
               select c.exchange_id, c.kind, c.version_id from exchange e join copy c using (exchange_id)
               where e.bucket = %(bucket)s and e.key = %(key)s and c.bucket = %(bucket)s and c.kind = 'arrived'),
           lying as (
               select c.exchange_id, c.kind, e.closed_at, c.version_id = %(version)s as is_now,
                      c.kind = 'arrived' and e.version_id = %(version)s as is_first,
                      exists (select from erasure_outcome o
                          where (o.exchange_id, o.kind) = (c.exchange_id, c.kind) and outcome = 'erased') as was_edited
               from there c join exchange e using (exchange_id))
           select exchange_id::text as exchange_id, kind, coalesce(not is_now, false) as is_replaced, closed_at
           from lying
           where %(version)s::text is null or is_now or is_first
              or (was_edited and not exists (select from lying where is_now or is_first))
           union all
           select exchange_id::text, null, false, null from exchange
           where decision = 'open' and bucket = %(bucket)s and key = %(key)s
             and (%(version)s::text is null or version_id = %(version)s)""",
        {"bucket": bucket, "key": key, "version": version_id},
    ).fetchall()
    return [Lying(**row) for row in rows]


def find_users(
    conn: Connection, exchange_ids: Sequence[str], at: datetime | None = None, limit: int | None = None
) -> list[str]:
    """Ids of the exchanges made from any of these, newest first. ``at``: only those closed by then; if None, open too.

    Includes what was made from their held rows, after a person let those come back.
    """
    rows = conn.execute(
        """with recursive made as (
               select r.exchange_id, r.kind from return_input r where r.input_id = any(%(ids)s::uuid[])
               union
               select r.exchange_id, r.kind from made m join return_input r on r.input_id = m.exchange_id
               where m.kind = 'review'
           )
           select m.exchange_id::text as id from made m join exchange e using (exchange_id)
           where %(at)s::timestamptz is null or e.closed_at <= %(at)s
           group by 1, e.opened_at order by e.opened_at desc, 1 limit %(limit)s""",
        {"ids": list(exchange_ids), "at": at, "limit": limit},
    ).fetchall()
    return [row["id"] for row in rows]


def find_sources(conn: Connection, exchange_ids: Sequence[str], limit: int | None = None) -> list[str]:
    """Ids of the exchanges from which these were made, newest first; for held rows also where they came in."""
    rows = conn.execute(
        """with recursive part as (
               select r.input_id from return_input r where r.exchange_id = any(%(ids)s::uuid[])
               union
               select r.input_id from part p join return_input r on r.exchange_id = p.input_id where r.kind = 'review'
           )
           select p.input_id::text as id from part p join exchange i on i.exchange_id = p.input_id
           group by 1, i.opened_at order by i.opened_at desc, 1 limit %(limit)s""",
        {"ids": list(exchange_ids), "limit": limit},
    ).fetchall()
    return [row["id"] for row in rows]


def find_latest(conn: Connection, at: datetime, limit: int) -> list[str]:
    """Ids of the exchanges that were closed by a moment, newest first."""
    return _found(conn, "opened_at <= %(at)s", {"at": at, "limit": limit})


def find_newest(conn: Connection, exchange_ids: Collection[str], at: datetime, limit: int) -> list[str]:
    """Like :func:`find_latest`, but only among these exchanges."""
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


def find_delivered(conn: Connection, exchange_ids: Collection[str]) -> frozenset[str]:
    """Those of these returns that were ever delivered, even if the delivered file is gone since."""
    rows = conn.execute(
        """select exchange_id::text as id from acknowledgement where exchange_id = any(%(ids)s::uuid[])
           union
           select exchange_id::text from copy where exchange_id = any(%(ids)s::uuid[]) and kind = 'delivered'""",
        {"ids": list(exchange_ids)},
    ).fetchall()
    return frozenset(row["id"] for row in rows)
