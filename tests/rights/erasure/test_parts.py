"""An erasure that not everybody decides alike, or that the person takes back: nobody else waits for it for ever."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gate.papers import a_contract, a_field
from rights.town import DESK, SHA, Town, open_town, papers_of
from sluice.exchange.persons.suppressed import find_suppressed
from sluice.rights.case import store
from sluice.rights.case.model import Action, Case, Order, Remedies, State
from sluice.rights.case.reasons import iri
from sluice.rights.case.steps import decide, withdraw
from sluice.rights.copies.model import Copy, Decided, Fate, Target
from sluice.rights.copies.scope import fate_of
from sluice.rights.erasure import control_store
from sluice.rights.erasure.certificate import NotProven, issue
from sluice.rights.erasure.certificate_check import verify_certificate
from sluice.rights.erasure.control import beat_and_check, status, take_up
from sluice.rights.erasure.erase import begin, begin_if_due, erase_copies, finish, run
from sluice.rights.erasure.model import ReleaseRefused, RequestTakenBack, RunEnd
from sluice.rights.erasure.release import draft, release
from sluice.rights.protection_store import find_open_protections
from sluice.rights.protections import settle_protections
from sluice.rights.read_instructions import read_instruction
from sluice.settings import Settings
from sluice.terms import Direction, ExchangeId, FieldGroup, Flow, Principal, RoleProfile
from support.copies import Copies

pytestmark = pytest.mark.stores
ENERGY, GAS = Principal("energy01"), Principal("gas01")
LEGAL = iri("A17LegallyRequired")


def planted(settings: Settings, folder: Path) -> None:
    """Two principals, and persons who were called for one of them, the last one by the other's return too."""
    settings = papers_of(settings, folder, [ENERGY, GAS])
    with open_town(settings, folder, [ENERGY, GAS], 4) as opened:
        opened.arrive(ENERGY, opened.people)
        opened.give_back(ENERGY, opened.people[:3])
        opened.arrive(GAS, opened.people[2:])


@pytest.fixture
def town(copies: Copies, tmp_path: Path) -> Iterator[Town]:
    with copies.of(planted, tmp_path) as settings, open_town(settings, tmp_path, [ENERGY, GAS], 4) as opened:
        yield opened


def now() -> datetime:
    return datetime.now(UTC)


def instructed(town: Town, case: Case, only: str | None = None) -> None:
    for part in case.sub_cases:
        if part.state is State.AWAITING_INSTRUCTION and only in (None, part.principal):
            said = {"case": part.sub_case_id, "decision": "erase"}
            key = f"{part.principal}/requests/instruction-{part.sub_case_id}.json"
            bucket = town.desk.settings.bucket_exchange
            stored = town.house.objects.put(bucket, key, json.dumps(said).encode(), "text/json")
            read_instruction(town.house, Principal(part.principal), stored, now())


def centers(town: Town, case: Case, target: State, order: Order) -> None:
    ours = [part.sub_case_id for part in case.sub_cases if part.controller == "center"]
    decide(town.house.conn, case.case_id, target, order, ours)


def let_go(town: Town, case: Case) -> None:
    draft(town.house, case.case_id, "airflow", now())
    release(town.house, case.case_id, "bert", now())


def refusal(*groups: str) -> Order:
    """An order that refuses these field groups, or all of them."""
    reasons, action = dict.fromkeys(groups or ("*",), LEGAL), Action.ERASE if groups else None
    return Order(DESK, now(), LEGAL, SHA, reasons=reasons, remedies=Remedies("remedies.be", "nl"), action=action)


def outcome(town: Town, case: Case) -> str | None:
    ran = control_store.find_run(town.house.conn, case.case_id)
    assert ran is not None
    return ran.outcome


def state(town: Town, case: Case, principal: str, controller: str) -> State:
    every = store.get_case(town.house.conn, case.case_id).sub_cases
    return next(part.state for part in every if (part.principal, part.controller) == (principal, controller))


