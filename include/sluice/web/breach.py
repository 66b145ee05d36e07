"""A breach slice over HTTP: who is affected, and who must be told by whom and when. A read: nothing is recorded.

What an agent wrote, or what lies at an address, is asked for in a body: what may name a person stands in no address.
"""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from sluice.breach.model import Risk
from sluice.settings import get_settings
from sluice.web.access import BreachDesk
from sluice.web.asked import check_window
from sluice.web.cases import WRITING
from sluice.web.problem import problems
from sluice.web.read_model import AgentBreach, Instant, ObjectBreach, SliceShown

router = APIRouter(prefix="/breach", tags=["breach"])


@router.get("/exchanges/{exchange_id}", response_model=SliceShown, responses=problems(404, 409))
def by_exchange(
    exchange_id: UUID,
    desk: BreachDesk,
    aware: Annotated[Instant | None, Query(description="When we became aware, not to come; now by default.")] = None,
    risk: Annotated[Risk, Query(description="What was decided of the risk to persons.")] = Risk.UNDECIDED,
) -> dict[str, Any]:
    """Slice by exchange: everybody in the data of one."""
    from sluice.breach.describe import describe
    from sluice.breach.make import slice_exchange
    from sluice.exchange.house import open_house

    with open_house(get_settings()) as house:
        return describe(slice_exchange(house, str(exchange_id), aware or datetime.now(UTC), risk))


@router.post("/objects", response_model=SliceShown, responses=problems(*WRITING))
def by_object(body: ObjectBreach, desk: BreachDesk) -> dict[str, Any]:
    """Slice by object: everybody in what lies at an address. `409` where that is nobody."""
    from sluice.breach.describe import describe
    from sluice.breach.make import slice_object
    from sluice.exchange.house import open_house

    with open_house(get_settings()) as house:
        return describe(slice_object(house, body.object, body.aware or datetime.now(UTC), body.risk))


@router.post("/agents", response_model=SliceShown, responses=problems(*WRITING))
def by_agent(body: AgentBreach, desk: BreachDesk) -> dict[str, Any]:
    """Slice by agent or account, and a window: everybody in what was written then. `409` where that is nobody.

    `422` for a window that does not end after it begins.
    """
    from sluice.breach.describe import describe
    from sluice.breach.make import slice_agent
    from sluice.exchange.house import open_house

    check_window("body", body.since, body.until)
    aware_at = body.aware or datetime.now(UTC)
    with open_house(get_settings()) as house:
        return describe(slice_agent(house, body.agent, body.since, body.until, aware_at, body.risk))
