"""The SQL of exchanges and of what is noted beside them. Nothing here decides."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sluice import locks
from sluice.db import Connection, transaction
from sluice.errors import GateFailed, NotFound, Ref
from sluice.exchange.locks import IS_WORKED_ON
from sluice.exchange.model import Age, Opened, Twin
from sluice.exchange.review_model import is_for_review
from sluice.exchange.stop_store import ASKED_AT, IS_STOPPED, MAY_BE_TAKEN
from sluice.lake.s3.objects import StoredObject
from sluice.ledger.record import ExchangeRecord, InputLine
from sluice.locks import About, is_held_by_us
from sluice.terms import Direction, ExchangeId, Flow, Principal

RETRY_AFTER, UNCOUNTED_RETRY_AFTER = timedelta(seconds=5), timedelta(seconds=15)
COLUMNS = """exchange_id, principal, direction, flow, bucket, key, version_id, size_bytes, chain, opened_at,
    attempts, day, arrived_at"""
WITH_PAPERS = f"{COLUMNS}, nullif({ASKED_AT}, opened_at) as resumed_at"
"""The columns of an exchange whose papers are asked."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """An object version that has no exchange yet, and where its key says it belongs."""

    principal: Principal
    direction: Direction
    flow: Flow
    object: StoredObject


@dataclass(frozen=True, slots=True)
class Waiting:
    """The exchanges of one flow that are open and due: how many, and when the first and the last of them were opened.

    ``taken``: how many exchanges of the flow somebody works on; whoever does takes the next one afterwards.
    """

    principal: Principal
    flow: Flow
    count: int
    oldest_at: datetime
    newest_at: datetime
    taken: int


def find_unregistered(conn: Connection, arrivals: Sequence[Arrival]) -> list[Arrival]:
    """Those arrivals that have no exchange yet, in their order."""
    if not arrivals:
        return []
    rows = conn.execute(
        """select a.n from unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
               with ordinality as a(principal, direction, bucket, key, version_id, n)
           where not exists (select from exchange e
               where (e.principal, e.direction, e.bucket, e.key, e.version_id)
                   = (a.principal, a.direction, a.bucket, a.key, a.version_id))
           order by a.n""",
        (
            [a.principal for a in arrivals],
            [a.direction.value for a in arrivals],
            [a.object.bucket for a in arrivals],
            [a.object.key for a in arrivals],
            [a.object.version_id for a in arrivals],
        ),
    ).fetchall()
    return [arrivals[row["n"] - 1] for row in rows]


def insert_open(
    conn: Connection, arrival: Arrival, chain: str, opened_at: datetime, arrived_at: datetime
) -> Opened | None:
    """Open an exchange; return None when this version has one already. Call inside a transaction.

    ``arrived_at``: when the store took the file.
    """
    item = arrival.object
    row = conn.execute(
        f"""insert into exchange (principal, direction, flow, bucket, key, version_id, size_bytes, chain, opened_at,
                arrived_at)
            values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            on conflict on constraint exchange_once do nothing returning {COLUMNS}""",
        (
            arrival.principal,
            arrival.direction.value,
            arrival.flow,
            item.bucket,
            item.key,
            item.version_id,
            item.size_bytes,
            chain,
            opened_at,
            arrived_at,
        ),
    ).fetchone()
    return opened_of(row) if row else None


def find_waiting(conn: Connection, direction: Direction) -> list[Waiting]:
    """Find flows with open exchanges that are due and that nobody works on; stopped flows are left out."""
    rows = conn.execute(
        f"""select principal, flow, count(*) filter (where is_due) as n,
               min(opened_at) filter (where is_due) as oldest_at,
               max(opened_at) filter (where is_due) as newest_at, count(*) filter (where is_taken) as taken
           from exchange, lateral (select {IS_WORKED_ON} as is_taken) t,
                lateral (select next_attempt_at <= now() and not is_taken as is_due) d
           where decision = 'open' and direction = %s and not {IS_STOPPED}
           group by 1, 2 having bool_or(is_due)""",
        (direction.value,),
    ).fetchall()
    return [
        Waiting(
            Principal(row["principal"]), Flow(row["flow"]), row["n"], row["oldest_at"], row["newest_at"], row["taken"]
        )
        for row in rows
    ]


@contextmanager
def claim_next(
    conn: Connection, direction: Direction, principal: Principal, flow: Flow, but: Sequence[str] = ()
) -> Iterator[Opened | None]:
    """Yield the next due exchange of a flow, locked to this connection while the block runs; None if there is none.

    ``but``: ids to pass over. In a stopped flow only a prepared exchange that was superseded is due: it ends, and goes
    nowhere.

    The lock is PostgreSQL's advisory lock: it is free the moment its holder dies, whatever Airflow believes about the
    task. Two tasks alive for one file do happen.
    """
    opened = _lock_next(conn, direction, principal, flow, but)
    try:
        yield opened
    finally:
        if opened is not None:
            locks.release(conn, About.ID, opened.exchange_id)


def _lock_next(
    conn: Connection, direction: Direction, principal: Principal, flow: Flow, but: Sequence[str]
) -> Opened | None:
    candidates = conn.execute(
        f"""select exchange_id::text as id from exchange
           where decision = 'open' and direction = %s and principal = %s and flow = %s and next_attempt_at <= now()
             and exchange_id <> all(%s::uuid[]) and {MAY_BE_TAKEN}
           order by opened_at, key limit 64""",
        (direction.value, principal, flow, list(but)),
    ).fetchall()
    for candidate in candidates:
        if not locks.take(conn, About.ID, candidate["id"]):
            continue
        row = conn.execute(
            f"""update exchange set attempts = attempts + 1, next_attempt_at = now() + %s * attempts
                where exchange_id = %s and decision = 'open' and next_attempt_at <= now() and {MAY_BE_TAKEN}
                returning {WITH_PAPERS}""",
            (RETRY_AFTER, candidate["id"]),
        ).fetchone()
        if row:
            return opened_of(row)
        locks.release(conn, About.ID, candidate["id"])
    return None


def find_same_content(conn: Connection, opened: Opened, sha256: str) -> list[Twin]:
    """The accepted exchanges of this flow with the same bytes. Call it while the content lock is held."""
    rows = conn.execute(
        f"""select {COLUMNS}, said_again_after::text as after, rows_refused > 0 as has_refused,
               exists (select from copy c
               where c.exchange_id = exchange.exchange_id and c.kind = 'lake' and c.gone_at is null) as is_there
           from exchange
           where principal = %s and direction = %s and flow = %s and sha256 = %s and exchange_id <> %s
             and decision in ('accepted', 'partly_accepted')""",
        (opened.principal, opened.direction.value, opened.flow, sha256, opened.exchange_id),
    ).fetchall()
    return [Twin(opened_of(row).age, row["is_there"], bool(row["has_refused"]), row["after"]) for row in rows]


def find_other_content(conn: Connection, opened: Opened, sha256: str) -> list[Age]:
    """How old the other files of this flow are that were accepted, or may be yet, but for those with the same bytes."""
    rows = conn.execute(
        """select exchange_id::text as id from exchange
           where principal = %s and direction = %s and flow = %s and sha256 is distinct from %s and exchange_id <> %s
             and decision in ('open', 'accepted', 'partly_accepted')""",
        (opened.principal, opened.direction.value, opened.flow, sha256, opened.exchange_id),
    ).fetchall()
    return list(find_ages(conn, [row["id"] for row in rows]).values())


def note_said_again(conn: Connection, exchange_id: ExchangeId, last: ExchangeId | None) -> None:
    """Note after which accepted exchange the same bytes are taken again; None: after none.

    Content is accepted once after each of those, by a unique index, even if the content lock was lost meanwhile.
    """
    conn.execute(
        """update exchange set said_again_after = %(last)s
           where exchange_id = %(id)s and decision = 'open' and said_again_after is distinct from %(last)s::uuid""",
        {"last": last, "id": exchange_id},
    )


def requeue_counted(conn: Connection, exchange_id: ExchangeId, error: str) -> None:
    """Note why an attempt failed, which counts; the exchange waits longer each time and blocks nobody."""
    with transaction(conn):
        conn.execute(
            """update exchange set last_error = %s, is_held_up = false, next_attempt_at = now() + %s * attempts
               where exchange_id = %s and decision = 'open'""",
            (error, RETRY_AFTER, exchange_id),
        )


def requeue_uncounted(conn: Connection, exchange_id: ExchangeId, error: str) -> None:
    """Note a fault that is not the file's; the attempt does not count against it, and the next is soon."""
    if conn.broken:
        return
    with transaction(conn):
        conn.execute(
            """update exchange set last_error = %s, is_held_up = true, attempts = greatest(attempts - 1, 0),
                   next_attempt_at = now() + %s
               where exchange_id = %s and decision = 'open'""",
            (error, UNCOUNTED_RETRY_AFTER, exchange_id),
        )


