"""What comes next with a case: every state has an answer, and `case show` says it with a command."""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import product
from typing import Any

import pytest
from typer.main import get_command

from sluice.cli.whole import app
from sluice.rights.case.clock import due_dates
from sluice.rights.case.facts import clock_parameters
from sluice.rights.case.model import (
    ACTIONS,
    Action,
    Case,
    CaseId,
    Letter,
    LetterKind,
    Right,
    State,
    SubCase,
    SubCaseId,
    Track,
)
from sluice.rights.case.next_step import DeskAct, NextStep, desk_may, letters_to_post, step_of, step_of_part
from sluice.rights.case.owed import next_of
from sluice.rights.case.states import (
    CARRIED_OUT,
    DECIDED,
    LEFT_TO_CALL,
    LEFT_TO_DECIDE,
    NOT_ANSWERED,
    TO_CARRY_OUT,
    UNDECIDED,
)
from sluice.rights.case.transitions import TRANSITIONS
from sluice.rights.copies.scope import has_decided, is_to_do
from sluice.terms import Sha256

RECEIVED = date(2026, 11, 2)
NUMBER = CaseId("6f0c4f0e-0000-4000-8000-000000000000")
PART = SubCase(
    SubCaseId("1"), NUMBER, "energy01", "A", "1", "center", Track.CONTROLLER, ("identity",), "A", State.SCOPED, True
)
CASE = Case(
    NUMBER, Right.ERASURE, State.SCOPED, 1, None, "letter", "nl", "BE", datetime(2026, 11, 2, tzinfo=UTC),
    due_dates(RECEIVED, "BE", clock_parameters(RECEIVED)), "b", "k", Sha256("0" * 64), sub_cases=(PART,),
)  # fmt: skip
LETTER = Letter(
    NUMBER, LetterKind.COMPLETION, "case", "nl", (PART.sub_case_id,), Sha256("1" * 64), Sha256("2" * 64), "t",
    datetime(2026, 11, 5, tzinfo=UTC), "b", "k", "v", "d", "w",
)  # fmt: skip


@pytest.mark.parametrize("track", [Track.CONTROLLER, Track.PROCESSOR])
def test_every_state_of_a_part_has_a_next_step(track: Track) -> None:
    states = {row.target for row in TRANSITIONS if row.track is track}
    for state in states:
        step = step_of_part(CASE, replace(PART, track=track, state=state))
        assert (step is NextStep.NOTHING) == state.is_over, state
    with pytest.raises(KeyError):
        step_of_part(CASE, replace(PART, track=track, state=State.ID_PENDING))


@pytest.mark.parametrize("track", [Track.CONTROLLER, Track.PROCESSOR])
def test_a_decided_erasure_is_to_do_until_it_was_carried_out(track: Track) -> None:
    assert TO_CARRY_OUT.isdisjoint(CARRIED_OUT)
    for state in {row.target for row in TRANSITIONS if row.track is track}:
        part = replace(PART, track=track, state=state, action=Action.ERASE)
        is_next = step_of_part(CASE, part) is NextStep.CARRY_OUT
        assert (is_to_do(part), state in TO_CARRY_OUT) == (is_next, is_next), state
        assert has_decided(part) == (is_next or state in CARRIED_OUT)


def test_the_most_pressing_part_speaks_for_the_case() -> None:
    waits = replace(PART, track=Track.PROCESSOR, state=State.AWAITING_INSTRUCTION)
    assert step_of(replace(CASE, sub_cases=(waits,))) is NextStep.AWAIT_INSTRUCTION
    assert step_of(replace(CASE, sub_cases=(waits, PART))) is NextStep.DECIDE
    escalated = replace(waits, state=State.ESCALATED)
    assert step_of(replace(CASE, sub_cases=(PART, escalated))) is NextStep.CALL_PRINCIPAL
    assert step_of(replace(CASE, sub_cases=())) is NextStep.CONFIRM_PERSON
    assert step_of(replace(CASE, state=State.CLOSED)) is NextStep.NOTHING


