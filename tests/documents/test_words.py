"""The three catalogues say the same things, and they have words for everything a record can hold."""

import re
import string
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

import sluice.documents
from sluice.agreement import profiles
from sluice.dial.model import LeftOut
from sluice.documents.reasons import meaning_of
from sluice.documents.returned import held_sentence
from sluice.documents.words import LANGUAGES, words
from sluice.returns.model import STAFF, Held
from sluice.rights.mail_send import TEXTS
from sluice.staff.model import Reason
from sluice.terms import (
    Decision,
    Direction,
    FieldGroup,
    RefusalClass,
    RoleProfile,
    ScreenAction,
    ScreenClass,
)

PLACE = Path(sluice.documents.__path__[0]) / "locale"


@cache
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


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_there_twice(language):
    lines = (PLACE / language / "LC_MESSAGES" / "sluice.po").read_text(encoding="utf-8").splitlines()
    names = [line for line in lines if line.startswith("msgid ")]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_language_has_the_same_sentences_with_the_same_parts(language):
    first, other = catalogue("nl"), catalogue(language)

    assert list(first) == list(other)
    for name in first:
        parts = set().union(*map(placeholders, texts(first[name])))
        assert parts == set().union(*map(placeholders, texts(other[name]))), name


@pytest.mark.slow
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


PAST = {ScreenAction.MASK: "MASKED", ScreenAction.REFUSE: "REFUSED", ScreenAction.REVIEW: "REVIEW"}
RETURN_CODES = (
    "STALE_NEWER_RETURN",
    "STALE_INPUT_GONE",
    "STALE_RETENTION_OVER",
    "HEADER_SOURCE_MISSING",
    "VALUE_UNWRITABLE",
    "FORBIDDEN_COUNTRY",
)
RIGHTS = ("erased", "objected", "restricted", "consent_withdrawn", "do_not_call_me", "soft_hold")
HELD = (
    *RIGHTS,
    *Held,
    *LeftOut,
    *(f"{STAFF}{reason}" for reason in Reason),
    *(f"TEXT_{word.name}_REVIEW" for word in ScreenClass),
)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", HELD)
def test_every_reason_to_hold_a_row_is_one_plain_sentence(language, code):
    said = held_sentence(words(language), code)

    assert said != f"{code[0].upper()}{code[1:]}."
    assert said[0].isupper() and said.endswith(".") and " " in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_reason_nobody_knows_is_shown_as_it_is(language):
    assert held_sentence(words(language), "NEVER_HEARD_OF") == "NEVER_HEARD_OF."


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_of_screen_and_return_has_words_meaning_and_cure(language):
    say = words(language)
    screen = [f"TEXT_{word.name}_{past}" for word in ScreenClass for past in PAST.values()]

    for code in (*screen, "TEXT_SAMPLE", *RETURN_CODES):
        known = meaning_of(say, code)
        assert known not in set(RefusalClass), code
        assert say.find(f"code.{known}.meaning") and say.find(f"code.{known}.cure"), code
    assert meaning_of(say, "VALUE_NOT_YET_INVENTED") == "VALUE"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_copy_role_and_screened_class_has_words(language):
    names = [
        *(
            f"copy.{kind}"
            for kind in ("return", "return.findings", "held", "delivered", "dial", "dial.kept", "index.rest")
        ),
        *(f"role.{party}" for party in ("center", "both", "each", "joint", "vendor", "-")),
        *(f"screen.{word}" for word in ScreenClass),
        *(f"columns.from.{side}" for side in ("principal", "center", "unknown")),
        *(f"outbound_return.verdict.{decision}.sentence" for decision in Decision if decision is not Decision.OPEN),
    ]

    assert [name for name in names if name not in catalogue(language)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_warning_about_roles_has_words(language):
    """The codes are those that the agreement room can give."""
    source = Path(profiles.__file__).read_text(encoding="utf-8")
    codes = set(re.findall(r'append\("([A-Z0-9_]+):', source))

    assert len(codes) == 4
    assert [code for code in codes if f"warning.{code}" not in catalogue(language)] == []


LEDGER = {"nl": "logboek", "fr": "registre"}


def off_term(language, said):
    """Sentences that are about the ledger in English and do not call it by its one term here."""
    english = catalogue("en") | {f"mail.{kind}": Message(kind, TEXTS[kind][3]) for kind in TEXTS}
    about = [name for name, message in english.items() if any("ledger" in text.lower() for text in texts(message))]
    assert len(about) >= 7
    return [name for name in about if LEDGER[language] not in " ".join(texts(said[name])).lower()]


@pytest.mark.parametrize(("language", "place"), [("nl", 1), ("fr", 2)])
def test_the_ledger_has_one_term_in_each_language(language, place):
    said = catalogue(language) | {f"mail.{kind}": Message(kind, TEXTS[kind][place]) for kind in TEXTS}

    assert off_term(language, said) == []
    assert "grootboek" not in (PLACE / language / "LC_MESSAGES" / "sluice.po").read_text(encoding="utf-8")
    said["verify.entry"] = Message("verify.entry", "Regel in het grootboek")
    assert off_term(language, said) == ["verify.entry"], "another term is found"


OTHER_TERMS = {
    "nl": r"\bza(ak|ken)\b|\bdeels aanvaard\b|\{holder\} die\b",
    "fr": r"\baccord de traitement\b|\bl.accord\b|\br\u00e9c\u00e9piss\u00e9s?\b",
    "en": r"\baccepted in part\b",
}
"""What a thing is not called, because it is called otherwise elsewhere: a request, an agreement, a receipt, a verdict;
and an article that fits one of two nouns."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_thing_has_one_name(language):
    other = re.compile(OTHER_TERMS[language], re.IGNORECASE)

    assert [name for name, message in catalogue(language).items() if other.search(" ".join(texts(message)))] == []


def test_numbers_days_and_lists_follow_the_language():
    nl, fr, en = map(words, ("nl", "fr", "en"))

    assert nl.moment("2026-07-01T22:30:00Z") == "2 juli 2026, 00:30:00"
    assert en.day("2027-02-23") == "23 February 2027"
    assert (nl.number(41188), en.number(41188)) == ("41.188", "41,188")
    assert fr.listed(["a", "b", "c"]) == "a, b et c"
