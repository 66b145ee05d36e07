"""Who asks to be erased, and then to have it kept and not used: restricted data is only stored (GDPR Art. 18(2))."""

import pytest

from rights.instructing import accept, current, instruct, of_principal, swept
from rights.town import DESK, SHA, Person, Town, let_go, now, town_fixture
from sluice.exchange.persons.suppressed_store import find_runs
from sluice.rights.case.desk_store import count_ours, find_restricted
from sluice.rights.case.model import Action, Case, Order, Right, Track
from sluice.rights.case.next_step import NextStep
from sluice.rights.case.owed import find_owed
from sluice.rights.case.steps import withdraw
from sluice.rights.case.store import CaseFilter, get_case, list_cases
from sluice.rights.copies.where import where
from sluice.rights.erasure.control import status, take_up
from sluice.rights.erasure.control_store import begin_run, end_run, find_run
from sluice.rights.erasure.erase import begin, begin_if_due, erase_copies, finish, prove, run
from sluice.rights.erasure.model import AnotherInError, RunEnd
from sluice.rights.erasure.restricted import RestrictedSince
from sluice.rights.person.identifiers import Identifier
from sluice.subject.suppression import Suppression
from sluice.terms import Principal, SubjectKind

ENERGY, GAS = Principal("energy01"), Principal("gas01")


def planted(town: Town) -> None:
    """All are customers of energy01, the last three of both."""
    town.arrive(ENERGY, town.people)
    town.arrive(GAS, town.people[-3:])


town = town_fixture([ENERGY, GAS], 14, planted)


def restricted(town: Town, person: Person) -> Case:
    case = swept(town, town.decided(person, Right.RESTRICTION, Action.RESTRICT))
    runs = find_runs(town.house.conn, ENERGY, in_force=True, case_id=case.case_id)
    assert Suppression.RESTRICTED in {each.reason for each in runs}, "control: it is in force"
    return case


def restricted_at(town: Town, person: Person, principal: Principal) -> Case:
    case = town.opened(Right.RESTRICTION, [(SubjectKind.PHONE, person.phone)], principal)
    return swept(town, town.agree(case, Action.RESTRICT))


def take_back(town: Town, *cases: Case) -> None:
    for case in cases:
        withdraw(town.house.conn, case.case_id, Order(DESK, now(), "SUBJECT_ASKED", SHA))
    swept(town, cases[0])


def is_in_lake(town: Town, person: Person, principal: Principal = ENERGY) -> bool:
    found = where(town.house, [Identifier(SubjectKind.PHONE, person.phone)], [principal])
    return "lake" in {each.store for each in found}


def due(town: Town, *cases: Case) -> list[bool]:
    taken = take_up(town.house, "airflow", now())
    return [case.case_id in taken for case in cases]


def noted(town: Town, case: Case) -> tuple[str | None, bool]:
    """The error that the desk sees, and whether others wait for it."""
    found = find_run(town.house.conn, case.case_id)
    assert found is not None
    return found.error, found.is_in_error


def steps_of(town: Town, case: Case) -> list[NextStep]:
    """What `case show` says comes next; Today lists the case exactly where that is ours."""
    conn = town.house.conn
    found = [each.step for each in find_owed(conn, get_case(conn, case.case_id))]
    ours = {each.case_id for each in list_cases(conn, CaseFilter(only_ours=True))}
    assert (case.case_id in ours) is any(step.is_ours for step in found)
    assert len(ours) == count_ours(conn)
    return found


def fail_another(town: Town, person: Person) -> Case:
    """The erasure of somebody else ends in error."""
    case = town.decided(person)
    begin_run(town.house.conn, case.case_id)
    end_run(town.house.conn, case.case_id, RunEnd.FAILED, "SLU-303")
    return case


def test_an_erasure_waits_for_what_was_restricted_or_asked_to_be_since_it_was_decided(town: Town) -> None:
    """What the person asked to keep is not destroyed while somebody thinks about it (GDPR Art. 18(1)(b), (c))."""
    first, _, before, asking, both = town.people[:5]
    earlier, sooner = restricted(town, before), town.ask(both, Right.RESTRICTION)
    waits, goes, later, asked, known = (town.decided(person) for person in town.people[:5])
    assert due(town, waits, goes) == [True, True] and NextStep.ASK_PERSON not in steps_of(town, waits)
    restriction, request = restricted(town, first), town.ask(asking, Right.RESTRICTION)

    assert begin_if_due(town.house, waits.case_id, now()) is None, "it is told, and fails no task"
    assert begin_if_due(town.house, goes.case_id, now()), "the control"
    assert noted(town, waits) == ("SLU-569", False)
    assert due(town, waits, asked, goes, later, known) == [False, False, True, True, True], (
        "controls: of somebody else; restricted, or asked to be, before the decision"
    )
    for each in (waits, asked):
        with pytest.raises(RestrictedSince):
            run(town.house, each.case_id, now())
        assert noted(town, each) == ("SLU-569", False) and NextStep.ASK_PERSON in steps_of(town, each)
    assert waits.case_id in {each.case_id for each in status(town.house.conn).cases}
    assert NextStep.ASK_PERSON not in steps_of(town, goes), "control: of somebody else"
    assert list(find_restricted(town.house.conn, [waits.case_id, goes.case_id])) == [waits.case_id]
    assert is_in_lake(town, first), "it is stored"

    still = restricted(town, asking)
    take_back(town, restriction, earlier)
    assert due(town, waits, asked) == [True, False]
    assert NextStep.ASK_PERSON not in steps_of(town, waits), "although a restriction of somebody else holds there"
    assert NextStep.ASK_PERSON in steps_of(town, asked) and noted(town, waits) == (None, False)
    take_back(town, request, still, sooner)
    assert run(town.house, waits.case_id, now()).residual == 0
    assert not is_in_lake(town, first)


