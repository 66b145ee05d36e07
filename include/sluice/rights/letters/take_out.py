"""Take a letter out of the vault, to be posted: the one way for the command and the pages, recorded each time."""

from dataclasses import dataclass, field
from datetime import datetime

from sluice.exchange.house import House
from sluice.rights.case.model import Actor, CaseId, Letter, LetterKind, SubCaseId
from sluice.rights.letters.write import note_opened, open_document, open_letter, write_letter


@dataclass(frozen=True, slots=True)
class TakenOut:
    """A letter in clear. ``letter``: as it was logged before, so that it may say that nobody took it out yet."""

    letter: Letter
    content: bytes = field(repr=False)


def take_out(
    house: House,
    case_id: CaseId,
    kind: LetterKind,
    now: datetime,
    actor: Actor,
    *,
    language: str | None = None,
    sub_case_id: SubCaseId | None = None,
    is_document: bool = False,
) -> TakenOut:
    """Return a letter in clear, written first if it is still owed, after recording who took it out.

    Which one, and what is raised, is as in :func:`write_letter` and :func:`open_letter`. ``is_document``: the same
    content as JSON for programs instead of the PDF.
    """
    letter = write_letter(house, case_id, kind, now, language=language, sub_case_id=sub_case_id, actor=actor)
    content = open_document(house, letter) if is_document else open_letter(house, letter)
    note_opened(house.conn, letter, now, actor)
    return TakenOut(letter, content)
