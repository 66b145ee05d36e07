"""The SQL of giving data back at the end of an agreement. No decisions are made here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sluice.agreement.model import Agreement
from sluice.db import Connection
from sluice.exchange.of_a_day import OF_A_DAY
from sluice.ledger.model import EntryKind
from sluice.ledger.record import GIVEN_BACK, ExchangeRecord
from sluice.ledger.store import find_entry
from sluice.terms import Decision, Direction, ExchangeId, Flow, Principal

_GIVEN = "principal = %s and flow = %s and direction = 'outbound_return' and starts_with(version_id, %s)"
_LAST = """select exchange_id::text as id, version_id, decision, reason_code, prepared_at is not null as is_prepared,
        coalesce(rows_accepted, 0) as rows,
        array(select input_id::text from return_input r where r.exchange_id = e.exchange_id) as inputs
    from exchange e"""


@dataclass(frozen=True, slots=True)
class LastGiven:
    """The youngest exchange that gives back a flow, or returns the results of a day.

    ``inputs``: ids of the exchanges it was opened on.
    """

    exchange_id: ExchangeId
    version_id: str
    decision: Decision
    is_prepared: bool
    inputs: frozenset[str]
    held: Mapping[str, int]
    rows: int
    reason_code: str | None

    @property
    def is_open(self) -> bool:
        return self.decision is Decision.OPEN


def find_flows(conn: Connection, principal: Principal) -> list[Flow]:
    """Flows with accepted contacts, or with a file that is still being judged or waits for its receipt."""
    rows = conn.execute(
        """select flow from accepted_data where principal = %(principal)s and direction = 'inbound' union
           select flow from exchange where principal = %(principal)s and direction = 'inbound'
               and (decision = 'open' or receipt_at is null) order by flow""",
        {"principal": principal},
    ).fetchall()
    return [Flow(row["flow"]) for row in rows]


def has_open_arrivals(
    conn: Connection, principal: Principal, flow: Flow, direction: Direction = Direction.INBOUND
) -> bool:
    """Whether a file of the flow is still being judged or waits for its receipt."""
    row = conn.execute(
        """select exists (select from exchange where principal = %s and flow = %s and direction = %s
               and (decision = 'open' or receipt_at is null)) as is_so""",
        (principal, flow, direction.value),
    ).fetchone()
    return bool(row and row["is_so"])


def find_return_flows(conn: Connection, principal: Principal) -> list[Flow]:
    """Flows for which a contract of a return was ever registered."""
    before = f"{principal}.{Direction.OUTBOUND_RETURN}."
    rows = conn.execute(
        """select distinct document_id from activation where kind = 'contract' and starts_with(document_id, %s)
           order by 1""",
        (before,),
    ).fetchall()
    return [Flow(row["document_id"].removeprefix(before)) for row in rows]


def find_unreturned(conn: Connection, principal: Principal, flow: Flow, results: Flow) -> frozenset[date]:
    """Days with an accepted file of results that no return of that day brought to the principal.

    A return refused for having the same bytes as the one before counts as having brought its files.
    """
    rows = conn.execute(
        f"""select distinct d.day from result_day d join accepted_data a using (exchange_id)
            where a.principal = %(principal)s and a.direction = 'internal' and a.flow = %(results)s
              and not exists (select from return_input r join exchange e using (exchange_id)
                  where r.input_id = a.exchange_id and e.flow = %(flow)s and e.day = d.day and {OF_A_DAY}
                    and (e.reason_code = 'DUPLICATE_CONTENT' or (e.decision in ('accepted', 'partly_accepted')
                        and exists (select from acknowledgement k where k.exchange_id = e.exchange_id))))""",
        {"principal": principal, "results": results, "flow": flow},
    ).fetchall()
    return frozenset(row["day"] for row in rows)


def count_given(conn: Connection, ended: Agreement, flow: Flow) -> int:
    """How often a flow of the principal was opened to be given back, whichever version of the agreement ended."""
    row = conn.execute(
        f"select count(*) as n from exchange where {_GIVEN}", (ended.principal, flow, GIVEN_BACK)
    ).fetchone()
    return int(row["n"]) if row else 0


def find_last(conn: Connection, ended: Agreement, flow: Flow) -> LastGiven | None:
    """The youngest exchange that gives a flow back because this version of the agreement ended."""
    row = conn.execute(
        f"""{_LAST} where {_GIVEN} order by substring(version_id from '[0-9]+$')::int desc limit 1""",
        (ended.principal, flow, f"{GIVEN_BACK}{ended.version}-"),
    ).fetchone()
    return _last(conn, row) if row else None


def find_last_of_day(conn: Connection, principal: Principal, flow: Flow, day: date) -> LastGiven | None:
    """The youngest return for a day of contacts."""
    row = conn.execute(
        f"""{_LAST} where principal = %s and flow = %s and day = %s and {OF_A_DAY}
            order by opened_at desc, exchange_id limit 1""",
        (principal, flow, day),
    ).fetchone()
    return _last(conn, row) if row else None


def _last(conn: Connection, row: dict[str, Any]) -> LastGiven:
    entry = find_entry(conn, ExchangeId(row["id"]), EntryKind.EXCHANGE_CLOSED)
    held = ExchangeRecord.model_validate_json(entry.body).right_treatment.held_back if entry else {}
    return LastGiven(
        exchange_id=ExchangeId(row["id"]),
        version_id=row["version_id"],
        decision=Decision(row["decision"]),
        is_prepared=row["is_prepared"],
        inputs=frozenset(row["inputs"]),
        held=held,
        rows=row["rows"],
        reason_code=row["reason_code"],
    )
