"""The three catalogues say the same things, and they have words for everything a record can hold."""

import ast
import re
import string
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

import sluice
import sluice.documents
from sluice.agreement.roles import profiles
from sluice.cli.reference import all_reason_codes
from sluice.dial.model import LeftOut
from sluice.documents.reasons import meaning_of
from sluice.documents.returned import held_sentence
from sluice.documents.words import LANGUAGES, words
from sluice.gate.column_types import INTEGER
from sluice.lake.read.format_codes import CODES as FORMAT_CODES
from sluice.returns.ack import ESCALATION, REMINDER, AckOutcome
from sluice.returns.model import STAFF, Held
from sluice.rights.case.model import Action
from sluice.rights.instruction_rules import TOLD_APART
from sluice.rights.mail.model import MailKind
from sluice.rights.notices.model import Channel, NoticeOutcome, NoticeState, Side
from sluice.staff.model import Reason
from sluice.subject.suppression import Suppression
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
def test_no_sentence_is_empty_unsure_or_there_twice(language):
    for name, message in catalogue(language).items():
        assert all(text.strip() for text in texts(message)), name
        assert not message.fuzzy, name
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


PAST = {ScreenAction.MASK: "MASKED", ScreenAction.REFUSE: "REFUSED", ScreenAction.REVIEW: "REVIEW"}
RETURN_CODES = (
    "STALE_NEWER_RETURN",
    "STALE_INPUT_GONE",
    "STALE_RETENTION_OVER",
    "HEADER_SOURCE_MISSING",
    "VALUE_UNWRITABLE",
    "FORBIDDEN_COUNTRY",
)
TOLD_BY_CLASS = {"DUPLICATE_KEY", "DUPLICATE_VALUE", "HEADER_COLUMN_SET"}
"""Codes of which the sentences of their class are true; a new code is added here only after reading those."""
CURED_BY_CLASS = {f"VALUE_{rule}" for rule in ("BOOLEAN", "IN_SET", "LENGTH", "NOT_IN_SET", "PATTERN", "RANGE", "TIME")}
"""Codes with a meaning of their own, and the cure of their class."""
RIGHTS = ("erased", "objected", "restricted", "consent_withdrawn", "do_not_call_me", "soft_hold")
HELD = (
    *RIGHTS,
    *Held,
    *LeftOut,
    *(f"{STAFF}{reason}" for reason in Reason),
    *(f"TEXT_{word.name}_REVIEW" for word in ScreenClass),
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_to_hold_a_row_is_one_plain_sentence(language):
    for code in HELD:
        said = held_sentence(words(language), code)

        assert said != f"{code[0].upper()}{code[1:]}."
        assert said[0].isupper() and said.endswith(".") and " " in said, code
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
def test_every_code_has_its_own_meaning_and_cure_unless_those_of_its_class_are_true(language):
    say = words(language)
    own = {code: meaning_of(say, code) for code in all_reason_codes()}

    assert set(own) >= FORMAT_CODES
    assert {code for code, spoken in own.items() if spoken in set(RefusalClass)} == TOLD_BY_CLASS
    by_class = TOLD_BY_CLASS | CURED_BY_CLASS
    assert [code for code, spoken in own.items() if code not in by_class and not cured(say, spoken)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_cure_asks_for_rows_alone_of_a_file_that_was_refused_whole(language):
    """Beside LIMIT_REFUSED_SHARE, *send only those rows* would lose all the others."""
    whole = {"nl": "hele bestand", "fr": "fichier entier", "en": "whole file"}[language]

    for name in ("class.VALUE.cure", "code.VALUE_NUMBER.cure", "code.VALUE_DATE.cure"):
        assert whole in words(language).find(name), name
    assert whole not in words(language).find("code.VALUE_NULL.cure"), "control: one that asks for rows"


def cured(say, code):
    return say.find(f"code.{code}.cure")


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_told_by_code_is_a_code(language):
    """A code with words that nothing gives was misspelt, or is no more."""
    told = {name.split(".")[1] for name in catalogue(language) if name.startswith("code.")}
    known = {meaning_of(words(language), code) for code in all_reason_codes()}

    assert told - known == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_warning_about_roles_has_words(language):
    """The codes are those that the agreement room can give."""
    source = Path(profiles.__file__).read_text(encoding="utf-8")
    codes = set(re.findall(r'append\("([A-Z0-9_]+):', source))

    assert len(codes) == 4
    assert [code for code in codes if f"warning.{code}" not in catalogue(language)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_whose_whole_number_is_refused_reads_how_long_one_may_be(language):
    (most,) = re.findall(r"\{1,(\d+)\}", INTEGER)

    assert f" {most} " in words(language).say("code.VALUE_NUMBER.meaning")


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_a_record_holds_and_a_principal_a_recipient_or_the_desk_is_told_has_words(language):
    closed = [decision for decision in Decision if decision is not Decision.OPEN]
    refused = [each for each in AckOutcome if not each.closes and each is not AckOutcome.OTHER_PRINCIPAL]
    unmoved = [each for each in NoticeOutcome if not each.moves and each is not NoticeOutcome.OTHER_PRINCIPAL]
    copies = ("return", "return.findings", "held", "delivered", "dial", "dial.kept", "index.rest")
    names = [
        *(f"class.{item}.{part}" for item in RefusalClass for part in ("word", "meaning", "cure")),
        *(f"verdict.{item}.{part}" for item in closed for part in ("word", "sentence")),
        *(f"outbound_return.verdict.{item}.sentence" for item in closed),
        *(f"direction.{item}" for item in Direction),
        *(f"group.{item}" for item in FieldGroup),
        *(f"profile.{item}" for item in RoleProfile),
        *(f"copy.{kind}" for kind in copies),
        *(f"role.{party}" for party in ("center", "both", "each", "joint", "vendor", "-")),
        *(f"screen.{word}" for word in ScreenClass),
        *(f"columns.from.{side}" for side in ("principal", "center", "unknown")),
        *(f"{place}.{reason}" for place in ("held", "answer.suppressed") for reason in Suppression),
        *(f"acknowledgement.{each}" for each in (*refused, REMINDER.word, ESCALATION.word)),
        *(f"controller.{each}" for each in TOLD_APART),
        *(f"recipient.side.{side}" for side in Side),
        *(f"recipient.guess.{channel}" for channel in Channel),
        *(f"recipient.state.{state}" for state in (NoticeState.REMINDED, NoticeState.ESCALATED)),
        *(f"recipient.answer.{each}" for each in unmoved),
        *(f"recipient.action.{each}" for each in Action if each not in (Action.GIVE, Action.EXPORT, Action.REFUSE)),
        *(f"mail.{kind}" for kind in MailKind),
    ]

    assert [name for name in names if name not in catalogue(language)] == []
    assert words(language).find("no.such.sentence") is None


SPEAKERS = {"say", "count", "in_each_language"}
"""What asks a catalogue for a sentence that has to be there; ``find`` asks for one that may be."""
ROOMS = ("answers", "breach", "documents", "registers", "returns", "rights", "web")


def _name(called: ast.expr) -> str | None:
    return called.id if isinstance(called, ast.Name) else getattr(called, "attr", None)


def ids_in(source: str) -> Iterator[str]:
    """Every message id that a module asks for, as a pattern: what it fills in stands for anything."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args and _name(node.func) in SPEAKERS:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield re.escape(first.value)
            if isinstance(first, ast.JoinedStr):
                yield "".join(
                    re.escape(each.value) if isinstance(each, ast.Constant) else ".+" for each in first.values
                )


def unsaid(ids: Iterator[str]) -> list[str]:
    return sorted({one for one in ids if not any(re.fullmatch(one, name) for name in catalogue("nl"))})


def test_whatever_the_rooms_say_is_in_the_catalogues():
    """A sentence that is not there would be printed as its id. What is filled in is tested where it is closed."""
    room = Path(sluice.__path__[0])
    ids = [one for name in ROOMS for path in (room / name).rglob("*.py") for one in ids_in(path.read_text("utf-8"))]

    assert len(ids) > 250
    assert unsaid(iter(ids)) == []
    assert unsaid(ids_in('say.say(f"never.{heard}"); say.count("nor.this", 2); in_each_language("nor.that")')) == [
        "never\\..+",
        "nor\\.that",
        "nor\\.this",
    ]


LEDGER = {"nl": "logboek", "fr": "registre"}


def off_term(language, said):
    """Sentences that are about the ledger in English and do not call it by its one term here."""
    english = catalogue("en")
    about = [name for name, message in english.items() if any("ledger" in text.lower() for text in texts(message))]
    assert len(about) >= 7
    return [name for name in about if LEDGER[language] not in " ".join(texts(said[name])).lower()]


@pytest.mark.parametrize("language", ["nl", "fr"])
def test_the_ledger_has_one_term_in_each_language(language):
    said = dict(catalogue(language))

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


@pytest.mark.parametrize("said", ["Data {Partners} BV", "{0}", "{", "}", "{a.b[c]!r:>9}", "%s"])
def test_what_somebody_wrote_is_looked_up_and_never_filled_in(said):
    assert words("nl").find(f"register.who.{said}", said) is None
    assert words("nl").find(said, "class.UNREADABLE.word") == words("nl").say("class.UNREADABLE.word")
