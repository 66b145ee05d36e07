"""Agreements: which version held when, known since when, who signed its roles off, and two versions side by side."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import StringConstraints
from starlette.responses import Response

from sluice.agreement.compare import Change, compare
from sluice.agreement.in_force.store import find_agreement, get_body, list_contracts, list_laid
from sluice.agreement.roles.profiles import ROLES_TO_SIGN
from sluice.agreement.roles.sign_off import refusal_of, uses
from sluice.agreement.roles.sign_off_store import list_sign_offs
from sluice.agreement.timeline import Laid
from sluice.db import Connection
from sluice.web.access import Auditor, SignsRoles
from sluice.web.asked import AGREEMENT, VERSION
from sluice.web.errors import NothingThere
from sluice.web.pages.asked import KnownAt, On, Unless, times
from sluice.web.pages.forms import Token
from sluice.web.pages.view import Done, render
from sluice.web.reading import reading

router = APIRouter(prefix="/agreements")
PARAMETERS = frozenset({"agreement_id", "on", "known_at", "left", "right", "every"})
CHANGE_SIGNS = {Change.SAME: "=", Change.CHANGED: "≠", Change.ADDED: "+", Change.REMOVED: "−"}  # noqa: RUF001
Number = Annotated[str, StringConstraints(pattern=VERSION)]
"""The version of an agreement."""
Version = Annotated[Number | None, Unless]


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
    may_sign: SignsRoles,
    token: Token,
    agreement_id: Annotated[str, Path(pattern=AGREEMENT)],
    on: On,
    known_at: KnownAt,
    left: Version = None,
    right: Version = None,
    every: Annotated[bool, Query()] = False,
    done: Done = None,
) -> Response:
    """One agreement: versions in both times, contracts, sign-offs, two versions line by line. Raises NothingThere."""
    with reading() as conn:
        laid = [each for each in list_laid(conn) if each.agreement_id == agreement_id]
        bodies = {each.version: get_body(conn, each.sha256) for each in laid}
        contracts = [each for each in list_contracts(conn, known_at) if each.contract.agreement_id == agreement_id]
        signing = _signing(conn, agreement_id, on, known_at, auditor.name)
    return render(
        request,
        "agreement.html",
        "agreements",
        agreement_id=agreement_id,
        principal=laid[0].principal if laid else None,
        laid=[(each, each.is_known(known_at), each.is_known(known_at) and on in each.days) for each in laid],
        contracts=contracts,
        signing=signing,
        may_sign=may_sign,
        token=token,
        done=done,
        **_side_by_side(bodies, _versions(laid), left, right, every),
        **times(request, on, known_at),
    )


def _side_by_side(
    bodies: dict[str, bytes], versions: list[str], left: str | None, right: str | None, every: bool
) -> dict[str, Any]:
    """Return two versions line by line: those asked for, else the last two. Raises NothingThere."""
    before, after = left or (versions[-2:] or [""])[0], right or (versions[-1:] or [""])[0]
    if before not in bodies or after not in bodies:
        raise NothingThere
    lines = compare(bodies[before], bodies[after])
    return {
        "versions": versions,
        "left": before,
        "right": after,
        "counts": {change: sum(each.change is change for each in lines) for change in Change},
        "lines": [each for each in lines if every or each.change is not Change.SAME],
        "every": every,
        "change_signs": CHANGE_SIGNS,
    }


def _signing(conn: Connection, agreement_id: str, on: date, known_at: datetime, by: str) -> dict[str, Any] | None:
    """Return, for the version that held on a day, each profile to sign, who signed it, and why ``by`` cannot sign."""
    paper = find_agreement(conn, agreement_id, on, known_at)
    profiles = [each for each in ROLES_TO_SIGN if paper and uses(conn, paper, each, known_at)]
    if paper is None or not profiles:
        return None
    signed = [each for each in list_sign_offs(conn, agreement_id, known_at) if each.version == paper.version]
    return {
        "paper": paper,
        "profiles": [
            (profile, [each for each in signed if each.profile == profile], refusal_of(paper, profile, by))
            for profile in profiles
        ],
    }


def _versions(laid: list[Laid]) -> list[str]:
    """Return the versions in the order of their first day."""
    first = {each.version: each.days.first for each in sorted(laid, key=lambda each: each.days.first, reverse=True)}
    return sorted(first, key=lambda version: first[version])
