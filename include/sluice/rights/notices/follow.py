"""Follow notices until their recipients say that they are done: read answers, remind, escalate, remove what is over."""

import logging
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from sluice.exchange.house import House
from sluice.exchange.inbox import InboxSweep
from sluice.exchange.locks import try_lock
from sluice.exchange.sweeping import do_each
from sluice.returns.notices import give_notice
from sluice.rights.notices import notice_store
from sluice.rights.notices.answers import read_answers
from sluice.rights.notices.book import take
from sluice.rights.notices.model import Channel, Notice, NoticeState
from sluice.rights.notices.states import WAITING, due_move
from sluice.rights.notices.to_recipient import key_of, told_again_document

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NoticesFollowed:
    """The result of one sweep.

    ``dropped``: notices that named a person and are done. ``left``: faults that were logged; the next sweep tries
    again.
    """

    answers: InboxSweep = field(default_factory=InboxSweep)
    overdue: int = 0
    reminded: int = 0
    escalated: int = 0
    dropped: int = 0
    left: int = 0

    @property
    def failed(self) -> int:
        return self.answers.failed + self.left


def follow(house: House, now: datetime) -> NoticesFollowed:
    """Read the answers, then take every move that is due because time has passed.

    Answers come first, so that nobody is reminded of something that they have answered already. Repeating it at the
    same moment finds nothing more to do. Raises ServiceMissing when a store is away.
    """
    answers = read_answers(house, now)
    counts = dict.fromkeys((NoticeState.OVERDUE, NoticeState.REMINDED, NoticeState.ESCALATED), 0)

    def move(waiting: Notice) -> int:
        notice: Notice | None = waiting
        while notice and (to := due_move(notice, now)):
            notice = _move(house, notice, to, now)
            counts[to] += notice is not None
        return 0

    waiting = notice_store.list_notices(house.conn, states=WAITING, limit=None)
    _, not_moved = do_each(house.conn, "a notice", waiting, move)
    dropped, not_dropped = do_each(
        house.conn, "a notice that is done", notice_store.find_done(house.conn), partial(_drop, house, now)
    )
    return NoticesFollowed(
        answers=answers,
        overdue=counts[NoticeState.OVERDUE],
        reminded=counts[NoticeState.REMINDED],
        escalated=counts[NoticeState.ESCALATED],
        dropped=dropped,
        left=not_moved + not_dropped,
    )


def _drop(house: House, now: datetime, notice: Notice) -> bool:
    """Remove every version of a notice that is done or is never sent: it names a person, and nobody needs it."""
    with try_lock(house.conn, notice.notice_id) as is_free:
        if is_free:
            house.objects.delete_others(house.settings.bucket_exchange, key_of(notice), frozenset())
            notice_store.mark_dropped(house.conn, notice.notice_id, now)
    return is_free


def _move(house: House, notice: Notice, to: NoticeState, now: datetime) -> Notice | None:
    """Take a move that is due, and return the notice after it; None if another worker was first."""
    sha256 = None
    if to is not NoticeState.OVERDUE and notice.channel is Channel.PREFIX:
        end = f"-reminder-{notice.reminders + 1}.json" if to is NoticeState.REMINDED else "-escalated.json"
        sha256 = give_notice(house, key_of(notice, end), told_again_document(notice, to)).sha256
    if not take(house.conn, notice, to, now, evidence_sha256=sha256):
        return None
    if to is NoticeState.ESCALATED:
        log.warning("notice %s: %s has not said that it is done; call them", notice.notice_id, notice.recipient)
    return notice_store.find_notice(house.conn, notice.notice_id)
