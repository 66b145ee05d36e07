"""What principals put under ``requests/``: batches that open cases, instructions that are followed or not."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn, TypeVar

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from desk import Desk
from returns.deliveries import at_once, open_shops
from sluice.agreement.in_force.activate import activate_all
from sluice.exchange.house import House, open_house
from sluice.lake.s3.objects import ObjectStore, StoredObject
from sluice.ledger.append import canonical
from sluice.ledger.record import Part
from sluice.ledger.sign import sign
from sluice.rights import requests
from sluice.rights.case import store
from sluice.rights.case.model import Action, Actor, Right, Role, State, SubCase, Track
from sluice.rights.case.reasons import iri
from sluice.rights.due_steps import take_due
from sluice.rights.instruction import KEY_FILE, TYPE, parse_instruction
from sluice.rights.opening import NewRequest, open_case
from sluice.rights.person.identifiers import Identifier
from sluice.rights.person.request_file import MOST_PERSONS, Asked, FileOutcome, RowFault, judge_rows, parse_request
from sluice.rights.person.sealed import find_sealed
from sluice.rights.request_store import list_files
from sluice.rights.requests import RequestSweep, read_requests
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind
from sluice.times import brussels_day

T = TypeVar("T")
DESK = Actor(Role.DESK, "anna")
UNKNOWN = "7b0d3f1e-2c00-4e51-9d44-1f0c5f3a7b10"


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path) -> Iterator[Desk]:
    with open_house(store_settings) as house:
        activate_all(house.conn, store_settings.principals_dir, datetime(2026, 1, 2, tzinfo=UTC))
        yield Desk(house, tmp_path)


def put(desk: Desk, name: str, content: bytes | dict[str, object], principal: str = "energy01") -> StoredObject:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return desk.house.objects.put(desk.settings.bucket_exchange, f"{principal}/requests/{name}", body, "x/y")


def sweep(desk: Desk) -> RequestSweep:
    now = datetime.now(UTC)
    return read_requests(desk.house, now)


def notice(desk: Desk, kind: str, item: StoredObject, principal: str = "energy01") -> dict[str, object]:
    key = f"{principal}/notices/{kind}-{item.version_id}.json"
    return dict(json.loads(desk.house.objects.read(desk.settings.bucket_exchange, key)))


def asked(desk: Desk, right: Right = Right.ERASURE, principal: str = "energy01") -> SubCase:
    """A person's request, forwarded; the part its principal is to instruct on."""
    now = datetime.now(UTC)
    phone = [(SubjectKind.PHONE, "0470123456")]
    case = open_case(desk.house, NewRequest(right, phone, Principal(principal), now, "mail", "nl", DESK), now)
    assert take_due(desk.house, now).forwarded == 1
    return next(part for part in case.sub_cases if part.track is Track.PROCESSOR)


def persons(count: int) -> list[dict[str, str]]:
    return [{"customer": f"C-{number:06}", "phone": f"0470 {number:06}"} for number in range(count)]


def states(desk: Desk, part: SubCase) -> State:
    found = store.find_part(desk.house.conn, part.sub_case_id)
    assert found is not None
    return found.state


def test_a_json_names_persons_and_counts_rows_that_name_nobody() -> None:
    rows: list[object] = [
        {"phone": "0470 12 34 56"},
        {"phone": "not a phone"},
        {"customer": "n/a"},
        {"customer": "C-1", "email": None},
        {"phone": "+32 470 12 34 56"},
        [],
        {"customer": True},
        {"iban": "BE12 3456"},
    ]
    read = parse_request("x.json", json.dumps({"right": "erasure", "persons": rows}).encode())

    assert isinstance(read, Asked)
    assert [tuple(each.kind for each in person) for person in read.persons] == [
        (SubjectKind.PHONE,),
        (SubjectKind.PRINCIPAL_CUSTOMER_ID,),
    ]
    assert set(read.faults) == {
        RowFault("VALUE_INVALID_IDENTIFIER", "phone", 1, (2,)),
        RowFault("VALUE_INVALID_IDENTIFIER", "iban", 1, (8,)),
        RowFault("VALUE_NAMES_NOBODY", None, 3, (3, 6, 7)),
        RowFault("DUPLICATE_PERSON", None, 1, (5,)),
    }


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_a_csv_takes_its_right_from_its_name(delimiter: str) -> None:
    text = "\r\n".join(delimiter.join(row) for row in (["customer", "Phone"], ["C-1", ""], ["C-2", "0470123456"]))
    read = parse_request("a/requests/direct_marketing-2026.csv", b"\xef\xbb\xbf" + text.encode())
    assert isinstance(read, Asked) and read.right is Right.DIRECT_MARKETING and len(read.persons) == 2