def test_nothing_is_decided_before_the_identity_is_settled() -> None:
    received, asked = replace(CASE, state=State.RECEIVED), replace(CASE, state=State.ID_PENDING)
    assert (step_of(received), step_of(asked)) == (NextStep.CHECK_IDENTITY, NextStep.AWAIT_IDENTITY)
    assert desk_may(received, RECEIVED) == [DeskAct.IDENTITY, DeskAct.PAUSE, DeskAct.WITHDRAW]
    assert desk_may(asked, RECEIVED) == [DeskAct.IDENTITY, DeskAct.WITHDRAW]
    assert desk_may(CASE, RECEIVED) == [DeskAct.DECIDE, DeskAct.EXTEND, DeskAct.WITHDRAW]


@pytest.mark.parametrize("action", [Action.GIVE, Action.EXPORT])
def test_what_we_are_told_to_give_to_the_person_waits_for_who_they_are(action: Action) -> None:
    told = replace(PART, track=Track.PROCESSOR, state=State.INSTRUCTED, action=action)
    received = replace(CASE, state=State.RECEIVED, sub_cases=(told,))
    assert (step_of(received), step_of(received).is_ours) == (NextStep.CHECK_IDENTITY, True)
    assert step_of(replace(received, state=State.ID_PENDING)) is NextStep.AWAIT_IDENTITY
    assert step_of(replace(received, state=State.SCOPED)) is NextStep.CARRY_OUT
    by_itself = replace(told, may_answer=False)
    assert step_of(replace(received, sub_cases=(by_itself,))) is NextStep.CARRY_OUT, "its controller knows its customer"
    erased = replace(told, action=Action.ERASE)
    assert step_of(replace(received, sub_cases=(erased,))) is NextStep.CARRY_OUT


def test_an_extension_is_offered_once_and_before_the_month_is_over() -> None:
    assert DeskAct.EXTEND not in desk_may(CASE, CASE.due.legal_due)
    extended = replace(PART, state=State.EXTENDED, extended_at=datetime(2026, 11, 3, tzinfo=UTC))
    assert desk_may(replace(CASE, sub_cases=(extended,)), RECEIVED) == [DeskAct.DECIDE, DeskAct.WITHDRAW]
    assert desk_may(replace(CASE, state=State.CLOSED), RECEIVED) == []


def test_a_plan_that_waits_has_to_be_released_first() -> None:
    decided = replace(CASE, sub_cases=(replace(PART, state=State.ACCEPTED, action=Action.ERASE),))
    assert step_of(decided) is NextStep.CARRY_OUT
    assert step_of(decided, frozenset({"energy01"})) is NextStep.RELEASE
    assert step_of(decided, frozenset({"telecom01"})) is NextStep.CARRY_OUT


@pytest.mark.parametrize(
    ("track", "state"),
    [(Track.CONTROLLER, State.ACCEPTED), (Track.CONTROLLER, State.PARTIAL), (Track.PROCESSOR, State.INSTRUCTED)],
)
def test_a_correction_that_was_decided_and_not_made_is_a_persons_to_look_at(track: Track, state: State) -> None:
    part = replace(PART, track=track, state=state, action=Action.RECTIFY)
    step = step_of(replace(CASE, sub_cases=(part,)))
    assert step is NextStep.CHECK_CORRECTION and step.is_ours
    restricted = replace(part, action=Action.RESTRICT)
    assert step_of(replace(CASE, sub_cases=(restricted,))) is NextStep.CARRY_OUT, "control"
    made = replace(part, track=Track.CONTROLLER, state=State.EXECUTING)
    assert step_of(replace(CASE, sub_cases=(made,))) is NextStep.TELL_RECIPIENTS


