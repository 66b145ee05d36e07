"""One file from drop to receipt, and every reason why it does not get there."""

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from returns.commands import at_terminal, sluice
from sluice.db import Connection, connect
from sluice.documents.verify import verify_receipt
from sluice.errors import GateFailed, NotFound
from sluice.exchange import store
from sluice.exchange.house import open_house
from sluice.exchange.judging import nursery
from sluice.exchange.naming import NO_FLOW
from sluice.exchange.read import ExchangeLine, get_accepted
from sluice.lake.quarantine import unseal
from sluice.lake.s3.objects import StoredObject
from sluice.ledger.record import ExchangeRecord
from sluice.sample.faults import FaultPlan, Planted
from sluice.settings import Settings
from sluice.terms import Direction, Flow, Principal
from support.desk import ENERGY, Desk, open_desk

FAULTS = FaultPlan(missing_required=3, bad_phone=4, duplicate_key=2, wrong_code=2, ragged_row=1)
ENERGY01, CAMPAIGN = Principal(ENERGY[0]), Flow(ENERGY[1])


def _zipped(content: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("campaign.csv", content)
    return target.getvalue()


@dataclass(frozen=True)
class Arrived:
    """One desk to which a clean file, one with faults, and everything that is refused came in one night."""

    desk: Desk
    clean: Path
    bad: Path
    planted: Planted
    dropped: dict[str, StoredObject]

    def line(self, name: str) -> ExchangeLine:
        return self.desk.line(self.dropped[name])

    def record(self, name: str) -> ExchangeRecord:
        record = self.desk.shown(self.dropped[name]).record
        assert record is not None
        return record

    def receipt(self, name: str, ending: str, where: str = ENERGY[0]) -> bytes:
        line = self.line(name)
        key = f"{where}/receipts/{line.flow}/{line.id}.{ending}"
        return self.desk.house.objects.read(self.desk.settings.bucket_exchange, key)

    def lake(self, name: str) -> bytes:
        item = get_accepted(self.desk.house.conn, self.line(name).id)
        return self.desk.house.objects.read(item.bucket, item.key, item.version_id)


REFUSED = [
    ("x.csv", ("water01", "meter_contacts"), None, "FORBIDDEN_AGREEMENT_EXPIRED"),
    ("x.csv", ("nobody01", "leads"), None, "FORBIDDEN_NO_AGREEMENT"),
    ("x.csv", (ENERGY[0], "unheard_of"), None, "FORBIDDEN_NO_CONTRACT"),
    ("contract.pdf", (ENERGY[0], "janssens-peter"), None, "FORBIDDEN_NO_CONTRACT"),
    ("contract.pdf", (ENERGY[0], "1412813"), None, "FORBIDDEN_NO_CONTRACT"),
    ("contract.pdf", ENERGY, None, "NAME_NOT_AS_AGREED"),
    ("jan.peeters@post.example.csv", ENERGY, None, "NAME_UNSAFE"),
    ("0475123456.csv", ENERGY, None, "NAME_UNSAFE"),
    ("x.txt", ENERGY, None, "NAME_NOT_AS_AGREED"),
    ("empty.csv", ENERGY, lambda content: b"", "UNREADABLE_EMPTY_FILE"),
    ("zipped.csv", ENERGY, _zipped, "WRONG_FORMAT"),
    ("header.csv", ENERGY, lambda content: content.replace(b"email", b"e_mail", 1), "HEADER"),
]


@pytest.fixture(scope="module")
def arrived(module_desk: Desk) -> Iterator[Arrived]:
    desk, dropped = module_desk, {}
    clean, _ = desk.campaign(rows=300)
    bad, planted = desk.campaign(rows=300, seed=2, faults=FAULTS)
    dropped["clean"], dropped["bad"] = desk.drop(clean, "clean.csv"), desk.drop(bad, "bad.csv")
    content = desk.campaign(rows=50, seed=3)[0].read_bytes()
    for name, where, change, _ in REFUSED:
        dropped[f"{where[0]}/{where[1]}/{name}"] = desk.drop(change(content) if change else content, name, where)
    for seed in (4, 5):
        dropped[f"version {seed}"] = desk.drop(desk.campaign(rows=20, seed=seed)[0], "versions.csv")
    desk.work()
    yield Arrived(desk, clean, bad, planted, dropped)


def test_a_clean_file_is_accepted_whole_and_receipted(arrived: Arrived) -> None:
    line = arrived.line("clean")
    assert (line.decision, line.rows_in, line.rows_accepted, line.rows_refused) == ("accepted", 300, 300, 0)
    public = arrived.desk.house.keyring.public_pem
    check = verify_receipt(arrived.receipt("clean", "json"), public, arrived.receipt("clean", "pdf"))
    assert (check.valid, check.exchange) == (True, line.id)


def test_every_cell_is_in_the_lake_unchanged_sorted_by_subject_and_shown_in_no_statistics(arrived: Arrived) -> None:
    sent = pl.read_csv(arrived.clean, separator=";", infer_schema=False, quote_char='"')
    kept = pl.read_parquet(io.BytesIO(arrived.lake("clean")))
    in_order = kept.sort("sluice_row")
    assert in_order.select(sent.columns).equals(sent.with_columns(pl.all().replace("", None)))
    assert in_order["sluice_row"].to_list() == list(range(1, 301))
    group = pq.ParquetFile(io.BytesIO(arrived.lake("clean"))).metadata.row_group(0)
    columns = [group.column(number) for number in range(group.num_columns)]
    assert {each.path_in_schema for each in columns if each.statistics is not None} == {"sluice_subject_ref"}
    refs = kept["sluice_subject_ref"].to_list()
    assert refs == sorted(refs)


def test_bad_rows_go_to_quarantine_sealed_and_the_others_go_on(arrived: Arrived, tmp_path: Path) -> None:
    line, planted, desk = arrived.line("bad"), arrived.planted, arrived.desk
    assert line.decision == "partly_accepted"
    assert (line.rows_in or 0) == (line.rows_accepted or 0) + (line.rows_refused or 0) == 300
    assert line.rows_refused == len(planted.all_rows)
    findings = pl.read_csv(io.BytesIO(arrived.receipt("bad", "findings.csv")))
    assert set(findings.filter(pl.col("severity") == "error")["row"]) == planted.all_rows
    sealed = next(copy for copy in arrived.record("bad").how_long.copies if copy.kind == "quarantine.rows")
    content = desk.house.objects.read(sealed.bucket, sealed.key, sealed.version_id)
    (tmp_path / "sealed.age").write_bytes(content)
    unseal(tmp_path / "sealed.age", tmp_path / "rows.parquet", desk.house.keyring, ENERGY01)
    rows = set(pl.read_parquet(tmp_path / "rows.parquet")["sluice_row"])
    assert rows < planted.all_rows
    assert rows.isdisjoint(set(pl.read_parquet(io.BytesIO(arrived.lake("bad")))["sluice_row"]))

    sent = pl.read_csv(arrived.bad, separator=";", infer_schema=False, truncate_ragged_lines=True)
    emails = [mail.encode() for mail in sent["email"].drop_nulls()]
    vault = [item for item in desk.objects(desk.settings.bucket_vault) if item.key.endswith(".age")]
    contents = [desk.house.objects.read(item.bucket, item.key, item.version_id) for item in vault]
    assert contents and not any(mail in each for mail in emails for each in contents), "quarantine shows no value"
    assert any(mail in arrived.bad.read_bytes() for mail in emails), "the control: they can be found in clear"


@pytest.mark.parametrize(("name", "where", "change", "code"), REFUSED)
def test_what_is_wrong_is_refused_with_its_reason_and_receipted(
    arrived: Arrived, name: str, where: tuple[str, str], change: object, code: str
) -> None:
    key = f"{where[0]}/{where[1]}/{name}"
    line = arrived.line(key)
    assert line.decision == "refused"
    assert (line.reason_code or "").startswith(code)
    assert line.receipt_at is not None
    assert not [item for item in arrived.desk.objects(arrived.desk.settings.bucket_lake) if line.id in item.key]
    assert json.loads(arrived.receipt(key, "json", where[0]))["payload"]
    assert line.flow == (where[1] if where[1] in ("meter_contacts", ENERGY[1]) else NO_FLOW)


def test_a_name_or_folder_that_could_name_a_person_is_in_no_record_receipt_or_key(arrived: Arrived) -> None:
    desk = arrived.desk
    entries = [bytes(row["body"]).decode() for row in desk.sql("select body from ledger.entry")]
    catalogue = [str(row["key"]) for row in desk.sql("select key from copy")]
    buckets = (desk.settings.bucket_exchange, desk.settings.bucket_lake, desk.settings.bucket_vault)
    stored = [item for bucket in buckets for item in desk.objects(bucket) if "/inbound/" not in item.key]
    documents = [desk.house.objects.read(item.bucket, item.key, item.version_id) for item in stored]
    told = [*entries, *catalogue, *(item.key for item in stored), *map(str, documents)]
    assert not [text for text in told for word in ("peeters", "janssens-peter", "1412813") if word in text]
    known = arrived.dropped[f"{ENERGY[0]}/{ENERGY[1]}/contract.pdf"].key
    assert "energy01/inbound/[name withheld]" in catalogue and known in catalogue, "of a flow it is there"
    assert any(known in text for text in entries) and any(NO_FLOW in item.key for item in stored)


def test_a_new_version_of_a_key_is_an_exchange_of_its_own(arrived: Arrived) -> None:
    assert [arrived.line(f"version {seed}").decision for seed in (4, 5)] == ["accepted", "accepted"]


def test_the_record_answers_all_six_questions(arrived: Arrived) -> None:
    record = arrived.record("bad")
    assert record.why.purposes
    assert set(record.why.purposes[0].text) == {"nl", "fr", "en"}
    assert record.what.sha256
    assert all(column.role_profile for column in record.what.columns)
    assert all(copy.delete_after for copy in record.how_long.copies)
    assert record.who.roles
    assert record.who.countries
    assert record.how.contract_sha256
    assert sum(record.how.gate_counts.values()) > 0
    assert record.right_treatment.held_back == {}


def test_the_same_content_again_is_a_duplicate_that_names_the_first(arrived: Arrived) -> None:
    again = arrived.desk.drop(arrived.clean, "again.csv")
    arrived.desk.work()
    line, record = arrived.desk.line(again), arrived.desk.shown(again).record
    assert (line.decision, line.reason_code) == ("refused", "DUPLICATE_CONTENT")
    assert record is not None and arrived.line("clean").id in (record.rule_id or "")


def test_accepted_data_is_invisible_until_its_receipt_lies_there(arrived: Arrived) -> None:
    exchange, conn = arrived.line("clean").id, arrived.desk.house.conn
    assert get_accepted(conn, exchange).rows == 300
    conn.execute("update exchange set receipt_at = null where exchange_id = %s", (exchange,))
    with pytest.raises(NotFound):
        get_accepted(conn, exchange)
    conn.execute("update exchange set receipt_at = now() where exchange_id = %s", (exchange,))


def test_a_folder_is_a_flow_once_its_contract_was_registered(store_settings: Settings, tmp_path: Path) -> None:
    with open_house(store_settings) as house:
        early = Desk(house, tmp_path)
        before = early.drop(early.campaign(rows=50, seed=1)[0], "a.csv")
        early.work()
        assert (early.line(before).flow, early.line(before).reason_code) == (NO_FLOW, "FORBIDDEN_NO_AGREEMENT")
    with open_desk(store_settings, tmp_path) as desk:
        after = desk.drop(desk.campaign(rows=50, seed=2)[0], "b.csv")
        desk.work()
        assert (desk.line(after).flow, desk.line(after).decision) == (ENERGY[1], "accepted")


def test_a_file_that_takes_too_much_is_undecided_kept_sealed_and_blocks_nobody(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nursery, "BYTES_PER_CPU_SECOND", 1 << 40)  # a large file is given no more than a small one
    with open_desk(desk.settings.model_copy(update={"gate_cpu_seconds": 1}), tmp_path) as strict:
        endless = strict.drop(strict.campaign(rows=200_000, seed=2)[0], "endless.csv")
        good = strict.drop(strict.campaign(rows=50)[0], "good.csv")
        strict.work()
        assert strict.line(good).decision == "accepted"
        assert (strict.line(endless).decision, strict.line(endless).reason_code) == ("undecided", "LIMIT_CPU")
        assert [o.key for o in strict.objects(strict.settings.bucket_vault) if o.key.endswith("file.age")]


def test_what_a_try_before_the_commit_left_is_swept_and_who_lost_its_lock_keeps_nothing(desk: Desk) -> None:
    """A worker that died, or lost its lock, leaves versions that no record names."""
    dropped = desk.drop(desk.campaign(rows=50)[0])
    desk.open_new()
    with store.claim_next(desk.house.conn, Direction.INBOUND, ENERGY01, CAMPAIGN) as opened:
        assert opened is not None
        store.check_still_ours(desk.house.conn, opened)
        desk.house.conn.execute("select pg_advisory_unlock_all()")
        with pytest.raises(GateFailed):
            store.check_still_ours(desk.house.conn, opened)
    exchange = desk.line(dropped).id
    place = f"energy01/renewal_campaign/exchange={exchange}"
    desk.house.objects.put(desk.settings.bucket_lake, f"{place}/part-0.parquet", b"left by the dead", "x")
    desk.house.objects.put(desk.settings.bucket_vault, f"{place}/file.age", b"left by the dead", "x")
    desk.sql("update exchange set next_attempt_at = now() returning 1")
    desk.work()
    item = get_accepted(desk.house.conn, exchange)
    content = desk.house.objects.read(item.bucket, item.key, item.version_id)
    assert desk.line(dropped).decision == "accepted"
    assert pl.read_parquet(io.BytesIO(content)).height == 50
    assert [o.key for o in desk.objects(desk.settings.bucket_vault)] == []
    parts = [o for o in desk.objects(desk.settings.bucket_lake) if o.key.endswith("part-0.parquet")]
    assert len(parts) == 1


def test_what_somebody_works_on_does_not_wait_however_long_it_takes(desk: Desk) -> None:
    for rows in (50, 60, 70):
        desk.drop(desk.campaign(rows=rows)[0])
    desk.open_new()

    def waits(conn: Connection) -> list[tuple[int, int]]:
        return [(flow.count, flow.taken) for flow in store.find_waiting(conn, Direction.INBOUND)]

    with (
        connect(desk.settings) as trigger,
        store.claim_next(desk.house.conn, Direction.INBOUND, ENERGY01, CAMPAIGN) as taken,
    ):
        assert taken is not None and waits(trigger) == [(2, 1)]
        desk.house.conn.execute("update exchange set next_attempt_at = now() - interval '1 minute'")
        assert waits(trigger) == [(2, 1)], "judged for longer than a retry waits"
    with connect(desk.settings) as trigger:
        assert waits(trigger) == [(3, 0)], "the control: its slot is gone"


def test_a_fault_that_is_not_the_files_costs_no_attempt_and_what_is_set_aside_is_no_success(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drained(of: Desk) -> tuple[int, dict[str, object]]:
        with at_terminal(of, monkeypatch):
            done = sluice("exchange", "drain")
        return done.exit, done.document["flows"]["/".join(ENERGY)]

    def fail(*_: object) -> None:
        raise GateFailed

    dropped = desk.drop(desk.campaign(rows=50)[0])
    desk.open_new()
    broken = desk.settings.model_copy(update={"expectations_dir": desk.folder / "nowhere"})
    with open_desk(broken, desk.folder) as other:
        assert drained(other) == (3, {"decisions": {}, "set_aside": 0, "held_up": 1})
    assert (desk.line(dropped).decision, desk.line(dropped).last_error) == ("open", "SLU-302")
    assert desk.sql("select attempts from exchange")[0]["attempts"] == 0
    desk.sql("update exchange set next_attempt_at = now() returning 1")
    with monkeypatch.context() as failing:
        failing.setattr("sluice.exchange.drain.carry_arrival", fail)
        assert drained(desk) == (3, {"decisions": {}, "set_aside": 1, "held_up": 0})
    desk.sql("update exchange set next_attempt_at = now() returning 1")
    code, flow = drained(desk)
    assert (code, flow["decisions"], desk.line(dropped).decision) == (0, {"accepted": 1}, "accepted")
