"""Staff readiness over HTTP: who may handle contacts at a moment, until when, or why not; never by name."""

from collections import Counter
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query

from sluice.staff.standing import State, in_order
from sluice.times import brussels_day
from sluice.web.access import StaffReader
from sluice.web.asked import known_when
from sluice.web.cases import LARGEST_PAGE
from sluice.web.read_model import Instant
from sluice.web.reading import reading
from sluice.web.work_model import StaffPage

router = APIRouter(prefix="/staff", tags=["staff"])


@router.get("", response_model=StaffPage)
def list_(
    reader: StaffReader,
    moment: Annotated[Instant | None, Query(description="How they stand then; now by default.")] = None,
    known_at: Annotated[Instant | None, Query(description="As it was recorded then; now by default.")] = None,
    readiness: Annotated[State | None, Query(description="Only those who stand so.")] = None,
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = 50,
    page: Annotated[int, Query(ge=1, le=100_000, description="`next_page` of the page before.")] = 1,
) -> dict[str, Any]:
    """List agents: first who is not ready, then who will not be within 30 days."""
    from sluice.staff.facts import default_minimum
    from sluice.staff.store import read_standings

    now = datetime.now(UTC)
    at, known = (moment or now).astimezone(UTC), known_when(known_at, now)
    minimum = default_minimum(brussels_day(at))
    with reading() as conn:
        found = in_order(read_standings(conn, at, minimum, known), at)
    wanted = [pair for pair in found if readiness in (None, pair[0])]
    counts = Counter(state for state, _ in found)
    return {
        "moment": at,
        "known_at": known,
        "minimum": str(minimum),
        "counts": {state: counts[state] for state in State},
        "people": [
            {
                "agent_ref": each.agent_ref,
                "readiness": state,
                "valid_until": each.readiness.valid_until,
                "reasons": each.readiness.reasons,
            }
            for state, each in wanted[(page - 1) * limit : page * limit]
        ],
        "next_page": page + 1 if len(wanted) > page * limit else None,
    }
