"""The role matrix of an agreement: who is what for which fields in which direction, and where roles flip."""

from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from sluice.agreement.in_force.store import find_agreement, find_contracts, list_agreements, list_contracts, list_laid
from sluice.agreement.model import DataContract
from sluice.agreement.roles.matrix import MatrixRow, matrix_of
from sluice.registers.terms import duration_text
from sluice.web.access import Auditor
from sluice.web.asked import AGREEMENT
from sluice.web.errors import NothingThere
from sluice.web.pages.asked import KnownAt, On, times
from sluice.web.pages.view import reader_of, render
from sluice.web.reading import reading

router = APIRouter(prefix="/roles")
PARAMETERS = frozenset({"agreement_id", "on", "known_at"})


@router.get("")
def list_(request: Request, auditor: Auditor, on: On, known_at: KnownAt) -> Response:
    """Every agreement in force on a day, with how many groups flip and what has to be said about roles."""
    with reading() as conn:
        agreements = [each.agreement for each in list_agreements(conn, known_at) if on in each.days]
        contracts = [each.contract for each in list_contracts(conn, known_at) if on in each.days]
    named: dict[tuple[str, str], list[DataContract]] = {}
    for contract in contracts:
        named.setdefault((contract.agreement_id, contract.agreement_version), []).append(contract)
    found = [
        (each, matrix_of(each, named.get((each.agreement_id, each.version), ())))
        for each in sorted(agreements, key=lambda each: each.agreement_id)
    ]
    return render(
        request,
        "roles.html",
        "roles",
        agreements=[
            (
                agreement,
                len({row.group for row in rows}),
                len({row.group for row in rows if row.flips}),
                sorted({code for row in rows for code in row.warnings}),
            )
            for agreement, rows in found
        ],
        **times(request, on, known_at),
    )


@router.get("/{agreement_id}")
def show(
    request: Request,
    auditor: Auditor,
    agreement_id: Annotated[str, Path(pattern=AGREEMENT)],
    on: On,
    known_at: KnownAt,
) -> Response:
    """The matrix of the version that held on a day, as it was known at a moment. Raises NothingThere."""
    rows: tuple[MatrixRow, ...] = ()
    with reading() as conn:
        agreement = find_agreement(conn, agreement_id, on, known_at)
        if agreement is not None:
            rows = matrix_of(agreement, find_contracts(conn, agreement, on, known_at))
        elif all(each.agreement_id != agreement_id for each in list_laid(conn)):
            raise NothingThere
    say = reader_of(request).say
    return render(
        request,
        "role_matrix.html",
        "roles",
        agreement=agreement,
        agreement_id=agreement_id,
        groups=[(group, list(own)) for group, own in groupby(rows, lambda row: row.group)],
        flipping=[row.group for row in rows if row.flips],
        warnings=sorted({code for row in rows for code in row.warnings}),
        kept=lambda rule: say.say(f"register.start.{rule.start_event}", duration=duration_text(say, rule.duration)),
        **times(request, on, known_at),
    )
