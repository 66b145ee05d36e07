"""The SQL of what is given back at the end of an agreement. Nothing here decides."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sluice.agreement.model import Agreement
from sluice.db import Connection
from sluice.exchange.model import Opened
from sluice.ledger.model import EntryKind
from sluice.ledger.record import GIVEN_BACK, ExchangeRecord
from sluice.ledger.store import find_entry
from sluice.returns import store
from sluice.returns.model import Due
from sluice.terms import Decision, ExchangeId, Flow, Principal

_GIVEN = "principal = %s and flow = %s and direction = 'outbound_return' and starts_with(version_id, %s)"


@dataclass(frozen=True, slots=True)
class LastGiven:
    """The youngest exchange that gives a flow back. ``inputs``: ids of what it was opened on."""

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
    """Flows of which accepted contacts are there."""
    rows = conn.execute(
        "select distinct flow from accepted_data where principal = %s and direction = 'inbound' order by flow",
        (principal,),
    ).fetchall()
    return [Flow(row["flow"]) for row in rows]


def has_open_arrivals(conn: Connection, principal: Principal, flow: Flow) -> bool:
    """Whether a file of the flow is still being judged, or waits for its receipt."""
    row = conn.execute(
        """select exists (select from exchange where principal = %s and flow = %s and direction = 'inbound'
               and (decision = 'open' or receipt_at is null)) as is_so""",
        (principal, flow),
    ).fetchone()
    return bool(row and row["is_so"])


def count_given(conn: Connection, ended: Agreement, flow: Flow) -> int:
    """How often a flow was opened to be given back under an agreement, whichever version of it ended."""
    row = conn.execute(
        f"select count(*) as n from exchange where {_GIVEN}", (ended.principal, flow, GIVEN_BACK)
    ).fetchone()
    return int(row["n"]) if row else 0


def insert_given(
    conn: Connection, principal: Principal, flow: Flow, bucket: str, key: str, due: Due, chain: str, now: datetime
) -> Opened:
    """Open the exchange on its inputs. No slot takes it up: only what gives back does. Call inside a transaction."""
    opened = store.insert_return(conn, principal, flow, bucket, key, due, chain, now)
    assert opened is not None  # nobody opened it: its flow is locked
    conn.execute("update exchange set next_attempt_at = 'infinity' where exchange_id = %s", (opened.exchange_id,))
    return opened


def find_last(conn: Connection, ended: Agreement, flow: Flow) -> LastGiven | None:
    """The youngest exchange that gives a flow back because this version of the agreement ended."""
    row = conn.execute(
        f"""select exchange_id::text as id, version_id, decision, reason_code, prepared_at is not null as is_prepared,
                coalesce(rows_accepted, 0) as rows,
                array(select input_id::text from return_input r where r.exchange_id = e.exchange_id) as inputs
            from exchange e where {_GIVEN} order by substring(version_id from '[0-9]+$')::int desc limit 1""",
        (ended.principal, flow, f"{GIVEN_BACK}{ended.version}-"),
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
