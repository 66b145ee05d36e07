"""A controller takes back what it instructed before it is carried out: nothing of it is done, somebody is called."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rights.instructing import accept, current, instruct, of_center, of_principal
from rights.town import Town, open_town, papers_of
from sluice.rights.alerts.due import DUE
from sluice.rights.alerts.tell import Way, tell_desk
from sluice.rights.case.desk_store import count_ours
from sluice.rights.case.model import Action, Case, Right, State
from sluice.rights.case.next_step import NextStep, step_of
from sluice.rights.case.store import list_steps
from sluice.rights.copies.where import where
from sluice.rights.erasure.control import beat_and_check, resume, take_up
from sluice.rights.erasure.control_store import begin_run, is_stopped
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.model import ErasureIsStopped, NotReleased, ReleaseRefused
from sluice.rights.erasure.release import draft, release
from sluice.rights.instruction_rules import InstructionOutcome
from sluice.rights.mail.model import MailKind
from sluice.rights.person.identifiers import Identifier
from sluice.rights.read_instructions import CONTRADICTING
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind

ENERGY = Principal("energy01")


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    with open_town(papers_of(store_settings, tmp_path, [ENERGY]), tmp_path, [ENERGY], 2) as opened:
        opened.arrive(ENERGY, opened.people)
        yield opened


def held(town: Town) -> list[str]:
    """Stores that have a copy which names the person."""
    person = Identifier(SubjectKind.PHONE, town.people[0].phone)
    return sorted(each.store for each in where(town.house, [person], [ENERGY]))


def to_erase(town: Town) -> Case:
    """The person asks, the principal instructs `erase`, the center agrees, a plan waits for its release."""
    person = town.people[0]
    given = [(SubjectKind.PHONE, person.phone), (SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record(ENERGY))]
    case = town.opened(Right.ERASURE, given, ENERGY)
    assert instruct(town, of_principal(case), decision="erase") is InstructionOutcome.INSTRUCTED
    accept(town, case, Action.ERASE)
    draft(town.house, case.case_id, "airflow", datetime.now(UTC))
    return current(town, case)


def refuse(town: Town, case: Case) -> InstructionOutcome:
    return instruct(town, of_principal(case), decision="refuse", reason="A17LegalClaims")


@pytest.mark.parametrize("is_released", [True, False])
def test_what_a_principal_takes_back_is_not_destroyed_by_the_plan_made_for_it(town: Town, is_released: bool) -> None:
    case, before = to_erase(town), held(town)
    if is_released:
        release(town.house, case.case_id, "bert", datetime.now(UTC))
    assert refuse(town, case) is InstructionOutcome.CONTRADICTS
    case = current(town, case)
    part = of_principal(case)
    assert (part.state, part.action, part.action_fields) == (State.ESCALATED, None, ())
    assert of_center(case).action is Action.ERASE
    if not is_released:
        with pytest.raises(ReleaseRefused):
            release(town.house, case.case_id, "bert", datetime.now(UTC))
    with pytest.raises(NotReleased):
        run(town.house, case.case_id, datetime.now(UTC))
    assert take_up(town.house, "airflow", datetime.now(UTC)) == [] and is_stopped(town.house.conn, case.case_id)
    assert held(town) == before != []


def test_a_word_about_fewer_fields_contradicts_as_well(town: Town) -> None:
    """The control: the same word again, once more with every field by its name, does not."""
    case, person = town.opened(Right.ERASURE, [(SubjectKind.PHONE, town.people[0].phone)], ENERGY), town.people[0]
    groups = list(of_principal(case).field_groups)
    assert len(groups) > 1 and person
    assert instruct(town, of_principal(case), decision="erase") is InstructionOutcome.INSTRUCTED
    everything = instruct(town, of_principal(case), decision="erase", fields=groups)
    assert everything is not InstructionOutcome.CONTRADICTS
    fewer = instruct(town, of_principal(case), decision="erase", fields=groups[1:], reason="A17LegalClaims")
    assert fewer is InstructionOutcome.CONTRADICTS
    assert of_principal(current(town, case)).state is State.ESCALATED


def test_a_run_at_work_stops_before_its_next_object(town: Town) -> None:
    case = to_erase(town)
    release(town.house, case.case_id, "bert", datetime.now(UTC))
    begin_run(town.house.conn, case.case_id)
    beat_and_check(town.house.conn, case.case_id)
    assert refuse(town, case) is InstructionOutcome.CONTRADICTS
    with pytest.raises(ErasureIsStopped):
        beat_and_check(town.house.conn, case.case_id)


def test_the_principal_reads_that_it_was_not_followed_and_the_desk_hears_of_it_once(town: Town) -> None:
    case, ours = to_erase(town), count_ours(town.house.conn)
    refuse(town, case)
    said = [json.loads(body) for name, body in town.notices(ENERGY).items() if name.startswith("instruction-")]
    [told] = [each for each in said if each["outcome"] == "CONTRADICTS"]
    assert told["notice"] == "case.instruction_refused" and "Nothing more is carried out" in told["text"]["en"]
    assert step_of(current(town, case)) is NextStep.CALL_PRINCIPAL and count_ours(town.house.conn) == ours == 1
    assert list_steps(town.house.conn, case.case_id)[-1].reason_code == CONTRADICTING
    heard: list[str] = []
    way = Way("log", lambda message: heard.extend(message.lines))
    for _ in range(2):
        now = datetime.now(UTC)
        tell_desk(town.house.conn, [way], MailKind.CONTRADICTED, DUE[MailKind.CONTRADICTED](town.house.conn, now), now)
    assert heard == [f"{case.case_id} {ENERGY}: instructs otherwise than before"]


def test_its_next_word_counts_and_a_person_lets_the_rest_go_on(town: Town) -> None:
    case = to_erase(town)
    refuse(town, case)
    assert instruct(town, of_principal(case), decision="erase") is InstructionOutcome.REPLAYED
    assert refuse(town, case) is InstructionOutcome.INSTRUCTED
    case = current(town, case)
    assert (of_principal(case).state, of_principal(case).action) == (State.INSTRUCTED, Action.REFUSE)
    assert is_stopped(town.house.conn, case.case_id)
    resume(town.house.conn, case.case_id, "els", datetime.now(UTC))
    draft(town.house, case.case_id, "airflow", datetime.now(UTC))
    release(town.house, case.case_id, "bert", datetime.now(UTC))
    before = held(town)
    report = run(town.house, case.case_id, datetime.now(UTC))
    assert held(town) == before and report.residual == 0


def test_it_may_also_stay_with_what_it_said_first(town: Town) -> None:
    case = to_erase(town)
    refuse(town, case)
    part = of_principal(case)
    again = instruct(town, part, decision="erase", fields=list(part.field_groups))
    assert again is InstructionOutcome.INSTRUCTED
    resume(town.house.conn, case.case_id, "els", datetime.now(UTC))
    release(town.house, case.case_id, "bert", datetime.now(UTC))
    assert run(town.house, case.case_id, datetime.now(UTC)).residual == 0
    assert held(town) == []


def test_the_same_decision_again_changes_nothing(town: Town) -> None:
    case = to_erase(town)
    part = of_principal(case)
    again = instruct(town, part, decision="erase", fields=list(part.field_groups))
    assert again is InstructionOutcome.NOT_AWAITED
    assert of_principal(current(town, case)) == part and not is_stopped(town.house.conn, case.case_id)
