"""SQL about which exchanges held the persons of a case. What was noted stays when the copies that showed it go."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sluice.db import Connection
from sluice.ledger.copy_kinds import DELIVERED, INDEX, LAKE, RETURN
from sluice.ledger.model import EntryKind
from sluice.ledger.record import ExchangeRecord
from sluice.ledger.store import find_entry
from sluice.rights.notices.model import Holder
from sluice.terms import Direction, ExchangeId

_DELIVERED = """(f.is_in_file or exists (select from acknowledgement a where a.exchange_id = f.exchange_id)
                   and (%(by_index)s or not exists (select from copy c where c.exchange_id = f.exchange_id
                       and c.kind = %(delivered)s and c.gone_at is null)))"""
"""SQL of whether an exchange ``f`` in which the persons were found was delivered with them."""
_FOUND = f"""found as (
    select exchange_id, bool_or(was_delivered) as was_delivered from (
        select exchange_id, was_delivered from case_holder where case_id = %(case)s and principal = %(principal)s
        union all
        select exchange_id, kind = %(delivered)s from erasure_outcome
        where case_id = %(case)s and principal = %(principal)s
        union all
        select f.exchange_id, {_DELIVERED} from unnest(%(ids)s::uuid[], %(in_file)s::boolean[])
            as f(exchange_id, is_in_file)) each
    group by exchange_id)"""
NOTHING: Mapping[str, bool] = MappingProxyType({})
_MADE_OF = """made(id, root) as (
    select exchange_id, exchange_id from found
    union
    select i.exchange_id, m.root from made m join return_input i on i.input_id = m.id
        join exchange e on e.exchange_id = i.exchange_id
    where e.principal = %(principal)s and e.direction <> %(answer)s
      and not exists (select from found f where f.exchange_id = i.exchange_id)
      and not exists (select from copy c where c.exchange_id = i.exchange_id and c.gone_at is null
                      and c.kind = any(%(telling)s)))"""
"""SQL of the exchanges made of a file that held the persons, directly or not, if no copy is left that could tell whose
data it was: lists of held rows and findings name nobody. An answer to a controller is left out: it is about one person,
whatever it was made of."""


def note_holders(
    conn: Connection, case_id: str, principal: str, found: Mapping[str, bool], *, by_index: bool = False
) -> None:
    """Note which exchanges hold persons of a case; repeating it only adds.

    ``found``: by exchange, whether the persons are in the delivered file. If the delivered file of a return is
    still there, the return was delivered with the persons only if that file names them. If it is past its
    retention, or only the index was asked (``by_index``), its delivery alone is enough.
    """
    conn.execute(
        f"""insert into case_holder (case_id, principal, exchange_id, was_delivered)
           select %(case)s, %(principal)s, f.exchange_id, {_DELIVERED}
           from unnest(%(ids)s::uuid[], %(in_file)s::boolean[]) as f(exchange_id, is_in_file)
           on conflict (case_id, exchange_id) do update
               set was_delivered = case_holder.was_delivered or excluded.was_delivered""".encode(),
        {
            "case": case_id,
            "principal": principal,
            "by_index": by_index,
            "delivered": DELIVERED,
            "ids": list(found),
            "in_file": list(found.values()),
        },
    )


def note_named(conn: Connection, case_id: str, named: Mapping[ExchangeId, Iterable[int]]) -> None:
    """Note, for exchanges noted as holders, which identifiers (by place) their index names; repeating it only adds."""
    with conn.cursor() as cursor:
        cursor.executemany(
            """update case_holder set identifiers = (
                   select array_agg(distinct place) from unnest(coalesce(identifiers, '{}') || %s::integer[]) place)
               where case_id = %s and exchange_id = %s""",
            [(sorted(places), case_id, exchange_id) for exchange_id, places in sorted(named.items())],
        )


def find_holders(
    conn: Connection, case_id: str, principal: str, foreseen: Mapping[str, bool] = NOTHING
) -> list[Holder]:
    """Closed exchanges that held persons of a case: those that were noted, and those in which its erasure found them.

    Also returns that were delivered and are gone, if they were made of one of these (``is_guess``). Results of
    agents are left out, because they came from nobody outside and went to nobody. ``foreseen``: exchanges that a dry
    run found beside these, as :func:`note_holders` takes them; nothing is noted.
    """
    rows = conn.execute(
        f"""with recursive {_FOUND}, {_MADE_OF}
           select e.exchange_id::text as id, e.direction, coalesce(f.was_delivered, true) as was_delivered,
               f.exchange_id is null as is_guess,
               array(select to_json(o.identifiers) from made m left join case_holder o
                     on o.case_id = %(case)s and o.exchange_id = m.root where m.id = e.exchange_id) as identifiers
           from exchange e left join found f using (exchange_id)
           where e.exchange_id in (select id from made)
             and e.decision in ('accepted', 'partly_accepted') and e.direction <> 'internal'
             and (f.exchange_id is not null or e.direction = %(return)s
                 and exists (select from acknowledgement a where a.exchange_id = e.exchange_id))
           order by e.opened_at, 1""".encode(),
        {
            "case": case_id,
            "principal": principal,
            "delivered": DELIVERED,
            "answer": Direction.PORTABILITY_ACCESS,
            "telling": [LAKE, RETURN, INDEX, DELIVERED],
            "return": Direction.OUTBOUND_RETURN,
            "by_index": False,
            "ids": list(foreseen),
            "in_file": list(foreseen.values()),
        },
    ).fetchall()
    return [holder for row in rows if (holder := _holder(conn, row)) is not None]


def _holder(conn: Connection, row: Mapping[str, Any]) -> Holder | None:
    entry = find_entry(conn, ExchangeId(row["id"]), EntryKind.EXCHANGE_CLOSED)
    if entry is None:
        return None
    return Holder(
        exchange_id=ExchangeId(row["id"]),
        direction=Direction(row["direction"]),
        was_delivered=row["was_delivered"],
        record=ExchangeRecord.model_validate_json(entry.body),
        identifiers=_places(row["identifiers"]),
        is_guess=row["is_guess"],
    )


def _places(named: Sequence[Sequence[int] | None]) -> tuple[int, ...] | None:
    """The places of all exchanges that it was made of, together; None if nobody asked about one of these."""
    known = [each for each in named if each is not None]
    return tuple(dict.fromkeys(place for each in known for place in each)) if len(known) == len(named) else None
