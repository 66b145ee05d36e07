"""Exchanges as registers read them: what was noted at their close, with alike ones grouped and counted in SQL.

For past days the tallies kept as exchanges closed are read; for the day of ``known_at`` each exchange is read.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from sluice.db import Connection
from sluice.ledger.record import AFTER_END, GIVEN_BACK, PurposeLine
from sluice.registers.model import SeenColumn, SeenRole, Sighting
from sluice.terms import Direction

NO_ENDS: Mapping[str, date] = MappingProxyType({})
_SEEN = """
    with alike as (
        select principal, direction, flow, said_id, opened_day as day, n, accepted
        from exchange_tally where closed_day < (%(known_at)s at time zone 'Europe/Brussels')::date
        union all
        select principal, direction, flow, said_id, (opened_at at time zone 'Europe/Brussels')::date, 1,
               (decision in ('accepted', 'partly_accepted'))::int
        from exchange where closed_at <= %(known_at)s
            and closed_at >= date_trunc('day', %(known_at)s, 'Europe/Brussels')
    ), counted as (
        select principal, direction, flow, said_id, min(day) as first, max(day) as last, sum(n)::bigint as n,
               sum(accepted)::bigint as accepted
        from alike where day <= %(at)s and n > 0
        group by principal, direction, flow, said_id, width_bucket(day, %(turns)s::date[])
    ), ended as (
        select agreement, day from unnest(%(ended)s::text[], %(ends)s::date[]) as e(agreement, day)
    )
    select counted.*, said::text as said,
           counted.direction = 'outbound_return' and counted.first > ended.day and not exists (
               select from exchange x
               where x.principal = counted.principal and x.direction = counted.direction and x.said_id = counted.said_id
                   and x.opened_at >= counted.first::timestamp at time zone 'Europe/Brussels'
                   and x.opened_at < (counted.last + 1)::timestamp at time zone 'Europe/Brussels'
                   and x.closed_at <= %(known_at)s
                   and not starts_with(x.version_id, %(given_back)s) and x.version_id not like '%%' || %(last)s
           ) as after_end,
           (select max((f.resumed_at at time zone 'Europe/Brussels')::date) from flow_stop f
            where f.principal = counted.principal and f.flow = counted.flow
              and counted.direction in ('inbound', 'internal') and f.resumed_at <= %(known_at)s and exists (
                  select from exchange_tally t
                  where (t.principal, t.direction, t.flow, t.said_id)
                        = (f.principal, counted.direction, f.flow, counted.said_id)
                    and (f.resumed_at at time zone 'Europe/Brussels')::date between t.opened_day and t.closed_day
              ) and exists (
                  select from exchange x
                  where x.principal = f.principal and x.direction = counted.direction and x.flow = f.flow
                    and x.said_id = counted.said_id and x.closed_at between f.resumed_at and %(known_at)s
                    and x.opened_at < f.resumed_at
                    and x.opened_at >= counted.first::timestamp at time zone 'Europe/Brussels'
                    and x.opened_at < (counted.last + 1)::timestamp at time zone 'Europe/Brussels')
           ) as resumed_on
    from counted join said using (said_id) left join ended on ended.agreement = said #>> '{why,agreement_id}'
    order by principal, last, first, direction, flow, said_id
"""


def find_sightings(
    conn: Connection, at: date, known_at: datetime, turns: Iterable[date], ends: Mapping[str, date] = NO_ENDS
) -> tuple[Sighting, ...]:
    """Exchanges opened up to a Brussels date and closed up to an instant, with alike ones grouped, the latest last.

    ``turns``: days on which papers change; exchanges before and after a turn are not grouped. ``ends``: last days of
    agreements, each the day before a turn.
    """
    parameters = {
        "at": at,
        "known_at": known_at,
        "turns": sorted(set(turns)),
        "ended": list(ends),
        "ends": list(ends.values()),
        "given_back": GIVEN_BACK,
        "last": AFTER_END,
    }
    rows = conn.execute(_SEEN, parameters).fetchall()
    return tuple(_sighting(row, json.loads(row["said"])) for row in rows)


def count_open(conn: Connection, at: date, known_at: datetime) -> int:
    """How many exchanges were opened by then and had no decision yet; the register says nothing more about them."""
    row = conn.execute(
        """select count(*) as n from exchange
           where (opened_at at time zone 'Europe/Brussels')::date <= %(at)s and opened_at <= %(known_at)s
             and (closed_at is null or closed_at > %(known_at)s)""",
        {"at": at, "known_at": known_at},
    ).fetchone()
    return int(row["n"]) if row else 0


def _sighting(row: Mapping[str, Any], said: Mapping[str, Any]) -> Sighting:
    why, who = said["why"], said["who"]
    return Sighting(
        principal=row["principal"],
        direction=Direction(row["direction"]),
        flow=row["flow"],
        first=row["first"],
        last=row["last"],
        agreement_id=why["agreement_id"],
        agreement_version=why["agreement_version"],
        contract_sha256=said["contract"],
        purposes=tuple(PurposeLine.model_validate(each) for each in why["purposes"]),
        roles=tuple(SeenRole(each["field_group"], each["role_profile"], each["controller"]) for each in who["roles"]),
        columns=tuple(SeenColumn(*each) for each in said["columns"] or ()),
        sender=who["sender"],
        recipients=tuple(who["recipients"]),
        sub_processors=tuple(who["sub_processors"]),
        countries=tuple(who["countries"]),
        special=bool(said["special"]),
        warnings=tuple(who.get("role_warnings") or ()),
        dag=said["dag"],
        count=row["n"],
        accepted=row["accepted"],
        after_end=bool(row["after_end"]),
        resumed_on=row["resumed_on"],
    )
