"""Make a page: its language, its words, its template. Everything put into a template is escaped."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from babel.core import negotiate_locale
from fastapi import Query, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response

from sluice.documents.reasons import meaning_of, refusal_class
from sluice.documents.returned import held_sentence
from sluice.documents.six import shortened
from sluice.documents.words import LANGUAGES, Words, words
from sluice.errors import SluiceError
from sluice.exchange.naming import WITHHELD
from sluice.rights.case.reasons import short
from sluice.web.errors import NotLoggedIn
from sluice.web.pages.again import NOTHING, again_of, page_of_form
from sluice.web.pages.assets import table
from sluice.web.pages.bar import places_of
from sluice.web.pages.faults import told
from sluice.web.pages.picture import SIGNS
from sluice.web.problem import TRY_AGAIN_SECONDS, status_of

log = logging.getLogger(__name__)
PAGES: Final = "/sluice/pages"
"""Where Airflow mounts the pages."""
LOGIN: Final = "/api/v2/auth/login"
"""Login of Airflow, for any auth manager. ``next`` says where to go afterwards."""
NUMBERED: Final = re.compile(r"/(waiting/)?[a-z]+(/new|/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(/candidates)?)?")
"""The address of a page that holds nothing that anybody typed."""
EXCHANGE: Final = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
TEMPLATES = Path(__file__).parent / "templates"
LONGEST_NAME: Final = 40
"""Longest name of a column that a page keeps on one line."""


class Deed(StrEnum):
    """What was just done from a page. The next page says it, in the text ``pages.done.<deed>``."""

    OPEN = "open"
    OPEN_WAITS = "open_waits"
    OPEN_BEFORE = "open_before"
    CONFIRM = "confirm"
    CONFIRM_NOBODY = "confirm_nobody"
    DECIDE = "decide"
    EXTEND = "extend"
    DECIDE_OWED = "decide_owed"
    EXTEND_OWED = "extend_owed"
    PAUSE = "pause"
    IDENTITY = "identity"
    WITHDRAW = "withdraw"
    LIFT = "lift"
    RELEASE_PLAN = "release_plan"
    RELEASE_RETURN = "release_return"
    ACKNOWLEDGE = "acknowledge"
    REVIEW = "review"
    NOTICE = "notice"
    SIGN_OFF = "sign_off"
    SIGN_OFF_FIRST = "sign_off_first"
    UNCHANGED = "unchanged"


Done = Annotated[Deed | None, Query()]


@dataclass(frozen=True, slots=True)
class Reader:
    """The language of a page, and how it links to other pages."""

    say: Words
    base: str
    """Where the pages are mounted."""
    is_chosen: bool
    """Whether the language was chosen by hand, so that every link keeps it."""

    def link(self, path: str, **query: object) -> str:
        """Return the address of another page."""
        kept = {"lang": self.say.language} if self.is_chosen else {}
        asked = urlencode({name: value for name, value in {**query, **kept}.items() if value not in (None, "")})
        return f"{self.base}{path}{'?' if asked else ''}{asked}"


def reader_of(request: Request) -> Reader:
    """Use the language of ``?lang=``, else the first of the browser's that we have, else our first."""
    chosen = request.query_params.get("lang")
    is_chosen = chosen in LANGUAGES
    language = chosen if is_chosen and chosen else _negotiated(request.headers.get("accept-language", ""))
    return Reader(words(language), str(request.scope.get("root_path", "")), is_chosen)


def _negotiated(header: str) -> str:
    """Pick one from a header such as ``nl-BE,fr;q=0.8``, by weight (RFC 9110, 12.5.4)."""
    wanted: list[tuple[float, str]] = []
    for part in header.split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            wanted.append((-float(weight or 1), tag))
        except ValueError:
            continue
    ordered = [tag for _, tag in sorted(wanted, key=lambda each: each[0]) if tag]
    return negotiate_locale(ordered, LANGUAGES, sep="-") or LANGUAGES[0]


def render(request: Request, template: str, place: str | None = None, status: int = 200, **parts: Any) -> HTMLResponse:
    """Make a page in the language of its reader. place: the place in the bar that it belongs to."""
    reader = reader_of(request)
    places = places_of(request)
    again = again_of(request) if status == 200 else None
    if again:
        again.is_shown = True
    others = [
        (each, again.address(reader.base, each) if again else _again(request, each, status, places))
        for each in LANGUAGES
    ]
    text = (
        environment()
        .get_template(template)
        .render(
            reader=reader,
            say=reader.say.say,
            words=reader.say,
            languages=others,
            places=places,
            place=place,
            signs=SIGNS,
            assets=table(),
            again=again,
            area=again.page.split("/")[1] if again else _area(request),
            typed_of=again.of if again else lambda form: NOTHING,
            **parts,
        )
    )
    return HTMLResponse(text, status)


