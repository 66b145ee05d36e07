"""Who settles identity as a case closes that nobody asked about it: a controller that had something done, no other."""

import json
from datetime import UTC, datetime

import pytest

from rights.town import DESK, SHA
from sluice.rights.case import store
from sluice.rights.case.history import Step
from sluice.rights.case.model import Case, Order, Right, Role, State
from sluice.rights.case.reasons import iri
from sluice.rights.case.steps import pause
from sluice.rights.due_steps import take_due
from sluice.rights.instruction_rules import InstructionOutcome
from sluice.rights.opening import NewRequest, open_case
from sluice.rights.read_instructions import read_instruction
from sluice.rights.schedule import follow, sweep
from sluice.terms import Principal, SubjectKind
from support.desk import Desk

WATER = Principal("water01")


@pytest.fixture(scope="module")
def desk(module_desk: Desk) -> Desk:
    return module_desk


def asked(desk: Desk, *, is_doubted: bool = False) -> Case:
    """Somebody asks one principal, which decides all of it; ``is_doubted``: the desk asked them who they are."""
    now = datetime.now(UTC)
    given = [(SubjectKind.PHONE, "+32470123456")]
    case = open_case(desk.house, NewRequest(Right.ERASURE, given, WATER, now, "letter", "nl", DESK), now)
    if is_doubted:
        pause(desk.house.conn, case.case_id, Order(DESK, now, iri("A12IdentityRequired"), SHA))
    take_due(desk.house, now)
    return store.get_case(desk.house.conn, case.case_id)


def closed(desk: Desk, case: Case, **said: str) -> list[Step]:
    """The principal instructs so; the steps of the case itself, once it is closed."""
    [part] = case.sub_cases
    content = json.dumps({"case": part.sub_case_id, **said}).encode()
    key = f"{WATER}/requests/instruction-1.json"
    item = desk.house.objects.put(desk.settings.bucket_exchange, key, content, "text/json")
    assert read_instruction(desk.house, WATER, item, datetime.now(UTC)).outcome is InstructionOutcome.INSTRUCTED
    for _ in range(3):
        follow(desk.house, datetime.now(UTC))
        sweep(desk.house, datetime.now(UTC))
    assert store.get_case(desk.house.conn, case.case_id).state is State.CLOSED
    return [step for step in store.list_steps(desk.house.conn, case.case_id) if step.sub_case_id is None]


@pytest.mark.parametrize("is_doubted", [False, True])
@pytest.mark.parametrize("reason", ["A12IdentityFailure", "A12ManifestlyExcessive", "A17LegalClaims"])
def test_a_controller_that_refuses_does_not_vouch_for_the_person(desk: Desk, reason: str, is_doubted: bool) -> None:
    steps = closed(desk, asked(desk, is_doubted=is_doubted), decision="refuse", reason=reason)
    assert "VOUCHED_BY_CONTROLLER" not in [step.reason_code for step in steps]
    assert Role.PRINCIPAL not in [step.actor_role for step in steps]
    [over] = [step for step in steps if step.from_state is State.ID_PENDING]
    is_failed = reason == "A12IdentityFailure"
    assert over.to_state is (State.ID_FAILED if is_failed else State.ID_OK)
    assert (over.actor_role, over.reason_code) == (Role.SYSTEM, iri(reason) if is_failed else "IDENTITY_NOT_NEEDED")
    [doubt] = [step for step in steps if step.to_state is State.ID_PENDING]
    assert doubt.reason_code == (iri("A12IdentityRequired") if is_doubted or is_failed else "IDENTITY_NOT_NEEDED")
    assert store.get_case(desk.house.conn, over.case_id).has_failed_identity is is_failed


def test_the_reason_that_counts_is_that_of_the_decision_that_stands(desk: Desk) -> None:
    case = asked(desk)
    [part] = case.sub_cases
    first, then = {"decision": "refuse", "reason": "A12IdentityFailure"}, {"decision": "erase"}
    for number, words in enumerate((first, then), start=2):
        content = json.dumps({"case": part.sub_case_id, **words}).encode()
        key = f"{WATER}/requests/instruction-{number}.json"
        item = desk.house.objects.put(desk.settings.bucket_exchange, key, content, "text/json")
        said = read_instruction(desk.house, WATER, item, datetime.now(UTC)).outcome
    assert said is InstructionOutcome.CONTRADICTS, "control: the first was taken back"
    steps = closed(desk, case, decision="refuse", reason="A17LegalClaims")
    [over] = [step for step in steps if step.from_state is State.ID_PENDING]
    assert (over.to_state, over.reason_code) == (State.ID_OK, "IDENTITY_NOT_NEEDED")


@pytest.mark.parametrize("is_doubted", [False, True])
def test_a_controller_that_has_something_done_vouches(desk: Desk, is_doubted: bool) -> None:
    steps = closed(desk, asked(desk, is_doubted=is_doubted), decision="restrict", reason="A17LegalClaims")
    [over] = [step for step in steps if step.from_state is State.ID_PENDING]
    assert (over.actor, over.reason_code) == (WATER, "VOUCHED_BY_CONTROLLER")
