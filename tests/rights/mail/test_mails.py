"""Mail over a real conversation: every mail that is owed arrives, at least once, and names nobody."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import SecretStr

from rights.instructing import with_own_evidence
from rights.post_office import PostOffice, post_office
from rights.town import Town, open_town, papers_of
from sluice.rights.case.clock import alarms
from sluice.rights.case.facts import clock_parameters
from sluice.rights.erasure.erase import run
from sluice.rights.mail import mail_store
from sluice.rights.mail.model import AddressRefused, Mail, MailKind
from sluice.rights.mail.send import TIMEOUT_SECONDS, hand_over, read_target
from sluice.rights.mail.write import MOST_IN_A_ROW, Mailed, count_waiting, send_mails
from sluice.rights.notices.notice_store import list_notices
from sluice.rights.schedule import sweep
from sluice.settings import Settings
from support.copies import Copies

pytestmark = pytest.mark.stores
NAMES = ("energy01",)
STEPS = 12
"""Connect, greeting, EHLO, STARTTLS, TLS, EHLO, AUTH in two, MAIL, RCPT, DATA, content: each may take its time-out."""


@pytest.fixture
def office() -> Iterator[PostOffice]:
    with post_office() as opened:
        yield opened


def erased(settings: Settings, folder: Path) -> None:
    """One person who was in a file and in a return, and is erased; who has a copy was told by file."""
    with open_town(papers_of(settings, folder, NAMES), folder, NAMES, 1) as opened:
        opened.arrive("energy01", opened.people)
        opened.give_back("energy01", opened.people)
        case = opened.decided(opened.people[0])
        run(opened.house, case.case_id, datetime.now(UTC))
        sweep(opened.house, datetime.now(UTC))


@pytest.fixture
def town(copies: Copies, tmp_path: Path, office: PostOffice) -> Iterator[Town]:
    """As :func:`erased`, with a post office."""
    mail = {
        "smtp_url": SecretStr(f"smtp://127.0.0.1:{office.port}"),
        "mail_from": "sluice@center.example",
        "mail_desk": "desk@center.example",
    }
    with (
        copies.lend(erased, tmp_path) as settings,
        open_town(with_own_evidence(settings).model_copy(update=mail), tmp_path, NAMES, 1) as opened,
    ):
        yield opened


def send(town: Town, days: int = 0) -> Mailed:
    return send_mails(town.house, datetime.now(UTC) + timedelta(days=days))


def waiting(town: Town, days: int = 0) -> int:
    return count_waiting(town.house, datetime.now(UTC) + timedelta(days=days))


def due_again(town: Town) -> None:
    """The pause before the next try is over."""
    town.house.conn.execute("update sluice.mail set next_attempt_at = now() where sent_at is null")


def test_recipients_hear_by_mail_of_a_notice_that_lies_there_once(town: Town, office: PostOffice) -> None:
    told = [each for each in list_notices(town.house.conn, limit=None) if each.channel.value == "prefix"]
    assert told, "somebody was told"

    first, second = send(town), send(town)

    mails = [mail for mail in office.mails if mail["To"] == "privacy@energy01.example"]
    assert len(mails) == len(told) and first.sent == len(office.mails) and second == Mailed(True, 0, 0)
    for mail in mails:
        place = mail.get_content().partition("file: s3://")[2].splitlines()[0]
        bucket, _, key = place.partition("/")
        assert town.house.objects.head(bucket, key) is not None


def test_no_mail_holds_anything_of_the_person(town: Town, office: PostOffice) -> None:
    send(town, days=60)
    person = town.people[0]
    values = [person.phone, person.record("energy01"), *(cell for cell in person.line.split(";") if len(cell) > 5)]
    assert len(office.said) >= 2 and len(values) > 4
    assert [value for value in values if value in "".join(office.said)] == []

    target = read_target(town.house.settings)
    assert target is not None
    planted = Mail(str(uuid4()), MailKind.LATE, target.desk, (("é" * 600, person.phone),))
    hand_over(planted, target, datetime.now(UTC))
    assert person.phone.encode() not in office.received[-1], "the bytes hide it"
    assert person.phone in office.said[-1], "and the search finds what is there"


def test_a_server_that_dies_before_it_answers_gets_the_same_mail_again(town: Town, office: PostOffice) -> None:
    office.hangs_up = 1
    first = send(town)
    due_again(town)
    second = send(town)

    ids = [mail["Message-ID"] for mail in office.mails]
    assert (first.failed, second.failed) == (1, 0)
    assert len(ids) == first.sent + second.sent + 1 and len(set(ids)) == first.sent + second.sent


def test_a_refused_mail_waits_keeps_nobody_waiting_and_goes_later(town: Town, office: PostOffice) -> None:
    office.refuses = True
    refused = send(town)
    assert refused.sent == 0 and refused.failed == waiting(town) > 0
    assert send(town) == Mailed(True, 0, 0), "not before its pause is over"
    office.refuses = False
    due_again(town)
    assert send(town) == Mailed(True, refused.failed, 0)
    errors = town.house.conn.execute("select last_error from sluice.mail").fetchall()
    assert {row["last_error"] for row in errors} == {None} and waiting(town) == 0


def test_what_nobody_has_to_be_written_any_more_does_not_wait(town: Town, office: PostOffice) -> None:
    case = town.ask(town.people[0])
    days = (case.due.legal_due - datetime.now(UTC).date()).days
    office.refuses = True
    assert send(town, days - 1).failed == waiting(town, days - 1) > 0
    near = town.house.conn.execute("select number from mail where kind = 'ALARM'").fetchall()
    assert near

    office.refuses = False
    due_again(town)
    assert send(town, days + 2).failed == 0
    unsent = town.house.conn.execute("select number from mail where sent_at is null").fetchall()
    assert sorted(map(str, unsent)) == sorted(map(str, near)) and waiting(town, days + 2) == 0


def test_who_took_a_mail_has_it_for_longer_than_a_whole_conversation_takes(town: Town) -> None:
    conn, number = town.house.conn, str(uuid4())
    assert mail_store.begin_mail(conn, number, "NOTICE")

    def after(seconds: float) -> bool:
        """Whether another worker may take it so long afterwards; put back as it was."""
        conn.execute("update mail set next_attempt_at = next_attempt_at - %s", (timedelta(seconds=seconds),))
        taken = mail_store.begin_mail(conn, number, "NOTICE")
        if not taken:
            conn.execute("update mail set next_attempt_at = next_attempt_at + %s", (timedelta(seconds=seconds),))
        return taken

    assert not after(STEPS * TIMEOUT_SECONDS)
    assert after(mail_store.HOLD.total_seconds()), "whoever died does not keep it"
    assert not after(STEPS * TIMEOUT_SECONDS), "the second has it as long"


def test_a_server_that_is_away_ends_the_sweep_early(town: Town, office: PostOffice) -> None:
    for _ in range(MOST_IN_A_ROW + 2):
        town.ask(town.people[0])
    office.is_shut = True
    assert send(town, days=60) == Mailed(True, 0, MOST_IN_A_ROW)
    office.is_shut = False
    due_again(town)
    assert send(town, days=60).sent > MOST_IN_A_ROW, "and the next one goes on"


def test_an_address_that_is_refused_keeps_no_other_waiting(town: Town, office: PostOffice) -> None:
    office.refuses = frozenset({"desk@center.example"})
    cases = [town.ask(town.people[0]) for _ in range(MOST_IN_A_ROW + 2)]
    after = send(town, days=60)
    assert after.failed >= len(cases) and after.sent > 0, "what goes to principals came behind them, and went"
    codes = town.house.conn.execute("select distinct last_error from mail where sent_at is null").fetchall()
    assert [row["last_error"] for row in codes] == [AddressRefused.code]


def test_what_comes_near_its_day_goes_before_notices(town: Town, office: PostOffice) -> None:
    town.ask(town.people[0])
    assert send(town, days=60).sent > 1
    assert office.mails[0]["To"] == "desk@center.example"


def test_without_a_server_nothing_is_sent_and_nothing_noted(town: Town, office: PostOffice) -> None:
    off = replace(town.house, settings=town.house.settings.model_copy(update={"smtp_url": None}))
    assert send_mails(off, datetime.now(UTC)) == Mailed()
    noted = town.house.conn.execute("select from mail").fetchall()
    assert (office.received, noted, count_waiting(off, datetime.now(UTC))) == ([], [], 0)


def test_the_desk_hears_of_a_case_that_comes_near_its_day_once_per_alarm(town: Town, office: PostOffice) -> None:
    case = town.ask(town.people[0])
    days = [(case.due.legal_due - datetime.now(UTC).date()).days + after for after in (-1, -1, 2)]

    counts = [send(town, day).sent for day in days]

    alarms = [
        mail for mail in office.mails if mail["To"] == "desk@center.example" and case.case_id in mail.get_content()
    ]
    assert [mail["Subject"].rsplit(" ", 1)[1] for mail in alarms] == ["near", "past"]
    assert counts[1] == 0


@pytest.mark.evidence
def test_how_many_mails_arrive(town: Town, office: PostOffice, record_property: Callable[[str, object], None]) -> None:
    """Five requests that nobody answers, on their alarm days and after their last; each time one is lost."""
    case, *_ = [town.ask(town.people[0]) for _ in range(5)]
    last = case.due.legal_due
    days = [*alarms(last, case.country, clock_parameters(case.due.received)), last + timedelta(days=1)]
    sent = 0
    for day in days:
        moment = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        office.hangs_up = 1
        for _ in range(2):
            sent += send_mails(town.house, moment).sent
            due_again(town)

    ids = [mail["Message-ID"] for mail in office.mails]
    assert len(set(ids)) == sent >= 5 * len(days) + 1
    assert len(ids) == sent + len(days), "each that was lost came again"
    record_property("mail", f"{len(set(ids))} of {sent} owed arrived; {len(days)} lost on the way came again, same id")