def check_still_ours(conn: Connection, opened: Opened) -> None:
    """Raises GateFailed unless this connection still holds the exchange's lock and nobody closed the exchange.

    A restart of PostgreSQL frees our locks while the child works; then another worker may have taken it. It is no more
    ours to close if its flow was stopped and resumed meanwhile: other papers may count since.
    """
    row = conn.execute(
        f"""select decision = 'open' and {ASKED_AT} <= %s
                and {is_held_by_us("exchange_id::text", About.ID)} as ours
            from exchange where exchange_id = %s""",
        (opened.asked_at, opened.exchange_id),
    ).fetchone()
    if row is None or not row["ours"]:
        raise GateFailed(Ref("exchange", opened.exchange_id), Ref("lock", "lost"))


def check_not_resumed(conn: Connection, opened: Opened) -> None:
    """Raises GateFailed if its flow was stopped and resumed since it was taken up: other papers may count since.

    In the transaction that closes an exchange, nobody can resume the flow between this and the commit.
    """
    row = conn.execute(
        f"select {ASKED_AT} <= %s as is_same from exchange where exchange_id = %s",
        (opened.asked_at, opened.exchange_id),
    ).fetchone()
    if row is None or not row["is_same"]:
        raise GateFailed(Ref("exchange", opened.exchange_id), Ref("flow", "resumed"))


