"""What a person asked to have handed over reaches the next controller, on record, and goes as every copy does."""

import hashlib
import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from pysequoia import Tsk, decrypt

from answers.giving import now
from answers.handing import ENERGY, GOING, NEXT, SOLAR, asked, next_controllers, package_of, sent, there
from answers.handing import street as street  # the fixtures
from answers.handing import streets as streets
from returns.commands import at_terminal, sluice
from rights.town import Town, open_town, papers_of
from sluice.answers.handover import give_to_principals, handed_to, send_on
from sluice.answers.handover_due import hand_owed
from sluice.answers.handover_model import ControllerInvalid, NotAsked
from sluice.answers.model import AnswerKind
from sluice.answers.sweep import make_decided
from sluice.documents.verify import TYPE, verify_receipt
from sluice.exchange.catalogue import find_copies
from sluice.exchange.effects.run import EFFECTS
from sluice.exchange.naming import receipt_stem
from sluice.exchange.read import show_exchange
from sluice.ledger.sign import open_signed, split_flattened
from sluice.lineage.check import check_event
from sluice.lineage.events import closed_event
from sluice.retention.run import retain
from sluice.rights.case.model import Action, Case, CaseId, LetterKind, Right, State, Track
from sluice.rights.case.store import get_case
from sluice.rights.copies import answer_store
from sluice.rights.copies.bench import open_bench
from sluice.rights.copies.model import Target
from sluice.rights.copies.stores import store_of
from sluice.rights.copies.swap import remove
from sluice.rights.due_steps import take_due
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.scan import _index_denies
from sluice.rights.letters.write import open_document
from sluice.rights.person.identifiers import parse_identifier, refs_of
from sluice.rights.requests import read_requests
from sluice.rights.schedule import sweep
from sluice.settings import Settings
from sluice.terms import Decision, Direction
from support.night import AGREEMENT, Edit


def receipt_at(town: Town, bucket: str, stem: str) -> dict[str, Any]:
    """What a receipt says, that verifies with its page."""
    jws, pdf = (town.house.objects.read(bucket, f"{stem}.{end}") for end in ("json", "pdf"))
    assert verify_receipt(jws, town.house.keyring.public_pem, pdf).valid
    said: dict[str, Any] = open_signed(split_flattened(jws), town.house.keyring.public, TYPE)
    return said


def test_it_goes_to_the_next_controller_as_an_exchange_of_its_own_and_the_person_is_told(town: Town) -> None:
    case, person = asked(town, 0), town.people[0]
    with pytest.raises(NotAsked):
        send_on(town.house, case.case_id, "solar01", now())

    handed = sent(town, case)

    shown = show_exchange(town.house.conn, handed.opened.exchange_id)
    record = shown.record
    assert record is not None and record.decision is Decision.ACCEPTED
    assert (record.direction, record.who.recipients) == (Direction.PORTABILITY_ACCESS, ("Solar Nine BV",))
    assert record.why.purposes[0].legal_basis.endswith("A6-1-c") and record.why.instruction_ref == "LETTER-12"
    assert record.who.countries == ("NL",) and record.right_treatment.cases == (case.case_id,)
    assert {column.field_group for column in record.what.columns} >= {"identity", "contact_point"}
    assert record.what.inputs and record.what.rows_in == record.what.rows_accepted > 0
    copies = {copy.kind: copy for copy in find_copies(town.house.conn, handed.opened.exchange_id)}
    assert set(copies) == {"handed.kept", "handed", "index"} and all(copy.delete_after for copy in copies.values())
    assert shown.entry is not None
    check_event(closed_event(record, shown.entry.hash.hex(), town.desk.settings))
    assert town.desk.sql("select effect from outbox where done_at is null") == []
    text = package_of(town, handed)
    assert person.phone in text.text and town.people[1].phone not in text.text
    assert not [name for name in text.files if name.endswith(".pdf")], "the letter is the person's"
    bucket, stem = town.desk.settings.bucket_internal, receipt_stem(handed.opened)
    theirs, ours = (
        receipt_at(town, handed.opened.bucket, f"{handed.opened.key}.receipt"),
        receipt_at(town, bucket, stem),
    )
    assert theirs.keys() == ours.keys() - {"inputs", "agreement", "copies", "role_warnings"}
    assert ours["inputs"] and ours["agreement"]["id"] and ours["copies"], "control: the center's says all of it"
    hidden = [town.desk.settings.bucket_lake, bucket, town.desk.settings.bucket_vault, ours["agreement"]["sha256"]]
    assert [word for word in hidden if word in json.dumps(theirs)] == []
    assert person.phone not in json.dumps(ours)
    assert not [o for o in there(town, "energy01/") if "portability" in o.key], "who is next is not energy01's to know"
    assert hand_owed(town.house, now()) == (0, 0), "it was sent once"
    assert len(there(town, "solar01/outbound/")) == 3
    assert make_decided(town.house, "airflow", now()) == (1, 0)
    for _ in range(2):
        assert sweep(town.house, now()).failed == 0
    told = get_case(town.house.conn, case.case_id)
    letter = next((each for each in told.letters if each.kind is LetterKind.COMPLETION), None)
    assert letter is not None
    assert "Solar Nine BV" in json.dumps(json.loads(open_document(town.house, letter)))