@pytest.mark.parametrize(
    ("name", "content", "outcome"),
    [
        ("x.json", b"", FileOutcome.UNREADABLE),
        ("x.json", b"\xff\xfe", FileOutcome.UNREADABLE),
        ("x.json", b"[" * 50_000, FileOutcome.UNREADABLE),
        ("x.json", b'{"right": "erasure"}', FileOutcome.UNREADABLE),
        ("x.json", b'{"right": "erasure", "persons": [{"customer": "C-\\ud800"}]}', FileOutcome.UNREADABLE),
        ("x.json", b'{"right": "erasure", "persons": [{"\\udfff": "C"}]}', FileOutcome.UNREADABLE),
        ("x.json", b'{"right": "erasure", "persons": {}}', FileOutcome.UNREADABLE),
        ("x.json", b'{"right": "erasure", "persons": [], "note": "x"}', FileOutcome.UNREADABLE),
        ("x.json", b'{"right": "oblivion", "persons": []}', FileOutcome.UNKNOWN_RIGHT),
        ("x.json", b'{"right": ["erasure"], "persons": []}', FileOutcome.UNKNOWN_RIGHT),
        ("x.json", b'{"right": "erasure", "persons": [{"shoe": "42"}]}', FileOutcome.UNKNOWN_COLUMN),
        ("x.json", b'{"right": "erasure", "received": "25/11/2026", "persons": []}', FileOutcome.BAD_DATE),
        ("x.json", b'{"right": "erasure", "language": "de", "persons": []}', FileOutcome.BAD_LANGUAGE),
        ("erasure-1.csv", b"", FileOutcome.UNKNOWN_COLUMN),
        ("erasure-1.csv", b"phone;phone\n1;2", FileOutcome.UNKNOWN_COLUMN),
        ("erasure-1.csv", b"phone;name\n1;2", FileOutcome.UNKNOWN_COLUMN),
        ("erasure-1.csv", b"name\nJan", FileOutcome.UNKNOWN_COLUMN),
        ("x.json", b'{"right": "erasure", "persons": [], "purposes": ["DirectMarketing"]}', FileOutcome.BAD_PURPOSE),
        ("x.json", b'{"right": "objection", "persons": [], "purposes": ["Fun"]}', FileOutcome.BAD_PURPOSE),
        ("x.json", b'{"right": "objection", "persons": [], "purposes": "DirectMarketing"}', FileOutcome.BAD_PURPOSE),
        ("x.json", b'{"right": "objection", "persons": [], "channel": "fax"}', FileOutcome.BAD_PURPOSE),
        ("erasure-1.csv", b'phone;email\n"x', FileOutcome.UNREADABLE),
        ("today.csv", b"phone;email\n0470123456;", FileOutcome.UNKNOWN_RIGHT),
        ("erasure-1.xlsx", b"PK", FileOutcome.UNREADABLE),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_file_that_cannot_be_followed_says_why(name: str, content: bytes, outcome: FileOutcome) -> None:
    assert parse_request(name, content) is outcome


def test_a_file_names_purposes_and_a_channel() -> None:
    said = {"right": "consent_withdrawal", "persons": [{"phone": "0470123456"}], "purposes": ["DirectMarketing"]}
    read = parse_request("x.json", json.dumps(said | {"channel": "phone"}).encode())
    assert isinstance(read, Asked)
    assert (read.purposes, read.channel) == (("https://w3id.org/dpv#DirectMarketing",), "voice")


def test_a_file_of_a_name_and_a_birth_date_seeks_one_person() -> None:
    rows = [{"name": "Jan", "birth_date": "never"}, {"name": "Jan Peeters", "birth_date": "1980-04-03"}]
    more = {"name": "An Claes", "birth_date": "03/04/1981"}
    read = parse_request("x.json", json.dumps({"right": "erasure", "persons": [*rows, more]}).encode())
    assert isinstance(read, Asked) and read.sought is not None and read.persons == ()
    assert (read.sought.name, read.sought.birth_date) == ("Jan Peeters", "1980-04-03")
    assert {(fault.code, fault.rows) for fault in read.faults} == {
        ("VALUE_NAMES_NOBODY", (1,)), ("SHAPE_ONE_NAME_A_FILE", (3,)),
    }  # fmt: skip
    assert "Peeters" not in repr(read)


@pytest.mark.slow
def test_a_hundred_thousand_persons_are_read_and_one_more_is_not() -> None:
    lines = [f"C-{number};0470{number:06}" for number in range(MOST_PERSONS)]
    started = time.monotonic()
    read = parse_request("erasure-all.csv", "\n".join(["customer;phone", *lines]).encode())
    assert isinstance(read, Asked) and len(read.persons) == MOST_PERSONS and read.refused == 0
    assert time.monotonic() - started < 60
    assert parse_request("erasure-all.csv", "\n".join(["customer", *lines, "C"]).replace(";", "").encode()) is (
        FileOutcome.TOO_MANY_PERSONS
    )


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.dictionaries(st.sampled_from(["phone", "customer", "iban"]), st.text(max_size=12)), max_size=8))
def test_every_row_is_a_person_or_counted(rows: list[dict[str, str]]) -> None:
    found, faults = judge_rows(rows)
    assert len(found) + sum(fault.count for fault in faults) == len(rows)
    assert all(isinstance(each, Identifier) for person in found for each in person)


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(["x.json", "erasure-1.csv", "x"]), content=st.binary(max_size=80))
def test_whatever_lies_there_is_read_or_refused_and_never_fails(name: str, content: bytes) -> None:
    assert isinstance(parse_request(name, content), Asked | FileOutcome)