def test_what_never_began_waits_for_one_in_error_too_and_one_in_error_keeps_saying_so(town: Town) -> None:
    person, other = town.people[5:7]
    waits, restriction = town.decided(person), restricted(town, person)
    assert due(town, waits) == [False]
    erring = fail_another(town, other)
    take_back(town, restriction)
    with pytest.raises(AnotherInError):
        run(town.house, waits.case_id, now())
    held = restricted(town, other)
    assert due(town, erring) == [False] and noted(town, erring) == ("SLU-303", True), "although it waits as well"
    take_back(town, held, erring)
    assert begin(town.house, waits.case_id, now())


def test_where_a_restriction_ends_during_the_run_nothing_goes_before_the_next_one_keeps_the_person_out(
    town: Town,
) -> None:
    """What was erased of a person whom nothing keeps out would come back with the next file."""
    person, house = town.people[-1], town.house
    case, restriction = town.decided(person), restricted_at(town, person, GAS)
    assert due(town, case) == due(town, case) == [True], "at the other principal it is"
    assert NextStep.ASK_PERSON in steps_of(town, case)
    assert find_restricted(house.conn, [case.case_id]) == {case.case_id: {GAS}}
    erase_copies(house, case.case_id, begin(house, case.case_id, now()))
    take_back(town, restriction)

    finish(house, case.case_id, now())
    report = prove(house, case.case_id, now())

    assert (report.residual, report.to_release, report.principals) == (0, 1, (ENERGY,))
    assert (is_in_lake(town, person), is_in_lake(town, person, GAS)) == (False, True)
    assert run(house, case.case_id, now()).residual == 0, "the next run begins there too"
    assert not is_in_lake(town, person, GAS)
    erased = [each for each in find_runs(house.conn, GAS, in_force=True) if each.reason is Suppression.ERASED]
    assert case.case_id in {each.case_id for each in erased}


def test_a_later_decision_waits_where_it_is_restricted_although_a_run_of_an_earlier_one_began(town: Town) -> None:
    person, house = town.people[-2], town.house
    given = [(SubjectKind.PHONE, person.phone)]
    given += [(SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record(name)) for name in (ENERGY, GAS)]
    case = town.opened(Right.ERASURE, given)
    accept(town, case, Action.ERASE)
    let_go(town, case)
    assert run(house, case.case_id, now()).undecided, "the principals have not decided yet"
    parts = {each.principal: each for each in current(town, case).sub_cases if each.track is Track.PROCESSOR}
    assert instruct(town, parts[ENERGY], decision="erase") == "INSTRUCTED"
    restriction = restricted_at(town, person, ENERGY)
    let_go(town, case)
    before = find_run(house.conn, case.case_id)
    assert due(town, case) == due(town, case) == [False]
    after = find_run(house.conn, case.case_id)
    assert before and after and (after.error, after.outcome) == ("SLU-569", RunEnd.OUTDATED), "the desk sees why"
    assert (after.begun_at, after.decided) == (before.begun_at, before.decided)
    assert is_in_lake(town, person)
    assert NextStep.ASK_PERSON in steps_of(town, case)

    assert instruct(town, parts[GAS], decision="erase") == "INSTRUCTED"
    let_go(town, case)
    assert due(town, case) == [True]
    run(house, case.case_id, now())
    assert not is_in_lake(town, person, GAS)
    assert is_in_lake(town, person), "restricted there before this run began"
    erring = fail_another(town, town.people[7])
    take_back(town, restriction)
    assert due(town, case) == [True], "it has begun, so it does not wait for one in error"
    run(house, case.case_id, now())
    assert not is_in_lake(town, person), "the control"
    take_back(town, erring)


def test_a_run_that_a_later_decision_makes_wait_is_in_no_error_and_holds_up_nobody(town: Town) -> None:
    person = town.people[8]
    given = [(SubjectKind.PHONE, person.phone), (SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record(ENERGY))]
    case = town.opened(Right.ERASURE, given, ENERGY)
    accept(town, case, Action.ERASE)
    let_go(town, case)
    names = begin(town.house, case.case_id, now())
    town.ask(person, Right.RESTRICTION)
    assert instruct(town, of_principal(current(town, case)), decision="erase") == "INSTRUCTED"

    with pytest.raises(RestrictedSince):
        erase_copies(town.house, case.case_id, names)

    assert noted(town, case) == ("SLU-569", False)
    with pytest.raises(RestrictedSince):
        run(town.house, case.case_id, now())
    assert due(town, case) == [False] and NextStep.ASK_PERSON in steps_of(town, case)
