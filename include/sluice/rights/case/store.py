"""Cases in PostgreSQL: all SQL about them is here. Every read returns whole cases; writes happen in a Book."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import Any

from sluice.db import Connection
from sluice.errors import NotFound, Ref
from sluice.exchange.beginning import get_by_beginning
from sluice.rights.case import desk_store, letter_store
from sluice.rights.case.clock import DueDates
from sluice.rights.case.clock_store import LAST_DAY, RUNS, WORDS
from sluice.rights.case.errors import MaterialGone
from sluice.rights.case.history import Step
from sluice.rights.case.model import Action, Case, CaseId, Letter, Right, Role, State, SubCase, SubCaseId, Track
from sluice.terms import Sha256

_CASE = """case_id::text as case_id, "right", state, persons, principal, channel, language, country, opened_at,
    received, nominal_due, legal_due, extended_due, subject_bucket, subject_key, subject_sha256, searched,
    has_failed_identity, is_breached, has_complaint"""
_PART_COLUMNS = tuple(each.name for each in fields(SubCase))
_PART = ", ".join(f"{name}::text as {name}" if name.endswith("case_id") else name for name in _PART_COLUMNS)
_STEP = """case_id::text as case_id, sub_case_id::text as sub_case_id, from_state, to_state, actor_role, actor, at,
    reason_code, evidence_sha256, reasons, remedies_ref, remedies_language"""

_WANTED = f"""(%(principal)s::text is null
                   or exists (select 1 from sub_case s where s.case_id = c.case_id and s.principal = %(principal)s))
              and (%(state)s::text is null or c.state = %(state)s
                   or exists (select 1 from sub_case s where s.case_id = c.case_id and s.state = %(state)s))
              and (%(right)s::text is null or c."right" = %(right)s)
              and (not %(only_open)s or c.state not in ('CLOSED', 'WITHDRAWN_BY_SUBJECT'))
              and (not %(only_ours)s or {desk_store.OURS})"""
NO_CLOCK = date.max
"""The last day of a case whose clock no longer runs; it sorts after every other day."""


def insert_case(conn: Connection, case: Case) -> bool:
    """Store a new case with its parts; return False if it is there already."""
    row = conn.execute(
        """insert into subject_case (case_id, "right", state, persons, principal, channel, language, country,
               opened_at, received, nominal_due, legal_due, extended_due, subject_bucket, subject_key,
               subject_sha256, searched)
           values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
           on conflict do nothing returning 1""",
        (
            case.case_id,
            case.right,
            case.state,
            case.persons,
            case.principal,
            case.channel,
            case.language,
            case.country,
            case.opened_at,
            case.due.received,
            case.due.nominal_due,
            case.due.legal_due,
            case.due.extended_due,
            case.subject_bucket,
            case.subject_key,
            case.subject_sha256,
            list(case.searched),
        ),
    ).fetchone()
    if row is None:
        return False
    for part in case.sub_cases:
        _insert_part(conn, part)
    return True


def insert_parts(conn: Connection, case: Case) -> None:
    """Store new parts of a case, and the sealed request that it is about from now on. The case must be locked."""
    conn.execute(
        "update subject_case set subject_key = %s, subject_sha256 = %s, searched = %s where case_id = %s",
        (case.subject_key, case.subject_sha256, list(case.searched), case.case_id),
    )
    for part in case.sub_cases:
        _insert_part(conn, part)


def _insert_part(conn: Connection, part: SubCase) -> None:
    marks = ", ".join(f"%({name})s" for name in _PART_COLUMNS)
    values = {name: _plain(getattr(part, name)) for name in _PART_COLUMNS}
    conn.execute(f"insert into sub_case ({', '.join(_PART_COLUMNS)}) values ({marks})".encode(), values)


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def update_case(conn: Connection, case: Case) -> None:
    """Write what can change in a case: its state and its flags."""
    conn.execute(
        """update subject_case set state = %s, has_failed_identity = %s, is_breached = %s, has_complaint = %s
           where case_id = %s""",
        (case.state, case.has_failed_identity, case.is_breached, case.has_complaint, case.case_id),
    )


def update_part(conn: Connection, part: SubCase) -> None:
    """Write what can change in a part."""
    conn.execute(
        """update sub_case set state = %s, forwarded_at = %s, reminders = %s, told_at = %s, extended_at = %s,
               answered_at = %s, action = %s, action_fields = %s
           where sub_case_id = %s""",
        (
            part.state,
            part.forwarded_at,
            part.reminders,
            part.told_at,
            part.extended_at,
            part.answered_at,
            part.action,
            list(part.action_fields),
            part.sub_case_id,
        ),
    )


def insert_step(conn: Connection, step: Step) -> None:
    """Add one line to the history; nobody can change or remove it."""
    conn.execute(
        """insert into case_transition (case_id, sub_case_id, from_state, to_state, actor_role, actor, at,
               reason_code, evidence_sha256, reasons, remedies_ref, remedies_language)
           values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        (
            step.case_id,
            step.sub_case_id,
            step.from_state,
            step.to_state,
            step.actor_role,
            step.actor,
            step.at,
            step.reason_code,
            step.evidence_sha256,
            json.dumps(dict(step.reasons)),
            step.remedies_ref,
            step.remedies_language,
        ),
    )


