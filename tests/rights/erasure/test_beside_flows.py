"""What a principal puts where nobody can read it, or names somebody, withholds its own certificates and no other's."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rights.town import Person, Town, open_town, papers_of
from sluice.exchange.read import list_exchanges
from sluice.retention.holds import hold, lift
from sluice.retention.model import HoldReason
from sluice.retention.run import retain
from sluice.returns.acks import read_acks
from sluice.rights.case.model import Case, Right
from sluice.rights.erasure.certificate import NotProven, issue
from sluice.rights.erasure.control import status
from sluice.rights.erasure.erase import run
from sluice.rights.notices.answers import read_answers
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind
from support.desk import ENERGY
from support.stores import client_of

NAMES = (Principal("energy01"), Principal("solar01"))
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8


@contextmanager
def two_principals(settings: Settings, folder: Path) -> Iterator[Town]:
    """Two principals, each of which sent two persons of its own."""
    with open_town(papers_of(settings, folder / "papers", NAMES), folder, NAMES, 4) as opened:
        opened.arrive(NAMES[0], opened.people[:2], "first.csv")
        opened.arrive(NAMES[1], opened.people[2:], "second.csv")
        yield opened


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    with two_principals(store_settings, tmp_path) as opened:
        yield opened


def asked(town: Town, person: Person, principal: Principal) -> Case:
    """A person of one principal asks to be erased there; it is decided and released, and has not begun."""
    number = (SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record(principal))
    return town.agree(town.opened(Right.ERASURE, [number, (SubjectKind.PHONE, person.phone)], principal))


def put(town: Town, key: str, content: bytes, **how: Any) -> None:
    """Put a file as the first principal does with a tool of its own."""
    client, bucket = client_of(town.desk.settings), town.desk.settings.bucket_exchange
    client.put_object(Bucket=bucket, Key=f"{NAMES[0]}/{key}", Body=content, **how)


def under_a_key_of_ones_own() -> dict[str, Any]:
    return {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": os.urandom(32)}


def names(town: Town, folder: str) -> set[str]:
    """What lies under a folder of the first principal."""
    listed = town.house.objects.list_versions(town.desk.settings.bucket_exchange, f"{NAMES[0]}/{folder}/")
    return {item.key.rsplit("/", 1)[-1] for item in listed}


def test_what_lies_beside_the_flows_keeps_nobody_elses_erasure_from_its_end(town: Town) -> None:
    first, second, now = town.people[0], town.people[2], datetime.now(UTC)
    other = asked(town, second, NAMES[1])
    put(town, "acks/signed.png", PICTURE)
    put(town, "acks/notice-who.txt", f"please call {first.phone}".encode())
    put(town, "acks/x.ack", b"a;b", **under_a_key_of_ones_own())
    case = asked(town, first, NAMES[0])

    report = run(town.house, case.case_id, now)

    assert (report.residual, report.doubts, report.waiting) == (0, 0, 3)
    assert {str(each.reason) for each in report.unread} == {"PICTURE", "NAMES_THE_PERSON", "UNREADABLE"}
    at = f"{town.desk.settings.bucket_exchange}/{NAMES[0]}/acks/ version "
    assert all(each.place.startswith(at) for each in report.unread) and len({each.place for each in report.unread}) == 3
    assert "signed" not in str(report) and "who" not in str(report)
    with pytest.raises(NotProven):
        issue(town.house, case.case_id)
    assert not any(each.is_in_error for each in status(town.house.conn).cases)
    ended = run(town.house, other.case_id, now)
    assert (ended.residual, ended.doubts, ended.waiting) == (0, 0, 0) and issue(town.house, other.case_id)

    assert (read_acks(town.house, now).failed, read_answers(town.house, now).failed) == (0, 0)
    until = (now + timedelta(days=30)).date()
    kept = hold(town.house.conn, NAMES[0], HoldReason.LEGAL_CLAIMS, "C-1", until, "an", now)
    for at_last, left in ((now + timedelta(days=6), 3), (now + timedelta(days=8), 3)):
        assert retain(town.house, at_last).acks == 0 and len(names(town, "acks")) == left
    lift(town.house.conn, kept.hold_id, "an", now)
    assert retain(town.house, now + timedelta(days=6)).acks == 0
    put(town, "acks/later.png", PICTURE)
    assert retain(town.house, now + timedelta(days=8)).acks == 3 and names(town, "acks") == {"later.png"}


def test_a_folder_that_the_principal_made_up_is_waited_for_and_not_named(town: Town) -> None:
    case = asked(town, town.people[0], NAMES[0])
    put(town, "jan.peeters/picture.png", PICTURE)

    report = run(town.house, case.case_id, datetime.now(UTC))

    [unread] = report.unread
    assert (report.doubts, report.waiting) == (0, 1) and "jan" not in unread.place and "version" in unread.place


def test_a_file_that_the_store_does_not_give_is_refused_and_goes_whole(town: Town) -> None:
    put(town, f"inbound/{ENERGY[1]}/locked.csv", b"a;b\n1;2\n", **under_a_key_of_ones_own())
    town.desk.open_new()
    town.desk.work()
    [line] = list_exchanges(town.house.conn, principal=NAMES[0], limit=1)
    assert (line.decision, line.reason_code) == ("refused", "UNREADABLE_SEALED")
    case = asked(town, town.people[0], NAMES[0])

    report = run(town.house, case.case_id, datetime.now(UTC))

    assert (report.residual, report.doubts, report.waiting) == (0, 0, 0) and issue(town.house, case.case_id)
    assert names(town, f"inbound/{ENERGY[1]}") == {"first.csv"}
    [removed] = [each for each in report.lines if each.outcome == "removed"]
    assert (removed.store, removed.objects, removed.ground) == ("files as they came", 1, "NOT_READABLE_BY_ROWS")


@pytest.mark.parametrize("name", ["\x01.csv", "a\ufffe.csv"])
def test_an_upload_under_a_name_that_cannot_be_told_is_waited_for_and_holds_up_nobody_else(
    town: Town, name: str
) -> None:
    client, bucket = client_of(town.desk.settings), town.desk.settings.bucket_exchange
    for each in (name, "told.csv"):
        client.create_multipart_upload(Bucket=bucket, Key=f"{NAMES[0]}/inbound/{ENERGY[1]}/{each}")
    case, other = asked(town, town.people[0], NAMES[0]), asked(town, town.people[2], NAMES[1])

    report = run(town.house, case.case_id, datetime.now(UTC))

    assert (report.residual, report.doubts, report.waiting) == (0, 0, 1)
    assert len(town.house.objects.list_uploads(bucket, "")) == 1, "the control: what can be told is given up"
    with pytest.raises(NotProven):
        issue(town.house, case.case_id)
    assert not any(each.is_in_error for each in status(town.house.conn).cases)
    ended = run(town.house, other.case_id, datetime.now(UTC))
    assert (ended.residual, ended.doubts, ended.waiting) == (0, 0, 0) and issue(town.house, other.case_id)


def test_a_file_named_after_a_customer_keeps_nobody_from_being_erased(town: Town) -> None:
    person = town.people[0]
    number = person.record(NAMES[0])
    town.arrive(NAMES[0], town.people[:1], f"{number}.csv")
    line = list_exchanges(town.house.conn, principal=NAMES[0], limit=1)[0]
    assert line.decision == "accepted"
    case = asked(town, person, NAMES[0])

    report = run(town.house, case.case_id, datetime.now(UTC))

    assert (report.residual, report.doubts, report.waiting) == (0, 0, 0) and issue(town.house, case.case_id)
    bodies = town.house.conn.execute("select body from ledger.entry").fetchall()
    assert bodies and [each for each in bodies if number.encode() in bytes(each["body"])] == []


def test_what_we_put_ourselves_and_cannot_read_is_a_doubt(town: Town) -> None:
    case = asked(town, town.people[0], NAMES[0])
    put(town, "receipts/picture.png", PICTURE)

    report = run(town.house, case.case_id, datetime.now(UTC))

    assert (report.doubts, report.waiting) == (1, 0)
    assert [each.is_in_error for each in status(town.house.conn).cases] == [True]
