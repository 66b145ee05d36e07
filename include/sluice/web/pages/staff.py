"""Staff readiness: who may handle contacts at a moment, until when, or why not; by reference, never by name."""

from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from sluice.staff.facts import default_minimum
from sluice.staff.standing import SOON, State, in_order
from sluice.staff.store import read_codes, read_standings
from sluice.times import brussels_day
from sluice.web.access import StaffReader
from sluice.web.pages.asked import AsOf, KnownAt, Unless, field_of
from sluice.web.pages.view import render
from sluice.web.reading import reading

router = APIRouter(prefix="/staff")
PARAMETERS = frozenset({"as_of", "known_at", "state", "page"})
ON_A_PAGE = 50


@router.get("")
def list_(
    request: Request,
    reader: StaffReader,
    at: AsOf,
    known_at: KnownAt,
    state: Annotated[State | None, Unless, Query()] = None,
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Response:
    """Agents as they stand at a moment: first who is not ready, then who will not be soon."""
    minimum = default_minimum(brussels_day(at))
    with reading() as conn:
        standings = read_standings(conn, at, minimum, known_at)
        codes = read_codes(conn, known_at)
    found = in_order(standings, at)
    wanted = [pair for pair in found if state in (None, pair[0])]
    shown = wanted[(page - 1) * ON_A_PAGE : page * ON_A_PAGE]
    current = [code for code in codes if code.current_from <= at]
    asked = {name: request.query_params.get(name) for name in ("as_of", "known_at", "state")}
    return render(
        request,
        "staff.html",
        "staff",
        people=shown,
        counts=Counter(kind for kind, _ in found),
        reasons=Counter(reason for _, each in found for reason in each.readiness.reasons).most_common(),
        states=list(State),
        state=state,
        minimum=minimum,
        code=max(current, key=lambda code: code.current_from, default=None),
        days=SOON.days,
        page=page,
        has_more=len(wanted) > page * ON_A_PAGE,
        asked=asked,
        at=at,
        as_of=field_of(request, "as_of", at),
        known_at=field_of(request, "known_at", known_at),
    )
