"""What a principal puts where nobody can read it, or names somebody, withholds its own certificates and no other's.

That are objects beside the flows, files that no poll has opened yet, under the names of folders, under keys of the
principal's own, under names that cannot be told, or with more metadata than Python takes in one answer.
"""

import json
import os
from contextlib import closing
from datetime import timedelta
from http.client import RemoteDisconnected
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError
from urllib3.exceptions import ProtocolError

from rights.town import Person, Town, let_go, now, town_fixture
from sluice.errors import ObjectUnreadable
from sluice.exchange.own_writes import note_own_write
from sluice.exchange.read import list_exchanges
from sluice.lake.s3.faults import has_unfit_headers, is_passing
from sluice.lake.s3.objects import hash_of
from sluice.retention.holds import hold, lift
from sluice.retention.model import HoldReason
from sluice.retention.run import retain
from sluice.returns.acks import read_acks
from sluice.rights.case.model import Case, Right
from sluice.rights.erasure.census import find_unknown
from sluice.rights.erasure.certificate import NotProven, issue
from sluice.rights.erasure.control import status
from sluice.rights.erasure.erase import run, verify
from sluice.rights.erasure.model import PlanOutdated
from sluice.rights.notices.answers import read_answers
from sluice.rights.requests import read_requests
from sluice.terms import Principal, SubjectKind
from support.desk import ENERGY
from support.stores import client_of

NAMES = (Principal("energy01"), Principal("solar01"))
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8
BODY = b"a;b\n1;2\n"
TOO_MANY: dict[str, Any] = {"Metadata": {f"n{number}": "x" for number in range(120)}}
TOO_LONG: dict[str, Any] = {"Metadata": {"n": "x" * 70_000}}
FOLDER = f"inbound/{ENERGY[1]}"
CLEAN = (0, 0, 0)


def planted(town: Town) -> None:
    """Each of two principals sent persons of its own."""
    town.arrive(NAMES[0], town.people[:12], "first.csv")
    town.arrive(NAMES[1], town.people[12:], "second.csv")


town = town_fixture(NAMES, 20, planted)


def asked(town: Town, person: Person, principal: Principal = NAMES[0]) -> Case:
    """A person of one principal asks to be erased there; it is decided and released, and has not begun."""
    number = (SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record(principal))
    return town.agree(town.opened(Right.ERASURE, [number, (SubjectKind.PHONE, person.phone)], principal))


def put(town: Town, key: str, content: bytes, **how: Any) -> None:
    """Put a file as the first principal does with a tool of its own."""
    client, bucket = client_of(town.desk.settings), town.desk.settings.bucket_exchange
    client.put_object(Bucket=bucket, Key=f"{NAMES[0]}/{key}", Body=content, **how)


def names(town: Town, folder: str) -> set[str]:
    """What lies under a folder of the first principal."""
    listed = town.house.objects.list_versions(town.desk.settings.bucket_exchange, f"{NAMES[0]}/{folder}/")
    return {item.key.rsplit("/", 1)[-1] for item in listed}


def drop(town: Town, *keys: str) -> None:
    """Take away every version under these prefixes of the exchange bucket."""
    bucket = town.desk.settings.bucket_exchange
    for key in keys:
        for item in list(town.house.objects.list_versions(bucket, key)):
            town.house.objects.delete_version(bucket, item.key, item.version_id)


