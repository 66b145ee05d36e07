"""A case goes to its end by itself as far as there is evidence, and not one step further."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from rights.town import DESK, SHA, Town, open_town, papers_of, swept
from sluice.ledger.verify import verify as verify_ledger
from sluice.rights.case import store
from sluice.rights.case.history import Step
from sluice.rights.case.model import Action, Case, CaseId, LetterKind, Order, Right, State, SubCase, Track
from sluice.rights.case.steps import decide, settle_identity, withdraw
from sluice.rights.erasure.certificate_check import verify_certificate
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.release import draft, release
from sluice.rights.letters.write import note_opened
from sluice.rights.opening import NewRequest, open_case
from sluice.rights.read_instructions import read_instruction
from sluice.rights.request_store import list_files
from sluice.rights.requests import read_requests
from sluice.rights.schedule import follow, sweep
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind
from sluice.times import BRUSSELS
from support.copies import Copies
from support.night import AGREEMENT, Edit

ENERGY = Principal("energy01")
DAY = timedelta(days=1)
WE_ANSWER = Edit(AGREEMENT, "A17: false", "A17: true")


def planted(settings: Settings, folder: Path, *edits: Edit) -> None:
    """One principal; two of four persons were called and returned. Edits of its agreement come as parameter."""
    settings = papers_of(settings, folder, [ENERGY], *edits)
    with open_town(settings, folder, [ENERGY], 4) as opened:
        opened.arrive(ENERGY, opened.people)
        opened.give_back(ENERGY, opened.people[:2])


@pytest.fixture
def town(copies: Copies, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Town]:
    with (
        copies.of(planted, tmp_path, *getattr(request, "param", ())) as settings,
        open_town(settings, tmp_path, [ENERGY], 4) as opened,
    ):
        yield opened


def now() -> datetime:
    return datetime.now(UTC)


def stands(town: Town, case: Case) -> dict[str, State]:
    """The states of the case and of its parts, by who decides them."""
    found = store.get_case(town.house.conn, case.case_id)
    return {"case": found.state, **{part.controller: part.state for part in found.sub_cases}}


def part_of(town: Town, case: Case, track: Track) -> SubCase:
    found = store.get_case(town.house.conn, case.case_id)
    return next(part for part in found.sub_cases if part.track is track)


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


def test_an_erasure_ends_once_its_letter_was_taken_out_and_each_step_has_its_evidence(town: Town) -> None:
    case = town.decided(town.people[0])
    swept(town)
    assert stands(town, case) == {"case": State.SCOPED, "principal": State.INSTRUCTED, "center": State.ACCEPTED}
    run(town.house, case.case_id, now())

    swept(town)

    assert stands(town, case) == {
        "case": State.SCOPED, "principal": State.CLOSED, "center": State.RECIPIENTS_NOTIFIED,
    }  # fmt: skip
    ours, certificate = part_of(town, case, Track.PROCESSOR), certificate_of(town)
    said, sha256 = confirmation(town, ours)
    assert steps(town, case, Track.PROCESSOR)[State.CONFIRMED_TO_CONTROLLER].evidence_sha256 == sha256
    assert (said["case"], said["action"], said["residual"]) == (ours.sub_case_id, "erase", 0)
    assert {line["store"] for line in said["stores"]} >= {"lake", "subject index"}
    assert said["certificate"]["sha256"] == hashlib.sha256(certificate).hexdigest()
    assert said["certificate"]["file"].rpartition("/")[2] in town.notices(ENERGY)
    text = json.dumps(said)
    assert town.people[0].phone not in text and town.people[0].record(ENERGY) not in text

    letter = take_out(town, case)
    swept(town)

    assert stands(town, case) == {"case": State.CLOSED, "principal": State.CLOSED, "center": State.CLOSED}
    taken = steps(town, case, Track.CONTROLLER)
    assert taken[State.ANSWERED].evidence_sha256 == letter
    assert taken[State.PROVEN].evidence_sha256 == hashlib.sha256(certificate).hexdigest()
    assert verify_certificate(certificate, town.house.keyring.public_pem)["residual"] == 0
    assert verify_ledger(town.house.conn, public_pem=town.house.keyring.public_pem).valid
    before = len(store.list_steps(town.house.conn, case.case_id))
    swept(town, now() + 400 * DAY)
    assert len(store.list_steps(town.house.conn, case.case_id)) == before, "what is over stays over"


def test_an_answer_after_the_last_day_is_a_miss_though_no_sweep_looked_and_one_of_that_day_is_none(town: Town) -> None:
    in_time, late = town.decided(town.people[0]), town.decided(town.people[1])
    for case in (in_time, late):
        run(town.house, case.case_id, now())
    swept(town)
    midnight = datetime.combine(in_time.due.legal_due + DAY, time(), BRUSSELS)
    for case, at in ((in_time, midnight - timedelta(minutes=1)), (late, midnight + timedelta(minutes=1))):
        take_out(town, case, at=at)

    assert sweep(town.house, midnight + timedelta(minutes=5)).finished.closed == 2

    found = [store.get_case(town.house.conn, case.case_id) for case in (in_time, late)]
    assert [(case.state, case.is_breached) for case in found] == [(State.CLOSED, False), (State.CLOSED, True)]
    told = town.desk.sql("select convert_from(body, 'UTF8') as body from ledger.entry where kind = 'case.flagged'")
    flagged = [json.loads(str(each["body"])) for each in told]
    assert [(each["case_id"], each["flag"], each["actor"]) for each in flagged] == [
        (late.case_id, "BREACHED_DEADLINE", "sluice")
    ]


def test_a_sweep_between_an_answer_and_its_booking_flags_only_what_nobody_had_by_the_last_day(town: Town) -> None:
    in_time, late, waiting = cases = [town.decided(person) for person in town.people[:3]]
    for case in cases:
        run(town.house, case.case_id, now())
    swept(town)
    midnight = datetime.combine(in_time.due.legal_due + DAY, time(), BRUSSELS)
    for case, at in ((in_time, midnight - timedelta(minutes=1)), (late, midnight + timedelta(minutes=1))):
        take_out(town, case, at=at)

    looked = [follow(town.house, midnight + timedelta(minutes=minutes)) for minutes in (2, 3)]
    assert [(each.breached, each.failed) for each in looked] == [(2, 0), (0, 0)], "the controls: late, and no answer"
    assert sweep(town.house, midnight + timedelta(days=3)).finished.closed == 2, "booked days later"

    found = [store.get_case(town.house.conn, case.case_id) for case in (in_time, late, waiting)]
    assert [case.is_breached for case in found] == [False, True, True]


def test_a_request_taken_back_after_its_last_day_was_missed_too(town: Town) -> None:
    conn, cases = town.house.conn, [town.ask(person) for person in town.people[:2]]
    last = datetime.combine(cases[0].due.legal_due, time(12), BRUSSELS)
    ended = [
        withdraw(conn, case.case_id, Order(DESK, last + days * DAY, "SUBJECT_ASKED", SHA))
        for days, case in enumerate(cases)
    ]
    assert [case.is_breached for case in ended] == [False, True]


def certificate_of(town: Town) -> bytes:
    every = town.notices(ENERGY)
    return next(content for name, content in every.items() if name.startswith("erasure-certificate"))


def test_no_answer_is_assumed_and_no_proof(town: Town) -> None:
    unproven, unanswered = town.decided(town.people[0]), town.decided(town.people[1])
    run(town.house, unanswered.case_id, now())
    swept(town, now() + 400 * DAY)
    assert stands(town, unproven)["center"] is State.ACCEPTED
    assert stands(town, unanswered)["center"] is State.RECIPIENTS_NOTIFIED
    assert stands(town, unanswered)["case"] is State.SCOPED


@pytest.mark.parametrize("town", [[WE_ANSWER]], indirect=True)
def test_where_the_agreement_lets_us_answer_the_person_comes_before_the_controller(town: Town) -> None:
    case = town.decided(town.people[0])
    run(town.house, case.case_id, now())
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


@pytest.mark.parametrize(
    ("right", "action"), [(Right.ACCESS, Action.GIVE), (Right.RECTIFICATION, Action.RECTIFY)], ids=lambda w: str(w)
)
def test_what_nobody_can_carry_out_here_yet_stays_where_it_is(town: Town, right: Right, action: Action) -> None:
    case = town.decided(town.people[2], right, action)
    swept(town, now() + 10 * DAY)
    assert stands(town, case)["principal"] is State.INSTRUCTED and stands(town, case)["center"] is State.ACCEPTED


def test_a_controller_that_refuses_is_confirmed_and_nothing_was_done(town: Town) -> None:
    case = town.ask(town.people[2])
    part = part_of(town, case, Track.PROCESSOR)
    said = {"case": part.sub_case_id, "decision": "refuse", "reason": "A17LegalClaims"}
    bucket, key = town.desk.settings.bucket_exchange, f"{ENERGY}/requests/instruction-no.json"
    stored = town.house.objects.put(bucket, key, json.dumps(said).encode(), "text/json")
    read_instruction(town.house, ENERGY, stored, now())

    swept(town)

    assert stands(town, case)["principal"] is State.CLOSED
    told, _ = confirmation(town, part)
    assert (told["action"], told["recipients"]) == ("refuse", 0) and "stores" not in told
    assert set(told["text"]) == {"nl", "fr", "en"}


def test_somebody_nobody_knows_is_answered_and_the_case_ends(town: Town) -> None:
    case = open_case(
        town.house,
        NewRequest(Right.ERASURE, [(SubjectKind.PHONE, "0470 99 88 77")], None, now(), "letter", "nl", DESK),
        now(),
    )
    settle_identity(town.house.conn, case.case_id, True, Order(DESK, now(), "IDENTITY_SHOWN", SHA))
    decide(town.house.conn, case.case_id, State.ACCEPTED, Order(DESK, now(), "ACCEPTED", SHA, action=Action.ERASE))
    swept(town)
    assert stands(town, case)["center"] is State.RECIPIENTS_NOTIFIED
    take_out(town, case)
    swept(town)
    assert set(stands(town, case).values()) == {State.CLOSED}


def test_a_file_of_the_principal_is_answered_to_the_principal(town: Town) -> None:
    house, people = town.house, town.people[:2]
    asked = {"right": "erasure", "persons": [{"customer": each.record(ENERGY), "phone": each.phone} for each in people]}
    bucket, key = town.desk.settings.bucket_exchange, f"{ENERGY}/requests/batch.json"
    house.objects.put(bucket, key, json.dumps(asked).encode(), "text/json")
    read_requests(house, now())
    [file] = list_files(house.conn, ENERGY)
    case = store.get_case(house.conn, CaseId(str(file.case_id)))
    follow(house, now())
    part = part_of(town, case, Track.PROCESSOR)
    said = json.dumps({"case": part.sub_case_id, "decision": "erase"}).encode()
    stored = house.objects.put(bucket, f"{ENERGY}/requests/instruction-b.json", said, "text/json")
    read_instruction(house, ENERGY, stored, now())
    decide(house.conn, case.case_id, State.ACCEPTED, Order(DESK, now(), "ACCEPTED", SHA, action=Action.ERASE))
    draft(house, case.case_id, "airflow", now())
    release(house, case.case_id, "bert", now())
    report = run(house, case.case_id, now())
    assert (report.residual, report.doubts, report.waiting) == (0, 0, 0)

    swept(town)

    assert set(stands(town, case).values()) == {State.CLOSED}
    [notice] = town.told(ENERGY)
    assert (notice["persons"], notice["identifiers"]) == (2, []), "it knows whom it named"
    ours = part_of(town, case, Track.CONTROLLER)
    read = json.loads(town.notices(ENERGY)[f"request-{file.version_id}.json"])
    assert notice["case"] == ours.sub_case_id and ours.sub_case_id in read["cases"]
    assert steps(town, case, Track.CONTROLLER)[State.ANSWERED].evidence_sha256 == confirmation(town, ours)[1]
