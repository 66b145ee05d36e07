"""Put justifications, grounds and field groups into a layman's words, for letters and certificates. Pure."""

from sluice.documents.words import Words
from sluice.rights.case.model import Right
from sluice.rights.case.reasons import short

EVERYTHING, SOME = "*", "*some"
"""What stands for field groups in a letter that names none: all that was asked, or some of it."""


def reason_text(say: Words, right: Right, iri: str) -> str:
    """A justification in plain words, with its article."""
    name = short(iri)
    return say.find(f"reason.{right}.{name}", f"reason.{name}") or name


def ground_text(say: Words, ground: str | None) -> str:
    """Why data had to be erased, GDPR Art. 17(1), in plain words with its letter, or that nobody said."""
    return say.say(f"ground.{ground}" if ground else "ground.unsaid")


def group_text(say: Words, group: str) -> str:
    """A field group in a layman's words."""
    if group in (EVERYTHING, SOME):
        return say.say("letter.everything" if group == EVERYTHING else "letter.something")
    return say.find(f"letter.group.{group}", f"group.{group}") or group
