"""One person leaves everything that was exchanged; everybody else stays as they were; and it is proven."""

import csv
import io
import json
from typing import Any

import polars as pl
import pytest

from documents.test_receipt import text_of
from rights.asking import DESK, asked
from rights.town import night_fixture, now
from sluice.documents.words import LANGUAGES
from sluice.exchange.catalogue import get_copy
from sluice.exchange.effects.run import EFFECTS, do_effects
from sluice.exchange.persons.suppressed import keep_out
from sluice.exchange.read import list_exchanges, show_exchange
from sluice.lake.quarantine import seal, unseal
from sluice.ledger.verify import verify as verify_ledger
from sluice.returns.model import NotDelivered
from sluice.returns.release import deliver_again
from sluice.rights.case.model import Case, Right, State
from sluice.rights.case.store import get_case
from sluice.rights.copies.where import where
from sluice.rights.erasure import scan
from sluice.rights.erasure.certificate import NotProven, issue, open_pdf
from sluice.rights.erasure.certificate_check import verify_certificate
from sluice.rights.erasure.certificate_page import make_certificate_pdf
from sluice.rights.erasure.classify import NAMED
from sluice.rights.erasure.erase import run, verify
from sluice.rights.erasure.model import NotDecided
from sluice.rights.erasure.release import draft
from sluice.rights.opening import NewRequest, open_case
from sluice.rights.person.identifiers import parse_identifier, refs_of
from sluice.subject.suppression import Suppression
from sluice.terms import Direction, ExchangeId, Principal, SubjectKind
from support.night import Call, Night

ENERGY = Principal("energy01")
ARRIVED = "energy01/inbound/renewal_campaign/file.csv"
night = night_fixture(lambda opened: opened.return_all(3))


def of(night: Night, place: int) -> Case:
    """A released erasure of one of the contacts."""
    record, phone = night.people(place + 1)[place]
    return asked(night, phone, record)


def file_of(night: Night, *changed: tuple[int, dict[str, str]]) -> bytes:
    """A file of some contacts, by place, in which some cells are others."""
    head, *rows = csv.reader(io.StringIO(night.contacts.read_bytes().decode(), newline=""), delimiter=";")
    text = io.StringIO(newline="")
    cells = [{**dict(zip(head, rows[place], strict=True)), **other} for place, other in changed]
    csv.writer(text, delimiter=";").writerows([head, *(each.values() for each in cells)])
    return text.getvalue().encode()


def others(content: bytes, record: str) -> list[bytes]:
    """Lines of a file that do not name a record."""
    return [line for line in content.split(b"\n") if record.encode() not in line]


def sent(night: Night) -> bytes:
    return next(content for name, content in night.delivered().items() if name.endswith(".csv"))


def test_nothing_goes_and_nothing_is_proven_before_it_was_decided(night: Night) -> None:
    house, given = night.desk.house, [(SubjectKind.PHONE, night.people(6)[5][1])]
    case = open_case(house, NewRequest(Right.ERASURE, given, None, now(), "letter", "nl", DESK), now())
    for each in (run, verify):
        with pytest.raises(NotDecided):
            each(house, case.case_id, now())
    assert any(line.outcome == "kept" for line in draft(house, case.case_id, "planner", now()).report.lines)


