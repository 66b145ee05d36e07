"""Cases over HTTP: open, list, show, withdraw. Each route is one use case of ``rights``, in a thread of its own."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BeforeValidator, WithJsonSchema

from sluice.db import connect
from sluice.rights.case.describe import describe
from sluice.rights.case.model import Case, CaseId, State
from sluice.settings import get_settings
from sluice.terms import Principal
from sluice.web.access import CaseReader, Clerk, Onlooker
from sluice.web.asked import known_when
from sluice.web.cursor import cursor_of, place_of
from sluice.web.model import PRINCIPAL, CasePage, CaseRequest, CaseShort, CaseShown, Withdrawal
from sluice.web.problem import problems
from sluice.web.read_model import CaseTrace, Instant
from sluice.web.reading import reading, reading_house

router = APIRouter(prefix="/cases", tags=["cases"])
LARGEST_PAGE = 200
KEY = "Idempotency-Key"
WRITING = (400, 409, 413, 415)
Bare = BeforeValidator(lambda said: said.strip().removeprefix('"').removesuffix('"') if isinstance(said, str) else said)
"""A header may quote its value (RFC 9651)."""


@router.post(
    "",
    status_code=201,
    response_model=CaseShort,
    responses={200: {"model": CaseShort, "description": "The case that this key opened before."}, **problems(*WRITING)},
)
def open_(
    body: CaseRequest,
    clerk: Clerk,
    request: Request,
    response: Response,
    key: Annotated[
        UUID | None,
        Bare,
        WithJsonSchema({"type": "string", "format": "uuid"}),
        Header(alias=KEY, description="The client's own number of the request: again, it gives the same case."),
    ] = None,
) -> dict[str, Any]:
    """Open a case: the person is protected at once, then every controller's part is made.

    Identifiers go in this body and nowhere else. With a key a lost answer is asked for again without a
    second case; the same key with another content is refused.
    """
    from sluice.exchange.house import open_house
    from sluice.rights.opening import NewRequest, open_case
    from sluice.rights.person.identifiers import KINDS, Identifier

    now = datetime.now(UTC)
    asked = NewRequest(
        right=body.right,
        identifiers=[
            Identifier(KINDS[each.kind], each.value, Principal(each.principal) if each.principal else None)
            for each in body.identifiers
        ],
        principal=Principal(body.principal) if body.principal else None,
        received=body.received or now,
        channel=body.channel,
        language=body.language,
        actor=clerk,
        request_id=key,
    )
    with open_house(get_settings()) as house:
        case = open_case(house, asked, now)
    say_where(case, now, f"{request.scope['root_path']}{router.prefix}/{case.case_id}", response)
    return describe(case)


def say_where(case: Case, now: datetime, address: str, response: Response) -> None:
    """Set the Location, and the status 201, or 200 for a case that existed: a new one was opened at ``now`` exactly."""
    response.headers["Location"] = address
    response.status_code = 201 if case.opened_at == now else 200


@router.get("", response_model=CasePage)
def list_(
    reader: CaseReader,
    principal: Annotated[str | None, Query(pattern=PRINCIPAL, description="With a part of this principal.")] = None,
    state: Annotated[State | None, Query(description="Of the case or of a part.")] = None,
    open: Annotated[bool, Query(description="Only what is not over.")] = False,
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = 50,
    cursor: Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before.")] = None,
) -> dict[str, Any]:
    """List cases, newest first, a page at a time."""
    from sluice.rights.case.store import CaseFilter, list_cases

    wanted = CaseFilter(principal=principal, state=state, only_open=open)
    after = place_of(cursor) if cursor else None
    with reading() as conn:
        found = list_cases(conn, wanted, limit=limit + 1, after=after)
    page = found[:limit]
    return {
        "cases": [describe(case) for case in page],
        "next_cursor": cursor_of(page[-1].opened_at, page[-1].case_id) if len(found) > limit else None,
    }


@router.get("/{case_id}", response_model=CaseShown, responses=problems(404))
def show(case_id: UUID, reader: CaseReader) -> dict[str, Any]:
    """Show a case: its clock, what comes next, its parts and every step they took."""
    from sluice.rights.case.owed import find_owed
    from sluice.rights.case.store import get_case, list_steps

    number = CaseId(str(case_id))
    with reading() as conn:
        case = get_case(conn, number)
        return describe(case, list_steps(conn, number), find_owed(conn, case))


@router.get("/{case_id}/lineage", response_model=CaseTrace, responses=problems(404, 409))
def lineage(
    case_id: UUID,
    reader: CaseReader,
    onlooker: Onlooker,
    moment: Annotated[Instant | None, Query(description="What was closed by then; now by default.")] = None,
) -> dict[str, Any]:
    """Show every exchange that holds whoever a case is about: the index says which, the ledger the rest."""
    from sluice.lineage.graph import describe as describe_trace
    from sluice.lineage.graph import trace_of
    from sluice.rights.journey import follow_case

    at = known_when(moment, datetime.now(UTC))
    with reading_house() as house:
        told = follow_case(house, CaseId(str(case_id)), at)
    followed = told.followed
    return {
        **describe_trace(trace_of(followed.records, followed.fate.waiting)),
        "case": str(case_id),
        "moment": at,
        "persons": told.persons,
        "exchanges": [record.exchange_id for record in followed.records],
        "there_are_more": followed.most is not None,
        "searched": told.searched,
        "lost": told.lost,
        "silent": told.silent,
    }


@router.post("/{case_id}/withdraw", response_model=CaseShort, responses=problems(404, *WRITING))
def withdraw(case_id: UUID, body: Withdrawal, clerk: Clerk) -> dict[str, Any]:
    """The person takes the request back: every part ends, and who was told of it is told."""
    from sluice.rights.case.steps import desk_order
    from sluice.rights.case.steps import withdraw as withdraw_case

    order = desk_order(clerk.name, datetime.now(UTC), "SUBJECT_ASKED", body.evidence_sha256)
    with connect(get_settings()) as conn:
        return describe(withdraw_case(conn, CaseId(str(case_id)), order))
