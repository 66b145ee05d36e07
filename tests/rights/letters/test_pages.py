"""Every letter in every language, word for word; the same in its PDF, which a screen reader can read."""

import io
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from hashlib import sha256
from itertools import combinations, product
from pathlib import Path

import pytest
from pypdf import PdfReader

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
from sluice.documents.pdf import make_pdf
from sluice.documents.words import LANGUAGES, Words, words
from sluice.rights.case.model import ACTIONS, PROTECTED, Action, LetterKind, Right, State
from sluice.rights.case.reasons import DELAYS, REFUSALS, REMEDIES, iri
from sluice.rights.case.wording import group_text, reason_text
from sluice.rights.letters.document import make_letter_document, spoken
from sluice.rights.letters.model import LetterFacts, PartFacts
from sluice.rights.letters.page import done_text, make_letter_page
from sluice.terms import FieldGroup
from support.golden import same_as_golden

GOLDEN = Path(__file__).parent / "golden"
MADE_AT = datetime(2026, 12, 1, 12, tzinfo=UTC)
COMPANY, LEGAL = "Energy One NV", iri("A17LegallyRequired")
SELLING, SERVICE = "https://w3id.org/dpv#SellProducts", "https://w3id.org/dpv#ServiceProvision"
MARKETING = "https://w3id.org/dpv#DirectMarketing"
STOPPED = {
    Right.DIRECT_MARKETING: Action.STOP,
    Right.CONSENT_WITHDRAWAL: Action.STOP,
    Right.OBJECTION: Action.STOP,
    Right.RESTRICTION: Action.RESTRICT,
}
NOBODY = {"agreement_id": None, "field_groups": (), "action_fields": ()}
"""What a part is like of somebody whom nobody knows."""
Letter = Callable[[str], LetterFacts]


def told(kind: LetterKind, right: Right, state: State, action: Action, said: dict[str, object] | None = None,
         told: dict[str, object] | None = None, **changes: object) -> Letter:  # fmt: skip
    """A letter about one part. ``said``: of the part; ``told``: of what is told of it; the rest of the letter."""
    part = a_part(state, action, **said or {})
    facts = PartFacts(part, COMPANY, **told or {})  # type: ignore[arg-type]
    return lambda language: facts_of(a_case(part, right=right), kind, language, facts, **changes)


def changed(letter: Letter, case: dict[str, object] | None = None, **changes: object) -> Letter:
    """The same with other facts, and with another case."""

    def of(language: str) -> LetterFacts:
        facts = letter(language)
        return replace(facts, case=replace(facts.case, **case or {}), **changes)  # type: ignore[arg-type]

    return of


def alone(language: str) -> LetterFacts:
    facts = a_refusal(language)
    return replace(facts, case=replace(facts.case, sub_cases=facts.case.sub_cases[:1]), parts=facts.parts[:1])


def unsaid(language: str) -> LetterFacts:
    """A principal left something out before it had to say why."""
    part = replace(FORWARDED, may_answer=True, action=Action.ERASE, action_fields=FORWARDED.field_groups[:1])
    return facts_of(a_case(part), LetterKind.REFUSAL, language, PartFacts(part, COMPANY))


def corrected(done: frozenset[str] | None) -> Letter:
    groups = ("contact_point", "call_event")
    fields = {"field_groups": groups, "action_fields": groups}
    return told(LetterKind.COMPLETION, Right.RECTIFICATION, State.RECIPIENTS_NOTIFIED, Action.RECTIFY, fields,
                {"done": done})  # fmt: skip


def instead(kind: LetterKind, right: Right, reason: str) -> Letter:
    """Data is kept and not used instead of erased or corrected."""
    facts = {
        "reasons": dict.fromkeys(GROUPS, iri(reason)),
        "remedies_ref": "remedies.be",
        "review_on": date(2027, 12, 1),
    }
    return told(kind, right, State.RECIPIENTS_NOTIFIED, Action.RESTRICT, None, facts)


def refused(right: Right, *purposes: str, kind: LetterKind = LetterKind.REFUSAL) -> Letter:
    return told(kind, right, State.REFUSED, Action.REFUSE, purposes=purposes)


def done(right: Right, action: Action, said: dict[str, object] | None = None, **changes: object) -> Letter:
    return told(LetterKind.COMPLETION, right, State.RECIPIENTS_NOTIFIED, action, said, **changes)


