"""Who asks has to be known here before anything goes to them from us; a controller that answers knows its customer."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from answers.giving import WE_EXPORT, WE_GIVE, now, street_fixtures
from answers.test_portability import ANY_NUMBER, BY_CONTRACT
from rights.instructing import current
from rights.town import DESK, SHA, Town, open_town, papers_of, town_fixture
from sluice.answers.handover_due import hand_owed
from sluice.answers.sweep import make_decided
from sluice.rights.case.desk_store import count_ours
from sluice.rights.case.model import Action, Case, LetterKind, Order, Right, State, SubCase
from sluice.rights.case.next_step import NextStep, step_of
from sluice.rights.case.reasons import iri
from sluice.rights.case.steps import pause, settle_identity
from sluice.rights.copies import answer_store
from sluice.rights.instruction_rules import InstructionOutcome
from sluice.rights.letters.write import note_opened
from sluice.rights.opening import NewRequest, open_case
from sluice.rights.read_instructions import read_instruction
from sluice.rights.schedule import follow, sweep
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind
from support.night import AGREEMENT, Edit

ENERGY = Principal("energy01")
FAILURE = "A12IdentityFailure"
ALL_OF_IT_THEIRS = [
    Edit(AGREEMENT, f"roleProfile: {name}", "roleProfile: PROCESSOR_ON_BEHALF") for name in ("SEED_OWNER", "STAFF")
]
"""The center decides of nothing, so nobody here has to decide before the principal does."""
PORTABLE = (*BY_CONTRACT, ANY_NUMBER, Edit(AGREEMENT, "portable: false", "portable: true"))


THEIRS = (*ALL_OF_IT_THEIRS, *PORTABLE)


def plant(town: Town) -> None:
    town.arrive(ENERGY, town.people)


whole = town_fixture([ENERGY], 5, plant, *THEIRS, WE_GIVE, WE_EXPORT)
streets, town = street_fixtures(1)


@pytest.fixture
def their_town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    """The principal answers itself."""
    with open_town(papers_of(store_settings, tmp_path, [ENERGY], *THEIRS), tmp_path, [ENERGY], 2) as opened:
        plant(opened)
        yield opened


def asked(town: Town, right: Right) -> Case:
    """Somebody writes to the principal's center, and has the receipt; who they are is not settled."""
    request = NewRequest(right, [(SubjectKind.PHONE, town.people[0].phone)], ENERGY, now(), "letter", "nl", DESK)
    case = open_case(town.house, request, now())
    swept(town)
    [receipt] = current(town, case).letters
    note_opened(town.house.conn, receipt, now(), DESK)
    return current(town, case)


def swept(town: Town, at: datetime | None = None) -> None:
    """Run what the schedules run, until nothing changes any more."""
    for _ in range(3):
        assert follow(town.house, at or now()).failed == 0
        assert make_decided(town.house, "airflow", at or now())[1] == 0
        assert hand_owed(town.house, at or now())[1] == 0
        assert sweep(town.house, at or now()).failed == 0


def part_of(town: Town, case: Case) -> SubCase:
    [part] = current(town, case).sub_cases
    return part


def instruct(town: Town, case: Case, **said: str) -> tuple[InstructionOutcome, dict[str, str]]:
    """The principal's word on its part; what became of it, and what it reads about that."""
    body = json.dumps({"case": part_of(town, case).sub_case_id, **said}).encode()
    bucket, key = town.house.settings.bucket_exchange, f"{ENERGY}/requests/instruction-{said['decision']}.json"
    file = read_instruction(town.house, ENERGY, town.house.objects.put(bucket, key, body, "text/json"), now())
    return file.outcome, json.loads(town.notices(ENERGY)[f"instruction-{file.version_id}.json"])["text"]


def fail(town: Town, case: Case) -> None:
    settle_identity(town.house.conn, case.case_id, False, Order(DESK, now(), iri(FAILURE), SHA))


def handed(town: Town) -> list[str]:
    """Packages that were put into the principal's prefix."""
    bucket = town.house.settings.bucket_exchange
    found = town.house.objects.list_versions(bucket, f"{ENERGY}/outbound/")
    return [item.key for item in found if item.key.endswith(".zip")]