@pytest.mark.parametrize(
    "said",
    [
        None,
        [],
        {"case": UNKNOWN},
        {"case": "x", "decision": "erase"},
        {"case": UNKNOWN, "decision": "forget"},
        {"case": UNKNOWN, "decision": "erase", "note": "please"},
        {"case": UNKNOWN, "decision": "erase", "fields": "identity"},
        {"case": UNKNOWN, "decision": "refuse", "reasons": ["x"]},
        {"case": UNKNOWN, "decision": ["erase"]},
        {"case": 7, "decision": "erase"},
    ],
    ids=str,
)
def test_anything_else_is_no_instruction(said: object) -> None:
    assert parse_instruction(said, datetime.now(UTC)) is None


def test_a_batch_opens_one_case_once_and_its_controller_vouches(desk: Desk) -> None:
    item = put(desk, "erasure-0470123456.csv", b"customer;phone\nC-1;0470123456\nC-2;\n;nonsense\n")

    first, again = sweep(desk), sweep(desk)

    assert (first.requests, again.requests, first.failed) == ({"READ": 1}, {}, 0)
    (case,) = store.list_cases(desk.house.conn)
    assert (case.persons, case.state, case.principal, case.channel) == (2, State.SCOPED, "energy01", "file")
    told = notice(desk, "request", item)
    assert (told["persons"], told["rows_refused"], told["outcome"]) == (2, 1, "READ")
    assert told["reasons"] == [{"code": "VALUE_INVALID_IDENTIFIER", "column": "phone", "count": 1, "rows": [3]}]
    assert sorted(told["cases"]) == sorted(part.sub_case_id for part in case.sub_cases)  # type: ignore[call-overload]
    kept = desk.sql("select t::text from request_file t union all select convert_from(body, 'UTF8') from ledger.entry")
    assert "0470123456" not in str(kept), "not even by the name of the file"
    assert len(desk.sql("select 1 from suppression_run")) == 1
    take_due(desk.house, datetime.now(UTC))
    part = next(part for part in case.sub_cases if part.track is Track.PROCESSOR)
    key = f"energy01/notices/case-{part.sub_case_id}.json"
    assert json.loads(desk.house.objects.read(desk.settings.bucket_exchange, key))["identifiers"] == []


