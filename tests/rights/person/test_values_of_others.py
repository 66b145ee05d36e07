"""What becomes of a principal's instruction does not say whose customer the person is too (GDPR Art. 28(3)(a))."""

from dataclasses import replace
from pathlib import Path

import pytest

from rights.estate import CONTACTS
from rights.instructing import instruct
from rights.town import Person, Town, open_town, papers_of
from sluice.rights.case.model import Right, SubCase, Track
from sluice.settings import Settings
from sluice.terms import SubjectKind
from support.night import change

pytestmark = pytest.mark.stores
ENERGY, GAS = "energy01", "gas01"


def part_at_energy(town: Town, person: Person) -> tuple[SubCase, set[str]]:
    """The part that energy01 decides of a rectification, and which principals know the person."""
    case = town.opened(Right.RECTIFICATION, [(SubjectKind.PHONE, person.phone)])
    [part] = [each for each in case.sub_cases if (each.principal, each.track) == (ENERGY, Track.PROCESSOR)]
    return part, {each.principal for each in case.sub_cases}


def test_a_column_of_another_principal_is_unreadable_whether_or_not_it_knows_the_person(
    store_settings: Settings, tmp_path: Path
) -> None:
    settings = papers_of(store_settings, tmp_path, [ENERGY, GAS])
    change(settings.principals_dir / GAS / CONTACTS, "name: tariff", "name: gas_tariff")
    with open_town(settings, tmp_path, [ENERGY, GAS], 2) as town:
        town.arrive(ENERGY, town.people)
        replace(town, head=town.head.replace("tariff", "gas_tariff")).arrive(GAS, town.people[:1])
        outcomes, known = [], []
        for person in town.people:
            part, principals = part_at_energy(town, person)
            known.append(principals)
            values = {"street": "Rechtplein 17", "gas_tariff": "x"}
            outcomes.append(instruct(town, part, decision="rectify", values=values, as_of="2026-11-01T00:00:00+00:00"))
        assert known == [{ENERGY, GAS}, {ENERGY}], "control: gas01 knows one of them"
        assert outcomes == ["UNREADABLE", "UNREADABLE"]
        own = {"street": "Rechtplein 17"}
        assert instruct(town, part, decision="rectify", values=own, as_of="2026-11-01T00:00:00+00:00") == "INSTRUCTED"
