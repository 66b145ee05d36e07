"""An erasure that not everybody decides alike, that is taken back, or due again: nobody else waits for it for ever."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rights.town import DESK, SHA, Person, Town, due, let_go, now, take_back, town_fixture
from sluice.exchange.drain import drain_all
from sluice.exchange.house import House, open_house
from sluice.exchange.persons.suppressed import find_reasons
from sluice.rights.case import store
from sluice.rights.case.errors import TransitionRefused
from sluice.rights.case.model import Action, Case, LetterKind, Order, Remedies, State
from sluice.rights.case.reasons import iri
from sluice.rights.case.steps import decide, extend
from sluice.rights.copies import in_flight_store
from sluice.rights.erasure import control_store, scan
from sluice.rights.erasure.certificate import NotProven, issue
from sluice.rights.erasure.certificate_check import verify_certificate
from sluice.rights.erasure.control import beat_and_check, status, take_up
from sluice.rights.erasure.erase import begin, begin_if_due, erase_copies, finish, run
from sluice.rights.erasure.model import ReleaseRefused, RequestTakenBack, RunEnd
from sluice.rights.erasure.release import draft, release
from sluice.rights.erasure.scan_store import find_proven
from sluice.rights.letters.write import write_letter
from sluice.rights.person.identifiers import Identifier
from sluice.rights.person.whom import all_refs_at
from sluice.rights.protection_store import find_open_protections
from sluice.rights.protections import settle_protections
from sluice.rights.read_instructions import read_instruction
from sluice.rights.schedule import follow, sweep
from sluice.terms import ExchangeId, Principal, SubjectKind
from support.desk import ENERGY as ARRIVALS

ENERGY, GAS = Principal("energy01"), Principal("gas01")
LEGAL = iri("A17LegallyRequired")
AT_BOTH = 9
"""The first who is a customer of both principals."""


def planted(town: Town) -> None:
    town.arrive(ENERGY, town.people)
    town.give_back(ENERGY, town.people[:9])
    town.arrive(GAS, town.people[AT_BOTH:])


town = town_fixture([ENERGY, GAS], 18, planted)


def accepted() -> Order:
    return Order(DESK, now(), "ACCEPTED", SHA, action=Action.ERASE)


def refusal(*groups: str) -> Order:
    """An order that refuses these field groups, or all of them."""
    reasons, action = dict.fromkeys(groups or ("*",), LEGAL), Action.ERASE if groups else None
    return Order(DESK, now(), LEGAL, SHA, reasons=reasons, remedies=Remedies("remedies.be", "nl"), action=action)


def told(
    town: Town, case: Case, only: str | None = None, word: str = "erase", at: timedelta = timedelta(), **more: str
) -> None:
    """What each principal that has to decide says, as of a moment."""
    for part in store.get_case(town.house.conn, case.case_id).sub_cases:
        if part.state in (State.AWAITING_INSTRUCTION, State.REMINDED) and only in (None, part.principal):
            said = json.dumps({"case": part.sub_case_id, "decision": word, **more}).encode()
            key = f"{part.principal}/requests/instruction-{part.sub_case_id}.json"
            stored = town.house.objects.put(town.desk.settings.bucket_exchange, key, said, "text/json")
            read_instruction(town.house, Principal(part.principal), stored, now() + at)


def centers(town: Town, case: Case, target: State, order: Order) -> None:
    ours = [part.sub_case_id for part in case.sub_cases if part.controller == "center"]
    decide(town.house.conn, case.case_id, target, order, ours)


def in_error(town: Town) -> set[str]:
    return {each.case_id for each in status(town.house.conn).cases if each.is_in_error}


def outcome(town: Town, case: Case) -> str | None:
    ran = control_store.find_run(town.house.conn, case.case_id)
    assert ran is not None
    return ran.outcome


def state(town: Town, case: Case, principal: str, controller: str) -> State:
    every = store.get_case(town.house.conn, case.case_id).sub_cases
    return next(part.state for part in every if (part.principal, part.controller) == (principal, controller))


def kept_out(town: Town, person: Person, principal: Principal = ENERGY) -> set[str]:
    refs = all_refs_at(town.house, [Identifier(SubjectKind.PHONE, person.phone)], principal)
    return set(find_reasons(town.house, principal, refs))


def test_what_goes_on_waiting_keeps_no_newer_case_from_its_turn(town: Town) -> None:
    older, newer = (town.decided(person) for person in town.people[:2])
    town.desk.drop(f"{town.head}\n".encode(), "under_way.csv", ARRIVALS)
    assert town.desk.open_new() == 1
    turns = list[str]()
    for _ in range(3):
        [case_id] = take_up(town.house, "airflow", now(), most=1)
        run(town.house, case_id, now())
        turns.append(case_id)

    assert [outcome(town, case) for case in (older, newer)] == ["waiting"] * 2, "the control"
    assert turns == [older.case_id, newer.case_id, older.case_id]
    refused = [take_up(town.house, "airflow", now(), most=1) for _ in range(2)]
    assert refused == [[newer.case_id], [older.case_id]], "whoever is refused before it begins had its turn too"
    town.desk.work()
    take_back(town, older, newer)


def test_what_somebody_has_still_to_decide_is_no_residue_and_stops_nobody(town: Town) -> None:
    case = town.ask(town.people[2])
    told(town, case)
    let_go(town, case)

    report = run(town.house, case.case_id, now())

    assert (report.residual, report.doubts, report.kept) == (0, 0, report.undecided) and report.undecided > 0
    assert outcome(town, case) == "undecided" and not in_error(town)
    assert state(town, case, ENERGY, "principal") is State.INSTRUCTED
    with pytest.raises(NotProven):
        issue(town.house, case.case_id)
    assert not due(town, case), "until somebody decides"
    assert begin(town.house, town.decided(town.people[3]).case_id, now()), "another one may begin"

    centers(town, case, State.ACCEPTED, accepted())
    let_go(town, case)
    assert due(town, case)
    after = run(town.house, case.case_id, now())
    assert (after.residual, after.kept, outcome(town, case)) == (0, 0, "clean")
    assert "kept" in {line.outcome for line in report.lines}, "the control: they were kept until then"
    [certificate] = issue(town.house, case.case_id)
    said: Any = verify_certificate(certificate.jws, town.house.keyring.public_pem)
    lines = {line["store"]: line for line in said["stores"]}
    assert {line["outcome"] for line in lines.values()} == {"erased"}, "what went since is not said to be kept"
    assert lines["lake"]["rows_before"] > lines["lake"]["rows_after"]


def test_what_was_refused_stays_and_the_certificate_says_so_but_a_residue_is_still_one(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, bucket, key = town.people[4], town.desk.settings.bucket_exchange, f"{ENERGY}/receipts/left.txt"
    case, other = town.ask(person), town.decided(town.people[5])
    told(town, case)
    centers(town, case, State.REFUSED, refusal())
    let_go(town, case)
    town.house.objects.put(bucket, key, person.phone.encode(), "text/plain")
    assert run(town.house, case.case_id, now()).residual == 1 and outcome(town, case) == "residue"
    with pytest.raises(ReleaseRefused, match="ANOTHER_CASE_IN_ERROR"):
        town.decided(town.people[6])
    town.house.objects.delete_others(bucket, key, frozenset())
    real, edited = scan.find_open_notices, list[int]()

    def meanwhile(house: House, principal: Principal) -> set[tuple[str, str]]:
        """A copy that stays is edited for somebody else during the scan: that is no residue."""
        if not edited:
            edited.append(1)
            edited.append(run(house, other.case_id, now()).residual or 0)
        return real(house, principal)

    monkeypatch.setattr(scan, "find_open_notices", meanwhile)
    report = run(town.house, case.case_id, now())

    assert edited == [1, 0] and (report.residual, report.undecided) == (0, 0) and report.kept > 0
    assert outcome(town, case) == "clean" and state(town, case, ENERGY, "principal") is State.EXECUTED
    [certificate] = issue(town.house, case.case_id)
    said: Any = verify_certificate(certificate.jws, town.house.keyring.public_pem)
    assert (said["residual"], said["kept_by_decision"]) == (0, report.kept)
    assert {each["reason"] for each in said["exceptions"]} == {LEGAL}
    assert town.decided(town.people[7]), "another one is released"


def test_an_extended_part_can_be_decided_in_part_until_its_own_last_day(town: Town) -> None:
    case = town.ask(town.people[8])
    ours = next(part for part in case.sub_cases if part.controller == "center" and part.principal == ENERGY)
    extend(town.house.conn, case.case_id, Order(DESK, now(), iri("A12Complexity"), SHA), [ours.sub_case_id])
    write_letter(town.house, case.case_id, LetterKind.EXTENSION, now(), sub_case_id=ours.sub_case_id)
    late = Order(DESK, now() + timedelta(days=45), LEGAL, SHA, remedies=refusal().remedies)
    with pytest.raises(TransitionRefused, match="refusal_is_in_time"):
        centers(town, case, State.REFUSED, replace(late, reasons=dict.fromkeys(ours.field_names, LEGAL)))

    centers(town, case, State.PARTIAL, replace(late, reasons={ours.field_groups[0]: LEGAL}, action=Action.ERASE))

    assert state(town, case, ENERGY, "center") is State.PARTIAL
    assert store.get_case(town.house.conn, case.case_id).is_breached is False


def test_a_part_that_was_refused_in_part_ends_too(town: Town) -> None:
    case = town.ask(town.people[-1])
    told(town, case)
    ours = next(part for part in case.sub_cases if part.controller == "center" and part.principal == ENERGY)
    centers(town, case, State.PARTIAL, refusal(ours.field_groups[0]))
    let_go(town, case)

    report = run(town.house, case.case_id, now())

    assert (report.residual, report.undecided, outcome(town, case)) == (0, 0, "clean")
    assert state(town, case, ENERGY, "center") is State.EXECUTING


def test_one_principal_that_has_to_decide_holds_up_no_other_and_is_no_reason_to_run_again(town: Town) -> None:
    person = town.people[AT_BOTH]
    case = town.ask(person)
    assert {part.principal for part in case.sub_cases} == {ENERGY, GAS}
    told(town, case, only=ENERGY)
    centers(town, case, State.ACCEPTED, accepted())
    let_go(town, case)

    report = run(town.house, case.case_id, now())

    assert report.residual == 0 and report.undecided > 0, "gas01's files wait for gas01"
    assert outcome(town, case) == "undecided" and issue(town.house, case.case_id, only=[ENERGY])
    assert state(town, case, ENERGY, "principal") is State.EXECUTED, "a step that the run itself took"
    assert state(town, case, GAS, "center") is State.ACCEPTED
    sweep(town.house, now())
    follow(town.house, now() + timedelta(days=8))
    assert state(town, case, GAS, "principal") is State.REMINDED
    assert not due(town, case, now() + timedelta(days=8)), "steps that decide nothing make nothing due again"
    told(town, case, at=-timedelta(hours=1))  # a sweep that began before the run did, or another clock
    let_go(town, case)
    assert due(town, case)

    take_back(town, case)
    settle_protections(town.house, now())
    assert (kept_out(town, person), kept_out(town, person, GAS)) == ({"erased"}, set())
    mine = [each for each in find_open_protections(town.house.conn) if each.case_id == case.case_id]
    assert mine == [], "nothing is looked at again with each sweep"


def test_what_asked_a_principal_goes_once_it_has_decided_whatever_it_decided(town: Town) -> None:
    case = town.ask(town.people[AT_BOTH + 1])
    for principal, word in ((ENERGY, "refuse"), (GAS, "restrict")):
        told(town, case, only=principal, word=word, reason=LEGAL)
    centers(town, case, State.ACCEPTED, accepted())
    let_go(town, case)

    report = run(town.house, case.case_id, now())

    assert (report.residual, outcome(town, case)) == (0, "clean") and report.kept > 0
    assert not in_error(town)


def test_a_request_that_is_taken_back_ends_its_erasure_whatever_became_of_it(town: Town) -> None:
    person, proven_one, failed_one, drafted = town.people[AT_BOTH + 2 : AT_BOTH + 6]
    proven = town.decided(proven_one)
    run(town.house, proven.case_id, now())
    case, failed, other = town.decided(person), town.decided(failed_one), town.ask(drafted)
    told(town, other)
    before = control_store.count_unreleased(town.house.conn)
    draft(town.house, other.case_id, "airflow", now())
    unreleased = len(control_store.find_unreleased(town.house.conn, 99))
    assert control_store.count_unreleased(town.house.conn) == unreleased == before + 2, "one of each principal"
    names = begin(town.house, case.case_id, now())
    assert len(names) > 2
    assert kept_out(town, person) >= {"erased"}
    erase_copies(town.house, case.case_id, names[:1])
    begin(town.house, failed.case_id, now())
    control_store.end_run(town.house.conn, failed.case_id, RunEnd.RESIDUE)

    take_back(town, case, failed, proven, other)

    assert not control_store.touch(town.house.conn, case.case_id), "the worker at it stops before its next object"
    for step in (
        lambda: erase_copies(town.house, case.case_id, names),
        lambda: finish(town.house, case.case_id, now()),
        lambda: beat_and_check(town.house.conn, case.case_id),
    ):
        with pytest.raises(RequestTakenBack):
            step()
    assert begin_if_due(town.house, case.case_id, now()) is None
    assert control_store.count_unreleased(town.house.conn) == before
    assert len(control_store.find_unreleased(town.house.conn, 99)) == before
    town.desk.sql(
        f"update erasure_run set seen_at = now() - interval '1 day' where case_id = '{case.case_id}' returning 1"
    )  # it died there
    assert [outcome(town, each) for each in (case, failed, proven)] == ["withdrawn", "withdrawn", "clean"]
    assert not {each.case_id for each in status(town.house.conn).cases} & {case.case_id, failed.case_id}
    settle_protections(town.house, now())
    assert [kept_out(town, each) for each in (person, failed_one)] == [set(), set()], "they are customers as before"
    assert kept_out(town, proven_one) == {"erased"}, "who was erased stays out"


def test_what_waits_for_its_release_or_a_file_elsewhere_makes_nothing_due_again_and_holds_up_nothing(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = town.ask(town.people[AT_BOTH + 6])
    told(town, case)
    ours = [each.sub_case_id for each in case.sub_cases if (each.controller, each.principal) == ("center", GAS)]
    decide(town.house.conn, case.case_id, State.ACCEPTED, accepted(), ours)
    draft(town.house, case.case_id, "airflow", now())
    release(town.house, case.case_id, "bert", now(), principal=ENERGY)
    run(town.house, case.case_id, now())
    assert outcome(town, case) == "waiting" and not due(town, case)
    release(town.house, case.case_id, "bert", now())
    assert due(town, case)

    ours = [each.sub_case_id for each in case.sub_cases if (each.controller, each.principal) == ("center", ENERGY)]
    decide(town.house.conn, case.case_id, State.ACCEPTED, accepted(), ours)
    let_go(town, case)
    under_way = {GAS: frozenset({ExchangeId("6f0c4f0e-0000-4000-8000-000000000000")})}
    monkeypatch.setattr(in_flight_store, "find_in_flight", lambda _conn, name, _since: under_way.get(name, frozenset()))
    run(town.house, case.case_id, now())
    assert outcome(town, case) == "waiting" and find_proven(town.house.conn, case.case_id) == {ENERGY}
    assert state(town, case, ENERGY, "principal") is State.EXECUTED
    assert state(town, case, GAS, "principal") is State.INSTRUCTED
    assert due(town, case), "what was under way is looked at again"


def test_a_file_that_comes_while_the_scan_reads_is_waited_for_and_no_residue(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, real = town.people[AT_BOTH + 7], scan.find_open_notices
    case = town.decided(person)
    for is_judged in (False, True):
        dropped = list[str]()

        def meanwhile(
            house: House, principal: Principal, is_judged: bool = is_judged, dropped: list[str] = dropped
        ) -> set[tuple[str, str]]:
            if principal == ENERGY and not dropped:
                rows = f"{town.head}\n{person.record(ENERGY)};{person.line}\n" + "\n" * is_judged
                dropped.append(town.desk.drop(rows.encode(), f"meanwhile-{is_judged}.csv", ARRIVALS).key)
                assert town.desk.open_new() == 1
                if is_judged:
                    with open_house(town.desk.settings) as worker:
                        drain_all(worker)
            return real(house, principal)

        monkeypatch.setattr(scan, "find_open_notices", meanwhile)
        report = run(town.house, case.case_id, now())
        assert dropped and (report.residual, report.doubts) == (0, 0)
        assert report.waiting == 1 + is_judged, "the exchange, and a merge of the index that has its run"
        assert outcome(town, case) == "waiting"
        town.desk.work()
    report = run(town.house, case.case_id, now())
    assert (report.residual, report.doubts, report.waiting, outcome(town, case)) == (0, 0, 0, "clean")
