"""The sheet that every letter to a person is written on: sender, references, greeting, signature. Pure."""

from dataclasses import dataclass
from datetime import date

from sluice.documents.model import LetterPage, Notice, Pair, Part, Text
from sluice.documents.words import Words
from sluice.rights.case.model import Case
from sluice.rights.letters.model import Sender


@dataclass(frozen=True, slots=True)
class Body:
    """What differs between letters. ``opening``: paragraphs."""

    title: str
    opening: tuple[str, ...]
    notices: tuple[Notice, ...] = ()
    parts: tuple[Part, ...] = ()


def set_out(say: Words, case: Case, written_on: date, sender: Sender, body: Body) -> LetterPage:
    """Return the page of a letter about a case. ``written_on``: Brussels date."""
    references = {
        "case": Text(case.case_id, is_code=True),
        "dated": Text(say.day(written_on.isoformat())),
        "received": Text(say.day(case.due.received.isoformat())),
        "right": Text(say.say(f"right.{case.right}")),
    }
    return LetterPage(
        case=case.case_id,
        lang=say.language,
        region=say.locale.territory or "",
        title=body.title,
        subject=f"{say.say('letter.case')} {case.case_id}",
        sender=tuple(line for line in (sender.name, sender.contact) if line),
        references=tuple(Pair(say.say(f"letter.{name}"), value) for name, value in references.items()),
        greeting=say.say("letter.greeting"),
        opening=body.opening,
        notices=body.notices,
        parts=body.parts,
        closing=say.say("letter.closing"),
        signature=say.say("letter.signature", sender=sender.name),
        footer=say.say("letter.page", case=case.case_id, page="@page", pages="@pages"),
    )
