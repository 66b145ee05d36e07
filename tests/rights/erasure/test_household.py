"""Spouses share a telephone: an erasure of one takes nothing of the other, and never keeps the other out."""

import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from answers.giving import WE_GIVE, give, read
from rights.town import DESK, SHA, Person, Town, open_town, papers_of
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
from sluice.rights.requests import read_request
from sluice.rights.schedule import follow, sweep
from sluice.settings import Settings
from sluice.terms import Direction, ExchangeId, Principal, SubjectKind
from support.copies import Copies

stores = pytest.mark.stores
ENERGY, GAS = Principal("energy01"), "gas01"
PHONE, EMAIL, CUSTOMER = SubjectKind.PHONE, SubjectKind.EMAIL, SubjectKind.PRINCIPAL_CUSTOMER_ID
NATIONAL = SubjectKind.NATIONAL_NUMBER


def now() -> datetime:
    return datetime.now(UTC)


def sharing(person: Person, other: Person) -> Person:
    """The person with the telephone number of the other."""
    return Person(person.number, other.phone, person.line.replace(person.phone, other.phone))


def married(settings: Settings, folder: Path) -> None:
    """The first two of five have one telephone; all came in a file, and both were called."""
    with open_town(papers_of(settings, folder, [ENERGY]), folder, [ENERGY], 5) as opened:
        people = household(opened)
        opened.arrive(ENERGY, people)
        opened.give_back(ENERGY, people[:3])


@pytest.fixture
def town(copies: Copies, tmp_path: Path) -> Iterator[Town]:
    with copies.of(married, tmp_path) as settings, open_town(settings, tmp_path, [ENERGY], 5) as opened:
        yield opened


def household(town: Town) -> list[Person]:
    first, second, *others = town.people
    return [first, sharing(second, first), *others]


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


def lake(town: Town) -> set[str]:
    """Customers in accepted rows of contacts."""
    found = set[str]()
    for line in list_exchanges(town.house.conn, direction=Direction.INBOUND):
        for copy in find_copies(town.house.conn, ExchangeId(line.id)):
            if copy.kind == "lake":
                rows = pl.read_parquet(io.BytesIO(town.house.objects.read(copy.bucket, copy.key, copy.version_id)))
                found |= set(rows["customer_number"].to_list())
    return found


def texts(town: Town, prefix: str) -> str:
    """Every version of every object below a prefix of the exchange bucket, as one text."""
    bucket, objects = town.desk.settings.bucket_exchange, town.house.objects
    every = objects.list_versions(bucket, f"{ENERGY}/{prefix}/")
    return "\n".join(objects.read(bucket, item.key, item.version_id).decode("utf-8", "replace") for item in every)


def records(people: Sequence[Person]) -> set[str]:
    return {each.record(ENERGY) for each in people}


def customers(*people: Person) -> list[tuple[SubjectKind, str]]:
    return [(CUSTOMER, each.record(ENERGY)) for each in people]


@stores
def test_one_spouse_goes_and_the_other_stays_in_every_store_and_may_come_again(town: Town) -> None:
    first, second, *others = household(town)
    assert all(each.record(ENERGY) in texts(town, "outbound") for each in (first, second)), "control: both were called"
    case = town.agree(asks(town, *customers(first), (PHONE, first.phone)))

    report = run(town.house, case.case_id, now())

    assert (report.residual, report.doubts, report.waiting) == (0, 0, 0) and report.shared >= 1
    assert lake(town) == records([second, *others])
    for prefix in ("inbound", "outbound"):
        assert first.record(ENERGY) not in texts(town, prefix) and second.record(ENERGY) in texts(town, prefix)
    assert issue(town.house, case.case_id)
    follow(town.house, now())  # what held everybody while the request was open ends
    town.arrive(ENERGY, [second, first, *others], "later.csv")
    newest, *_ = list_exchanges(town.house.conn, direction=Direction.INBOUND)
    record = show_exchange(town.house.conn, newest.id).record
    assert record is not None and (record.what.rows_accepted, record.what.rows_held) == (4, 1)
    assert lake(town) == records([second, *others]), "who was erased stays out"
    again = run(town.house, case.case_id, now())
    assert again.residual == 0, "the same again"