def test_a_batch_of_a_thousand_is_one_case_and_one_instruction(desk: Desk) -> None:
    put(desk, "november.json", {"right": "erasure", "received": "2026-11-20", "persons": persons(1000)})
    sweep(desk)
    take_due(desk.house, datetime.now(UTC))
    (case,) = store.list_cases(desk.house.conn)
    sealed = find_sealed(desk.house, case.subject_key)
    assert sealed is not None and len(sealed.envelope.persons) == 1000 == case.persons
    part = next(part for part in case.sub_cases if part.track is Track.PROCESSOR)

    item = put(desk, "instruction-1.json", {"case": part.sub_case_id, "decision": "erase"})

    assert sweep(desk).instructions == {"INSTRUCTED": 1}
    followed = store.find_part(desk.house.conn, part.sub_case_id)
    assert followed is not None and (followed.state, followed.action) == (State.INSTRUCTED, Action.ERASE)
    assert set(followed.action_fields) == set(part.field_groups)
    assert notice(desk, "instruction", item)["outcome"] == "INSTRUCTED"


def test_a_dead_reader_is_finished_and_nothing_is_twice(desk: Desk) -> None:
    item = put(desk, "erasure-1.csv", b"phone\n0470123456\n")
    desk.house.conn.execute("begin")
    sweep(desk)
    desk.house.conn.execute("rollback")
    bucket = desk.settings.bucket_exchange
    left = desk.house.objects.head(bucket, f"energy01/notices/request-{item.version_id}.json")
    assert left is not None
    assert sweep(desk).failed == 0
    assert len(store.list_cases(desk.house.conn)) == 1
    (file,) = list_files(desk.house.conn, "energy01")
    assert file.case_id == store.list_cases(desk.house.conn)[0].case_id


class Dying(ObjectStore):
    """The real store, of a worker that dies before or after its n-th request."""

    def __init__(self, settings: Settings, dies_at: int, *, before: bool) -> None:
        super().__init__(settings)
        self.left, self.before = dies_at, before

    def _try(self, operation: str, bucket: str, attempt: Callable[[], T]) -> T:
        self.left -= 1
        if self.left == 0 and self.before:
            raise KeyboardInterrupt
        try:
            return super()._try(operation, bucket, attempt)
        finally:
            if self.left == 0:  # whatever the answer was: that there is no such object is one too
                raise KeyboardInterrupt


def work(house: House, now: datetime) -> None:
    """What the schedule does."""
    read_requests(house, now)
    take_due(house, now)


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_a_worker_that_dies_at_any_request_to_the_store_is_finished(desk: Desk, before: bool) -> None:
    now, deaths = datetime.now(UTC), 0
    for point in range(1, 200):
        put(desk, f"erasure-{point}.csv", f"phone\n0470{point:06}\n".encode())
        try:
            work(replace(desk.house, objects=Dying(desk.settings, point, before=before)), now)
        except KeyboardInterrupt:
            deaths += 1
            work(desk.house, now)
        else:
            break
        cases = store.list_cases(desk.house.conn)
        assert len(cases) == point
        assert {part.state for case in cases for part in case.sub_cases if part.track is Track.PROCESSOR} == {
            State.AWAITING_INSTRUCTION
        }
    bucket = desk.settings.bucket_exchange
    keys = [item.key for item in desk.house.objects.list_versions(bucket, "energy01/notices/")]
    assert len(keys) == len(set(keys)) == 2 * (deaths + 1), "one answer and one notice each, written once"
    steps = desk.sql("select case_id, sub_case_id, to_state from case_transition")
    assert len(steps) == len({tuple(step.values()) for step in steps}), "every step once"
    assert len(desk.sql("select 1 from suppression_run")) == deaths + 1
    assert deaths >= 10


