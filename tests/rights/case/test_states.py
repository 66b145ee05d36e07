"""The sets of states: they share out every state of a part, and mean what the next step of a part says."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from rights.case.test_next_step import CASE, PART
from sluice.rights.case.model import State, Track
from sluice.rights.case.next_step import NextStep, step_of_part
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