@stores
def test_who_asks_again_after_that_takes_nothing_of_the_other(town: Town) -> None:
    first, second, *others = household(town)
    erased(town, asks(town, *customers(first), (PHONE, first.phone)))
    for _ in range(3):
        follow(town.house, now())
        assert sweep(town.house, now()).failed == 0

    erased(town, asks(town, *customers(first), (PHONE, first.phone)))

    assert lake(town) == records([second, *others])


@stores
def test_an_answer_to_who_was_erased_gives_nothing_of_the_other(store_settings: Settings, tmp_path: Path) -> None:
    """Their number is known to be erased there: whose row is left is somebody else, whatever else they gave."""
    settings = papers_of(store_settings, tmp_path, [ENERGY, GAS], WE_GIVE)
    with open_town(settings, tmp_path, [ENERGY, GAS], 3) as town:
        first, second, *_ = household(town)
        town.arrive(ENERGY, [first, second])
        town.arrive(GAS, [first])
        erased(town, asks(town, *customers(first), (PHONE, first.phone)))
        case = town.decided(first, Right.ACCESS, Action.GIVE)

        package = read(town.house, give(town.house, case.case_id)).text

    assert first.record(GAS) in package, "control: what is theirs is given"
    assert second.record(ENERGY) not in package


@stores
def test_one_person_with_two_numbers_who_gives_both_is_gone_with_both(town: Town) -> None:
    first, second, *others = household(town)

    erased(town, asks(town, *customers(first, second), (PHONE, first.phone)))

    assert lake(town) == records(others)
    out = find_suppressed(town.house, ENERGY)
    assert out is not None and out.filter(out["reason"] == "erased").height == 3, "nobody else has the telephone"


@stores
def test_a_telephone_of_several_customers_erases_nobody_before_a_number_says_who(town: Town) -> None:
    first, second, *others = household(town)
    asked = asks(town, (PHONE, first.phone))
    foreseen = draft(town.house, asked.case_id, "planner", now()).report
    assert foreseen.lines, "what is found is shown, while nobody decided"

    with pytest.raises(SeveralCustomers) as refused:
        town.agree(asked)

    assert [ref.value for ref in refused.value.refs] == [ENERGY, 2] and "customer:" in refused.value.cure
    assert find_plans(town.house.conn, asked.case_id) == [], "so nobody can release one"
    with pytest.raises(NotReleased):
        run(town.house, asked.case_id, now())
    assert lake(town) == records(household(town)) and first.record(ENERGY) in texts(town, "inbound")

    withdraw(town.house.conn, asked.case_id, Order(DESK, now(), "SUBJECT_ASKED", SHA))
    erased(town, asks(town, *customers(first), (PHONE, first.phone)))
    assert lake(town) == records([second, *others])


@stores
def test_a_number_that_nobody_has_and_a_telephone_of_a_customer_are_of_nobody_in_particular(town: Town) -> None:
    """Asked of everybody: the number is of no principal, so who has that telephone may be somebody else."""
    stranger, phone = (CUSTOMER, "E99999999"), (PHONE, town.people[2].phone)
    case = town.opened(Right.ERASURE, (stranger, phone))

    with pytest.raises(SeveralCustomers):  # no plan is made, so nothing begins that others would wait for
        town.agree(case)

    alone = draft(town.house, town.agree(asks(town, phone)).case_id, "planner", now()).report
    assert sum(each.rows_before - each.rows_after for each in alone.lines) > 0, "the telephone alone is that customer's"


@stores
def test_control_a_telephone_of_one_customer_goes_as_it_is(town: Town) -> None:
    *kept, last = household(town)
    case = asks(town, (PHONE, last.phone))
    draft(town.house, case.case_id, "airflow", now())

    erased(town, case)

    assert lake(town) == records(kept)


@stores
@pytest.mark.parametrize("names_number", [True, False])
def test_a_principals_own_file_takes_what_it_names_and_a_number_names_one(town: Town, names_number: bool) -> None:
    first, second, *others = household(town)
    number = first.record(ENERGY) if names_number else ""

    erased(town, instructed(town, f"customer,phone\n{number},{first.phone}\n{others[0].record(ENERGY)},\n"))

    assert lake(town) == records([second, *others[1:]] if names_number else others[1:])


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
