"""Work that waits for a person, over HTTP: the number of items of each kind, and those that wait longest."""

from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter

from sluice.web.access import CaseReader, Onlooker
from sluice.web.cases import LARGEST_PAGE
from sluice.web.reading import reading
from sluice.web.work_model import WaitingCases, WaitingExchanges

router = APIRouter(prefix="/waiting", tags=["waiting"])


@router.get("/exchanges", response_model=WaitingExchanges)
def exchanges(onlooker: Onlooker) -> dict[str, Any]:
    """Show returns that wait for a second person, those that nobody acknowledged in time, and notes to be read."""
    from sluice.exchange.review import list_open
    from sluice.exchange.review_store import count_open
    from sluice.returns.ack_store import count_overdue, list_overdue
    from sluice.returns.waiting import count_prepared, list_prepared

    now = datetime.now(UTC)
    with reading() as conn:
        return {
            "returns": {"count": count_prepared(conn), "lines": list_prepared(conn, LARGEST_PAGE)},
            "acknowledgements": {"count": count_overdue(conn, now), "lines": list_overdue(conn, now, LARGEST_PAGE)},
            "reviews": {"count": count_open(conn), "lines": list_open(conn, LARGEST_PAGE)},
        }


@router.get("/cases", response_model=WaitingCases)
def cases(reader: CaseReader) -> dict[str, Any]:
    """Show notices to recipients that are late or wait for the desk, and plans that wait for a second person."""
    from sluice.rights.erasure.control_store import count_unreleased, find_unreleased
    from sluice.rights.notices.notice_store import count_late, list_late

    with reading() as conn:
        return {
            "notices": {"count": count_late(conn), "lines": list_late(conn, LARGEST_PAGE)},
            "plans": {"count": count_unreleased(conn), "lines": find_unreleased(conn, LARGEST_PAGE)},
        }
