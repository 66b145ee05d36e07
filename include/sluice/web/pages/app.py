"""The pages, as one app that Airflow mounts at ``/sluice/pages`` and shows in its own frame.

They are made on the server and need no script. Whatever changes something is a form, checked in ``forms.py``, that
calls the same use case as the command. Permissions are a table in ``access.py``.
"""

from typing import Final

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from sluice.errors import SluiceError
from sluice.web.errors import HttpError, NothingThere, RequestInvalid
from sluice.web.guard import Guard
from sluice.web.pages import (
    actions,
    agreements,
    assets,
    breach,
    candidates,
    cases,
    exchanges,
    letters,
    lineage,
    opening,
    registers,
    roles,
    staff,
    start,
    waiting,
)
from sluice.web.pages.again import show_again
from sluice.web.pages.bar import note_places
from sluice.web.pages.forms import FORM
from sluice.web.pages.view import PAGES, say_error
from sluice.web.problem import BY_STATUS, faults_of

MOUNT: Final = PAGES
ASKED: Final = (
    *(exchanges, opening, cases, candidates, letters, actions),
    *(lineage, roles, agreements, staff, registers, breach),
)
"""Pages with parameters or forms; first those whose address another pattern would take."""
ROUTERS: Final = (start.router, waiting.router, *(page.router for page in ASKED), assets.router)
PARAMETERS: Final = frozenset().union(*(page.PARAMETERS for page in ASKED))
"""Our own field names, which an error may show."""
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'self'",
}
"""Nothing from elsewhere and nothing inline, so that the name of a file or principal cannot become a script."""


def make_pages() -> FastAPI:
    """Make the app. It needs Airflow's auth manager when it is called, not when it is made."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    behind_login = [Depends(note_places)]
    for router in ROUTERS:
        app.include_router(router, dependencies=behind_login)
    app.add_exception_handler(SluiceError, _coded)
    app.add_exception_handler(HTTPException, _plain)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_middleware(
        Guard,
        headers=HEADERS,
        tell=lambda scope, error: say_error(Request(scope), error),
        takes=frozenset({FORM}),
    )
    return app


async def _coded(request: Request, error: Exception) -> Response:
    assert isinstance(error, SluiceError)
    return await show_again(request, error) or say_error(request, error)


async def _plain(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = BY_STATUS.get(error.status_code, HttpError)
    return say_error(request, kind())


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = faults_of(error.errors(), PARAMETERS)
    in_path = any(fault.where == "path" for fault in faults)
    return await _coded(request, NothingThere() if in_path else RequestInvalid(faults))
