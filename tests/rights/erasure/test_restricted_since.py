"""Who asks to be erased, and then to have it kept and not used: restricted data is only stored (GDPR Art. 18(2))."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rights.instructing import accept, current, instruct, of_principal, swept
from rights.town import DESK, SHA, Person, Town, open_town, papers_of
from sluice.exchange.house import House
from sluice.exchange.persons.suppressed_store import find_runs
from sluice.rights.case.desk_store import count_ours, find_restricted
from sluice.rights.case.model import Action, Case, CaseId, Order, Right, Track
from sluice.rights.case.next_step import NextStep
from sluice.rights.case.owed import find_owed
from sluice.rights.case.steps import withdraw
from sluice.rights.case.store import CaseFilter, get_case, list_cases
from sluice.rights.copies.where import where
from sluice.rights.erasure.control import status, take_up
from sluice.rights.erasure.control_store import begin_run, end_run, find_run
from sluice.rights.erasure.erase import begin, begin_if_due, erase_copies, finish, prove, run
from sluice.rights.erasure.model import AnotherInError, RunEnd
from sluice.rights.erasure.release import draft, release
from sluice.rights.erasure.restricted import RestrictedSince
from sluice.rights.person.identifiers import Identifier
from sluice.settings import Settings
from sluice.subject.suppression import Suppression
from sluice.terms import Principal, SubjectKind

pytestmark = pytest.mark.stores
ENERGY, GAS = Principal("energy01"), Principal("gas01")


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    with open_town(papers_of(store_settings, tmp_path, [ENERGY]), tmp_path, [ENERGY], 3) as opened:
        opened.arrive(ENERGY, opened.people)
        yield opened


@pytest.fixture
def both(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    """The same persons at two principals."""
    with open_town(papers_of(store_settings, tmp_path, [ENERGY, GAS]), tmp_path, [ENERGY, GAS], 3) as opened:
        opened.arrive(ENERGY, opened.people)
        opened.arrive(GAS, opened.people)
        yield opened


def now() -> datetime:
    return datetime.now(UTC)


def restricted(town: Town, person: Person) -> Case:
    case = swept(town, town.decided(person, Right.RESTRICTION, Action.RESTRICT))
    runs = find_runs(town.house.conn, ENERGY, in_force=True, case_id=case.case_id)
    assert Suppression.RESTRICTED in {each.reason for each in runs}, "control: it is in force"
    return case


def is_in_lake(town: Town, person: Person, principal: Principal = ENERGY) -> bool:
    found = where(town.house, [Identifier(SubjectKind.PHONE, person.phone)], [principal])
    return "lake" in {each.store for each in found}


def test_an_erasure_waits_for_what_was_restricted_since_it_was_decided(town: Town) -> None:
    first, other, before = town.people
    earlier = restricted(town, before)
    waits, goes, later = (town.decided(person) for person in (first, other, before))
    restriction = restricted(town, first)

    due = take_up(town.house, "airflow", now())

    assert set(due) == {goes.case_id, later.case_id}, "controls: of somebody else, and restricted before the decision"
    with pytest.raises(RestrictedSince):
        run(town.house, waits.case_id, now())
    noted = find_run(town.house.conn, waits.case_id)
    assert noted is not None and (noted.error, noted.is_in_error) == ("SLU-569", False), "the desk sees why"
    assert waits.case_id in {each.case_id for each in status(town.house.conn).cases}
    assert is_in_lake(town, first), "it is stored"

    for case in (restriction, earlier):
        withdraw(town.house.conn, case.case_id, Order(DESK, now(), "SUBJECT_ASKED", SHA))
    swept(town, restriction)
    assert waits.case_id in take_up(town.house, "airflow", now())
    assert run(town.house, waits.case_id, now()).residual == 0
    assert not is_in_lake(town, first)


def let_go(house: House, case_id: CaseId) -> None:
    draft(house, case_id, "airflow", now())
    release(house, case_id, "bert", now())


def restricted_at(town: Town, person: Person, principal: Principal) -> Case:
    case = town.opened(Right.RESTRICTION, [(SubjectKind.PHONE, person.phone)], principal)
    return swept(town, town.agree(case, Action.RESTRICT))


def test_where_a_restriction_ends_during_the_run_nothing_goes_before_the_next_one_keeps_the_person_out(
    both: Town,
) -> None:
    """What was erased of a person whom nothing keeps out would come back with the next file."""
    person, house = both.people[0], both.house
    case = both.decided(person)
    restriction = restricted_at(both, person, GAS)
    erase_copies(house, case.case_id, begin(house, case.case_id, now()))
    withdraw(house.conn, restriction.case_id, Order(DESK, now(), "SUBJECT_ASKED", SHA))
    swept(both, restriction)

    finish(house, case.case_id, now())
    report = prove(house, case.case_id, now())

    assert (report.residual, report.to_release, report.principals) == (0, 1, (ENERGY,))
    assert (is_in_lake(both, person), is_in_lake(both, person, GAS)) == (False, True)
    assert run(house, case.case_id, now()).residual == 0, "the next run begins there too"
    assert not is_in_lake(both, person, GAS)
    erased = [each for each in find_runs(house.conn, GAS, in_force=True) if each.reason is Suppression.ERASED]
    assert [each.case_id for each in erased] == [case.case_id]


def steps_of(town: Town, case: Case) -> list[NextStep]:
    """What `case show` says comes next; Today lists the case exactly where that is ours."""
    conn = town.house.conn
    found = [each.step for each in find_owed(conn, get_case(conn, case.case_id))]
    ours = {each.case_id for each in list_cases(conn, CaseFilter(only_ours=True))}
    assert (case.case_id in ours) is any(step.is_ours for step in found)
    assert len(ours) == count_ours(conn)
    return found


def test_what_comes_next_is_to_ask_the_person_as_long_as_the_restriction_holds(town: Town) -> None:
    first, other, _ = town.people
    waits, goes = town.decided(first), town.decided(other)
    assert NextStep.ASK_PERSON not in steps_of(town, waits)
    restriction = restricted(town, first)
    take_up(town.house, "airflow", now())

    assert NextStep.ASK_PERSON in steps_of(town, waits)
    assert NextStep.ASK_PERSON not in steps_of(town, goes), "control: of somebody else"
    assert list(find_restricted(town.house.conn, [waits.case_id, goes.case_id])) == [waits.case_id]

    restricted(town, other)
    withdraw(town.house.conn, restriction.case_id, Order(DESK, now(), "SUBJECT_ASKED", SHA))
    swept(town, restriction)
    take_up(town.house, "airflow", now())
    assert NextStep.ASK_PERSON not in steps_of(town, waits), "although a restriction of somebody else holds there"
    assert NextStep.ASK_PERSON in steps_of(town, goes)
    noted = find_run(town.house.conn, waits.case_id)
    assert noted is not None and (noted.error, noted.is_in_error) == (None, False)


def test_a_later_decision_waits_although_a_run_of_an_earlier_one_began(town: Town) -> None:
    person = town.people[0]
    given = [(SubjectKind.PHONE, person.phone), (SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record(ENERGY))]
    case = town.opened(Right.ERASURE, given, ENERGY)
    accept(town, case, Action.ERASE)
    let_go(town.house, case.case_id)
    assert run(town.house, case.case_id, now()).undecided, "the principal has not decided yet"
    assert instruct(town, of_principal(current(town, case)), decision="erase") == "INSTRUCTED"
    restriction = restricted_at(town, person, ENERGY)

    let_go(town.house, case.case_id)
    before = find_run(town.house.conn, case.case_id)
    assert take_up(town.house, "airflow", now()) == take_up(town.house, "airflow", now()) == []
    noted = find_run(town.house.conn, case.case_id)
    assert before and noted and (noted.error, noted.outcome) == ("SLU-569", RunEnd.OUTDATED), "the desk sees why"
    assert (noted.begun_at, noted.decided) == (before.begun_at, before.decided)
    with pytest.raises(RestrictedSince):
        run(town.house, case.case_id, now())
    assert is_in_lake(town, person)
    take_up(town.house, "airflow", now())
    assert NextStep.ASK_PERSON in steps_of(town, case)

    fail_another(town)
    withdraw(town.house.conn, restriction.case_id, Order(DESK, now(), "SUBJECT_ASKED", SHA))
    swept(town, restriction)
    assert case.case_id in take_up(town.house, "airflow", now()), "it has begun, so it does not wait for one in error"
    run(town.house, case.case_id, now())
    assert not is_in_lake(town, person), "the control: nothing else held it up"


def test_a_run_at_one_principal_lets_nothing_go_that_waits_at_another(both: Town) -> None:
    person, house = both.people[0], both.house
    given = [(SubjectKind.PHONE, person.phone)]
    given += [(SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record(name)) for name in (ENERGY, GAS)]
    case = both.opened(Right.ERASURE, given)
    accept(both, case, Action.ERASE)
    let_go(house, case.case_id)
    run(house, case.case_id, now())
    parts = {each.principal: each for each in current(both, case).sub_cases if each.track is Track.PROCESSOR}
    assert instruct(both, parts[ENERGY], decision="erase") == "INSTRUCTED"
    restriction = restricted_at(both, person, ENERGY)
    let_go(house, case.case_id)
    assert take_up(house, "airflow", now()) == []
    assert instruct(both, parts[GAS], decision="erase") == "INSTRUCTED"
    let_go(house, case.case_id)
    assert take_up(house, "airflow", now()) == [case.case_id]

    run(house, case.case_id, now())

    assert not is_in_lake(both, person, GAS)
    assert is_in_lake(both, person), "restricted there before this run began"
    withdraw(house.conn, restriction.case_id, Order(DESK, now(), "SUBJECT_ASKED", SHA))
    swept(both, restriction)
    assert take_up(house, "airflow", now()) == [case.case_id]
    run(house, case.case_id, now())
    assert not is_in_lake(both, person), "the control"


def fail_another(town: Town) -> CaseId:
    """The erasure of somebody else ends in error."""
    case_id = town.decided(town.people[1]).case_id
    begin_run(town.house.conn, case_id)
    end_run(town.house.conn, case_id, RunEnd.FAILED, "SLU-303")
    return case_id


def test_a_restriction_that_comes_after_the_case_was_taken_up_is_told_and_fails_no_task(town: Town) -> None:
    first, other, _ = town.people
    waits, goes = town.decided(first), town.decided(other)
    assert set(take_up(town.house, "airflow", now())) == {waits.case_id, goes.case_id}
    restriction = restricted(town, first)

    assert begin_if_due(town.house, waits.case_id, now()) is None
    assert begin_if_due(town.house, goes.case_id, now()), "the control"

    noted = find_run(town.house.conn, waits.case_id)
    assert noted is not None and (noted.error, noted.is_in_error) == ("SLU-569", False)
    withdraw(town.house.conn, restriction.case_id, Order(DESK, now(), "SUBJECT_ASKED", SHA))
    swept(town, restriction)
    assert waits.case_id in take_up(town.house, "airflow", now())
    assert begin_if_due(town.house, waits.case_id, now())


def test_what_waits_for_a_restriction_and_never_began_waits_for_one_in_error_too(town: Town) -> None:
    waits = town.decided(town.people[0])
    restriction = restricted(town, town.people[0])
    assert take_up(town.house, "airflow", now()) == []
    erring = fail_another(town)
    withdraw(town.house.conn, restriction.case_id, Order(DESK, now(), "SUBJECT_ASKED", SHA))
    swept(town, restriction)

    with pytest.raises(AnotherInError):
        run(town.house, waits.case_id, now())
    end_run(town.house.conn, erring, RunEnd.STOPPED)
    assert run(town.house, waits.case_id, now()).residual == 0


def test_an_erasure_in_error_keeps_saying_so_although_it_waits_for_a_restriction(town: Town) -> None:
    case = town.decided(town.people[0])
    begin_run(town.house.conn, case.case_id)
    end_run(town.house.conn, case.case_id, RunEnd.FAILED, "SLU-303")
    restricted(town, town.people[0])

    assert take_up(town.house, "airflow", now()) == []

    noted = find_run(town.house.conn, case.case_id)
    assert noted is not None and (noted.error, noted.is_in_error) == ("SLU-303", True)


def test_an_erasure_waits_for_a_restriction_that_its_person_asked_for_since_until_it_is_decided(town: Town) -> None:
    """What the person asked to keep is not destroyed while somebody thinks about it (GDPR Art. 18(1)(b), (c))."""
    first, other, both = town.people
    waits, goes = town.decided(first), town.decided(other)
    town.ask(both, Right.RESTRICTION)
    known = town.decided(both)
    asked = town.ask(first, Right.RESTRICTION)

    assert set(take_up(town.house, "airflow", now())) == {goes.case_id, known.case_id}, "asked for before: both decided"
    with pytest.raises(RestrictedSince):
        run(town.house, waits.case_id, now())
    noted = find_run(town.house.conn, waits.case_id)
    assert noted is not None and noted.error == "SLU-569"
    assert NextStep.ASK_PERSON in steps_of(town, waits)

    withdraw(town.house.conn, asked.case_id, Order(DESK, now(), "SUBJECT_ASKED", SHA))
    swept(town, asked)
    assert waits.case_id in take_up(town.house, "airflow", now())
    assert run(town.house, waits.case_id, now()).residual == 0


def test_what_waits_at_one_principal_is_told_while_the_erasure_is_due_at_another(both: Town) -> None:
    person = both.people[0]
    case = both.decided(person)
    restricted_at(both, person, GAS)

    assert take_up(both.house, "airflow", now()) == take_up(both.house, "airflow", now()) == [case.case_id]

    assert NextStep.ASK_PERSON in steps_of(both, case)
    assert find_restricted(both.house.conn, [case.case_id]) == {case.case_id: {GAS}}


def test_a_run_that_a_later_decision_makes_wait_is_in_no_error_and_holds_up_nobody(town: Town) -> None:
    person = town.people[0]
    given = [(SubjectKind.PHONE, person.phone), (SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record(ENERGY))]
    case = town.opened(Right.ERASURE, given, ENERGY)
    accept(town, case, Action.ERASE)
    let_go(town.house, case.case_id)
    names = begin(town.house, case.case_id, now())
    town.ask(person, Right.RESTRICTION)
    assert instruct(town, of_principal(current(town, case)), decision="erase") == "INSTRUCTED"

    with pytest.raises(RestrictedSince):
        erase_copies(town.house, case.case_id, names)

    noted = find_run(town.house.conn, case.case_id)
    assert noted is not None and (noted.error, noted.is_in_error) == ("SLU-569", False)
