"""A breach slice over HTTP: who is affected, and who must be told by whom and when. A read: nothing is recorded.

What an agent wrote is asked for in a body: a reference of a person, even a keyed one, stands in no address.
"""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from sluice.breach.model import Risk
from sluice.settings import get_settings
from sluice.web.access import BreachDesk
from sluice.web.cases import WRITING
from sluice.web.problem import problems
from sluice.web.read_model import Instant, SliceRequest, SliceShown

router = APIRouter(prefix="/breach", tags=["breach"])


@router.get("/exchanges/{exchange_id}", response_model=SliceShown, responses=problems(404, 409))
def by_exchange(
    exchange_id: UUID,
    desk: BreachDesk,
    aware: Annotated[Instant | None, Query(description="When we became aware; now by default.")] = None,
    risk: Annotated[Risk, Query(description="What was decided of the risk to persons.")] = Risk.UNDECIDED,
) -> dict[str, Any]:
    """Slice by exchange: everybody in the data of one."""
    from sluice.breach.describe import describe
    from sluice.breach.make import slice_exchange
    from sluice.exchange.house import open_house

    with open_house(get_settings()) as house:
        return describe(slice_exchange(house, str(exchange_id), aware or datetime.now(UTC), risk))


@router.post("/slices", response_model=SliceShown, responses=problems(*WRITING))
def by_window(body: SliceRequest, desk: BreachDesk) -> dict[str, Any]:
    """Slice by object, or by an agent or account and a window. `409` where that holds nobody."""
    from sluice.breach.describe import describe
    from sluice.breach.make import slice_agent, slice_object
    from sluice.exchange.house import open_house

    aware_at = body.aware or datetime.now(UTC)
    with open_house(get_settings()) as house:
        if body.agent and body.since and body.until:
            return describe(slice_agent(house, body.agent, body.since, body.until, aware_at, body.risk))
        return describe(slice_object(house, body.object or "", aware_at, body.risk))
