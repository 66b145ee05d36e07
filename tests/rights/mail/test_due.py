"""Which mails are owed, by notice, case and day; and what one may hold."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import SecretStr

from rights.letter_samples import FORWARDED, a_case, a_part
from sluice.documents.words import in_each_language
from sluice.rights.case.model import Action, CaseId, State, SubCaseId
from sluice.rights.mail.due import mails_of_cases, mails_of_notices
from sluice.rights.mail.model import Mail, MailKind, MailTargetInvalid
from sluice.rights.mail.send import SUBJECTS, is_address, read_target, written
from sluice.rights.notices.model import Channel, Notice, NoticeId, NoticeState, Side
from sluice.settings import Settings

DESK = "desk@center.example"
CASE = a_case(a_part(State.ASSESSED), FORWARDED)
"""Received on 25 November 2026, so due on Monday 28 December."""
NOTICE = Notice(
    notice_id=NoticeId("11111111-1111-4111-8111-111111111111"),
    sub_case_id=SubCaseId("22222222-2222-4222-8222-222222222222"),
    case_id=CaseId("33333333-3333-4333-8333-333333333333"),
    principal="energy01", recipient="energy01", name="Energy One NV", side=Side.RECIPIENT, channel=Channel.PREFIX,
    action=Action.ERASE, field_groups=("identity",), exchanges=(), state=NoticeState.SENT,
    found_at=datetime(2026, 11, 26, tzinfo=UTC), due_at=datetime(2026, 12, 3, tzinfo=UTC),
)  # fmt: skip
ADDRESS = {"energy01": "privacy@energy01.example"}


def on(day: date) -> list[Mail]:
    return list(mails_of_cases([CASE], datetime(day.year, day.month, day.day, 12, tzinfo=UTC), DESK))


def told(notice: Notice, addresses: dict[str, str] = ADDRESS) -> list[Mail]:
    return list(mails_of_notices([notice], addresses, "exchange", DESK))


def working_days_until(day: date, due: date) -> int:
    """By counting, with the one holiday there is between: Christmas."""
    days = (day + timedelta(days=n) for n in range((due - day).days))
    return sum(one.weekday() < 5 and one != date(2026, 12, 25) for one in days)


def test_alarms_come_ten_five_and_one_working_days_ahead_each_once_and_then_it_is_late() -> None:
    due, numbers = date(2026, 12, 28), {}
    for back in range(40):
        day = date(2026, 11, 25) + timedelta(days=back)
        mails, left = on(day), working_days_until(day, due)
        if day > due:
            assert [mail.kind for mail in mails] == [MailKind.LATE]
        else:
            assert [mail.kind for mail in mails] == ([MailKind.ALARM] if left <= 10 else []), day
        for mail in mails:
            numbers.setdefault(mail.number, day)
    assert sorted(numbers.values()) == [date(2026, 12, 11), date(2026, 12, 18), date(2026, 12, 24), date(2026, 12, 29)]


def test_an_answered_or_closed_case_raises_no_alarm() -> None:
    moment = datetime(2026, 12, 24, 12, tzinfo=UTC)
    answered = replace(CASE, sub_cases=tuple(replace(p, state=State.ANSWERED) for p in CASE.sub_cases))
    over = replace(CASE, state=State.CLOSED)
    assert len(list(mails_of_cases([CASE], moment, DESK))) == 1
    assert list(mails_of_cases([answered, over], moment, DESK)) == []


@pytest.mark.parametrize(
    ("state", "reminders", "kinds"),
    [
        (NoticeState.OWED, 0, []),
        (NoticeState.SENT, 0, [MailKind.NOTICE]),
        (NoticeState.OVERDUE, 0, [MailKind.NOTICE]),
        (NoticeState.REMINDED, 1, [MailKind.REMINDER]),
        (NoticeState.ESCALATED, 2, [MailKind.ESCALATED, MailKind.NO_ANSWER]),
        (NoticeState.ACKNOWLEDGED, 1, []),
        (NoticeState.DONE, 0, []),
    ],
)
def test_a_notice_is_mailed_as_it_stands(state: NoticeState, reminders: int, kinds: list[MailKind]) -> None:
    assert [mail.kind for mail in told(replace(NOTICE, state=state, reminders=reminders))] == kinds


def test_the_same_mail_has_the_same_number_and_a_second_reminder_another() -> None:
    reminded = replace(NOTICE, state=NoticeState.REMINDED, reminders=1)
    assert told(NOTICE)[0].number == told(replace(NOTICE, state=NoticeState.OVERDUE))[0].number
    assert told(reminded)[0].number != told(replace(reminded, reminders=2))[0].number


def test_a_principal_reads_its_parts_number_and_the_desk_the_cases() -> None:
    [mail] = told(NOTICE)
    facts = dict(mail.facts)
    assert (mail.to, facts["case"]) == (ADDRESS["energy01"], NOTICE.sub_case_id)
    assert facts["file"] == f"s3://exchange/energy01/notices/notice-{NOTICE.notice_id}.json"
    assert NOTICE.case_id not in repr(mail)
    by_hand = replace(NOTICE, channel=Channel.DESK, recipient="Print & Post NV", state=NoticeState.OWED)
    assert [(each.kind, each.to, dict(each.facts)["case"]) for each in told(by_hand)] == [
        (MailKind.BY_HAND, DESK, NOTICE.case_id)
    ]
    assert told(NOTICE, {}) == [], "nobody is written to without an address"


def settings(url: str | None, sender: str | None = "sluice@center.example", desk: str | None = None) -> Settings:
    return Settings(smtp_url=SecretStr(url) if url else None, mail_from=sender, mail_desk=desk)


@pytest.mark.parametrize(
    ("url", "sender"),
    [
        ("http://mail.example", "a@b.example"),
        ("smtp://", "a@b.example"),
        ("smtp://mail.example:no", "a@b.example"),
        ("smtp://user:secret@mail.example", "a@b.example"),
        ("smtps://mail.example", None),
        ("smtps://mail.example", "two@b.example, more@b.example"),
        ("smtps://mail.example", "a@b.example\r\nBcc: x@y.example"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_and_not_repeated(url: str, sender: str | None) -> None:
    with pytest.raises(MailTargetInvalid) as refused:
        read_target(settings(url, sender))
    assert "secret" not in str(refused.value)


def test_no_server_is_no_mail_and_a_password_goes_over_tls() -> None:
    assert read_target(settings(None)) is None
    target = read_target(settings("smtp+starttls://us%40er:pa%3Ass@mail.example"))
    assert target is not None and (target.user, target.password, target.port) == ("us@er", "pa:ss", 587)
    assert "pa:ss" not in repr(target)


def test_every_kind_has_its_words_in_three_languages() -> None:
    assert set(SUBJECTS) == set(MailKind) and all(map(str.isascii, SUBJECTS.values()))
    assert all(len({SUBJECTS[kind], *in_each_language(f"mail.{kind}").values()}) == 4 for kind in MailKind)


def test_a_mail_is_plain_and_says_that_a_machine_wrote_it() -> None:
    target = read_target(settings("smtp://localhost"))
    assert target is not None
    mail = written(told(NOTICE)[0], target, datetime(2026, 11, 26, tzinfo=UTC))
    assert mail["Message-ID"] == f"<{told(NOTICE)[0].number}@center.example>"
    assert (mail["Auto-Submitted"], mail["From"]) == ("auto-generated", "sluice@center.example")
    assert not is_address("a@b@c") and not is_address("ab") and is_address("a@b.example")