def under_a_key_of_ones_own() -> dict[str, Any]:
    return {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": os.urandom(32)}


def in_error(town: Town) -> bool:
    return any(each.is_in_error for each in status(town.house.conn).cases)


def ended(town: Town, case: Case) -> bool:
    """A run, whose plan may have to be made anew, is clean and certified."""
    try:
        report = run(town.house, case.case_id, now())
    except PlanOutdated:
        let_go(town, case)
        report = run(town.house, case.case_id, now())
    return (report.residual, report.doubts, report.waiting) == CLEAN and bool(issue(town.house, case.case_id))


def test_what_lies_beside_the_flows_keeps_nobody_elses_erasure_from_its_end(town: Town) -> None:
    first, client, bucket = town.people[0], client_of(town.desk.settings), town.desk.settings.bucket_exchange
    other, case = asked(town, town.people[12], NAMES[1]), asked(town, first)
    put(town, "acks/signed.png", PICTURE)
    put(town, "acks/notice-who.txt", f"please call {first.phone}".encode())
    put(town, "acks/x.ack", BODY, **under_a_key_of_ones_own())
    put(town, "acks/y.ack", BODY, Metadata={"who": first.phone})
    put(town, "jan.peeters/picture.png", PICTURE)  # a folder that the principal made up
    uploads = ("\x01.csv", "a\ufffe.csv")
    keys = [f"{NAMES[0]}/{FOLDER}/{each}" for each in (*uploads, "told.csv")]
    begun = [client.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"] for key in keys]

    report = run(town.house, case.case_id, now())

    assert (report.residual, report.doubts, report.waiting) == (0, 0, 5 + len(uploads))
    beside = [each for each in report.unread if "/acks/" in each.place]
    assert sorted(str(each.reason) for each in beside) == [
        "NAMES_THE_PERSON", "NAMES_THE_PERSON", "PICTURE", "UNREADABLE",
    ]  # fmt: skip
    at = f"{bucket}/{NAMES[0]}/acks/ version "
    assert all(each.place.startswith(at) for each in beside) and len({each.place for each in beside}) == 4
    assert not any(word in str(report) for word in ("signed", "who", "jan"))
    assert sum("version" in each.place for each in report.unread) == 5
    assert len(town.house.objects.list_uploads(bucket, "")) == 2, "the control: what can be told is given up"
    with pytest.raises(NotProven):
        issue(town.house, case.case_id)
    assert not in_error(town) and ended(town, other)

    assert (read_acks(town.house, now()).failed, read_answers(town.house, now()).failed) == (0, 0)
    until, later = (now() + timedelta(days=30)).date(), now() + timedelta(days=8)
    kept = hold(town.house.conn, NAMES[0], HoldReason.LEGAL_CLAIMS, "C-1", until, "an", now())
    for at_last in (now() + timedelta(days=6), later):
        assert retain(town.house, at_last).acks == 0 and len(names(town, "acks")) == 4
    lift(town.house.conn, kept.hold_id, "an", now())
    assert retain(town.house, now() + timedelta(days=6)).acks == 0
    put(town, "acks/later.png", PICTURE)
    assert retain(town.house, later).acks == 4 and names(town, "acks") == {"later.png"}
    for key, upload in zip(keys[: len(uploads)], begun, strict=False):
        client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)
    drop(town, f"{NAMES[0]}/acks/", f"{NAMES[0]}/jan.peeters/")
    assert ended(town, case)


def test_what_no_poll_has_opened_is_waited_for_and_judged_first_whatever_is_in_it(town: Town) -> None:
    """Also where it lies on top of a file that was opened."""
    person = town.people[1]
    named = f"please call {person.phone}\n".encode()
    for number in (1, 2):
        town.arrive(NAMES[0], town.people[number : number + 1], f"below-{number}.csv")
    case = asked(town, person)
    for name, content in (
        ("later.png", PICTURE), ("named.png", named + b"x"), ("below-1.csv", PICTURE + b"x"), ("below-2.csv", named),
    ):  # fmt: skip
        put(town, f"{FOLDER}/{name}", content)
    internal, log = town.desk.settings.bucket_internal, f"{NAMES[0]}/internal/renewal_results/log.png"
    town.house.objects.put(internal, log, PICTURE, "image/png")

    report = run(town.house, case.case_id, now())

    assert (report.residual, report.doubts, report.waiting) == (0, 0, 5), "one of a platform is waited for too"
    assert [(each.store, each.reason) for each in report.unread] == [("files as they came", "NOT_OPENED_YET")] * 5
    assert not any(name in str(report) for name in ("later", "below")) and not in_error(town)
    with pytest.raises(NotProven):
        issue(town.house, case.case_id)
    assert town.desk.open_new() == 5
    town.desk.work()
    assert ended(town, case)


def test_what_no_poll_will_ever_open_is_no_arrival(town: Town) -> None:
    """What an erasure is about to put under ``inbound/``, what lies where nothing arrives, and what is ours."""
    person, bucket = town.people[3], town.desk.settings.bucket_exchange
    case, content = asked(town, person), f"x {person.phone}".encode()
    left = [f"{NAMES[0]}/{where}/left.txt" for where in (FOLDER, "receipts")]
    for key in left:
        note_own_write(town.house.conn, bucket, key, hash_of(content)[0])
        town.house.objects.put(bucket, key, content, "text/plain")
    put(town, "receipts/picture.png", PICTURE)

    report = run(town.house, case.case_id, now())

    assert (report.residual, report.doubts, report.waiting) == (2, 1, 0) and in_error(town)
    drop(town, *left)
    report = run(town.house, case.case_id, now())
    assert (report.residual, report.doubts, in_error(town)) == (0, 1, True), "what we cannot read is an error alone"
    drop(town, f"{NAMES[0]}/receipts/picture.png")
    assert ended(town, case) and not in_error(town)


def test_a_file_that_the_store_does_not_give_is_refused_and_goes_whole(town: Town) -> None:
    """Under a key of the principal's own, or with too much metadata, also on top of a file that names the person."""
    person = town.people[4]
    number = person.record(NAMES[0])
    before = names(town, FOLDER)
    town.arrive(NAMES[0], [person], f"{number}.csv")  # a file named after a customer keeps nobody from being erased
    named = list_exchanges(town.house.conn, principal=NAMES[0], limit=1)[0]
    put(town, f"{FOLDER}/locked.csv", BODY, **under_a_key_of_ones_own())
    put(town, f"{FOLDER}/many.csv", BODY + b"3;4\n", **TOO_MANY)
    put(town, f"{FOLDER}/first.csv", BODY + b"5;6\n", **TOO_MANY)
    assert town.desk.open_new() == 3
    town.desk.work()
    lines = list_exchanges(town.house.conn, principal=NAMES[0], limit=3)
    assert {(line.decision, line.reason_code) for line in lines} == {("refused", "UNREADABLE_SEALED")}
    assert named.decision == "accepted"
    case, other = asked(town, person), asked(town, town.people[13], NAMES[1])

    report = run(town.house, case.case_id, now())

    assert (report.residual, report.doubts, report.waiting) == CLEAN and issue(town.house, case.case_id)
    assert names(town, FOLDER) == before | {f"{number}.csv"}
    [removed] = [each for each in report.lines if each.outcome == "removed"]
    assert (removed.store, removed.objects, removed.ground) == ("files as they came", 3, "NOT_READABLE_BY_ROWS")
    assert not in_error(town) and ended(town, other)
    bodies = town.house.conn.execute("select body from ledger.entry").fetchall()
    assert bodies and [each for each in bodies if number.encode() in bytes(each["body"])] == []

    last = asked(town, town.people[5])
    put(town, f"{FOLDER}/first.csv", BODY + b"7;8\n", **TOO_MANY)
    report = run(town.house, last.case_id, now())
    assert (report.residual, town.desk.open_new()) == (0, 1), "what came on top meanwhile is left for its own exchange"
    town.desk.work()
    assert ended(town, last)


def test_too_much_metadata_is_refused_with_its_code_and_whatever_others_put_is_served(town: Town) -> None:
    for how, word in ((TOO_MANY, "many"), (TOO_LONG, "long")):
        for key in (f"{FOLDER}/{word}2.csv", f"requests/{word}.json", f"requests/instruction-{word}.json",
                    f"acks/{word}.ack"):  # fmt: skip
            put(town, key, BODY, **how)
    bucket, objects = town.desk.settings.bucket_exchange, town.house.objects
    said = {"right": "erasure", "persons": [{"phone": town.people[15].phone}]}
    objects.put(bucket, f"{NAMES[1]}/requests/a.json", json.dumps(said).encode(), "text/json")

    done = read_requests(town.house, now())
    town.desk.open_new()
    town.arrive(NAMES[1], town.people[14:15], "third.csv")

    assert done.requests["UNREADABLE"] == 2 and done.requests["READ"] >= 1 and done.failed == 0
    assert done.instructions["UNREADABLE"] == 2 and read_acks(town.house, now()).failed == 0
    lines = [(line.principal, line.decision, line.reason_code) for line in list_exchanges(town.house.conn, limit=3)]
    refused = (NAMES[0], "refused", "UNREADABLE_SEALED")
    assert sorted(lines) == sorted([refused, refused, (NAMES[1], "accepted", None)])
    with pytest.raises(ObjectUnreadable, match="SLU-210"):
        objects.read(bucket, f"{NAMES[0]}/acks/many.ack")
    with closing(client_of(town.desk.settings)) as client, pytest.raises(ConnectionClosedError) as seen:
        client.get_object(Bucket=bucket, Key=f"{NAMES[0]}/requests/many.json")  # the control: it looks like a lost one
    assert has_unfit_headers(seen.value) and not is_passing(seen.value)
    lost = ConnectionClosedError(endpoint_url="x", error=ProtocolError("Connection aborted.", RemoteDisconnected()))
    assert is_passing(lost) and not has_unfit_headers(lost)
    drop(town, f"{NAMES[0]}/{FOLDER}/many2", f"{NAMES[0]}/{FOLDER}/long2", f"{NAMES[0]}/acks/", f"{NAMES[0]}/requests/")


def test_what_lies_under_the_name_of_a_folder_is_an_arrival_and_nothing_is_certified_while_it_lies_there(
    town: Town,
) -> None:
    """The embedded server keeps it and gives nothing of it: small ones where it keeps names, others beside them."""
    person, settings = town.people[6], town.desk.settings
    rows = f"{town.head}\n{person.record(NAMES[0])};{person.line}\n".encode()
    folders = {f"{FOLDER}/small/": rows, f"{FOLDER}/contacts/": rows * 40}
    for key, content in folders.items():
        put(town, key, content)
    put(town, f"{FOLDER}/mark/", b"")  # what only marks a folder stands in nobody's way
    assert town.desk.open_new() == 2
    town.desk.work()
    refused = [line for line in town.desk.lines() if line.reason_code == "NAME_UNSAFE"]
    assert len(refused) == 2
    case = asked(town, person)

    report = run(town.house, case.case_id, now())

    assert (report.residual, report.doubts, {each.reason for each in report.unread}) == (0, 2, {"NOT_READ"})
    with pytest.raises(NotProven):
        issue(town.house, case.case_id)
    drop(town, *(f"{NAMES[0]}/{key}" for key in folders))
    assert verify(town.house, case.case_id, now()).doubts == 0
    assert len(issue(town.house, case.case_id)) == 1, "the control"

    def unknown() -> int:
        return len(find_unknown(settings, town.house.conn, town.house.objects))

    client, before = client_of(settings), unknown()
    client.put_object(Bucket=settings.bucket_exchange, Key="marked/", Body=b"")
    assert unknown() == before == 0
    for count, key in enumerate(("elsewhere/", "nowhere/x/", "_handed/"), 1):
        client.put_object(Bucket=settings.bucket_exchange, Key=key, Body=rows * 40)
        assert unknown() == count, "where no store looks it is named"
    drop(town, "elsewhere/", "nowhere/", "_handed/", "marked/")