def test_what_somebody_has_still_to_decide_is_no_residue_and_stops_nobody(town: Town) -> None:
    case = town.ask(town.people[0])
    instructed(town, case)
    let_go(town, case)

    report = run(town.house, case.case_id, now())

    assert (report.residual, report.doubts, report.kept) == (0, 0, report.undecided) and report.undecided > 0
    assert outcome(town, case) == "undecided" and not any(each.is_in_error for each in status(town.house.conn).cases)
    assert state(town, case, ENERGY, "principal") is State.INSTRUCTED
    with pytest.raises(NotProven):
        issue(town.house, case.case_id)
    assert take_up(town.house, "airflow", now()) == [], "until somebody decides"
    assert run(town.house, town.decided(town.people[1]).case_id, now()).residual == 0, "another one may begin"

    centers(town, case, State.ACCEPTED, Order(DESK, now(), "ACCEPTED", SHA, action=Action.ERASE))
    let_go(town, case)
    assert take_up(town.house, "airflow", now()) == [case.case_id]
    after = run(town.house, case.case_id, now())
    assert (after.residual, after.kept, outcome(town, case)) == (0, 0, "clean")
    assert "kept" in {line.outcome for line in report.lines}, "the control: they were kept until then"
    [certificate] = issue(town.house, case.case_id)
    said: Any = verify_certificate(certificate.jws, town.house.keyring.public_pem)
    lines = {line["store"]: line for line in said["stores"]}
    assert {line["outcome"] for line in lines.values()} == {"erased"}, "what went since is not said to be kept"
    assert lines["lake"]["rows_before"] > lines["lake"]["rows_after"]


def test_what_was_refused_stays_and_the_certificate_says_so(town: Town) -> None:
    case = town.ask(town.people[0])
    instructed(town, case)
    centers(town, case, State.REFUSED, refusal())
    let_go(town, case)

    report = run(town.house, case.case_id, now())

    assert (report.residual, report.undecided) == (0, 0) and report.kept > 0
    assert outcome(town, case) == "clean" and state(town, case, ENERGY, "principal") is State.EXECUTED
    [certificate] = issue(town.house, case.case_id)
    said: Any = verify_certificate(certificate.jws, town.house.keyring.public_pem)
    assert (said["residual"], said["kept_by_decision"]) == (0, report.kept)
    assert {each["reason"] for each in said["exceptions"]} == {LEGAL}
    assert run(town.house, town.decided(town.people[1]).case_id, now()).residual == 0


def test_a_part_that_was_refused_in_part_ends_too(town: Town) -> None:
    case = town.ask(town.people[0])
    instructed(town, case)
    ours = next(part for part in case.sub_cases if part.controller == "center")
    centers(town, case, State.PARTIAL, refusal(ours.field_groups[0]))
    let_go(town, case)

    report = run(town.house, case.case_id, now())

    assert (report.residual, report.undecided, outcome(town, case)) == (0, 0, "clean")
    assert state(town, case, ENERGY, "center") is State.EXECUTING


def test_one_principal_that_has_to_decide_holds_up_no_other(town: Town) -> None:
    case = town.ask(town.people[2])
    assert {part.principal for part in case.sub_cases} == {ENERGY, GAS}
    instructed(town, case, only=ENERGY)
    centers(town, case, State.ACCEPTED, Order(DESK, now(), "ACCEPTED", SHA, action=Action.ERASE))
    let_go(town, case)

    report = run(town.house, case.case_id, now())

    assert report.residual == 0 and report.undecided > 0, "gas01's files wait for gas01"
    assert state(town, case, ENERGY, "principal") is State.EXECUTED
    assert state(town, case, GAS, "center") is State.ACCEPTED


