"""Pages of cases: the list with clocks and the next step in words, and a whole case with the forms of the desk."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from sluice.db import Connection
from sluice.exchange.read import pick_principals
from sluice.rights.case.clock import extension_latest, received_on
from sluice.rights.case.desk_store import find_by_hand, find_planned, find_restricted
from sluice.rights.case.due import is_answered
from sluice.rights.case.history import Step
from sluice.rights.case.model import ACTIONS, Action, Case, CaseId, Right, State, SubCase
from sluice.rights.case.next_step import NextStep, desk_may, letters_to_post, open_to_decide, step_of, step_of_part
from sluice.rights.case.reasons import DELAYS, DOUBTS, REFUSALS, Ground, short
from sluice.rights.case.store import CaseFilter, get_case, is_tidied, list_by_last_day, list_cases, list_steps
from sluice.rights.notices.notice_store import list_notices
from sluice.web.access import CaseReader, HandlesCases
from sluice.web.cursor import cursor_of, cursor_of_day, place_by_day, place_of
from sluice.web.pages.asked import Named, Unless
from sluice.web.pages.clocks import Clock, clock_of, strip_of
from sluice.web.pages.forms import Token
from sluice.web.pages.letters import kinds_to_write
from sluice.web.pages.plans import waiting_plans
from sluice.web.pages.view import Done, render
from sluice.web.reading import reading

if TYPE_CHECKING:
    from sluice.rights.lifting import Standing

router = APIRouter(prefix="/cases")
PARAMETERS = frozenset({"right", "state", "principal", "open", "ours", "sort", "cursor"})
ON_A_PAGE = 25
NOTICES = 200
"""The most notices of one case that are shown, newest first."""


class Sort(StrEnum):
    """The order of the list. Newest first if none is named."""

    DUE = "due"


@router.get("")
def list_(
    request: Request,
    reader: CaseReader,
    handles: HandlesCases,
    right: Annotated[Right | None, Unless] = None,
    state: Annotated[State | None, Unless] = None,
    principal: Annotated[Named | None, Unless] = None,
    open: bool = True,
    ours: bool = False,
    sort: Annotated[Sort | None, Unless] = None,
    cursor: Annotated[str | None, Query(max_length=300)] = None,
) -> Response:
    """A page of the list."""
    today = received_on(datetime.now(UTC))
    wanted = CaseFilter(right=right, state=state, principal=principal, only_open=open, only_ours=ours)
    with reading() as conn:
        page, further = _page(conn, wanted, sort, cursor)
        lines = [(case, _clock(case, today), step) for case, step in with_steps(conn, page)]
        principals = pick_principals(conn)
        strip = strip_of(conn, today)
    return render(
        request,
        "cases.html",
        "cases",
        lines=lines,
        wanted={
            "right": right,
            "state": state,
            "principal": principal,
            "open": str(open).lower(),
            "ours": "true" if ours else None,
            "sort": sort,
        },
        rights=list(Right),
        states=list(State),
        principals=principals,
        strip=strip,
        further=further,
        may=handles,
    )


def _page(conn: Connection, wanted: CaseFilter, sort: Sort | None, cursor: str | None) -> tuple[list[Case], str | None]:
    """Return the cases of one page, and where the next page begins."""
    limit = ON_A_PAGE + 1
    if sort is Sort.DUE:
        by_day = list_by_last_day(conn, wanted, limit=limit, after=place_by_day(cursor) if cursor else None)
        found, days = [case for case, _ in by_day], [day for _, day in by_day]
    else:
        found = list_cases(conn, wanted, limit=limit, after=place_of(cursor) if cursor else None)
    page = found[:ON_A_PAGE]
    if len(found) <= ON_A_PAGE:
        return page, None
    last = (page[-1].opened_at, page[-1].case_id)
    return page, cursor_of_day(days[ON_A_PAGE - 1], *last) if sort is Sort.DUE else cursor_of(*last)


@router.get("/{case_id}")
def show(
    request: Request, reader: CaseReader, handles: HandlesCases, token: Token, case_id: UUID, done: Done = None
) -> Response:
    """One case: its clocks, its parts, every step, what was written to whom, and what can be done now."""
    from sluice.rights.case.steps import paused_clock

    now = datetime.now(UTC)
    today = received_on(now)
    number = CaseId(str(case_id))
    with reading() as conn:
        case, steps = get_case(conn, number), list_steps(conn, number)
        notices = list_notices(conn, case_id=number, limit=NOTICES + 1)
        strip = strip_of(conn, today)
        plans = waiting_plans(conn, case, steps, reader.name)
        restricted = find_restricted(conn, [number]).get(number, frozenset())
        by_hand = find_by_hand(conn, [number]).get(number, frozenset())
        is_gone = is_tidied(conn, number)
        restriction = _restriction(conn, case, now) if handles else None
    planned = frozenset(each.stored.plan.principal for each in plans)
    return render(
        request,
        "case.html",
        "cases",
        strip=strip,
        case=case,
        clock=_clock(case, today),
        paused=paused_clock(case, steps),
        extension_latest=extension_latest(case.due),
        next_step=step_of(case, planned, restricted, by_hand),
        to_post=letters_to_post(case),
        parts=_parts(case, planned, restricted, by_hand),
        steps=[(step, _part_number(case, step)) for step in steps],
        notices=notices[:NOTICES],
        more_notices=len(notices) > NOTICES,
        plans=plans,
        choices=_choices(case, today) if handles else {},
        kinds=kinds_to_write(case) if handles and not is_gone else [],
        is_gone=is_gone,
        restriction=restriction,
        may=handles,
        token=token,
        done=done,
    )


def _parts(
    case: Case, planned: frozenset[str], restricted: frozenset[str], by_hand: frozenset[str]
) -> list[tuple[SubCase, NextStep]]:
    """Pair each part with its next step."""
    return [
        (part, step_of_part(case, part, part.principal in planned, part.principal in restricted, by_hand))
        for part in case.sub_cases
    ]


def _restriction(conn: Connection, case: Case, now: datetime) -> "Standing | None":
    """Return the restriction that stands, and what has to come before its end."""
    if all(part.action is not Action.RESTRICT for part in case.sub_cases):
        return None
    from sluice.rights.lifting import find_standing

    return find_standing(conn, case, now)


def _choices(case: Case, today: date) -> dict[str, Any]:
    """Return what the desk may do now, and the choices in its forms."""
    parts = open_to_decide(case)
    groups = list(dict.fromkeys(group for part in parts for group in part.field_names))
    return {
        "acts": desk_may(case, today),
        "parts": parts,
        "groups": groups,
        "actions": sorted(ACTIONS[case.right] - {Action.REFUSE}),
        "refusals": sorted(map(short, REFUSALS[case.right])),
        "delays": sorted(map(short, DELAYS)),
        "doubts": sorted(map(short, DOUBTS)),
        "grounds": list(Ground) if case.right is Right.ERASURE else [],
    }


def _clock(case: Case, today: date) -> Clock | None:
    """Return the strict clock; None once every part has its answer."""
    if case.state.is_over or is_answered(case):
        return None
    return clock_of(case.due.received, case.last_day, today)


def with_steps(conn: Connection, cases: Sequence[Case]) -> list[tuple[Case, NextStep]]:
    """Pair each case with its next step, reading all of them at once."""
    named, none = [case.case_id for case in cases], frozenset[str]()
    found = (find_planned(conn, named), find_restricted(conn, named), find_by_hand(conn, named))
    return [(case, step_of(case, *(each.get(case.case_id, none) for each in found))) for case in cases]


def _part_number(case: Case, step: Step) -> int | None:
    """Return the number of the part, counted as on the page."""
    numbers = {part.sub_case_id: place for place, part in enumerate(case.sub_cases, 1)}
    return numbers.get(step.sub_case_id) if step.sub_case_id else None
