"""A request to everybody by name and birth date is confirmed at each principal, by its own candidate there."""

import json

import pytest

from returns.commands import at_terminal, sluice
from rights.copies.test_candidates import CONTRACT, columns_of
from rights.instructing import current, of_center
from rights.town import DESK, SHA, Person, Town, now, town_fixture
from sluice.errors import DatabaseError
from sluice.exchange.persons.suppressed import find_reasons
from sluice.rights.case.model import Case, Order, Right, SubCase, Track
from sluice.rights.case.steps import settle_identity
from sluice.rights.confirm_candidate import CaseNotWaiting, candidates_of, confirm_candidate
from sluice.rights.due_steps import take_due
from sluice.rights.erasure.erase import run
from sluice.rights.notices.to_controller import notice_key
from sluice.rights.opening import NewRequest, open_case
from sluice.rights.person.identifiers import Identifier, Sought
from sluice.rights.person.sealed import open_sealed
from sluice.rights.person.whom import all_refs_at
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind
from support.desk import ENERGY as FLOW
from support.meanwhile import locked
from support.night import change

ENERGY, GAS, WATER = Principal("energy01"), Principal("gas01"), Principal("water02")
EVERYBODY = [ENERGY, GAS, WATER]


def marked(settings: Settings) -> None:
    for principal in EVERYBODY:
        path = settings.principals_dir / principal / CONTRACT
        for edit in columns_of(path.read_text()):
            change(path, edit.old, edit.new)


def planted(town: Town) -> None:
    for principal in EVERYBODY:
        town.arrive(principal, town.people)


town = town_fixture(EVERYBODY, 6, planted, papers=marked)


def asked(town: Town, person: Person, right: Right = Right.ERASURE) -> Case:
    """The person asks everybody, by name and birth date."""
    cells = dict(zip(town.head.split(";")[1:], person.line.split(";"), strict=True))
    sought = Sought(f"{cells['first_name']} {cells['last_name']}", cells["birth_date"])
    return open_case(town.house, NewRequest(right, [], None, now(), "letter", "nl", DESK, sought=sought), now())


def chosen(town: Town, case: Case, *principals: Principal) -> list[tuple[Principal, str]]:
    found = candidates_of(town.house, case.case_id).candidates
    return [(Principal(each.principal), each.candidate) for each in found if each.principal in principals]


def held(town: Town, person: Person) -> set[Principal]:
    given = [Identifier(SubjectKind.PHONE, person.phone)]
    return {name for name in EVERYBODY if find_reasons(town.house, name, all_refs_at(town.house, given, name))}


def opened_for(town: Town, record: str) -> Case:
    return town.opened(Right.ACCESS, [Identifier(SubjectKind.PRINCIPAL_CUSTOMER_ID, record, WATER)])


def parts(case: Case, principal: Principal) -> list[SubCase]:
    return [part for part in case.sub_cases if part.principal == principal]


def test_each_principal_with_a_candidate_has_its_part_and_no_other(town: Town) -> None:
    person = town.people[0]
    case = asked(town, person)
    pairs = chosen(town, case, ENERGY, GAS)
    assert len(chosen(town, case, *EVERYBODY)) == 3, "control: the third has one too"

    case = confirm_candidate(town.house, case.case_id, pairs, now(), "anna")

    assert {part.principal for part in case.sub_cases} == {ENERGY, GAS} == held(town, person)
    settle_identity(town.house.conn, case.case_id, True, Order(DESK, now(), "IDENTITY_SHOWN", SHA))
    take_due(town.house, now())
    for principal in (ENERGY, GAS):
        [part] = [each for each in parts(case, principal) if each.track is Track.PROCESSOR]
        content = town.house.objects.read(town.desk.settings.bucket_exchange, notice_key(part))
        told = [each["value"] for each in json.loads(content)["identifiers"][0]]
        assert told == [person.record(principal)], "its own number of the person, and not the other one's"
    town.agree(current(town, case))
    assert run(town.house, case.case_id, now()).residual == 0
    assert chosen(town, asked(town, person), *EVERYBODY) == chosen(town, asked(town, person), WATER) != []


def test_an_identifier_counts_only_where_it_was_confirmed(town: Town) -> None:
    first, second = town.people[1:3]
    lines = [town.head, f"{first.record(ENERGY)};{second.line}"]  # somebody else's number, as it happens, at another
    town.desk.drop("\n".join(lines).encode() + b"\n", "same.csv", (WATER, FLOW[1]))
    town.desk.work()
    case = asked(town, first)

    case = confirm_candidate(town.house, case.case_id, chosen(town, case, ENERGY, GAS), now(), "anna")

    assert parts(case, WATER) == [] and WATER not in held(town, first)
    said = open_sealed(town.house, current(town, case).subject_key).envelope
    assert {each.owner for each in said.identifiers} == {ENERGY, GAS} and said.principal is None
    case = opened_for(town, first.record(ENERGY))
    assert parts(case, WATER), "control: whoever gives that number to all of them is found there"


def test_candidates_of_one_principal_make_a_case_of_that_one(town: Town) -> None:
    case = asked(town, town.people[3])
    case = confirm_candidate(town.house, case.case_id, chosen(town, case, GAS), now(), "anna")
    assert {part.principal for part in case.sub_cases} == {GAS} == held(town, town.people[3])
    assert of_center(case).has_hit


def test_the_first_confirmation_of_several_counts_and_is_finished(town: Town) -> None:
    case = asked(town, town.people[4])
    both = chosen(town, case, ENERGY, GAS)
    with locked(town.house, "suppression_run"), pytest.raises(DatabaseError):
        confirm_candidate(town.house, case.case_id, both, now(), "anna")
    for others in (both[:1], [*both, *chosen(town, case, WATER)]):
        with pytest.raises(CaseNotWaiting):
            confirm_candidate(town.house, case.case_id, others, now(), "anna")
    assert confirm_candidate(town.house, case.case_id, both, now(), "anna").sub_cases


def test_at_the_terminal(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    case = asked(town, town.people[5])
    words = [word for name, ref in chosen(town, case, ENERGY, GAS) for word in ("--candidate", f"{name}:{ref}")]
    with at_terminal(town.desk, monkeypatch):
        assert sluice("case", "confirm", case.case_id, *words).exit == 0
    assert {part.principal for part in current(town, case).sub_cases} == {ENERGY, GAS}
