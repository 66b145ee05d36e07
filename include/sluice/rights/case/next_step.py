"""Decide what has to happen next with a case, and whether the center has to do it. Pure: a page puts it into words."""

from collections.abc import Collection, Mapping
from datetime import date
from enum import StrEnum

from sluice.rights.case.clock import extension_latest
from sluice.rights.case.letter_due import goes_to_person, waits_for_identity
from sluice.rights.case.model import Action, Case, Letter, State, SubCase, Track
from sluice.rights.case.states import IDENTITY_NOT_ASKED, left_to_decide


class NextStep(StrEnum):
    """The next step of a case, most pressing first. A case with several parts has the most pressing step of these."""

    CONFIRM_PERSON = "confirm_person"
    CALL_PRINCIPAL = "call_principal"
    CHECK_IDENTITY = "check_identity"
    DECIDE = "decide"
    ASK_PERSON = "ask_person"
    RELEASE = "release"
    CHECK_CORRECTION = "check_correction"
    TELL_BY_HAND = "tell_by_hand"
    POST_LETTER = "post_letter"
    FORWARD = "forward"
    AWAIT_IDENTITY = "await_identity"
    AWAIT_INSTRUCTION = "await_instruction"
    CARRY_OUT = "carry_out"
    TELL_RECIPIENTS = "tell_recipients"
    ANSWER = "answer"
    CLOSE = "close"
    NOTHING = "nothing"

    @property
    def is_ours(self) -> bool:
        """Whether a person of the center has to do it; other steps are for others, or for the schedule."""
        return self in OURS


OURS = frozenset(
    {
        NextStep.CONFIRM_PERSON,
        NextStep.CALL_PRINCIPAL,
        NextStep.CHECK_IDENTITY,
        NextStep.DECIDE,
        NextStep.ASK_PERSON,
        NextStep.RELEASE,
        NextStep.CHECK_CORRECTION,
        NextStep.TELL_BY_HAND,
        NextStep.POST_LETTER,
    }
)
_CONTROLLER: Mapping[State, NextStep] = {
    State.SCOPED: NextStep.DECIDE,
    State.ASSESSED: NextStep.DECIDE,
    State.EXTENDED: NextStep.DECIDE,
    State.ACCEPTED: NextStep.CARRY_OUT,
    State.PARTIAL: NextStep.CARRY_OUT,
    State.REFUSED: NextStep.ANSWER,
    State.EXECUTING: NextStep.TELL_RECIPIENTS,
    State.RECIPIENTS_NOTIFIED: NextStep.ANSWER,
    State.ANSWERED: NextStep.CLOSE,
    State.PROVEN: NextStep.CLOSE,
}
_PROCESSOR: Mapping[State, NextStep] = {
    State.SCOPED: NextStep.FORWARD,
    State.FORWARDED: NextStep.AWAIT_INSTRUCTION,
    State.AWAITING_INSTRUCTION: NextStep.AWAIT_INSTRUCTION,
    State.REMINDED: NextStep.AWAIT_INSTRUCTION,
    State.ESCALATED: NextStep.CALL_PRINCIPAL,
    State.INSTRUCTED: NextStep.CARRY_OUT,
    State.EXECUTED: NextStep.ANSWER,
    State.ANSWERED: NextStep.CLOSE,
    State.CONFIRMED_TO_CONTROLLER: NextStep.CLOSE,
}


def letters_to_post(case: Case) -> list[Letter]:
    """Letters to the person that nobody has taken out yet.

    A letter is left out if the parts that it is about were answered in another way, for example by a link, or if
    what it gives the reasons of was taken back or decided anew since.
    """
    open_parts = {part.sub_case_id for part in case.sub_cases if not part.is_answered}
    return [
        letter
        for letter in case.letters
        if letter.opened_at is None
        and not letter.overtaken
        and letter.language == case.language
        and (not letter.sub_cases or not open_parts.isdisjoint(letter.sub_cases))
        and not case.state.is_over
    ]


