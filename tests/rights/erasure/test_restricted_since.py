"""Who asks to be erased, and then to have it kept and not used: restricted data is only stored (GDPR Art. 18(2))."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rights.instructing import swept
from rights.town import DESK, SHA, Person, Town, open_town, papers_of
from sluice.exchange.persons.suppressed_store import find_runs
from sluice.rights.case.model import Action, Case, Order, Right
from sluice.rights.case.steps import withdraw
from sluice.rights.copies.where import where
from sluice.rights.erasure.control import status, take_up
from sluice.rights.erasure.control_store import find_run
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.restricted import RestrictedSince
from sluice.rights.person.identifiers import Identifier
from sluice.settings import Settings
from sluice.subject.suppression import Suppression
from sluice.terms import Principal, SubjectKind

pytestmark = pytest.mark.stores
ENERGY = Principal("energy01")


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    with open_town(papers_of(store_settings, tmp_path, [ENERGY]), tmp_path, [ENERGY], 3) as opened:
        opened.arrive(ENERGY, opened.people)
        yield opened


def now() -> datetime:
    return datetime.now(UTC)


def restricted(town: Town, person: Person) -> Case:
    case = swept(town, town.decided(person, Right.RESTRICTION, Action.RESTRICT))
    runs = find_runs(town.house.conn, ENERGY, in_force=True, case_id=case.case_id)
    assert Suppression.RESTRICTED in {each.reason for each in runs}, "control: it is in force"
    return case


def is_in_lake(town: Town, person: Person) -> bool:
    found = where(town.house, [Identifier(SubjectKind.PHONE, person.phone)], [ENERGY])
    return "lake" in {each.store for each in found}


def test_an_erasure_waits_for_what_was_restricted_since_it_was_decided(town: Town) -> None:
    first, other, before = town.people
    earlier = restricted(town, before)
    waits, goes, later = (town.decided(person) for person in (first, other, before))
    restriction = restricted(town, first)

    due = take_up(town.house, "airflow", now())

    assert set(due) == {goes.case_id, later.case_id}, "controls: of somebody else, and restricted before the decision"
    with pytest.raises(RestrictedSince):
        run(town.house, waits.case_id, now())
    noted = find_run(town.house.conn, waits.case_id)
    assert noted is not None and (noted.error, noted.is_in_error) == ("SLU-569", False), "the desk sees why"
    assert waits.case_id in {each.case_id for each in status(town.house.conn).cases}
    assert is_in_lake(town, first), "it is stored"

    for case in (restriction, earlier):
        withdraw(town.house.conn, case.case_id, Order(DESK, now(), "SUBJECT_ASKED", SHA))
    swept(town, restriction)
    assert waits.case_id in take_up(town.house, "airflow", now())
    assert run(town.house, waits.case_id, now()).residual == 0
    assert not is_in_lake(town, first)
