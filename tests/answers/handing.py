"""A town whose persons go to another controller: cases that ask for it, and the packages that are sent."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from answers.giving import Package, clear, now, streets_of
from answers.test_portability import GOING
from rights.town import DESK, Town, open_town, papers_of
from sluice.answers.handover import ask_handover, send_on
from sluice.answers.handover_model import Handed
from sluice.lake.s3.objects import StoredObject
from sluice.rights.case.model import Action, Case, Right
from sluice.settings import Settings
from sluice.terms import Principal

ENERGY, SOLAR = Principal("energy01"), Principal("solar01")
NEXT = """controller: solar01
name: Solar Nine BV
country: NL
prefix: solar01
verified: {by: an.peeters, on: 2026-11-20, how: "signed letter, called back on the number of the register"}
"""


def with_controllers(settings: Settings, folder: Path, **files: str) -> Settings:
    """The installation with these next controllers."""
    place = folder / "controllers"
    place.mkdir()
    for code, text in files.items():
        (place / f"{code}.yaml").write_text(text)
    return settings.model_copy(update={"controllers_dir": place})


def next_controllers(settings: Settings, folder: Path) -> Settings:
    """solar01 is a next controller that receives under its prefix."""
    return with_controllers(settings, folder, solar01=NEXT)


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    """energy01 lets us answer, and what it does is done for a contract with the person; solar01 is next."""
    settings = papers_of(store_settings, tmp_path, [ENERGY, SOLAR], *GOING)
    with open_town(next_controllers(settings, tmp_path), tmp_path, [ENERGY, SOLAR], 3) as opened:
        opened.arrive(ENERGY, opened.people)
        opened.give_back(ENERGY, opened.people)
        yield opened


@pytest.fixture(scope="module")
def streets(module_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Iterator[Town]]:
    """The same for all tests of a module, each with three people of its own."""
    folder = tmp_path_factory.mktemp("handing")
    settings = papers_of(module_settings, folder, [ENERGY, SOLAR], *GOING)
    with open_town(next_controllers(settings, folder), folder, [ENERGY, SOLAR], 3 * 6) as whole:
        whole.arrive(ENERGY, whole.people)
        whole.give_back(ENERGY, whole.people)
        yield streets_of(whole, 3)


@pytest.fixture(name="town")
def street(streets: Iterator[Town]) -> Iterator[Town]:
    town = next(streets)
    yield town
    clear(town)


def asked(town: Town, number: int, right: Right = Right.PORTABILITY, action: Action = Action.EXPORT) -> Case:
    return town.decided(town.people[number], right, action)


def sent(town: Town, case: Case, reference: str = "LETTER-12") -> Handed:
    ask_handover(town.house, case.case_id, "solar01", reference, now(), DESK)
    [handed] = send_on(town.house, case.case_id, "solar01", now())
    return handed


def there(town: Town, prefix: str) -> list[StoredObject]:
    return list(town.house.objects.list_versions(town.desk.settings.bucket_exchange, prefix))


def package_of(town: Town, handed: Handed) -> Package:
    content = town.house.objects.read(handed.opened.bucket, handed.opened.key)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return Package({name: archive.read(name) for name in archive.namelist()})
