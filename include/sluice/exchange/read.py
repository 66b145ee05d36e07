"""The questions that people ask about exchanges; the CLI, the pages and the tests ask the same ones."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sluice.agreement.in_force.store import is_flow
from sluice.db import Connection
from sluice.errors import NotFound, Ref
from sluice.exchange.beginning import get_by_beginning
from sluice.exchange.naming import WITHHELD, withheld_unless_safe
from sluice.ledger.model import Entry, EntryKind
from sluice.ledger.record import ExchangeRecord
from sluice.ledger.store import find_entry
from sluice.terms import Decision, Direction, ExchangeId, Flow, Principal


@dataclass(frozen=True, slots=True)
class ExchangeLine:
    """One exchange in a list."""

    id: str
    principal: str
    direction: str
    flow: str
    purpose: str | None
    decision: str
    reason_code: str | None
    opened_at: datetime
    closed_at: datetime | None
    rows_in: int | None
    rows_accepted: int | None
    rows_refused: int | None
    rows_held: int | None
    receipt_at: datetime | None
    last_error: str | None
    waiting_effects: tuple[str, ...] = ()
    stopped_at: datetime | None = None
    """For an open exchange of a stopped flow, when the flow was stopped."""
    file: str = WITHHELD
    """Name of its file, as records tell it: withheld where it could name a person."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One exchange in full: its line (with the effects still to do) and, once closed, its record and entry."""

    line: ExchangeLine
    record: ExchangeRecord | None
    entry: Entry | None


LINE = """exchange_id::text as id, principal, direction, flow, key,
    nullif(array_to_string(purposes, ', '), '') as purpose, decision, reason_code, opened_at, closed_at,
    rows_in, rows_accepted, rows_refused, rows_held, receipt_at, last_error,
    array(select effect from outbox o where o.exchange_id = e.exchange_id and done_at is null order by rank)
        as waiting_effects,
    (select stopped_at from flow_stop f where e.decision = 'open' and f.resumed_at is null
        and (f.principal, f.flow) = (e.principal, e.flow)) as stopped_at"""


WANTED = """(%(principal)s::text is null or principal = %(principal)s)
    and (%(direction)s::text is null or direction = %(direction)s)
    and (%(decision)s::text is null or decision = %(decision)s)
    and (%(since)s::timestamptz is null or opened_at >= %(since)s)"""


@dataclass(frozen=True, slots=True)
class Beside:
    """The exchanges beside one in a list, by id; None where the list ends."""

    newer: str | None
    older: str | None


def _line(row: dict[str, Any]) -> ExchangeLine:
    file = _file_of(row.pop("key"), row["flow"])
    return ExchangeLine(**{**row, "waiting_effects": tuple(row["waiting_effects"])}, file=file)


def _file_of(key: str, flow: Flow) -> str:
    """The name of the file, as records tell it. A key that no rule can read stops no list, and is not told."""
    with suppress(ValueError):
        return withheld_unless_safe(key, flow).rpartition("/")[2]
    return WITHHELD


def list_exchanges(
    conn: Connection,
    *,
    principal: str | None = None,
    direction: Direction | None = None,
    decision: Decision | None = None,
    since: datetime | None = None,
    limit: int = 200,
    before: tuple[datetime, str] | None = None,
) -> list[ExchangeLine]:
    """Return the exchanges that match, newest first.

    ``before``: when the last exchange of the previous page was opened, and its id.
    """
    opened_at, exchange_id = before or (None, None)
    rows = conn.execute(
        f"""select {LINE} from exchange e
            where {WANTED}
              and (%(opened_at)s::timestamptz is null
                   or (opened_at, exchange_id) < (%(opened_at)s, %(exchange_id)s::uuid))
            order by opened_at desc, exchange_id desc limit %(limit)s""",
        {
            **_wanted(principal, direction, decision, since),
            "opened_at": opened_at,
            "exchange_id": exchange_id,
            "limit": limit,
        },
    ).fetchall()
    return [_line(row) for row in rows]


def _wanted(
    principal: str | None, direction: Direction | None, decision: Decision | None, since: datetime | None
) -> dict[str, object]:
    return {
        "principal": principal,
        "direction": direction.value if direction else None,
        "decision": decision.value if decision else None,
        "since": since,
    }


