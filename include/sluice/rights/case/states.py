"""The sets of states that more than one rule asks for, each under one name. Pure.

docs/explanation/cases.md draws the steps between the states.
"""

from collections.abc import Mapping

from sluice.rights.case.model import Case, State, SubCase, Track

IDENTITY_NOT_ASKED = frozenset({State.RECEIVED, State.ACKNOWLEDGED})
"""States of a case before anything was done about the identity of the person."""

WITH_PRINCIPAL = frozenset({State.AWAITING_INSTRUCTION, State.REMINDED, State.ESCALATED})
"""States of a part that waits for the instruction of its principal."""
LEFT_TO_CALL = frozenset({State.ESCALATED})
"""Those in which a person of the center has to call the principal."""
LEFT_TO_DECIDE = frozenset({State.SCOPED, State.ASSESSED, State.EXTENDED})
"""States in which the center itself has to decide a part of which it is the controller."""
UNDECIDED = LEFT_TO_DECIDE | WITH_PRINCIPAL | {State.FORWARDED}
"""States of a part of which nothing was decided yet, by whoever decides of it."""

TO_CARRY_OUT = frozenset({State.INSTRUCTED, State.ACCEPTED, State.PARTIAL})
"""States of a part that was decided, but whose decision is not carried out."""
KEEPS_SOME = frozenset({State.REFUSED, State.PARTIAL, State.INSTRUCTED})
"""Decisions by which some or all of what was asked may be refused."""

JUST_CARRIED_OUT = frozenset({State.EXECUTING, State.EXECUTED})
"""The state that a part has from the moment when its decision was carried out, by track. For an erasure, EXECUTING is
written once the second scan was clean, and lasts until everybody who has to hear of it was told."""
ANSWERED = frozenset(state for state in State if state.is_answered)
"""States of a part that has its answer but is not over."""
OVER = frozenset(state for state in State if state.is_over)
"""States that no other can follow."""
CARRIED_OUT = JUST_CARRIED_OUT | ANSWERED | {State.RECIPIENTS_NOTIFIED, State.CLOSED}
"""States of a part whose decision was carried out, in which an erasure may be run and scanned again. A refusal comes to
the later ones too, so that they say nothing without the action of the part."""
NOT_ANSWERED = (TO_CARRY_OUT | CARRIED_OUT) - ANSWERED - OVER
"""States of a part that was decided and has no answer yet."""
DECIDED = TO_CARRY_OUT | CARRIED_OUT | OVER | {State.REFUSED}
"""States of a part whose controller has decided, and of one that nobody has to decide any more."""

TAKEN_BACK = frozenset({State.ESCALATED, State.AWAITING_INSTRUCTION})
"""States into which a part goes from INSTRUCTED when its instruction holds no longer."""

TELLABLE: Mapping[Track, frozenset[State]] = {
    Track.CONTROLLER: frozenset({State.RECIPIENTS_NOTIFIED, State.ANSWERED, State.PROVEN, State.CLOSED}),
    Track.PROCESSOR: frozenset({State.EXECUTED, State.ANSWERED, State.CONFIRMED_TO_CONTROLLER, State.CLOSED}),
}
"""The states in which it is known, and can be told, what was done about a part."""


def ends_a_decision(source: State, target: State, has_reasons: bool) -> bool:
    """Whether a step takes back what was decided about a part, or refuses all of it after all.

    ``letter_store.OVERTAKING`` is the same rule in SQL.
    """
    if source is State.INSTRUCTED and target in TAKEN_BACK:
        return True
    return has_reasons and target in JUST_CARRIED_OUT


def left_to_decide(case: Case) -> list[SubCase]:
    """The parts that the center still has to decide."""
    return [part for part in case.sub_cases if part.track is Track.CONTROLLER and part.state in LEFT_TO_DECIDE]
