"""What comes next with a case: every state of the table has an answer, and the most pressing part speaks for it."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from sluice.rights.case.clock import due_dates
from sluice.rights.case.facts import clock_parameters
from sluice.rights.case.model import Action, Case, CaseId, Letter, LetterKind, Right, State, SubCase, SubCaseId, Track
from sluice.rights.case.next_step import DeskAct, NextStep, desk_may, letters_to_post, step_of, step_of_part
from sluice.rights.case.owed import next_of
from sluice.rights.case.states import CARRIED_OUT, TO_CARRY_OUT
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
