"""While nobody knows who asks, no letter says that all is refused of what is refused in part."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from answers.giving import WE_GIVE
from rights.instructing import accept, current, instruct, letter_text, of_principal, swept
from rights.town import DESK, SHA, Town, open_town, papers_of
from sluice.answers.sweep import make_decided
from sluice.rights.case.letter_due import waits_for_identity
from sluice.rights.case.model import Action, Case, LetterKind, Order, Right, State, SubCase
from sluice.rights.case.next_step import NextStep, letters_to_post, step_of, step_of_part
from sluice.rights.case.reasons import iri
from sluice.rights.case.steps import pause, settle_identity
from sluice.rights.case.store import CaseFilter, list_cases
from sluice.rights.instruction_rules import InstructionOutcome
from sluice.rights.letters.write import note_opened, open_document
from sluice.rights.opening import NewRequest, open_case
from sluice.rights.schedule import follow
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind
from support.night import AGREEMENT, Edit

ENERGY = Principal("energy01")
WE_ANSWER = Edit(AGREEMENT, "A17: false", "A17: true")
NOT_ALL, NOTHING = "We cannot do everything you ask", "We cannot do what you ask"


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    papers = papers_of(store_settings, tmp_path, [ENERGY], WE_GIVE, WE_ANSWER)
    with open_town(papers, tmp_path, [ENERGY], 2) as opened:
        opened.arrive(ENERGY, opened.people)
        yield opened


def now() -> datetime:
    return datetime.now(UTC)


def asked(town: Town, right: Right) -> tuple[Case, SubCase]:
    """Somebody asks, and the controller hears of it; nobody settled who asks."""
    person = town.people[0]
    given = [(SubjectKind.PHONE, person.phone), (SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record(ENERGY))]
    case = open_case(town.house, NewRequest(right, given, ENERGY, now(), "letter", "en", DESK), now())
    follow(town.house, now())
    case = current(town, case)
    return case, of_principal(case)


def kinds(town: Town, case: Case) -> list[LetterKind]:
    return [each.kind for each in current(town, case).letters]


def is_on_both_lists(town: Town, case: Case) -> bool:
    """Whether the case waits for the desk, which SQL and next_step say alike."""
    is_ours = step_of(current(town, case)).is_ours
    assert (
        case.case_id in {each.case_id for each in list_cases(town.house.conn, CaseFilter(only_ours=True))}
    ) is is_ours
    return is_ours


@pytest.mark.parametrize("is_asked_who", [True, False])
def test_what_is_given_in_part_is_told_once_it_is_known_who_asks(town: Town, is_asked_who: bool) -> None:
    case, part = asked(town, Right.ACCESS)
    if is_asked_who:
        pause(town.house.conn, case.case_id, Order(DESK, now(), iri("A12IdentityRequired"), SHA))
    some = [group for group in part.field_groups if group != "identity"]
    outcome = instruct(town, part, decision="give", fields=some, reason="ThirdPartyRightsImpaired")
    assert outcome is InstructionOutcome.INSTRUCTED
    follow(town.house, now())
    assert LetterKind.REFUSAL not in kinds(town, case)

    settle_identity(town.house.conn, case.case_id, True, Order(DESK, now(), "IDENTITY_SHOWN", SHA))
    accept(town, case, Action.GIVE)
    follow(town.house, now())
    text = letter_text(town, case, LetterKind.REFUSAL)
    assert NOT_ALL in text and NOTHING not in text and "Everything you ask for" not in text
    [letter] = [each for each in current(town, case).letters if each.kind is LetterKind.REFUSAL]
    [told] = json.loads(open_document(town.house, letter))["parts"]
    assert [line["field_group"] for line in told["data"] if line["outcome"] == "refuse"] == ["identity"]

    for _ in range(3):
        make_decided(town.house, "airflow", now())
        for each in letters_to_post(current(town, case)):
            note_opened(town.house.conn, each, now(), DESK)
        case = swept(town, case)
    assert case.state is State.CLOSED


@pytest.mark.parametrize("word", ["erase", "restrict", "refuse"])
def test_reasons_that_wait_for_the_identity_check_are_the_desks_to_settle(town: Town, word: str) -> None:
    case, part = asked(town, Right.ERASURE)
    fields = part.field_groups[1:] if word == "erase" else ()
    assert instruct(town, part, decision=word, fields=fields, reason="A17LegalClaims") is InstructionOutcome.INSTRUCTED
    case = swept(town, case)
    part = of_principal(case)
    assert LetterKind.REFUSAL not in kinds(town, case), "of the rest nobody decided"
    assert waits_for_identity(case, part) and step_of_part(case, part) is NextStep.CHECK_IDENTITY
    for each in letters_to_post(case):
        note_opened(town.house.conn, each, now(), DESK)
    town.house.conn.execute("update sub_case set state = 'CLOSED' where track = 'controller'")
    assert is_on_both_lists(town, case), "nothing else of the case waits for the desk"

    pause(town.house.conn, case.case_id, Order(DESK, now(), iri("A12IdentityRequired"), SHA))
    assert step_of_part(current(town, case), part) is NextStep.AWAIT_IDENTITY
    assert not is_on_both_lists(town, case), "the person has to show who they are"
    settle_identity(town.house.conn, case.case_id, True, Order(DESK, now(), "IDENTITY_SHOWN", SHA))
    case = swept(town, case)
    assert not waits_for_identity(case, of_principal(case))
    assert LetterKind.REFUSAL in kinds(town, case)
    assert is_on_both_lists(town, case)


def test_who_is_not_known_after_all_hears_that_part_is_refused_and_no_more(town: Town) -> None:
    case, part = asked(town, Right.ERASURE)
    settle_identity(town.house.conn, case.case_id, False, Order(DESK, now(), iri("A12IdentityFailure"), SHA))
    outcome = instruct(town, part, decision="erase", fields=part.field_groups[1:], reason="A17LegalClaims")
    assert outcome is InstructionOutcome.INSTRUCTED
    follow(town.house, now())
    text = letter_text(town, case, LetterKind.REFUSAL)
    assert NOT_ALL in text and "Part of what you ask for" in text
    assert "Everything you ask for" not in text and "Energy" not in text, "it names no company"
