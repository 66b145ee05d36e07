"""The desk hears of refusals, overdue returns, the clock and tampering, by mail and webhook, once; and of no person."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.exceptions import AirflowException
from pydantic import SecretStr

from copies import Copies
from desk import Desk, open_desk
from installation import CHECKOUT
from night import copied_night, three_returned
from returns.commands import at_terminal
from rights.post_office import PostOffice, post_office
from rights.receiver import Receiver, receiver
from rights.test_alarms import opened
from sluice.orchestration.guard import guarded
from sluice.orchestration.notifiers import DeskNotifier, TamperNotifier
from sluice.orchestration.operators import VerifyLedger
from sluice.rights.alert_due import DUE
from sluice.rights.alerts import MOST_LINES, Told, read_webhook, tell_desk, ways
from sluice.rights.mail_model import MailKind, WebhookInvalid
from sluice.settings import Settings

pytestmark = pytest.mark.slow  # importing Airflow's operators takes seconds
BAD = b"no;contract\n1;0470123456\n"
PLANTED = ("0470123456", "470123456")


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
    """As if the pause after a failure were over."""
    desk.house.conn.execute("update mail set next_attempt_at = now() where sent_at is null")


def texts(office: PostOffice) -> list[str]:
    return [mail.get_content() for mail in office.mails]


def test_refusals_are_told_once_each_way_and_name_nobody(desk: Desk, office: PostOffice, hook: Receiver) -> None:
    path, _ = desk.campaign(20)
    for content, name in ((path, "good.csv"), (BAD, "bad.csv"), (BAD + b"2;3\n", "klant 0470123456.csv")):
        desk.drop(content, name)
    desk.work()
    refused = [line.id for line in desk.lines() if line.decision in ("refused", "undecided")]
    assert len(refused) == 2

    for _ in range(2):
        DeskNotifier("REFUSED")({})  # type: ignore[no-untyped-call]
    [mail], [posted] = texts(office), [json.loads(each) for each in hook.received]
    assert all(each in mail and each in posted["text"] for each in refused)
    assert posted["kind"] == "REFUSED" and len(posted["lines"]) == 2 and "HEADER_" in posted["text"]
    accepted = next(line.id for line in desk.lines() if line.decision == "accepted")
    assert accepted not in mail and office.mails[0]["To"] == "desk@center.example"

    desk.drop(BAD + b"4;5\n", "another.csv")
    desk.work()
    DeskNotifier("REFUSED")({})  # type: ignore[no-untyped-call]
    assert [len(json.loads(each)["lines"]) for each in hook.received] == [2, 1]
    every = b"".join([*office.received, *hook.received]).decode()
    assert [value for value in PLANTED if value in every] == [] and PLANTED[0] in BAD.decode()


def test_a_receiver_that_is_away_is_told_by_the_next_run_and_the_other_way_is_not_kept(
    desk: Desk, office: PostOffice, hook: Receiver
) -> None:
    desk.drop(BAD, "bad.csv")
    desk.work()
    hook.status = 500
    DeskNotifier("REFUSED")({})  # type: ignore[no-untyped-call]
    assert (len(office.received), hook.received) == (1, [])
    codes = desk.sql("select last_error from mail where sent_at is null")
    assert codes == [{"last_error": "SLU-598"}]

    hook.status = 200
    again(desk)
    DeskNotifier("REFUSED")({})  # type: ignore[no-untyped-call]
    assert (len(office.received), len(hook.received)) == (1, 1)


def test_many_are_one_message_that_counts_the_rest(desk: Desk, hook: Receiver) -> None:
    for number in range(MOST_LINES + 3):
        desk.drop(BAD + f"{number};\n".encode(), f"bad-{number}.csv")
    desk.work()
    DeskNotifier("REFUSED")({})  # type: ignore[no-untyped-call]
    [posted] = [json.loads(each) for each in hook.received]
    assert len(posted["lines"]) == MOST_LINES + 1 and posted["lines"][-1] == "and 3 more"


def test_a_return_nobody_acknowledged_is_told_when_it_is_overdue_and_not_before(
    copies: Copies, tmp_path: Path, hook: Receiver
) -> None:
    with copied_night(copies, tmp_path, fill=three_returned) as night:
        conn, [line] = night.desk.house.conn, night.returns()
        settings = reachable(night.desk.settings, None, hook)

        def told(days: int) -> Told:
            now, kind = datetime.now(UTC) + timedelta(days=days), MailKind.UNACKNOWLEDGED
            return tell_desk(conn, ways(settings, kind, now), kind, DUE[kind](conn, now))

        assert told(0) == Told() and hook.received == []
        assert told(30) == Told(told=1) and told(31) == Told()
        assert line.id in json.loads(hook.received[0])["text"]


def test_the_clock_goes_to_the_webhook_and_its_mail_stays_with_the_mails_of_the_case(
    desk: Desk, office: PostOffice, hook: Receiver
) -> None:
    late, fresh = opened(desk, datetime.now(UTC) - timedelta(days=60)), opened(desk, datetime.now(UTC))
    for _ in range(2):
        DeskNotifier("ALARM")({})  # type: ignore[no-untyped-call]
    [posted] = [json.loads(each) for each in hook.received]
    assert late.case_id in posted["text"] and "past" in posted["text"] and fresh.case_id not in posted["text"]
    assert office.received == []


def test_a_ledger_that_was_changed_is_told_and_one_that_holds_is_not(
    desk: Desk, office: PostOffice, hook: Receiver
) -> None:
    desk.drop(BAD, "bad.csv")
    desk.work()
    assert "entries" in VerifyLedger(task_id="ledger").work({})
    TamperNotifier()({"exception": AirflowException("SLU-102 a service does not answer")})  # type: ignore[no-untyped-call]
    assert (office.received, hook.received) == ([], [])

    admin = desk.settings.database_admin_url
    assert admin is not None
    with closing(psycopg.connect(admin.get_secret_value(), autocommit=True)) as owner:
        owner.execute("set session_replication_role = replica")
        owner.execute("update ledger.entry set body = body || ' ' where kind = 'exchange.closed'")
    with pytest.raises(AirflowException, match=r"SLU-303.*entry") as broken:
        guarded(lambda: VerifyLedger(task_id="ledger").work({}))
    for _ in range(2):
        TamperNotifier()({"exception": broken.value})  # type: ignore[no-untyped-call]
    [mail], [posted] = texts(office), [json.loads(each) for each in hook.received]
    assert "SLU-303" in mail and "entry" in posted["lines"][0] and posted["kind"] == "TAMPERED"


def test_nobody_is_told_where_nothing_is_set(store_settings: Settings, tmp_path: Path) -> None:
    with open_desk(store_settings, tmp_path) as desk:
        now = datetime.now(UTC)
        assert ways(desk.settings, MailKind.REFUSED, now) == []
        assert tell_desk(desk.house.conn, [], MailKind.REFUSED, DUE[MailKind.REFUSED](desk.house.conn, now)) == Told()


@pytest.mark.parametrize(
    "url", ["http://hooks.example/secret", "ftp://secret", "nothing", "http://[secret", "https:///secret"]
)
def test_an_address_in_clear_or_none_is_refused_without_being_said(store_settings: Settings, url: str) -> None:
    with pytest.raises(WebhookInvalid) as refused:
        read_webhook(store_settings.model_copy(update={"webhook_url": SecretStr(url)}))
    assert "secret" not in str(refused.value)


def told_by() -> dict[str, set[str]]:
    """What the tasks of each DAG tell, by the first word of its id."""
    found: dict[str, set[str]] = {}
    for dag_id, dag in DagBag(CHECKOUT / "dags").dags.items():
        for task in dag.tasks:
            for each in [*task.on_success_callback, *task.on_failure_callback]:
                assert isinstance(each, DeskNotifier | TamperNotifier)
                found.setdefault(dag_id.partition("__")[0], set()).add(getattr(each, "kind", "TAMPERED"))
    return found


def test_every_dag_that_finds_something_out_tells_it() -> None:
    assert told_by() == {
        "inbound": {"REFUSED"},
        "agent_results": {"REFUSED"},
        "sweep": {"REFUSED"},
        "acknowledgements": {"UNACKNOWLEDGED"},
        "case_clock": {"ALARM"},
        "verify": {"TAMPERED"},
    }