def test_two_workers_at_once_do_everything_once(desk: Desk) -> None:
    for number in range(4):
        put(desk, f"erasure-{number}.csv", f"phone\n047012345{number}\n".encode())
    now = datetime.now(UTC)

    at_once(desk, *[lambda house: read_requests(house, now)] * 2)
    told = at_once(desk, *[lambda house: take_due(house, now)] * 2)

    assert sum(each.forwarded for each in told) == 4 == len(store.list_cases(desk.house.conn))
    assert sum(each.failed for each in told) == 0
    steps = desk.sql("select sub_case_id, to_state from case_transition where sub_case_id is not null")
    assert len(steps) == len({tuple(step.values()) for step in steps})
    entries = desk.sql("select 1 from ledger.entry where kind in ('case.request_read', 'case.transitioned')")
    assert len(entries) == 4 + len(desk.sql("select 1 from case_transition"))


def test_an_instruction_that_is_not_right_is_refused_recorded_and_answered(desk: Desk) -> None:
    part, others = asked(desk), asked(desk, principal="telecom01")
    reason = {"reason": "A17LegallyRequired"}
    cases: list[tuple[str, dict[str, object], str, str]] = [
        ("energy01", {"case": UNKNOWN, "decision": "erase"}, "UNKNOWN_CASE", "UNKNOWN_CASE"),
        ("energy01", {"case": others.sub_case_id, "decision": "erase"}, "OTHER_PRINCIPAL", "UNKNOWN_CASE"),
        ("telecom01", {"case": part.sub_case_id, "decision": "erase"}, "OTHER_PRINCIPAL", "UNKNOWN_CASE"),
        ("energy01", {"case": part.case_id, "decision": "erase"}, "UNKNOWN_CASE", "UNKNOWN_CASE"),
        ("energy01", {"case": part.sub_case_id, "decision": "export"}, "NOT_ADMITTED", "NOT_ADMITTED"),
        ("energy01", {"case": part.sub_case_id, "decision": "refuse"}, "NOT_ADMITTED", "NOT_ADMITTED"),
        ("energy01", {"case": part.sub_case_id, "decision": "erase", "fields": ["x"]}, "NOT_ADMITTED", "NOT_ADMITTED"),
        ("energy01", {"case": part.sub_case_id, "decision": "refuse", "reason": "no"}, "NOT_ADMITTED", "NOT_ADMITTED"),
        ("energy01", {"case": part.sub_case_id}, "UNREADABLE", "UNREADABLE"),
    ]
    names = [f"instruction-{n}.json" for n in range(len(cases) - 1)] + ["instruction-10010447.json"]
    items = [put(desk, name, said, who) for name, (who, said, _, _) in zip(names, cases, strict=True)]

    done = sweep(desk)

    assert sum(done.instructions.values()) == len(cases) and "INSTRUCTED" not in done.instructions
    rows = desk.sql(
        "select convert_from(body, 'UTF8') as body from ledger.entry where kind = 'case.instruction_refused'"
    )
    bodies = [json.loads(str(row["body"])) for row in rows]
    recorded = {body["version_id"]: body["outcome"] for body in bodies}
    keys = {body["version_id"]: body["key"] for body in bodies}
    assert [keys[item.version_id] for item in items[:-1]] == [item.key for item in items[:-1]]
    assert keys[items[-1].version_id] == "energy01/requests/[name withheld]", "a customer's number, perhaps"
    for item, (who, _, outcome, told) in zip(items, cases, strict=True):
        assert recorded[item.version_id] == outcome
        answer = notice(desk, "instruction", item, who)
        assert answer["outcome"] == told
        assert (answer["case"] is None) == (told == "UNKNOWN_CASE" or outcome == "UNREADABLE")
    assert states(desk, part) == states(desk, others) == State.AWAITING_INSTRUCTION
    put(desk, "instruction-last.json", {"case": part.sub_case_id, "decision": "refuse", **reason})
    assert sweep(desk).instructions == {"INSTRUCTED": 1}


