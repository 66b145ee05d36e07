"""The desk hears of refusals, overdue returns, the clock and the ledger, once by each way; and of no person."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.exceptions import AirflowException
from pydantic import SecretStr

from returns.commands import at_terminal
from rights.alerts.test_alarms import opened
from rights.post_office import PostOffice, post_office
from rights.receiver import Receiver, receiver
from sluice.orchestration.guard import guarded
from sluice.orchestration.notifiers import DeskNotifier, VerifyNotifier
from sluice.orchestration.operators import VerifyLedger
from sluice.rights.alerts import alert_store
from sluice.rights.alerts.alert_store import number_of
from sluice.rights.alerts.due import DUE, Alert, given
from sluice.rights.alerts.tell import Alerted, read_webhook, tell_desk, ways
from sluice.rights.mail.model import MailKind, WebhookInvalid
from sluice.settings import Settings, get_settings
from support.copies import Copies
from support.desk import Desk, open_desk
from support.installation import CHECKOUT
from support.night import copied_night, three_returned

pytestmark = pytest.mark.slow  # importing Airflow's operators takes seconds
BAD = b"no;contract\n1;0470123456\n"
PLANTED = ("0470123456", "470123456")
WEEK = timedelta(days=7)


@pytest.fixture
def office() -> Iterator[PostOffice]:
    with post_office() as there:
        yield there


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as there:
        yield there


def reachable(settings: Settings, office: PostOffice | None, hook: Receiver | None) -> Settings:
    """The installation with a mail server, a webhook, or both."""
    mail = (
        {"smtp_url": SecretStr(f"smtp://127.0.0.1:{office.port}"), "mail_from": "desk@center.example"} if office else {}
    )
    return settings.model_copy(update=mail | ({"webhook_url": SecretStr(hook.url)} if hook else {}))


@pytest.fixture
def desk(
    store_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, office: PostOffice, hook: Receiver
) -> Iterator[Desk]:
    with open_desk(reachable(store_settings, office, hook), tmp_path) as there, at_terminal(there, monkeypatch):
        yield there


def again(desk: Desk) -> None:
    """End the pause after a failure, so that sending is tried again."""
    desk.house.conn.execute("update mail set next_attempt_at = now() where sent_at is null")


def as_owner(desk: Desk, statement: str) -> None:
    """Run statements as the owner of the tables, which the application may not."""
    admin = desk.settings.database_admin_url
    assert admin is not None
    with closing(psycopg.connect(admin.get_secret_value(), autocommit=True)) as owner:
        owner.execute("set session_replication_role = replica")
        owner.execute(statement.encode())


def tell(kind: str) -> None:
    """Call the notifier of one kind of alert, as Airflow does when a task ended."""
    DeskNotifier(kind)({})  # type: ignore[no-untyped-call]


def ended(error: Exception | None, run: str, attempt: int = 1) -> None:
    """A task that verifies failed; Airflow knows of no exception where it was killed."""
    task = SimpleNamespace(run_id=run, try_number=attempt)
    VerifyNotifier()({"ti": task} | ({"exception": error} if error else {}))  # type: ignore[no-untyped-call]


def posts(hook: Receiver) -> list[dict[str, Any]]:
    return [json.loads(each) for each in hook.received]


def refuse(desk: Desk, count: int) -> None:
    """Make this many files arrive that are refused."""
    for number in range(count):
        desk.drop(BAD + f"{number};\n".encode(), f"bad-{number}-{count}.csv")
    desk.work()


def stands(desk: Desk) -> list[tuple[object, object]]:
    """What is recorded of each way of each message: whether it took it, and why not."""
    rows = desk.sql("select way, sent_at is not null as sent, last_error from mail order by way")
    return [(row["way"], row["last_error"] or row["sent"]) for row in rows]


def planted_in(office: PostOffice, hook: Receiver) -> list[str]:
    """Values of the person that a reader finds in what arrived."""
    every = "\n".join((*office.said, *(json.dumps(each, ensure_ascii=False) for each in posts(hook))))
    return [value for value in PLANTED if value in every]


def test_refusals_are_told_once_each_way_and_name_nobody(
    desk: Desk, office: PostOffice, hook: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    path, _ = desk.campaign(20)
    for content, name in ((path, "good.csv"), (BAD, "bad.csv"), (BAD + b"2;3\n", "klant 0470123456.csv")):
        desk.drop(content, name)
    desk.work()
    refused = [line.id for line in desk.lines() if line.decision in ("refused", "undecided")]
    assert len(refused) == 2

    for _ in range(2):
        tell("REFUSED")
    [mail], [posted], [logged] = office.said, posts(hook), [m for m in caplog.messages if m.startswith("for the desk")]
    assert all(each in mail and each in posted["text"] and each in logged for each in refused)
    assert posted["kind"] == "REFUSED" and len(posted["lines"]) == 2 and "HEADER_" in posted["text"]
    accepted = next(line.id for line in desk.lines() if line.decision == "accepted")
    assert accepted not in mail and office.mails[0]["To"] == "desk@center.example"
    assert posted["id"] in office.mails[0]["Message-ID"], "one message has one number"

    desk.drop(BAD + b"4;5\n", "another.csv")
    desk.work()
    tell("REFUSED")
    assert [len(each["lines"]) for each in posts(hook)] == [2, 1]
    assert planted_in(office, hook) == [] and PLANTED[0] in BAD.decode()


@pytest.mark.parametrize("way", ["mail", "webhook"])
def test_the_search_for_the_person_reads_what_was_encoded(
    desk: Desk, office: PostOffice, hook: Receiver, way: str
) -> None:
    now = datetime.now(UTC)
    [only] = [each for each in ways(desk.settings, now) if each.name == way]
    told = tell_desk(desk.house.conn, [only], MailKind.REFUSED, given([Alert("1", "é" * 600 + PLANTED[0], now)]), now)
    assert told == Alerted(1) and planted_in(office, hook) == list(PLANTED)
    assert all(PLANTED[0].encode() not in each for each in office.received), "the bytes of a mail hide it"


def test_a_receiver_that_is_away_gets_the_same_message_later_and_the_other_ways_are_not_kept(
    desk: Desk, office: PostOffice, hook: Receiver
) -> None:
    refuse(desk, 1)
    hook.status = 500
    tell("REFUSED")
    assert (len(office.received), hook.received) == (1, [])
    assert stands(desk) == [("log", True), ("mail", True), ("webhook", "SLU-598")]

    refuse(desk, 2)
    hook.status = 200
    again(desk)
    tell("ALARM")
    [late] = posts(hook)
    assert late["id"] in office.mails[0]["Message-ID"] and len(late["lines"]) == 1, "as it was stored, by any run"
    tell("REFUSED")
    assert [len(each["lines"]) for each in posts(hook)] == [1, 2] and len(office.received) == 2


def test_a_way_that_cannot_be_used_keeps_no_other(
    desk: Desk, office: PostOffice, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(desk, 1)
    monkeypatch.setenv("SLUICE_SMTP_URL", "http://mail.example")
    monkeypatch.setenv("SLUICE_WEBHOOK_URL", hook.url + "/a space")
    get_settings.cache_clear()
    tell("REFUSED")
    assert stands(desk) == [("log", True), ("mail", "SLU-591"), ("webhook", "SLU-598")]

    monkeypatch.setenv("SLUICE_WEBHOOK_URL", hook.url)
    get_settings.cache_clear()
    again(desk)
    tell("REFUSED")
    assert stands(desk) == [("log", True), ("mail", "SLU-591"), ("webhook", True)] and office.received == []


def test_the_number_is_a_function_of_what_was_taken() -> None:
    first = number_of(MailKind.REFUSED, ["a", "b"])
    assert first == number_of(MailKind.REFUSED, ["b", "a"])
    others = [number_of(MailKind.REFUSED, ["a"]), number_of(MailKind.ALARM, ["a", "b"])]
    assert len({first, *others}) == 3


def test_many_are_one_message_that_counts_the_rest_and_none_is_lost(
    desk: Desk, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_store, "MOST_LINES", 2)
    monkeypatch.setattr(alert_store, "MOST", 3)
    refuse(desk, 8)
    for _ in range(4):
        tell("REFUSED")
    assert [each["lines"][2:] for each in posts(hook)] == [["and 6 more"], ["and 3 more"], []]
    told = {row["about"] for row in desk.sql("select about from desk_alert where number is not null")}
    assert told == {line.id for line in desk.lines()}
    oldest = [line.id for line in sorted(desk.lines(), key=lambda line: (line.closed_at, line.id))]
    assert [each["lines"][0].split()[0] for each in posts(hook)] == oldest[::3]


def test_what_nobody_looked_for_in_time_is_told_all_the_same(desk: Desk, hook: Receiver) -> None:
    refuse(desk, 2)
    as_owner(desk, "update sluice.desk_alert set at = now() - interval '9 days'")
    desk.house.conn.execute("update exchange set opened_at = now() - interval '9 days', closed_at = now() - %s", [WEEK])
    tell("REFUSED")
    assert [len(each["lines"]) for each in posts(hook)] == [2]


def test_a_file_that_waited_long_is_told_when_it_is_refused(desk: Desk, hook: Receiver) -> None:
    refuse(desk, 1)
    tell("REFUSED")
    refuse(desk, 2)
    desk.house.conn.execute("update exchange set opened_at = now() - interval '9 days'")
    tell("REFUSED")
    assert [len(each["lines"]) for each in posts(hook)] == [1, 2]


def test_a_folder_that_no_contract_names_is_told_to_nobody(
    desk: Desk, office: PostOffice, hook: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    folders = ("janssens-peter", "1412813")
    for folder in folders:
        desk.drop(BAD, "a.csv", ("energy01", folder))
    desk.drop(BAD, "a.csv")
    desk.work()
    tell("REFUSED")
    [mail], [posted], [stored] = office.said, posts(hook), desk.sql("select lines from desk_message")
    logged = [each for each in caplog.messages if each.startswith("for the desk")]
    every = [mail, json.dumps(posted), json.dumps(stored["lines"]), *logged]
    assert len(every) == 4 and not [text for text in every if any(folder in text for folder in folders)]
    assert [text.count("energy01/unassigned: refused") for text in every] == [2, 4, 2, 2], "lines and text of a post"
    assert all("energy01/renewal_campaign: refused" in text for text in every)


def test_two_workers_at_once_make_one_message(desk: Desk, office: PostOffice, hook: Receiver) -> None:
    refuse(desk, 3)
    with ThreadPoolExecutor(6) as workers:
        list(workers.map(tell, ["REFUSED"] * 6))
    assert (len(office.received), len(hook.received)) == (1, 1)
    assert len(desk.sql("select from desk_message")) == 1


def test_a_return_nobody_acknowledged_is_told_when_it_is_overdue_and_not_before(
    copies: Copies, tmp_path: Path, hook: Receiver
) -> None:
    with copied_night(copies, tmp_path, fill=three_returned) as night:
        conn, [line] = night.desk.house.conn, night.returns()
        settings = reachable(night.desk.settings, None, hook)

        def told(days: int) -> Alerted:
            now, kind = datetime.now(UTC) + timedelta(days=days), MailKind.UNACKNOWLEDGED
            found = [way for way in ways(settings, now) if way.name == "webhook"]
            return tell_desk(conn, found, kind, DUE[kind](conn, now), now)

        assert told(0) == Alerted() and hook.received == []
        assert told(30) == Alerted(1) and told(31) == Alerted()
        assert f"{line.id} energy01/" in posts(hook)[0]["text"] and ": overdue, due 20" in posts(hook)[0]["text"]
        conn.execute("update acknowledgement set reminded_at = now(), escalated_at = now()")
        assert told(32) == Alerted(1) and told(33) == Alerted()
        assert "still overdue" in posts(hook)[1]["text"]


def test_the_clock_goes_to_the_webhook_and_its_mail_stays_with_the_mails_of_the_case(
    desk: Desk, office: PostOffice, hook: Receiver
) -> None:
    late, fresh = opened(desk, datetime.now(UTC) - timedelta(days=60)), opened(desk, datetime.now(UTC))
    later = opened(desk, datetime.now(UTC) - timedelta(days=50))
    for _ in range(2):
        tell("ALARM")
    [posted] = posts(hook)
    assert [line.split()[0] for line in posted["lines"]] == [late.case_id, later.case_id]
    assert "past" in posted["text"] and fresh.case_id not in posted["text"]
    assert office.received == []


def test_a_ledger_that_was_changed_is_told_at_each_verification_and_one_that_holds_is_not(
    desk: Desk, office: PostOffice, hook: Receiver
) -> None:
    refuse(desk, 1)
    assert "entries" in VerifyLedger(task_id="ledger").work({})
    assert (office.received, hook.received) == ([], [])

    as_owner(desk, "update ledger.entry set body = body || ' ' where kind = 'exchange.closed'")
    with pytest.raises(AirflowException, match=r"SLU-303.*entry") as broken:
        guarded(lambda: VerifyLedger(task_id="ledger").work({}))
    for _ in range(2):
        ended(broken.value, "night-1")
    [mail], [posted] = office.said, posts(hook)
    assert "SLU-303" in mail and "entry" in posted["lines"][0] and posted["kind"] == "TAMPERED"
    assert "logboek" in mail and "registre" in mail and "Cure" not in mail

    ended(broken.value, "night-2")
    ended(broken.value, "night-2", attempt=2)
    assert [each["lines"] for each in posts(hook)] == [posted["lines"]] * 3 and len(office.received) == 3


def test_a_ledger_that_could_not_be_verified_is_told_with_its_code(
    desk: Desk, office: PostOffice, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_SIGNING_KEY", "none")
    get_settings.cache_clear()
    with pytest.raises(AirflowException, match="SLU-") as failed:
        guarded(lambda: VerifyLedger(task_id="ledger").work({}))
    code = str(failed.value)[:7]
    ended(failed.value, "night-1")
    ended(None, "night-2")
    ended(RuntimeError(f"somebody's {PLANTED[0]}"), "night-3")
    assert code != "SLU-303" and [each["kind"] for each in posts(hook)] == ["UNVERIFIED"] * 3
    lines = [each["lines"][0] for each in posts(hook)]
    assert lines[0].startswith(code) and lines[1:] == ["SLU-000 the task was killed", "SLU-000 RuntimeError"]
    assert [lines[n] in office.said[n] for n in range(3)] == [True] * 3 and planted_in(office, hook) == []


def test_a_database_that_is_away_keeps_nobody_from_hearing_that_nothing_was_verified(
    desk: Desk, office: PostOffice, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUICE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    get_settings.cache_clear()
    hook.status = 500
    with pytest.raises(AirflowException, match="SLU-102") as failed:
        guarded(lambda: VerifyLedger(task_id="ledger").work({}))
    for run in ("night-1", "night-1", "night-2"):
        ended(failed.value, run)
    assert ["SLU-102" in mail for mail in office.said] == [True] * 3
    assert [mail["Message-ID"] for mail in office.mails].count(office.mails[0]["Message-ID"]) == 2


def test_where_nothing_is_set_the_log_alone_is_told(store_settings: Settings, tmp_path: Path) -> None:
    with open_desk(store_settings, tmp_path) as desk:
        refuse(desk, 1)
        now, conn, kind = datetime.now(UTC), desk.house.conn, MailKind.REFUSED
        assert tell_desk(conn, ways(desk.settings, now), kind, DUE[kind](conn, now), now) == Alerted(1)
        assert stands(desk) == [("log", True)]


@pytest.mark.parametrize(
    "url", ["http://hooks.example/secret", "ftp://secret", "nothing", "http://[secret", "https:///secret"]
)
def test_an_address_in_clear_or_none_is_refused_without_being_said(store_settings: Settings, url: str) -> None:
    with pytest.raises(WebhookInvalid) as refused:
        read_webhook(store_settings.model_copy(update={"webhook_url": SecretStr(url)}))
    assert "secret" not in str(refused.value)


def told_by(when: str) -> dict[str, set[str]]:
    """What the tasks of each DAG tell after a success or a failure, by the first word of its id."""
    found: dict[str, set[str]] = {}
    for dag_id, dag in DagBag(CHECKOUT / "dags").dags.items():
        for task in dag.tasks:
            for each in getattr(task, when):
                assert isinstance(each, DeskNotifier | VerifyNotifier)
                found.setdefault(dag_id.partition("__")[0], set()).add(getattr(each, "kind", "VERIFY"))
    return found


def test_every_dag_that_finds_something_out_tells_it_whether_its_task_failed_or_not() -> None:
    looking = {
        "inbound": {"REFUSED"},
        "agent_results": {"REFUSED"},
        "sweep": {"REFUSED"},
        "acknowledgements": {"UNACKNOWLEDGED"},
        "case_clock": {"ALARM", "CONTRADICTED"},
    }
    assert told_by("on_success_callback") == looking
    assert told_by("on_failure_callback") == looking | {"verify": {"VERIFY"}}
