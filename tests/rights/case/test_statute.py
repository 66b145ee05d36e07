"""The exceptions to erasure: all that the article has can be cited, and the person reads which one it is."""

import re
from pathlib import Path

import pytest

from sluice.documents.words import LANGUAGES, words
from sluice.rights.case.model import Right
from sluice.rights.case.reasons import EXCEPTIONS, REFUSALS, iri
from sluice.rights.case.wording import reason_text

STATUTE = {
    "A17FreedomOfExpression": "a",
    "A17LegallyRequired": "b",
    "A17PublicInterest": "b",
    "A17OfficialAuthority": "b",
    "A17PublicHealth": "c",
    "A17Archiving": "d",
    "A17LegalClaims": "e",
}
"""Every exception to erasure that DPV has a justification for, and its letter of Art. 17(3)."""
PLACE = {"nl": "artikel 17.3.{} AVG", "fr": "article 17.3.{} du RGPD", "en": "GDPR Art. 17(3)({})"}
GROUNDS = {"ChildData", "LegalErasure", "NoLegalBasis", "NonNecessity", "ObjectA21", "UnlawfulProcessing"}
"""DPV's other justifications of Art. 17: why data is erased (17(1)), never why not."""


def sentence(language: str, name: str) -> str:
    """What the person reads, with plain spaces."""
    return reason_text(words(language), Right.ERASURE, iri(name)).replace("\xa0", " ")


def test_every_exception_can_be_cited_and_nothing_else_of_that_article() -> None:
    assert {iri(name) for name in STATUTE} == EXCEPTIONS
    assert REFUSALS[Right.ERASURE] > EXCEPTIONS
    assert REFUSALS[Right.ERASURE].isdisjoint(iri(f"A17{name}") for name in GROUNDS)
    assert REFUSALS[Right.ACCESS].isdisjoint(EXCEPTIONS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_sentence_names_its_letter_and_no_two_are_equal(language: str) -> None:
    found = {name: sentence(language, name) for name in STATUTE}

    assert [name for name, letter in STATUTE.items() if PLACE[language].format(letter) not in found[name]] == []
    assert len(set(found.values())) == len(found)
    assert PLACE[language].format("b") not in found["A17PublicHealth"], "the control: another letter"


def test_no_exception_of_dpv_is_left_out(schemas: Path) -> None:
    known = (schemas / "dpv" / "dpv-2.3-subset.csv").read_text()
    names = set(re.findall(r"#JustificationA17(\w+)", known))

    assert names - GROUNDS == {name.removeprefix("A17") for name in STATUTE}
    assert names >= GROUNDS
