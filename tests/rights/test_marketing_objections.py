"""An objection that names nothing but marketing is one to direct marketing, whichever door it comes in by."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from returns.commands import at_terminal, sluice
from rights.instructing import current, instruct, of_center, of_principal
from rights.town import DESK, SHA, Town, open_town, papers_of, swept
from sluice.exchange.persons.suppressed import find_suppressed
from sluice.rights.case import store
from sluice.rights.case.errors import RequestIdReused, TransitionRefused
from sluice.rights.case.model import Case, CaseId, Order, Remedies, Right, State
from sluice.rights.case.reasons import REMEDIES, iri
from sluice.rights.case.steps import decide
from sluice.rights.instruction import InstructionOutcome
from sluice.rights.opening import NewRequest, envelope_of, open_case, open_envelope
from sluice.rights.person.identifiers import Identifier
from sluice.rights.person.sealed import case_id_of
from sluice.rights.requests import read_request
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind

pytestmark = pytest.mark.stores
ENERGY = Principal("energy01")
DPV = "https://w3id.org/dpv#"
MARKETING, OTHER = f"{DPV}DirectMarketing", f"{DPV}ServiceProvision"
NAMED = [
    ((MARKETING,), Right.DIRECT_MARKETING),
    ((MARKETING, f"{DPV}SellProducts"), Right.DIRECT_MARKETING),
    ((MARKETING, OTHER), Right.OBJECTION),
    ((), Right.OBJECTION),
]


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    with open_town(papers_of(store_settings, tmp_path, [ENERGY]), tmp_path, [ENERGY], 2) as opened:
        opened.arrive(ENERGY, opened.people)
        yield opened


def held(town: Town) -> set[str]:
    """Why somebody is kept out."""
    found = find_suppressed(town.house, ENERGY)
    return set() if found is None else set(found["reason"].to_list())


def objected(town: Town, *purposes: str, number: UUID | None = None, right: Right = Right.OBJECTION) -> Case:
    """The first person objects at the desk."""
    person, now = town.people[0], datetime.now(UTC)
    given = [(SubjectKind.PHONE, person.phone), (SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record(ENERGY))]
    asked = NewRequest(right, given, ENERGY, now, "letter", "nl", DESK, number, purposes=purposes)
    return open_case(town.house, asked, now)


@pytest.mark.parametrize(("purposes", "right"), NAMED)
def test_at_the_desk(town: Town, purposes: tuple[str, ...], right: Right) -> None:
    assert objected(town, *purposes).right is right
    assert held(town) == {"objected" if right is Right.DIRECT_MARKETING else "soft_hold"}


@pytest.mark.parametrize(("purposes", "right"), NAMED)
def test_in_a_file_of_a_principal(town: Town, purposes: tuple[str, ...], right: Right) -> None:
    said = {"right": "objection", "persons": [{"phone": town.people[0].phone}], "purposes": purposes}
    key, bucket = f"{ENERGY}/requests/objection.json", town.desk.settings.bucket_exchange
    item = town.house.objects.put(bucket, key, json.dumps(said).encode(), "text/json")
    read = read_request(town.house, ENERGY, item, datetime.now(UTC))
    assert read.case_id is not None
    assert store.get_case(town.house.conn, read.case_id).right is right
    assert held(town) == {"objected" if right is Right.DIRECT_MARKETING else "soft_hold"}


@pytest.mark.parametrize(("purpose", "right"), [("DirectMarketing", Right.DIRECT_MARKETING), (None, Right.OBJECTION)])
def test_at_the_terminal(town: Town, monkeypatch: pytest.MonkeyPatch, purpose: str | None, right: Right) -> None:
    words = ["--right", "objection", "--identifier", f"phone:{town.people[0].phone}", "--principal", ENERGY]
    with at_terminal(town.desk, monkeypatch):
        done = sluice("case", "open", *words, *(["--purpose", purpose] if purpose else []))
    assert done.exit == 0
    assert store.get_case(town.house.conn, CaseId(str(done.document["case"]))).right is right


def test_neither_the_desk_nor_the_principal_can_refuse_it(town: Town) -> None:
    case = objected(town, MARKETING)
    swept(town)
    reason = iri("LegitimateInterestOverride")
    order = Order(DESK, datetime.now(UTC), reason, SHA, {"*": reason}, Remedies(REMEDIES["BE"], "nl"))
    for part in current(town, case).sub_cases:
        with pytest.raises(TransitionRefused):
            decide(town.house.conn, case.case_id, State.REFUSED, order, [part.sub_case_id])
    said = instruct(town, of_principal(case), decision="refuse", reason="LegitimateInterestOverride")
    assert said is InstructionOutcome.NOT_ADMITTED
    swept(town)
    assert held(town) == {"objected"} and of_center(current(town, case)).state is not State.REFUSED


def test_the_same_request_again_is_the_same_case(town: Town) -> None:
    number, house, now = uuid4(), town.house, datetime.now(UTC)
    case = objected(town, MARKETING, number=number)
    assert objected(town, MARKETING, number=number).case_id == case.case_id
    given = (Identifier(SubjectKind.PHONE, town.people[1].phone),)
    older = envelope_of(case_id_of(house.keyring, uuid := uuid4()), Right.OBJECTION, ENERGY, (given,), now, now, DESK)
    case = open_envelope(house, replace(older, channel="letter", purposes=(MARKETING,)), now)
    asked = NewRequest(Right.OBJECTION, given, ENERGY, now, "letter", "nl", DESK, uuid, purposes=(MARKETING,))
    assert open_case(house, asked, now).case_id == case.case_id, "as an older version opened it"
    with pytest.raises(RequestIdReused):
        open_case(house, replace(asked, right=Right.ERASURE, purposes=()), now)