INSTEAD = {Right.ERASURE: "A17LegallyRequired", Right.RECTIFICATION: "A12ManifestlyUnfounded"}
DISCREET = {"has_failed_identity": True}
LETTERS: dict[str, Letter] = {
    **{f"receipt {right}": lambda language, right=right: a_receipt(language, right) for right in Right},  # type: ignore[misc]
    **{str(kind): letter for kind, letter in SAMPLES.items() if kind is not LetterKind.RECEIPT},
    **{f"{kind} to a stranger": changed(SAMPLES[kind], DISCREET)
       for kind in (LetterKind.REFUSAL, LetterKind.COMPLETION, LetterKind.EXTENSION)},
    "refusal in part": lambda language: a_refusal(language, {GROUPS[0]: LEGAL}),
    "refusal of all": alone,
    "refusal unsaid": unsaid,
    **{f"completion {right}": changed(a_completion, {"right": right}) for right in (Right.ACCESS, Right.PORTABILITY)},
    **{f"completion, {name}": changed(a_completion, recipients=names)
       for name, names in {"recipients not known": None, "no recipients": (), "one recipient": ("Bpost NV",)}.items()},
    "completion, recipients guessed": changed(a_completion, guessed=("Bpost NV",)),
    "completion for nobody": done(Right.ERASURE, Action.ERASE, NOBODY),
    "completion of a copy": done(Right.ACCESS, Action.GIVE),
    **{f"completion {right}, {who}": done(right, action, said)
       for (right, action), (who, said) in product(STOPPED.items(), {"known": None, "unknown": NOBODY}.items())},
    **{f"completion {right}, by sms": done(right, Action.STOP, None, purposes=(SELLING,), channel="sms")
       for right in (Right.DIRECT_MARKETING, Right.OBJECTION, Right.CONSENT_WITHDRAWAL)},
    **{f"corrected, {name}": corrected(fields)
       for name, fields in {"all": None, "some": frozenset({"contact_point"}), "nothing": frozenset[str]()}.items()},
    **{f"{kind} {right}, instead": instead(kind, right, reason)
       for (right, reason), kind in product(INSTEAD.items(), (LetterKind.REFUSAL, LetterKind.COMPLETION,
                                                              LetterKind.LIFTING))},
    **{f"{kind} of {name}": refused(right, *purposes, kind=kind)
       for name, right, purposes in (
           ("objection", Right.OBJECTION, ()), ("objection, marketing", Right.OBJECTION, (MARKETING, SERVICE)),
           ("objection, service", Right.OBJECTION, (SERVICE,)), ("erasure", Right.ERASURE, ()))
       for kind in (LetterKind.REFUSAL, LetterKind.RECEIPT)},
}  # fmt: skip


def document_of(facts: LetterFacts) -> dict[str, object]:
    return dict(json.loads(make_letter_document(facts, make_letter_page(facts), "ab" * 32)))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", LETTERS)
