"""An objection that names nothing but marketing is one to direct marketing, whichever door it comes in by."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from returns.commands import at_terminal, sluice
from rights.instructing import accept, current, instruct, letter_text, of_center, of_principal
from rights.letter_samples import a_case, a_part, facts_of
from rights.town import DESK, SHA, Town, open_town, papers_of, swept
from sluice.documents.words import LANGUAGES, words
from sluice.exchange.persons.suppressed import find_suppressed
from sluice.exchange.persons.suppressed_store import find_runs
from sluice.rights.case import store
from sluice.rights.case.errors import RequestIdReused, TransitionRefused
from sluice.rights.case.model import Action, Case, CaseId, LetterKind, Order, Protection, Remedies, Right, State
from sluice.rights.case.reasons import REMEDIES, iri
from sluice.rights.case.steps import decide, withdraw
from sluice.rights.finish import _for_marketing
from sluice.rights.instruction_rules import InstructionOutcome
from sluice.rights.letters.document import spoken
from sluice.rights.letters.model import PartFacts
from sluice.rights.letters.page import make_letter_page
from sluice.rights.letters.write import note_opened
from sluice.rights.notices.notice_store import find_kept_out
from sluice.rights.opening import NewRequest, envelope_of, open_case, open_envelope
from sluice.rights.person.identifiers import Identifier
from sluice.rights.person.sealed import case_id_of
from sluice.rights.requests import read_request
from sluice.rights.schedule import follow
from sluice.settings import Settings
from sluice.subject.scope import CONSENT, Use
from sluice.subject.scope import MARKETING as MARKETED
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
    """The reasons for which a person is kept out."""
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
    [confirmed] = [json.loads(body) for name, body in town.notices(ENERGY).items() if name.startswith("confirmation-")]
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


@pytest.mark.parametrize("language", LANGUAGES)
def test_letters_say_so_in_every_language(language: str) -> None:
    say = words(language).say
    part = a_part(State.REFUSED, Action.REFUSE)

    def told(right: Right, *purposes: str, kind: LetterKind = LetterKind.REFUSAL) -> list[str]:
        facts = facts_of(a_case(part, right=right), kind, language, PartFacts(part, "Energy One NV"), purposes=purposes)
        return list(spoken(make_letter_page(facts)))

    for asked in ((), (MARKETING, OTHER)):
        assert say("letter.stays_out.marketing") in told(Right.OBJECTION, *asked)
        assert say("letter.hold.marketing") in told(Right.OBJECTION, *asked, kind=LetterKind.RECEIPT)
    for right, asked in ((Right.OBJECTION, (OTHER,)), (Right.ERASURE, ())):
        assert say("letter.stays_out.marketing") not in told(right, *asked)
        assert say("letter.hold.marketing") not in told(right, *asked, kind=LetterKind.RECEIPT)
