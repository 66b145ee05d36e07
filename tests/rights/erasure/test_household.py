"""Spouses share a telephone: an erasure of one takes nothing of the other, and never keeps the other out."""

import io

import polars as pl
import pytest

from answers.giving import WE_GIVE, give, read
from rights.town import DESK, SHA, Person, Town, now, swept, town_fixture
from sluice.exchange.catalogue import find_copies
from sluice.exchange.persons.suppressed import find_suppressed
from sluice.exchange.read import list_exchanges, show_exchange
from sluice.rights.case import store
from sluice.rights.case.model import Action, Case, Order, Right
from sluice.rights.case.steps import withdraw
from sluice.rights.copies.own_rows import Own, SeveralCustomers, own_of
from sluice.rights.due_steps import take_due
from sluice.rights.erasure.certificate import issue
from sluice.rights.erasure.control_store import find_plans
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.model import NotReleased
from sluice.rights.erasure.release import draft
from sluice.rights.person.identifiers import Identifier
from sluice.rights.person.whom import all_refs_at
from sluice.rights.requests import read_request
from sluice.rights.schedule import follow
from sluice.terms import Direction, ExchangeId, Principal, SubjectKind

ENERGY, GAS = Principal("energy01"), "gas01"
PHONE, EMAIL, CUSTOMER = SubjectKind.PHONE, SubjectKind.EMAIL, SubjectKind.PRINCIPAL_CUSTOMER_ID
NATIONAL = SubjectKind.NATIONAL_NUMBER
SINGLES = slice(10, 14)


def couple(town: Town, number: int) -> tuple[Person, Person]:
    """Two customers who have one telephone."""
    first, second = town.people[2 * number : 2 * number + 2]
    return first, second.under_phone_of(first)


def planted(town: Town) -> None:
    """Five couples and four singles came in a file; the first couple was called. Who goes first is gas01's too."""
    couples = [person for number in range(5) for person in couple(town, number)]
    town.arrive(ENERGY, [*couples, *town.people[SINGLES]])
    town.give_back(ENERGY, couples[:2])
    town.arrive(GAS, couples[:1])


town = town_fixture([ENERGY, GAS], 16, planted, WE_GIVE)


def asks(town: Town, *identifiers: tuple[SubjectKind, str], right: Right = Right.ERASURE) -> Case:
    """Somebody asks this principal for something, to be forgotten unless it is said; nobody decided yet."""
    return town.opened(right, identifiers, ENERGY)


def instructed(town: Town, text: str) -> Case:
    """An erasure that the principal's own file asks for."""
    key = f"{ENERGY}/requests/erasure-2026-11.csv"
    stored = town.house.objects.put(town.desk.settings.bucket_exchange, key, text.encode(), "text/csv")
    file = read_request(town.house, ENERGY, stored, now())
    assert file.case_id is not None
    take_due(town.house, now())
    return store.get_case(town.house.conn, file.case_id)


def erased(town: Town, case: Case) -> None:
    report = run(town.house, town.agree(case).case_id, now())
    assert (report.residual, report.doubts, report.waiting) == (0, 0, 0)


def here(town: Town, *people: Person) -> list[bool]:
    """Who of these is in accepted rows of contacts."""
    found = set[str]()
    for line in list_exchanges(town.house.conn, principal=ENERGY, direction=Direction.INBOUND):
        for copy in find_copies(town.house.conn, ExchangeId(line.id)):
            if copy.kind == "lake":
                rows = pl.read_parquet(io.BytesIO(town.house.objects.read(copy.bucket, copy.key, copy.version_id)))
                found |= set(rows["customer_number"].to_list())
    return [person.record(ENERGY) in found for person in people]


def texts(town: Town, prefix: str) -> str:
    """Every version of every object below a prefix of the exchange bucket, as one text."""
    bucket, objects = town.desk.settings.bucket_exchange, town.house.objects
    every = objects.list_versions(bucket, f"{ENERGY}/{prefix}/")
    return "\n".join(objects.read(bucket, item.key, item.version_id).decode("utf-8", "replace") for item in every)


def customers(*people: Person) -> list[tuple[SubjectKind, str]]:
    return [(CUSTOMER, each.record(ENERGY)) for each in people]


def test_one_spouse_goes_and_the_other_stays_in_every_store_and_may_come_again(town: Town) -> None:
    first, second = couple(town, 0)
    assert all(each.record(ENERGY) in texts(town, "outbound") for each in (first, second)), "control: both were called"
    case = town.agree(asks(town, *customers(first), (PHONE, first.phone)))

    report = run(town.house, case.case_id, now())

    assert (report.residual, report.doubts, report.waiting) == (0, 0, 0) and report.shared >= 1
    assert here(town, first, second) == [False, True]
    for prefix in ("inbound", "outbound"):
        assert first.record(ENERGY) not in texts(town, prefix) and second.record(ENERGY) in texts(town, prefix)
    assert issue(town.house, case.case_id)
    follow(town.house, now())  # what held everybody while the request was open ends
    town.arrive(ENERGY, [second, first, town.people[-1]], "later.csv")
    newest, *_ = list_exchanges(town.house.conn, direction=Direction.INBOUND)
    record = show_exchange(town.house.conn, newest.id).record
    assert record is not None and (record.what.rows_accepted, record.what.rows_held) == (2, 1)
    assert here(town, first, second) == [False, True], "who was erased stays out"
    assert run(town.house, case.case_id, now()).residual == 0, "the same again"

    swept(town)
    erased(town, asks(town, *customers(first), (PHONE, first.phone)))
    assert here(town, second) == [True], "who asks again after that takes nothing of the other"
    package = read(town.house, give(town.house, town.decided(first, Right.ACCESS, Action.GIVE).case_id)).text
    assert first.record(GAS) in package, "control: what is theirs is given"
    assert second.record(ENERGY) not in package, "whose row is left is somebody else, whatever else was given"


