"""A case goes to its end by itself as far as there is evidence; what it leaves with its principal names nobody."""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

import pytest

from rights.instructing import ENERGY, accept, current, instruct, lent, now, of_principal, owned, returned
from rights.town import DESK, SHA, Person, Town, let_go, swept
from sluice.ledger.verify import verify as verify_ledger
from sluice.rights.case import store
from sluice.rights.case.history import Step
from sluice.rights.case.model import Action, Case, CaseId, LetterKind, Order, Right, State, SubCase, Track
from sluice.rights.case.steps import withdraw
from sluice.rights.erasure.certificate import NotProven, issue
from sluice.rights.erasure.certificate_check import verify_certificate
from sluice.rights.erasure.erase import run, verify
from sluice.rights.instruction_rules import InstructionOutcome
from sluice.rights.letters.write import note_opened
from sluice.rights.request_store import list_files
from sluice.rights.requests import read_requests
from sluice.rights.schedule import follow, sweep
from sluice.terms import SubjectKind
from sluice.times import BRUSSELS
from support.night import AGREEMENT, Edit

DAY = timedelta(days=1)
WE_ANSWER = Edit(AGREEMENT, "A21: false", "A21: true")


town = lent(returned)
own = owned(returned)


def stands(town: Town, case: Case) -> dict[str, State]:
    """The states of the case and of its parts, by who decides them."""
    found = store.get_case(town.house.conn, case.case_id)
    return {"case": found.state, **{part.controller: part.state for part in found.sub_cases}}


def take_out(town: Town, case: Case, kind: LetterKind = LetterKind.COMPLETION, at: datetime | None = None) -> str:
    """Take a letter out to post it, and return its SHA-256."""
    [letter] = [each for each in store.get_case(town.house.conn, case.case_id).letters if each.kind is kind]
    note_opened(town.house.conn, letter, at or now(), DESK)
    return letter.sha256


def steps(town: Town, case: Case, track: Track) -> dict[State, Step]:
    part = part_of(town, case, track)
    every = store.list_steps(town.house.conn, case.case_id)
    return {step.to_state: step for step in every if step.sub_case_id == part.sub_case_id}


def confirmation(town: Town, part: SubCase) -> tuple[dict[str, Any], str]:
    """What the principal reads, and its hash."""
    every = town.notices(part.principal)
    [name] = [name for name in every if name.startswith(f"confirmation-{part.sub_case_id}")]
    return json.loads(every[name]), hashlib.sha256(every[name]).hexdigest()


def test_an_erasure_ends_once_its_letter_was_taken_out_and_each_step_has_its_evidence(own: Town) -> None:
    case = own.decided(own.people[0])
    swept(own)
    assert stands(own, case) == {"case": State.SCOPED, "principal": State.INSTRUCTED, "center": State.ACCEPTED}
    run(own.house, case.case_id, now())

    swept(own)

    assert stands(own, case) == {
        "case": State.SCOPED, "principal": State.CLOSED, "center": State.RECIPIENTS_NOTIFIED,
    }  # fmt: skip
    ours, certificate = part_of(own, case, Track.PROCESSOR), certificate_of(own)
    said, sha256 = confirmation(own, ours)
    assert steps(own, case, Track.PROCESSOR)[State.CONFIRMED_TO_CONTROLLER].evidence_sha256 == sha256
    assert (said["case"], said["action"], said["residual"]) == (ours.sub_case_id, "erase", 0)
    assert {line["store"] for line in said["stores"]} >= {"lake", "subject index"}
    assert said["certificate"]["sha256"] == hashlib.sha256(certificate).hexdigest()
    assert said["certificate"]["file"].rpartition("/")[2] in own.notices(ENERGY)
    text = json.dumps(said)
    assert own.people[0].phone not in text and own.people[0].record(ENERGY) not in text

    letter = take_out(own, case)
    swept(own)

    assert stands(own, case) == {"case": State.CLOSED, "principal": State.CLOSED, "center": State.CLOSED}
    taken = steps(own, case, Track.CONTROLLER)
    assert taken[State.ANSWERED].evidence_sha256 == letter
    assert taken[State.PROVEN].evidence_sha256 == hashlib.sha256(certificate).hexdigest()
    assert verify_certificate(certificate, own.house.keyring.public_pem)["residual"] == 0
    assert verify_ledger(own.house.conn, public_pem=own.house.keyring.public_pem).valid
    before = len(store.list_steps(own.house.conn, case.case_id))
    swept(own, now() + 400 * DAY)
    assert len(store.list_steps(own.house.conn, case.case_id)) == before, "what is over stays over"


