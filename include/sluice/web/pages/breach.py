"""A breach slice on a page: who is in what was breached, who tells whom by when, and the drafts to go on with.

An agent is chosen from a list of references, so that no name is typed into an address.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import StringConstraints
from starlette.responses import Response

from sluice.breach.model import Draft, Risk, Slice
from sluice.documents.words import BRUSSELS
from sluice.errors import NotFound
from sluice.settings import get_settings
from sluice.staff.facts import default_minimum
from sluice.staff.store import read_people
from sluice.web.access import BreachDesk
from sluice.web.asked import Beginning, check_window
from sluice.web.errors import Fault, NothingThere, RequestInvalid
from sluice.web.pages.asked import InReach, Named, Unless, on_clock, today
from sluice.web.pages.view import reader_of, render
from sluice.web.reading import reading

router = APIRouter(prefix="/breach")
PARAMETERS = frozenset({"exchange", "agent", "since", "until", "aware", "risk", "draft", "principal", "form"})
MEDIA = {"pdf": "application/pdf", "txt": "text/plain; charset=utf-8"}
Moment = Annotated[
    datetime | None, Unless, InReach, Query(description="ISO 8601; on the clock of Brussels if no zone.")
]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a slice is asked for: an exchange, or an agent's account in a window. ``aware``: since when we know."""

    exchange: str | None
    agent: str | None
    since: datetime | None
    until: datetime | None
    aware: datetime
    risk: Risk

    @property
    def query(self) -> dict[str, object]:
        """The same once more, for links."""
        moments = {name: getattr(self, name) for name in ("since", "until", "aware")}
        said = {name: moment.isoformat() for name, moment in moments.items() if moment}
        return {"exchange": self.exchange, "agent": self.agent, **said, "risk": self.risk.value}


def _asked(
    exchange: Annotated[Beginning | None, Unless] = None,
    agent: Annotated[Annotated[str, StringConstraints(pattern="^[0-9a-f]{32}$")] | None, Unless] = None,
    since: Moment = None,
    until: Moment = None,
    aware: Moment = None,
    risk: Risk = Risk.UNDECIDED,
) -> Asked:
    """Raises RequestInvalid for an agent without a window, both ways at once, or a window that ends too early."""
    begins, ends, known = (on_clock(each) for each in (since, until, aware))
    if exchange and agent:
        raise RequestInvalid([Fault("query", "agent", "not_with_exchange")])
    if agent and not (begins and ends):
        raise RequestInvalid([Fault("query", "until" if begins else "since", "missing")])
    check_window("query", begins, ends)
    return Asked(exchange, agent, begins, ends, known or datetime.now(UTC).replace(microsecond=0), risk)


Question = Annotated[Asked, Depends(_asked)]


@router.get("")
def show(request: Request, reader: BreachDesk, asked: Question) -> Response:
    """The form, and the slice that was asked for. Raises NothingThere, SliceEmpty."""
    from sluice.breach.page import drafts_of, summary_of

    language = reader_of(request).say.language
    found = _slice(asked) if asked.exchange or asked.agent else None
    summary = summary_of(found, language) if found else None
    with reading() as conn:
        agents = [each.agent_ref for each in read_people(conn, datetime.now(UTC), default_minimum(today()))]
    return render(
        request,
        "breach.html",
        "breach",
        asked=asked,
        agents=agents,
        risks=list(Risk),
        found=found,
        summary=summary,
        duties=summary.duties.table.rows if summary and summary.duties.table else (),
        local=lambda moment: moment.astimezone(BRUSSELS),
        drafts=list(drafts_of(found)) if found else [],
    )


@router.get("/draft")
def draft(
    request: Request,
    reader: BreachDesk,
    asked: Question,
    draft: Annotated[Draft, Query()],
    principal: Annotated[Named | None, Unless] = None,
    form: Annotated[Literal["pdf", "txt"], Query()] = "pdf",
) -> Response:
    """A draft notification in the language of the reader; nobody is sent anything. Raises NothingThere."""
    from sluice.breach.page import drafts_of, make_draft, number_of
    from sluice.breach.write import text_of
    from sluice.documents.pdf import make_pdf

    found = _slice(asked)
    language = reader_of(request).say.language
    wanted = (each for each in drafts_of(found) if each[0] is draft and (each[1] and each[1].principal) == principal)
    chosen = next(wanted, None)
    if chosen is None:
        raise NothingThere
    page = make_draft(found, *chosen, language)
    content = make_pdf(page, found.aware_at) if form == "pdf" else text_of(page)
    name = f"{number_of(found, chosen[1])}-{draft}.{language}.{form}"
    named = f'attachment; filename="{name}"'
    return Response(content, media_type=MEDIA[form], headers={"Content-Disposition": named})


def _slice(asked: Asked) -> Slice:
    """Raises NothingThere for a number that is none, SliceEmpty."""
    from sluice.breach.make import slice_agent, slice_exchange
    from sluice.exchange.house import open_house

    with open_house(get_settings()) as house:
        if asked.agent and asked.since and asked.until:
            return slice_agent(house, asked.agent, asked.since, asked.until, asked.aware, asked.risk)
        try:
            return slice_exchange(house, asked.exchange or "", asked.aware, asked.risk)
        except NotFound:
            pass
    raise NothingThere
