"""The HTTP API, version 1, as one app that Airflow mounts at ``/sluice/api/v1``.

A later version will be another app at another address; the pages are another app too, with other errors. What may be
done is a table in ``access.py``. Everything requires a login, even the OpenAPI document, with one exception: an answer
to a person opens for whoever has its token and code (``answers.py``).
"""

from typing import Any, Final

from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends, FastAPI
from fastapi.openapi.utils import get_openapi

from sluice.media_types import JSON
from sluice.web import agreements, answers, breach, cases, due, exchanges, opendsr, registers, staff, waiting
from sluice.web.dsr_model import DsrRequest
from sluice.web.guard import Guard
from sluice.web.model import CaseRequest, Withdrawal, field_names
from sluice.web.problem import EVERY, MEDIA_TYPE, answer_with_problems, problems
from sluice.web.read_model import AgentBreach, ObjectBreach

MOUNT = "/sluice/api/v1"
TITLE = "Sluice"
ROOMS: Final = (cases, opendsr, exchanges, agreements, registers, breach, due, staff, waiting)
BEHIND_LOGIN: Final = tuple(each.router for each in ROOMS)
PARAMETERS = frozenset(
    {
        *("token", "authorization", "case_id", "request_id", "exchange_id", "agreement_id", "article", cases.KEY),
        *("principal", "direction", "decision", "since", "state", "open", "limit", "cursor"),
        *("at", "known_at", "group", "lang", "aware", "risk", "received", "country"),
        *("moment", "readiness", "page", "left", "right", "every"),
    }
)
ABOUT = """Requests of persons under the GDPR, and what compliance reads: exchanges, lineage, agreements, registers,
breach slices, the clock, staff, what waits. Identifiers of a person go in bodies only, never in an address.
Errors are `application/problem+json` (RFC 9457) with a code of docs/errors.md; no value is ever repeated."""


def make_api() -> FastAPI:
    """Make the app. It needs Airflow's auth manager when it is called, not when it is made."""
    app = FastAPI(
        title=TITLE,
        version="1",
        description=ABOUT,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        responses=problems(*EVERY),
    )
    behind_login = [Depends(get_user)]
    for router in BEHIND_LOGIN:
        app.include_router(router, dependencies=behind_login)
    app.include_router(answers.router)
    app.add_api_route(
        "/openapi.json",
        lambda: _document(app),
        methods=["GET"],
        include_in_schema=False,
        dependencies=behind_login,
    )
    answer_with_problems(app, PARAMETERS | field_names(CaseRequest, Withdrawal, DsrRequest, AgentBreach, ObjectBreach))
    app.add_middleware(Guard)
    return app


def _document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, with errors under the media type that they really have."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            servers=[{"url": MOUNT}],
        )
        for path in document["paths"].values():
            for operation in path.values():
                for status, answer in operation["responses"].items():
                    if int(status) >= 400:
                        answer["content"] = {MEDIA_TYPE: answer["content"].pop(JSON)}
        schemes = document["components"].setdefault("securitySchemes", {})
        schemes[answers.SCHEME] = {"type": "http", "scheme": "basic", "description": answers.ABOUT}
        app.openapi_schema = document
    return app.openapi_schema
