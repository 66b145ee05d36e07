"""What a person learns from a letter, case by case, and what nobody may learn from it."""

from dataclasses import replace

import pytest

from rights.letter_samples import (
    FORWARDED,
    GROUPS,
    SAMPLES,
    a_case,
    a_part,
)
from sluice.documents.model import LetterPage
from sluice.documents.words import LANGUAGES, words
from sluice.rights.case.letter_due import parts_waiting, refused_groups
from sluice.rights.case.model import Action, LetterKind, Right, State, Track
from sluice.rights.case.reasons import iri
from sluice.rights.case.wording import group_text
from sluice.rights.letters.document import make_letter_document, spoken
from sluice.rights.letters.page import make_letter_page


def flat(page: LetterPage) -> str:
    return " ".join(spoken(page)).replace("\xa0", " ")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", [LetterKind.REFUSAL, LetterKind.COMPLETION, LetterKind.EXTENSION])
def test_who_could_not_prove_who_they_are_does_not_learn_who_knows_the_person(kind: LetterKind, language: str) -> None:
    facts = SAMPLES[kind](language)
    stranger = replace(facts, case=replace(facts.case, has_failed_identity=True))
    groups = {group_text(words(language), group).replace("\xa0", " ") for group in GROUPS}
    telling = {"Energy One NV", "Télécom Deux SA", *groups}

    document = make_letter_document(stranger, make_letter_page(stranger), "ab" * 32).decode()
    for text in (flat(make_letter_page(stranger)), document.replace("\xa0", " ")):
        assert [word for word in telling if word in text] == []
        assert kind is not LetterKind.REFUSAL or iri("A17LegalClaims") in text
    if kind is not LetterKind.EXTENSION:
        known = flat(make_letter_page(facts))
        assert [word for word in telling if word in known], "the check finds them in the letter to the person"


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
