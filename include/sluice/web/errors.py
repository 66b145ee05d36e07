"""Errors of a request that occur before any rule of Sluice looks at it. None repeats a word of the request."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sluice.errors import Exit, Ref, SluiceError
from sluice.ledger.names import FORM, LONGEST


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong. ``where``: body, query, path or header; ``reason``: a word of a closed list.

    ``pointer``: names of ours and places in lists, nothing else.
    """

    where: str
    pointer: str
    reason: str


class HttpError(SluiceError):
    """An error of HTTP, with its status."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "SLU-600"
    summary: ClassVar[str] = "the request cannot be understood"
    cure: ClassVar[str] = "send what `openapi.json` of the API describes"
    exit: ClassVar[Exit] = Exit.USAGE


class NotLoggedIn(HttpError):
    """Nobody is logged in, or the token has expired."""

    status: ClassVar[int] = 401
    code: ClassVar[str] = "SLU-601"
    summary: ClassVar[str] = "nobody is logged in"
    cure: ClassVar[str] = "log in to Airflow, or send `Authorization: Bearer` with a token of Airflow's login"


class NotAllowed(HttpError):
    """The logged-in user may not do this, or the token is not valid."""

    status: ClassVar[int] = 403
    code: ClassVar[str] = "SLU-602"
    summary: ClassVar[str] = "this login may not do that, or its token does not hold"
    cure: ClassVar[str] = "ask for the permission that docs/reference/permissions.md names, or log in again"
    exit: ClassVar[Exit] = Exit.REFUSED


class NameUnfit(NotAllowed):
    """The name of a login cannot be recorded: every step of a case names who took it."""

    code: ClassVar[str] = "SLU-603"
    summary: ClassVar[str] = "the name of this login cannot stand in a record"
    cure: ClassVar[str] = (
        f"use a login whose name begins with a letter or digit and has at most {LONGEST} characters, all of them {FORM}"
    )


class NothingThere(HttpError):
    """There is no such path, or not with this method."""

    status: ClassVar[int] = 404
    code: ClassVar[str] = "SLU-604"
    summary: ClassVar[str] = "there is nothing at this address, or not for this method"
    cure: ClassVar[str] = "`openapi.json` of the API lists every address"


class SeveralBegin(NothingThere):
    """More than one number begins like this."""

    code: ClassVar[str] = "SLU-610"
    summary: ClassVar[str] = "several numbers begin so"
    cure: ClassVar[str] = "give more of the number"


class SentFromElsewhere(NotAllowed):
    """No page of ours sent the form: the browser says so, or says nothing."""

    code: ClassVar[str] = "SLU-608"
    summary: ClassVar[str] = "this form was not sent from a page of ours; nothing was done"
    cure: ClassVar[str] = (
        "open the page and send it from there; behind a proxy set `[api] base_url` to the address people use"
    )


class FormNotOurs(NotAllowed):
    """The form has no token of this login, another login's token, or one that is too old."""

    code: ClassVar[str] = "SLU-609"
    summary: ClassVar[str] = "this form is too old, or it was not made for this login; nothing was done"
    cure: ClassVar[str] = "open the page again and send it from there"

    def __init__(self, is_too_old: bool = False) -> None:
        self.is_too_old = is_too_old
        super().__init__()


class TooLarge(HttpError):
    """The body is larger than any request of one person."""

    status: ClassVar[int] = 413
    code: ClassVar[str] = "SLU-605"
    summary: ClassVar[str] = "the body is too large"
    cure: ClassVar[str] = "one request is about one person; many persons go as a file under the principal's `requests/`"


class NotJson(HttpError):
    """The body is not of the accepted kind: JSON at the API, a form at the pages."""

    status: ClassVar[int] = 415
    code: ClassVar[str] = "SLU-606"
    summary: ClassVar[str] = "the body is not of a kind that is taken here"
    cure: ClassVar[str] = "send `Content-Type: application/json` to the API; send a form from its page"


class RequestInvalid(HttpError):
    """Fields are missing, unknown or meaningless. Each is named, none is repeated."""

    status: ClassVar[int] = 422
    code: ClassVar[str] = "SLU-607"
    summary: ClassVar[str] = "fields of the request cannot be followed"
    cure: ClassVar[str] = "`errors` names each field and why; `openapi.json` says what it may be"

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(Ref("fields", len(self.faults)))
