"""Who may be meant by a case that names a name and a birth date only, and the word of a human on it.

It shows what ``sluice case candidates`` prints: keyed references, and where their rows are. No value of a person.
"""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from pydantic import StringConstraints
from starlette.responses import Response

from sluice.rights.case.model import CaseId
from sluice.rights.case.store import get_case
from sluice.settings import get_settings
from sluice.terms import PRINCIPAL_PATTERN, Principal
from sluice.web.access import Clerk
from sluice.web.errors import Fault, RequestInvalid
from sluice.web.pages.again import NOTHING, again_of
from sluice.web.pages.forms import Checked, Token
from sluice.web.pages.view import Deed, render, to_page

router = APIRouter(prefix="/cases")
PARAMETERS = frozenset({"candidate", "nobody"})
One = Annotated[str, StringConstraints(pattern=f"^{PRINCIPAL_PATTERN}:[0-9a-f]{{32}}$")]
"""``PRINCIPAL:CANDIDATE``, as the command takes it."""


@router.get("/{case_id}/candidates")
def show(request: Request, clerk: Clerk, token: Token, case_id: UUID) -> Response:
    """The candidates of a case that waits. Raises CaseNotWaiting, NotFound."""
    from sluice.exchange.house import open_house
    from sluice.rights.confirm_candidate import candidates_of

    number, again = CaseId(str(case_id)), again_of(request)
    with open_house(get_settings()) as house:
        case, found = get_case(house.conn, number), candidates_of(house, number)
    return render(
        request,
        "candidates.html",
        "cases",
        case=case,
        found=found,
        typed=again.typed if again else NOTHING,
        token=token,
    )


@router.post("/{case_id}/candidates", dependencies=[Checked])
def confirm(
    request: Request,
    clerk: Clerk,
    case_id: UUID,
    candidate: Annotated[tuple[One, ...], Form()] = (),
    nobody: Annotated[bool, Form()] = False,
) -> Response:
    """Say who of them the person is, or that it is nobody; then the case goes on.

    Raises RequestInvalid for neither or both, CaseNotWaiting, NotFound for somebody who is no candidate of this case.
    """
    from sluice.exchange.house import open_house
    from sluice.rights.confirm_candidate import confirm_candidate

    if bool(candidate) == nobody:
        raise RequestInvalid([Fault("body", "/candidate", "missing")])
    number, pairs = CaseId(str(case_id)), [each.partition(":") for each in candidate]
    chosen = [(Principal(name), ref) for name, _, ref in pairs]
    with open_house(get_settings()) as house:
        confirm_candidate(house, number, chosen, datetime.now(UTC), clerk.name)
    return to_page(request, f"/cases/{number}", Deed.CONFIRM if chosen else Deed.CONFIRM_NOBODY)