def lock_case(conn: Connection, case_id: CaseId) -> Case:
    """Return the case and lock it until the transaction ends. Raises NotFound."""
    row = conn.execute("select 1 from subject_case where case_id = %s for update", (case_id,)).fetchone()
    if row is None:
        raise NotFound(Ref("case", case_id))
    return get_case(conn, case_id)


def get_case(conn: Connection, case_id: CaseId) -> Case:
    """The case as it stands. Raises NotFound."""
    found = find_cases(conn, [case_id])
    if not found:
        raise NotFound(Ref("case", case_id))
    return found[0]


def find_cases(conn: Connection, case_ids: Sequence[str]) -> list[Case]:
    """Those of these cases that exist, oldest first."""
    rows = conn.execute(
        f"select {_CASE} from subject_case where case_id = any(%s::uuid[]) order by opened_at, case_id".encode(),
        (list(case_ids),),
    ).fetchall()
    return _whole(conn, rows)


def find_beginning(conn: Connection, beginning: str) -> CaseId:
    """The one case whose number begins with this. Raises NotFound, Ambiguous."""
    return CaseId(get_by_beginning(conn, "case", beginning, "select case_id as id from subject_case"))


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases to list. ``principal``: that has a part; ``state``: of the case or of one of its parts.

    ``only_ours``: only those that wait for a person of the center.
    """

    right: Right | None = None
    principal: str | None = None
    state: str | None = None
    only_open: bool = False
    only_ours: bool = False


ALL = CaseFilter()


def list_open_cases(conn: Connection, right: Right | None = None) -> list[Case]:
    """Every case that is not over, however many, newest first."""
    return list_cases(conn, CaseFilter(right=right, only_open=True), limit=None)


def list_cases(
    conn: Connection, wanted: CaseFilter = ALL, *, limit: int | None = 200, after: tuple[datetime, str] | None = None
) -> list[Case]:
    """Cases, newest first. ``after``: moment of opening and number of the last case of the page before."""
    opened_at, case_id = after or (None, None)
    rows = conn.execute(
        f"""select {_CASE} from subject_case c
            where {_WANTED}
              and (%(opened_at)s::timestamptz is null or c.opened_at < %(opened_at)s
                   or (c.opened_at = %(opened_at)s and c.case_id > %(case_id)s::uuid))
            order by opened_at desc, case_id limit %(limit)s""".encode(),
        {**desk_store.WORDS, **asdict(wanted), "limit": limit, "opened_at": opened_at, "case_id": case_id},
    ).fetchall()
    return _whole(conn, rows)


def list_by_last_day(
    conn: Connection,
    wanted: CaseFilter = ALL,
    *,
    limit: int | None = 200,
    after: tuple[date, datetime, str] | None = None,
) -> list[tuple[Case, date]]:
    """The same cases with their last day, nearest first. Those whose clock does not run come last, with NO_CLOCK.

    after: last day, moment of opening and number of the last case of the page before.
    """
    day, opened_at, case_id = after or (None, None, None)
    rows = conn.execute(
        f"""select {_CASE}, clock_day from subject_case c cross join lateral (
                select case when {RUNS} then {LAST_DAY} else %(no_clock)s::date end as clock_day) d
            where {_WANTED}
              and (%(day)s::date is null
                   or (clock_day, opened_at, case_id) > (%(day)s, %(opened_at)s, %(case_id)s::uuid))
            order by clock_day, opened_at, case_id limit %(limit)s""".encode(),
        {
            **desk_store.WORDS,
            **asdict(wanted),
            **WORDS,
            "no_clock": NO_CLOCK,
            "limit": limit,
            "day": day,
            "opened_at": opened_at,
            "case_id": case_id,
        },
    ).fetchall()
    return list(zip(_whole(conn, rows), (row["clock_day"] for row in rows), strict=True))


def find_protected_at(conn: Connection, case_id: CaseId) -> datetime | None:
    """Since when a case keeps its person out; None if nothing does, because its right needs no protection."""
    row = conn.execute("select min(made_at) as at from suppression_run where case_id = %s", (case_id,)).fetchone()
    return row["at"] if row else None


def find_part(conn: Connection, sub_case_id: str) -> SubCase | None:
    """One part by the number that its principal knows, or None."""
    row = conn.execute(f"select {_PART} from sub_case where sub_case_id = %s".encode(), (sub_case_id,)).fetchone()
    return _part(row) if row else None


def list_steps(conn: Connection, case_id: CaseId) -> list[Step]:
    """Every step of a case and its parts, in the order in which they were taken."""
    rows = conn.execute(
        f"select {_STEP} from case_transition where case_id = %s order by transition_id".encode(), (case_id,)
    ).fetchall()
    return [_step(row) for row in rows]


def find_known(conn: Connection, case_ids: Iterable[str]) -> set[str]:
    """Those of these numbers that are cases."""
    rows = conn.execute(
        "select case_id::text as id from subject_case where case_id = any(%s::uuid[])", (list(case_ids),)
    ).fetchall()
    return {row["id"] for row in rows}


def _whole(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> list[Case]:
    found = conn.execute(
        f"""select {_PART} from sub_case where case_id = any(%s::uuid[])
            order by principal, agreement_id, controller desc""".encode(),
        ([row["case_id"] for row in rows],),
    ).fetchall()
    parts: dict[str, list[SubCase]] = {}
    for each in found:
        parts.setdefault(each["case_id"], []).append(_part(each))
    letters = letter_store.find_letters(conn, [row["case_id"] for row in rows])
    return [_case(row, parts.get(row["case_id"], []), letters.get(row["case_id"], ())) for row in rows]


def _case(row: Mapping[str, Any], parts: Sequence[SubCase], letters: tuple[Letter, ...]) -> Case:
    return Case(
        case_id=CaseId(row["case_id"]),
        right=Right(row["right"]),
        state=State(row["state"]),
        persons=row["persons"],
        principal=row["principal"],
        channel=row["channel"],
        language=row["language"],
        country=row["country"],
        opened_at=row["opened_at"],
        due=DueDates(row["received"], row["nominal_due"], row["legal_due"], row["extended_due"]),
        subject_bucket=row["subject_bucket"],
        subject_key=row["subject_key"],
        subject_sha256=Sha256(row["subject_sha256"]),
        searched=tuple(row["searched"]),
        has_failed_identity=row["has_failed_identity"],
        is_breached=row["is_breached"],
        has_complaint=row["has_complaint"],
        sub_cases=tuple(parts),
        letters=letters,
    )


def _part(row: Mapping[str, Any]) -> SubCase:
    return SubCase(
        **{
            **row,
            "sub_case_id": SubCaseId(row["sub_case_id"]),
            "case_id": CaseId(row["case_id"]),
            "track": Track(row["track"]),
            "state": State(row["state"]),
            "field_groups": tuple(row["field_groups"]),
            "action": Action(row["action"]) if row["action"] else None,
            "action_fields": tuple(row["action_fields"]),
            "identifiers": None if row["identifiers"] is None else tuple(row["identifiers"]),
        }
    )


def _step(row: Mapping[str, Any]) -> Step:
    return Step(
        **{
            **row,
            "from_state": State(row["from_state"]) if row["from_state"] else None,
            "to_state": State(row["to_state"]),
            "actor_role": Role(row["actor_role"]),
        }
    )


def find_agreement_bodies(conn: Connection, on: date, known_at: datetime) -> list[tuple[str, bytes, str, bool]]:
    """Per principal, the agreements in force on a date, or else the last one that was.

    Each is its principal, body, path, and whether it is in force.
    """
    rows = conn.execute(
        """select d.principal, d.body, d.path, a.valid_to is null or a.valid_to >= %(on)s as is_in_force
           from activation a join document d using (sha256)
           where a.kind = 'agreement' and a.known_from <= %(known_at)s
             and (a.known_to is null or %(known_at)s < a.known_to) and a.valid_from <= %(on)s
           order by d.principal, is_in_force desc, a.valid_from desc, a.document_id""",
        {"on": on, "known_at": known_at},
    ).fetchall()
    found: dict[str, list[tuple[str, bytes, str, bool]]] = {}
    for row in rows:
        held = found.setdefault(row["principal"], [])
        if row["is_in_force"] or not held:
            held.append((row["principal"], bytes(row["body"]), row["path"], row["is_in_force"]))
    return [each for held in found.values() for each in held]


def is_tidied(conn: Connection, case_id: CaseId) -> bool:
    """Whether the sealed material of a case is gone, or is being removed."""
    return conn.execute("select 1 from case_tidied where case_id = %s", (case_id,)).fetchone() is not None


def check_not_tidied(conn: Connection, case_id: CaseId) -> None:
    """Raise MaterialGone if the sealed material of a case is gone, or is being removed."""
    if is_tidied(conn, case_id):
        raise MaterialGone(Ref("case", case_id))
