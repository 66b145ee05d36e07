"""The last letter names what was corrected or given, not every field group of an agreement."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from answers.giving import WE_GIVE
from rights.instructing import accept, current, instruct, letter_text, of_center, of_principal, swept
from rights.letter_samples import a_case, a_part, facts_of
from rights.town import Town, open_town, papers_of
from sluice.answers.sweep import make_decided
from sluice.documents.words import LANGUAGES, words
from sluice.rights.case.model import Action, Case, LetterKind, Right, State
from sluice.rights.case.store import list_steps
from sluice.rights.case.wording import group_text
from sluice.rights.erasure.erase import run
from sluice.rights.letters.document import spoken
from sluice.rights.letters.model import PartFacts
from sluice.rights.letters.page import make_letter_page
from sluice.rights.letters.write import open_document
from sluice.rights.notices.notice_store import list_notices
from sluice.rights.person.rectify import NOT_CONCERNED, ask
from sluice.rights.person.wanted import Wanted
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind
from support.night import AGREEMENT, Edit

ENERGY = Principal("energy01")
STRANGER = [(SubjectKind.PHONE, "0470 99 88 77")]
NOBODY_HERE = "We found nothing about you."


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    settings = papers_of(store_settings, tmp_path, [ENERGY], WE_GIVE, Edit(AGREEMENT, "A17: false", "A17: true"))
    with open_town(settings, tmp_path, [ENERGY], 2) as opened:
        opened.arrive(ENERGY, opened.people)
        yield opened


def groups(town: Town, case: Case) -> dict[str, str]:
    """Field groups of the completion letter and what it says was done."""
    [letter] = [each for each in current(town, case).letters if each.kind is LetterKind.COMPLETION]
    parts = json.loads(open_document(town.house, letter))["parts"]
    return {line["field_group"]: line["outcome"] for part in parts for line in part["data"]}


def given(town: Town, asked: list[tuple[SubjectKind, str]]) -> Case:
    """Somebody asked for a copy, which was made, and a letter about it was written."""
    case = town.agree(town.opened(Right.ACCESS, asked, ENERGY, language="en"), Action.GIVE)
    assert make_decided(town.house, "airflow", datetime.now(UTC)) == (1, 0)
    return swept(town, case)


def test_a_copy_names_the_kinds_of_data_that_are_in_it(town: Town) -> None:
    case = given(town, [(SubjectKind.PHONE, town.people[0].phone)])
    assert "call_event" in of_center(case).field_groups, "never called, so there is none to give"
    said = groups(town, case)
    assert set(said.values()) == {"give"} and "contact_point" in said
    assert not {"call_event", "recording_ref", "order_result"} & set(said)
    text = letter_text(town, case)
    assert "There is no such data about you in the copy" in text and NOBODY_HERE not in text


def test_who_is_in_no_file_of_the_one_they_ask_reads_that_nothing_was_found(town: Town) -> None:
    case = given(town, STRANGER)
    text = letter_text(town, case)
    assert NOBODY_HERE in text and groups(town, case) == {} and "A copy was given to you" not in text

    another = [(SubjectKind.PHONE, "0470 99 88 66")]  # of the first one there is a package by now
    erased = town.agree(town.opened(Right.ERASURE, another, ENERGY, language="en"))
    assert run(town.house, erased.case_id, datetime.now(UTC)).residual == 0
    text = letter_text(town, swept(town, erased))
    assert NOBODY_HERE in text and "Erased" not in text


def test_a_correction_of_one_controller_s_column_says_nothing_was_corrected_of_another_s(town: Town) -> None:
    person = town.people[0]
    town.give_back(ENERGY, [person])
    asked = [(SubjectKind.PHONE, person.phone), (SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record(ENERGY))]
    case = town.opened(Right.RECTIFICATION, asked, ENERGY, language="en")
    ask(town.house, case.case_id, Wanted({"street": "Rechtplein 17"}, datetime.now(UTC)))
    instruct(town, of_principal(case), decision="rectify")
    accept(town, case, Action.RECTIFY)
    case = swept(town, case)
    assert of_principal(case).state is State.CLOSED
    assert [step.reason_code for step in list_steps(town.house.conn, case.case_id)].count(NOT_CONCERNED) == 1
    assert list_notices(town.house.conn, case_id=case.case_id, limit=None) == []
    text = letter_text(town, case)
    assert groups(town, case) == {} and "Corrected" not in text
    assert "Nothing was changed" in text and "nobody else" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_letter_of_a_correction_names_only_what_was_corrected(language: str) -> None:
    say = words(language)
    part = replace(
        a_part(State.RECIPIENTS_NOTIFIED),
        field_groups=("contact_point", "call_event"),
        action=Action.RECTIFY,
        action_fields=("contact_point", "call_event"),
    )
    case = a_case(part, right=Right.RECTIFICATION)

    def text(done: frozenset[str] | None) -> str:
        told = PartFacts(part, "Energy One NV", done=done)
        return "\n".join(spoken(make_letter_page(facts_of(case, LetterKind.COMPLETION, language, told))))

    label, other = group_text(say, "contact_point"), group_text(say, "call_event")
    assert label in text(None) and other in text(None)
    assert label in text(frozenset({"contact_point"})) and other not in text(frozenset({"contact_point"}))
    nothing = text(frozenset())
    assert say.say("letter.untouched.rectify") in nothing and say.say("done.rectify") not in nothing
    assert say.say("letter.completion.title.untouched") in nothing