def told_at(town: Town, people: Sequence[Person]) -> tuple[list[Case], datetime]:
    """These people objected and their letters wait; those of the first two are taken out around the last midnight."""
    cases = [town.decided(person, Right.OBJECTION, Action.STOP) for person in people]
    swept(town)
    midnight = datetime.combine(cases[0].due.legal_due + DAY, time(), BRUSSELS)
    for case, minutes in zip(cases, (-1, 1), strict=False):
        assert stands(town, case)["center"] is State.RECIPIENTS_NOTIFIED
        take_out(town, case, at=midnight + timedelta(minutes=minutes))
    return cases, midnight


def test_an_answer_after_the_last_day_is_a_miss_though_no_sweep_looked_and_one_of_that_day_is_none(town: Town) -> None:
    (in_time, late), midnight = told_at(town, town.people[:2])

    assert sweep(town.house, midnight + timedelta(minutes=5)).finished.closed == 2

    found = [store.get_case(town.house.conn, case.case_id) for case in (in_time, late)]
    assert [(case.state, case.is_breached) for case in found] == [(State.CLOSED, False), (State.CLOSED, True)]
    told = town.desk.sql("select convert_from(body, 'UTF8') as body from ledger.entry where kind = 'case.flagged'")
    flagged = [json.loads(str(each["body"])) for each in told]
    assert [(each["case_id"], each["flag"], each["actor"]) for each in flagged] == [
        (late.case_id, "BREACHED_DEADLINE", "sluice")
    ]


def test_a_sweep_between_an_answer_and_its_booking_flags_only_what_nobody_had_by_the_last_day(town: Town) -> None:
    cases, midnight = told_at(town, town.people[:3])

    looked = [follow(town.house, midnight + timedelta(minutes=minutes)) for minutes in (2, 3)]
    assert [(each.breached, each.failed) for each in looked] == [(2, 0), (0, 0)], "the controls: late, and no answer"
    assert sweep(town.house, midnight + timedelta(days=3)).finished.closed == 2, "booked days later"

    found = [store.get_case(town.house.conn, case.case_id) for case in cases]
    assert [case.is_breached for case in found] == [False, True, True]


def test_a_request_taken_back_after_its_last_day_was_missed_too(town: Town) -> None:
    conn, cases = town.house.conn, [town.ask(person) for person in town.people[:2]]
    last = datetime.combine(cases[0].due.legal_due, time(12), BRUSSELS)
    ended = [
        withdraw(conn, case.case_id, Order(DESK, last + days * DAY, "SUBJECT_ASKED", SHA))
        for days, case in enumerate(cases)
    ]
    assert [case.is_breached for case in ended] == [False, True]


def part_of(town: Town, case: Case, track: Track) -> SubCase:
    return next(part for part in current(town, case).sub_cases if part.track is track)


def certificate_of(town: Town) -> bytes:
    every = town.notices(ENERGY)
    return next(content for name, content in every.items() if name.startswith("erasure-certificate"))


def test_no_answer_is_assumed_and_no_proof(town: Town) -> None:
    unproven, unanswered = town.decided(town.people[0]), town.decided(town.people[2], Right.OBJECTION, Action.STOP)
    swept(town, now() + 400 * DAY)
    assert stands(town, unproven)["center"] is State.ACCEPTED
    assert stands(town, unanswered)["center"] is State.RECIPIENTS_NOTIFIED
    assert stands(town, unanswered)["case"] is State.SCOPED