def test_a_letter_is_word_for_word_and_code_for_code_what_it_was(name: str, language: str) -> None:
    document = document_of(LETTERS[name](language))
    path = GOLDEN / f"{name.replace(',', '').replace(' ', '-').lower()}.{language}.json"
    same_as_golden(path, json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n")


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_a_case_holds_has_its_words(language: str) -> None:
    say = words(language)
    said = [f"{right} {reason}: {reason_text(say, right, reason)}"
            for right in Right for reason in sorted(REFUSALS[right] | DELAYS)]  # fmt: skip
    said += [f"{group}: {group_text(say, group)}" for group in (*FieldGroup, "*")]
    said += [
        f"{right} {action}: {done_text(say, right, action)}" for right in Right for action in sorted(ACTIONS[right])
    ]
    said += [f"{hold}: {say.say(f'letter.hold.{hold}')}" for hold in PROTECTED.values()]
    ways = ("heading", "again", "complaint", "court")
    said += [f"{ref} {way}: {say.say(f'{ref}.{way}')}" for ref in sorted(set(REMEDIES.values())) for way in ways]
    same_as_golden(GOLDEN / f"words.{language}.txt", "\n".join(said) + "\n")
    assert reason_text(say, Right.ERASURE, iri("A17NeverHeardOf")) == "A17NeverHeardOf"


REMEDY = ("remedies.be.complaint", "remedies.be.court")
LAW: dict[LetterKind, tuple[str, ...]] = {
    LetterKind.RECEIPT: ("2026-12-28", "2027-02-25", "letter.receipt.opening", "letter.hold.soft_hold",
                         "letter.receipt.now.identity", "letter.receipt.now.forward"),
    LetterKind.EXTENSION: ("2026-12-28", "2027-02-25", iri("A12Complexity")),
    LetterKind.REFUSAL: (*EIGHT_REASONS, *EIGHT_REASONS.values(), "letter.others.heading", *REMEDY),
    LetterKind.COMPLETION: (*EIGHT_REASONS, "energy01.9f3c1d20ab54e6f1", "Print & Post NV", "letter.remains.notices",
                            "letter.remains.suppression.erased", "letter.remains.limits", *REMEDY),
    LetterKind.LIFTING: ("letter.lifting.before", "letter.lifting.what", "letter.lifting.object", *REMEDY),
}  # fmt: skip
"""What each letter has to say (Art. 12(3-6), 18(3), 19, 77, 79): days, sentences, groups, reasons, names."""


def missing(kind: LetterKind, say: Words, said: Sequence[str]) -> list[str]:
    """What a letter does not say of what the law asks for."""

    def in_words(need: str) -> str:
        if need in tuple(FieldGroup):
            return group_text(say, need)
        if need.startswith(("letter.", "remedies.")):
            return say.say(need)
        return say.day(need) if need.startswith("20") else need

    text = "\n".join(said)
    return [need for need in LAW[kind] if in_words(need) not in text]


@pytest.mark.evidence
def test_a_letter_says_what_the_law_asks_for(record_property: Callable[[str, object], None]) -> None:
    every = list(product(LetterKind, map(words, LANGUAGES)))
    for kind, say in every:
        assert missing(kind, say, list(spoken(make_letter_page(SAMPLES[kind](say.language))))) == []
        assert missing(kind, say, ()) == list(LAW[kind]), "control: a letter that says none of it"
    needs = sum(map(len, LAW.values())) * len(LANGUAGES)
    record_property("letters to the person", f"{len(every)} kinds x languages; {needs} of {needs} required statements")


NAMES = {"Contact Center NV", COMPANY, "Télécom Deux SA", "Object Store BV", "Print & Post NV", "Vendor of Vendors BV"}


@pytest.mark.parametrize("kind", LetterKind)
def test_languages_share_nothing_but_names_and_codes(kind: LetterKind) -> None:
    pages = [make_letter_page(SAMPLES[kind](language)) for language in LANGUAGES]
    said = [{line for line in spoken(page) if not line.startswith("https://")} - NAMES - {CASE} for page in pages]
    assert set().union(*(one & other for one, other in combinations(said, 2))) - {pages[0].sender[-1]} == set()
    assert not [line for each in said for line in each if "{" in line or line.startswith(("letter.", "reason."))]


@pytest.mark.parametrize(("kind", "language"), list(product(LetterKind, LANGUAGES)))
def test_its_pdf_says_the_same_and_a_screen_reader_knows_title_structure_and_language(
    kind: LetterKind, language: str
) -> None:
    facts = SAMPLES[kind](language)
    page = make_letter_page(facts)
    pdf = make_pdf(page, MADE_AT)
    said = json.loads(make_letter_document(facts, page, sha256(pdf).hexdigest()))

    text = text_of(pdf).replace(" ", "")
    assert [line for line in said["text"] if "".join(line.split()) not in text] == [], "a long word may be broken"
    assert said["pdf_sha256"] == sha256(pdf).hexdigest()
    reader = PdfReader(io.BytesIO(pdf))
    root, (tags, _) = reader.trailer["/Root"], tags_of(pdf)
    assert root["/MarkInfo"]["/Marked"] and root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert root["/Lang"] == {"nl": "nl-BE", "fr": "fr-BE", "en": "en-GB"}[language]
    assert {"/H1", "/H2", "/P"} <= tags
    assert ({"/Table", "/TH", "/TD"} <= tags) or kind in (LetterKind.RECEIPT, LetterKind.EXTENSION, LetterKind.LIFTING)
    assert b"pdfuaid" in root["/Metadata"].get_object().get_data()
    assert kind is not LetterKind.REFUSAL or len(reader.pages) <= 2, "the longest refusal"
    assert language != "fr" or make_pdf(make_letter_page(facts), MADE_AT) == pdf, "the same facts, the same bytes"