def to_page(request: Request, path: str, deed: Deed) -> Response:
    """Redirect to the page that shows what was done, so that the form cannot be sent again by reloading."""
    return Response(status_code=303, headers={"Location": reader_of(request).link(path, done=deed.value)})


def _area(request: Request) -> str:
    """Return the first word of the address, if the page exists."""
    route = request.scope.get("route")
    return str(route.path).split("/")[1] if route else ""


def _again(request: Request, language: str, status: int, places: Sequence[str]) -> str:
    """Return the address of this page in another language; for an error, whose address may hold anything, the first."""
    if status >= 400:
        return f"{reader_of(request).base}/{next(iter(places), 'start')}?lang={language}"
    asked = [(name, value) for name, value in request.query_params.multi_items() if name != "lang"]
    return f"?{urlencode([*asked, ('lang', language)])}"


def say_error(request: Request, error: SluiceError) -> HTMLResponse:
    """Make the page of an error: its code, what it means and what to do. It shows no value of the request."""
    status = status_of(error)
    if status >= 500:
        log.error("%s", error)
    login = _login(request) if isinstance(error, NotLoggedIn) else None
    answer = render(request, "error.html", status=status, error=error, back=_form_page(request), login=login)
    if status == 503:
        answer.headers["Retry-After"] = str(TRY_AGAIN_SECONDS)
    return answer


def _form_page(request: Request) -> str | None:
    """Return the page whose form was sent, or the list before it if the name in its address may be anything."""
    route = request.scope.get("route")
    if request.method != "POST" or route is None:
        return None
    place, has_number, _ = str(route.path).partition("/{")
    page = page_of_form(request)
    return page if page and (not has_number or NUMBERED.fullmatch(page)) else place


def _login(request: Request) -> str:
    """Return the address of Airflow's login, with the way back to the requested page.

    The way back is to the first page if the requested address holds text that somebody typed.
    """
    reader = reader_of(request)
    own = request.scope["path"].removeprefix(reader.base)
    page = _form_page(request) if request.method == "POST" else own if NUMBERED.fullmatch(own) else None
    asked = urlencode({"next": reader.link(page or "/start")})
    return f"{reader.base.removesuffix(PAGES)}{LOGIN}?{asked}"


@cache
def environment() -> Environment:
    """Return the template environment, which escapes everything and fails at an undefined name."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "short": short,
        "groupword": _group_word,
        "commands": _commands,
        "named": named,
        "code": _code,
        "ends": shortened,
        "told": told,
        "held": _held,
        "reasonword": _reason_word,
        "linked": _linked,
    }
    return made


def _group_word(group: str, say: Words) -> str:
    """Return a field group in words; ``*`` stands for all of a part."""
    return say.say("pages.group.all") if group == "*" else say.say(f"group.{group}")


def named(name: str, say: Words) -> str:
    """Return the name or key of a file. If it was withheld, that is said in the reader's language."""
    return name.replace(WITHHELD, say.say("pages.name_withheld"))


def _held(code: str, say: Words) -> str:
    """Return in words why a row stays here."""
    return held_sentence(say, code)


def _reason_word(code: str, say: Words) -> str:
    """Return in a word or two why a file was refused."""
    spoken = meaning_of(say, code)
    return say.find(f"code.{spoken}.word", f"class.{refusal_class(spoken)}.word") or ""


def _linked(text: str, reader: Reader) -> Markup:
    """Return a text in which each number of an exchange links to its page."""
    parts = EXCHANGE.split(text)
    link = Markup('<a href="{}"><code>{}</code></a>')
    return Markup("").join(
        link.format(reader.link(f"/exchanges/{part}"), part) if at % 2 else escape(part)
        for at, part in enumerate(parts)
    )


def _code(name: str, tag: str = "code") -> Markup:
    """Mark up a name as it is in a file. One that reads as words breaks only after an underscore; a hash anywhere."""
    broken = Markup("_<wbr>").join(escape(part) for part in name.split("_"))
    kind = Markup(' class="name"') if len(name) <= LONGEST_NAME else ""
    return Markup("<{0}{1}>{2}</{0}>").format(tag, kind, broken)


def _commands(text: str) -> Markup:
    """Mark up a sentence in which backticks enclose a command."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if at % 2 else escape(part) for at, part in enumerate(parts)
    )


def shares(*numbers: int) -> Sequence[float]:
    """Return where each part of a bar begins and how wide it is, in percent of all: begin, width, begin, width..."""
    whole, at, found = sum(numbers) or 1, 0.0, []
    for number in numbers:
        width = 100 * number / whole
        found += [round(at, 2), round(width, 2)]
        at += width
    return found