def test_a_recipient_without_a_prefix_is_a_persons_to_tell() -> None:
    told = replace(PART, state=State.EXECUTING, action=Action.ERASE)
    case, mine = replace(CASE, sub_cases=(told,)), frozenset({PART.sub_case_id})
    assert step_of(case) is NextStep.TELL_RECIPIENTS and not step_of(case).is_ours, "control: by file, of itself"
    assert step_of(case, by_hand=mine) is NextStep.TELL_BY_HAND and step_of(case, by_hand=mine).is_ours
    [owed] = next_of(case, (), (), mine)
    assert (owed.step, owed.who, owed.until) == (NextStep.TELL_BY_HAND, "center", CASE.last_day)
    assert step_of(case, by_hand=frozenset({"2"})) is NextStep.TELL_RECIPIENTS, "another part's"
    lettered = replace(case, letters=(LETTER,))
    assert [each.step for each in next_of(lettered, (), (), mine)] == [NextStep.TELL_BY_HAND, NextStep.POST_LETTER]
    over = replace(case, sub_cases=(replace(told, state=State.CLOSED),))
    assert step_of(over, by_hand=mine) is NextStep.NOTHING


def test_a_letter_that_nobody_took_out_has_to_be_posted() -> None:
    told = replace(PART, state=State.RECIPIENTS_NOTIFIED, action=Action.ERASE)
    waits = replace(PART, sub_case_id=SubCaseId("2"), track=Track.PROCESSOR, state=State.AWAITING_INSTRUCTION)
    case = replace(CASE, sub_cases=(told, waits), letters=(LETTER,))
    assert letters_to_post(case) == [LETTER]
    assert step_of(case) is NextStep.POST_LETTER and step_of(case).is_ours
    assert (step_of_part(case, told), step_of_part(case, waits)) == (NextStep.POST_LETTER, NextStep.AWAIT_INSTRUCTION)
    receipt = replace(LETTER, kind=LetterKind.RECEIPT, sub_cases=())
    assert step_of(replace(case, letters=(receipt,))) is NextStep.POST_LETTER
    taken = replace(case, letters=(replace(LETTER, opened_at=datetime(2026, 11, 6, tzinfo=UTC)),))
    assert (letters_to_post(taken), step_of(taken)) == ([], NextStep.AWAIT_INSTRUCTION)


def test_no_letter_is_posted_that_the_person_does_not_wait_for() -> None:
    fetched = replace(PART, state=State.ANSWERED, action=Action.ERASE)
    case = replace(CASE, sub_cases=(fetched,), letters=(LETTER,))
    assert (letters_to_post(case), step_of(case)) == ([], NextStep.CLOSE)
    other = replace(LETTER, language="fr", sub_cases=())
    assert letters_to_post(replace(case, letters=(other,))) == []
    withdrawn = replace(case, state=State.WITHDRAWN_BY_SUBJECT, letters=(replace(LETTER, sub_cases=()),))
    assert (letters_to_post(withdrawn), step_of(withdrawn)) == ([], NextStep.NOTHING)


def test_what_has_to_be_decided_presses_more_than_a_letter() -> None:
    case = replace(CASE, letters=(replace(LETTER, sub_cases=()),))
    assert (step_of(case), step_of_part(case, PART)) == (NextStep.DECIDE, NextStep.DECIDE)


NAMED = re.compile(r"sluice ([a-z]+) ([a-z]+)((?: [^ ]+)*)")
TRACKS = (Track.CONTROLLER, Track.PROCESSOR)
COMMAND: Any = get_command(app)


def is_a_command(said: str) -> bool:
    """Whether a line names a command, with options that it has."""
    topic, name, rest = NAMED.findall(said)[0]
    group = COMMAND.commands[topic]
    known = {each for parameter in group.commands[name].params for each in parameter.opts}
    return set(re.findall(r"--[a-z-]+", rest)) <= known


@pytest.mark.parametrize("right", Right)
@pytest.mark.parametrize("track", TRACKS)
def test_in_every_state_it_is_what_the_pages_say_with_a_command(right: Right, track: Track) -> None:
    states = sorted({row.target for row in TRANSITIONS if row.track is track})
    found: set[NextStep] = set()
    of_case = (State.RECEIVED, State.ID_PENDING, State.SCOPED, State.CLOSED)
    receipt = replace(LETTER, kind=LetterKind.RECEIPT, sub_cases=())
    for state, action, whole, letters in product(states, ACTIONS[right], of_case, ((), (LETTER,), (receipt,))):
        part = replace(PART, track=track, state=state, action=action)
        case = replace(CASE, right=right, state=whole, sub_cases=(part,), letters=letters)
        at = (frozenset(), frozenset({PART.principal}))
        for planned, restricted, by_hand in product(at, at, (frozenset(), frozenset({PART.sub_case_id}))):
            owed = next_of(case, planned, restricted, by_hand)
            step = step_of(case, planned, restricted, by_hand)
            assert (owed[0].step if owed else NextStep.NOTHING) is step, (state, action, whole)
            assert [each for each in owed if not is_a_command(each.command)] == []
            found |= {each.step for each in owed}
    assert {NextStep.POST_LETTER, NextStep.CARRY_OUT, NextStep.CLOSE} <= found, "control: not always the same"
    assert NextStep.TELL_BY_HAND in found


