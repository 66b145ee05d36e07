"""Agreements over HTTP: which held on a day, and who is what under one of them, as it was known at a moment."""

from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from sluice.agreement.timeline import Laid
from sluice.db import Connection
from sluice.errors import NotFound, Ref
from sluice.terms import Direction, FieldGroup
from sluice.times import brussels_day
from sluice.web.access import Auditor
from sluice.web.asked import AGREEMENT, VERSION, known_when
from sluice.web.model import PRINCIPAL
from sluice.web.problem import problems
from sluice.web.read_model import AgreementList, Comparison, Day, Instant, RoleMatrix, VersionList
from sluice.web.reading import reading

router = APIRouter(prefix="/agreements", tags=["agreements"])
On = Annotated[Day | None, Query(description="A Brussels date; today by default.")]
Version = Annotated[str, Query(pattern=VERSION, description="As its paper has it.")]
KnownAt = Annotated[Instant | None, Query(description="As it was known at this moment; now by default.")]


@router.get("", response_model=AgreementList)
def list_(
    auditor: Auditor,
    principal: Annotated[str | None, Query(pattern=PRINCIPAL, description="Only with this principal.")] = None,
    at: On = None,
    known_at: KnownAt = None,
) -> dict[str, Any]:
    """List the agreements that hold on a day."""
    from sluice.agreement.in_force.store import list_agreements
    from sluice.agreement.roles.describe import describe

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
    from sluice.agreement.in_force.store import get_paper
    from sluice.agreement.roles.describe import describe_roles
    from sluice.agreement.roles.profiles import roles_for

    on, known = when(at, known_at)
    paper = None
    with reading() as conn, suppress(NotFound):
        paper = get_paper(conn, agreement_id, on, known)
    if paper is None:
        raise NotFound(Ref("agreement", "of the address"), Ref("date", on.isoformat()))
    agreement, contracts = paper
    return describe_roles(agreement, roles_for(agreement, contracts, direction, on, group))


@router.get("/{agreement_id}/versions", response_model=VersionList, responses=problems(404))
def versions(agreement_id: Annotated[str, Path(pattern=AGREEMENT)], auditor: Auditor) -> dict[str, Any]:
    """List every version in both times: on which days it was to hold, and from when to when that was known."""
    with reading() as conn:
        laid = _laid(conn, agreement_id)
    return {
        "agreement": agreement_id,
        "principal": laid[0].principal,
        "versions": [
            {
                "version": each.version,
                "sha256": each.sha256,
                "valid_from": each.days.first,
                "valid_to": each.days.last,
                "known_from": each.known_from,
                "known_to": each.known_to,
            }
            for each in laid
        ],
    }


@router.get("/{agreement_id}/comparison", response_model=Comparison, responses=problems(404))
def comparison(
    agreement_id: Annotated[str, Path(pattern=AGREEMENT)],
    auditor: Auditor,
    left: Version,
    right: Version,
    every: Annotated[bool, Query(description="Also the lines that both say alike.")] = False,
) -> dict[str, Any]:
    """Show two versions side by side, line by line."""
    from sluice.agreement.compare import Change, compare
    from sluice.agreement.in_force.store import get_body

    with reading() as conn:
        hashes = {each.version: each.sha256 for each in _laid(conn, agreement_id)}
        if not {left, right} <= hashes.keys():
            raise NotFound(Ref("version", "of the address"))
        before, after = (get_body(conn, hashes[version]) for version in (left, right))
    lines = [line for line in compare(before, after) if every or line.change is not Change.SAME]
    return {
        "agreement": agreement_id,
        "left": left,
        "right": right,
        "lines": [{"path": each.path, "change": each.change, "left": each.left, "right": each.right} for each in lines],
    }


def _laid(conn: Connection, agreement_id: str) -> list[Laid]:
    from sluice.agreement.in_force.store import list_laid

    found = [each for each in list_laid(conn) if each.agreement_id == agreement_id]
    if not found:
        raise NotFound(Ref("agreement", "of the address"))
    return found


def when(at: date | None, known_at: datetime | None) -> tuple[date, datetime]:
    """Return the day that is asked about, and the moment whose knowledge counts, which is never later than now."""
    now = datetime.now(UTC)
    return at or brussels_day(now), known_when(known_at, now)
