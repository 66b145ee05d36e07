"""A column can be corrected although the papers changed since its rows came in (GDPR Art. 16)."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rights.changing import PRINCIPAL, each_decides_of_its_copy, next_version, renew
from rights.estate import CONTACTS
from rights.instructing import instruct, of_center, of_principal, swept
from rights.notices.test_recipients import without
from rights.town import Person, Town, now, open_town, papers_of
from sluice.exchange.persons.correction_store import find_rows
from sluice.rights.case.model import Case, Right, SubCase, Track
from sluice.rights.case.store import get_case
from sluice.rights.instruction_rules import InstructionOutcome
from sluice.rights.person.rectify import _fields, _papers, carry_out, corrected_groups
from sluice.settings import Settings
from sluice.terms import SubjectKind
from support.night import change

pytestmark = pytest.mark.stores
GAS = "gas01"
RIGHT = {"values": {"street": "Rechtplein 17"}, "as_of": "2026-11-01T00:00:00+00:00"}


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    with open_town(papers_of(store_settings, tmp_path, [PRINCIPAL]), tmp_path, [PRINCIPAL], 2) as opened:
        opened.arrive(PRINCIPAL, opened.people)
        yield opened


def asked(town: Town) -> Case:
    given = [(SubjectKind.PRINCIPAL_CUSTOMER_ID, town.people[0].record(PRINCIPAL))]
    return town.opened(Right.RECTIFICATION, given, PRINCIPAL)


def fields_of(town: Town, part: SubCase) -> set[str]:
    conn = town.house.conn
    return {each.name for each in _fields(conn, part, _papers(conn, part, now()))}


def corrected(town: Town) -> list[str]:
    return [row.field for row in find_rows(town.house.conn, PRINCIPAL)]


def test_what_its_principal_instructed_is_corrected_although_its_column_changed_hands_meanwhile(town: Town) -> None:
    case = asked(town)
    assert instruct(town, of_principal(case), decision="rectify", **RIGHT) is InstructionOutcome.INSTRUCTED
    assert corrected(town) == []
    each_decides_of_its_copy(town)
    swept(town, case)
    assert corrected(town) == ["street"]


def test_a_column_that_the_contract_has_no_more_is_corrected_where_its_rows_lie_here(town: Town) -> None:
    contacts = town.desk.settings.principals_dir / PRINCIPAL / CONTACTS
    without(contacts, "street")
    change(contacts, "version: 1.0.0", "version: 1.1.0")
    renew(town)
    case, other = asked(town), {**RIGHT, "values": {"street": "Rechtplein 17", "shoe_size": "44"}}
    assert instruct(town, of_principal(case), decision="rectify", **other) is InstructionOutcome.UNREADABLE, "control"
    assert instruct(town, of_principal(case), decision="rectify", **RIGHT) is InstructionOutcome.INSTRUCTED
    case = swept(town, case)
    assert corrected(town) == ["street"]
    assert corrected_groups(town.house.conn, of_principal(case), now()) == ("contact_point",)


def test_a_column_whose_group_the_agreement_has_no_more_is_corrected_too(town: Town) -> None:
    """Every row of its group went from the agreement, and every column of it from the contracts."""
    contacts = town.desk.settings.principals_dir / PRINCIPAL / CONTACTS
    without(contacts, "monthly_amount")
    change(contacts, "version: 1.0.0", "version: 1.1.0")
    next_version(town, lambda row: None if row["fieldGroup"] == "financial" else row)
    renew(town)
    case, amount = asked(town), {**RIGHT, "values": {"monthly_amount": "12.50"}}
    assert "financial" not in of_principal(case).field_groups
    assert instruct(town, of_principal(case), decision="rectify", **amount) is InstructionOutcome.INSTRUCTED
    case = swept(town, case)
    assert corrected(town) == ["monthly_amount"]
    assert corrected_groups(town.house.conn, of_principal(case), now()) == ("financial",)


def test_what_is_the_centers_by_then_is_no_more_the_principals(town: Town) -> None:
    """Control: of a request that came after the change, the column is with who has it in the contract now."""
    each_decides_of_its_copy(town)
    case = asked(town)
    assert "street" not in fields_of(town, of_principal(case))
    assert "street" in fields_of(town, of_center(case))


class Counted(psycopg.Cursor[Any]):
    """Counts how often it was asked under which contracts copies came that are still here."""

    times = 0

    def execute(self, query: Any, *given: Any, **kwargs: Any) -> Any:
        Counted.times += "from exchange_tally" in str(query)
        return super().execute(query, *given, **kwargs)


def test_the_contracts_of_what_lies_here_are_looked_for_once_and_not_where_nothing_was_corrected(town: Town) -> None:
    case, conn = asked(town), town.house.conn
    assert instruct(town, of_principal(case), decision="rectify", **RIGHT) is InstructionOutcome.INSTRUCTED
    part = of_principal(get_case(conn, case.case_id))
    times = []
    conn.cursor_factory = Counted
    for step in (
        lambda: corrected_groups(conn, part, now()),
        lambda: carry_out(town.house, case, part, now()),
        lambda: corrected_groups(conn, part, now()),
    ):
        Counted.times = 0
        step()
        times.append(Counted.times)
    conn.cursor_factory = psycopg.Cursor
    assert corrected(town) == ["street"], "the control: it was carried out"
    assert times == [0, 1, 1]


def part_at_energy(town: Town, person: Person) -> tuple[SubCase, set[str]]:
    """The part that energy01 decides of a rectification, and which principals know the person."""
    case = town.opened(Right.RECTIFICATION, [(SubjectKind.PHONE, person.phone)])
    [part] = [each for each in case.sub_cases if (each.principal, each.track) == (PRINCIPAL, Track.PROCESSOR)]
    return part, {each.principal for each in case.sub_cases}


def test_a_column_of_another_principal_is_unreadable_whether_or_not_it_knows_the_person(
    store_settings: Settings, tmp_path: Path
) -> None:
    settings = papers_of(store_settings, tmp_path, [PRINCIPAL, GAS])
    change(settings.principals_dir / GAS / CONTACTS, "name: tariff", "name: gas_tariff")
    with open_town(settings, tmp_path, [PRINCIPAL, GAS], 2) as town:
        town.arrive(PRINCIPAL, town.people)
        replace(town, head=town.head.replace("tariff", "gas_tariff")).arrive(GAS, town.people[:1])
        outcomes, known = [], []
        for person in town.people:
            part, principals = part_at_energy(town, person)
            known.append(principals)
            values = {"street": "Rechtplein 17", "gas_tariff": "x"}
            outcomes.append(instruct(town, part, decision="rectify", values=values, as_of="2026-11-01T00:00:00+00:00"))
        assert known == [{PRINCIPAL, GAS}, {PRINCIPAL}], "control: gas01 knows one of them"
        assert outcomes == ["UNREADABLE", "UNREADABLE"]
        own = {"street": "Rechtplein 17"}
        assert instruct(town, part, decision="rectify", values=own, as_of="2026-11-01T00:00:00+00:00") == "INSTRUCTED"