def test_what_no_table_takes_and_what_nobody_foresaw_keeps_nobody_else_waiting(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    part = asked(desk)
    half, zero = "C-\ud800", "C-\x00"
    put(desk, "1.json", {"right": "erasure", "persons": [{"customer": half}, {"phone": "0470123999"}]})
    put(desk, "2.json", {"right": "erasure", "persons": [{"customer": zero}, {"phone": "0470123998"}]})
    told: dict[str, object] = {"case": part.sub_case_id, "decision": "rectify", "as_of": "2026-11-01T00:00:00Z"}
    for number, value in enumerate((half, zero)):
        put(desk, f"instruction-{number}.json", {**told, "values": {"x": value}})
    put(desk, "last.json", {"right": "erasure", "persons": [{"phone": "0470123997"}]}, "telecom01")

    done = sweep(desk)

    assert (done.requests, done.failed) == ({"UNREADABLE": 1, "READ": 2}, 0)
    assert sum(done.instructions.values()) == 2 and "INSTRUCTED" not in done.instructions

    def unforeseen(*_: object) -> NoReturn:
        raise ZeroDivisionError("0470123996")

    put(desk, "3.json", {"right": "erasure", "persons": [{"phone": "0470123996"}]})
    put(desk, "instruction-9.json", {"case": part.sub_case_id, "decision": "erase"})
    with monkeypatch.context() as broken:
        broken.setattr(requests, "parse_request", unforeseen)
        again = sweep(desk)
    assert (again.failed, again.instructions) == (1, {"INSTRUCTED": 1})
    assert "ZeroDivisionError at test_requests.py" in caplog.text and "0470123996" not in caplog.text
    assert sweep(desk).requests == {"READ": 1}


def test_an_instruction_counts_once(desk: Desk) -> None:
    part = asked(desk)
    said: dict[str, object] = {"case": part.sub_case_id, "decision": "erase"}
    put(desk, "instruction-1.json", said)
    assert sweep(desk).instructions == {"INSTRUCTED": 1}

    put(desk, "instruction-2.json", said)
    put(desk, "instruction-3.json", {**said, "fields": list(part.field_groups)})

    assert sweep(desk).instructions == {"REPLAYED": 1, "NOT_AWAITED": 1}
    found = store.find_part(desk.house.conn, part.sub_case_id)
    assert found is not None and found.action is Action.ERASE

    put(desk, "instruction-4.json", {**said, "decision": "restrict"})
    assert sweep(desk).instructions == {"CONTRADICTS": 1}, "it takes back what was said, reasons or not"
    found = store.find_part(desk.house.conn, part.sub_case_id)
    assert found is not None and found.action is None


def test_nobody_can_instruct_to_go_on_with_direct_marketing(desk: Desk) -> None:
    part = asked(desk, Right.DIRECT_MARKETING)
    put(
        desk, "instruction-1.json", {"case": part.sub_case_id, "decision": "refuse", "reason": "A12ManifestlyUnfounded"}
    )
    assert sweep(desk).instructions == {"NOT_ADMITTED": 1}


class Spoken(Part):
    """An instruction as it is signed."""

    case: str
    decision: str


def test_where_a_key_is_known_the_signature_decides(desk: Desk, tmp_path: Path) -> None:
    part, key = asked(desk), Ed25519PrivateKey.generate()
    said = canonical(Spoken(case=part.sub_case_id, decision="erase"))
    good = sign(said, key, TYPE).compact
    put(desk, "instruction-early.json", good)
    assert sweep(desk).instructions == {"WRONG_SIGNATURE": 1}, "no key is known that could check it"
    folder = tmp_path / "principals"
    (folder / "energy01").mkdir(parents=True)
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "energy01" / KEY_FILE).write_bytes(pem)
    keyed = Desk(
        desk.house.__class__(**{**desk.house.__dict__, "settings": with_folder(desk.settings, folder)}), tmp_path
    )
    forged = sign(said, Ed25519PrivateKey.generate(), TYPE).compact
    for number, content in enumerate((said, forged, sign(said, key, "other+jws").compact, good[:-4] + b"AAAA")):
        put(desk, f"instruction-{number}.json", content)

    assert sweep(keyed).instructions == {"WRONG_SIGNATURE": 4}

    put(desk, "instruction-good.json", good + b"\n")
    assert sweep(keyed).instructions == {"INSTRUCTED": 1}


