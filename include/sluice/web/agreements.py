"""Agreements over HTTP: which held on a day, and who is what under one of them, as it was known at a moment."""

from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from sluice.errors import NotFound, Ref
from sluice.rights.clock import BRUSSELS
from sluice.terms import Direction, FieldGroup
from sluice.web.access import Auditor
from sluice.web.asked import AGREEMENT, known_when
from sluice.web.model import PRINCIPAL
from sluice.web.problem import problems
from sluice.web.read_model import AgreementList, Day, Instant, RoleMatrix
from sluice.web.reading import reading

router = APIRouter(prefix="/agreements", tags=["agreements"])
On = Annotated[Day | None, Query(description="A Brussels date; today by default.")]
KnownAt = Annotated[Instant | None, Query(description="As it was known at this moment; now by default.")]


@router.get("", response_model=AgreementList)
def list_(
    auditor: Auditor,
    principal: Annotated[str | None, Query(pattern=PRINCIPAL, description="Only with this principal.")] = None,
    at: On = None,
    known_at: KnownAt = None,
) -> dict[str, Any]:
    """List the agreements that hold on a day."""
    from sluice.agreement.describe import describe
    from sluice.agreement.store import list_agreements

    on, known = when(at, known_at)
    with reading() as conn:
        found = [each.agreement for each in list_agreements(conn, known) if on in each.days]
    named = [describe(each) for each in found if principal in (None, each.principal)]
    return {"at": on, "known_at": known, "agreements": named}


@router.get("/{agreement_id}/roles", response_model=RoleMatrix, responses=problems(404))
def roles(
    agreement_id: Annotated[str, Path(pattern=AGREEMENT)],
    auditor: Auditor,
    direction: Annotated[Direction, Query(description="Which way the data crosses.")],
    group: Annotated[FieldGroup | None, Query(description="One field group only.")] = None,
    at: On = None,
    known_at: KnownAt = None,
) -> dict[str, Any]:
    """Show who is controller, processor and owner of every field, who answers, who is notified."""
    from sluice.agreement.describe import describe_roles
    from sluice.agreement.profiles import roles_for
    from sluice.agreement.store import get_paper

    on, known = when(at, known_at)
    paper = None
    with reading() as conn, suppress(NotFound):
        paper = get_paper(conn, agreement_id, on, known)
    if paper is None:
        raise NotFound(Ref("agreement", "of the address"), Ref("date", on.isoformat()))
    agreement, contracts = paper
    return describe_roles(agreement, roles_for(agreement, contracts, direction, on, group))


def when(at: date | None, known_at: datetime | None) -> tuple[date, datetime]:
    """The day that is asked about, and the moment whose knowledge counts: never later than now."""
    now = datetime.now(UTC)
    return at or now.astimezone(BRUSSELS).date(), known_when(known_at, now)
