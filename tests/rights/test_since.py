"""A principal that signs while a request is open is held to it: whom it brings is protected as everywhere else."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rights.town import DESK, Town, open_town, papers_of
from sluice.agreement.in_force.activate import activate_all
from sluice.exchange.persons.suppressed import find_suppressed
from sluice.exchange.read import show_exchange
from sluice.rights.case.model import Order, Right
from sluice.rights.case.steps import withdraw
from sluice.rights.copies.find import open_request
from sluice.rights.opening import NewRequest, open_case
from sluice.rights.rescope import rescope
from sluice.rights.schedule import follow
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind

ENERGY = "energy01"


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    with open_town(papers_of(store_settings, tmp_path, [ENERGY]), tmp_path, [ENERGY], 6) as opened:
        opened.arrive(ENERGY, opened.people)
        yield opened


def now() -> datetime:
    return datetime.now(UTC)


def sign(town: Town, name: str) -> Principal:
    """A principal with papers like those of energy01 signs."""
    papers = town.desk.settings.principals_dir
    shutil.copytree(papers / ENERGY, papers / name)
    for path in (papers / name).iterdir():
        text = path.read_text(encoding="utf-8").replace("energy01", name).replace("ENERGY01", name.upper())
        path.write_text(text, encoding="utf-8")
    activate_all(town.house.conn, papers, now())
    return Principal(name)


def kept_out(town: Town, principal: Principal) -> set[str]:
    found = find_suppressed(town.house, principal)
    return set() if found is None else set(found["reason"])


def test_who_asked_everybody_is_protected_at_a_principal_that_signed_since(town: Town) -> None:
    erasure = town.ask(town.people[0])
    town.ask(town.people[1], Right.DIRECT_MARKETING)
    town.ask(town.people[2], Right.ACCESS)
    assert follow(town.house, now()).protected == 0
    gas = sign(town, "gas01")
    assert kept_out(town, gas) == set(), "control: nobody knew of it when they asked"

    assert follow(town.house, now()).protected == 2, "access keeps nobody out"
    assert follow(town.house, now()).protected == 0, "once"
    assert kept_out(town, gas) == {"soft_hold", "objected"}
    town.arrive(gas, town.people)

    [line] = [line for line in town.desk.lines() if line.principal == gas]
    record = show_exchange(town.house.conn, line.id).record
    assert record is not None and (record.what.rows_accepted, record.what.rows_held) == (4, 2)
    withdraw(town.house.conn, erasure.case_id, Order(DESK, now(), "WITHDRAWN", "ab" * 32))
    assert follow(town.house, now()).released >= 2, "the hold ends with its request, there too"
    assert kept_out(town, gas) == {"objected"}
    heat = sign(town, "heat01")
    assert follow(town.house, now()).protected == 1 and kept_out(town, heat) == {"objected"}, "and none begins after it"


def test_who_asked_one_principal_is_not_protected_at_another(town: Town) -> None:
    identifiers = [(SubjectKind.PHONE, town.people[0].phone)]
    open_case(town.house, NewRequest(Right.ERASURE, identifiers, Principal(ENERGY), now(), "letter", "nl", DESK), now())
    gas = sign(town, "gas01")

    assert follow(town.house, now()).protected == 0 and kept_out(town, gas) == set()


@pytest.mark.parametrize(("right", "hold"), [(Right.ERASURE, {"soft_hold"}), (Right.ACCESS, set())])
def test_a_part_is_added_for_who_is_protected_there_where_the_right_asks_for_it(
    town: Town, right: Right, hold: set[str]
) -> None:
    case = town.ask(town.people[0], right)
    gas = sign(town, "gas01")
    town.arrive(gas, town.people[:2])
    assert kept_out(town, gas) == set() and {part.principal for part in case.sub_cases} == {ENERGY}

    wider = rescope(town.house, *open_request(town.house, case.case_id), now())

    assert {part.principal for part in wider.sub_cases} == {ENERGY, gas}
    assert kept_out(town, gas) == hold
