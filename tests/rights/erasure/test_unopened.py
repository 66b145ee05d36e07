"""A file that no poll has opened yet is waited for by an erasure, whatever is in it; what a dead run left is not."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rights.erasure.test_beside_flows import NAMES, PICTURE, asked, put, two_principals
from rights.town import Town
from sluice.exchange.own_writes import note_own_write
from sluice.lake.s3.objects import hash_of
from sluice.rights.case.model import Case
from sluice.rights.erasure.certificate import NotProven, issue
from sluice.rights.erasure.control import status
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.model import ErasureReport, PlanOutdated
from sluice.rights.erasure.release import draft, release
from sluice.settings import Settings
from support.desk import ENERGY

FOLDER = f"inbound/{ENERGY[1]}"


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    with two_principals(store_settings, tmp_path) as opened:
        yield opened


def erased(town: Town, case: Case) -> ErasureReport:
    """A run; if its plan does not cover what is there now, a new one is released, and it runs again."""
    try:
        return run(town.house, case.case_id, datetime.now(UTC))
    except PlanOutdated:
        draft(town.house, case.case_id, "airflow", datetime.now(UTC))
        release(town.house, case.case_id, "bert", datetime.now(UTC))
        return run(town.house, case.case_id, datetime.now(UTC))


def is_in_error(town: Town) -> bool:
    return any(each.is_in_error for each in status(town.house.conn).cases)


@pytest.mark.parametrize("name", ["later.png", "first.csv"])
@pytest.mark.parametrize("names_somebody", [False, True], ids=["picture", "named"])
def test_it_is_waited_for_and_judged_first(town: Town, name: str, names_somebody: bool) -> None:
    """Also where it lies on top of a file that was opened."""
    person = town.people[0]
    case = asked(town, person, NAMES[0])
    put(town, f"{FOLDER}/{name}", f"please call {person.phone}\n".encode() if names_somebody else PICTURE)

    report = run(town.house, case.case_id, datetime.now(UTC))

    assert (report.residual, report.doubts, report.waiting) == (0, 0, 1)
    assert [(each.store, each.reason) for each in report.unread] == [("files as they came", "NOT_OPENED_YET")]
    assert name not in str(report) and not is_in_error(town)
    with pytest.raises(NotProven):
        issue(town.house, case.case_id)
    assert town.desk.open_new() == 1
    town.desk.work()
    ended = erased(town, case)
    assert (ended.residual, ended.doubts, ended.waiting) == (0, 0, 0) and issue(town.house, case.case_id)


def test_one_of_a_platform_is_waited_for_too(town: Town) -> None:
    case = asked(town, town.people[0], NAMES[0])
    key = f"{NAMES[0]}/internal/renewal_results/log.png"
    town.house.objects.put(town.desk.settings.bucket_internal, key, PICTURE, "image/png")

    assert run(town.house, case.case_id, datetime.now(UTC)).waiting == 1


@pytest.mark.parametrize("where", [FOLDER, "receipts"])
def test_what_no_poll_will_ever_open_is_no_arrival(town: Town, where: str) -> None:
    """What an erasure is about to put under ``inbound/``, and what lies where nothing arrives."""
    person, bucket = town.people[0], town.desk.settings.bucket_exchange
    case, content, key = asked(town, person, NAMES[0]), f"x {person.phone}".encode(), f"{NAMES[0]}/{where}/left.txt"
    note_own_write(town.house.conn, bucket, key, hash_of(content)[0])
    town.house.objects.put(bucket, key, content, "text/plain")

    report = run(town.house, case.case_id, datetime.now(UTC))

    assert (report.residual, report.waiting) == (1, 0) and is_in_error(town)
