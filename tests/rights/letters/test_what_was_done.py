"""The last letter names what was corrected or given, not every field group of an agreement."""

import json
from datetime import UTC, datetime

from answers.giving import WE_GIVE
from rights.instructing import (
    ENERGY,
    accept,
    arrived,
    current,
    instruct,
    lent,
    letter_text,
    of_center,
    of_principal,
    owned,
    swept,
)
from rights.town import Town
from sluice.answers.sweep import make_decided
from sluice.rights.case.model import Action, Case, LetterKind, Right, State
from sluice.rights.case.store import list_steps
from sluice.rights.erasure.erase import run
from sluice.rights.letters.write import open_document
from sluice.rights.notices.notice_store import list_notices
from sluice.rights.person.rectify import NOT_CONCERNED, ask
from sluice.rights.person.wanted import Wanted
from sluice.terms import SubjectKind
from support.night import AGREEMENT, Edit

STRANGER = [(SubjectKind.PHONE, "0470 99 88 77")]
NOBODY_HERE = "We found nothing about you."


PAPERS = (WE_GIVE, Edit(AGREEMENT, "A17: false", "A17: true"))
town = lent(arrived, *PAPERS)
own = owned(arrived, *PAPERS)


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


def test_who_is_in_no_file_of_the_one_they_ask_reads_that_nothing_was_found(own: Town) -> None:
    case = given(own, STRANGER)
    text = letter_text(own, case)
    assert NOBODY_HERE in text and groups(own, case) == {} and "A copy was given to you" not in text

    another = [(SubjectKind.PHONE, "0470 99 88 66")]  # of the first one there is a package by now
    erased = own.agree(own.opened(Right.ERASURE, another, ENERGY, language="en"))
    assert run(own.house, erased.case_id, datetime.now(UTC)).residual == 0
    text = letter_text(own, swept(own, erased))
    assert NOBODY_HERE in text and "Erased" not in text


def test_a_correction_of_one_controller_s_column_says_nothing_was_corrected_of_another_s(own: Town) -> None:
    person = own.people[0]
    own.give_back(ENERGY, [person])
    asked = [(SubjectKind.PHONE, person.phone), (SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record(ENERGY))]
    case = own.opened(Right.RECTIFICATION, asked, ENERGY, language="en")
    ask(own.house, case.case_id, Wanted({"street": "Rechtplein 17"}, datetime.now(UTC)))
    instruct(own, of_principal(case), decision="rectify")
    accept(own, case, Action.RECTIFY)
    case = swept(own, case)
    assert of_principal(case).state is State.CLOSED
    assert [step.reason_code for step in list_steps(own.house.conn, case.case_id)].count(NOT_CONCERNED) == 1
    assert list_notices(own.house.conn, case_id=case.case_id, limit=None) == []
    text = letter_text(own, case)
    assert groups(own, case) == {} and "Corrected" not in text
    assert "Nothing was changed" in text and "nobody else" not in text
