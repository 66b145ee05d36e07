"""SQL about the control of erasures: plans and their release, runs and their outcomes, stops, locks."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from psycopg.types.json import Jsonb

from sluice.db import Connection, transaction
from sluice.errors import Ref
from sluice.locks import About, is_held_by_another, lock_until_commit, try_hold
from sluice.rights.case.model import CaseId
from sluice.rights.erasure.model import DecidedThen, ErasureBusy, RunEnd
from sluice.rights.erasure.plan import Plan, StoredPlan, read_plan
from sluice.terms import Principal

ABANDONED_AFTER = timedelta(minutes=30)
"""A run that has not ended and was not seen at work for this long counts as failed."""
_TAKEN_BACK = """(outcome is distinct from 'clean' and exists (select from subject_case c
    where c.case_id = erasure_run.case_id and c.state = 'WITHDRAWN_BY_SUBJECT'))"""
_PLAN = "plan_id::text as plan_id, content, made_at, made_by, released_at, released_by"
_UNRELEASED = """(ended_at is null and released_at is null and not exists (select from subject_case c
    where c.case_id = erasure_plan.case_id and c.state in ('CLOSED', 'WITHDRAWN_BY_SUBJECT')))"""
_IN_ERROR = """(outcome in ('residue', 'doubts', 'failed')
    or (ended_at is null and seen_at < now() - %(abandoned)s))"""


@dataclass(frozen=True, slots=True)
class Run:
    """The last run of one case. ``outcome``: None until it has ended. ``error``: the code it ended with.

    ``kept_out_at``: the principals at which it keeps the persons out, so that it may erase there.
    """

    case_id: CaseId
    begun_at: datetime
    ended_at: datetime | None
    outcome: RunEnd | None
    error: str | None
    waiting: int
    decided: Mapping[Principal, DecidedThen]
    """By principal where the run left nothing to do until somebody decides: what was decided then."""
    is_in_error: bool
    kept_out_at: frozenset[str]


@dataclass(frozen=True, slots=True)
class WaitingPlan:
    """A plan that waits for its release, without its content."""

    case_id: CaseId
    principal: str
    sha256: str
    made_at: datetime
    made_by: str


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop in effect. ``case_id`` None: it stops every erasure."""

    case_id: CaseId | None
    reason: str
    stopped_at: datetime
    stopped_by: str


def find_plans(conn: Connection, case_id: CaseId | None = None) -> list[StoredPlan]:
    """Return the plans that were not ended, of one case or of all."""
    rows = conn.execute(
        f"""select {_PLAN} from erasure_plan where ended_at is null and (%(case)s::uuid is null or case_id = %(case)s)
            order by made_at, principal""".encode(),
        {"case": case_id},
    ).fetchall()
    return [_plan(row) for row in rows]


def find_plan(conn: Connection, case_id: CaseId, principal: Principal) -> StoredPlan | None:
    """Return the plan of a case at one principal that was not ended."""
    return next((plan for plan in find_plans(conn, case_id) if plan.plan.principal == principal), None)


def find_unreleased(conn: Connection, limit: int) -> list[WaitingPlan]:
    """Return the plans that wait for a second person, oldest first."""
    rows = conn.execute(
        f"""select case_id::text as case_id, principal, sha256, made_at, made_by from erasure_plan
           where {_UNRELEASED} order by made_at, plan_id limit %s""".encode(),
        (limit,),
    ).fetchall()
    return [WaitingPlan(**{**row, "case_id": CaseId(row["case_id"])}) for row in rows]


def count_unreleased(conn: Connection) -> int:
    """Count the plans that wait for a second person."""
    row = conn.execute(f"select count(*) as n from erasure_plan where {_UNRELEASED}".encode()).fetchone()
    return int(row["n"]) if row else 0


def insert_plan(conn: Connection, plan: Plan, made_at: datetime, made_by: str) -> StoredPlan:
    """Store a plan. Call inside the transaction that ends its predecessor."""
    stored = StoredPlan(str(uuid4()), plan, made_at, made_by)
    conn.execute(
        """insert into erasure_plan (plan_id, case_id, principal, content, sha256, made_at, made_by)
           values (%s, %s, %s, %s, %s, %s, %s)""",
        (stored.plan_id, plan.case_id, plan.principal, plan.content, plan.sha256, made_at, made_by),
    )
    return stored


