"""The one table of steps: from which state to which, who may take the step, which guards must hold. Pure.

The diagrams and the list in docs/explanation/cases.md are made from it (``sluice.rights.case.diagram``).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sluice.errors import Ref
from sluice.rights.case import guards as g
from sluice.rights.case.errors import TransitionRefused
from sluice.rights.case.guards import BASE, Attempt, Guard
from sluice.rights.case.model import Flag, Role, State, Track

DESK, PRINCIPAL, SUBJECT, SYSTEM = Role.DESK, Role.PRINCIPAL, Role.SUBJECT, Role.SYSTEM
S = State


@dataclass(frozen=True, slots=True)
class Transition:
    """One row. ``source`` None: the beginning. ``needs_reason``: the reason is chosen, not a fixed code."""

    track: Track
    source: State | None
    target: State
    by: frozenset[Role]
    guards: tuple[Guard, ...]
    needs_reason: bool = False


def _row(
    track: Track, source: State | None, target: State, by: set[Role], *guards: Guard, needs_reason: bool = False
) -> Transition:
    return Transition(track, source, target, frozenset(by), guards, needs_reason)


def _case() -> Iterator[Transition]:
    case, not_them = Track.CASE, (g.identity_failed, g.machine_follows_a_refusal)
    yield _row(case, None, S.RECEIVED, {DESK, PRINCIPAL, SUBJECT}, g.is_protected)
    yield _row(case, S.RECEIVED, S.ACKNOWLEDGED, {DESK, SYSTEM})
    yield _row(case, S.ACKNOWLEDGED, S.ID_PENDING, {DESK, SYSTEM}, g.doubt_has_a_reason, needs_reason=True)
    yield _row(case, S.ID_PENDING, S.ID_OK, {DESK, PRINCIPAL, SYSTEM}, g.machine_needs_no_identity)
    yield _row(case, S.ID_PENDING, S.ID_FAILED, {DESK, SYSTEM}, *not_them, needs_reason=True)
    for source in (S.ID_OK, S.ID_FAILED):
        yield _row(case, source, S.SCOPED, {DESK, SYSTEM}, g.has_sub_cases)
    yield _row(case, S.SCOPED, S.CLOSED, {DESK, SYSTEM}, g.every_sub_case_is_over)


NOTHING_LEFT_TO_GIVE = (
    g.was_to_be_taken_along,
    g.refuses_every_field,
    g.gives_a_reason_per_field,
    g.names_remedies,
)


def _processor() -> Iterator[Transition]:
    track = Track.PROCESSOR
    waiting = (S.AWAITING_INSTRUCTION, S.REMINDED, S.ESCALATED)
    told = (
        g.instruction_names_the_case,
        g.instruction_is_authentic,
        g.instruction_is_for_own_data,
        g.instruction_is_new,
        g.instruction_fits_the_right,
        g.instruction_names_its_fields,
        g.instructed_refusal_has_reasons,
    )
    yield _row(track, None, S.SCOPED, {DESK, PRINCIPAL, SUBJECT, SYSTEM}, g.center_is_processor)
    yield _row(track, S.SCOPED, S.FORWARDED, {DESK, SYSTEM}, g.center_is_processor)
    yield _row(track, S.FORWARDED, S.AWAITING_INSTRUCTION, {DESK, SYSTEM}, g.center_is_processor)
    for source in waiting[:2]:
        yield _row(track, source, S.REMINDED, {SYSTEM}, g.reminder_is_due)
    for source in waiting[:2]:
        yield _row(track, source, S.ESCALATED, {SYSTEM}, g.reminder_is_due)
    for source in waiting:
        yield _row(track, source, S.INSTRUCTED, {PRINCIPAL}, *told)
    yield _row(
        track,
        S.INSTRUCTED,
        S.AWAITING_INSTRUCTION,
        {DESK},
        g.identity_failed,
        g.was_to_be_given_to_the_person,
        needs_reason=True,
    )
    yield _row(track, S.INSTRUCTED, S.ESCALATED, {PRINCIPAL}, *told[:-1])
    yield _row(track, S.INSTRUCTED, S.EXECUTED, {DESK, SYSTEM}, g.nothing_is_left, g.what_stays_has_reasons)
    yield _row(track, S.EXECUTED, S.EXECUTED, {SYSTEM}, *NOTHING_LEFT_TO_GIVE)
    yield _row(track, S.EXECUTED, S.ANSWERED, {DESK, SYSTEM}, g.agreement_lets_us_answer, g.refusal_was_told)
    for source in (S.EXECUTED, S.ANSWERED):
        yield _row(track, source, S.CONFIRMED_TO_CONTROLLER, {DESK, SYSTEM}, g.center_is_processor)
    yield _row(track, S.CONFIRMED_TO_CONTROLLER, S.CLOSED, {DESK, SYSTEM})


REFUSING = (g.decided_by_a_person, g.can_be_refused, g.gives_a_reason_per_field, g.names_remedies, g.abuse_is_proven)


def _decisions(source: State, *told: Guard, partial: tuple[Guard, ...] = ()) -> Iterator[Transition]:
    """The decisions of the center from a state.

    ``told``: guards of every decision; ``partial``: guards of a partial one only.
    """
    track = Track.CONTROLLER
    accepting = (g.decided_by_a_person, g.action_fits_the_right, g.does_what_was_asked, g.identity_is_settled)
    in_part = (*REFUSING, g.refuses_not_every_field, *partial, g.action_fits_the_right, g.identity_is_settled)
    refusing = (*REFUSING, g.refuses_every_field, g.refusal_is_in_time)
    yield _row(track, source, S.ACCEPTED, {DESK, SYSTEM}, *told, *accepting)
    yield _row(track, source, S.PARTIAL, {DESK}, *told, *in_part, needs_reason=True)
    yield _row(track, source, S.REFUSED, {DESK}, *told, *refusing, needs_reason=True)


def _controller() -> Iterator[Transition]:
    track = Track.CONTROLLER
    in_time = (g.extended_never_before, g.before_the_month_is_over, g.delay_has_a_reason)
    yield _row(track, None, S.SCOPED, {DESK, PRINCIPAL, SUBJECT, SYSTEM}, g.center_is_controller)
    yield _row(track, S.SCOPED, S.ASSESSED, {DESK, SYSTEM}, g.center_is_controller, g.case_is_scoped)
    yield from _decisions(S.ASSESSED, partial=(g.refusal_is_in_time,))
    in_longer = (g.refusal_of_all_is_in_time,)  # the rest within the longer time that the person was told of
    yield from _decisions(S.EXTENDED, g.extension_was_told, partial=in_longer)
    yield _row(track, S.ASSESSED, S.EXTENDED, {DESK}, *in_time, needs_reason=True)
    for source in (S.ACCEPTED, S.PARTIAL):
        yield _row(track, source, S.EXECUTING, {DESK, SYSTEM}, g.what_stays_has_reasons)
    for source in (S.EXECUTING, S.RECIPIENTS_NOTIFIED):
        yield _row(track, source, S.EXECUTING, {SYSTEM}, *NOTHING_LEFT_TO_GIVE)
    yield _row(track, S.EXECUTING, S.RECIPIENTS_NOTIFIED, {DESK, SYSTEM}, g.nothing_is_left, g.every_recipient_was_told)
    yield _row(track, S.RECIPIENTS_NOTIFIED, S.ANSWERED, {DESK, SYSTEM}, g.refusal_was_told)
    yield _row(track, S.REFUSED, S.ANSWERED, {DESK, SYSTEM}, g.refusal_was_told)
    yield _row(track, S.ANSWERED, S.PROVEN, {DESK, SYSTEM}, g.nothing_is_left)
    yield _row(track, S.PROVEN, S.CLOSED, {DESK, SYSTEM})


def _withdrawn(rows: tuple[Transition, ...]) -> Iterator[Transition]:
    """The withdrawal by the person, from every state that is not over."""
    places = dict.fromkeys((row.track, row.target) for row in rows if not row.target.is_over)
    for track, state in places:
        yield _row(track, state, S.WITHDRAWN_BY_SUBJECT, {DESK, SUBJECT}, g.subject_asked)


_STEPS = (*_case(), *_processor(), *_controller())
TRANSITIONS: tuple[Transition, ...] = (*_STEPS, *_withdrawn(_STEPS))
"""Every step there is. A step that is not in this table cannot be taken."""

FLAGS: Mapping[Flag, tuple[frozenset[Role], tuple[Guard, ...]]] = {
    Flag.BREACHED_DEADLINE: (frozenset({SYSTEM}), (g.deadline_has_passed,)),
    Flag.COMPLAINT: (frozenset({DESK, SUBJECT}), (g.subject_asked,)),
}
"""Who may set which flag, and which guards must hold. The base guards apply here too."""

_BY_PLACE: Mapping[tuple[Track, State | None, State], Transition] = {
    (row.track, row.source, row.target): row for row in TRANSITIONS
}


def find_transition(track: Track, source: State | None, target: State) -> Transition | None:
    """The row of a step, or None if there is no such step."""
    return _BY_PLACE.get((track, source, target))


def broken_guards(row: Transition, attempt: Attempt) -> tuple[str, ...]:
    """Names of the guards of a row that do not hold, and ``role`` if another must act. See :func:`_broken`."""
    return _broken(row.by, row.guards, attempt)


def _broken(by: frozenset[Role], guards: tuple[Guard, ...], attempt: Attempt) -> tuple[str, ...]:
    """Check the base guards first: the others are checked only if these all hold."""
    allowed = () if attempt.order.actor.role in by else ("role",)
    whole = tuple(guard.__name__ for guard in BASE if not guard(attempt))
    return (*allowed, *(whole or (guard.__name__ for guard in guards if not guard(attempt))))


def check_step(source: State | None, target: State, attempt: Attempt) -> Transition:
    """Return the row of the step in ``attempt``. Raises TransitionRefused, naming every guard that does not hold."""
    track = attempt.part.track if attempt.part else Track.CASE
    row = find_transition(track, source, target)
    if row is None:
        raise TransitionRefused(Ref("from", source or "nothing"), Ref("to", target), Ref("guard", "no_such_step"))
    if broken := broken_guards(row, attempt):
        raise TransitionRefused(Ref("from", source or "nothing"), Ref("to", target), Ref("guard", ", ".join(broken)))
    return row


def check_flag(flag: Flag, attempt: Attempt) -> None:
    """Raise TransitionRefused unless the order may set the flag."""
    if broken := _broken(*FLAGS[flag], attempt):
        raise TransitionRefused(Ref("flag", flag), Ref("guard", ", ".join(broken)))