def test_who_owes_it_and_until_when() -> None:
    forward = datetime(2026, 11, 3, 12, tzinfo=UTC)
    waits = replace(PART, track=Track.PROCESSOR, state=State.AWAITING_INSTRUCTION)
    late = replace(waits, sub_case_id="2", state=State.SCOPED, forward_due_at=forward, principal="telecom01")
    told = [(each.step, each.who, each.until) for each in next_of(replace(CASE, sub_cases=(PART, late, waits)), (), ())]
    assert told == [
        (NextStep.DECIDE, "center", date(2026, 12, 2)),
        (NextStep.FORWARD, "schedule", forward),
        (NextStep.AWAIT_INSTRUCTION, "energy01", date(2026, 12, 2)),
    ]
    pending = replace(CASE, state=State.ID_PENDING)
    assert [(each.step, each.who) for each in next_of(pending, (), ())] == [(NextStep.AWAIT_IDENTITY, "person")]
    answered = replace(CASE, sub_cases=(replace(PART, state=State.ANSWERED, action=Action.ERASE),))
    assert [each.until for each in next_of(answered, (), ())] == [None], "no deadline can be missed any more"
    extended = replace(PART, state=State.EXTENDED, extended_at=datetime(2026, 11, 3, tzinfo=UTC))
    letter = replace(LETTER, kind=LetterKind.EXTENSION, opened_at=extended.extended_at)
    [owed] = next_of(replace(CASE, sub_cases=(extended,), letters=(letter,)), (), ())
    assert owed.until == CASE.due.extended_due
    [nobody] = next_of(replace(CASE, sub_cases=()), (), ())
    assert nobody.step is NextStep.CONFIRM_PERSON and nobody.until == CASE.last_day


OF_A_PART = frozenset(row.target for row in TRANSITIONS if row.track is not Track.CASE)
FURTHER = frozenset({State.REFUSED, State.WITHDRAWN_BY_SUBJECT})


def shares_out(sets: Iterable[frozenset[State]], whole: frozenset[State]) -> bool:
    """Whether every state of the whole is in exactly one of the sets."""
    return sorted(state for each in sets for state in each) == sorted(whole)


def test_every_state_of_a_part_is_undecided_or_to_carry_out_or_carried_out_or_neither_by_name() -> None:
    assert shares_out((UNDECIDED, TO_CARRY_OUT, CARRIED_OUT, FURTHER), OF_A_PART)
    assert shares_out((UNDECIDED, DECIDED), OF_A_PART)
    assert shares_out((NOT_ANSWERED & TO_CARRY_OUT, NOT_ANSWERED & CARRIED_OUT), NOT_ANSWERED)
    assert not shares_out((UNDECIDED, TO_CARRY_OUT, CARRIED_OUT), OF_A_PART), "the check sees a state that is left out"


@pytest.mark.parametrize(
    ("track", "step", "states"),
    [
        (Track.CONTROLLER, NextStep.DECIDE, LEFT_TO_DECIDE),
        (Track.PROCESSOR, NextStep.CALL_PRINCIPAL, LEFT_TO_CALL),
    ],
)
def test_a_person_of_the_center_is_called_in_the_states_that_the_desk_searches(
    track: Track, step: NextStep, states: frozenset[State]
) -> None:
    own = {row.target for row in TRANSITIONS if row.track is track}
    assert {state for state in own if step_of_part(CASE, replace(PART, track=track, state=state)) is step} == states
