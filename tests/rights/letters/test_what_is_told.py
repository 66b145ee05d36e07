"""What a person learns from a letter, case by case, and what nobody may learn from it."""

import json
from dataclasses import replace
from datetime import date

import pytest

from rights.letter_samples import (
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
from rights.letters.letter_pages import flat, lines, page_of
from sluice.documents.words import LANGUAGES, words
from sluice.rights.case.letter_due import parts_waiting, refused_groups
from sluice.rights.case.model import Action, LetterKind, Right, State, Track
from sluice.rights.case.reasons import iri
from sluice.rights.case.wording import group_text, reason_text
from sluice.rights.letters.document import make_letter_document
from sluice.rights.letters.model import PartFacts
from sluice.rights.letters.page import done_text


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
