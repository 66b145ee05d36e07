"""The next steps of a case: who has to take each, by when, and with which command. No value of a person is shown."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sluice.db import Connection
from sluice.rights.case.desk_store import find_by_hand, find_planned, find_restricted
from sluice.rights.case.model import ACTIONS, Action, Case, Letter, SubCase, SubCaseId, Track
from sluice.rights.case.next_step import NextStep, letters_to_post, step_of, step_of_part

PRINCIPALS = frozenset({NextStep.AWAIT_INSTRUCTION})
PERSONS = frozenset({NextStep.AWAIT_IDENTITY})
CARRIED_OUT_BY: Mapping[Action, str] = {
    Action.ERASE: "sluice erase run {case}",
    Action.GIVE: "sluice export access {case}",
    Action.EXPORT: "sluice export portability {case}",
}
"""Commands that carry a decision out now instead of at the next run of the schedule; its sweep ends all others."""
FOLLOW, SWEEP = "sluice case follow", "sluice notices follow"
COMMANDS: Mapping[NextStep, str] = {
    NextStep.CONFIRM_PERSON: "sluice case candidates {case}, then sluice case confirm {case} --candidate NAME:REF",
    NextStep.CALL_PRINCIPAL: f"{FOLLOW}, once their instruction lies under requests/",
    NextStep.CHECK_IDENTITY: "sluice case identity {case}, or in doubt sluice case pause {case}",
    NextStep.ASK_PERSON: "sluice case withdraw {case}, or sluice case lift of the case that restricts",
    NextStep.RELEASE: "sluice erase release {case} --by NAME",
    NextStep.CHECK_CORRECTION: "sluice case rectify {case} VALUES.json --as-of MOMENT",
    NextStep.TELL_BY_HAND: "sluice notices list --case {case} --state OWED, then sluice notices export and sent",
    NextStep.FORWARD: FOLLOW,
    NextStep.AWAIT_IDENTITY: "sluice case identity {case}",
    NextStep.AWAIT_INSTRUCTION: FOLLOW,
    NextStep.TELL_RECIPIENTS: SWEEP,
    NextStep.CLOSE: SWEEP,
}
"""The command of each step; the words in capitals are filled in by whoever runs it."""


@dataclass(frozen=True, slots=True)
class Owed:
    """One next step. ``until``: a Brussels date, or a moment in UTC; None where no deadline runs.

    ``sub_case``: the part that it is about; None for the whole case.
    """

    step: NextStep
    what: str
    who: str
    until: date | datetime | None
    sub_case: SubCaseId | None
    command: str


def find_owed(conn: Connection, case: Case) -> list[Owed]:
    """Return the next steps of a case as it stands now."""
    number, none = case.case_id, frozenset[str]()
    planned, restricted = find_planned(conn, [number]), find_restricted(conn, [number])
    by_hand = find_by_hand(conn, [number])
    return next_of(case, planned.get(number, none), restricted.get(number, none), by_hand.get(number, none))


def next_of(
    case: Case, planned_at: Collection[str], restricted_at: Collection[str], by_hand: Collection[str] = ()
) -> list[Owed]:
    """Return the next steps, the most pressing first, as the page of the case shows them; none if the case is over.

    ``planned_at``: principals at which a plan of the erasure waits for its release; ``restricted_at``: at which it
    waits for a restriction; ``by_hand``: parts of which the desk has to tell a recipient.
    """
    if case.state.is_over:
        return []
    if not case.sub_cases:
        step = step_of(case)
        return [_owed(case, step, None, COMMANDS[step].format(case=case.case_id[:8]))]
    found = [*_of_letters(case), *_of_parts(case, planned_at, restricted_at, by_hand)]
    order = list(NextStep)
    return sorted(found, key=lambda each: order.index(each.step))


def _of_letters(case: Case) -> Iterator[Owed]:
    parts = {part.sub_case_id: part for part in case.sub_cases}
    for letter in letters_to_post(case):
        part = parts.get(letter.sub_cases[0]) if letter.sub_cases else None
        yield _owed(case, NextStep.POST_LETTER, part, _take_out(case, letter))


def _of_parts(
    case: Case, planned_at: Collection[str], restricted_at: Collection[str], by_hand: Collection[str]
) -> Iterator[Owed]:
    for part in case.sub_cases:
        step = step_of_part(case, part, part.principal in planned_at, part.principal in restricted_at, by_hand)
        if step not in (NextStep.NOTHING, NextStep.POST_LETTER):  # a letter is told by itself
            yield _owed(case, step, part, _command(case, part, step))


def _owed(case: Case, step: NextStep, part: SubCase | None, command: str) -> Owed:
    from sluice.documents.words import words

    what = words("en").say(f"pages.next.{step.value}")
    return Owed(step, what, _who(step, part), _until(case, step, part), part.sub_case_id if part else None, command)


def _who(step: NextStep, part: SubCase | None) -> str:
    """Who has to take the step: the center's people, the principal, the person, or the schedule by itself."""
    if step in PRINCIPALS and part:
        return part.principal
    if step in PERSONS:
        return "person"
    return "center" if step.is_ours else "schedule"


def _until(case: Case, step: NextStep, part: SubCase | None) -> date | datetime | None:
    """The end of the agreement's hours to forward; else the last day to answer (`clock due`), while that runs."""
    if part is None:
        return case.last_day
    if step is NextStep.FORWARD:
        return part.forward_due_at
    return None if part.is_answered else case.last_day_of(part)


def _command(case: Case, part: SubCase, step: NextStep) -> str:
    """The command that takes the step, or that does now what the schedule would do later."""
    if step is NextStep.DECIDE:
        accept = " or ".join(sorted(ACTIONS[case.right] - {Action.REFUSE}))
        refuse = ", or --refuse REASON --remedies remedies.be" if Action.REFUSE in ACTIONS[case.right] else ""
        text = f"sluice case decide {{case}} --sub-case {part.sub_case_id} --accept {accept}{refuse}"
    elif step is NextStep.CARRY_OUT and part.action:
        text = CARRIED_OUT_BY.get(part.action, SWEEP)
    elif step is NextStep.ANSWER:
        text = FOLLOW if part.track is Track.CONTROLLER else SWEEP
    else:
        text = COMMANDS.get(step, SWEEP)
    return text.format(case=case.case_id[:8])


def _take_out(case: Case, letter: Letter) -> str:
    about = f" --sub-case {letter.sub_cases[0]}" if letter.sub_cases else ""
    return f"sluice case letter {case.case_id[:8]} --kind {letter.kind}{about} --to {letter.kind}.pdf"
