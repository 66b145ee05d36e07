"""One person leaves everything that was exchanged; everybody else stays as they were; and it is proven."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from rights.asking import DESK, asked
from sluice.exchange.read import show_exchange
from sluice.lake.quarantine import seal
from sluice.ledger.verify import verify as verify_ledger
from sluice.returns.model import NotDelivered
from sluice.returns.release import deliver_again
from sluice.rights.case.model import Right, State
from sluice.rights.case.store import get_case
from sluice.rights.copies.where import where
from sluice.rights.erasure import scan
from sluice.rights.erasure.certificate import NotProven, issue
from sluice.rights.erasure.certificate_check import verify_certificate
from sluice.rights.erasure.classify import NAMED
from sluice.rights.erasure.erase import run, verify
from sluice.rights.erasure.model import NotDecided
from sluice.rights.erasure.release import draft
from sluice.rights.opening import NewRequest, open_case
from sluice.rights.person.identifiers import parse_identifier, refs_of
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind
from support.copies import Copies
from support.night import Night, copied_night, open_night

ENERGY = Principal("energy01")


def released(settings: Settings, folder: Path) -> None:
    """A night after which everybody of three was called and returned."""
    with open_night(settings, folder) as opened:
        opened.return_all(3)


@pytest.fixture
def night(copies: Copies, tmp_path: Path) -> Iterator[Night]:
    with copied_night(copies, tmp_path, fill=released) as opened:
        yield opened


def others(content: bytes, record: str) -> list[bytes]:
    """Lines of a file that do not name a record."""
    return [line for line in content.split(b"\n") if record.encode() not in line]


def test_a_person_leaves_every_store_and_everybody_else_stays(night: Night) -> None:
    (record, phone), house, settings = night.people(3)[1], night.desk.house, night.desk.settings
    identifier = (parse_identifier(f"phone:{phone}", 1),)
    before = {place.store for place in where(house, identifier, [ENERGY])}
    arrived = house.objects.read(settings.bucket_exchange, "energy01/inbound/renewal_campaign/file.csv")
    sent = next(content for name, content in night.delivered().items() if name.endswith(".csv"))
    assert before == {"lake", "files as they came", "files as they went out", "subject index"}
    case = asked(night, phone, record)
    foreseen = draft(house, case.case_id, "planner", datetime.now(UTC)).report

    report = run(house, case.case_id, datetime.now(UTC))

    assert (report.residual, report.doubts, report.waiting) == (0, 0, 0)
    assert {line.store for line in foreseen.lines} == {line.store for line in report.lines} == before
    assert list(where(house, identifier, [ENERGY])) == []
    now_arrived = house.objects.read(settings.bucket_exchange, "energy01/inbound/renewal_campaign/file.csv")
    now_sent = next(content for name, content in night.delivered().items() if name.endswith(".csv"))
    assert now_arrived.split(b"\n") == others(arrived, record) and now_arrived != arrived
    assert now_sent.split(b"\n") == others(sent, record) and now_sent != sent
    assert night.desk.open_new() == 0, "an edited file is no arrival"
    assert verify_ledger(house.conn, public_pem=house.keyring.public_pem).valid
    states = {part.state for part in get_case(house.conn, case.case_id).sub_cases}
    assert states == {State.EXECUTED, State.EXECUTING}
    [issued] = issue(house, case.case_id)
    said = verify_certificate(issued.jws, house.keyring.public_pem)
    assert (said["residual"], said["principal"]) == (0, "energy01")
    assert case.case_id not in json.dumps(said), "the case's own number stays with the center"


def test_nothing_goes_and_nothing_is_proven_before_it_was_decided(night: Night) -> None:
    _, phone = night.people(3)[0]
    house, now = night.desk.house, datetime.now(UTC)
    case = open_case(
        house, NewRequest(Right.ERASURE, [(SubjectKind.PHONE, phone)], None, now, "letter", "nl", DESK), now
    )

    for each in (run, verify):
        with pytest.raises(NotDecided):
            each(house, case.case_id, now)
    assert any(line.outcome == "kept" for line in draft(house, case.case_id, "planner", now).report.lines)


def test_the_erased_person_does_not_come_back_in_another_spelling(night: Night) -> None:
    record, phone = night.people(3)[2]
    case = asked(night, phone, record)
    run(night.desk.house, case.case_id, datetime.now(UTC))
    rows = list(csv.reader(io.StringIO(night.contacts.read_bytes().decode(), newline=""), delimiter=";"))
    place, number = rows[0].index("phone"), rows[0].index("customer_number")
    for row in rows[1:]:
        if row[place] == phone:
            row[place], row[number] = f" {phone[:4]} {phone[4:7]}.{phone[7:]} ", "E99999999"
    again = io.StringIO(newline="")
    csv.writer(again, delimiter=";").writerows(rows)

    dropped = night.desk.drop(again.getvalue().encode(), "again.csv")
    night.desk.work()

    shown = night.desk.shown(dropped)
    assert shown.record is not None
    assert shown.record.right_treatment.held_back == {"erased": 1}
    assert shown.record.what.rows_held == 1
    assert (shown.record.what.rows_accepted, shown.record.what.rows_refused) == (39, 0)


@pytest.mark.parametrize("many", [scan.MANY, 0], ids=["by itself", "by readers"])
def test_the_second_scan_finds_what_was_put_back_behind_the_record(
    night: Night, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "MANY", many)
    record, phone = night.people(3)[1]
    house, settings = night.desk.house, night.desk.settings
    case = asked(night, phone, record)
    run(house, case.case_id, datetime.now(UTC))
    rows = pl.DataFrame({"note": [f"bel {phone} terug"]})
    rows.write_parquet(night.desk.folder / "residue.parquet")
    house.objects.put(settings.bucket_lake, "energy01/left/over.parquet", night.desk.folder / "residue.parquet", "x")

    report = verify(house, case.case_id, datetime.now(UTC))
    assert (report.residual, [(each.store, each.reason) for each in report.unread]) == (1, [("lake", NAMED)])
    with pytest.raises(NotProven):
        issue(house, case.case_id)
    principal = Principal("energy01")
    ref = refs_of([parse_identifier(f"phone:{phone}", 1)], house.subject_key(principal), principal)
    pl.DataFrame({"ref": list(ref.values())}).write_parquet(night.desk.folder / "residue.parquet")
    house.objects.put(settings.bucket_lake, "energy01/left/ref.parquet", night.desk.folder / "residue.parquet", "x")
    assert verify(house, case.case_id, datetime.now(UTC)).residual == 2, "a reference is the person as well"
    (night.desk.folder / "note").write_text(f"bel {phone} terug")
    sealed = seal(night.desk.folder / "note", night.desk.folder / "note.age", house.keyring, ENERGY)
    house.objects.put(settings.bucket_vault, "energy01/left/note.age", sealed, "x")
    assert verify(house, case.case_id, datetime.now(UTC)).residual == 3, "what is sealed is opened"
    assert show_exchange(house.conn, night.returns()[0].id).record is not None


@pytest.mark.parametrize("where", ["exchange", "internal", "lake", "vault", "evidence"])
def test_an_upload_that_was_never_ended_keeps_the_certificate_back_until_it_is_given_up(
    night: Night, where: str
) -> None:
    record, phone = night.people(3)[1]
    house, bucket = night.desk.house, getattr(night.desk.settings, f"bucket_{where}")
    case = asked(night, phone, record)
    run(house, case.case_id, datetime.now(UTC))
    key = {"exchange": "energy01/inbound/renewal_campaign/half.csv", "evidence": "_sealed/energy01/half"}.get(where)
    house.objects._client.create_multipart_upload(Bucket=bucket, Key=key or "energy01/half.parquet")

    # The store tells whole seconds: an upload of the very second of the run is a doubt.
    house.conn.execute("update erasure_run set begun_at = begun_at - interval '2 seconds'")
    younger = verify(house, case.case_id, datetime.now(UTC))

    assert (younger.residual, younger.doubts, younger.waiting) == (0, 0, 1), "begun since: it may still end"
    with pytest.raises(NotProven):
        issue(house, case.case_id)
    house.conn.execute("update erasure_run set begun_at = now() + interval '1 second'")
    again = verify(house, case.case_id, datetime.now(UTC))
    assert (again.residual, again.doubts, [each.store for each in again.unread]) == (0, 1, ["unfinished uploads"])
    with pytest.raises(NotProven):
        issue(house, case.case_id)
    assert run(house, case.case_id, datetime.now(UTC)).doubts == 0
    assert issue(house, case.case_id)


def test_uploads_of_others_and_requests_under_way_are_left_alone(night: Night) -> None:
    record, phone = night.people(3)[1]
    house, bucket = night.desk.house, night.desk.settings.bucket_exchange
    kept = {"energy011/inbound/x/a.csv", "energy01/requests/b.csv", "_handed/telecom01/c.zip"}
    for key in kept:
        house.objects._client.create_multipart_upload(Bucket=bucket, Key=key)
    case = asked(night, phone, record)

    report = run(house, case.case_id, datetime.now(UTC))

    assert (report.doubts, report.waiting) == (0, 0)
    assert {left.key for left in house.objects.list_uploads(bucket, "")} == kept


def test_a_return_is_delivered_again_without_who_was_erased_of_it(night: Night) -> None:
    (record, phone), (_, other), *_ = night.people(3)
    house, line = night.desk.house, night.returns()[0]
    case = asked(night, phone, record)
    with pytest.raises(NotDelivered, match="NAMES_SOMEBODY_KEPT_OUT"):
        deliver_again(house, line.id, "an", datetime.now(UTC))
    assert run(house, case.case_id, datetime.now(UTC)).residual == 0

    again = deliver_again(house, line.id, "an", datetime.now(UTC))

    content = house.objects.read(again.bucket, again.key, again.version_id).decode()
    assert phone not in content and record not in content and other in content
    assert verify(house, case.case_id, datetime.now(UTC)).residual == 0
