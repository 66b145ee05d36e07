"""An agreement that is over, with one erased person: what the tests about the end of its keys share."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from rights.town import Person, Town, open_town, papers_of
from sluice.retention.run import retain
from sluice.rights.case import store
from sluice.rights.case.model import Case
from sluice.rights.destroy import KeyKept, ask
from sluice.rights.erasure.certificate import issue
from sluice.rights.erasure.erase import run
from sluice.rights.schedule import follow, sweep
from sluice.settings import Settings
from sluice.terms import Principal
from support.copies import Copies

ENERGY, GAS = Principal("energy01"), Principal("gas01")
NAMES = [ENERGY, GAS]


def planted(settings: Settings, folder: Path) -> None:
    """Four persons in the files of two principals; one of them was erased at both, and is kept out."""
    with open_town(papers_of(settings, folder, NAMES), folder, NAMES, 4) as opened:
        for name in NAMES:
            opened.arrive(name, opened.people)
        erase(opened, opened.people[0])


def erase(town: Town, person: Person) -> None:
    """Erase a person with certificate. Recipients' answers and the end of the case are put in by SQL, to be quick."""
    case = town.decided(person)
    report = run(town.house, case.case_id, now())
    assert (report.residual, report.doubts) == (0, 0)
    assert issue(town.house, case.case_id)
    for _ in range(2):
        follow(town.house, now())
        sweep(town.house, now())
    conn = town.house.conn
    conn.execute("update notice set state = 'DONE', done_at = now(), told_at = coalesce(told_at, now())")
    conn.execute("update sub_case set state = 'CLOSED'")
    conn.execute("update subject_case set state = 'CLOSED'")
    follow(town.house, now())


@pytest.fixture
def town(copies: Copies, tmp_path: Path) -> Iterator[Town]:
    with copies.of(planted, tmp_path) as settings, open_town(settings, tmp_path, NAMES, 4) as opened:
        yield opened


@pytest.fixture
def erased(town: Town) -> Case:
    """The case of the first person, over and proven."""
    [case] = store.list_cases(town.house.conn)
    return case


@pytest.fixture
def admin_url(town: Town) -> str:
    url = town.desk.settings.database_admin_url
    assert url is not None
    return url.get_secret_value()


def now() -> datetime:
    return datetime.now(UTC)


def end_agreement(admin_url: str, principal: Principal) -> None:
    """Its papers held until yesterday; the clock of the papers cannot be turned, so the administrator does it."""
    with closing(psycopg.connect(admin_url, autocommit=True)) as conn:
        conn.execute("set session_replication_role = replica")
        conn.execute(
            """update sluice.activation
               set valid_to = current_date - 1, valid_from = least(valid_from, current_date - 1)
               where known_to is null and sha256 in (select sha256 from sluice.document where principal = %s)
               and (valid_to is null or valid_to >= current_date)""",
            (principal,),
        )


def emptied(town: Town) -> None:
    """Retention has removed what the agreement left: every copy's day has come."""
    assert retain(town.house, now() + timedelta(days=500), ENERGY).failed == 0


def because(town: Town, principal: Principal = ENERGY) -> str:
    with pytest.raises(KeyKept) as raised:
        ask(town.house, principal, "an", now())
    return str(raised.value.refs[1].value)
