"""Agreements: which version held when, as it was known when, and what differs between two of them side by side."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import StringConstraints
from starlette.responses import Response

from sluice.agreement.compare import Change, compare
from sluice.agreement.store import get_body, list_contracts, list_laid
from sluice.agreement.timeline import Laid
from sluice.web.access import Auditor
from sluice.web.asked import AGREEMENT
from sluice.web.errors import NothingThere
from sluice.web.pages.asked import KnownAt, On, Unless, times
from sluice.web.pages.view import render
from sluice.web.reading import reading

router = APIRouter(prefix="/agreements")
PARAMETERS = frozenset({"agreement_id", "on", "known_at", "left", "right", "every"})
CHANGE_SIGNS = {Change.SAME: "=", Change.CHANGED: "≠", Change.ADDED: "+", Change.REMOVED: "−"}  # noqa: RUF001
Version = Annotated[Annotated[str, StringConstraints(pattern="^[0-9][0-9A-Za-z.+-]{0,31}$")] | None, Unless]


@router.get("")
def list_(request: Request, auditor: Auditor, on: On, known_at: KnownAt) -> Response:
    """Every agreement with the version that held on a day, as it was known at a moment."""
    with reading() as conn:
        laid = list_laid(conn)
    known = [each for each in laid if each.is_known(known_at)]
    names = list(dict.fromkeys((each.principal, each.agreement_id) for each in laid))
    held = {each.agreement_id: each for each in known if on in each.days}
    return render(
        request,
        "agreements.html",
        "agreements",
        names=sorted(names),
        held=held,
        known={each.agreement_id for each in known},
        **times(request, on, known_at),
    )


@router.get("/{agreement_id}")
def show(
    request: Request,
    auditor: Auditor,
    agreement_id: Annotated[str, Path(pattern=AGREEMENT)],
    on: On,
    known_at: KnownAt,
    left: Version = None,
    right: Version = None,
    every: Annotated[bool, Query()] = False,
) -> Response:
    """One agreement: its versions in both times, its contracts, and two versions line by line. Raises NothingThere."""
    with reading() as conn:
        laid = [each for each in list_laid(conn) if each.agreement_id == agreement_id]
        bodies = {each.version: get_body(conn, each.sha256) for each in laid}
        contracts = [each for each in list_contracts(conn, known_at) if each.contract.agreement_id == agreement_id]
    versions = _versions(laid)
    before, after = left or (versions[-2:] or [""])[0], right or (versions[-1:] or [""])[0]
    if before not in bodies or after not in bodies:
        raise NothingThere
    lines = compare(bodies[before], bodies[after])
    return render(
        request,
        "agreement.html",
        "agreements",
        agreement_id=agreement_id,
        principal=laid[0].principal,
        laid=[(each, each.is_known(known_at), each.is_known(known_at) and on in each.days) for each in laid],
        contracts=contracts,
        versions=versions,
        left=before,
        right=after,
        counts={change: sum(each.change is change for each in lines) for change in Change},
        lines=[each for each in lines if every or each.change is not Change.SAME],
        every=every,
        change_signs=CHANGE_SIGNS,
        **times(request, on, known_at),
    )


def _versions(laid: list[Laid]) -> list[str]:
    """By the first day that each was ever to hold."""
    first = {each.version: each.days.first for each in sorted(laid, key=lambda each: each.days.first, reverse=True)}
    return sorted(first, key=lambda version: first[version])