def test_an_erasure_takes_it_from_both_and_the_receiver_is_told(town: Town) -> None:
    first, second = sent(town, asked(town, 0)), sent(town, asked(town, 1))
    assert make_decided(town.house, "airflow", now()) == (2, 0)
    for _ in range(2):
        assert sweep(town.house, now()).failed == 0
    case = town.decided(town.people[0])

    report = run(town.house, case.case_id, now())

    keys = {item.key for item in there(town, "solar01/outbound/")}
    assert first.opened.key not in keys and second.opened.key in keys
    assert (report.residual, report.doubts) == (0, 0)
    left = {copy.kind for copy in find_copies(town.house.conn, first.opened.exchange_id)}
    assert "handed" not in left and "handed.kept" not in left
    sweep(town.house, now())
    names = town.desk.sql(f"select distinct recipient from notice where case_id = '{case.case_id}'")
    assert "Solar Nine BV" in {row["recipient"] for row in names}
    received = {copy.key: copy for copy in answer_store.find_copies(town.house.conn, SOLAR)}
    remove(town.house, received[second.opened.key])
    EFFECTS["delivery"](town.house, second.opened.exchange_id)
    assert not [o for o in there(town, "solar01/outbound/") if o.key == second.opened.key], "it is not put back"


def test_what_a_principal_decides_and_answers_itself_it_gets_as_a_file(town: Town) -> None:
    town.arrive(SOLAR, town.people[:1])
    case = asked(town, 0, Right.ACCESS, Action.GIVE)

    assert hand_owed(town.house, now())[1] == 0

    for name in (ENERGY, SOLAR):
        [handed] = handed_to(town.house, case.case_id, name)
        package = package_of(town, handed)
        other = ENERGY if name == SOLAR else SOLAR
        assert town.people[0].record(name) in package.text and town.people[0].record(other) not in package.text
        assert "call_event" not in package.text.split("data/"), "what the center decides of is not its own"
        assert there(town, f"{name}/receipts/access/")
    for _ in range(2):
        assert sweep(town.house, now()).failed == 0
    parts = get_case(town.house.conn, case.case_id).sub_cases
    states = {part.state for part in parts if part.track is Track.PROCESSOR}
    assert states <= {State.EXECUTED, State.CONFIRMED_TO_CONTROLLER, State.CLOSED}
    assert [one.opened for one in give_to_principals(town.house, case.case_id, AnswerKind.ACCESS, now())]


def test_a_principal_that_asked_by_a_file_of_its_own_gets_its_part(town: Town) -> None:
    said = {"right": "access", "persons": [{"customer": town.people[0].record(ENERGY)}]}
    bucket = town.desk.settings.bucket_exchange
    town.house.objects.put(bucket, "energy01/requests/access-1.json", json.dumps(said).encode(), "application/json")
    read_requests(town.house, now())
    [line] = town.desk.sql("select case_id::text as id from request_file where case_id is not null")
    take_due(town.house, now())
    town.agree(get_case(town.house.conn, CaseId(str(line["id"]))), Action.GIVE)

    assert hand_owed(town.house, now()) == (1, 0)

    [handed] = handed_to(town.house, CaseId(str(line["id"])), ENERGY)
    text = package_of(town, handed).text
    assert town.people[0].record(ENERGY) in text and town.people[1].record(ENERGY) not in text
    assert handed.opened.key.startswith("energy01/outbound/access/access-")


def test_a_principal_whose_certificate_is_away_keeps_no_other_from_its_file(
    store_settings: Settings, tmp_path: Path
) -> None:
    public = Tsk.generate("privacy@principal.example").extract_certificate()
    pin = Edit(AGREEMENT, "pgpKey: null", f"pgpKey: {{file: own.asc, fingerprint: {public.fingerprint.upper()}}}")
    settings = papers_of(store_settings, tmp_path, [ENERGY, SOLAR], pin)
    for name in (ENERGY, SOLAR):
        (settings.principals_dir / name / "own.asc").write_bytes(bytes(public))
    with open_town(settings, tmp_path, [ENERGY, SOLAR], 1) as town:
        for name in (ENERGY, SOLAR):
            town.arrive(name, town.people)
        case = asked(town, 0, Right.ACCESS, Action.GIVE)
        (settings.principals_dir / ENERGY / "own.asc").unlink()

        assert hand_owed(town.house, now()) == (0, 1)
        assert [one.is_there for one in handed_to(town.house, case.case_id, SOLAR)] == [True]
        assert handed_to(town.house, case.case_id, ENERGY) == ()
        with pytest.raises(ControllerInvalid):
            give_to_principals(town.house, case.case_id, AnswerKind.ACCESS, now())
        (settings.principals_dir / ENERGY / "own.asc").write_bytes(bytes(public))
        assert hand_owed(town.house, now()) == (1, 0), "control: it was the certificate"


