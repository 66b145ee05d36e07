"""Every letter says what the law asks for, in words and in codes, as the same accessible bytes."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from documents.test_receipt import tags_of, text_of
from rights.letter_samples import CASE, EIGHT_REASONS, SAMPLES, a_receipt, a_refusal
from rights.letters.letter_pages import EVERY, complaint, court, data, flat, lines, page_of
from sluice.documents.model import LetterPage
from sluice.documents.pdf import make_pdf
from sluice.documents.words import LANGUAGES, Words, words
from sluice.rights.case.model import Action, LetterKind, Right
from sluice.rights.case.reasons import iri
from sluice.rights.case.wording import reason_text
from sluice.rights.letters.document import make_letter_document
from sluice.rights.letters.page import done_text
from sluice.terms import FieldGroup

MADE_AT = datetime(2026, 12, 1, 12, tzinfo=UTC)
DAYS = {
    "nl": ("28 december 2026", "25 februari 2027", "25 november 2026"),
    "fr": ("28 décembre 2026", "25 février 2027", "25 novembre 2026"),
    "en": ("28 December 2026", "25 February 2027", "25 November 2026"),
}
Need = Callable[[Words], str]


def due(say: Words) -> str:
    return DAYS[say.language][0]


def extended_due(say: Words) -> str:
    return DAYS[say.language][1]


def eight(one: Callable[[Words, FieldGroup, str], str]) -> dict[str, Need]:
    return {
        f"{one.__name__} {group}": lambda say, group=group, reason=reason: one(say, group, reason)  # type: ignore[misc]
        for group, reason in EIGHT_REASONS.items()
    }


def ground(say: Words, group: FieldGroup, reason: str) -> str:
    return reason_text(say, Right.ERASURE, reason)


def justification(say: Words, group: FieldGroup, reason: str) -> str:
    return reason


LAW: dict[LetterKind, dict[str, Need]] = {
    LetterKind.RECEIPT: {
        "legal due date (12(3))": due,
        "what happens if more time is needed (12(3))": extended_due,
        "free of charge (12(5))": lambda say: say.say("letter.receipt.opening"),
        "immediate protection": lambda say: say.say("letter.hold.soft_hold"),
        "proof of identity (12(6))": lambda say: say.say("letter.receipt.now.identity"),
        "who else may answer": lambda say: say.say("letter.receipt.now.forward"),
    },
    LetterKind.EXTENSION: {
        "new due date (12(3))": extended_due,
        "due date until now": due,
        "reason of the delay (12(3))": lambda say: reason_text(say, Right.ERASURE, iri("A12Complexity")),
        "its justification": lambda say: iri("A12Complexity"),
    },
    LetterKind.REFUSAL: {
        **eight(data),
        **eight(ground),
        **eight(justification),
        "complaint (12(4), 77)": complaint,
        "court (12(4), 79)": court,
        "who decides": lambda say: say.say("letter.decides.center", company=""),
        "whom to ask about the rest": lambda say: say.say("letter.others.heading"),
    },
    LetterKind.COMPLETION: {
        **eight(data),
        "what was done": lambda say: done_text(say, Right.ERASURE, Action.ERASE),
        "what was not": lambda say: done_text(say, Right.ERASURE, Action.REFUSE),
        "proof": lambda say: say.count("letter.proof.scanned", 41, count="41"),
        "number of the certificate": lambda say: "energy01.9f3c1d20ab54e6f1",
        **{
            f"recipient {n} (19)": lambda say, n=n: n for n in ("Object Store BV", "Print & Post NV", "Télécom Deux SA")
        },
        "what remains": lambda say: say.say("letter.remains.suppression.erased"),
        "what still names the person": lambda say: say.say("letter.remains.notices"),
        "what we cannot reach": lambda say: say.say("letter.remains.limits"),
        "complaint": complaint,
        "court": court,
    },
    LetterKind.LIFTING: {
        "that it comes before (18(3))": lambda say: say.say("letter.lifting.before"),
        "what happens then": lambda say: say.say("letter.lifting.what"),
        "what the person can do": lambda say: say.say("letter.lifting.object"),
        "complaint": complaint,
        "court": court,
    },
}
"""What each letter has to say. Found in its PDF; not found once its parts are taken out."""


def pdf_of(page: LetterPage) -> bytes:
    return make_pdf(page, MADE_AT)


def missing(kind: LetterKind, language: str, page: LetterPage) -> list[str]:
    """What the PDF of a letter does not say; a long word may be broken anywhere."""
    said = text_of(pdf_of(page)).replace(" ", "")
    needs = LAW[kind]
    return [name for name, need in needs.items() if flat(need(words(language))).replace(" ", "") not in said]


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_a_letter_says_what_the_law_asks_for(kind: LetterKind, language: str) -> None:
    assert missing(kind, language, page_of(SAMPLES[kind](language))) == []


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_a_letter_that_says_none_of_it_is_found(kind: LetterKind, language: str) -> None:
    empty = replace(page_of(SAMPLES[kind](language)), opening=(), notices=(), parts=())

    assert missing(kind, language, empty) == list(LAW[kind])


@pytest.mark.evidence
def test_how_much_the_letters_say(record_property: Callable[[str, object], None]) -> None:
    needs = sum(len(LAW[kind]) for kind in LetterKind) * len(LANGUAGES)
    found = needs - sum(len(missing(kind, lang, page_of(SAMPLES[kind](lang)))) for kind, lang in EVERY)

    assert found == needs
    record_property("letters to the person", f"{len(EVERY)} kinds x languages; {found} of {needs} required statements")


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_a_screen_reader_knows_title_structure_and_language(kind: LetterKind, language: str) -> None:
    pdf = pdf_of(page_of(SAMPLES[kind](language)))
    root, (tags, _) = root_of(pdf), tags_of(pdf)

    assert root["/MarkInfo"]["/Marked"] and root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert root["/Lang"] == {"nl": "nl-BE", "fr": "fr-BE", "en": "en-GB"}[language]
    assert {"/H1", "/H2", "/P"} <= tags
    assert ({"/Table", "/TH", "/TD"} <= tags) or kind in (LetterKind.RECEIPT, LetterKind.EXTENSION, LetterKind.LIFTING)
    assert b"pdfuaid" in root["/Metadata"].get_object().get_data()


def root_of(pdf: bytes):  # type: ignore[no-untyped-def]
    import io

    from pypdf import PdfReader

    return PdfReader(io.BytesIO(pdf)).trailer["/Root"]


@pytest.mark.parametrize("kind", LetterKind)
def test_the_same_facts_give_the_same_bytes(kind: LetterKind) -> None:
    facts = SAMPLES[kind]("fr")
    pages = [page_of(facts), page_of(facts)]
    pdfs = [pdf_of(page) for page in pages]

    assert pdfs[0] == pdfs[1]
    assert make_letter_document(facts, pages[0], "ab" * 32) == make_letter_document(facts, pages[1], "ab" * 32)


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_the_document_says_the_same_in_words_and_in_codes(kind: LetterKind, language: str) -> None:
    facts = SAMPLES[kind](language)
    page = page_of(facts)
    pdf = pdf_of(page)
    said = json.loads(make_letter_document(facts, page, sha256(pdf).hexdigest()))

    text = text_of(pdf).replace(" ", "")
    assert [line for line in said["text"] if flat(line).replace(" ", "") not in text] == []
    assert (said["case"], said["kind"], said["language"], said["written_on"]) == (CASE, kind, language, "2026-12-01")
    assert (said["received"], said["legal_due"], said["extended_due"]) == ("2026-11-25", "2026-12-28", "2027-02-25")
    assert said["pdf_sha256"] == sha256(pdf).hexdigest()
    assert (said["remedies"] is not None) == (kind in (LetterKind.REFUSAL, LetterKind.COMPLETION, LetterKind.LIFTING))
    if kind is LetterKind.REFUSAL:
        [part] = said["parts"]
        assert {line["field_group"]: line["reason"] for line in part["data"]} == EIGHT_REASONS
        assert {line["outcome"] for line in part["data"]} == {"refuse"}
    if kind is LetterKind.COMPLETION:
        outcomes = [line["outcome"] for line in said["parts"][0]["data"]]
        assert outcomes == ["erase"] * 7 + ["refuse"]
        assert said["recipients"][0] == "Energy One NV"


@pytest.mark.parametrize("right", Right)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_receipt_can_be_written_for_every_right(right: Right, language: str) -> None:
    page = page_of(a_receipt(language, right))
    said = " ".join(lines(page))
    says_proof = flat(words(language).say("letter.receipt.now.identity")) in said

    assert flat(words(language).say(f"right.{right}")) in said
    assert says_proof == (right not in (Right.DIRECT_MARKETING, Right.CONSENT_WITHDRAWAL))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_longest_refusal_fits_on_two_pages(language: str) -> None:
    import io

    from pypdf import PdfReader

    assert len(PdfReader(io.BytesIO(pdf_of(page_of(a_refusal(language))))).pages) <= 2
