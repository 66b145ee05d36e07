"""An answer goes to a controller: the next one if the person asked, its own principal if that answers itself."""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from pysequoia import Tsk, decrypt

from answers.giving import Package, now
from answers.test_portability import BY_CONTRACT, GOING
from night import AGREEMENT, Edit, change
from returns.commands import at_terminal, sluice
from rights.town import DESK, Town, open_town, papers_of
from sluice.answers.handover import _open, ask_handover, give_to_principals, handed_to, send_on
from sluice.answers.handover_due import hand_owed
from sluice.answers.handover_model import ControllerInvalid, Handed, Handover, NotAsked
from sluice.answers.handover_record import NOTHING_LEFT
from sluice.answers.model import AnswerKind, ErasedMeanwhile, NothingPortable
from sluice.answers.next_controller import load_controller
from sluice.answers.sweep import make_decided
from sluice.db import connect
from sluice.documents.verify import TYPE, verify_receipt
from sluice.exchange.catalogue import find_copies
from sluice.exchange.effects.run import EFFECTS
from sluice.exchange.locks import try_lock
from sluice.exchange.model import Opened
from sluice.exchange.naming import receipt_stem
from sluice.exchange.read import show_exchange
from sluice.lake.s3.objects import StoredObject
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
from sluice.rights.erasure import control_store
from sluice.rights.erasure.certificate import NotProven, issue
from sluice.rights.erasure.erase import run, verify
from sluice.rights.erasure.scan import _index_denies
from sluice.rights.letters.write import open_document
from sluice.rights.person.identifiers import parse_identifier, refs_of
from sluice.rights.requests import read_requests
from sluice.rights.schedule import sweep
from sluice.settings import Settings
from sluice.terms import Decision, Direction, ExchangeId, Principal

ENERGY, SOLAR = Principal("energy01"), Principal("solar01")
NEXT = """controller: solar01
name: Solar Nine BV
country: NL
prefix: solar01
verified: {by: an.peeters, on: 2026-11-20, how: "signed letter, called back on the number of the register"}
"""


def with_controllers(settings: Settings, folder: Path, **files: str) -> Settings:
    """The installation with these next controllers."""
    place = folder / "controllers"
    place.mkdir()
    for code, text in files.items():
        (place / f"{code}.yaml").write_text(text)
    return settings.model_copy(update={"controllers_dir": place})


def next_controllers(settings: Settings, folder: Path) -> Settings:
    """solar01 is a next controller that receives under its prefix."""
    return with_controllers(settings, folder, solar01=NEXT)


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    """energy01 lets us answer, and what it does is done for a contract with the person; solar01 is next."""
    settings = papers_of(store_settings, tmp_path, [ENERGY, SOLAR], *GOING)
    with open_town(next_controllers(settings, tmp_path), tmp_path, [ENERGY, SOLAR], 3) as opened:
        opened.arrive(ENERGY, opened.people)
        opened.give_back(ENERGY, opened.people)
        yield opened


def asked(town: Town, number: int, right: Right = Right.PORTABILITY, action: Action = Action.EXPORT) -> Case:
    return town.decided(town.people[number], right, action)


def sent(town: Town, case: Case, reference: str = "LETTER-12") -> Handed:
    ask_handover(town.house, case.case_id, "solar01", reference, now(), DESK)
    [handed] = send_on(town.house, case.case_id, "solar01", now())
    return handed


def there(town: Town, prefix: str) -> list[StoredObject]:
    return list(town.house.objects.list_versions(town.desk.settings.bucket_exchange, prefix))


def package_of(town: Town, handed: Handed) -> Package:
    content = town.house.objects.read(handed.opened.bucket, handed.opened.key)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return Package({name: archive.read(name) for name in archive.namelist()})


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
    [received] = answer_store.find_copies(town.house.conn, SOLAR)
    remove(town.house, received)
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
    sent(town, case)
    key, found = town.house.subject_key(SOLAR), []
    for person in town.people[1:]:
        refs = frozenset(refs_of((parse_identifier(f"phone:{person.phone}", 1),), key, SOLAR).values())
        with open_bench(town.house, Target(SOLAR, key, refs, (person.phone,), frozenset())) as bench:
            [copy] = answer_store.find_copies(town.house.conn, SOLAR)
            found.append((store_of(copy).find(bench, copy), _index_denies(bench, copy)))
    return found


