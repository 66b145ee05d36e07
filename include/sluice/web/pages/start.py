"""What needs somebody today, each matter with its number, its first lines and where it can be dealt with."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from sluice.agreement.contestable import find_contestable
from sluice.db import Connection, connect
from sluice.exchange.overview import count_days, list_unwell
from sluice.exchange.review import list_waiting
from sluice.returns.reminders import count_overdue, list_overdue
from sluice.returns.waiting import count_prepared, list_prepared
from sluice.rights.clock import received_on
from sluice.rights.clock_store import count_running, find_running
from sluice.rights.erase_control_store import count_unreleased, find_unreleased
from sluice.rights.notice_store import count_late, list_late
from sluice.settings import get_settings
from sluice.web.access import Onlooker, ReadsCases
from sluice.web.pages.clocks import BUCKETS, bucket_days, drawn
from sluice.web.pages.plots import bars_of
from sluice.web.pages.view import render

router = APIRouter(prefix="/start")
LINES = 4
"""Of a matter that are shown; the rest is behind its link."""
CHIPS = 6
PRESSING = BUCKETS[:2]
UNWELL_DAYS, PLOT_DAYS = 7, 28
REVIEWS = 25
"""Exchanges with held rows that are looked at for notes that wait, newest first."""


@dataclass(frozen=True, slots=True)
class Matter:
    """Something that waits for a person. ``kind``: its words and how its lines are told; ``more``: where it is done."""

    kind: str
    count: int
    lines: list[Any]
    more: str | None = None


@router.get("")
def start(request: Request, onlooker: Onlooker, reads_cases: ReadsCases) -> Response:
    """The page one opens first."""
    now = datetime.now(UTC)
    today = received_on(now)
    with connect(get_settings()) as conn:
        chips = drawn(find_running(conn, CHIPS), today) if reads_cases else []
        counts = count_running(conn, bucket_days(today)) if reads_cases else ()
        pressing = [each for each in chips if each[1].kind in PRESSING][:LINES]
        clocks = [Matter("clocks", sum(counts[: len(PRESSING)]), pressing, "/cases")] if reads_cases else []
        matters = [*clocks, *(_of_cases(conn) if reads_cases else ()), *_of_exchanges(conn, now, today)]
        days = count_days(conn, today, PLOT_DAYS)
    return render(
        request,
        "start.html",
        "start",
        matters=[each for each in matters if each.count],
        quiet=[each.kind for each in matters if not each.count],
        chips=chips,
        buckets=list(zip(BUCKETS, counts, strict=True)) if counts else [],
        bars=bars_of(days),
        since=today - timedelta(days=UNWELL_DAYS - 1),
    )


def _of_cases(conn: Connection) -> list[Matter]:
    return [
        Matter("notices", count_late(conn), list_late(conn, LINES), "/waiting/notices"),
        Matter("plans", count_unreleased(conn), find_unreleased(conn, LINES), "/waiting/plans"),
    ]


def _of_exchanges(conn: Connection, now: datetime, today: date) -> list[Matter]:
    since = today - timedelta(days=UNWELL_DAYS - 1)
    counted = sum(each.unwell for each in count_days(conn, today, UNWELL_DAYS))
    reviews = [each for each in list_waiting(conn, None, REVIEWS) if each.open > 0]
    roles = find_contestable(conn, today, now)
    return [
        Matter(
            "acknowledgements", count_overdue(conn, now), list_overdue(conn, now, LINES), "/waiting/acknowledgements"
        ),
        Matter("returns", count_prepared(conn), list_prepared(conn, LINES), "/waiting/returns"),
        Matter("reviews", len(reviews), reviews[:LINES], "/waiting/reviews"),
        Matter("unwell", counted, list_unwell(conn, since, LINES), None),
        Matter("roles", len(roles), roles[:LINES], None),
    ]