def test_a_person_leaves_every_store_and_everybody_else_stays_also_behind_late_work(night: Night) -> None:
    (record, phone), house, settings = night.people(3)[0], night.desk.house, night.desk.settings
    identifier, line = (parse_identifier(f"phone:{phone}", 1),), night.returns()[0]
    before = {place.store for place in where(house, identifier, [ENERGY])}
    arrived, went = house.objects.read(settings.bucket_exchange, ARRIVED), sent(night)
    exchange = ExchangeId(list_exchanges(house.conn, direction=Direction.INBOUND)[-1].id)
    lake = get_copy(house.conn, exchange, "lake")
    assert before == {"lake", "files as they came", "files as they went out", "subject index"}
    case = asked(night, phone, record)
    foreseen = draft(house, case.case_id, "planner", now()).report
    with pytest.raises(NotDelivered, match="NAMES_SOMEBODY_KEPT_OUT"):
        deliver_again(house, line.id, "an", now())

    report = run(house, case.case_id, now())

    assert (report.residual, report.doubts, report.waiting) == (0, 0, 0)
    assert {each.store for each in foreseen.lines} == {each.store for each in report.lines} == before
    assert list(where(house, identifier, [ENERGY])) == []
    edited = house.objects.read(settings.bucket_exchange, ARRIVED)
    assert edited.split(b"\n") == others(arrived, record) and edited != arrived
    assert sent(night).split(b"\n") == others(went, record) and sent(night) != went
    assert verify_ledger(house.conn, public_pem=house.keyring.public_pem).valid
    assert {part.state for part in get_case(house.conn, case.case_id).sub_cases} == {State.EXECUTED, State.EXECUTING}
    [issued] = issue(house, case.case_id)
    said = verify_certificate(issued.jws, house.keyring.public_pem)
    assert (said["residual"], said["principal"]) == (0, "energy01")
    assert case.case_id not in json.dumps(said), "the case's own number stays with the center"
    pages = {language: open_pdf(house, issued, language) for language in LANGUAGES}
    assert pages == {language: make_certificate_pdf(issued.jws, language) for language in LANGUAGES}
    assert case.case_id not in text_of(pages["nl"]) and phone not in text_of(pages["nl"])
    for language in ("fr", "en"):  # killed after the JWS and the first PDF
        house.objects.delete_others(issued.bucket, issued.pdf_key(language), frozenset())
        assert house.objects.head(issued.bucket, issued.pdf_key(language)) is None
    [made_again] = issue(house, case.case_id)
    assert made_again.jws == issued.jws
    assert {language: open_pdf(house, made_again, language) for language in LANGUAGES} == pages

    again = deliver_again(house, line.id, "an", now())
    content = house.objects.read(again.bucket, again.key, again.version_id).decode()
    assert phone not in content and record not in content and night.people(2)[1][1] in content
    assert verify(house, case.case_id, now()).residual == 0

    EFFECTS["sweep"](house, exchange)
    after = get_copy(house.conn, exchange, "lake")
    assert after.version_id != lake.version_id
    assert pl.read_parquet(house.objects.read(after.bucket, after.key, after.version_id)).height == 39
    house.objects.put(after.bucket, after.key.replace("part-0", "part-9"), b"rest of a dead try", "x")
    EFFECTS["sweep"](house, exchange)
    there = house.objects.list_versions(after.bucket, after.key.rpartition("/")[0] + "/")
    assert {item.key.rpartition("/")[2] for item in there} == {"part-0.parquet", "_receipt.json"}, "and still sweeps"
    house.conn.execute("update outbox set done_at = null, next_attempt_at = now() where effect = 'delivery'")
    night.make()
    do_effects(house)  # lineage hears of what the erasure edited
    assert night.desk.sql("select 1 from outbox where done_at is null") == []
    file = pl.read_csv(night.file(line), separator=";", infer_schema=False)
    assert file["customer_number"].to_list() == [night.people(3)[n][0] for n in (1, 2)], "delivered late, as edited"
    assert night.desk.open_new() == 0, "an edited file is no arrival"
    night.desk.drop(edited)
    assert night.desk.open_new() == 1, "the same bytes from the principal itself are one"
    night.desk.work()


