"""A controller says honestly that the conditions of a right are not met, and the person reads it in their language."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rights.town import DESK, SHA, Town, open_town, papers_of
from sluice.documents.words import LANGUAGES, words
from sluice.rights.case import store
from sluice.rights.case.model import Case, LetterKind, Order, Remedies, Right, Track
from sluice.rights.case.reasons import REMEDIES, iri
from sluice.rights.case.wording import reason_text
from sluice.rights.desk_steps import decide_and_tell
from sluice.rights.instruction_rules import InstructionOutcome
from sluice.rights.letters.write import open_document
from sluice.rights.read_instructions import read_instruction
from sluice.rights.schedule import follow
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind
from support.night import AGREEMENT, Edit

ENERGY = Principal("energy01")
WE_ANSWER = [Edit(AGREEMENT, f"{article}: false", f"{article}: true") for article in ("A16", "A17", "A18", "A21")]
UNMET = {
    Right.RECTIFICATION: "NotRequiredJustification",
    Right.RESTRICTION: "NotRequiredJustification",
    Right.ERASURE: "NotRequiredJustification",
    Right.OBJECTION: "LegitimateInterestOverride",
}


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    with open_town(papers_of(store_settings, tmp_path, [ENERGY], *WE_ANSWER), tmp_path, [ENERGY], 4) as opened:
        opened.arrive(ENERGY, opened.people)
        yield opened


def asked(town: Town, right: Right, language: str) -> Case:
    return town.opened(right, [(SubjectKind.PHONE, town.people[0].phone)], ENERGY, language=language)


def instruct(town: Town, case: Case, reason: str) -> InstructionOutcome:
    """Put an instruction of energy01 that refuses, and return what came of it."""
    part = next(each for each in case.sub_cases if each.track is Track.PROCESSOR)
    body = json.dumps({"case": part.sub_case_id, "decision": "refuse", "reason": reason}).encode()
    key = f"{ENERGY}/requests/instruction-{part.sub_case_id}.json"
    stored = town.house.objects.put(town.desk.settings.bucket_exchange, key, body, "text/json")
    return read_instruction(town.house, ENERGY, stored, datetime.now(UTC)).outcome


@pytest.mark.parametrize("right", UNMET)
def test_both_controllers_refuse_and_the_letter_says_why(town: Town, right: Right) -> None:
    for language in LANGUAGES:
        case = asked(town, right, language)
        assert instruct(town, case, UNMET[right]) is InstructionOutcome.INSTRUCTED
        reason = iri(UNMET[right])
        order = Order(
            DESK, datetime.now(UTC), reason, SHA, reasons={"*": reason}, remedies=Remedies(REMEDIES["BE"], language)
        )
        decide_and_tell(town.house, case.case_id, order)
        follow(town.house, datetime.now(UTC))

        letters = store.get_case(town.house.conn, case.case_id).letters
        [letter] = [each for each in letters if each.kind is LetterKind.REFUSAL]
        document = json.loads(open_document(town.house, letter))
        assert len(letter.sub_cases) == 2 and document["remedies"]["ref"] == "remedies.be"
        said = reason_text(words(language), right, reason)
        assert said.endswith(").") and said in document["text"] and reason in document["text"]
        assert document["title"] == words(language).say("letter.refusal.title.all")


def test_no_refusal_is_followed_that_we_would_have_to_tell_without_remedies(town: Town) -> None:
    """Complaint and court are worded for Belgium only; a principal that answers the person itself names its own."""
    abroad = town.house.settings.model_copy(update={"center_country": "NL"})
    there = replace(town, desk=replace(town.desk, house=replace(town.house, settings=abroad)))
    case = asked(there, Right.ERASURE, "nl")
    assert instruct(there, case, UNMET[Right.ERASURE]) is InstructionOutcome.NOT_ADMITTED
    follow(there.house, datetime.now(UTC))
    letters = store.get_case(there.house.conn, case.case_id).letters
    assert [each.kind for each in letters if each.kind is LetterKind.REFUSAL] == []

    at_home = asked(town, Right.ERASURE, "nl")
    assert instruct(town, at_home, UNMET[Right.ERASURE]) is InstructionOutcome.INSTRUCTED, "control"


@pytest.mark.parametrize("right", [Right.DIRECT_MARKETING, Right.CONSENT_WITHDRAWAL])
@pytest.mark.parametrize("reason", sorted(set(UNMET.values())))
def test_nobody_refuses_what_has_no_refusal(town: Town, right: Right, reason: str) -> None:
    assert instruct(town, asked(town, right, "nl"), reason) is InstructionOutcome.NOT_ADMITTED
