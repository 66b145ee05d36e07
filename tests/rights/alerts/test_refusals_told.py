"""A refusal is told once, whatever the clocks of workers say and however long the installation stood still."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from sluice import migrations
from sluice.rights.alerts.due import DUE
from sluice.rights.alerts.tell import tell_desk, ways
from sluice.rights.mail.model import MailKind
from sluice.settings import Settings
from support.desk import Desk, open_desk

VERSIONS = Path(migrations.__file__).parent / "versions"


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path) -> Iterator[Desk]:
    with open_desk(store_settings, tmp_path) as there:
        yield there


def refuse(desk: Desk, count: int) -> set[str]:
    """So many files that are not accepted; their exchanges."""
    before = {line.id for line in desk.lines()}
    for number in range(count):
        desk.drop(b"no;contract\n1;%d\n" % number, f"bad-{count}-{number}.csv")
    desk.work()
    return {line.id for line in desk.lines()} - before


def tell(desk: Desk) -> set[str]:
    """One look for refusals; the exchanges in the message that it made."""
    told = {row["number"] for row in desk.sql("select number from desk_message")}
    conn, now, kind = desk.house.conn, datetime.now(UTC), MailKind.REFUSED
    tell_desk(conn, ways(desk.settings, now), kind, DUE[kind](conn, now), now)
    rows = desk.sql("select number, lines from desk_message")
    return {line.split()[0] for row in rows if row["number"] not in told for line in row["lines"]}


def set_closed(desk: Desk, exchanges: set[str], ahead: str) -> None:
    """As if a worker had closed them whose clock goes so much ahead."""
    desk.house.conn.execute(
        "update exchange set closed_at = now() + %s::interval where exchange_id = any(%s::uuid[])",
        (ahead, list(exchanges)),
    )


@pytest.mark.parametrize("ahead", ["9 years", "-5 days"])
def test_a_worker_with_a_wrong_clock_silences_nobody_and_loses_none_of_its_own(desk: Desk, ahead: str) -> None:
    first = refuse(desk, 1)
    assert tell(desk) == first
    wrong = refuse(desk, 2)
    set_closed(desk, wrong, ahead)
    assert tell(desk) == wrong
    later = refuse(desk, 3)
    assert tell(desk) == later
    assert tell(desk) == set()
    assert desk.sql("select from exchange where not is_told") == [], "none is read again"


def test_a_refusal_before_a_stop_of_days_is_told_after_the_migration_and_what_was_told_is_not(desk: Desk) -> None:
    old, friday, told = sorted(refuse(desk, 3))
    url = desk.settings.database_admin_url
    assert url is not None
    ages = {old: "9 days", friday: "4 days", told: "4 days"}
    with closing(psycopg.connect(url.get_secret_value(), autocommit=True)) as owner:
        owner.execute("set session_replication_role = replica")
        for exchange, age in ages.items():
            owner.execute(
                "update ledger.entry set appended_at = now() - %s::interval where exchange_id = %s", (age, exchange)
            )
        early = (VERSIONS / "0028_desk_message.sql").read_text().partition("none is lost.\n")[2].partition(";")[0]
        owner.execute(early.encode())
        owner.execute("insert into sluice.desk_alert (kind, about, at) values ('REFUSED', %s, now())", (told,))
        owner.execute((VERSIONS / "0033_told.sql").read_text().partition("reset role;")[2].encode())
    assert tell(desk) == {friday}
    assert {row["about"] for row in desk.sql("select about from desk_alert")} == {told, friday}
