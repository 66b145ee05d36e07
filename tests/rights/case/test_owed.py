"""What `case show` says comes next is what the rule of the pages says, with a command that there is."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import product
from typing import Any

import pytest
from typer.main import get_command

from rights.case.test_next_step import CASE, LETTER, PART
from sluice.cli.whole import app
from sluice.rights.case.model import ACTIONS, Action, LetterKind, Right, State, Track
from sluice.rights.case.next_step import NextStep, step_of
from sluice.rights.case.owed import next_of
from sluice.rights.case.transitions import TRANSITIONS

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
