"""A principal's file erases nobody who still needs their data: restricted by them, or owed to them as an answer."""

import json
from typing import Any

import pytest

from answers.giving import WE_GIVE, give, read
from rights.erasure.test_household import CUSTOMER, PHONE, asks, customers, here, instructed, now
from rights.town import DESK, SHA, Person, Town, due, let_go, town_fixture
from sluice.exchange.persons.suppressed import find_suppressed, lift
from sluice.rights.case import store
from sluice.rights.case.model import Action, Case, Order, Right, State
from sluice.rights.case.steps import withdraw
from sluice.rights.copies.needed import find_needed
from sluice.rights.copies.needed_model import Need, Needed
from sluice.rights.copies.needed_store import find_restricted
from sluice.rights.copies.own_rows import SeveralCustomers, needs_of
from sluice.rights.erasure.certificate import NotProven, issue
from sluice.rights.erasure.control_store import find_plans, find_run
from sluice.rights.erasure.erase import begin, run
from sluice.rights.erasure.model import EverybodyNeeded, PlanOutdated, RunEnd
from sluice.rights.erasure.plan import read_plan
from sluice.rights.erasure.release import release
from sluice.rights.schedule import follow, sweep
from sluice.terms import Principal
from sluice.times import brussels_today

ENERGY = Principal("energy01")
town = town_fixture([ENERGY], 14, lambda opened: opened.arrive(ENERGY, opened.people), WE_GIVE)


def restricted(town: Town, person: Person) -> Case:
    """Somebody had the processing restricted, and everybody who decides of it agreed."""
    case = town.agree(asks(town, *customers(person), right=Right.RESTRICTION), Action.RESTRICT)
    follow(town.house, now())
    assert sweep(town.house, now()).failed == 0
    return case


def owed(town: Town, person: Person) -> Case:
    """Somebody is to get a copy of their data, and it is not made yet."""
    return town.agree(asks(town, *customers(person), right=Right.ACCESS), Action.GIVE)


def file_of(town: Town, *people: Person) -> Case:
    return instructed(town, "\n".join(["customer", *(each.record(ENERGY) for each in people), ""]))


def waits(town: Town, case: Case) -> list[tuple[tuple[str, int], ...]]:
    return [each.plan.waits for each in find_plans(town.house.conn, case.case_id)]


def states(town: Town, case: Case) -> set[State]:
    return {part.state for part in store.get_case(town.house.conn, case.case_id).sub_cases}


def over(town: Town, case: Case) -> None:
    """The request is over, so that no notice of it names anybody to the principal any more."""
    withdraw(town.house.conn, case.case_id, Order(DESK, now(), "SUBJECT_ASKED", SHA))


def end_restriction(town: Town) -> None:
    for each in find_restricted(town.house.conn, ENERGY):
        lift(town.house, each, now())


def told(town: Town) -> dict[str, Any]:
    return {name: json.loads(said) for name, said in town.notices(ENERGY).items() if name.startswith("erasure-waits-")}


def ended_without_error(town: Town, case: Case) -> bool:
    ended = find_run(town.house.conn, case.case_id)
    return ended is not None and (ended.outcome, ended.is_in_error) == (RunEnd.OUTDATED, False)


def test_who_restricted_and_who_is_owed_an_answer_stay_until_that_has_ended(town: Town) -> None:
    people = first, second, _ = town.people[:3]
    restriction, access = restricted(town, first), owed(town, second)
    case = town.agree(file_of(town, *people))

    assert waits(town, case) == [(("answer", 1), ("restriction", 1))], "the second person reads it before releasing"
    [plan] = find_plans(town.house.conn, case.case_id)
    assert read_plan(plan.plan.content) == plan.plan
    assert [each["persons"] for each in told(town).values()] == [{"answer": 1, "restriction": 1}]
    report = run(town.house, case.case_id, now())

    assert (report.residual, report.doubts, report.waiting, report.undecided) == (0, 0, 0, 2)
    assert here(town, *people) == [True, True, False], "the rest of the file is erased"
    said = find_run(town.house.conn, case.case_id)
    assert said is not None and said.outcome is RunEnd.UNDECIDED and not said.is_in_error
    with pytest.raises(NotProven):
        issue(town.house, case.case_id)
    assert not due(town, case), "nothing has ended: it is not due"

    package = read(town.house, give(town.house, access.case_id))
    assert second.record(ENERGY) in package.text, "what was owed is there"
    over(town, access)
    assert not due(town, case), "it was released without them: a second person looks again"
    assert waits(town, case) == [(("restriction", 1),)]
    release(town.house, case.case_id, "bert", now())
    assert due(town, case)
    assert run(town.house, case.case_id, now()).undecided == 1
    assert here(town, *people) == [True, False, False]

    end_restriction(town)
    over(town, restriction)
    due(town, case)
    release(town.house, case.case_id, "bert", now())
    assert due(town, case)
    last = run(town.house, case.case_id, now())

    assert (last.residual, last.doubts, last.undecided) == (0, 0, 0)
    assert here(town, *people) == [False] * 3 and issue(town.house, case.case_id)
    assert State.EXECUTED in states(town, case) and not due(town, case)
    out = find_suppressed(town.house, ENERGY)
    assert out is not None and out.filter(out["reason"] == "erased").height == 3


