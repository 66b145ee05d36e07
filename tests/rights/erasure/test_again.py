"""When an erasure is due again, and what others decide, say or do while it runs."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from rights.erasure.test_parts import (
    ENERGY,
    GAS,
    LEGAL,
    SHA,
    centers,
    instructed,
    let_go,
    now,
    outcome,
    planted,
    refusal,
    state,
)
from rights.town import DESK, Town, open_town
from sluice.exchange.drain import drain_all
from sluice.exchange.house import House, open_house
from sluice.rights.case import store
from sluice.rights.case.errors import TransitionRefused
from sluice.rights.case.model import Action, Case, LetterKind, Order, State
from sluice.rights.case.reasons import iri
from sluice.rights.case.steps import decide, extend
from sluice.rights.copies import in_flight_store
from sluice.rights.erasure import scan
from sluice.rights.erasure.control import status, take_up
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.release import draft, release
from sluice.rights.erasure.scan_store import find_proven
from sluice.rights.letters.write import write_letter
from sluice.rights.read_instructions import read_instruction
from sluice.rights.schedule import follow, sweep
from sluice.terms import ExchangeId, Principal
from support.copies import Copies
from support.desk import ENERGY as ARRIVALS

pytestmark = pytest.mark.stores


@pytest.fixture
def town(copies: Copies, tmp_path: Path) -> Iterator[Town]:
    with copies.of(planted, tmp_path) as settings, open_town(settings, tmp_path, [ENERGY, GAS], 4) as opened:
        yield opened


def accepted() -> Order:
    return Order(DESK, now(), "ACCEPTED", SHA, action=Action.ERASE)


def told(town: Town, case: Case, word: str, at: timedelta = timedelta(), **more: str) -> None:
    """What each principal that has to decide says, as of a moment."""
    for part in case.sub_cases:
        if part.state is State.AWAITING_INSTRUCTION:
            said = {"case": part.sub_case_id, "decision": word, **more}
            key = f"{part.principal}/requests/instruction-{part.sub_case_id}.json"
            bucket = town.desk.settings.bucket_exchange
            stored = town.house.objects.put(bucket, key, json.dumps(said).encode(), "text/json")
            read_instruction(town.house, Principal(part.principal), stored, now() + at)


def test_a_decision_whose_clock_is_behind_is_carried_out_all_the_same(town: Town) -> None:
    case = town.ask(town.people[0])
    centers(town, case, State.ACCEPTED, accepted())
    let_go(town, case)
    run(town.house, case.case_id, now())
    assert outcome(town, case) == "undecided" and take_up(town.house, "airflow", now()) == []

    told(town, case, "erase", -timedelta(hours=1))  # a sweep that began before the run did, or another clock
    let_go(town, case)

    assert take_up(town.house, "airflow", now()) == [case.case_id]


def test_what_waits_for_its_release_elsewhere_makes_nothing_due_again(town: Town) -> None:
    case = town.ask(town.people[2])
    instructed(town, case)
    ours = [each.sub_case_id for each in case.sub_cases if (each.controller, each.principal) == ("center", GAS)]
    decide(town.house.conn, case.case_id, State.ACCEPTED, accepted(), ours)
    draft(town.house, case.case_id, "airflow", now())
    release(town.house, case.case_id, "bert", now(), principal=ENERGY)
    run(town.house, case.case_id, now())
    assert outcome(town, case) == "waiting" and take_up(town.house, "airflow", now()) == []

    release(town.house, case.case_id, "bert", now())
    assert take_up(town.house, "airflow", now()) == [case.case_id]


def test_steps_that_decide_nothing_make_nothing_due_again(town: Town) -> None:
    case = town.ask(town.people[2])
    instructed(town, case, only=ENERGY)
    centers(town, case, State.ACCEPTED, accepted())
    let_go(town, case)
    run(town.house, case.case_id, now())
    assert state(town, case, ENERGY, "principal") is State.EXECUTED, "a step that the run itself took"
    sweep(town.house, now())
    later = now() + timedelta(days=8)
    follow(town.house, later)
    assert state(town, case, GAS, "principal") is State.REMINDED

    assert take_up(town.house, "airflow", later) == []


@pytest.mark.parametrize("word", ["refuse", "restrict"])
def test_what_asked_a_principal_goes_once_it_has_decided_whatever_it_decided(town: Town, word: str) -> None:
    case = town.ask(town.people[0])
    told(town, case, word, reason=LEGAL)
    centers(town, case, State.ACCEPTED, accepted())
    let_go(town, case)

    report = run(town.house, case.case_id, now())

    assert (report.residual, outcome(town, case)) == (0, "clean") and report.kept > 0
    assert not any(each.is_in_error for each in status(town.house.conn).cases)
    assert town.decided(town.people[1]), "another one is released"


def test_a_copy_that_stays_and_is_edited_for_somebody_else_during_the_scan_is_no_residue(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = town.ask(town.people[0])
    instructed(town, case)
    centers(town, case, State.REFUSED, refusal())
    let_go(town, case)
    other = town.decided(town.people[1])
    real, edited = scan.find_open_notices, list[int]()

    def meanwhile(house: House, principal: Principal) -> set[tuple[str, str]]:
        if not edited:
            edited.append(1)
            edited.append(run(house, other.case_id, now()).residual or 0)
        return real(house, principal)

    monkeypatch.setattr(scan, "find_open_notices", meanwhile)
    report = run(town.house, case.case_id, now())

    assert edited == [1, 0] and (report.residual, outcome(town, case)) == (0, "clean") and report.kept > 0


@pytest.mark.parametrize("is_judged", [False, True])
def test_a_file_that_comes_while_the_scan_reads_is_waited_for_and_no_residue(
    town: Town, monkeypatch: pytest.MonkeyPatch, is_judged: bool
) -> None:
    person = town.people[2]
    case, real, dropped = town.decided(person), scan.find_open_notices, list[str]()

    def meanwhile(house: House, principal: Principal) -> set[tuple[str, str]]:
        if principal == ENERGY and not dropped:
            rows = f"{town.head}\n{person.record(ENERGY)};{person.line}\n"
            dropped.append(town.desk.drop(rows.encode(), "meanwhile.csv", ARRIVALS))
            assert town.desk.open_new() == 1
            if is_judged:
                with open_house(town.desk.settings) as worker:
                    drain_all(worker)
        return real(house, principal)

    monkeypatch.setattr(scan, "find_open_notices", meanwhile)
    report = run(town.house, case.case_id, now())

    assert dropped and (report.residual, report.doubts) == (0, 0)
    assert report.waiting == 1 + is_judged, "the exchange, whatever it has, and a merge of the index that has its run"
    assert outcome(town, case) == "waiting"
    town.desk.work()
    report = run(town.house, case.case_id, now())
    assert (report.residual, report.doubts, report.waiting, outcome(town, case)) == (0, 0, 0, "clean")


def test_one_principal_whose_files_are_under_way_holds_up_no_other(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    case = town.decided(town.people[2])
    under_way = {GAS: frozenset({ExchangeId("6f0c4f0e-0000-4000-8000-000000000000")})}
    monkeypatch.setattr(in_flight_store, "find_in_flight", lambda _conn, name, _since: under_way.get(name, frozenset()))

    run(town.house, case.case_id, now())

    assert outcome(town, case) == "waiting" and find_proven(town.house.conn, case.case_id) == {ENERGY}
    assert state(town, case, ENERGY, "principal") is State.EXECUTED
    assert state(town, case, GAS, "principal") is State.INSTRUCTED
    assert take_up(town.house, "airflow", now()) == [case.case_id], "what was under way is looked at again"


def test_what_goes_on_waiting_keeps_no_newer_case_from_its_turn(town: Town) -> None:
    older, newer = (town.decided(person) for person in town.people[1:3])
    town.desk.drop(f"{town.head}\n".encode(), "under_way.csv", ARRIVALS)
    assert town.desk.open_new() == 1
    turns = list[str]()

    for _ in range(4):
        [case_id] = take_up(town.house, "airflow", now(), most=1)
        run(town.house, case_id, now())
        turns.append(case_id)

    assert [outcome(town, case) for case in (older, newer)] == ["waiting"] * 2, "the control"
    assert turns == [older.case_id, newer.case_id] * 2
    refused = [take_up(town.house, "airflow", now(), most=1) for _ in range(2)]
    assert refused == [[older.case_id], [newer.case_id]], "whoever is refused before it begins had its turn too"


def test_an_extended_part_can_be_decided_in_part_until_its_own_last_day(town: Town) -> None:
    case = town.ask(town.people[0])
    [ours] = [part for part in case.sub_cases if part.controller == "center" and part.principal == ENERGY]
    delay = Order(DESK, now(), iri("A12Complexity"), SHA)
    extend(town.house.conn, case.case_id, delay, [ours.sub_case_id])
    write_letter(town.house, case.case_id, LetterKind.EXTENSION, now(), sub_case_id=ours.sub_case_id)
    late = Order(
        DESK, now() + timedelta(days=45), LEGAL, SHA, reasons={ours.field_groups[0]: LEGAL},
        remedies=refusal().remedies, action=Action.ERASE,
    )  # fmt: skip
    whole = Order(DESK, late.at, LEGAL, SHA, reasons=dict.fromkeys(ours.field_names, LEGAL), remedies=late.remedies)
    with pytest.raises(TransitionRefused, match="refusal_is_in_time"):
        centers(town, case, State.REFUSED, whole)

    centers(town, case, State.PARTIAL, late)

    assert state(town, case, ENERGY, "center") is State.PARTIAL
    assert store.get_case(town.house.conn, case.case_id).is_breached is False