def find_beside(
    conn: Connection,
    line: ExchangeLine,
    *,
    principal: str | None = None,
    direction: Direction | None = None,
    decision: Decision | None = None,
    since: datetime | None = None,
) -> Beside:
    """Find what stands before and after an exchange in the list of `list_exchanges`.

    The exchange itself need not match any more: it may have been open when the list was read.
    """
    place = {**_wanted(principal, direction, decision, since), "opened_at": line.opened_at, "exchange_id": line.id}
    found = [
        conn.execute(
            f"""select exchange_id::text as id from exchange where {WANTED}
                  and (opened_at, exchange_id) {side} (%(opened_at)s, %(exchange_id)s::uuid)
                order by opened_at {order}, exchange_id {order} limit 1""".encode(),
            place,
        ).fetchone()
        for side, order in ((">", "asc"), ("<", "desc"))
    ]
    newer, older = (row["id"] if row else None for row in found)
    return Beside(newer, older)


def show_exchange(conn: Connection, named: str) -> Shown:
    """One exchange by its id or an unambiguous beginning of it. Raises NotFound, Ambiguous."""
    exchange_id = get_by_beginning(conn, "exchange", named, "select exchange_id as id from exchange")
    [row] = conn.execute(f"select {LINE} from exchange e where exchange_id = %s", (exchange_id,)).fetchall()
    line = _line(row)
    entry = find_entry(conn, ExchangeId(line.id), EntryKind.EXCHANGE_CLOSED)
    return Shown(
        line=line,
        record=ExchangeRecord.model_validate_json(entry.body) if entry else None,
        entry=entry,
    )


def find_by_versions(conn: Connection, version_ids: Sequence[str]) -> dict[str, ExchangeLine]:
    """The exchanges of these object versions, by version id."""
    rows = conn.execute(
        f"select version_id, {LINE} from exchange e where version_id = any(%s)", (list(version_ids),)
    ).fetchall()
    return {row.pop("version_id"): _line(row) for row in rows}


def pick_principals(conn: Connection, named: str | None = None) -> list[Principal]:
    """Return all principals that ever had an agreement or sent a file, or the one of them that is named.

    A principal whose keys were destroyed counts only when it is named, because none of its persons can be found any
    more. Raises NotFound for any other name, without repeating it: it may be a value in the wrong place.
    """
    rows = conn.execute(
        """with recursive sender as (
               (select principal from exchange order by principal limit 1)
               union all
               select (select e.principal from exchange e where e.principal > s.principal order by 1 limit 1)
               from sender s where s.principal is not null)
           select principal from (select principal from document union
                                  select principal from sender where principal is not null) known
           where principal = %s or principal not in (select principal from key_destruction
               where destroyed_at is not null) order by 1""",
        (named,),
    ).fetchall()
    known = [Principal(row["principal"]) for row in rows]
    if named is not None and named not in known:
        raise NotFound(Ref("principal", "as given"), Ref("principals known", len(known)))
    return [name for name in known if named in (None, name)]


def check_flow(conn: Connection, principal: Principal, flow: Flow) -> None:
    """Raises NotFound for a principal that is unknown, or a flow that it never had, without repeating the name."""
    pick_principals(conn, principal)
    known = conn.execute("select 1 from exchange where (principal, flow) = (%s, %s) limit 1", (principal, flow))
    if not (is_flow(conn, principal, flow) or known.fetchone()):
        raise NotFound(Ref("flow", "as given"), Ref("principal", principal))


@dataclass(frozen=True, slots=True)
class AcceptedData:
    """Where the visible data of one exchange lies."""

    bucket: str
    key: str
    version_id: str
    rows: int


def get_accepted(conn: Connection, exchange_id: str) -> AcceptedData:
    """Return the lake object of an exchange, which is visible only once its receipt was given. Raises NotFound."""
    row = conn.execute(
        "select bucket, key, version_id, rows from accepted_data where exchange_id = %s", (exchange_id,)
    ).fetchone()
    if row is None:
        raise NotFound(Ref("accepted data of exchange", exchange_id))
    return AcceptedData(**row)