def test_what_nobody_decided_to_give_or_the_person_asks_themselves_keeps_nobody_from_being_erased(town: Town) -> None:
    first, second = town.people[3:5]
    for each in (first, second):
        asks(town, *customers(each), right=Right.ACCESS)
    assert find_needed(town.house, ENERGY, brussels_today()), "control: retention waits for it"
    case = town.agree(file_of(town, first))
    assert run(town.house, case.case_id, now()).undecided == 0
    restricted(town, second)
    own = town.agree(asks(town, *customers(second)))
    assert run(town.house, own.case_id, now()).undecided == 0
    assert here(town, first, second) == [False, False]


def test_where_everybody_needs_their_data_nothing_is_planned_and_the_principal_is_told(town: Town) -> None:
    first, before, known = town.people[5], told(town), store.list_cases(town.house.conn)
    restricted(town, first)
    with pytest.raises(EverybodyNeeded):
        town.agree(file_of(town, first))

    assert here(town, first) == [True] and len(told(town)) == len(before) + 1
    end_restriction(town)
    new = {each.case_id for each in store.list_cases(town.house.conn)} - {each.case_id for each in known}
    [case] = [case for case_id in new if (case := store.get_case(town.house.conn, case_id)).right is Right.ERASURE]
    let_go(town, case)
    run(town.house, case.case_id, now())
    assert here(town, first) == [False]


def test_who_restricts_after_the_release_ends_the_plan_and_stops_nobody_elses_erasure(town: Town) -> None:
    first, second, third = town.people[6:9]
    case = town.agree(file_of(town, first, second))
    restricted(town, first)
    with pytest.raises(PlanOutdated):
        run(town.house, case.case_id, now())

    assert here(town, first, second) == [True, True] and ended_without_error(town, case)
    assert begin(town.house, town.agree(asks(town, *customers(third))).case_id, now()), "nobody waits for somebody's"
    let_go(town, case)
    run(town.house, case.case_id, now())
    assert here(town, first, second) == [True, False]


def test_who_came_with_the_telephone_since_the_release_stops_nobody_elses_erasure(town: Town) -> None:
    first, second, third = town.people[9:12]
    case = town.agree(asks(town, (PHONE, first.phone)))
    town.arrive(ENERGY, [second.under_phone_of(first)], "later.csv")
    with pytest.raises(SeveralCustomers):
        run(town.house, case.case_id, now())

    assert ended_without_error(town, case)
    assert not due(town, case), "its plan has ended"
    assert begin(town.house, town.agree(asks(town, *customers(third))).case_id, now())


A, B, P, Q = (CUSTOMER, "a"), (CUSTOMER, "b"), (PHONE, "p"), (PHONE, "q")
RESTRICTED, OWED = Needed(Need.RESTRICTION, "run"), Needed(Need.ANSWER, "case")


def test_who_is_named_by_a_row_of_who_needs_something_needs_it_too() -> None:
    rows = [frozenset({A, P}), frozenset({B, Q})]

    assert needs_of(rows, {}) == {}
    assert needs_of(rows, {RESTRICTED: frozenset({"p"})}) == {"a": {RESTRICTED}, "p": {RESTRICTED}}
    assert needs_of(rows, {RESTRICTED: frozenset({"a"}), OWED: frozenset({"b"})}) == {
        "a": {RESTRICTED}, "p": {RESTRICTED}, "b": {OWED}, "q": {OWED},
    }  # fmt: skip