def received_under_pgp(town: Town, case: Case) -> list[tuple[int, bool]]:
    """Under solar01's prefix: how often a sealed package is found to name its person, and somebody else; denied?"""
    handed = sent(town, case)
    key, found = town.house.subject_key(SOLAR), []
    for person in town.people[1:]:
        refs = frozenset(refs_of((parse_identifier(f"phone:{person.phone}", 1),), key, SOLAR).values())
        with open_bench(town.house, Target(SOLAR, key, refs, (person.phone,), frozenset())) as bench:
            copies = answer_store.find_copies(town.house.conn, SOLAR)
            [copy] = [each for each in copies if each.key == handed.opened.key]
            found.append((store_of(copy).find(bench, copy), _index_denies(bench, copy)))
    return found


def test_under_pgp_only_the_receiver_opens_it_and_an_erasure_finds_it_all_the_same(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    controllers = town.desk.settings.controllers_dir
    secret = Tsk.generate("privacy@next.example")
    public = secret.extract_certificate()
    (controllers / "next02.asc").write_bytes(bytes(public))
    pinned = f"pgpKey: {{file: next02.asc, fingerprint: {public.fingerprint}}}"
    text = NEXT.replace("solar01", "next02").replace("prefix: next02", pinned)
    (controllers / "next02.yaml").write_text(text)
    (controllers / "solar01.yaml").write_text(f"{NEXT}{pinned}\n")
    assert received_under_pgp(town, asked(town, 1)) == [(1, False), (0, True)], "asked under the key of energy01"
    waiting = town.ask(town.people[1], Right.PORTABILITY)
    with at_terminal(town.desk, monkeypatch):
        words = ("export", "portability", waiting.case_id, "--to-controller", "next02")
        assert sluice(*words).error == "SLU-594", "nobody asked"
        assert sluice(*words, "--asked", "LETTER-9").document["handed"] == [], "nobody decided yet"
        town.agree(waiting, Action.EXPORT)
        [told] = sluice(*words).document["handed"]

    assert told["is_there"] and "/_handed/energy01/next02/portability-" in told["where"]
    [handed] = handed_to(town.house, waiting.case_id, "next02")
    content = town.house.objects.read(handed.opened.bucket, handed.opened.key)
    opened = decrypt(content, secret.decryptor()).bytes
    assert hashlib.sha256(opened or b"").hexdigest() == handed.sha256 == told["sha256"]
    assert town.people[1].phone.encode() not in content
    assert make_decided(town.house, "airflow", now()) == (2, 0)
    for _ in range(2):
        assert sweep(town.house, now()).failed == 0

    other = run(town.house, town.decided(town.people[2]).case_id, now())
    assert (other.residual, other.doubts, other.unknown) == (0, 0, ()) and other.sealed >= 1
    assert handed_to(town.house, waiting.case_id, "next02")[0].is_there
    mine = run(town.house, town.decided(town.people[1]).case_id, now())
    assert (mine.residual, mine.doubts) == (0, 0)
    assert not handed_to(town.house, waiting.case_id, "next02")[0].is_there
    assert not [item for item in there(town, "_handed/") if item.key == handed.opened.key]


def test_on_its_last_day_it_goes_from_both_places(store_settings: Settings, tmp_path: Path) -> None:
    settings = next_controllers(papers_of(store_settings, tmp_path, [ENERGY, SOLAR], *GOING), tmp_path)
    with open_town(settings, tmp_path, [ENERGY, SOLAR], 1) as town:
        town.arrive(ENERGY, town.people)
        handed = sent(town, asked(town, 0))
        last = date.fromisoformat(handed.delete_after or "")

        retain(town.house, datetime.combine(last, time(12), UTC), ENERGY)
        assert [item for item in there(town, "solar01/outbound/") if item.key == handed.opened.key]
        retain(town.house, datetime.combine(last, time(12), UTC) + timedelta(days=1), ENERGY)

        assert find_copies(town.house.conn, handed.opened.exchange_id) == []
        assert not [item for item in there(town, "solar01/outbound/") if item.key == handed.opened.key]
        vault = town.desk.settings.bucket_vault
        assert not list(town.house.objects.list_versions(vault, "_handed/"))
