"""A file of a principal opens its case exactly once, whoever dies or works beside, and keeps nobody else waiting."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn, TypeVar

import pytest

from returns.deliveries import at_once
from rights.prefix import asked, notice, persons, put, sweep
from rights.prefix import desk as desk  # the fixture
from sluice.agreement.in_force.activate import activate_all
from sluice.exchange.house import open_house
from sluice.lake.s3.objects import ObjectStore
from sluice.rights import requests
from sluice.rights.case import store
from sluice.rights.case.model import Action, State, Track
from sluice.rights.case.reasons import iri
from sluice.rights.due_steps import take_due
from sluice.rights.person.sealed import find_sealed
from sluice.rights.request_store import list_files
from sluice.rights.requests import RequestSweep, read_requests
from sluice.settings import Settings
from sluice.times import brussels_day
from support.desk import Desk
from support.effort import chosen

T = TypeVar("T")


def test_the_notice_of_an_unreadable_file_has_the_reason_and_counts_no_row(desk: Desk) -> None:
    wrong = put(desk, "broken.json", b'{"right": "erasure",\n"persons": [}')
    missing = put(desk, "half.json", {"right": "erasure"})
    assert sweep(desk).requests == {"UNREADABLE": 2}
    told = [notice(desk, "request", item) for item in (wrong, missing)]
    assert [each["reasons"] for each in told] == [
        [{"code": "NOT_JSON", "column": None, "count": 0, "rows": [], "line": 2}],
        [{"code": "MEMBER_MISSING", "column": "persons", "count": 0, "rows": []}],
    ]
    assert [each["rows_refused"] for each in told] == [0, 0]


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
    """The real store, of a worker that dies before or after its n-th request; at none it counts them."""

    def __init__(self, settings: Settings, dies_at: int, *, before: bool) -> None:
        super().__init__(settings)
        self.asked, self.dies_at, self.before = 0, dies_at, before

    def _try(self, operation: str, bucket: str, attempt: Callable[[], T]) -> T:
        self.asked += 1
        if self.asked == self.dies_at and self.before:
            raise KeyboardInterrupt
        try:
            return super()._try(operation, bucket, attempt)
        finally:
            if self.asked == self.dies_at:  # whatever the answer was: that there is no such object is one too
                raise KeyboardInterrupt


def work(desk: Desk, dies_at: int, *, before: bool) -> int:
    """What the schedule does, until it is done or the worker dies; how many requests that took."""
    objects, now = Dying(desk.settings, dies_at, before=before), datetime.now(UTC)
    with suppress(KeyboardInterrupt):
        read_requests(replace(desk.house, objects=objects), now)
        take_due(replace(desk.house, objects=objects), now)
    return objects.asked


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_a_worker_that_dies_at_any_request_to_the_store_is_finished(desk: Desk, before: bool) -> None:
    put(desk, "erasure-0.csv", b"phone\n0470000000\n")
    most = work(desk, 0, before=before)
    points = chosen(range(1, most + 1), 5)
    for number, point in enumerate(points, start=1):
        put(desk, f"erasure-{number}.csv", f"phone\n0470{number:06}\n".encode())
        assert work(desk, point, before=before) == point, "it died there"
        work(desk, 0, before=before)
        cases = store.list_cases(desk.house.conn)
        assert len(cases) == number + 1
        states = {part.state for case in cases for part in case.sub_cases if part.track is Track.PROCESSOR}
        assert states == {State.AWAITING_INSTRUCTION}
    bucket, files = desk.settings.bucket_exchange, len(points) + 1
    keys = [item.key for item in desk.house.objects.list_versions(bucket, "energy01/notices/")]
    assert len(keys) == len(set(keys)) == 2 * files, "one answer and one notice each, written once"
    steps = desk.sql("select case_id, sub_case_id, to_state from case_transition")
    assert len(steps) == len({tuple(step.values()) for step in steps}), "every step once"
    assert len(desk.sql("select 1 from suppression_run")) == files
    assert most >= 10


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