def with_folder(settings: Settings, folder: Path) -> Settings:
    return settings.model_copy(update={"principals_dir": folder})


def test_the_prefix_is_the_proof_because_nobody_else_writes_there(desk: Desk, service_var: Path) -> None:
    part = asked(desk)
    said = json.dumps({"case": part.sub_case_id, "decision": "erase"}).encode()
    with open_shops(desk, service_var) as shops:
        put_as: Callable[[str], object] = lambda who: shops[who].client.put_object(  # noqa: E731
            Bucket=desk.settings.bucket_exchange, Key="energy01/requests/instruction-1.json", Body=said
        )
        with pytest.raises(ClientError, match="AccessDenied"):
            put_as("telecom01")
        assert sweep(desk).instructions == {}
        put_as("energy01")
        assert sweep(desk).instructions == {"INSTRUCTED": 1}
        assert shops["energy01"].notice(f"case-{part.sub_case_id}")["case"] == part.sub_case_id
        with pytest.raises(ClientError, match="AccessDenied"):
            shops["telecom01"].client.get_object(
                Bucket=desk.settings.bucket_exchange, Key=f"energy01/notices/case-{part.sub_case_id}.json"
            )


def test_a_request_that_arrived_before_the_agreement_is_answered_by_what_is_in_force_when_it_is_read(
    store_settings: Settings, tmp_path: Path
) -> None:
    """It failed in every sweep, and so it was never answered."""
    with open_house(store_settings) as house:
        desk = Desk(house, tmp_path)
        early = put(desk, "early.json", {"right": "erasure", "persons": persons(1)})
        activate_all(house.conn, store_settings.principals_dir, datetime.now(UTC))

        assert sweep(desk) == RequestSweep({"READ": 1})

        [case] = store.list_cases(house.conn)
        [arrived] = [item.modified_at for item in desk.house.objects.list_versions(early.bucket, early.key)]
        forward = [part.forward_due_at for part in case.sub_cases if part.forward_due_at]
        assert arrived is not None and case.due.received == brussels_day(arrived)
        assert forward and all(at.timestamp() % 3600 == arrived.timestamp() % 3600 for at in forward)
        assert notice(desk, "request", early)["cases"] == [part.sub_case_id for part in case.sub_cases]


def test_a_request_from_the_future_or_without_agreement_opens_nothing(desk: Desk) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    put(desk, "a.json", {"right": "erasure", "received": tomorrow, "persons": persons(1)})
    put(desk, "old.json", {"right": "erasure", "received": "2017-01-01", "persons": persons(1)})
    put(desk, "b.json", {"right": "erasure", "persons": persons(1)}, principal="stranger")
    put(desk, "c.json", {"right": "erasure", "persons": [{"phone": "0000000000"}]})
    assert sweep(desk).requests == {"BAD_DATE": 2, "NO_AGREEMENT": 1, "NO_PERSONS": 1}
    assert store.list_cases(desk.house.conn) == []
    assert iri("A17LegalClaims") == iri("JustificationA17LegalClaims")