def test_a_controller_that_answers_itself_gets_what_it_gives_without_a_check_of_ours(their_town: Town) -> None:
    every = ((Right.ACCESS, Action.GIVE, True), (Right.PORTABILITY, Action.EXPORT, False))
    for number, (right, action, has_failed) in enumerate(every):
        town = replace(their_town, people=their_town.people[number:])
        case = asked(town, right)
        if has_failed:
            fail(town, case)
        assert instruct(town, case, decision=action.value)[0] is InstructionOutcome.INSTRUCTED
        assert count_ours(town.house.conn) == 0 and step_of(current(town, case)) is NextStep.CARRY_OUT

        swept(town)

        assert len(handed(town)) == number + 1
        assert (part_of(town, case).state, current(town, case).state) == (State.CLOSED, State.CLOSED)
        assert answer_store.find_told(town.house.conn, case.case_id) == {}, "nothing was made for whoever asked"


@pytest.mark.parametrize(
    ("right", "action"), [(Right.ACCESS, Action.GIVE), (Right.PORTABILITY, Action.EXPORT)], ids=lambda word: str(word)
)
def test_what_we_give_to_the_person_waits_for_a_check_that_is_shown_and_counted(
    town: Town, right: Right, action: Action
) -> None:
    case = asked(town, right)
    assert count_ours(town.house.conn) == 0, "the principal has to decide"
    assert instruct(town, case, decision=action.value)[0] is InstructionOutcome.INSTRUCTED
    swept(town)
    assert answer_store.find_told(town.house.conn, case.case_id) == {} and handed(town) == []
    assert step_of(current(town, case)) is NextStep.CHECK_IDENTITY and count_ours(town.house.conn) == 1

    pause(town.house.conn, case.case_id, Order(DESK, now(), iri("A12IdentityRequired"), SHA))
    assert step_of(current(town, case)) is NextStep.AWAIT_IDENTITY and count_ours(town.house.conn) == 0
    settle_identity(town.house.conn, case.case_id, True, Order(DESK, now(), "IDENTITY_SHOWN", SHA))
    swept(town)
    assert set(answer_store.find_told(town.house.conn, case.case_id)) == {part_of(town, case).sub_case_id}


def test_a_word_to_give_to_somebody_who_failed_to_show_who_they_are_is_refused_with_the_reason(town: Town) -> None:
    case, action = asked(town, Right.ACCESS), Action.GIVE
    fail(town, case)
    outcome, text = instruct(town, case, decision=action.value)
    assert outcome is InstructionOutcome.IDENTITY_FAILED and FAILURE in text["en"]
    assert part_of(town, case).state is State.AWAITING_INSTRUCTION
    swept(town)
    assert answer_store.find_told(town.house.conn, case.case_id) == {} and handed(town) == []

    assert refused_and_told(town, case)


def test_a_word_to_give_that_was_taken_waits_for_another_once_the_check_fails(town: Town) -> None:
    case, action = asked(town, Right.PORTABILITY), Action.EXPORT
    assert instruct(town, case, decision=action.value)[0] is InstructionOutcome.INSTRUCTED
    fail(town, case)
    part = part_of(town, case)
    assert (part.state, part.action, part.action_fields) == (State.AWAITING_INSTRUCTION, None, ())
    assert step_of(current(town, case)) is NextStep.AWAIT_INSTRUCTION
    assert instruct(town, case, decision=action.value)[0] is InstructionOutcome.REPLAYED

    swept(town, now() + timedelta(days=4))
    told = json.loads(town.notices(ENERGY)[f"case-{part.sub_case_id}-reminder-1-identity.json"])
    assert FAILURE in told["text"]["en"] and town.people[0].phone not in json.dumps(told)
    assert part_of(town, case).state is State.REMINDED

    assert refused_and_told(town, case)


def refused_and_told(town: Town, case: Case) -> bool:
    """The principal refuses, as it was told; the letter goes to the person, and the case is over."""
    assert instruct(town, case, decision="refuse", reason=FAILURE)[0] is InstructionOutcome.INSTRUCTED
    swept(town)
    [letter] = [each for each in current(town, case).letters if each.kind is LetterKind.REFUSAL]
    note_opened(town.house.conn, letter, now(), DESK)
    swept(town)
    return current(town, case).state is State.CLOSED