def lock_exchange(conn: Connection, exchange_id: ExchangeId) -> None:
    """Lock the row of an exchange until the transaction ends: whoever else locks or changes it waits."""
    conn.execute("select 1 from exchange where exchange_id = %s for update", (exchange_id,))


def is_open(conn: Connection, exchange_id: ExchangeId) -> bool:
    """Whether the exchange waits for a decision, as committed now. Locks nothing: it may be closed right after."""
    row = conn.execute("select decision from exchange where exchange_id = %s", (exchange_id,)).fetchone()
    return row is not None and row["decision"] == "open"


def lock_if_open(conn: Connection, exchange_id: ExchangeId) -> bool:
    """Lock the row of an exchange until the transaction ends; return whether it still waits for a decision.

    Waits while another worker has the row locked. Outside a transaction the lock is gone on return.
    """
    row = conn.execute("select decision from exchange where exchange_id = %s for update", (exchange_id,)).fetchone()
    return row is not None and row["decision"] == "open"


def update_closed(conn: Connection, record: ExchangeRecord, entry_hash: str, closed_at: datetime) -> None:
    """Write the decision onto the exchange. Call inside the transaction that appended the entry."""
    conn.execute(
        """update exchange set decision = %s, reason_code = %s, purposes = %s, sha256 = %s, rows_in = %s,
               rows_accepted = %s, rows_refused = %s, rows_held = %s, rows_to_review = %s, held_codes = %s,
               entry_hash = %s, closed_at = %s, last_error = null, inputs_seen = null,
               said_id = (select sluice.said_id_of(e.body) from ledger.entry e
                          where e.exchange_id = exchange.exchange_id and e.kind = 'exchange.closed')
           where exchange_id = %s""",
        (
            record.decision.value,
            record.reason_code,
            [purpose.code for purpose in record.why.purposes],
            record.what.sha256,
            record.what.rows_in,
            record.what.rows_accepted,
            record.what.rows_refused,
            record.what.rows_held,
            sum(rows for code, rows in record.right_treatment.held_back.items() if is_for_review(code)),
            list(record.right_treatment.held_back),
            entry_hash,
            closed_at,
            record.exchange_id,
        ),
    )


