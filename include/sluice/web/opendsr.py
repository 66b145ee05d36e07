"""OpenDSR 2.0: the same cases, requested under the client's own number and with the names of the standard.

Our additions to the standard: more rights, identity ``phone``, format ``hmac-sha256``. A keyed value names nobody to
us, because the key is somebody else's; it is counted as not searched. md5 and sha1 are refused. Callbacks are accepted
but not called yet. ``encoded_request`` is never given back.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from sluice.db import connect
from sluice.rights.case.errors import PrincipalUnknown
from sluice.rights.case.history import Step
from sluice.rights.case.model import Case, State, Track
from sluice.settings import get_settings
from sluice.terms import Principal, SubjectKind
from sluice.times import BRUSSELS
from sluice.web.access import CaseReader, Clerk
from sluice.web.cases import WRITING, say_where
from sluice.web.dsr_model import HOST, VERSION, DsrOpened, DsrRequest, DsrStatus, RequestId
from sluice.web.problem import problems

router = APIRouter(prefix="/opendsr/requests", tags=["opendsr"])
KINDS: Mapping[str, SubjectKind] = {
    "phone": SubjectKind.PHONE,
    "email": SubjectKind.EMAIL,
    "controller_customer_id": SubjectKind.PRINCIPAL_CUSTOMER_ID,
}
LAST_SECOND = time(23, 59, 59)


@router.post(
    "",
    status_code=201,
    response_model=DsrOpened,
    responses={200: {"model": DsrOpened, "description": "The request that was there."}, **problems(*WRITING)},
)
def open_(body: DsrRequest, clerk: Clerk, request: Request, response: Response) -> dict[str, Any]:
    """Open a case from an OpenDSR request. The same `subject_request_id` gives the same case.

    The clock runs from `submitted_time`. `agreementId` says which principal was addressed.
    """
    from sluice.agreement.in_force.store import find_owner
    from sluice.exchange.house import open_house
    from sluice.rights.opening import NewRequest, open_case

    now, ours = datetime.now(UTC), body.extensions.ours
    raw = [each for each in body.subject_identities if each.identity_format == "raw"]
    with open_house(get_settings()) as house:
        principal: Principal | None = None
        if ours.agreement_id is not None:
            principal = find_owner(house.conn, ours.agreement_id)
            if principal is None:
                raise PrincipalUnknown
        asked = NewRequest(
            right=body.right,
            identifiers=[(KINDS[each.identity_type], each.identity_value) for each in raw],
            principal=principal,
            received=body.submitted_time,
            channel=ours.channel,
            language=ours.language,
            actor=clerk,
            request_id=body.subject_request_id,
        )
        case = open_case(house, asked, now)
    address = f"{request.scope['root_path']}{router.prefix}/{body.subject_request_id}"
    say_where(case, now, address, response)
    extension = {"caseId": case.case_id, "identitiesNotSearched": len(body.subject_identities) - len(raw)}
    return {**_head(case, body.subject_request_id), "extensions": {HOST: extension}}


@router.get("/{request_id}", response_model=DsrStatus, responses=problems(404))
def show(request_id: RequestId, reader: CaseReader) -> dict[str, Any]:
    """Where an OpenDSR request stands: pending, in_progress, completed, cancelled; and its clock."""
    from sluice.keys import Keyring
    from sluice.rights.case.store import find_protected_at, get_case, list_steps
    from sluice.rights.person.sealed import case_id_of

    settings = get_settings()
    case_id = case_id_of(Keyring.open(settings), request_id)
    with connect(settings) as conn:
        case, steps = get_case(conn, case_id), list_steps(conn, case_id)
        protected_at = find_protected_at(conn, case_id)
    told = {
        "caseId": case.case_id,
        "state": _state(case),
        "suppressedAt": protected_at.astimezone(BRUSSELS) if protected_at else None,
        "clock": {
            "t0": case.due.received,
            "nominalDue": case.due.nominal_due,
            "legalDue": case.due.legal_due,
            "extendedDue": case.due.extended_due,
        },
        "justificationIris": _justifications(steps),
    }
    return {**_head(case, request_id), "request_status": status_of(case), "extensions": {HOST: told}}


def status_of(case: Case) -> str:
    """Return the standard's status of a case. Pure."""
    if case.state is State.WITHDRAWN_BY_SUBJECT:
        return "cancelled"
    if case.state is State.CLOSED:
        return "completed"
    is_begun = case.state is not State.RECEIVED or any(part.state is not State.SCOPED for part in case.sub_cases)
    return "in_progress" if is_begun else "pending"


def _head(case: Case, request_id: UUID) -> dict[str, Any]:
    """Return what both answers begin with. Times are Brussels times, due at the end of the last day."""
    return {
        "api_version": VERSION,
        "controller_id": case.principal or get_settings().center,
        "subject_request_id": request_id,
        "received_time": case.opened_at.astimezone(BRUSSELS),
        "expected_completion_time": datetime.combine(case.last_day, LAST_SECOND, BRUSSELS),
    }


def _state(case: Case) -> State:
    """Return the state of the part that the addressed controller decides, else that of the case."""
    theirs = [part.state for part in case.sub_cases if part.track is Track.PROCESSOR]
    return theirs[0] if case.principal and len(theirs) == 1 and not case.state.is_over else case.state


def _justifications(steps: list[Step]) -> list[str]:
    """Return the IRIs of the reasons of refusals, without duplicates."""
    return sorted({reason for step in steps for reason in step.reasons.values()})
