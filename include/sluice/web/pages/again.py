"""Show the page of a form again that was not followed, with the error on top and what was typed in its fields.

The page is requested as a browser would, so it opens only to those who may open it, and shows the current state. What
was typed is not stored. A text comes back only if its field accepts it: a name typed where a code belongs is not shown.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final
from urllib.parse import urlencode

from fastapi import Request
from starlette.datastructures import ImmutableMultiDict
from starlette.responses import HTMLResponse, Response
from starlette.types import Message

from sluice.breach.model import Risk
from sluice.errors import BEGINNING, SluiceError
from sluice.web.asked import AGREEMENT
from sluice.web.errors import Fault, FormNotOurs
from sluice.web.pages.faults import name_of, wrong_of
from sluice.web.problem import status_of
from sluice.web.read_model import AGENT

BY_ADDRESS: Final[Mapping[str, str]] = MappingProxyType(
    {"/breach": "/breach", "/exchanges/find": "/exchanges", "/lineage/find": "/lineage"}
)
"""Forms that send what was typed in their address, and their pages."""
OWN: Final = frozenset({"/cases/new", "/cases/{case_id}/candidates"})
"""Forms on a page of their own, which has the form's address."""
MENDED: Final = frozenset({404, 409, 422})
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_LINES = re.compile(r"[^\x00]*")
FIT: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType(
    {
        "reason": re.compile("[A-Z][A-Z0-9_]{2,63}"),
        "evidence": re.compile("[0-9a-f]{64}"),
        "object": re.compile(r"\s*s3://[^\x00]+"),
        **dict.fromkeys(("exchange", "number"), re.compile(BEGINNING.pattern, re.IGNORECASE)),
        "agent": re.compile(AGENT),
        "risk": re.compile("|".join(Risk)),
        **dict.fromkeys(("since", "until", "aware"), _MOMENT),
        **dict.fromkeys(("phone", "email", "customer", "national_number", "iban", "full_name"), _LINES),
        **dict.fromkeys(("born", "received"), _DAY),
        "request": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    }
)
"""What each text field accepts. Only these texts go back into a page; in other fields, an offered choice is kept.

What names a person is taken by the fields of a new case alone, and goes back to whoever typed it, in that answer.
"""


@dataclass(frozen=True, slots=True)
class Typed:
    """Contents of the fields of one form. False if the form is shown for the first time."""

    said: Mapping[str, Sequence[str]] = field(default_factory=dict)
    wrong: frozenset[str] = frozenset()
    """Names of the fields that the error is about."""

    def __bool__(self) -> bool:
        return bool(self.said)

    def text(self, name: str, usual: str = "") -> str:
        """Return the text of a field, or nothing if the field does not accept it. ``usual``: for the first time."""
        if not self.said:
            return usual
        return next((word for word in self.said.get(name, ()) if FIT[name].fullmatch(word)), "")

    def has(self, name: str, value: str, usual: bool = False) -> bool:
        """Whether a value was chosen."""
        return value in self.said.get(name, ()) if self.said else usual


NOTHING: Final = Typed()


@dataclass(slots=True)
class Again:
    """The error of a form, for the page with the form. ``page``, ``form``: their addresses."""

    error: SluiceError
    page: str
    form: str
    typed: Typed
    asked: Sequence[tuple[str, str]] = ()
    """The parameters of the address."""
    is_sent: bool = True
    """Whether the form was to do something; otherwise it looked something up."""
    is_shown: bool = False
    faults: tuple[Fault, ...] = ()
    """Fields that the error is about, if it does not name them itself."""

    def of(self, form: str) -> Typed:
        """Return what was typed in a form of the page."""
        return self.typed if form == self.form else NOTHING

    def address(self, base: str, language: str) -> str:
        """Return the address of the page in another language."""
        path = self.page if self.is_sent else self.form
        return f"{base}{path}?{urlencode([*self.asked, ('lang', language)])}"


def again_of(request: Request) -> Again | None:
    """Return what went wrong before, if a page is requested again."""
    again: Again | None = getattr(request.state, "again", None)
    return again


def note_faults(request: Request, faults: tuple[Fault, ...]) -> None:
    """Note which fields of a form a coded error is about, before it is raised."""
    request.state.faults = faults


def page_of_form(request: Request) -> str | None:
    """Return the page whose form was sent, with the number or name in its address if that is a valid one. Else None."""
    route = request.scope.get("route")
    if route is None:
        return None
    path = str(route.path)
    place, has_number, _ = path.partition("/{")
    if request.method != "POST":
        return BY_ADDRESS.get(place) if request.query_params else None
    if not has_number:
        return path if path in OWN else "/" + place.split("/")[1]
    [(name, named)] = request.path_params.items()
    page = path.replace(f"{{{name}}}", named) if path in OWN else f"{place}/{named}"
    return page if re.fullmatch(AGREEMENT, named) else None


async def show_again(request: Request, error: SluiceError) -> Response | None:
    """Return the page of the form with the error on it. None if there is none, or if it cannot be fixed there."""
    page = page_of_form(request)
    is_old = isinstance(error, FormNotOurs) and error.is_too_old
    if page is None or again_of(request) or not (is_old or status_of(error) in MENDED):
        return None
    is_sent = request.method == "POST"
    form = _words(await request.form() if is_sent else request.query_params)
    root = str(request.scope.get("root_path", ""))
    faults: tuple[Fault, ...] = getattr(request.state, "faults", ())
    typed = Typed(form, wrong_of(error, () if is_sent else form) | frozenset(map(name_of, faults)))
    asked = () if is_sent else [(name, word) for name in form if name in FIT and (word := typed.text(name))]
    again = Again(error, page, request.scope["path"].removeprefix(root), typed, asked, is_sent, faults=faults)
    body = await _ask(request, f"{root}{page}", again)
    return HTMLResponse(body, status_of(error)) if again.is_shown else None


def _words(form: ImmutableMultiDict[str, object]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, word in form.multi_items():
        if isinstance(word, str) and name not in ("token", "lang"):
            found.setdefault(name, []).append(word)
    return found


async def _ask(request: Request, path: str, again: Again) -> bytes:
    """Request a page of this app as the user who sent the form."""
    language = request.query_params.get("lang", "")
    scope = {
        **request.scope,
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": urlencode({"lang": language} if language else {}).encode(),
        "path_params": {},
        "state": {**request.scope.get("state", {}), "again": again},
    }
    body = []

    async def nothing() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def keep(message: Message) -> None:
        body.append(message.get("body", b""))

    await request.app(scope, nothing, keep)
    return b"".join(body)