def mark_released(conn: Connection, plan_id: str, by: str, at: datetime) -> None:
    """Note that a second person released a plan. The database refuses the person who made it."""
    conn.execute(
        "update erasure_plan set released_at = %s, released_by = %s where plan_id = %s and released_at is null",
        (at, by, plan_id),
    )


def end_plan(conn: Connection, plan_id: str, ended_as: str, at: datetime) -> bool:
    """End a plan that is replaced (``superseded``) or does not fit any more (``outdated``). False if it had ended."""
    row = conn.execute(
        """update erasure_plan set ended_at = %s, ended_as = %s where plan_id = %s and ended_at is null
           returning 1""",
        (at, ended_as, plan_id),
    ).fetchone()
    return row is not None


def _plan(row: dict[str, Any]) -> StoredPlan:
    plan = read_plan(bytes(row["content"]))
    return StoredPlan(row["plan_id"], plan, row["made_at"], row["made_by"], row["released_at"], row["released_by"])


def begin_run(conn: Connection, case_id: CaseId, *, anew: bool = False) -> None:
    """Continue a run that ended or died; ``anew``: begin one, which has begun nowhere yet.

    Waits for transactions that called :func:`let_none_begin`.
    """
    with transaction(conn):
        lock_until_commit(conn, About.ERASURES, "")
        conn.execute(
            """insert into erasure_run as r (case_id, begun_at, seen_at) values (%s, now(), now())
               on conflict (case_id) do update set begun_at = now(), seen_at = now(), ended_at = null, outcome = null,
                   error = null, decided = '{}', begun = case when %s then '{}' else r.begun end""",
            (case_id, anew),
        )


def note_kept_out(conn: Connection, case_id: CaseId, principal: Principal) -> None:
    """Note that the run keeps the persons out at a principal, so that it may erase there."""
    conn.execute(
        "update erasure_run set begun = array_append(array_remove(begun, %(principal)s), %(principal)s) "
        "where case_id = %(case)s",
        {"principal": principal, "case": case_id},
    )


def let_none_begin(conn: Connection) -> None:
    """Let no erasure begin until this transaction ends. Every later one then sees what the transaction commits."""
    lock_until_commit(conn, About.ERASURES, "", shared=True)


def touch(conn: Connection, case_id: CaseId) -> bool:
    """Note that the run is at work, and return whether it may go on.

    It may unless it or all erasures were stopped, or the person took the request back.
    """
    row = conn.execute(
        f"""update erasure_run set seen_at = now() where case_id = %(case)s
           returning not {_TAKEN_BACK} and not exists (select from erasure_stop s where s.resumed_at is null
               and (s.case_id is null or s.case_id = %(case)s)) as goes_on""".encode(),
        {"case": case_id},
    ).fetchone()
    return bool(row and row["goes_on"])


def drop_error(conn: Connection, case_id: CaseId, code: str) -> None:
    """Note that an erasure does not wait any more for what this code says."""
    conn.execute(
        "update erasure_run set error = null where case_id = %s and error = %s and ended_at is not null",
        (case_id, code),
    )


def note_waiting(conn: Connection, case_id: CaseId, waiting: int) -> None:
    """Note how many exchanges were under way when the run last looked."""
    conn.execute("update erasure_run set waiting = %s, seen_at = now() where case_id = %s", (waiting, case_id))


def end_run(
    conn: Connection,
    case_id: CaseId,
    outcome: RunEnd,
    error: str | None = None,
    decided: Mapping[Principal, DecidedThen] | None = None,
) -> None:
    """Note how the run ended, if one was begun.

    ``decided``: what was decided, by principal where nothing is left to do until somebody decides.
    """
    said = {name: {"decision": then.decision, "causes": sorted(then.causes)} for name, then in (decided or {}).items()}
    conn.execute(
        """update erasure_run set ended_at = now(), seen_at = now(), outcome = %s, error = %s, decided = %s
           where case_id = %s""",
        (outcome.value, error, Jsonb(said), case_id),
    )


