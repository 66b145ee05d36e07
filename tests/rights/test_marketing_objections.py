"""An objection that names nothing but marketing is one to direct marketing, whichever door it comes in by."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from returns.commands import at_terminal, sluice
from rights.instructing import (
    ENERGY,
    accept,
    current,
    instruct,
    lent,
    letter_text,
    of_center,
    of_principal,
)
from rights.town import DESK, SHA, Town, swept
from sluice.exchange.persons.suppressed import find_suppressed
from sluice.exchange.persons.suppressed_store import find_runs
from sluice.rights.case import store
from sluice.rights.case.errors import RequestIdReused, TransitionRefused
from sluice.rights.case.model import Action, Case, CaseId, LetterKind, Order, Protection, Remedies, Right, State
from sluice.rights.case.reasons import REMEDIES, iri
from sluice.rights.case.steps import decide, withdraw
from sluice.rights.finish import _for_marketing
from sluice.rights.instruction_rules import InstructionOutcome
from sluice.rights.letters.write import note_opened
from sluice.rights.notices.notice_store import find_kept_out
from sluice.rights.opening import NewRequest, open_case
from sluice.rights.requests import read_request
from sluice.rights.schedule import follow
from sluice.subject.scope import CONSENT, Use
from sluice.subject.scope import MARKETING as MARKETED
from sluice.terms import SubjectKind

pytestmark = pytest.mark.stores
DPV = "https://w3id.org/dpv#"
MARKETING, OTHER = f"{DPV}DirectMarketing", f"{DPV}ServiceProvision"
NAMED = [
    ((MARKETING,), Right.DIRECT_MARKETING),
    ((MARKETING, f"{DPV}SellProducts"), Right.DIRECT_MARKETING),
    ((MARKETING, OTHER), Right.OBJECTION),
    ((), Right.OBJECTION),
]


town = lent()


def held(town: Town) -> set[str]:
    """The reasons for which a person is kept out."""
    found = find_suppressed(town.house, ENERGY)
    return set() if found is None else set(found["reason"].to_list())


def objected(town: Town, *purposes: str, number: UUID | None = None, right: Right = Right.OBJECTION) -> Case:
    """The first person objects at the desk."""
    person, now = town.people[0], datetime.now(UTC)
    given = [(SubjectKind.PHONE, person.phone), (SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record(ENERGY))]
    asked = NewRequest(right, given, ENERGY, now, "letter", "nl", DESK, number, purposes=purposes)
    return open_case(town.house, asked, now)


def protected(town: Town, case_id: CaseId) -> tuple[Right, set[str]]:
    """The right of a case, and as what its person is kept out for it."""
    rows = town.house.conn.execute("select reason from suppression_run where case_id = %s", (case_id,)).fetchall()
    return store.get_case(town.house.conn, case_id).right, {str(row["reason"]) for row in rows}


def test_it_is_one_to_direct_marketing_whichever_door_it_comes_in_by(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, bucket = f"{ENERGY}/requests/objection.json", town.desk.settings.bucket_exchange
    phone = town.people[0].phone
    words = ["--right", "objection", "--identifier", f"phone:{phone}", "--principal", ENERGY]
    for purposes, right in NAMED:
        kept = right, {"objected" if right is Right.DIRECT_MARKETING else "soft_hold"}
        assert protected(town, objected(town, *purposes).case_id) == kept, "at the desk"
        said = {"right": "objection", "persons": [{"phone": phone}], "purposes": purposes}
        item = town.house.objects.put(bucket, key, json.dumps(said).encode(), "text/json")
        read = read_request(town.house, ENERGY, item, datetime.now(UTC))
        assert read.case_id is not None and protected(town, read.case_id) == kept, "in a file of a principal"
        named = [word for purpose in purposes for word in ("--purpose", purpose.removeprefix(DPV))]
        with at_terminal(town.desk, monkeypatch):
            done = sluice("case", "open", *words, *named)
        assert protected(town, CaseId(str(done.document["case"]))) == kept, "at the terminal"


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
    number = uuid4()
    case = objected(town, MARKETING, number=number)
    assert objected(town, MARKETING, number=number).case_id == case.case_id
    with pytest.raises(RequestIdReused):
        objected(town, number=number, right=Right.ERASURE)


def test_the_same_number_with_a_wider_objection_is_another_request(town: Town) -> None:
    house, now = town.house, datetime.now(UTC)
    given = [(SubjectKind.PHONE, town.people[1].phone)]
    narrow = NewRequest(
        Right.DIRECT_MARKETING, given, ENERGY, now, "form", "nl", DESK, uuid4(), None, (MARKETING,), "email"
    )
    case = open_case(house, narrow, now)
    assert open_case(house, narrow, now).case_id == case.case_id, "the control"
    for wider in (replace(narrow, contact_channel=None), replace(narrow, purposes=())):
        with pytest.raises(RequestIdReused):
            open_case(house, wider, now)


def stopped(town: Town, purpose: str) -> bool:
    """Whether a list or file for this purpose alone has to leave somebody out."""
    found = find_suppressed(town.house, ENERGY, (frozenset({Use(purpose, CONSENT, "phone")}),))
    return found is not None and not found.is_empty()


def general(town: Town, *purposes: str) -> Case:
    """The first person objects, to everything or to these."""
    person = town.people[0]
    given = [(SubjectKind.PHONE, person.phone), (SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record(ENERGY))]
    return town.opened(Right.OBJECTION, given, ENERGY, purposes=purposes, language="en")


def refuse(town: Town, case: Case) -> None:
    """The center refuses its part on compelling grounds."""
    reason = iri("LegitimateInterestOverride")
    order = Order(DESK, datetime.now(UTC), reason, SHA, {"*": reason}, Remedies(REMEDIES["BE"], "en"))
    decide(town.house.conn, case.case_id, State.REFUSED, order)


@pytest.mark.parametrize("purposes", [(), (OTHER, MARKETING), (OTHER,)])
def test_a_general_one_that_is_refused_still_stops_marketing_and_no_more(town: Town, purposes: tuple[str, ...]) -> None:
    case = general(town, *purposes)
    refuse(town, case)
    instruct(town, of_principal(case), decision="refuse", reason="LegitimateInterestOverride")
    assert stopped(town, MARKETING) and stopped(town, OTHER), "until all is decided"
    swept(town)
    reaches = purposes != (OTHER,)
    assert held(town) == ({"objected"} if reaches else set())
    assert stopped(town, MARKETING) is reaches and not stopped(town, OTHER)
    own = {run.scope.purposes <= MARKETED for run in find_runs(town.house.conn, ENERGY, in_force=True)}
    assert own == ({True} if reaches else set()), "what is tied to the person too"
    text = letter_text(town, case, LetterKind.REFUSAL)
    assert ("kept out of the calls and messages for advertising" in text) is reaches
    number = of_principal(case).sub_case_id
    [confirmed] = [json.loads(body) for name, body in town.notices(ENERGY).items() if f"confirmation-{number}" in name]
    assert (confirmed.get("kept_out_of") == "marketing") is reaches


def test_it_ends_once_the_person_takes_the_request_back(town: Town) -> None:
    case = general(town)
    instruct(town, of_principal(case), decision="refuse", reason="LegitimateInterestOverride")
    refuse(town, case)
    follow(town.house, datetime.now(UTC))
    assert stopped(town, MARKETING) and not current(town, case).state.is_over
    withdraw(town.house.conn, case.case_id, Order(DESK, datetime.now(UTC), "TAKEN_BACK", SHA))
    follow(town.house, datetime.now(UTC))
    assert held(town) == set() and not find_runs(town.house.conn, ENERGY, in_force=True)


def test_what_keeps_them_out_of_marketing_is_no_proof_that_the_rest_was_stopped(town: Town) -> None:
    case = general(town)
    refuse(town, case)
    instruct(town, of_principal(case), decision="refuse", reason="LegitimateInterestOverride")
    follow(town.house, datetime.now(UTC))
    part = of_principal(current(town, case))
    every = find_kept_out(town.house.conn, part, Protection.OBJECTED)
    assert every is not None, "control"
    assert find_kept_out(town.house.conn, part, Protection.OBJECTED, _for_marketing(part)) is None


def test_who_upheld_it_and_took_that_back_leaves_marketing_stopped(town: Town) -> None:
    case = general(town)
    refuse(town, case)
    part = of_principal(case)
    assert instruct(town, part, decision="stop") is InstructionOutcome.INSTRUCTED
    follow(town.house, datetime.now(UTC))
    assert stopped(town, MARKETING) and held(town) == {"objected"}
    instruct(town, part, decision="refuse", reason="LegitimateInterestOverride")
    instruct(town, part, decision="refuse", reason="LegitimateInterestOverride", fields=list(part.field_groups))
    swept(town)
    take_letters(town, case)
    assert current(town, case).state is State.CLOSED
    swept(town)
    [*runs] = find_runs(town.house.conn, ENERGY, in_force=True)
    assert runs and all(run.scope.purposes <= MARKETED and run.scope.purposes for run in runs)


def take_letters(town: Town, case: Case) -> None:
    """The desk takes out whatever letters it wrote, and the case goes on."""
    for _ in range(3):
        for letter in current(town, case).letters:
            if letter.opened_at is None and not letter.is_void:
                note_opened(town.house.conn, letter, datetime.now(UTC), DESK)
        swept(town)


@pytest.mark.parametrize("purposes", [(), (OTHER,)])
def test_who_is_known_to_nobody_stays_out_of_marketing_too(town: Town, purposes: tuple[str, ...]) -> None:
    case = town.opened(Right.OBJECTION, [(SubjectKind.PHONE, "+32470999999")], purposes=purposes, language="en")
    accept(town, case, Action.STOP)
    swept(town)
    take_letters(town, case)
    assert current(town, case).state is State.CLOSED
    reaches = not purposes
    assert stopped(town, MARKETING) is reaches and not stopped(town, OTHER)
    assert ("calls and messages for advertising" in letter_text(town, case)) is reaches
