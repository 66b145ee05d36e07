"""Letters to the person, taken out of the vault from the page of their case, as ``sluice case letter`` takes them."""

from datetime import UTC, datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Form
from starlette.responses import Response

from sluice.media_types import PDF
from sluice.rights.case.letter_due import parts_about
from sluice.rights.case.model import Case, CaseId, LetterKind, State, SubCaseId
from sluice.settings import get_settings
from sluice.web.access import Clerk
from sluice.web.model import Language
from sluice.web.pages.asked import Unless
from sluice.web.pages.forms import Checked

router = APIRouter(prefix="/cases", dependencies=[Checked])
PARAMETERS: Final = frozenset({"kind", "language", "part"})


@router.post("/{case_id}/letter")
def take_letter(
    clerk: Clerk,
    case_id: UUID,
    kind: Annotated[LetterKind, Form()],
    language: Annotated[Language | None, Unless, Form()] = None,
    part: Annotated[UUID | None, Unless, Form()] = None,
) -> Response:
    """The PDF to post: the letter that is owed, else the last one of its kind. That it was taken out is recorded.

    ``part``: the letter about this part. Raises LetterNotDue, MaterialGone, NotFound.
    """
    from sluice.exchange.house import open_house
    from sluice.rights.letters.take_out import take_out

    about = SubCaseId(str(part)) if part else None
    with open_house(get_settings()) as house:
        taken = take_out(
            house, CaseId(str(case_id)), kind, datetime.now(UTC), clerk, language=language, sub_case_id=about
        )
    name = f"{kind}-{taken.letter.case_id[:8]}.{taken.letter.language}.pdf"
    named = f'attachment; filename="{name}"'
    return Response(taken.content, media_type=PDF, headers={"Content-Disposition": named})


def kinds_to_write(case: Case) -> list[LetterKind]:
    """Return the kinds of letters that can be written about a case. The rules of writing have the last word. Pure."""
    if case.state is State.WITHDRAWN_BY_SUBJECT:
        return []
    return [kind for kind in LetterKind if kind is LetterKind.RECEIPT or parts_about(case, kind)]
