"""The legal clock over HTTP: when a request of a person must be answered."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query

from sluice.rights.case.clock import due_dates, received_on
from sluice.rights.case.facts import clock_parameters
from sluice.web.access import CaseReader
from sluice.web.read_model import DayOrMoment, DueShown

router = APIRouter(prefix="/clock", tags=["clock"])


@router.get("/due", response_model=DueShown)
def due(
    reader: CaseReader,
    received: Annotated[DayOrMoment, Query(description="Brussels date, or moment with its zone, of receipt.")],
    country: Annotated[str, Query(pattern="^[A-Z]{2}$", description="The controller's, in the EEA.")] = "BE",
) -> dict[str, Any]:
    """Compute the last days, inclusive, to answer a request."""
    day = received_on(received) if isinstance(received, datetime) else received
    return asdict(due_dates(day, country, clock_parameters(day)))
