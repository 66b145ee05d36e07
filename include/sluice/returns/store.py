"""The SQL of returns. No decisions are made here."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sluice.db import Connection
from sluice.exchange.made_here import MadeHere, insert_made_here
from sluice.exchange.model import Opened
from sluice.exchange.of_a_day import IS_SUPERSEDED, OF_A_DAY
from sluice.ledger.model import EntryKind
from sluice.ledger.record import GIVEN_BACK, ExchangeRecord
from sluice.ledger.returned import PreparedReturn
from sluice.ledger.store import find_entry
from sluice.locks import About, lock_until_commit
from sluice.returns.model import Glance, Input, InputKind, Last, Stage
from sluice.staff.store import CHAIN
from sluice.terms import ACCEPTED_DECISIONS, Decision, Direction, ExchangeId, Flow, Principal

INPUT = "a.exchange_id::text as id, a.bucket, a.key, a.version_id, a.sha256, a.closed_at"
_ACCEPTED = "principal = %(principal)s and direction = %(direction)s and flow = %(flow)s"
_WAS_ACCEPTED = """principal = %(principal)s and direction = %(direction)s and flow = %(accepted)s
    and decision in ('accepted', 'partly_accepted') and receipt_at is not null"""
_LAST = f"""select exchange_id::text as id, version_id, decision, reason_code, opened_at, prepared_at, held_codes,
        staff_seen, inputs_seen, exists (select from outbox o where o.exchange_id = exchange.exchange_id
            and o.effect = 'delivery' and o.done_at is null) as is_on_its_way
    from exchange where principal = %(principal)s and flow = %(flow)s and day = %(day)s and {OF_A_DAY}
    order by opened_at desc, exchange_id limit 1"""


def find_days(conn: Connection, principal: Principal, results: Flow) -> list[date]:
    """Days of contacts in accepted results of a flow that have a receipt."""
    rows = conn.execute(
        f"select distinct day from result_day join accepted_data a using (exchange_id) where {_ACCEPTED} order by day",
        {"principal": principal, "direction": Direction.INTERNAL.value, "flow": results},
    ).fetchall()
    return [row["day"] for row in rows]


def find_results(conn: Connection, principal: Principal, results: Flow, day: date) -> list[Input]:
    """Accepted results with contacts on ``day``."""
    rows = conn.execute(
        f"""select {INPUT} from accepted_data a join result_day d using (exchange_id)
            where {_ACCEPTED} and d.day = %(day)s order by 1""",
        {"principal": principal, "direction": Direction.INTERNAL.value, "flow": results, "day": day},
    ).fetchall()
    return [_input(InputKind.RESULTS, **row) for row in rows]


def find_contacts(
    conn: Connection, principal: Principal, contacts: Flow, until: datetime | None, had: Collection[str] = ()
) -> list[Input]:
    """Accepted contacts that were closed by ``until`` (None: at any time), or that a return ``had``."""
    rows = conn.execute(
        f"""select {INPUT} from accepted_data a
            where {_ACCEPTED} and (%(until)s::timestamptz is null or a.closed_at <= %(until)s
                or a.exchange_id::text = any(%(had)s)) order by 1""",
        {
            "principal": principal,
            "direction": Direction.INBOUND.value,
            "flow": contacts,
            "until": until,
            "had": list(had),
        },
    ).fetchall()
    return [_input(InputKind.CONTACTS, **row) for row in rows]


def find_inputs(conn: Connection, exchange_id: ExchangeId) -> list[Input]:
    """The inputs that a return was opened on, as far as they still exist (see :func:`count_gone`)."""
    rows = conn.execute(
        f"""select {INPUT}, r.kind from return_input r join accepted_data a on a.exchange_id = r.input_id
            where r.exchange_id = %s order by 1""",
        (exchange_id,),
    ).fetchall()
    return [_input(InputKind(row.pop("kind")), **row) for row in rows]


def count_gone(conn: Connection, exchange_id: ExchangeId, kind: InputKind | None = None) -> int:
    """How many of the inputs that a return was opened on no longer exist. ``kind``: only of these."""
    row = conn.execute(
        """select count(*) as n from return_input r where r.exchange_id = %s and r.kind = coalesce(%s, r.kind)
               and not exists (select from accepted_data a where a.exchange_id = r.input_id)""",
        (exchange_id, kind.value if kind else None),
    ).fetchone()
    return int(row["n"]) if row else 0


def _input(kind: InputKind, id: str, bucket: str, key: str, version_id: str, sha256: str, closed_at: datetime) -> Input:
    return Input(ExchangeId(id), kind, bucket, key, version_id, sha256, closed_at)


def count_returns(conn: Connection, principal: Principal, flow: Flow, day: date) -> int:
    """How many returns of a day were ever opened."""
    row = conn.execute(
        f"select count(*) as n from exchange where principal = %s and flow = %s and day = %s and {OF_A_DAY}",
        (principal, flow, day),
    ).fetchone()
    return int(row["n"]) if row else 0


def find_last(conn: Connection, principal: Principal, flow: Flow, day: date) -> Last | None:
    """The youngest return of a day."""
    row = conn.execute(_LAST, {"principal": principal, "flow": flow, "day": day}).fetchone()
    return _last(row) if row else None


def glance(conn: Connection, principal: Principal, flow: Flow, results: Flow) -> list[Glance]:
    """Every day of contacts in accepted results that still exist, with its youngest return; oldest first."""
    rows = conn.execute(
        f"""select r.day, r.results, r.newest_at, l.* from (
                select d.day, count(*) as results, max(e.closed_at) as newest_at
                from exchange e join result_day d using (exchange_id) where {_WAS_ACCEPTED}
                group by d.day having bool_or(exists (select from accepted_data a where a.exchange_id = e.exchange_id))
            ) r left join lateral ({_LAST.replace("%(day)s", "r.day")}) l on true order by r.day""",
        {"principal": principal, "direction": Direction.INTERNAL.value, "accepted": results, "flow": flow},
    ).fetchall()
    return [Glance(row["day"], row["results"], row["newest_at"], _last(row) if row["id"] else None) for row in rows]


def find_contact_times(conn: Connection, principal: Principal, contacts: Flow) -> list[datetime]:
    """When files of contacts that were ever accepted and receipted were closed, oldest first; deleted ones too."""
    rows = conn.execute(
        f"select closed_at from exchange where {_WAS_ACCEPTED} order by closed_at",
        {"principal": principal, "direction": Direction.INBOUND.value, "accepted": contacts},
    ).fetchall()
    return [row["closed_at"] for row in rows]


def _last(row: dict[str, Any]) -> Last:
    return Last(
        exchange_id=ExchangeId(row["id"]),
        name=row["version_id"],
        opened_at=row["opened_at"],
        stage=_stage(row),
        reason_code=row["reason_code"],
        held=frozenset(row["held_codes"]),
        staff_seen=row["staff_seen"],
        inputs_seen=row["inputs_seen"],
    )


def _stage(row: dict[str, Any]) -> Stage:
    if row["decision"] == Decision.OPEN:
        return Stage.PREPARED if row["prepared_at"] else Stage.OPEN
    if row["decision"] not in ACCEPTED_DECISIONS:
        return Stage.REFUSED
    return Stage.ON_ITS_WAY if row["is_on_its_way"] else Stage.OVER


def find_input_ids(conn: Connection, exchange_id: ExchangeId) -> frozenset[str]:
    """Ids of the inputs that a return was opened on, whether they still exist or not."""
    rows = conn.execute("select input_id::text as id from return_input where exchange_id = %s", (exchange_id,))
    return frozenset(row["id"] for row in rows)


def mark_inputs_seen(conn: Connection, exchange_id: ExchangeId, inputs: str) -> None:
    """Record that these inputs make no other return of its day, so that nobody looks again."""
    conn.execute(
        "update exchange set inputs_seen = %s where exchange_id = %s and inputs_seen is distinct from %s",
        (inputs, exchange_id, inputs),
    )


def mark_staff_seen(conn: Connection, exchange_id: ExchangeId, news: str) -> None:
    """Record that this news of staff is not about the agents of a return, so that nobody looks again."""
    conn.execute("update exchange set staff_seen = %s where exchange_id = %s", (news, exchange_id))


def find_import_after(conn: Connection, number: int) -> datetime | None:
    """The earliest import time recorded by a staff import with a higher number; None if there is none."""
    row = conn.execute(
        """select min((convert_from(body, 'UTF8')::json ->> 'imported_at')::timestamptz) as at
           from ledger.entry where chain = %s and seq > %s and kind = %s""",
        (CHAIN, number, EntryKind.STAFF_IMPORTED.value),
    ).fetchone()
    return row["at"] if row else None


def find_delivered(conn: Connection, principal: Principal, flow: Flow, day: date) -> tuple[ExchangeId, str] | None:
    """The youngest return of a day that was closed as accepted, with the SHA-256 of its file before encryption.

    One that was overtaken before its delivery, so that it went nowhere, is none.
    """
    row = conn.execute(
        f"""select exchange_id::text as id, sha256 from exchange
           where principal = %s and flow = %s and day = %s and {OF_A_DAY}
             and decision in ('accepted', 'partly_accepted')
             and (exists (select from acknowledgement k where k.exchange_id = exchange.exchange_id)
                  or not exists (select from outbox o where o.exchange_id = exchange.exchange_id
                                 and o.effect = 'delivery' and o.done_at is not null))
           order by opened_at desc, exchange_id limit 1""",
        (principal, flow, day),
    ).fetchone()
    return (ExchangeId(row["id"]), row["sha256"]) if row else None


def lock_flow(conn: Connection, principal: Principal, flow: Flow) -> None:
    """Let only one worker at a time open returns of a flow, until the transaction ends."""
    lock_until_commit(conn, About.RETURNS, f"{principal}/{flow}")


def insert_return(conn: Connection, made: MadeHere, inputs: Iterable[Input]) -> Opened | None:
    """Open a return on its inputs; None if it was opened already. Call inside a transaction."""
    opened = insert_made_here(conn, made)
    if opened is not None:
        with conn.cursor() as cursor:
            cursor.executemany(
                "insert into return_input (exchange_id, input_id, kind) values (%s, %s, %s)",
                [(opened.exchange_id, each.exchange_id, each.kind.value) for each in inputs],
            )
    return opened


def has_newer(conn: Connection, opened: Opened) -> bool:
    """Whether another return of the same day was opened later, so that this one is stale."""
    row = conn.execute(
        f"select {IS_SUPERSEDED} as newer from exchange where exchange_id = %s", (opened.exchange_id,)
    ).fetchone()
    return bool(row and row["newer"])


def mark_prepared(conn: Connection, record: ExchangeRecord, by: str, at: datetime) -> None:
    """Mark a return as prepared, waiting for a second person; no slot claims it meanwhile."""
    conn.execute(
        """update exchange set prepared_at = %s, prepared_by = %s, held_codes = %s, inputs_seen = null,
               next_attempt_at = 'infinity', last_error = null
           where exchange_id = %s and decision = 'open'""",
        (at, by, list(record.right_treatment.held_back), record.exchange_id),
    )


def mark_released(conn: Connection, exchange_id: ExchangeId, by: str, at: datetime) -> bool:
    """Mark a prepared return as released; False unless it waits for release and ``by`` did not prepare it."""
    row = conn.execute(
        """update exchange set released_at = %s, released_by = %s, next_attempt_at = now()
           where exchange_id = %s and decision = 'open' and prepared_at is not null and released_at is null
             and lower(btrim(prepared_by)) <> lower(btrim(%s)) returning 1""",
        (at, by, exchange_id, by),
    ).fetchone()
    return row is not None


def wait_again(conn: Connection, exchange_id: ExchangeId) -> None:
    """Send a prepared return back to waiting that was claimed but may not go yet, or no longer may."""
    conn.execute(
        """update exchange set next_attempt_at = 'infinity', attempts = greatest(attempts - 1, 0), last_error = null
           where exchange_id = %s and decision = 'open'""",
        (exchange_id,),
    )


def wake_stale(conn: Connection, opened: Opened) -> None:
    """Have older open returns of the same day claimed again, so that they are closed as stale."""
    conn.execute(
        f"""update exchange set next_attempt_at = now() where principal = %s and flow = %s and day = %s
             and {OF_A_DAY} and decision = 'open' and opened_at < %s""",
        (opened.principal, opened.flow, opened.day, opened.opened_at),
    )


def find_prepared(conn: Connection, exchange_id: ExchangeId) -> ExchangeRecord | None:
    """The record of a prepared return, as it will be closed once it is released; None if it was not prepared."""
    entry = find_entry(conn, exchange_id, EntryKind.RETURN_PREPARED)
    return PreparedReturn.model_validate_json(entry.body).record if entry else None


def is_delivered(conn: Connection, exchange_id: str) -> bool:
    """Whether a return was delivered, so that the principal can see it with everything that explains it."""
    row = conn.execute(
        "select exists (select from acknowledgement where exchange_id = %s) as delivered", (exchange_id,)
    ).fetchone()
    return bool(row and row["delivered"])


def find_prepared_flows(conn: Connection, principal: Principal) -> list[Flow]:
    """Flows of a principal with a prepared return of a day."""
    rows = conn.execute(
        """select distinct flow from exchange
           where direction = 'outbound_return' and principal = %s and decision = 'open' and prepared_at is not null
             and not starts_with(version_id, %s)""",
        (principal, GIVEN_BACK),
    ).fetchall()
    return [Flow(row["flow"]) for row in rows]


def find_prepared_given(conn: Connection, principal: Principal) -> list[ExchangeId]:
    """Prepared exchanges that give data back at the end of an agreement, oldest first."""
    rows = conn.execute(
        """select exchange_id::text as id from exchange
           where direction = 'outbound_return' and principal = %s and decision = 'open' and prepared_at is not null
             and starts_with(version_id, %s) order by opened_at""",
        (principal, GIVEN_BACK),
    ).fetchall()
    return [ExchangeId(row["id"]) for row in rows]


def waiting_for_release(conn: Connection, principal: Principal, flow: Flow) -> list[str]:
    """Prepared returns of a flow that wait for a second person, oldest first."""
    rows = conn.execute(
        """select exchange_id::text as id from exchange where principal = %s and flow = %s and decision = 'open'
             and prepared_at is not null and released_at is null order by opened_at""",
        (principal, flow),
    ).fetchall()
    return [row["id"] for row in rows]


def is_released(conn: Connection, exchange_id: ExchangeId) -> bool:
    """Whether a second person released it."""
    row = conn.execute(
        "select released_at is not null as released from exchange where exchange_id = %s", (exchange_id,)
    ).fetchone()
    return bool(row and row["released"])


def ids(inputs: Sequence[Input]) -> list[str]:
    """Exchange ids, sorted."""
    return sorted(each.exchange_id for each in inputs)