@pytest.mark.parametrize("town", [[WE_ANSWER]], indirect=True)
def test_where_the_agreement_lets_us_answer_the_person_comes_before_the_controller(town: Town) -> None:
    case = town.decided(town.people[2], Right.OBJECTION, Action.STOP)
    swept(town)
    assert stands(town, case)["principal"] is State.EXECUTED, "the letter lies there"
    letter = take_out(town, case)
    swept(town)
    taken = steps(town, case, Track.PROCESSOR)
    assert list(taken)[-3:] == [State.ANSWERED, State.CONFIRMED_TO_CONTROLLER, State.CLOSED]
    assert taken[State.ANSWERED].evidence_sha256 == letter
    assert stands(town, case)["case"] is State.CLOSED


def test_an_objection_ends_once_the_person_is_kept_out(town: Town) -> None:
    case = town.decided(town.people[2], Right.OBJECTION, Action.STOP)
    assert sweep(town.house, now()).finished.steps == 0, "it is held, and not yet objected"

    swept(town)
    assert stands(town, case) == {
        "case": State.SCOPED, "principal": State.CLOSED, "center": State.RECIPIENTS_NOTIFIED,
    }  # fmt: skip
    assert confirmation(town, part_of(town, case, Track.PROCESSOR))[0]["action"] == "stop"
    take_out(town, case)
    swept(town)
    assert stands(town, case)["case"] is State.CLOSED
    entry, _tied = town.desk.sql(
        """select encode(hash, 'hex') as hash from ledger.entry
           where chain = 'principal.energy01' and kind = 'suppression.changed'
             and convert_from(body, 'UTF8') like '%"objected"%' order by seq"""
    )
    assert steps(town, case, Track.CONTROLLER)[State.EXECUTING].evidence_sha256 == entry["hash"]


def test_what_nobody_can_carry_out_here_yet_stays_where_it_is(town: Town) -> None:
    asked = {Right.ACCESS: Action.GIVE, Right.RECTIFICATION: Action.RECTIFY}
    cases = [town.decided(town.people[2], right, action) for right, action in asked.items()]
    swept(town, now() + 10 * DAY)
    for case in cases:
        assert (stands(town, case)["principal"], stands(town, case)["center"]) == (State.INSTRUCTED, State.ACCEPTED)


def test_a_controller_that_refuses_is_confirmed_and_nothing_was_done(town: Town) -> None:
    case = town.ask(town.people[2])
    part = part_of(town, case, Track.PROCESSOR)
    assert instruct(town, part, decision="refuse", reason="A17LegalClaims") is InstructionOutcome.INSTRUCTED

    swept(town)

    assert stands(town, case)["principal"] is State.CLOSED
    told, _ = confirmation(town, part)
    assert (told["action"], told["recipients"]) == ("refuse", 0) and "stores" not in told
    assert set(told["text"]) == {"nl", "fr", "en"}


def test_somebody_nobody_knows_is_answered_and_the_case_ends(town: Town) -> None:
    case = town.opened(Right.ERASURE, [(SubjectKind.PHONE, "0470 99 88 77")])
    accept(town, case, Action.ERASE)
    swept(town)
    assert stands(town, case)["center"] is State.RECIPIENTS_NOTIFIED
    take_out(town, case)
    swept(town)
    assert set(stands(town, case).values()) == {State.CLOSED}


