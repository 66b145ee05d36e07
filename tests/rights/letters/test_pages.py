"""Every letter in every language: set as a page a screen reader can read, complete, and in no other language."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from hashlib import sha256
from itertools import combinations, product

import pytest

from documents.test_receipt import tags_of, text_of
from rights.letter_samples import (
    CASE,
    EIGHT_REASONS,
    FORWARDED,
    GROUPS,
    SAMPLES,
    a_case,
    a_completion,
    a_part,
    a_receipt,
    a_refusal,
    facts_of,
)
from sluice.documents.model import LetterPage
from sluice.documents.pdf import make_pdf
from sluice.documents.words import LANGUAGES, Words, words
from sluice.rights.case.letter_due import parts_waiting, refused_groups
from sluice.rights.case.model import ACTIONS, PROTECTED, Action, LetterKind, Right, State, Track
from sluice.rights.case.reasons import DELAYS, REFUSALS, REMEDIES, iri
from sluice.rights.case.wording import group_text, reason_text
from sluice.rights.letters.document import make_letter_document, spoken
from sluice.rights.letters.model import LetterFacts, PartFacts
from sluice.rights.letters.page import done_text, make_letter_page
from sluice.terms import FieldGroup

MADE_AT = datetime(2026, 12, 1, 12, tzinfo=UTC)
EVERY = list(product(LetterKind, LANGUAGES))
AUTHORITY = {
    "nl": "Gegevensbeschermingsautoriteit",
    "fr": "Autorité de protection des données",
    "en": "Belgian Data Protection Authority",
}
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


def complaint(say: Words) -> str:
    return AUTHORITY[say.language]


def court(say: Words) -> str:
    return say.say("remedies.be.court")


def eight(one: Callable[[Words, FieldGroup, str], str]) -> dict[str, Need]:
    return {
        f"{one.__name__} {group}": lambda say, group=group, reason=reason: one(say, group, reason)  # type: ignore[misc]
        for group, reason in EIGHT_REASONS.items()
    }


def data(say: Words, group: FieldGroup, reason: str) -> str:
    return group_text(say, group)


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


def page_of(facts: LetterFacts) -> LetterPage:
    return make_letter_page(facts)


def pdf_of(page: LetterPage) -> bytes:
    return make_pdf(page, MADE_AT)


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def lines(page: LetterPage) -> list[str]:
    """What a page says, with plain spaces."""
    return [flat(line) for line in spoken(page)]


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


@pytest.mark.parametrize("right", Right)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_receipt_can_be_written_for_every_right(right: Right, language: str) -> None:
    page = page_of(a_receipt(language, right))
    said = " ".join(lines(page))
    says_proof = flat(words(language).say("letter.receipt.now.identity")) in said

    assert flat(words(language).say(f"right.{right}")) in said
    assert says_proof == (right not in (Right.DIRECT_MARKETING, Right.CONSENT_WITHDRAWAL))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", [LetterKind.REFUSAL, LetterKind.COMPLETION, LetterKind.EXTENSION])
def test_who_could_not_prove_who_they_are_does_not_learn_who_knows_the_person(kind: LetterKind, language: str) -> None:
    facts = SAMPLES[kind](language)
    stranger = replace(facts, case=replace(facts.case, has_failed_identity=True))
    telling = {"Energy One NV", "Télécom Deux SA", *(group_text(words(language), group) for group in GROUPS)}

    document = make_letter_document(stranger, page_of(stranger), "ab" * 32).decode()
    for text in (" ".join(lines(page_of(stranger))), flat(document)):
        assert [word for word in telling if flat(word) in text] == []
        assert kind is not LetterKind.REFUSAL or iri("A17LegalClaims") in text
    if kind is not LetterKind.EXTENSION:
        known = " ".join(lines(page_of(facts)))
        assert [word for word in telling if flat(word) in known], "the check finds them in the letter to the person"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_receipt_tells_nobody_who_knows_the_person(language: str) -> None:
    assert "Energy One NV" not in " ".join(lines(page_of(a_receipt(language))))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_partial_refusal_says_what_is_done_all_the_same(language: str) -> None:
    few = {GROUPS[0]: iri("A17LegallyRequired")}
    said = " ".join(lines(page_of(a_refusal(language, few))))

    assert all(flat(group_text(words(language), group))[1:] in said for group in GROUPS[1:])
    assert flat(words(language).say("letter.refusal.title.some")) in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_left_out_before_it_had_to_say_why_is_told_as_that(language: str) -> None:
    part = replace(FORWARDED, may_answer=True, action=Action.ERASE, action_fields=FORWARDED.field_groups[:1])
    facts = facts_of(a_case(part), LetterKind.REFUSAL, language, PartFacts(part, "Energy One NV"))

    said = " ".join(lines(page_of(facts)))

    assert flat(words(language).say("letter.refusal.unsaid")) in said
    assert flat(group_text(words(language), FORWARDED.field_groups[1]))[1:] in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_conditions_that_are_not_met_are_said_in_the_words_of_their_right(language: str) -> None:
    say, article = words(language), {"nl": "artikel", "fr": "article", "en": "Art."}[language]
    numbers = {Right.RECTIFICATION: "16", Right.ERASURE: "17", Right.RESTRICTION: "18", Right.PORTABILITY: "20"}
    said = {right: flat(reason_text(say, right, iri("NotRequiredJustification"))) for right in numbers}
    said[Right.OBJECTION] = flat(reason_text(say, Right.OBJECTION, iri("LegitimateInterestOverride")))

    assert len(set(said.values())) == len(said)
    numbers[Right.OBJECTION] = "21"
    assert [right for right, number in numbers.items() if f"{article} {number}" not in said[right]] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("right", [Right.ERASURE, Right.RECTIFICATION])
def test_data_that_is_kept_and_not_used_instead_is_told_as_a_refusal(right: Right, language: str) -> None:
    say, day = words(language), date(2027, 12, 1)
    reason = iri("A17LegallyRequired") if right is Right.ERASURE else iri("A12ManifestlyUnfounded")
    part = a_part(State.RECIPIENTS_NOTIFIED, Action.RESTRICT)
    told = PartFacts(part, "Energy One NV", dict.fromkeys(GROUPS, reason), "remedies.be", review_on=day)
    case = a_case(part, right=right)
    letters = {kind: facts_of(case, kind, language, told) for kind in LetterKind}
    groups = "; ".join(group_text(say, group)[:1].lower() + group_text(say, group)[1:] for group in GROUPS)
    until = flat(say.say("letter.instead", groups=groups, day=say.day(day.isoformat())))

    titles = {kind: page_of(letters[kind]).title for kind in (LetterKind.REFUSAL, LetterKind.COMPLETION)}
    assert titles[LetterKind.REFUSAL] == say.say("letter.refusal.title.all")
    assert titles[LetterKind.COMPLETION] == say.say("letter.completion.title.instead")
    for kind in titles:
        said = lines(page_of(letters[kind]))
        assert flat(reason_text(say, right, reason)) in said and until in said
        document = json.loads(make_letter_document(letters[kind], page_of(letters[kind]), "ab" * 32))
        assert {each["reason"] for each in document["parts"][0]["data"]} == {reason}
        assert document["parts"][0]["review_on"] == "2027-12-01"
    assert flat(done_text(say, right, Action.RESTRICT)) in lines(page_of(letters[LetterKind.COMPLETION]))
    assert done_text(say, right, Action.RESTRICT) != done_text(say, Right.RESTRICTION, Action.RESTRICT)
    asked = flat(say.say("letter.lifting.opening"))
    assert flat(say.say(f"letter.lifting.opening.{right}")) in lines(page_of(letters[LetterKind.LIFTING]))
    assert asked not in lines(page_of(letters[LetterKind.LIFTING]))
    assert asked in lines(page_of(SAMPLES[LetterKind.LIFTING](language))), "control: who asked for it reads that"


def test_only_a_request_refused_whole_is_called_so() -> None:
    say, facts = words("nl"), a_refusal("nl")
    alone = replace(facts, case=replace(facts.case, sub_cases=facts.case.sub_cases[:1]), parts=facts.parts[:1])

    assert page_of(facts).title == say.say("letter.refusal.title.some"), "energy01 has not decided yet"
    assert page_of(alone).title == say.say("letter.refusal.title.all")


@pytest.mark.parametrize("language", LANGUAGES)
def test_somebody_nobody_knows_reads_how_many_were_searched(language: str) -> None:
    nobody = a_part(State.RECIPIENTS_NOTIFIED, Action.ERASE, agreement_id=None, field_groups=(), action_fields=())
    facts = facts_of(a_case(nobody), LetterKind.COMPLETION, language, PartFacts(nobody, "center"))
    page = page_of(facts)

    said = [text.words for text in page.parts[0].paragraphs]
    assert said == [words(language).count("letter.nobody", 3, count="3"), words(language).say("letter.staff")]
    assert page.title == words(language).say("letter.completion.title.none")


@pytest.mark.parametrize("language", LANGUAGES)
def test_recipients_are_named_none_or_not_yet_known(language: str) -> None:
    heading, none = (words(language).say(f"letter.recipients.{name}") for name in ("heading", "none"))
    facts = a_completion(language)
    said = {names: lines(page_of(replace(facts, recipients=names))) for names in (None, (), ("Bpost NV",))}

    assert [heading in said[names] for names in said] == [False, True, True]
    assert [flat(none) in said[names] for names in said] == [False, True, False]
    assert "Bpost NV" in said["Bpost NV",]


def test_the_day_of_forwarding_is_that_of_brussels() -> None:
    assert "26 november 2026" in " ".join(lines(page_of(a_refusal("nl"))))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_longest_refusal_fits_on_two_pages(language: str) -> None:
    import io

    from pypdf import PdfReader

    assert len(PdfReader(io.BytesIO(pdf_of(page_of(a_refusal(language))))).pages) <= 2


def test_which_parts_a_letter_is_about() -> None:
    refused, partly = (
        a_part(State.REFUSED, Action.REFUSE),
        a_part(State.PARTIAL, Action.ERASE, action_fields=GROUPS[:2]),
    )
    theirs = replace(FORWARDED, state=State.INSTRUCTED, action=Action.REFUSE, action_fields=FORWARDED.field_groups)

    assert refused_groups(Right.ERASURE, refused) == GROUPS
    assert refused_groups(Right.ERASURE, partly) == GROUPS[2:]
    righted = a_part(State.PARTIAL, Action.RECTIFY, action_fields=GROUPS[:2])
    assert refused_groups(Right.RECTIFICATION, righted) == GROUPS[2:], "what we refused of a rectification is told"
    asked = replace(FORWARDED, may_answer=True, action=Action.RECTIFY, action_fields=FORWARDED.field_groups[:1])
    assert refused_groups(Right.RECTIFICATION, asked) == (), "a principal refused nothing of what it did not name"
    for open_or_done in (a_part(State.ASSESSED), a_part(State.ACCEPTED, Action.ERASE)):
        assert refused_groups(Right.ERASURE, open_or_done) == ()
    kept = a_part(State.PARTIAL, Action.RESTRICT)
    assert refused_groups(Right.ERASURE, kept) == refused_groups(Right.RECTIFICATION, kept) == GROUPS
    assert refused_groups(Right.RESTRICTION, kept) == (), "it is what was asked"
    narrowed = replace(theirs, action=Action.ERASE, action_fields=FORWARDED.field_groups[:1])
    assert refused_groups(Right.ERASURE, narrowed) == (), "what its controller left out it says itself"
    assert refused_groups(Right.ERASURE, replace(narrowed, may_answer=True)) == FORWARDED.field_groups[1:], (
        "unless we do"
    )
    for part, waits in (
        (refused, True),
        (partly, True),
        (a_part(State.ACCEPTED, Action.ERASE), False),
        (a_part(State.WITHDRAWN_BY_SUBJECT, Action.REFUSE), False),
        (theirs, False),
        (replace(theirs, may_answer=True), True),
        (replace(narrowed, may_answer=True), True),
    ):
        assert bool(parts_waiting(a_case(part), LetterKind.REFUSAL, "nl")) == waits
    done = {Track.CONTROLLER: State.EXECUTING, Track.PROCESSOR: State.INSTRUCTED}
    for track, early in done.items():
        part = a_part(early, Action.ERASE, track=track, may_answer=True)
        assert not parts_waiting(a_case(part), LetterKind.COMPLETION, "nl"), "not done yet"
        assert parts_waiting(a_case(replace(part, state=State.ANSWERED)), LetterKind.COMPLETION, "nl")
