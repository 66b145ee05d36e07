"""A letter is in one language from its first to its last word."""

import re
from dataclasses import replace
from itertools import combinations

import pytest

from rights.letter_samples import CASE, SAMPLES
from rights.letters.letter_pages import EVERY, flat, lines, page_of
from sluice.documents.model import LetterPage
from sluice.documents.words import LANGUAGES, words
from sluice.rights.case.model import ACTIONS, PROTECTED, LetterKind, Right
from sluice.rights.case.reasons import DELAYS, REFUSALS, REMEDIES, iri
from sluice.rights.case.wording import group_text, reason_text
from sluice.rights.letters.page import done_text
from sluice.terms import FieldGroup

ENGLISH = {"the", "and", "your", "data", "you", "with", "what", "this", "that", "by"}
NAMES = {
    "Contact Center NV",
    "Energy One NV",
    "Télécom Deux SA",
    "Object Store BV",
    "Print & Post NV",
    "Vendor of Vendors BV",
}
KEY = re.compile(r"\b(letter|reason|done|group|right|remedies)\.[a-z]")


def english(page: LetterPage) -> set[str]:
    """English words of a page, its names and codes left out."""
    text = " ".join(line for line in lines(page) if not line.startswith("https://") and line not in NAMES)
    return {word for word in re.findall(r"[a-zà-ÿ]+", text.lower()) if word in ENGLISH}


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_no_letter_speaks_another_language_or_in_keys(kind: LetterKind, language: str) -> None:
    page = page_of(SAMPLES[kind](language))

    assert not [text for text in lines(page) if KEY.search(text)]
    assert "{" not in "".join(lines(page))
    if language == "en":
        assert len(english(page)) >= 5, "the check finds English where it is"
    else:
        assert english(page) == set()


def shared(pages: list[LetterPage]) -> set[str]:
    """Lines that two languages have in common, names and codes left out."""
    said = [{line for line in lines(page) if not line.startswith("https://")} - NAMES - {CASE} for page in pages]
    return set().union(*(one & other for one, other in combinations(said, 2))) - {page.sender[-1] for page in pages}


@pytest.mark.parametrize("kind", LetterKind)
def test_languages_share_nothing_but_names_and_codes(kind: LetterKind) -> None:
    pages = [page_of(SAMPLES[kind](language)) for language in LANGUAGES]

    assert shared(pages) == set()
    left = replace(pages[0], opening=pages[2].opening)
    assert shared([left, *pages[1:]]) == {flat(line) for line in pages[2].opening}, "a sentence left as it was is found"


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_a_case_holds_has_words(language: str) -> None:
    say = words(language)
    reasons = {(right, reason) for right, held in REFUSALS.items() for reason in held | DELAYS}

    assert [one for one in reasons if not reason_text(say, *one).endswith(".")] == []
    assert reason_text(say, Right.ERASURE, iri("A17NeverHeardOf")) == "A17NeverHeardOf"
    assert [group for group in (*FieldGroup, "*") if " " not in group_text(say, group)] == []
    assert [a for right in Right for a in ACTIONS[right] if done_text(say, right, a) == a.value] == []
    assert [right for right in Right if say.find(f"right.{right}") is None] == []
    assert [hold for hold in PROTECTED.values() if say.find(f"letter.hold.{hold}") is None] == []
    ways = ("heading", "again", "complaint", "court")
    assert [ref for ref in REMEDIES.values() for way in ways if say.find(f"{ref}.{way}") is None] == []
