"""Letters as pages and as PDFs, of the facts of the samples."""

import re
from itertools import product

from sluice.documents.model import LetterPage
from sluice.documents.words import LANGUAGES, Words
from sluice.rights.case.model import LetterKind
from sluice.rights.case.wording import group_text
from sluice.rights.letters.document import spoken
from sluice.rights.letters.model import LetterFacts
from sluice.rights.letters.page import make_letter_page
from sluice.terms import FieldGroup

EVERY = list(product(LetterKind, LANGUAGES))
AUTHORITY = {
    "nl": "Gegevensbeschermingsautoriteit",
    "fr": "Autorité de protection des données",
    "en": "Belgian Data Protection Authority",
}


def complaint(say: Words) -> str:
    return AUTHORITY[say.language]


def court(say: Words) -> str:
    return say.say("remedies.be.court")


def data(say: Words, group: FieldGroup, reason: str) -> str:
    return group_text(say, group)


def page_of(facts: LetterFacts) -> LetterPage:
    return make_letter_page(facts)


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def lines(page: LetterPage) -> list[str]:
    """What a page says, with plain spaces."""
    return [flat(line) for line in spoken(page)]
