"""How a case ends: closed, refused with its reasons, withdrawn; and which protection outlives it."""

from dataclasses import replace

import pytest

from rights.case.attempts import passing
from rights.case.cases import DESK, NOW, PHONE, entries, notices, opened, order
from rights.case.cases import desk as desk  # the fixture
from sluice.ledger.verify import verify
from sluice.rights.case import store
from sluice.rights.case.errors import TransitionRefused
from sluice.rights.case.model import Action, Actor, Case, Flag, Remedies, Right, Role, State, Track
from sluice.rights.case.reasons import iri
from sluice.rights.case.steps import advance, decide, set_flag, settle_identity, withdraw
from sluice.rights.case.transitions import TRANSITIONS
from sluice.rights.due_steps import take_due
from sluice.rights.opening import NewRequest, open_case
from sluice.rights.protections import protection_ends
from sluice.rights.schedule import follow
from sluice.terms import Principal
from support.desk import Desk


def test_a_controller_part_goes_all_the_way_and_closes(desk: Desk) -> None:
    case = opened(desk, principal=None)
    part = case.sub_cases[0].sub_case_id
    conn = desk.house.conn
    settle_identity(conn, case.case_id, True, order("IDENTITY_SHOWN"))
    decide(conn, case.case_id, State.ACCEPTED, order("ACCEPTED", action=Action.ERASE))
    for state in (State.EXECUTING, State.RECIPIENTS_NOTIFIED, State.ANSWERED, State.PROVEN, State.CLOSED):
        done = advance(conn, case.case_id, state, order("DONE_STEP", residue=0, untold=0), part)

    assert done.state is State.CLOSED
    assert verify(conn, public_pem=desk.house.keyring.public_pem).valid
    assert len(store.list_steps(conn, case.case_id)) == len(entries(desk, case.case_id)) == 14


def test_a_refusal_keeps_its_reasons_and_remedies(desk: Desk) -> None:
    case = opened(desk)
    settle_identity(desk.house.conn, case.case_id, True, order("IDENTITY_SHOWN"))
    legal = iri("A17LegallyRequired")
    refusal = order(legal, reasons={"*": legal}, remedies=Remedies("remedies.be", "nl"))

    decide(desk.house.conn, case.case_id, State.REFUSED, refusal)

    step = store.list_steps(desk.house.conn, case.case_id)[-1]
    assert set(step.reasons.values()) == {legal} and len(step.reasons) == len(case.sub_cases[1].field_groups or (1,))
    assert (step.remedies_ref, step.remedies_language) == ("remedies.be", "nl")


def test_withdrawn_ends_every_part_and_tells_who_was_told(desk: Desk) -> None:
    case = opened(desk)
    take_due(desk.house, NOW)
    told = next(part.sub_case_id for part in case.sub_cases if part.track is Track.PROCESSOR)

    done = withdraw(desk.house.conn, case.case_id, order("SUBJECT_ASKED"))

    assert {part.state for part in done.sub_cases} == {done.state} == {State.WITHDRAWN_BY_SUBJECT}
    assert follow(desk.house, NOW).withdrawn == 1
    assert notices(desk, "energy01")[f"case-{told}-withdrawn.json"]["case"] == told
    assert follow(desk.house, NOW).withdrawn == 0


def kept_out(desk: Desk) -> set[tuple[str, str]]:
    rows = desk.sql("select principal, reason from suppression_run where lifted_at is null")
    return {(str(row["principal"]), str(row["reason"])) for row in rows}


def test_a_hold_ends_with_the_request_and_an_upheld_objection_stays_out(desk: Desk) -> None:
    house, conn = desk.house, desk.house.conn

    def ask(right: Right) -> Case:
        return open_case(house, NewRequest(right, [PHONE], Principal("energy01"), NOW, "mail", "nl", DESK), NOW)

    taken_back = ask(Right.ERASURE)
    assert follow(house, NOW).released == 0 and kept_out(desk) == {("energy01", "soft_hold")}
    withdraw(conn, taken_back.case_id, order("SUBJECT_ASKED"))
    assert follow(house, NOW).released == 1 and kept_out(desk) == set()

    upheld = ask(Right.OBJECTION)
    settle_identity(conn, upheld.case_id, True, order("IDENTITY_SHOWN"))
    assert follow(house, NOW).released == 0
    decide(conn, upheld.case_id, State.ACCEPTED, order("ACCEPTED", action=Action.STOP))
    assert follow(house, NOW).released == 1 and kept_out(desk) == {("energy01", "objected")}
    assert follow(house, NOW).released == 0


def test_a_dispute_about_accuracy_holds_until_what_is_right_is_known() -> None:
    case = passing(next(row for row in TRANSITIONS if row.track is Track.CONTROLLER)).case
    part = replace(case.sub_cases[0], action=Action.RECTIFY)
    for state, ends in ((State.ACCEPTED, False), (State.EXECUTING, True), (State.RECIPIENTS_NOTIFIED, True)):
        disputed = replace(case, right=Right.RECTIFICATION, sub_cases=(replace(part, state=state),))
        assert protection_ends(disputed, "energy01") == ends


@pytest.mark.parametrize(("state", "ends"), [(State.ACCEPTED, False), (State.EXECUTING, True), (State.CLOSED, True)])
def test_a_restriction_takes_the_place_of_the_hold_once_it_is_in_force(state: State, ends: bool) -> None:
    case = passing(next(row for row in TRANSITIONS if row.track is Track.CONTROLLER)).case
    part = replace(case.sub_cases[0], state=state, action=Action.RESTRICT)
    assert protection_ends(replace(case, sub_cases=(part,)), "energy01") == ends
    assert not protection_ends(
        replace(case, sub_cases=(part, replace(part, action=None, state=State.SCOPED))), "energy01"
    )
    assert protection_ends(replace(case, sub_cases=(replace(part, action=Action.REFUSE),)), "energy01")
    assert not protection_ends(case, "bank01") and protection_ends(replace(case, state=State.CLOSED), "bank01")


def test_a_complaint_stays(desk: Desk) -> None:
    case = opened(desk)
    assert set_flag(desk.house.conn, case.case_id, Flag.COMPLAINT, order("COMPLAINT_GBA")).has_complaint
    with pytest.raises(TransitionRefused, match="deadline_has_passed"):
        set_flag(
            desk.house.conn, case.case_id, Flag.BREACHED_DEADLINE, order("X_PASSED", actor=Actor(Role.SYSTEM, "s"))
        )
