"""What is said to be right of a person: who may still say it, and that a refused word leaves nothing behind."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from rights.town import DESK, SHA, now
from sluice.lake.s3.objects import StoredObject
from sluice.rights.case import store
from sluice.rights.case.model import Case, Order, Right, SubCase, Track
from sluice.rights.case.steps import settle_identity
from sluice.rights.due_steps import take_due
from sluice.rights.instruction_rules import InstructionOutcome
from sluice.rights.opening import NewRequest, open_case
from sluice.rights.person.rectify import NotRectifiable, ask, carry_out
from sluice.rights.person.wanted import Wanted
from sluice.rights.read_instructions import read_instruction
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind
from support.desk import ENERGY, JANUARY, Desk, open_desk

ENERGY01 = Principal(ENERGY[0])
SINCE = "2026-11-20T00:00:00+00:00"


@pytest.fixture(scope="module")
def desk(module_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with open_desk(module_settings, tmp_path_factory.mktemp("desk"), JANUARY) as opened:
        yield opened


def opened(desk: Desk, phone: str = "0470123456") -> tuple[Case, SubCase]:
    """A rectification that its principal has to instruct on, and that part."""
    case = open_case(
        desk.house,
        NewRequest(Right.RECTIFICATION, [(SubjectKind.PHONE, phone)], ENERGY01, now(), "mail", "nl", DESK),
        now(),
    )
    settle_identity(desk.house.conn, case.case_id, True, Order(DESK, now(), "IDENTITY_SHOWN", SHA))
    take_due(desk.house, now())
    case = store.get_case(desk.house.conn, case.case_id)
    return case, next(part for part in case.sub_cases if part.track is Track.PROCESSOR)


def wanted(value: str = "Rechtplein 1") -> Wanted:
    return Wanted({"street": value}, datetime.fromisoformat(SINCE))


def instruct(desk: Desk, name: str, part: SubCase, decision: str = "rectify", **more: object) -> InstructionOutcome:
    said = json.dumps({"case": part.sub_case_id, "decision": decision, **more}).encode()
    key = f"{ENERGY01}/requests/instruction-{name}.json"
    stored = desk.house.objects.put(desk.settings.bucket_exchange, key, said, "text/json")
    return read_instruction(desk.house, ENERGY01, stored, now()).outcome


def sealed(desk: Desk, case: Case) -> list[StoredObject]:
    return [item for item in desk.objects(desk.settings.bucket_vault) if f"{case.case_id}/rectify" in item.key]


def test_a_refused_instruction_leaves_no_value_behind_and_is_never_applied(desk: Desk) -> None:
    case, part = opened(desk)
    values = {"values": {"street": "Fout 1"}, "as_of": SINCE}
    assert instruct(desk, "a", part, fields=["weather"], **values) == InstructionOutcome.NOT_ADMITTED
    assert instruct(desk, "b", part, values={"shoe_size": "44"}, as_of=SINCE) == InstructionOutcome.UNREADABLE
    assert sealed(desk, case) == []

    right = {"values": {"street": "Rechtplein 1"}, "as_of": SINCE, "fields": ["contact_point"]}
    assert instruct(desk, "c", part, **right) == InstructionOutcome.INSTRUCTED
    assert len(sealed(desk, case)) == 1
    assert instruct(desk, "d", part, decision="give") == InstructionOutcome.NOT_ADMITTED
    later = {"values": {"street": "Later 2"}, "as_of": SINCE, "fields": ["contact_point"]}
    assert instruct(desk, "e", part, **later) == InstructionOutcome.CONTRADICTS
    assert len(sealed(desk, case)) == 1
    assert instruct(desk, "f", part, **later) == InstructionOutcome.INSTRUCTED
    assert len(sealed(desk, case)) == 2
    case = store.get_case(desk.house.conn, case.case_id)
    followed = next(each for each in case.sub_cases if each.sub_case_id == part.sub_case_id)
    assert carry_out(desk.house, case, followed, now()) is not None
    assert [row["field"] for row in desk.sql("select field from correction")] == ["street"]


def test_what_is_right_can_be_said_anew_until_somebody_decided_on_it(desk: Desk) -> None:
    case, part = opened(desk)
    ask(desk.house, case.case_id, wanted("Eerst 1"))
    ask(desk.house, case.case_id, wanted("Dan 2"))
    assert instruct(desk, "a", part) == InstructionOutcome.INSTRUCTED
    before = [item.version_id for item in sealed(desk, case)]

    with pytest.raises(NotRectifiable):
        ask(desk.house, case.case_id, wanted("Te laat 3"))
    assert [item.version_id for item in sealed(desk, case)] == before


def test_who_decided_to_rectify_before_anybody_said_what_is_right_can_still_be_told(desk: Desk) -> None:
    case, part = opened(desk)
    assert instruct(desk, "a", part) == InstructionOutcome.INSTRUCTED
    ask(desk.house, case.case_id, wanted())
    assert len(sealed(desk, case)) == 1


@pytest.mark.parametrize("state", ["REFUSED", "PROVEN", "CLOSED"])
def test_a_case_whose_parts_are_past_being_carried_out_takes_no_value(desk: Desk, state: str) -> None:
    case, _ = opened(desk)
    desk.house.conn.execute("update sub_case set state = %s where case_id = %s", (state, case.case_id))
    with pytest.raises(NotRectifiable):
        ask(desk.house, case.case_id, wanted())
    assert sealed(desk, case) == []


@pytest.mark.parametrize("days", [1, 400])
def test_something_can_be_right_since_before_the_papers_were_registered(desk: Desk, days: int) -> None:
    case, part = opened(desk)
    since = now() - timedelta(days=days)
    ask(desk.house, case.case_id, Wanted({"street": "Rechtplein 1"}, since))
    values = {"values": {"street": "Rechtplein 1"}, "as_of": since.isoformat()}
    assert instruct(desk, "a", part, **values) == InstructionOutcome.INSTRUCTED


@pytest.mark.parametrize("since", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "2026-01-01T00:00:00"])
def test_a_moment_that_is_yet_to_come_or_on_no_day_of_brussels_is_no_instruction(desk: Desk, since: str) -> None:
    case, part = opened(desk)
    outcome = instruct(desk, "a", part, values={"street": "Rechtplein 1"}, as_of=since)
    assert outcome == InstructionOutcome.UNREADABLE and sealed(desk, case) == []
