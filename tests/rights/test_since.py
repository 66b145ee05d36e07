"""An agreement signed while a request is open, and one that is over: whom it brought is protected, corrected, told."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from answers.giving import WE_GIVE, read
from answers.test_every_paper import CARE, another_agreement
from rights.instructing import accept, current, instruct, of_principal, swept
from rights.town import DESK, SHA, Town, open_town, papers_of
from sluice.agreement.in_force.activate import activate_all
from sluice.answers.make import make
from sluice.answers.model import AnswerKind
from sluice.exchange.persons.correction_store import find_rows
from sluice.exchange.persons.suppressed import find_suppressed
from sluice.exchange.read import show_exchange
from sluice.rights.case.model import Action, Case, Order, Right, State
from sluice.rights.case.steps import settle_identity, withdraw
from sluice.rights.copies.find import open_request
from sluice.rights.due_steps import take_due
from sluice.rights.instruction_rules import InstructionOutcome
from sluice.rights.notices.notice_store import list_notices
from sluice.rights.opening import NewRequest, open_case
from sluice.rights.person import rectify
from sluice.rights.rescope import rescope
from sluice.rights.schedule import follow
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind
from sluice.times import brussels_today
from support.night import AGREEMENT, Edit, change

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


OPEN_END = "validTo: null\ndocument"
WE_CORRECT = Edit(AGREEMENT, "A16: false", "A16: true")


def tomorrow() -> str:
    return f"validTo: {(brussels_today() + timedelta(days=1)).isoformat()}\ndocument"


def asked_at(town: Town, right: Right, at: datetime) -> Case:
    """The first person asks the principal, who they are is settled, and it is forwarded."""
    person = town.people[0]
    given = [(SubjectKind.PHONE, person.phone), (SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record(ENERGY))]
    case = open_case(town.house, NewRequest(right, given, ENERGY, at, "letter", "en", DESK), at)
    settle_identity(town.house.conn, case.case_id, True, Order(DESK, at, "IDENTITY_SHOWN", SHA))
    take_due(town.house, at)
    return current(town, case)


@pytest.fixture
def later() -> datetime:
    """After the last day of an agreement that ends tomorrow; its data is still here."""
    return datetime.now(UTC) + timedelta(days=3)


@pytest.mark.parametrize("is_asked_before", [True, False])
def test_what_is_wrong_is_corrected_after_the_last_day_of_its_agreement(
    store_settings: Settings, tmp_path: Path, later: datetime, is_asked_before: bool
) -> None:
    settings = papers_of(store_settings, tmp_path, [ENERGY], WE_CORRECT, Edit(AGREEMENT, OPEN_END, tomorrow()))
    with open_town(settings, tmp_path, [ENERGY], 2) as town:
        town.arrive(ENERGY, town.people)
        case = asked_at(town, Right.RECTIFICATION, datetime.now(UTC) if is_asked_before else later)
        said = {"values": {"street": "Rechtplein 17"}, "as_of": "2026-11-01T00:00:00+00:00"}
        done = instruct(town, of_principal(case), later, decision="rectify", **said)
        assert done is InstructionOutcome.INSTRUCTED
        accept(town, case, Action.RECTIFY, later)
        case = swept(town, case, later)
        assert [row.field for row in find_rows(town.house.conn, ENERGY)] == ["street"]
        assert of_principal(case).state is State.EXECUTED


def test_what_no_contract_explains_any_more_waits_for_a_person(store_settings: Settings, tmp_path: Path) -> None:
    settings = papers_of(store_settings, tmp_path, [ENERGY], WE_CORRECT)
    with open_town(settings, tmp_path, [ENERGY], 2) as town:
        town.arrive(ENERGY, town.people)
        case = asked_at(town, Right.RECTIFICATION, datetime.now(UTC))
        said = {"values": {"street": "Rechtplein 17"}, "as_of": "2026-11-01T00:00:00+00:00"}
        instruct(town, of_principal(case), decision="rectify", **said)
        case = current(town, case)
        unexplained = replace(of_principal(case), agreement_id="DPA-GONE")
        assert rectify.carry_out(town.house, case, unexplained, datetime.now(UTC)) is None
        assert find_rows(town.house.conn, ENERGY) == []


def in_care_only(settings: Settings, folder: Path) -> Settings:
    """Papers of one principal: a campaign that runs, and care, which ends tomorrow and whose files go to Grid NV."""
    settings = papers_of(settings, folder, [ENERGY], WE_GIVE)
    another_agreement(settings.principals_dir / ENERGY)
    other = settings.principals_dir / ENERGY / "agreement-other-3.0.0.yaml"
    change(other, "recipients: []", "recipients: [Grid NV]")
    change(other, OPEN_END, tomorrow())
    return settings


def test_whoever_got_data_under_an_ended_agreement_is_told_and_named_beside_one_that_runs(
    store_settings: Settings, tmp_path: Path, later: datetime
) -> None:
    with open_town(in_care_only(store_settings, tmp_path), tmp_path, [ENERGY], 2) as town:
        person = town.people[0]
        row = f"{town.head}\n{person.record(ENERGY)};{person.line}\n"
        town.desk.drop(row.encode(), "care.csv", (ENERGY, CARE))
        town.desk.work()

        case = asked_at(town, Right.RESTRICTION, later)
        assert {part.agreement_id for part in case.sub_cases} == {"DPA-ENERGY01"}
        assert instruct(town, of_principal(case), later, decision="restrict") is InstructionOutcome.INSTRUCTED
        accept(town, case, Action.RESTRICT, later)
        case = swept(town, case, later)
        told = list_notices(town.house.conn, case_id=case.case_id, limit=None)
        assert {(each.name, each.sub_case_id) for each in told} == {("Grid NV", of_principal(case).sub_case_id)}

        case = asked_at(town, Right.ACCESS, later)
        instruct(town, of_principal(case), later, decision="give")
        accept(town, case, Action.GIVE, later)
        made = make(town.house, case.case_id, AnswerKind.ACCESS, later, DESK, None)
        [information] = read(town.house, made).json("access.json")["information"]
        assert information["recipients"] == ["Grid NV"]