def begin_acknowledgement(
    conn: Connection, exchange_id: str, delivered_at: datetime, due_at: datetime, escalate_at: datetime
) -> None:
    """Start to wait for the principal's acknowledgement, once."""
    conn.execute(
        """insert into acknowledgement (exchange_id, delivered_at, due_at, escalate_at) values (%s, %s, %s, %s)
           on conflict do nothing""",
        (exchange_id, delivered_at, due_at, escalate_at),
    )


def insert_result_days(conn: Connection, exchange_id: str, days: Mapping[str, int]) -> None:
    """Note which Brussels days the contacts of accepted results fall on."""
    with conn.cursor() as cursor:
        cursor.executemany(
            "insert into result_day (exchange_id, day, rows) values (%s, %s, %s) on conflict do nothing",
            [(exchange_id, day, rows) for day, rows in days.items()],
        )


def insert_inputs(conn: Connection, exchange_id: str, inputs: Sequence[InputLine]) -> None:
    """Note which exchanges this one was made of. For a return they were noted when it was opened."""
    if inputs:
        conn.execute(
            """insert into return_input (exchange_id, input_id, kind)
               select %s, e.exchange_id, i.kind from unnest(%s::uuid[], %s::text[]) i (input_id, kind)
               join exchange e on e.exchange_id = i.input_id on conflict do nothing""",
            (exchange_id, [each.exchange_id for each in inputs], [each.kind for each in inputs]),
        )


def mark_receipted(conn: Connection, exchange_id: ExchangeId) -> None:
    """Note that the receipt lies where the principal finds it: from now on the data is visible."""
    conn.execute("update exchange set receipt_at = coalesce(receipt_at, now()) where exchange_id = %s", (exchange_id,))


def get_opened(conn: Connection, exchange_id: str) -> Opened:
    """One exchange as it was opened, whether it is closed by now or not. Raises NotFound."""
    row = conn.execute(f"select {WITH_PAPERS} from exchange where exchange_id = %s", (exchange_id,)).fetchone()
    if row is None:
        raise NotFound(Ref("exchange", exchange_id))
    return opened_of(row)


def opened_of(row: dict[str, Any]) -> Opened:
    """Turn one row of COLUMNS, or of WITH_PAPERS, into an exchange."""
    return Opened(
        exchange_id=ExchangeId(str(row["exchange_id"])),
        principal=Principal(row["principal"]),
        direction=Direction(row["direction"]),
        flow=Flow(row["flow"]),
        bucket=row["bucket"],
        key=row["key"],
        version_id=row["version_id"],
        size_bytes=row["size_bytes"],
        chain=row["chain"],
        opened_at=row["opened_at"],
        attempts=row["attempts"],
        day=row["day"],
        arrived_at=row["arrived_at"],
        resumed_at=row.get("resumed_at"),
    )


def find_ages(conn: Connection, exchange_ids: Collection[str]) -> dict[str, Age]:
    """How old the content of these exchanges is, by id.

    Held rows that came back are as old as the file that they came in, not as the decision that let them go.
    """
    rows = conn.execute(
        f"""select back.id as wanted, said.* from
                (select x.exchange_id::text as id, coalesce(v.exchange_id, x.exchange_id) as said_by
                 from exchange x left join review v on v.bucket = x.bucket and v.key = x.key
                 where x.exchange_id = any(%s::uuid[])) back
            join (select {COLUMNS} from exchange) said on said.exchange_id = back.said_by""",
        (list(exchange_ids),),
    ).fetchall()
    return {ExchangeId(row["wanted"]): opened_of(row).age for row in rows}


def has_references(conn: Connection, principal: Principal) -> bool:
    """Whether references of this principal's persons were ever made and kept, so that their key must exist."""
    row = conn.execute(
        """select exists (select from suppression_run where principal = %(principal)s)
               or exists (select from copy join exchange using (exchange_id)
                   where principal = %(principal)s and kind in ('lake', 'index', 'index.rest')) as has""",
        {"principal": principal},
    ).fetchone()
    return bool(row and row["has"])
