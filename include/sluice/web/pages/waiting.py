"""Pages of what waits for a person: lists, and each item with the form that deals with it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from sluice.exchange.read import show_exchange
from sluice.exchange.review import list_open, note_rows
from sluice.exchange.review_store import count_open
from sluice.exchange.store import get_opened
from sluice.ledger.names import is_same_person
from sluice.returns.ack import state_of
from sluice.returns.ack_store import count_overdue, get_acknowledgement, list_overdue
from sluice.returns.store import find_prepared
from sluice.returns.waiting import count_prepared, find_waiting, list_prepared
from sluice.rights.case.model import Action
from sluice.rights.case.store import find_part, get_case
from sluice.rights.erasure.control_store import count_unreleased, find_unreleased
from sluice.rights.notices.notice_store import count_late, get_notice, list_late
from sluice.settings import get_settings
from sluice.terms import ExchangeId
from sluice.web.access import CaseReader, HandlesCases, Onlooker, Releases
from sluice.web.pages.forms import Token
from sluice.web.pages.view import Deed, Done, reader_of, render
from sluice.web.reading import reading

router = APIRouter(prefix="/waiting")
MOST = 200
"""The most lines of a list, longest waiting first. What is done makes room for the rest."""
ROWS = 500
"""The most held rows on the form of a review, so that what it sends fits into a body (``guard.py``)."""


@router.get("/returns")
def returns(request: Request, onlooker: Onlooker, done: Done = None) -> Response:
    """Returns that wait for a second person."""
    with reading() as conn:
        lines, count = list_prepared(conn, MOST), count_prepared(conn)
    return _list(request, "returns", lines, count, done)


@router.get("/acknowledgements")
def acknowledgements(request: Request, onlooker: Onlooker, done: Done = None) -> Response:
    """Delivered returns that nobody acknowledged in time."""
    now = datetime.now(UTC)
    with reading() as conn:
        lines, count = list_overdue(conn, now, MOST), count_overdue(conn, now)
    return _list(request, "acknowledgements", lines, count, done)


@router.get("/reviews")
def reviews(request: Request, onlooker: Onlooker, done: Done = None) -> Response:
    """Exchanges with notes that a person has to see."""
    with reading() as conn:
        lines, count = list_open(conn, MOST), count_open(conn)
    return _list(request, "reviews", lines, count, done)


@router.get("/notices")
def notices(request: Request, reader: CaseReader, done: Done = None) -> Response:
    """Notices to recipients that are late, or that the desk has to send itself."""
    with reading() as conn:
        lines, count = list_late(conn, MOST), count_late(conn)
    return _list(request, "notices", lines, count, done)


@router.get("/plans")
def plans(request: Request, reader: CaseReader) -> Response:
    """Plans of erasures that wait for a second person; each is released on the page of its case."""
    with reading() as conn:
        lines, count = find_unreleased(conn, MOST), count_unreleased(conn)
    return _list(request, "plans", lines, count, None)


@router.get("/returns/{exchange_id}")
def one_return(request: Request, onlooker: Onlooker, releases: Releases, token: Token, exchange_id: UUID) -> Response:
    """One return that waits, and the form that releases it; of one that does not any more, its exchange.

    Raises NotFound.
    """
    with reading() as conn:
        line = find_waiting(conn, str(exchange_id))
        if line is None:
            to = reader_of(request).link(f"/exchanges/{show_exchange(conn, str(exchange_id)).line.id}")
            return Response(status_code=303, headers={"Location": to})
        record = find_prepared(conn, line.exchange_id)
    return render(
        request,
        "one_return.html",
        "start",
        line=line,
        record=record,
        may=releases,
        is_own=is_same_person(line.prepared_by, onlooker.name),
        token=token,
    )


@router.get("/acknowledgements/{exchange_id}")
def one_acknowledgement(
    request: Request, onlooker: Onlooker, releases: Releases, token: Token, exchange_id: UUID
) -> Response:
    """One delivered return, and the form that says it arrived. Raises NotFound."""
    with reading() as conn:
        line = get_acknowledgement(conn, str(exchange_id))
    state = state_of(line, datetime.now(UTC))
    return render(request, "one_acknowledgement.html", "start", line=line, state=state, may=releases, token=token)


@router.get("/reviews/{exchange_id}")
def one_review(request: Request, onlooker: Onlooker, releases: Releases, token: Token, exchange_id: UUID) -> Response:
    """Rows of one exchange held for their notes, what waits first: numbers and codes, never a note. Raises NotFound."""
    from sluice.exchange.house import open_house

    with open_house(get_settings()) as house:
        opened = get_opened(house.conn, ExchangeId(str(exchange_id)))
        every = note_rows(house, opened.exchange_id)
    waits = [each for each in every if each.review is None]
    rows = waits[:ROWS] + [each for each in every if each.review][:ROWS]
    rest = max(0, len(waits) - ROWS)
    return render(request, "one_review.html", "start", opened=opened, rows=rows, rest=rest, may=releases, token=token)


@router.get("/notices/{notice_id}")
def one_notice(request: Request, reader: CaseReader, handles: HandlesCases, token: Token, notice_id: UUID) -> Response:
    """One notice, what to write where the desk tells it, and the form that says how far it is. Raises NotFound."""
    from sluice.rights.notices.notice_store import find_stopped
    from sluice.rights.notices.to_recipient import action_text
    from sluice.rights.person.rectify import corrected_fields

    with reading() as conn:
        notice = get_notice(conn, str(notice_id))
        right, stopped = get_case(conn, notice.case_id).right, find_stopped(conn, notice)
        part = find_part(conn, notice.sub_case_id) if notice.action is Action.RECTIFY else None
        fields = corrected_fields(conn, part, notice.field_groups, datetime.now(UTC)) if part else []
    wanted = action_text(right, notice.action, *stopped, reader_of(request).say.language)
    return render(
        request, "one_notice.html", "start", notice=notice, fields=fields, wanted=wanted, may=handles, token=token
    )


def _list(request: Request, kind: str, lines: Sequence[object], count: int, done: Deed | None) -> Response:
    return render(request, "waiting.html", "start", kind=kind, lines=lines, count=count, done=done)
