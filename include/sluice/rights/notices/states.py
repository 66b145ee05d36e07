"""How a notice moves: sent, acknowledged, done, overdue, reminded, escalated. Pure; each of these is a state.

No law sets these terms (Art. 19 says: without delay unless impossible); they are the center's own.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from sluice.rights.notices.model import Channel, Notice, NoticeState

S = NoticeState
WAITING = frozenset({S.SENT, S.ACKNOWLEDGED, S.OVERDUE, S.REMINDED, S.ESCALATED})
"""States in which the recipient was told and has not said that it is done."""
LATE = frozenset({S.OVERDUE, S.REMINDED, S.ESCALATED})
MOVES: Mapping[NoticeState, frozenset[NoticeState]] = {
    S.OWED: frozenset({S.SENT}),
    S.SENT: frozenset({S.ACKNOWLEDGED, S.DONE, S.OVERDUE}),
    S.ACKNOWLEDGED: frozenset({S.DONE, S.OVERDUE}),
    S.OVERDUE: frozenset({S.ACKNOWLEDGED, S.DONE, S.REMINDED, S.ESCALATED}),
    S.REMINDED: frozenset({S.ACKNOWLEDGED, S.DONE, S.REMINDED, S.ESCALATED}),
    S.ESCALATED: frozenset({S.ACKNOWLEDGED, S.DONE}),
    S.DONE: frozenset(),
}
"""Every move there is. The recipient says ACKNOWLEDGED and DONE; the others follow from sending and from time."""

ANSWER_WITHIN = timedelta(days=7)
DONE_WITHIN = timedelta(days=21)
"""Counted from the recipient's acknowledgement."""
REMIND_AFTER = timedelta(days=1)
"""Counted from the moment it was due."""
REMIND_EVERY = timedelta(days=7)
ESCALATE_AFTER = timedelta(days=14)
"""Counted from the moment it was due."""


def moved(notice: Notice, to: NoticeState, at: datetime) -> Notice:
    """The notice in its next state. The move must be one of MOVES. ``at``: when it happened, UTC."""
    assert to in MOVES[notice.state], (notice.state, to)
    changed = replace(notice, state=to)
    late = notice.was_late or notice.state in LATE or (notice.due_at is not None and at > notice.due_at)
    match to:
        case S.SENT:
            return replace(changed, told_at=at, due_at=at + ANSWER_WITHIN)
        case S.ACKNOWLEDGED:
            return replace(changed, acknowledged_at=at, was_late=late, due_at=at + DONE_WITHIN)
        case S.DONE:
            return replace(changed, acknowledged_at=notice.acknowledged_at or at, done_at=at, was_late=late)
        case S.REMINDED:
            return replace(changed, reminders=notice.reminders + 1, reminded_at=at)
        case S.ESCALATED:
            return replace(changed, escalated_at=at)
        case _:
            return changed


def due_move(notice: Notice, now: datetime) -> NoticeState | None:
    """The move that is due at ``now`` because time has passed, or None.

    At the due moment itself, nothing is late yet. The desk reminds recipients that have no prefix, so they get no
    first reminder from here.
    """
    if notice.due_at is None or now <= notice.due_at:
        return None
    if notice.state in (S.SENT, S.ACKNOWLEDGED):
        return S.OVERDUE
    if notice.state not in (S.OVERDUE, S.REMINDED):
        return None
    if notice.state is S.OVERDUE and notice.channel is Channel.PREFIX:
        return S.REMINDED if now - notice.due_at >= REMIND_AFTER else None
    if now - notice.due_at >= ESCALATE_AFTER:
        return S.ESCALATED
    asked_at = notice.reminded_at or notice.due_at
    return S.REMINDED if notice.state is S.REMINDED and now - asked_at >= REMIND_EVERY else None
