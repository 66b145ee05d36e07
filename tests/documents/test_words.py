"""The three catalogues say the same things, and they have words for everything a record can hold."""

import string
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

import sluice.documents
from sluice.documents.words import LANGUAGES, words
from sluice.terms import Decision, Direction, FieldGroup, RefusalClass, RoleProfile

PLACE = Path(sluice.documents.__path__[0]) / "locale"


def catalogue(language):
    with (PLACE / language / "LC_MESSAGES" / "sluice.po").open("rb") as source:
        catalogue = read_po(source, locale=language)
    return {
        message.id if isinstance(message.id, str) else message.id[0]: message for message in catalogue if message.id
    }


def placeholders(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def texts(message):
    return (message.string,) if isinstance(message.string, str) else tuple(message.string)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_empty_or_unsure(language):
    for name, message in catalogue(language).items():
        assert all(text.strip() for text in texts(message)), name
        assert not message.fuzzy, name


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_language_has_the_same_sentences_with_the_same_parts(language):
    first, other = catalogue("nl"), catalogue(language)

    assert list(first) == list(other)
    for name in first:
        parts = set().union(*map(placeholders, texts(first[name])))
        assert parts == set().union(*map(placeholders, texts(other[name]))), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_a_record_holds_has_words(language):
    say = words(language)
    closed = [decision for decision in Decision if decision is not Decision.OPEN]
    names = [
        *(f"class.{item}.{part}" for item in RefusalClass for part in ("word", "meaning", "cure")),
        *(f"verdict.{item}.{part}" for item in closed for part in ("word", "sentence")),
        *(f"direction.{item}" for item in Direction),
        *(f"group.{item}" for item in FieldGroup),
        *(f"profile.{item}" for item in RoleProfile),
    ]

    assert [name for name in names if name not in catalogue(language)] == []
    assert say.find("no.such.sentence") is None


def test_numbers_days_and_lists_follow_the_language():
    nl, fr, en = map(words, ("nl", "fr", "en"))

    assert nl.moment("2026-07-01T22:30:00Z") == "2 juli 2026, 00:30:00"
    assert en.day("2027-02-23") == "23 February 2027"
    assert (nl.number(41188), en.number(41188)) == ("41.188", "41,188")
    assert fr.listed(["a", "b", "c"]) == "a, b et c"