def find_runs(conn: Connection, case_id: CaseId | None = None) -> list[Run]:
    """Return the last run of every case that had one, or of one case, newest first."""
    rows = conn.execute(
        f"""select case_id::text as case_id, begun_at, ended_at, error, waiting, decided, begun as kept_out_at,
                case when {_TAKEN_BACK} then %(withdrawn)s else outcome end as outcome,
                coalesce({_IN_ERROR}, false) and not {_TAKEN_BACK} as is_in_error
            from erasure_run where %(case)s::uuid is null or case_id = %(case)s
            order by begun_at desc, case_id""".encode(),
        {"abandoned": ABANDONED_AFTER, "withdrawn": RunEnd.WITHDRAWN.value, "case": case_id},
    ).fetchall()
    return [_run(row) for row in rows]


def _run(row: dict[str, Any]) -> Run:
    read = {
        "case_id": CaseId(row["case_id"]),
        "outcome": RunEnd(row["outcome"]) if row["outcome"] else None,
        "decided": {
            Principal(name): DecidedThen(said["decision"], frozenset(said["causes"]))
            for name, said in row["decided"].items()
        },
        "kept_out_at": frozenset(row["kept_out_at"]),
    }
    return Run(**{**row, **read})


def find_run(conn: Connection, case_id: CaseId) -> Run | None:
    """Return the last run of a case, or None if its erasure has not begun."""
    return next(iter(find_runs(conn, case_id)), None)


def find_ran(conn: Connection, principals: Sequence[str], since: datetime) -> CaseId | None:
    """Return a case whose erasure at one of these principals has not ended, or ended at ``since`` or later, or None."""
    row = conn.execute(
        f"""select case_id::text as id from erasure_run
           where (ended_at >= %(since)s
                  or (ended_at is null and not ({_TAKEN_BACK} and seen_at < now() - %(abandoned)s)))
             and exists (select from sub_case s where s.case_id = erasure_run.case_id and s.principal = any(%(at)s))
           order by begun_at limit 1""".encode(),
        {"since": since, "at": list(principals), "abandoned": ABANDONED_AFTER},
    ).fetchone()
    return CaseId(row["id"]) if row else None


def find_erring(conn: Connection) -> list[CaseId]:
    """Return the cases whose last run failed or died, and that nobody is running again at the moment."""
    erring = [run.case_id for run in find_runs(conn) if run.is_in_error]
    held = find_held(conn, erring)
    return [case_id for case_id in erring if case_id not in held]


def stop(conn: Connection, case_id: CaseId | None, reason: str, by: str, at: datetime) -> bool:
    """Note a stop. False if there was one already."""
    row = conn.execute(
        """insert into erasure_stop (case_id, reason, stopped_at, stopped_by) values (%s, %s, %s, %s)
           on conflict do nothing returning 1""",
        (case_id, reason, at, by),
    ).fetchone()
    return row is not None


def resume(conn: Connection, case_id: CaseId | None, by: str, at: datetime) -> bool:
    """End a stop. False if there was none."""
    row = conn.execute(
        """update erasure_stop set resumed_at = %s, resumed_by = %s
           where resumed_at is null and case_id is not distinct from %s::uuid returning 1""",
        (at, by, case_id),
    ).fetchone()
    return row is not None


def find_stops(conn: Connection) -> list[Stop]:
    """Return the stops in effect, oldest first."""
    rows = conn.execute(
        """select case_id::text as case_id, reason, stopped_at, stopped_by from erasure_stop
           where resumed_at is null order by stopped_at, stop_id"""
    ).fetchall()
    return [Stop(**{**row, "case_id": CaseId(row["case_id"]) if row["case_id"] else None}) for row in rows]


def is_stopped(conn: Connection, case_id: CaseId) -> bool:
    """Whether this erasure, or every erasure, is stopped."""
    return any(each.case_id in (None, case_id) for each in find_stops(conn))


@contextmanager
def hold_case(conn: Connection, case_id: CaseId, *, shared: bool = False) -> Iterator[None]:
    """Keep others from this erasure while the block runs; with ``shared``, only those who want it exclusively.

    The lock is PostgreSQL's, so it is free as soon as its holder dies. Raises ErasureBusy if it is taken.
    """
    with try_hold(conn, About.CASE, case_id, shared=shared) as got:
        if not got:
            raise ErasureBusy(Ref("case", case_id))
        yield


def find_held(conn: Connection, case_ids: Sequence[CaseId]) -> set[CaseId]:
    """Return the cases that another process is working on now."""
    rows = conn.execute(
        f"select id from unnest(%s::text[]) as id where {is_held_by_another('id', About.CASE)}", (list(case_ids),)
    ).fetchall()
    return {CaseId(row["id"]) for row in rows}
