"""What needs somebody today, each matter with its number, its first lines and where it can be dealt with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from sluice.agreement.roles.contestable import find_contestable
from sluice.db import Connection
from sluice.exchange.overview import DayCount, count_days, list_unwell
from sluice.exchange.review import list_open
from sluice.exchange.review_store import count_open
from sluice.exchange.stop_store import find_stops
from sluice.returns.ack_store import count_overdue, list_overdue
from sluice.returns.waiting import count_prepared, list_prepared
from sluice.rights.case.clock import received_on
from sluice.rights.case.desk_store import count_ours
from sluice.rights.case.store import CaseFilter, list_by_last_day
from sluice.rights.erasure.control_store import count_unreleased, find_unreleased
from sluice.rights.notices.notice_store import count_late, list_late
from sluice.web.access import Audits, HandlesCases, Onlooker, ReadsCases
from sluice.web.pages.cases import Sort, with_steps
from sluice.web.pages.clocks import BUCKETS, Strip, strip_of
from sluice.web.pages.plots import bars_of
from sluice.web.pages.view import render
from sluice.web.reading import reading

router = APIRouter(prefix="/start")
LINES = 4
"""The most lines of a matter that are shown; the rest is behind its link. Stops have no other page: all are shown."""
PRESSING = BUCKETS[:2]
UNWELL_DAYS, PLOT_DAYS = 7, 28


@dataclass(frozen=True, slots=True)
class WaitingMatter:
    """Something that waits for a person. ``kind``: selects its words and how its lines are shown.

    ``more``: the page where it is done. ``asked``: parameters of that page, for its order or filter.
    """

    kind: str
    count: int
    lines: list[Any]
    more: str | None = None
    asked: Mapping[str, str] = field(default_factory=dict)


@router.get("")
def start(
    request: Request, onlooker: Onlooker, reads_cases: ReadsCases, handles: HandlesCases, audits: Audits
) -> Response:
    """The page one opens first."""
    now = datetime.now(UTC)
    today = received_on(now)
    with reading() as conn:
        strip = strip_of(conn, today) if reads_cases else None
        days = count_days(conn, today, PLOT_DAYS)
        matters = [*(_of_cases(conn, strip) if strip else ()), *_of_exchanges(conn, now, days[-UNWELL_DAYS:])]
        matters += _of_agreements(conn, today, now) if audits else ()
    return render(
        request,
        "start.html",
        "start",
        matters=[each for each in matters if each.count],
        quiet=[each.kind for each in matters if not each.count],
        strip=strip,
        bars=bars_of(days),
        since=days[-UNWELL_DAYS].day,
        may_open=handles,
    )


def _of_cases(conn: Connection, strip: Strip) -> list[WaitingMatter]:
    pressing = [each for each in strip.chips if each[1].kind in PRESSING]
    ours = [case for case, _ in list_by_last_day(conn, CaseFilter(only_ours=True), limit=LINES)]
    return [
        WaitingMatter(
            "clocks", sum(strip.counts[kind] for kind in PRESSING), pressing[:LINES], "/cases", {"sort": Sort.DUE}
        ),
        WaitingMatter("cases", count_ours(conn), with_steps(conn, ours), "/cases", {"ours": "true", "sort": Sort.DUE}),
        WaitingMatter("notices", count_late(conn), list_late(conn, LINES), "/waiting/notices"),
        WaitingMatter("plans", count_unreleased(conn), find_unreleased(conn, LINES), "/waiting/plans"),
    ]


def _of_exchanges(conn: Connection, now: datetime, days: Sequence[DayCount]) -> list[WaitingMatter]:
    overdue, stops = list_overdue(conn, now, LINES), find_stops(conn)
    return [
        WaitingMatter("stops", len(stops), stops),
        WaitingMatter("acknowledgements", count_overdue(conn, now), overdue, "/waiting/acknowledgements"),
        WaitingMatter("returns", count_prepared(conn), list_prepared(conn, LINES), "/waiting/returns"),
        WaitingMatter("reviews", count_open(conn), list_open(conn, LINES), "/waiting/reviews"),
        WaitingMatter("unwell", sum(each.unwell for each in days), list_unwell(conn, days[0].day, LINES)),
    ]


def _of_agreements(conn: Connection, today: date, now: datetime) -> list[WaitingMatter]:
    roles = find_contestable(conn, today, now)
    return [WaitingMatter("roles", len(roles), roles[:LINES], "/roles")]
