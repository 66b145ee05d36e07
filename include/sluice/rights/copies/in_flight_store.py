"""SQL about exchanges that are still on their way while an erasure runs, or that got stuck there."""

from datetime import datetime

from sluice.db import Connection
from sluice.exchange.locks import IS_WORKED_ON
from sluice.exchange.outbox import AFTER_RECEIPT, Effect
from sluice.lake.s3.names import ObjectVersion
from sluice.terms import Direction, ExchangeId, Principal


def find_in_flight(conn: Connection, principal: Principal, since: datetime) -> frozenset[ExchangeId]:
    """Exchanges opened before the person was kept out that may still bring or deliver rows.

    One that lies prepared does not count: if it names the person it is made again, and otherwise it brings nothing.
    An answer to a controller counts only while somebody is making it, whenever it was opened. If nobody is, whoever
    continues it gathers its data again, and gives up while an erasure runs. If an erasure waited for that as well,
    neither would ever end.
    """
    rows = conn.execute(
        f"""select exchange_id::text as id from exchange e where principal = %(principal)s and (
                case when decision = 'open' and direction = %(answer)s then {IS_WORKED_ON}
                else opened_at < %(since)s and (decision = 'open' and prepared_at is null or exists (
                    select from outbox o where o.exchange_id = e.exchange_id
                    and o.effect = any(%(delivers)s) and o.done_at is null)) end)""".encode(),
        {
            "principal": principal,
            "answer": Direction.PORTABILITY_ACCESS,
            "since": since,
            "delivers": [each.value for each in AFTER_RECEIPT],
        },
    ).fetchall()
    return frozenset(ExchangeId(row["id"]) for row in rows)


def find_under_way(conn: Connection, principal: Principal, since: datetime) -> dict[ExchangeId, ObjectVersion]:
    """Exchanges that are open or ended after ``since``, each with its object.

    None of their copies was known before they ended. Prepared ones and answers are left out, for the reasons in
    :func:`find_in_flight`.
    """
    rows = conn.execute(
        """select exchange_id::text as id, bucket, key, version_id from exchange
           where principal = %s and direction <> %s
             and (decision = 'open' and prepared_at is null or closed_at > %s)""",
        (principal, Direction.PORTABILITY_ACCESS, since),
    ).fetchall()
    return {ExchangeId(row["id"]): ObjectVersion(row["bucket"], row["key"], row["version_id"]) for row in rows}


def find_stuck(conn: Connection, principal: Principal) -> list[tuple[ExchangeId, str]]:
    """Exchanges under way whose last try, delivery or receipt of it failed, each with the code; at most 20."""
    rows = conn.execute(
        """select e.exchange_id::text as id, coalesce(o.last_error, e.last_error) as code
           from exchange e left join outbox d on d.exchange_id = e.exchange_id and d.effect = %(delivery)s
               and d.done_at is null
           left join outbox o on o.exchange_id = d.exchange_id and o.effect in (%(receipt)s, %(delivery)s)
               and o.done_at is null and o.last_error is not null
           where e.principal = %(principal)s
             and (o.last_error is not null or (e.decision = 'open' and e.last_error is not null))
           order by e.opened_at limit 20""",
        {"principal": principal, "delivery": Effect.DELIVERY.value, "receipt": Effect.RECEIPT.value},
    ).fetchall()
    return [(ExchangeId(row["id"]), row["code"]) for row in rows]
