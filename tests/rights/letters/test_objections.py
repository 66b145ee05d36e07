"""What an objection stops, and what is refused as conditions are not met: letters say that and no more."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from rights.instructing import (
    ENERGY,
    accept,
    arrived,
    current,
    instruct,
    lent,
    letter_text,
    now,
    of_center,
    of_principal,
    swept,
)
from rights.town import DESK, SHA, Town
from sluice.documents.words import LANGUAGES, words
from sluice.rights.case.model import Action, Case, LetterKind, Order, Remedies, Right, State
from sluice.rights.case.reasons import REMEDIES, iri
from sluice.rights.case.steps import NOT_ASKED, pause
from sluice.rights.case.store import list_steps
from sluice.rights.case.wording import reason_text
from sluice.rights.desk_steps import decide_and_tell
from sluice.rights.instruction_rules import InstructionOutcome
from sluice.rights.letters.write import open_document
from sluice.rights.opening import NewRequest, open_case
from sluice.rights.schedule import follow
from sluice.terms import SubjectKind
from support.night import AGREEMENT, Edit

town = lent()


def said_no(town: Town, channel: str | None = None) -> Case:
    """Somebody says no to advertising, and nobody asks who they are."""
    now, asked = datetime.now(UTC), [(SubjectKind.PHONE, town.people[0].phone)]
    request = NewRequest(Right.DIRECT_MARKETING, asked, ENERGY, now, "letter", "en", DESK, contact_channel=channel)
    return open_case(town.house, request, now)


def test_an_objection_to_one_channel_is_told_as_that(town: Town) -> None:
    case = said_no(town, "sms")
    swept(town, case)
    for kind in (LetterKind.RECEIPT, LetterKind.COMPLETION):
        text = letter_text(town, case, kind)
        assert "That is only what you named: by SMS." in text
        assert "any more.\n" not in text and "No longer used for advertising\n" not in text
    assert "No longer used for the advertising that you objected to" in letter_text(town, case)


def test_nobody_decides_an_objection_to_advertising_and_its_letter_names_no_company(town: Town) -> None:
    case = swept(town, said_no(town))
    part = of_center(case)
    assert (part.action, part.state, case.state) == (Action.STOP, State.RECIPIENTS_NOTIFIED, State.SCOPED)
    assert NOT_ASKED in {step.reason_code for step in list_steps(town.house.conn, case.case_id)}
    text = letter_text(town, case)
    assert "from now on you are kept out" in text and "Energy One" not in text


def test_who_was_asked_who_they_are_is_waited_for(town: Town) -> None:
    case = said_no(town)
    follow(town.house, datetime.now(UTC))
    now, who = datetime.now(UTC), [(SubjectKind.PHONE, town.people[1].phone)]
    other = open_case(town.house, NewRequest(Right.DIRECT_MARKETING, who, ENERGY, now, "letter", "en", DESK), now)
    pause(town.house.conn, other.case_id, Order(DESK, datetime.now(UTC), iri("A12IdentityRequired"), "ab" * 32))
    follow(town.house, datetime.now(UTC) + timedelta(days=1))
    assert of_center(current(town, case)).state is not State.SCOPED, "control"
    other = current(town, other)
    assert (other.state, of_center(other).state) == (State.ID_PENDING, State.SCOPED)


def test_an_objection_to_what_rests_on_a_contract_is_said_to_reach_nothing_and_can_be_refused(town: Town) -> None:
    asked, care = [(SubjectKind.PHONE, town.people[0].phone)], ["https://w3id.org/dpv#CustomerCare"]
    case = town.opened(Right.OBJECTION, asked, ENERGY, language="en", purposes=care)
    refused = instruct(town, of_principal(case), decision="refuse", reason="NotRequiredJustification")
    assert refused is InstructionOutcome.INSTRUCTED
    accept(town, case, Action.STOP)
    swept(town, case)
    text = letter_text(town, case)
    assert "An objection does not reach that" in text
    assert "is carried out" not in text and "No longer used" not in text


WE_ANSWER = [Edit(AGREEMENT, f"{article}: false", f"{article}: true") for article in ("A16", "A17", "A18", "A21")]
UNMET = {
    Right.RECTIFICATION: "NotRequiredJustification",
    Right.RESTRICTION: "NotRequiredJustification",
    Right.ERASURE: "NotRequiredJustification",
    Right.OBJECTION: "LegitimateInterestOverride",
}


answering = lent(arrived, *WE_ANSWER)


def asked_for(answering: Town, right: Right, language: str) -> Case:
    return answering.opened(right, [(SubjectKind.PHONE, answering.people[0].phone)], ENERGY, language=language)


def refused(answering: Town, case: Case, reason: str) -> InstructionOutcome:
    return instruct(answering, of_principal(case), decision="refuse", reason=reason)


@pytest.mark.parametrize(("right", "language"), list(zip(UNMET, (*LANGUAGES, "nl"), strict=True)))
def test_both_controllers_refuse_and_the_letter_says_why(answering: Town, right: Right, language: str) -> None:
    case, reason = asked_for(answering, right, language), iri(UNMET[right])
    assert refused(answering, case, UNMET[right]) is InstructionOutcome.INSTRUCTED
    remedies = Remedies(REMEDIES["BE"], language)
    decide_and_tell(answering.house, case.case_id, Order(DESK, now(), reason, SHA, {"*": reason}, remedies))
    follow(answering.house, now())

    [letter] = [each for each in current(answering, case).letters if each.kind is LetterKind.REFUSAL]
    document = json.loads(open_document(answering.house, letter))
    assert len(letter.sub_cases) == 2 and document["remedies"]["ref"] == "remedies.be"
    said = reason_text(words(language), right, reason)
    assert said.endswith(").") and said in document["text"] and reason in document["text"]
    assert document["title"] == words(language).say("letter.refusal.title.all")


def test_no_refusal_is_followed_that_we_would_have_to_tell_without_remedies(answering: Town) -> None:
    """Complaint and court are worded for Belgium only; a principal that answers the person itself names its own."""
    abroad = answering.house.settings.model_copy(update={"center_country": "NL"})
    there = replace(answering, desk=replace(answering.desk, house=replace(answering.house, settings=abroad)))
    case = asked_for(there, Right.ERASURE, "nl")
    assert refused(there, case, UNMET[Right.ERASURE]) is InstructionOutcome.NOT_ADMITTED
    follow(there.house, now())
    assert [each.kind for each in current(there, case).letters if each.kind is LetterKind.REFUSAL] == []

    at_home = asked_for(answering, Right.ERASURE, "nl")
    assert refused(answering, at_home, UNMET[Right.ERASURE]) is InstructionOutcome.INSTRUCTED, "control"


def test_nobody_refuses_what_has_no_refusal(answering: Town) -> None:
    for right, reason in product((Right.DIRECT_MARKETING, Right.CONSENT_WITHDRAWAL), sorted(set(UNMET.values()))):
        assert refused(answering, asked_for(answering, right, "nl"), reason) is InstructionOutcome.NOT_ADMITTED