def test_one_person_with_two_numbers_who_gives_both_is_gone_with_both(town: Town) -> None:
    first, second = couple(town, 1)
    erased(town, asks(town, *customers(first, second), (PHONE, first.phone)))
    assert here(town, first, second) == [False, False]
    refs = all_refs_at(
        town.house, [Identifier(*each) for each in (*customers(first, second), (PHONE, first.phone))], ENERGY
    )
    out = find_suppressed(town.house, ENERGY)
    assert out is not None and len(refs) == 3
    assert set(out.filter(out["reason"] == "erased")["ref"]) >= refs, "nobody else has the telephone"


def test_a_telephone_of_several_customers_erases_nobody_before_a_number_says_who(town: Town) -> None:
    first, second = couple(town, 2)
    asked = asks(town, (PHONE, first.phone))
    assert draft(town.house, asked.case_id, "planner", now()).report.lines, "what is found is shown, while undecided"
    with pytest.raises(SeveralCustomers) as refused:
        town.agree(asked)

    assert [ref.value for ref in refused.value.refs] == [ENERGY, 2] and "customer:" in refused.value.cure
    assert find_plans(town.house.conn, asked.case_id) == [], "so nobody can release one"
    with pytest.raises(NotReleased):
        run(town.house, asked.case_id, now())
    assert here(town, first, second) == [True, True] and first.record(ENERGY) in texts(town, "inbound")
    withdraw(town.house.conn, asked.case_id, Order(DESK, now(), "SUBJECT_ASKED", SHA))

    # Asked of everybody: the number is of no principal, so who has that telephone may be somebody else.
    stranger, phone = (CUSTOMER, "E99999999"), (PHONE, town.people[SINGLES][0].phone)
    case = town.opened(Right.ERASURE, (stranger, phone))
    with pytest.raises(SeveralCustomers):  # no plan is made, so nothing begins that others would wait for
        town.agree(case)
    alone = draft(town.house, town.agree(asks(town, phone)).case_id, "planner", now()).report
    assert sum(each.rows_before - each.rows_after for each in alone.lines) > 0, "the telephone alone is that customer's"


def test_control_a_telephone_of_one_customer_goes_as_it_is(town: Town) -> None:
    other, last = town.people[SINGLES][1:3]
    case = asks(town, (PHONE, last.phone))
    draft(town.house, case.case_id, "airflow", now())
    erased(town, case)
    assert here(town, last, other) == [False, True]


def test_a_principals_own_file_takes_what_it_names_and_a_number_names_one(town: Town) -> None:
    (named, spouse), (first, second), alone = couple(town, 3), couple(town, 4), town.people[SINGLES][3]
    lines = [f"{named.record(ENERGY)},{named.phone}", f",{first.phone}", f"{alone.record(ENERGY)},"]
    erased(town, instructed(town, "\n".join(["customer,phone", *lines, ""])))
    assert here(town, named, spouse, first, second, alone) == [False, True, False, False, False]


P, Q = (PHONE, "p"), (PHONE, "q")
A, B, C = (CUSTOMER, "a"), (CUSTOMER, "b"), (CUSTOMER, "c")
N, M = (NATIONAL, "n"), (EMAIL, "m")
ROWS = [frozenset({A, P}), frozenset({B, P, M})]


@pytest.mark.parametrize(
    ("given", "rows", "known", "wanted"),
    [
        ({A, P}, ROWS, "", Own(frozenset({A}))),
        ({A, P, Q}, ROWS, "", Own(frozenset({A, Q}))),
        ({A, B, P}, ROWS, "", Own(frozenset({A, B, P}))),
        ({A, P}, [*ROWS, frozenset({P})], "", Own(frozenset({A}))),
        ({A, P}, [frozenset({A, P}), frozenset({P})], "", Own(frozenset({A, P}))),
        ({A, P}, [frozenset({A, P}), frozenset({N, P})], "", Own(frozenset({A, P}))),
        ({A, M, P}, [frozenset({A, B, P})], "", Own(frozenset({A, M, P}))),
        ({A, P}, [frozenset({B, P})], "a", Own(frozenset({A}))),
        ({A, P}, [frozenset({B, P})], "", Own(frozenset({A, P}))),
        ({C, P}, ROWS, "", Own(frozenset({C, P}), 2)),
        ({P}, ROWS, "", Own(frozenset({P}), 2)),
        ({P}, [frozenset({A, P}), frozenset({A, N, P})], "", Own(frozenset({P}))),
        ({P}, [], "", Own(frozenset({P}))),
    ],
)
def test_what_of_what_was_given_is_the_persons_alone(
    given: set[tuple[SubjectKind, str]], rows: list[frozenset[tuple[SubjectKind, str]]], known: str, wanted: Own
) -> None:
    assert own_of([frozenset(given)], rows, known, is_principals_file=False) == wanted


def test_of_many_persons_a_telephone_stays_that_one_of_them_was_named_by_alone() -> None:
    told = [frozenset({A, P}), frozenset({P})]
    assert own_of(told, ROWS, "a", is_principals_file=True) == Own(frozenset({A, P}))
    assert own_of(told[:1], ROWS, "a", is_principals_file=True) == Own(frozenset({A}))
    assert own_of([frozenset({P})], ROWS, "", is_principals_file=True) == Own(frozenset({P}))
