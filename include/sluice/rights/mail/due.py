"""Compute which mails are owed from notices, cases and the day. Does not know what was sent before. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from uuid import UUID, uuid5

from sluice.rights.case.clock import received_on
from sluice.rights.case.due import raised_alarms
from sluice.rights.case.model import Case
from sluice.rights.mail.model import Mail, MailKind
from sluice.rights.notices.model import Channel, Notice, NoticeState
from sluice.rights.notices.to_recipient import key_of

NUMBERS = UUID("8c1c4e2f-5d0a-4b0e-9a3f-2f6b7d1e9c55")
"""UUID namespace for the numbers of mails: the same mail always has the same number."""
TOLD = frozenset({NoticeState.SENT, NoticeState.OVERDUE})
"""States of a notice that was sent and not answered. A recipient that acknowledged a notice has read it."""
_LATER: Mapping[NoticeState, MailKind] = {
    NoticeState.REMINDED: MailKind.REMINDER,
    NoticeState.ESCALATED: MailKind.ESCALATED,
}
_ENDS: Mapping[MailKind, str] = {MailKind.NOTICE: ".json", MailKind.ESCALATED: "-escalated.json"}


def mails_of_notices(notices: Iterable[Notice], addresses: Mapping[str, str], bucket: str, desk: str) -> Iterator[Mail]:
    """Yield the mails about notices (Art. 19) that are not done. ``addresses``: mail addresses by code of principal.

    The desk gets a mail about each recipient without a prefix, because it has to tell that one itself, and about each
    recipient that never answered.
    """
    for notice in notices:
        if notice.state is NoticeState.DONE:
            continue
        if notice.channel is Channel.DESK:
            if notice.state is NoticeState.OWED:
                yield _mail(MailKind.BY_HAND, notice.notice_id, desk, _of_desk(notice))
            continue
        to = addresses.get(notice.recipient)
        if to and (notice.state in TOLD or notice.state in _LATER):
            yield _told(notice, to, bucket)
        if notice.state is NoticeState.ESCALATED:
            yield _mail(MailKind.NO_ANSWER, notice.notice_id, desk, _of_desk(notice))


def mails_of_cases(cases: Iterable[Case], now: datetime, desk: str) -> Iterator[Mail]:
    """Yield a mail for each raised alarm: the latest one of an open case without answer, or that its last day is past.

    See Art. 12(3).
    """
    for alarm in raised_alarms(cases, received_on(now)):
        case, last = alarm.case, alarm.last_day
        facts = (("case", case.case_id), ("article", case.right.article), ("last day", last.isoformat()))
        kind = MailKind.LATE if alarm.is_late else MailKind.ALARM
        yield _mail(kind, f"{case.case_id}/{last}/{alarm.raised_on}", desk, facts)


def _told(notice: Notice, to: str, bucket: str) -> Mail:
    """A mail to a principal. It names the principal's own part; the number of the case stays with the center."""
    kind = _LATER.get(notice.state, MailKind.NOTICE)
    end = _ENDS.get(kind, f"-reminder-{notice.reminders}.json")
    facts = [
        ("notice", notice.notice_id),
        ("case", notice.sub_case_id),
        ("action", notice.action.value),
        ("file", f"s3://{bucket}/{key_of(notice, end)}"),
    ]
    if notice.due_at is not None:
        facts.append(("answer by", received_on(notice.due_at).isoformat()))
    about = f"{notice.notice_id}/{notice.reminders}" if kind is MailKind.REMINDER else notice.notice_id
    return _mail(kind, about, to, tuple(facts))


def _of_desk(notice: Notice) -> tuple[tuple[str, str], ...]:
    return (
        ("case", notice.case_id),
        ("notice", notice.notice_id),
        ("recipient", notice.recipient),
        ("action", notice.action.value),
    )


def _mail(kind: MailKind, about: str, to: str, facts: tuple[tuple[str, str], ...]) -> Mail:
    return Mail(str(uuid5(NUMBERS, f"{kind}/{about}")), kind, to, facts)