def test_under_pgp_only_the_receiver_opens_it_and_an_erasure_finds_it_all_the_same(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = Tsk.generate("privacy@next.example")
    public = secret.extract_certificate()
    (tmp_path / "controllers" / "next02.asc").write_bytes(bytes(public))
    pinned = f"pgpKey: {{file: next02.asc, fingerprint: {public.fingerprint}}}"
    text = NEXT.replace("solar01", "next02").replace("prefix: next02", pinned)
    (tmp_path / "controllers" / "next02.yaml").write_text(text)
    (tmp_path / "controllers" / "solar01.yaml").write_text(f"{NEXT}{pinned}\n")
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


def left_open(town: Town, number: int, erasure: Case) -> tuple[Case, ExchangeId]:
    """A case whose answer gave up because an erasure ran, and the exchange of that answer."""
    answer = asked(town, number)
    control_store.begin_run(town.house.conn, erasure.case_id)
    with pytest.raises(ErasedMeanwhile):
        sent(town, answer)
    [left] = [line.id for line in town.desk.lines() if line.decision == "open"]
    return answer, ExchangeId(left)


def test_an_answer_to_a_controller_and_an_erasure_do_not_wait_for_each_other(town: Town) -> None:
    erasure = asked(town, 1, Right.ERASURE, Action.ERASE)
    answer, left = left_open(town, 0, erasure)
    assert hand_owed(town.house, now()) == (0, 0), "it waits for the erasure, which is no failure"

    assert run(town.house, erasure.case_id, now()).waiting == 0
    assert issue(town.house, erasure.case_id)

    [handed] = send_on(town.house, answer.case_id, "solar01", now())
    assert handed.opened.exchange_id == left and town.people[0].phone in package_of(town, handed).text


def test_an_erasure_waits_for_another_request_of_the_same_person_and_keeps_no_other_erasure(town: Town) -> None:
    erasure = asked(town, 0, Right.ERASURE, Action.ERASE)
    answer, _ = left_open(town, 0, erasure)

    report = run(town.house, erasure.case_id, now())

    assert (report.residual, report.doubts, report.waiting) == (0, 0, 1), "what told energy01 of the other request"
    with pytest.raises(NotProven):
        issue(town.house, erasure.case_id)
    other = asked(town, 1, Right.ERASURE, Action.ERASE)
    assert run(town.house, other.case_id, now()).waiting == 0, "nobody else waits"
    [handed] = send_on(town.house, answer.case_id, "solar01", now())
    ended = show_exchange(town.house.conn, handed.opened.exchange_id).record
    assert ended is not None and ended.decision is not Decision.ACCEPTED
    assert not there(town, "solar01/outbound/"), "of a person who was erased nothing goes"
    town.house.conn.execute("update sub_case set state = 'CLOSED' where case_id = %s", (answer.case_id,))
    assert verify(town.house, erasure.case_id, now()).residual == 1, "control: of a case that is over it is a residue"
    assert run(town.house, erasure.case_id, now()).residual == 0, "the next run takes it away"
    assert issue(town.house, erasure.case_id)


def test_nothing_is_certified_while_an_answer_is_being_made_whenever_it_was_opened(town: Town) -> None:
    erasure = asked(town, 0, Right.ERASURE, Action.ERASE)
    answer, left = left_open(town, 1, erasure)
    for again in (run, verify):  # the second time, it was opened before; the third, after the person was kept out
        with connect(town.desk.settings) as beside, try_lock(beside, left) as is_ours:
            assert is_ours and again(town.house, erasure.case_id, now()).waiting == 1
            with pytest.raises(NotProven):
                issue(town.house, erasure.case_id)
    town.house.conn.execute("update exchange set opened_at = now() where exchange_id = %s", (left,))
    with connect(town.desk.settings) as beside, try_lock(beside, left):
        assert verify(town.house, erasure.case_id, now()).waiting == 1
    assert run(town.house, erasure.case_id, now()).waiting == 0
    assert issue(town.house, erasure.case_id)

    [handed] = send_on(town.house, answer.case_id, "solar01", now())
    assert handed.opened.exchange_id == left and town.people[1].phone in package_of(town, handed).text


def test_what_was_left_open_of_a_case_that_is_over_ends_without_a_package_and_keeps_no_other_waiting(
    town: Town,
) -> None:
    """A key that no rule can read stands for a fault that nobody foresaw; it is met first."""
    receiver, opened = load_controller(town.desk.settings, "solar01", now()), list[Opened]()
    for number in (0, 1):
        case = asked(town, number)
        handover = Handover(case.case_id, AnswerKind.PORTABILITY, ENERGY, receiver)
        opened.append(_open(town.house, handover, None, now()))
        town.desk.sql(f"update subject_case set state = 'CLOSED' where case_id = '{case.case_id}' returning 1")
    broken, whole = opened
    town.desk.sql(f"update exchange set key = 'x' where exchange_id = '{broken.exchange_id}' returning 1")
    waiting = asked(town, 2)
    ask_handover(town.house, waiting.case_id, "solar01", "LETTER-3", now(), DESK)

    assert hand_owed(town.house, now()) == (1, 1)

    assert show_exchange(town.house.conn, broken.exchange_id).record is None
    record = show_exchange(town.house.conn, whole.exchange_id).record
    assert record is not None and (record.decision, record.reason_code) == (Decision.REFUSED, NOTHING_LEFT)
    [handed] = handed_to(town.house, waiting.case_id, "solar01")
    assert [o.key for o in there(town, "solar01/outbound/") if o.key.endswith(".zip")] == [handed.opened.key]


def test_a_principal_of_which_nothing_may_be_taken_along_keeps_no_other_waiting(
    store_settings: Settings, tmp_path: Path
) -> None:
    """energy01 comes first, and its data rests on no contract with the person."""
    settings = papers_of(store_settings, tmp_path, [ENERGY, SOLAR], *GOING)
    for edit in BY_CONTRACT:
        change(settings.principals_dir / ENERGY / edit.file, edit.new, edit.old)
    text = NEXT.replace("solar01", "next02").replace("prefix: next02", "prefix: telecom01")
    with open_town(with_controllers(settings, tmp_path, next02=text), tmp_path, [ENERGY, SOLAR], 2) as town:
        town.arrive(ENERGY, town.people)
        town.arrive(SOLAR, town.people[:1])
        case = asked(town, 0)
        ask_handover(town.house, case.case_id, "next02", "LETTER-4", now(), DESK)

        assert hand_owed(town.house, now()) == (1, 0)

        [handed] = handed_to(town.house, case.case_id, "next02")
        assert handed.opened.principal == SOLAR and handed.is_there
        assert case.sub_cases[0].principal == ENERGY
        other = asked(town, 1)
        ask_handover(town.house, other.case_id, "next02", "LETTER-5", now(), DESK)
        with pytest.raises(NothingPortable):
            send_on(town.house, other.case_id, "next02", now())


def test_on_its_last_day_it_goes_from_both_places(town: Town) -> None:
    handed = sent(town, asked(town, 0))
    last = date.fromisoformat(handed.delete_after or "")

    retain(town.house, datetime.combine(last, time(12), UTC), ENERGY)
    assert [item for item in there(town, "solar01/outbound/") if item.key == handed.opened.key]
    retain(town.house, datetime.combine(last, time(12), UTC) + timedelta(days=1), ENERGY)

    assert find_copies(town.house.conn, handed.opened.exchange_id) == []
    assert not [item for item in there(town, "solar01/outbound/") if item.key == handed.opened.key]
    vault = town.desk.settings.bucket_vault
    assert not list(town.house.objects.list_versions(vault, "_handed/"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("country: NL", "country: US"),
        ("prefix: solar01", "prefix: nobody01"),
        ("prefix: solar01\n", ""),
        ("2026-11-20", "2036-11-20"),
        ("controller: solar01", "controller: other"),
        ("name: Solar Nine BV\n", ""),
        ("prefix: solar01", "pgpKey: {file: gone.asc, fingerprint: '" + "ab" * 20 + "'}"),
    ],
)
def test_a_controller_that_nobody_verified_gets_nothing(tmp_path: Path, old: str, new: str) -> None:
    settings = Settings(principals_dir=tmp_path / "principals")
    (tmp_path / "principals" / "solar01").mkdir(parents=True)
    assert load_controller(with_controllers(settings, tmp_path, solar01=NEXT), "solar01", now()).place == "solar01"
    broken = settings.model_copy(update={"controllers_dir": tmp_path / "controllers"})
    (tmp_path / "controllers" / "solar01.yaml").write_text(NEXT.replace(old, new))
    with pytest.raises(ControllerInvalid):
        load_controller(broken, "solar01", now())


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("country: NL", "country: nl", "line 3; key country; rule a text does not have its form: two capital letters"),
        ("verified:", "verifed:", "line 5; key verifed; rule a key is not known: perhaps verified"),
        (
            "on: 2026-11-20",
            "on: 20/11/2026",
            "key verified.on; rule a value has the wrong type: a day",
        ),
        ("country: NL", "\tcountry: NL", "line 3; rule the file is not YAML: column 1: a tab"),
    ],
)
def test_what_is_wrong_with_the_file_of_a_controller_is_told(tmp_path: Path, old: str, new: str, told: str) -> None:
    settings = with_controllers(Settings(), tmp_path, solar01=NEXT.replace(old, new))

    with pytest.raises(ControllerInvalid) as refused:
        load_controller(settings, "solar01", now())

    assert "file solar01.yaml; line " in str(refused.value) and told in str(refused.value)