def test_a_residue_is_still_one_where_nobody_decided_that_it_stays(town: Town) -> None:
    case = town.ask(town.people[0])
    instructed(town, case)
    centers(town, case, State.REFUSED, refusal())
    let_go(town, case)
    key = f"{ENERGY}/receipts/left.txt"
    town.house.objects.put(town.desk.settings.bucket_exchange, key, town.people[0].phone.encode(), "text/plain")

    assert run(town.house, case.case_id, now()).residual == 1
    assert outcome(town, case) == "residue"
    with pytest.raises(ReleaseRefused, match="ANOTHER_CASE_IN_ERROR"):
        town.decided(town.people[1])


def test_a_request_that_is_taken_back_at_work_ends_its_erasure_and_stops_no_other(town: Town) -> None:
    case = town.decided(town.people[0])
    names = begin(town.house, case.case_id, now())
    assert len(names) > 2
    assert kept_out(town) == {"erased", "soft_hold"}, "what they gave, and what their rows tie to it while it is open"
    erase_copies(town.house, case.case_id, names[:1])

    withdraw(town.house.conn, case.case_id, Order(DESK, now(), "SUBJECT_ASKED", SHA))

    assert not control_store.touch(town.house.conn, case.case_id), "the worker at it stops before its next object"
    town.desk.sql("update erasure_run set seen_at = now() - interval '1 day' returning 1")  # it died there
    assert outcome(town, case) == "withdrawn" and status(town.house.conn).cases == ()
    settle_protections(town.house, now())
    assert kept_out(town) == set(), "they are a customer as before"
    assert run(town.house, town.decided(town.people[1]).case_id, now()).residual == 0


def test_a_request_taken_back_leaves_nothing_to_release_and_its_run_ends_without_error(town: Town) -> None:
    case, other = town.decided(town.people[0]), town.ask(town.people[1])
    instructed(town, other)
    draft(town.house, other.case_id, "airflow", now())
    assert (
        control_store.count_unreleased(town.house.conn) == len(control_store.find_unreleased(town.house.conn, 9)) == 1
    )
    names = begin(town.house, case.case_id, now())

    for each in (case, other):
        withdraw(town.house.conn, each.case_id, Order(DESK, now(), "SUBJECT_ASKED", SHA))

    assert (
        control_store.count_unreleased(town.house.conn) == len(control_store.find_unreleased(town.house.conn, 9)) == 0
    )
    with pytest.raises(RequestTakenBack):
        erase_copies(town.house, case.case_id, names)
    with pytest.raises(RequestTakenBack):
        finish(town.house, case.case_id, now())
    with pytest.raises(RequestTakenBack):
        beat_and_check(town.house.conn, case.case_id)
    assert outcome(town, case) == "withdrawn" and begin_if_due(town.house, case.case_id, now()) is None


def test_who_was_erased_at_one_principal_stays_out_there_though_they_take_the_rest_back(town: Town) -> None:
    case = town.ask(town.people[2])
    instructed(town, case, only=ENERGY)
    centers(town, case, State.ACCEPTED, Order(DESK, now(), "ACCEPTED", SHA, action=Action.ERASE))
    let_go(town, case)
    run(town.house, case.case_id, now())
    assert outcome(town, case) == "undecided" and issue(town.house, case.case_id, only=[ENERGY])

    withdraw(town.house.conn, case.case_id, Order(DESK, now(), "SUBJECT_ASKED", SHA))
    settle_protections(town.house, now())

    assert (kept_out(town), kept_out(town, GAS)) == ({"erased"}, set())
    assert find_open_protections(town.house.conn) == [], "nothing is looked at again with each sweep"


def test_a_request_taken_back_after_its_erasure_failed_or_was_proven(town: Town) -> None:
    failed, proven = town.decided(town.people[0]), town.decided(town.people[1])
    run(town.house, proven.case_id, now())
    begin(town.house, failed.case_id, now())
    control_store.end_run(town.house.conn, failed.case_id, RunEnd.RESIDUE)

    for case in (failed, proven):
        withdraw(town.house.conn, case.case_id, Order(DESK, now(), "SUBJECT_ASKED", SHA))
    settle_protections(town.house, now())

    assert (outcome(town, failed), outcome(town, proven)) == ("withdrawn", "clean")
    assert kept_out(town) == {"erased"}, "who was erased stays out"
    assert run(town.house, town.decided(town.people[2]).case_id, now()).residual == 0


