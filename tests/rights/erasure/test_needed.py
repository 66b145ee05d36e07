"""A principal's file erases nobody who still needs their data: restricted by them, or owed to them as an answer."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from answers.giving import WE_GIVE, give, read
from rights.erasure.test_household import CUSTOMER, PHONE, asks, customers, instructed, lake, now, records, sharing
from rights.town import DESK, SHA, Person, Town, open_town, papers_of
from sluice.exchange.persons.suppressed import find_suppressed, lift
from sluice.rights.case import store
from sluice.rights.case.model import Action, Case, Order, Right, State
from sluice.rights.case.steps import withdraw
from sluice.rights.copies.needed import find_needed
from sluice.rights.copies.needed_model import Need, Needed
from sluice.rights.copies.needed_store import find_restricted
from sluice.rights.copies.own_rows import SeveralCustomers, needs_of
from sluice.rights.erasure.certificate import NotProven, issue
from sluice.rights.erasure.control import take_up
from sluice.rights.erasure.control_store import find_plans, find_run
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.model import DecidedThen, EverybodyNeeded, PlanOutdated, RunEnd
from sluice.rights.erasure.plan import read_plan
from sluice.rights.erasure.release import draft, release
from sluice.rights.schedule import follow, sweep
from sluice.settings import Settings
from sluice.terms import Principal
from sluice.times import brussels_today
from support.copies import Copies

stores = pytest.mark.stores
ENERGY = Principal("energy01")


def planted(settings: Settings, folder: Path) -> None:
    with open_town(papers_of(settings, folder, [ENERGY], WE_GIVE), folder, [ENERGY], 5) as opened:
        opened.arrive(ENERGY, opened.people)


@pytest.fixture
def town(copies: Copies, tmp_path: Path) -> Iterator[Town]:
    with copies.of(planted, tmp_path) as settings, open_town(settings, tmp_path, [ENERGY], 5) as opened:
        yield opened


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


def as_noted_before_0051(town: Town, decided: Mapping[Principal, DecidedThen]) -> None:
    """Put what the run noted as one text per principal, as it was noted once."""
    [then] = decided.values()
    assert len(then.causes) > 1, "the control: there is something to separate"
    text = json.dumps({ENERGY: f"{then.decision} ! {' '.join(sorted(then.causes))}"})
    town.house.conn.execute("update erasure_run set decided = %s::jsonb", (text,))


@stores
def test_who_restricted_and_who_is_owed_an_answer_stay_until_that_has_ended(town: Town) -> None:
    first, second, third, *others = town.people
    restriction = restricted(town, first)
    access = owed(town, second)
    case = town.agree(file_of(town, first, second, third))

    assert waits(town, case) == [(("answer", 1), ("restriction", 1))], "the second person reads it before releasing"
    [plan] = find_plans(town.house.conn, case.case_id)
    assert read_plan(plan.plan.content) == plan.plan
    told = [json.loads(each) for name, each in town.notices(ENERGY).items() if name.startswith("erasure-waits-")]
    assert [each["persons"] for each in told] == [{"answer": 1, "restriction": 1}]
    report = run(town.house, case.case_id, now())

    assert (report.residual, report.doubts, report.waiting, report.undecided) == (0, 0, 0, 2)
    assert lake(town) == records([first, second, *others]), "the rest of the file is erased"
    said = find_run(town.house.conn, case.case_id)
    assert said is not None and said.outcome is RunEnd.UNDECIDED and not said.is_in_error
    with pytest.raises(NotProven):
        issue(town.house, case.case_id)
    assert take_up(town.house, "airflow", now()) == [], "nothing has ended: it is not due"
    as_noted_before_0051(town, said.decided)
    assert find_run(town.house.conn, case.case_id) == said
    assert take_up(town.house, "airflow", now()) == [], "what an older run noted says the same"

    package = read(town.house, give(town.house, access.case_id))
    assert second.record(ENERGY) in package.text, "what was owed is there"
    over(town, access)
    assert take_up(town.house, "airflow", now()) == [], "it was released without them: a second person looks again"
    assert waits(town, case) == [(("restriction", 1),)]
    release(town.house, case.case_id, "bert", now())
    assert take_up(town.house, "airflow", now()) == [case.case_id]
    assert run(town.house, case.case_id, now()).undecided == 1
    assert lake(town) == records([first, *others])

    end_restriction(town)
    over(town, restriction)
    take_up(town.house, "airflow", now())
    release(town.house, case.case_id, "bert", now())
    assert take_up(town.house, "airflow", now()) == [case.case_id]
    last = run(town.house, case.case_id, now())

    assert (last.residual, last.doubts, last.undecided) == (0, 0, 0)
    assert lake(town) == records(others) and issue(town.house, case.case_id)
    assert State.EXECUTED in states(town, case) and take_up(town.house, "airflow", now()) == []
    out = find_suppressed(town.house, ENERGY)
    assert out is not None and out.filter(out["reason"] == "erased").height == 3


@stores
def test_what_nobody_decided_to_give_keeps_nobody_from_being_erased(town: Town) -> None:
    first, second, *others = town.people
    for each in (first, second):
        asks(town, *customers(each), right=Right.ACCESS)
    assert find_needed(town.house, ENERGY, brussels_today()), "control: retention waits for it"

    case = town.agree(file_of(town, first))
    assert run(town.house, case.case_id, now()).undecided == 0
    own = town.agree(asks(town, *customers(second)))
    assert run(town.house, own.case_id, now()).undecided == 0

    assert lake(town) == records(others)


@stores
def test_where_everybody_needs_their_data_nothing_is_planned_and_the_principal_is_told(town: Town) -> None:
    first, *others = town.people
    restricted(town, first)

    with pytest.raises(EverybodyNeeded):
        town.agree(file_of(town, first))

    assert lake(town) == records(town.people)
    assert any(name.startswith("erasure-waits-") for name in town.notices(ENERGY))
    end_restriction(town)
    [case] = [each for each in store.list_cases(town.house.conn) if each.right is Right.ERASURE]
    draft(town.house, case.case_id, "airflow", now())
    release(town.house, case.case_id, "bert", now())
    run(town.house, case.case_id, now())
    assert lake(town) == records(others)


@stores
def test_who_restricts_after_the_release_ends_the_plan(town: Town) -> None:
    first, second, *others = town.people
    case = town.agree(file_of(town, first, second))
    restricted(town, first)

    with pytest.raises(PlanOutdated):
        run(town.house, case.case_id, now())

    assert lake(town) == records(town.people)
    draft(town.house, case.case_id, "airflow", now())
    release(town.house, case.case_id, "bert", now())
    run(town.house, case.case_id, now())
    assert lake(town) == records([first, *others])


@stores
def test_a_request_of_the_person_themselves_waits_for_nothing(town: Town) -> None:
    first, *others = town.people
    restricted(town, first)

    run(town.house, town.agree(asks(town, *customers(first))).case_id, now())

    assert lake(town) == records(others)


A, B, P, Q = (CUSTOMER, "a"), (CUSTOMER, "b"), (PHONE, "p"), (PHONE, "q")
RESTRICTED, OWED = Needed(Need.RESTRICTION, "run"), Needed(Need.ANSWER, "case")


def test_who_is_named_by_a_row_of_who_needs_something_needs_it_too() -> None:
    rows = [frozenset({A, P}), frozenset({B, Q})]

    assert needs_of(rows, {}) == {}
    assert needs_of(rows, {RESTRICTED: frozenset({"p"})}) == {"a": {RESTRICTED}, "p": {RESTRICTED}}
    assert needs_of(rows, {RESTRICTED: frozenset({"a"}), OWED: frozenset({"b"})}) == {
        "a": {RESTRICTED}, "p": {RESTRICTED}, "b": {OWED}, "q": {OWED},
    }  # fmt: skip


def test_who_needs_their_data_since_the_release_stops_nobody_elses_erasure(town: Town) -> None:
    first, second, *_ = town.people
    case = town.agree(file_of(town, first))
    restricted(town, first)

    with pytest.raises(PlanOutdated):
        run(town.house, case.case_id, now())

    ended = find_run(town.house.conn, case.case_id)
    assert ended is not None and (ended.outcome, ended.is_in_error) == ("outdated", False)
    assert first.record(ENERGY) in lake(town)
    other = town.agree(asks(town, *customers(second)))
    assert run(town.house, other.case_id, now()).residual == 0, "nobody waits for somebody's restriction"


def test_who_came_with_the_telephone_since_the_release_stops_nobody_elses_erasure(town: Town) -> None:
    first, second, third, *_ = town.people
    case = town.agree(asks(town, (PHONE, first.phone)))
    town.arrive(ENERGY, [sharing(second, first)], "later.csv")

    with pytest.raises(SeveralCustomers):
        run(town.house, case.case_id, now())

    ended = find_run(town.house.conn, case.case_id)
    assert ended is not None and (ended.outcome, ended.is_in_error) == ("outdated", False)
    assert case.case_id not in take_up(town.house, "airflow", now()), "its plan has ended"
    other = town.agree(asks(town, *customers(third)))
    assert run(town.house, other.case_id, now()).residual == 0
