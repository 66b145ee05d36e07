"""The page of a breach slice: who is affected, who tells whom by when, and the drafts to continue with.

An agent is chosen from a list of references, and the address of an object is sent as a form, so that nothing that may
name a person is in the address of a page.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, Query, Request
from pydantic import StringConstraints
from starlette.responses import Response

from sluice.breach.model import Draft, Risk, Slice
from sluice.errors import Ambiguous, NotFound
from sluice.media_types import PDF, TEXT
from sluice.settings import get_settings
from sluice.staff.facts import default_minimum
from sluice.staff.store import read_people
from sluice.times import BRUSSELS, brussels_today
from sluice.web.access import BreachDesk
from sluice.web.asked import Beginning, check_window
from sluice.web.errors import Fault, NothingThere, RequestInvalid, SeveralBegin
from sluice.web.pages.again import NOTHING, Typed, again_of
from sluice.web.pages.asked import InReach, Named, Unless, on_clock
from sluice.web.pages.forms import Checked, Token
from sluice.web.pages.view import reader_of, render
from sluice.web.read_model import AGENT, LONGEST_ADDRESS, OBJECT
from sluice.web.reading import reading

router = APIRouter(prefix="/breach")
PARAMETERS = frozenset({"exchange", "object", "agent", "since", "until", "aware", "risk", "draft", "principal", "form"})
MEDIA = {"pdf": PDF, "txt": f"{TEXT}; charset=utf-8"}
Kind = Literal["pdf", "txt"]
Moment = Annotated[
    datetime | None, Unless, InReach, Query(description="ISO 8601; on the clock of Brussels if no zone.")
]


@dataclass(frozen=True, slots=True)
class Asked:
    """The query of a slice, of one kind: an exchange, an object, or an agent's account in a window.

    ``aware``: since when we know of the breach.
    """

    aware: datetime
    risk: Risk
    exchange: str | None = None
    object: str | None = None
    agent: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def query(self) -> dict[str, Any]:
        """Return the same as parameters of links and forms."""
        moments = {name: getattr(self, name) for name in ("since", "until", "aware")}
        said = {name: moment.isoformat() for name, moment in moments.items() if moment}
        return {"exchange": self.exchange, "object": self.object, "agent": self.agent, **said, "risk": self.risk.value}


def _asked(
    exchange: Annotated[Beginning | None, Unless] = None,
    agent: Annotated[Annotated[str, StringConstraints(pattern=AGENT)] | None, Unless] = None,
    since: Moment = None,
    until: Moment = None,
    aware: Moment = None,
    risk: Risk = Risk.UNDECIDED,
) -> Asked:
    """Return the query of the address.

    Raises RequestInvalid for an agent without a window, both kinds at once, or a window that ends too early.
    """
    begins, ends = on_clock(since), on_clock(until, ends=True)
    if exchange and agent:
        raise RequestInvalid([Fault("query", "agent", "not_with_exchange")])
    if agent and not (begins and ends):
        raise RequestInvalid([Fault("query", "until" if begins else "since", "missing")])
    check_window("query", begins and begins.astimezone(UTC), ends and ends.astimezone(UTC))
    return Asked(_since_when(aware), risk, exchange, None, agent, begins, ends)


def _asked_of_object(
    object: Annotated[
        str, StringConstraints(strip_whitespace=True, pattern=OBJECT, max_length=LONGEST_ADDRESS), Form()
    ],
    aware: Annotated[datetime | None, Unless, InReach, Form()] = None,
    risk: Annotated[Risk, Form()] = Risk.UNDECIDED,
) -> Asked:
    return Asked(_since_when(aware), risk, object=object)


def _since_when(aware: datetime | None) -> datetime:
    return on_clock(aware) or datetime.now(UTC).replace(microsecond=0)


Question = Annotated[Asked, Depends(_asked)]
OfObject = Annotated[Asked, Depends(_asked_of_object)]


@router.get("")
def show(request: Request, desk: BreachDesk, token: Token, asked: Question) -> Response:
    """The forms, and the slice that was asked for. Raises NothingThere, SliceEmpty."""
    return _page(request, token, asked, _slice(asked) if asked.exchange or asked.agent else None)


@router.post("", dependencies=[Checked])
def show_object(request: Request, desk: BreachDesk, token: Token, asked: OfObject) -> Response:
    """The slice of what lies, or lay, at an address. A read: nothing is recorded. Raises SliceEmpty."""
    return _page(request, token, asked, _slice(asked))


@router.get("/draft")
def draft(
    request: Request,
    desk: BreachDesk,
    asked: Question,
    draft: Annotated[Draft, Query()],
    principal: Annotated[Named | None, Unless] = None,
    form: Annotated[Kind, Query()] = "pdf",
) -> Response:
    """A draft notification in the language of the reader; nobody is sent anything. Raises NothingThere."""
    return _draft(request, asked, draft, principal, form)


@router.post("/draft", dependencies=[Checked])
def draft_of_object(
    request: Request,
    desk: BreachDesk,
    asked: OfObject,
    draft: Annotated[Draft, Form()],
    principal: Annotated[Named | None, Unless, Form()] = None,
    form: Annotated[Kind, Form()] = "pdf",
) -> Response:
    """The same of an object. Raises NothingThere."""
    return _draft(request, asked, draft, principal, form)


def _page(request: Request, token: str, asked: Asked, found: Slice | None) -> Response:
    from sluice.breach.page import drafts_of, summary_of

    again = again_of(request)
    typed = again.typed if again else NOTHING
    summary = summary_of(found, reader_of(request).say.language) if found else None
    with reading() as conn:
        agents = [each.agent_ref for each in read_people(conn, datetime.now(UTC), default_minimum(brussels_today()))]
    return render(
        request,
        "breach.html",
        "breach",
        asked=asked,
        typed=typed,
        sent=_sent(asked, typed),
        agents=agents,
        risks=list(Risk),
        found=found,
        summary=summary,
        duties=summary.duties.table.rows if summary and summary.duties.table else (),
        local=lambda moment: moment.astimezone(BRUSSELS),
        drafts=list(drafts_of(found)) if found else [],
        token=token,
        longest=LONGEST_ADDRESS,
    )


def _sent(asked: Asked, typed: Typed) -> dict[str, str]:
    """Return the fields that request the same page in another language, where the address may not hold them."""
    said = dict(asked.query)
    if typed:
        said = {name: typed.text(name) for name in ("object", "aware", "risk")}
    return {name: said[name] for name in ("object", "aware", "risk") if said["object"] and said[name]}


def _draft(request: Request, asked: Asked, draft: Draft, principal: str | None, form: str) -> Response:
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
    """Make the slice. Raises NothingThere for an unknown number, SeveralBegin for an ambiguous one, SliceEmpty."""
    from sluice.breach.make import slice_agent, slice_exchange, slice_object
    from sluice.exchange.house import open_house

    with open_house(get_settings()) as house:
        if asked.object:
            return slice_object(house, asked.object, asked.aware, asked.risk)
        if asked.agent and asked.since and asked.until:
            return slice_agent(house, asked.agent, asked.since, asked.until, asked.aware, asked.risk)
        try:
            return slice_exchange(house, asked.exchange or "", asked.aware, asked.risk)
        except NotFound as error:
            raise (SeveralBegin if isinstance(error, Ambiguous) else NothingThere) from None
