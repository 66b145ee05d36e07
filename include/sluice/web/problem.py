"""Errors over HTTP: ``application/problem+json`` (RFC 9457) with our error code, and never a value.

Nothing of the request is repeated: only fields with our own names are named; any other is shown as ``*``.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from sluice.errors import Exit, NotFound, SluiceError
from sluice.rights.case.errors import PrincipalUnknown
from sluice.web.errors import (
    Fault,
    HttpError,
    NotAllowed,
    NothingThere,
    NotLoggedIn,
    RequestInvalid,
)

log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
TYPE = "https://sluice.example/errors#"
MOST_FAULTS = 20
TRY_AGAIN_SECONDS = 10
BY_CLASS: Mapping[type[SluiceError], int] = {PrincipalUnknown: 422, NotFound: 404}
BY_EXIT: Mapping[Exit, int] = {Exit.USAGE: 422, Exit.REFUSED: 409, Exit.MISSING: 503, Exit.UNDECIDED: 500}
BY_STATUS: Mapping[int, type[HttpError]] = {
    401: NotLoggedIn,
    403: NotAllowed,
    404: NothingThere,
    405: NothingThere,
}
"""Which error an answer of Airflow or of the router becomes. Its own text is dropped."""


class FieldFault(BaseModel):
    """One field that cannot be followed."""

    where: str = Field(description="body, query, path or header", examples=["body"])
    pointer: str = Field(description="JSON pointer, or the name of the parameter", examples=["/identifiers/0/kind"])
    reason: str = Field(description="a word of a closed list", examples=["enum"])


class Problem(BaseModel):
    """RFC 9457. `code`, `cure` and `errors` are ours; no value of the request is repeated."""

    type: str = Field(examples=[f"{TYPE}SLU-607"])
    title: str
    status: int = Field(examples=[422])
    detail: str = Field(description="ids, places, counts and names of rules")
    code: str = Field(description="listed in docs/errors.md", examples=["SLU-607"])
    cure: str
    errors: list[FieldFault] | None = None


def status_of(error: SluiceError) -> int:
    """Return the status of any coded error: its own, else that of its class or of its exit code."""
    if isinstance(error, HttpError):
        return error.status
    return next((status for kind, status in BY_CLASS.items() if isinstance(error, kind)), BY_EXIT[error.exit])


def problem_of(error: SluiceError, status: int | None = None, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return the answer for an error."""
    told = status or status_of(error)
    content: dict[str, Any] = {
        "type": f"{TYPE}{error.code}",
        "title": error.summary,
        "status": told,
        "detail": "; ".join(map(str, error.refs)) or error.summary,
        "code": error.code,
        "cure": error.own_cure,
    }
    if isinstance(error, RequestInvalid):
        content["errors"] = [
            {"where": fault.where, "pointer": fault.pointer, "reason": fault.reason} for fault in error.faults
        ]
    more = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": str(TRY_AGAIN_SECONDS)}}.get(told, {})
    return JSONResponse(content, told, {**more, **(headers or {})}, MEDIA_TYPE)


def faults_of(errors: Iterable[Mapping[str, Any]], known: frozenset[str]) -> tuple[Fault, ...]:
    """Return pydantic's errors without anything of the input: an unknown name in it may be a value."""
    found: dict[Fault, None] = {}
    for error in errors:
        where, *path = error["loc"]
        if error["type"] == "json_invalid":
            path = []
        parts = [str(part) if isinstance(part, int) or part in known else "*" for part in path]
        pointer = "".join(f"/{part}" for part in parts) if where == "body" else "/".join(parts)
        found[Fault(where, pointer, error["type"])] = None
    return tuple(found)[:MOST_FAULTS]


def answer_with_problems(app: FastAPI, known: frozenset[str]) -> None:
    """Answer every error of an app with a problem. known: names of our fields and parameters."""

    async def coded(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, SluiceError)
        if status_of(error) >= 500:
            log.error("%s", error)
        return problem_of(error)

    async def plain(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        kept = {"Allow": error.headers["Allow"]} if error.headers and "Allow" in error.headers else None
        return problem_of(BY_STATUS.get(error.status_code, HttpError)(), error.status_code, kept)

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        return problem_of(RequestInvalid(faults_of(error.errors(), known)))

    app.add_exception_handler(SluiceError, coded)
    app.add_exception_handler(HTTPException, plain)
    app.add_exception_handler(RequestValidationError, invalid)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the problems that a route may answer with, for its OpenAPI document."""
    return {status: {"model": Problem, "description": DESCRIPTIONS[status]} for status in statuses}


DESCRIPTIONS: Mapping[int, str] = {
    400: "The body cannot be read.",
    401: "Nobody is logged in.",
    403: "This login may not do that, or its token does not hold.",
    404: "There is no such thing.",
    410: "It is over, and will not come back.",
    409: "A rule of the case says no; the problem names each guard.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "Fields cannot be followed; the problem names each.",
    500: "It could not be judged; the log of the API server has the place.",
    503: "A service does not answer; try again.",
}
EVERY: Sequence[int] = (401, 403, 422, 500, 503)
"""Statuses of problems that any route may answer with."""
