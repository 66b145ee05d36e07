"""What came under an agreement that has ended is corrected, and whoever got it is told, while it is here."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from answers.giving import WE_GIVE, read
from answers.test_every_paper import CARE, another_agreement
from rights.instructing import accept, current, instruct, of_principal, swept
from rights.town import DESK, SHA, Town, open_town, papers_of
from sluice.answers.make import make
from sluice.answers.model import AnswerKind
from sluice.exchange.persons.correction_store import find_rows
from sluice.rights.case.model import Action, Case, Order, Right, State
from sluice.rights.case.steps import settle_identity
from sluice.rights.due_steps import take_due
from sluice.rights.instruction_rules import InstructionOutcome
from sluice.rights.notices.notice_store import list_notices
from sluice.rights.opening import NewRequest, open_case
from sluice.rights.person import rectify
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind
from sluice.times import brussels_today
from support.night import AGREEMENT, Edit, change

ENERGY = Principal("energy01")
OPEN_END = "validTo: null\ndocument"
WE_CORRECT = Edit(AGREEMENT, "A16: false", "A16: true")


def tomorrow() -> str:
    return f"validTo: {(brussels_today() + timedelta(days=1)).isoformat()}\ndocument"


def asked(town: Town, right: Right, at: datetime) -> Case:
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
        case = asked(town, Right.RECTIFICATION, datetime.now(UTC) if is_asked_before else later)
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
        case = asked(town, Right.RECTIFICATION, datetime.now(UTC))
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

        case = asked(town, Right.RESTRICTION, later)
        assert {part.agreement_id for part in case.sub_cases} == {"DPA-ENERGY01"}
        assert instruct(town, of_principal(case), later, decision="restrict") is InstructionOutcome.INSTRUCTED
        accept(town, case, Action.RESTRICT, later)
        case = swept(town, case, later)
        told = list_notices(town.house.conn, case_id=case.case_id, limit=None)
        assert {(each.name, each.sub_case_id) for each in told} == {("Grid NV", of_principal(case).sub_case_id)}

        case = asked(town, Right.ACCESS, later)
        instruct(town, of_principal(case), later, decision="give")
        accept(town, case, Action.GIVE, later)
        made = make(town.house, case.case_id, AnswerKind.ACCESS, later, DESK, None)
        [information] = read(town.house, made).json("access.json")["information"]
        assert information["recipients"] == ["Grid NV"]