SENT, OURS = ("principal", FieldGroup.CALL_EVENT), ("center", FieldGroup.CALL_EVENT)
NOTE, THEIRS = ("center", FieldGroup.NOTE_FREE_TEXT), ("principal", FieldGroup.IDENTITY)


@pytest.mark.parametrize(
    ("decided", "undecided", "parts", "fate"),
    [
        pytest.param({OURS}, set(), {OURS, THEIRS}, Fate.GOES, id="who-decides-wants-it"),
        pytest.param({THEIRS}, {OURS}, {OURS, THEIRS}, Fate.WAITS, id="who-decides-has-not-yet"),
        pytest.param({THEIRS}, set(), {OURS, THEIRS}, Fate.STAYS, id="who-decides-refused"),
        pytest.param({SENT}, set(), {SENT, NOTE}, Fate.GOES, id="somebody-else-decides-of-the-group-now"),
        pytest.param({NOTE}, {SENT}, {SENT, NOTE}, Fate.WAITS, id="who-has-not-yet"),
        pytest.param({THEIRS, NOTE}, set(), {THEIRS, NOTE}, Fate.GOES, id="nobody-has-that-group-now-and-all-decided"),
        pytest.param({THEIRS}, set(), {THEIRS, NOTE}, Fate.STAYS, id="nobody-has-that-group-now-and-one-refused"),
    ],
)
def test_a_copy_under_older_papers_goes_as_those_decide_who_decide_now(
    decided: set[Decided], undecided: set[Decided], parts: set[Decided], fate: Fate
) -> None:
    contract = a_contract(a_field("called_at", group=FieldGroup.CALL_EVENT, role_profile=RoleProfile.SEED_OWNER))
    copy = Copy(
        ExchangeId("e"), "lake", Direction.INBOUND, Flow("f"), "b", "k", "v", sha256="", contract=contract, columns=()
    )
    target = Target(ENERGY, b"", frozenset(), (), frozenset(decided), frozenset(undecided), frozenset(parts))
    assert fate_of(copy, target) is fate


PLAIN = Copy(
    ExchangeId("e"), "arrived", Direction.INBOUND, Flow("f"), "b", "k", "v", sha256="", contract=None, columns=()
)


@pytest.mark.parametrize(
    ("decided", "undecided", "parts", "fate"),
    [
        pytest.param({THEIRS}, {OURS}, {THEIRS, OURS}, Fate.GOES, id="its-principal-wants-it"),
        pytest.param({OURS}, {THEIRS}, {THEIRS, OURS}, Fate.WAITS, id="its-principal-has-not-decided"),
        pytest.param({OURS}, set(), {THEIRS, OURS}, Fate.STAYS, id="its-principal-refused"),
        pytest.param(
            {OURS, NOTE}, set(), {OURS, NOTE}, Fate.GOES, id="the-principal-decides-of-nothing-and-all-want-it"
        ),
        pytest.param({OURS}, {NOTE}, {OURS, NOTE}, Fate.WAITS, id="the-principal-decides-of-nothing-and-one-has-not"),
        pytest.param({OURS}, set(), {OURS, NOTE}, Fate.STAYS, id="the-principal-decides-of-nothing-and-one-refused"),
    ],
)
def test_a_file_without_a_contract_goes_as_its_principal_decides_or_all_do(
    decided: set[Decided], undecided: set[Decided], parts: set[Decided], fate: Fate
) -> None:
    target = Target(ENERGY, b"", frozenset(), (), frozenset(decided), frozenset(undecided), frozenset(parts))
    assert fate_of(PLAIN, target) is fate


def kept_out(town: Town, principal: Principal = ENERGY) -> set[str]:
    found = find_suppressed(town.house, principal)
    return set() if found is None else set(found["reason"])