def test_the_second_scan_finds_what_was_put_back_behind_the_record(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone, house, settings = night.people(4)[3][1], night.desk.house, night.desk.settings
    case, folder = of(night, 3), night.desk.folder
    run(house, case.case_id, now())
    assert issue(house, case.case_id), "control"

    def left(bucket: str, name: str, column: str, said: str) -> None:
        pl.DataFrame({column: [said]}).write_parquet(folder / "residue")
        house.objects.put(bucket, f"energy01/left/{name}", folder / "residue", "x")

    [ref] = refs_of([parse_identifier(f"phone:{phone}", 1)], house.subject_key(ENERGY), ENERGY).values()
    left(settings.bucket_lake, "over.parquet", "note", f"bel {phone} terug")
    left(settings.bucket_lake, "ref.parquet", "ref", ref)  # a reference is the person as well
    (folder / "note").write_text(f"bel {phone} terug")
    sealed = seal(folder / "note", folder / "note.age", house.keyring, ENERGY)
    house.objects.put(settings.bucket_vault, "energy01/left/note.age", sealed, "x")
    for many in (scan.MANY, 0):  # by itself, and by readers
        monkeypatch.setattr(scan, "MANY", many)
        report = verify(house, case.case_id, now())
        found = sorted((each.store, each.reason) for each in report.unread)
        assert (report.residual, found) == (3, [("lake", NAMED), ("lake", NAMED), ("quarantine", NAMED)])
        with pytest.raises(NotProven):
            issue(house, case.case_id)
    assert show_exchange(house.conn, night.returns()[0].id).record is not None
    for bucket in (settings.bucket_lake, settings.bucket_vault):
        for item in list(house.objects.list_versions(bucket, "energy01/left/")):
            house.objects.delete_version(bucket, item.key, item.version_id)
    assert verify(house, case.case_id, now()).residual == 0


def test_an_upload_that_was_never_ended_keeps_the_certificate_back_until_it_is_given_up(night: Night) -> None:
    house, named = night.desk.house, night.desk.settings
    client, exchange = house.objects._client, named.bucket_exchange
    kept = {"energy011/inbound/x/a.csv", "energy01/requests/b.csv", "_handed/telecom01/c.zip"}
    case = of(night, 4)
    run(house, case.case_id, now())

    def judged() -> tuple[Any, ...]:
        report = verify(house, case.case_id, now())
        return report.residual, report.doubts, report.waiting, {each.store for each in report.unread}

    half = {
        exchange: "energy01/inbound/renewal_campaign/half.csv",
        named.bucket_internal: "energy01/half.parquet",
        named.bucket_lake: "energy01/half.parquet",
        named.bucket_vault: "energy01/half.parquet",
        named.bucket_evidence: "_sealed/energy01/half",
    }
    for bucket, key in [*half.items(), *((exchange, key) for key in kept)]:
        client.create_multipart_upload(Bucket=bucket, Key=key)
    # The store tells whole seconds: an upload of the very second of the run is a doubt.
    house.conn.execute("update erasure_run set begun_at = now() - interval '1 hour'")
    assert judged()[:3] == (0, 0, len(half)), "begun since: they may still end; of others nothing is said"
    with pytest.raises(NotProven):
        issue(house, case.case_id)
    house.conn.execute("update erasure_run set begun_at = now() + interval '1 second'")
    assert judged() == (0, len(half), 0, {"unfinished uploads"})
    with pytest.raises(NotProven):
        issue(house, case.case_id)
    assert run(house, case.case_id, now()).doubts == 0
    assert issue(house, case.case_id)
    assert {left.key for left in house.objects.list_uploads(exchange, "")} == kept, "of others, or of requests"


def test_a_prepared_return_that_names_the_person_is_made_again_before_anything_is_scanned(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, people = night.desk.house, night.people(12)[9:]
    night.called(*(Call(f"p{n}", *person) for n, person in enumerate(people)), name="later.csv")
    night.make()
    waiting = night.returns()[0]
    assert waiting.decision == "open", "it waits for a second person"
    case = of(night, 9)
    with monkeypatch.context() as patched:
        patched.setattr("sluice.rights.erasure.erase.remake_prepared", lambda *_: None)
        assert run(house, case.case_id, now()).residual == 1, "control: it lies there, and names the first of the three"

    report = run(house, case.case_id, now())

    newest, *older = night.returns()
    assert (report.residual, report.doubts) == (0, 0)
    assert newest.decision == "open" and waiting.id in [line.id for line in older]
    night.release(newest)
    went = night.file(night.returns()[0]).decode()
    assert [record in went for record, _ in people] == [False, True, True]


def test_the_erased_do_not_come_back_in_another_spelling_and_rows_of_the_held_are_kept(night: Night) -> None:
    house, (record, phone), held = night.desk.house, night.people(14)[12], night.people(14)[13]
    run(house, asked(night, phone, record).case_id, now())
    refs = refs_of([parse_identifier(f"phone:{held[1]}", 1)], house.subject_key(ENERGY), ENERGY)
    keep_out(
        house, ENERGY, frozenset(refs.values()), Suppression.OBJECTED, cause="test", case_id=None, now=now()
    )  # fmt: skip
    spelled = {"phone": f" {phone[:4]} {phone[4:7]}.{phone[7:]} ", "customer_number": "E99999999"}

    dropped = night.desk.drop(file_of(night, (12, {}), (12, spelled), (13, {}), (14, {}), (15, {})), "again.csv")
    night.desk.work()

    record_of = night.desk.shown(dropped).record
    assert record_of is not None
    assert record_of.right_treatment.held_back == {"erased": 2, "objected": 1}
    assert (record_of.what.rows_held, record_of.what.rows_accepted, record_of.what.rows_refused) == (3, 2, 0)
    [kept] = [copy for copy in record_of.how_long.copies if copy.kind == "quarantine.held"]
    sealed, opened = night.desk.folder / "sealed", night.desk.folder / "opened"
    house.objects.fetch(kept.bucket, kept.key, kept.version_id, sealed)
    rows = pl.read_parquet(unseal(sealed, opened, house.keyring, ENERGY))
    assert (kept.rows, rows["customer_number"].to_list()) == (1, [held[0]]), "those of the erased are counted only"
