"""What registers read of exchanges and their ledger entries: alike ones together, counted by the database."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sluice.db import Connection
from sluice.ledger.model import EntryKind
from sluice.ledger.record import PurposeLine
from sluice.registers.model import SeenColumn, SeenRole, Sighting
from sluice.terms import Direction

_SEEN = """
    with closed as (
        select x.principal, x.direction, x.flow, x.decision,
               (x.opened_at at time zone 'Europe/Brussels')::date as day,
               convert_from(l.body, 'UTF8')::jsonb as r
        from exchange x join ledger.entry l using (exchange_id)
        where l.kind = %(kind)s and x.closed_at <= %(known_at)s
          and (x.opened_at at time zone 'Europe/Brussels')::date <= %(at)s
    ), shaped as (
        select principal, direction, flow, day, decision, jsonb_build_object(
            'why', r->'why', 'who', r->'who', 'contract', r#>'{how,contract_sha256}',
            'dag', r#>'{how,airflow,dag_id}', 'special', r#>'{what,special_categories}',
            'columns', (select jsonb_agg(distinct jsonb_build_array(
                c->'field_group', c->'category', c->'origin', c->'controller'))
                from jsonb_array_elements(r#>'{what,columns}') c)) as shape
        from closed
    )
    select principal, direction, flow, day, shape::text as shape, count(*) as n,
           count(*) filter (where decision in ('accepted', 'partly_accepted')) as accepted
    from shaped group by principal, direction, flow, day, shape order by principal, day, direction, flow, shape
"""


def find_sightings(conn: Connection, at: date, known_at: datetime) -> tuple[Sighting, ...]:
    """Exchanges opened up to a Brussels date and closed up to an instant, alike ones together, by day."""
    parameters = {"kind": EntryKind.EXCHANGE_CLOSED.value, "at": at, "known_at": known_at}
    rows = conn.execute(_SEEN, parameters).fetchall()
    return tuple(_sighting(row, json.loads(row["shape"])) for row in rows)


def count_open(conn: Connection, at: date, known_at: datetime) -> int:
    """Exchanges that were opened by then and had no decision yet: nothing is said of them."""
    row = conn.execute(
        """select count(*) as n from exchange
           where (opened_at at time zone 'Europe/Brussels')::date <= %(at)s and opened_at <= %(known_at)s
             and (closed_at is null or closed_at > %(known_at)s)""",
        {"at": at, "known_at": known_at},
    ).fetchone()
    return int(row["n"]) if row else 0


def _sighting(row: Mapping[str, Any], shape: Mapping[str, Any]) -> Sighting:
    why, who = shape["why"], shape["who"]
    return Sighting(
        principal=row["principal"],
        direction=Direction(row["direction"]),
        flow=row["flow"],
        day=row["day"],
        agreement_id=why["agreement_id"],
        agreement_version=why["agreement_version"],
        contract_sha256=shape["contract"],
        purposes=tuple(PurposeLine.model_validate(each) for each in why["purposes"]),
        roles=tuple(SeenRole(each["field_group"], each["role_profile"], each["controller"]) for each in who["roles"]),
        columns=tuple(SeenColumn(*each) for each in shape["columns"] or ()),
        sender=who["sender"],
        recipients=tuple(who["recipients"]),
        sub_processors=tuple(who["sub_processors"]),
        countries=tuple(who["countries"]),
        special=bool(shape["special"]),
        warnings=tuple(who.get("role_warnings") or ()),
        dag=shape["dag"],
        count=row["n"],
        accepted=row["accepted"],
    )