def test_a_file_of_the_principal_is_answered_to_the_principal(own: Town) -> None:
    house, people = own.house, own.people[:2]
    asked = {"right": "erasure", "persons": [{"customer": each.record(ENERGY), "phone": each.phone} for each in people]}
    bucket, key = own.desk.settings.bucket_exchange, f"{ENERGY}/requests/batch.json"
    house.objects.put(bucket, key, json.dumps(asked).encode(), "text/json")
    read_requests(house, now())
    [file] = list_files(house.conn, ENERGY)
    case = store.get_case(house.conn, CaseId(str(file.case_id)))
    follow(house, now())
    part = part_of(own, case, Track.PROCESSOR)
    assert instruct(own, part, decision="erase") is InstructionOutcome.INSTRUCTED
    accept(own, case, Action.ERASE)
    let_go(own, case)
    report = run(house, case.case_id, now())
    assert (report.residual, report.doubts, report.waiting) == (0, 0, 0)

    swept(own)

    assert set(stands(own, case).values()) == {State.CLOSED}
    [notice] = own.told(ENERGY)
    assert (notice["persons"], notice["identifiers"]) == (2, []), "it knows whom it named"
    ours = part_of(own, case, Track.CONTROLLER)
    read = json.loads(own.notices(ENERGY)[f"request-{file.version_id}.json"])
    assert notice["case"] == ours.sub_case_id and ours.sub_case_id in read["cases"]
    assert steps(own, case, Track.CONTROLLER)[State.ANSWERED].evidence_sha256 == confirmation(own, ours)[1]


def keys_of(town: Town, case: Case) -> list[str]:
    """What lies under notices/ about the principal's part of a case, without its number."""
    number = of_principal(current(town, case)).sub_case_id
    found = (name.partition(number) for name in town.notices(ENERGY))
    return sorted(f"{before}*{after}" for before, middle, after in found if middle)


def test_an_erasure_waits_for_other_requests_until_they_are_over_and_then_nothing_of_them_is_left(own: Town) -> None:
    person, house = own.people[0], own.house
    refused, restricted, withdrawn = others = [
        own.ask(person, right) for right in (Right.PORTABILITY, Right.RESTRICTION, Right.RECTIFICATION)
    ]
    erasure, somebody = own.decided(person), own.ask(own.people[1], Right.PORTABILITY)
    report = run(house, erasure.case_id, now())
    assert (report.residual, report.doubts, report.waiting) == (0, 0, len(others)), "they are open"
    with pytest.raises(NotProven):
        issue(house, erasure.case_id)
    first = f"case-{of_principal(refused).sub_case_id}.json"
    told = own.notices(ENERGY)[first]

    instruct(own, of_principal(refused), decision="refuse", reason="A12ManifestlyExcessive")
    own.agree(restricted, Action.RESTRICT)
    swept(own)
    withdraw(house.conn, withdrawn.case_id, Order(DESK, now(), "SUBJECT_ASKED", SHA))
    for case in (refused, restricted):
        assert of_principal(current(own, case)).state is State.CLOSED

    report = run(house, erasure.case_id, now())
    assert (report.residual, report.doubts, report.waiting) == (0, 0, 0)
    assert len(issue(house, erasure.case_id)) == 1
    left = [["confirmation-*.json"], ["confirmation-*.json"], ["case-*-withdrawn.json"]]
    assert [keys_of(own, case) for case in others] == left, "what names nobody stays to be read"
    assert "case-*.json" in keys_of(own, somebody), "an open request of somebody else is still told"
    again = f"{ENERGY}/notices/{first}"
    house.objects.put(own.desk.settings.bucket_exchange, again, told, "application/json")
    assert verify(house, erasure.case_id, now()).residual == 1, "control: one that stays is found"
    assert run(house, erasure.case_id, now()).residual == 0


def test_the_clock_takes_it_away_where_nobody_asks_for_an_erasure(town: Town) -> None:
    over, open_one = (town.ask(person, Right.PORTABILITY) for person in town.people[:2])
    assert keys_of(town, over) == keys_of(town, open_one) == ["case-*.json"]
    withdraw(town.house.conn, over.case_id, Order(DESK, now(), "SUBJECT_ASKED", SHA))

    told = follow(town.house, now())

    assert (told.withdrawn, told.failed) == (1, 0)
    assert keys_of(town, over) == ["case-*-withdrawn.json"] and keys_of(town, open_one) == ["case-*.json"]
    assert follow(town.house, now()).withdrawn == 0, "it is told once"