def step_of_part(
    case: Case, part: SubCase, has_plan: bool = False, is_restricted: bool = False, by_hand: Collection[str] = ()
) -> NextStep:
    """What has to happen next with one part. ``has_plan``: a plan of this erasure waits for its release.

    ``is_restricted``: the erasure waits, because the person had the same data restricted since. Only they can say which
    of the two they want. ``by_hand``: parts of which the desk still has to tell a recipient (Art. 19); until it has,
    nobody is answered.
    """
    step = _step_of_part(case, part, has_plan, is_restricted)
    if part.sub_case_id not in by_hand or part.state.is_over:
        return step
    return step if step.is_ours and step is not NextStep.POST_LETTER else NextStep.TELL_BY_HAND


def _step_of_part(case: Case, part: SubCase, has_plan: bool, is_restricted: bool) -> NextStep:
    """What has to happen next with a part of which the desk has nobody to tell.

    The schedule makes corrections at once where it can. For those that remain, nobody said what is right, or nobody
    can tell whose rows are meant (Art. 16), so a person has to find out.
    """
    if part.state.is_over:
        return NextStep.NOTHING
    steps = _CONTROLLER if part.track is Track.CONTROLLER else _PROCESSOR
    step = steps[part.state]
    is_given = step is NextStep.CARRY_OUT and goes_to_person(part, part.action)
    if (step is NextStep.DECIDE or is_given) and not case.is_scoped:
        return _of_identity(case)
    if step is NextStep.CARRY_OUT and is_restricted and part.action is Action.ERASE:
        return NextStep.ASK_PERSON
    if step is NextStep.CARRY_OUT and has_plan and part.action is Action.ERASE:
        return NextStep.RELEASE
    if step is NextStep.CARRY_OUT and part.action is Action.RECTIFY:
        return NextStep.CHECK_CORRECTION
    if waits_for_identity(case, part):
        return _of_identity(case)
    has_letter = any(part.sub_case_id in letter.sub_cases for letter in letters_to_post(case))
    return NextStep.POST_LETTER if has_letter and not step.is_ours else step


def _of_identity(case: Case) -> NextStep:
    return NextStep.AWAIT_IDENTITY if case.state is State.ID_PENDING else NextStep.CHECK_IDENTITY


def step_of(
    case: Case,
    planned_at: Collection[str] = frozenset(),
    restricted_at: Collection[str] = frozenset(),
    by_hand: Collection[str] = (),
) -> NextStep:
    """What has to happen next with the case. ``planned_at``: principals where an erasure plan waits for release.

    ``restricted_at``: principals where the erasure waits for a restriction. ``by_hand``: parts of which the desk still
    has to tell a recipient.
    """
    if case.state.is_over:
        return NextStep.NOTHING
    if not case.sub_cases:
        return NextStep.CONFIRM_PERSON
    order = list(NextStep)
    steps = [
        step_of_part(case, part, part.principal in planned_at, part.principal in restricted_at, by_hand)
        for part in case.sub_cases
    ]
    if letters_to_post(case):
        steps.append(NextStep.POST_LETTER)
    return min(steps, key=order.index)


class DeskAct(StrEnum):
    """What a person of the center may do to a case."""

    PAUSE = "pause"
    IDENTITY = "identity"
    DECIDE = "decide"
    EXTEND = "extend"
    WITHDRAW = "withdraw"


def desk_may(case: Case, today: date) -> list[DeskAct]:
    """What the desk can do now, as far as the case shows; the guards of each step have the last word."""
    if case.state.is_over:
        return []
    asked, parts = case.state in IDENTITY_NOT_ASKED, open_to_decide(case)
    never_extended = any(part.extended_at is None for part in parts)
    return [
        act
        for act, is_open in (
            (DeskAct.DECIDE, bool(parts)),
            (DeskAct.IDENTITY, bool(case.sub_cases) and (asked or case.state is State.ID_PENDING)),
            (DeskAct.PAUSE, asked),
            (DeskAct.EXTEND, never_extended and today <= extension_latest(case.due)),
            (DeskAct.WITHDRAW, True),
        )
        if is_open
    ]


def open_to_decide(case: Case) -> list[SubCase]:
    """Parts that the center can decide now."""
    return left_to_decide(case) if case.is_scoped else []
