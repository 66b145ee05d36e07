"""What was made to answer a request is no data that this request finds: a second package says what the first said."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from answers.giving import WE_GIVE, Package, give, read
from rights.town import Town, open_town, papers_of
from sluice.rights.case.model import Action, Case, Right
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind

ENERGY = Principal("energy01")
ANSWERS = "answers to persons"
STRANGER = "0470 99 88 77"


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    settings = papers_of(store_settings, tmp_path, [ENERGY], WE_GIVE)
    with open_town(settings, tmp_path, [ENERGY], 2) as opened:
        opened.arrive(ENERGY, opened.people)
        yield opened


def asked(town: Town, phone: str) -> Case:
    return town.agree(town.opened(Right.ACCESS, [(SubjectKind.PHONE, phone)], ENERGY, language="en"), Action.GIVE)


def stores(package: Package) -> dict[str, tuple[int, int]]:
    """By store how many copies were searched, and how many name the person."""
    lines: list[dict[str, Any]] = package.json("manifest.json")["stores"]
    return {each["store"]: (each["copies_searched"], each["copies_naming_the_person"]) for each in lines}


def test_who_is_a_stranger_is_one_in_the_second_package_too(town: Town) -> None:
    case = asked(town, STRANGER)
    first, second = (read(town.house, give(town.house, case.case_id)) for _ in range(2))
    assert first.json("access.json")["confirmation"] is False
    assert second.json("access.json")["confirmation"] is False
    assert stores(second) == stores(first) and not any(hits for _, hits in stores(second).values())


def test_a_known_person_reads_of_answers_to_other_requests_and_not_of_this_one(town: Town) -> None:
    case, other = (asked(town, town.people[0].phone) for _ in range(2))
    first, second = (stores(read(town.house, give(town.house, case.case_id))) for _ in range(2))
    assert second == first and first["lake"][1] > 0
    assert first[ANSWERS] == (0, 0)
    assert stores(read(town.house, give(town.house, other.case_id)))[ANSWERS][1] == 1, "the newer of the other's"
