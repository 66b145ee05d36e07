"""One file from drop to receipt, and every reason why it does not get there."""

import io
import json
import zipfile
from pathlib import Path

import polars as pl
import pytest

from returns.commands import at_terminal, sluice
from sluice.db import Connection, connect
from sluice.documents.verify import verify_receipt
from sluice.errors import NotFound
from sluice.exchange.house import open_house
from sluice.exchange.judging import nursery
from sluice.exchange.naming import NO_FLOW
from sluice.exchange.read import get_accepted
from sluice.lake.quarantine import unseal
from sluice.sample.faults import FaultPlan
from sluice.settings import Settings
from sluice.terms import Principal
from support.desk import ENERGY, Desk, open_desk

FAULTS = FaultPlan(missing_required=3, bad_phone=4, duplicate_key=2, wrong_code=2, ragged_row=1)


def receipt_of(desk: Desk, exchange_id: str, ending: str, where: tuple[str, str] = ENERGY) -> bytes:
    key = f"{where[0]}/receipts/{where[1]}/{exchange_id}.{ending}"
    return desk.house.objects.read(desk.settings.bucket_exchange, key)


def lake_of(desk: Desk, exchange_id: str) -> pl.DataFrame:
    item = get_accepted(desk.house.conn, exchange_id)
    return pl.read_parquet(io.BytesIO(desk.house.objects.read(item.bucket, item.key, item.version_id)))


def test_a_clean_file_is_accepted_whole_and_receipted(desk: Desk) -> None:
    path, _ = desk.campaign(rows=300)
    dropped = desk.drop(path)
    desk.work()
    line = desk.line(dropped)
    assert (line.decision, line.rows_in, line.rows_accepted, line.rows_refused) == ("accepted", 300, 300, 0)
    check = verify_receipt(
        receipt_of(desk, line.id, "json"), desk.house.keyring.public_pem, receipt_of(desk, line.id, "pdf")
    )
    assert check.valid
    assert check.exchange == line.id


def test_every_cell_of_an_accepted_file_is_in_the_lake_unchanged(desk: Desk) -> None:
    path, _ = desk.campaign(rows=300)
    dropped = desk.drop(path)
    desk.work()
    sent = pl.read_csv(path, separator=";", infer_schema=False, quote_char='"')
    kept = lake_of(desk, desk.line(dropped).id).sort("sluice_row")
    assert kept.select(sent.columns).equals(sent.with_columns(pl.all().replace("", None)))
    assert kept["sluice_row"].to_list() == list(range(1, 301))


def test_the_lake_object_is_sorted_by_subject_and_shows_no_value_in_its_statistics(desk: Desk) -> None:
    import pyarrow.parquet as pq

    dropped = desk.drop(desk.campaign(rows=300)[0])
    desk.work()
    item = get_accepted(desk.house.conn, desk.line(dropped).id)
    file = pq.ParquetFile(io.BytesIO(desk.house.objects.read(item.bucket, item.key, item.version_id)))
    group = file.metadata.row_group(0)
    with_statistics = {
        group.column(n).path_in_schema for n in range(group.num_columns) if group.column(n).statistics is not None
    }
    refs = file.read(["sluice_subject_ref"])["sluice_subject_ref"].to_pylist()
    assert with_statistics == {"sluice_subject_ref"}
    assert refs == sorted(refs)


def test_bad_rows_go_to_quarantine_and_the_others_go_on(desk: Desk, tmp_path: Path) -> None:
    path, planted = desk.campaign(rows=300, faults=FAULTS)
    dropped = desk.drop(path)
    desk.work()
    line = desk.line(dropped)
    assert line.decision == "partly_accepted"
    assert (line.rows_in or 0) == (line.rows_accepted or 0) + (line.rows_refused or 0) == 300
    assert line.rows_refused == len(planted.all_rows)
    findings = pl.read_csv(io.BytesIO(receipt_of(desk, line.id, "findings.csv")))
    assert set(findings.filter(pl.col("severity") == "error")["row"]) == planted.all_rows
    record = desk.shown(dropped).record
    assert record is not None
    sealed = next(copy for copy in record.how_long.copies if copy.kind == "quarantine.rows")
    (tmp_path / "sealed.age").write_bytes(desk.house.objects.read(sealed.bucket, sealed.key, sealed.version_id))
    unseal(tmp_path / "sealed.age", tmp_path / "rows.parquet", desk.house.keyring, Principal("energy01"))
    rows = set(pl.read_parquet(tmp_path / "rows.parquet")["sluice_row"])
    assert rows < planted.all_rows
    assert rows.isdisjoint(set(lake_of(desk, line.id)["sluice_row"]))


def test_quarantine_holds_no_readable_value(desk: Desk) -> None:
    path, _ = desk.campaign(rows=300, faults=FAULTS)
    desk.drop(path)
    desk.work()
    sealed = [o for o in desk.objects(desk.settings.bucket_vault) if o.key.endswith(".age")]
    emails = [
        mail.encode()
        for mail in pl.read_csv(path, separator=";", infer_schema=False, truncate_ragged_lines=True)[
            "email"
        ].drop_nulls()
    ]
    contents = [desk.house.objects.read(o.bucket, o.key, o.version_id) for o in sealed]
    assert sealed
    assert not any(mail in content for mail in emails for content in contents)
    assert any(mail in path.read_bytes() for mail in emails)  # the control: they can be found in clear


def _zipped(content: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("campaign.csv", content)
    return target.getvalue()


@pytest.mark.parametrize(
    ("name", "where", "change", "decision", "code"),
    [
        ("x.csv", ("water01", "meter_contacts"), None, "refused", "FORBIDDEN_AGREEMENT_EXPIRED"),
        ("x.csv", ("nobody01", "leads"), None, "refused", "FORBIDDEN_NO_AGREEMENT"),
        ("x.csv", ("energy01", "unheard_of"), None, "refused", "FORBIDDEN_NO_CONTRACT"),
        ("jan.peeters@post.example.csv", ENERGY, None, "refused", "NAME_UNSAFE"),
        ("0475123456.csv", ENERGY, None, "refused", "NAME_UNSAFE"),
        ("x.txt", ENERGY, None, "refused", "NAME_NOT_AS_AGREED"),
        ("x.csv", ENERGY, lambda c: b"", "refused", "UNREADABLE_EMPTY_FILE"),
        ("x.csv", ENERGY, _zipped, "refused", "WRONG_FORMAT"),
        ("x.csv", ENERGY, lambda c: c.replace(b"email", b"e_mail", 1), "refused", "HEADER"),
    ],
)
def test_what_is_wrong_is_refused_with_its_reason_and_receipted(
    desk: Desk, name: str, where: tuple[str, str], change: object, decision: str, code: str
) -> None:
    content = desk.campaign(rows=50)[0].read_bytes()
    dropped = desk.drop(change(content) if callable(change) else content, name, where)
    desk.work()
    line = desk.line(dropped)
    assert line.decision == decision
    assert (line.reason_code or "").startswith(code)
    assert line.receipt_at is not None
    assert not desk.objects(desk.settings.bucket_lake)
    receipt = json.loads(receipt_of(desk, line.id, "json", (where[0], line.flow)))
    assert receipt["payload"]
    assert line.flow == (NO_FLOW if where[1] in ("leads", "unheard_of") else where[1])


def test_a_name_that_could_name_a_person_is_in_no_record_receipt_or_key(desk: Desk) -> None:
    dropped = desk.drop(desk.campaign(rows=50)[0], "jan.peeters@post.example.csv")
    desk.work()
    shown = desk.shown(dropped)
    assert shown.entry is not None
    assert b"peeters" not in shown.entry.body
    keys = [o.key for bucket in ("bucket_lake", "bucket_vault") for o in desk.objects(getattr(desk.settings, bucket))]
    receipts = [o.key for o in desk.objects(desk.settings.bucket_exchange) if "/receipts/" in o.key]
    assert not any("peeters" in key for key in keys + receipts)


@pytest.mark.parametrize("folder", ["janssens-peter", "1412813"])
def test_a_folder_that_no_contract_names_is_in_no_record_receipt_or_key(desk: Desk, folder: str) -> None:
    desk.drop(desk.campaign(rows=50)[0], "contract.pdf", (ENERGY[0], folder))
    known = desk.drop(desk.campaign(rows=50)[0], "contract.pdf")
    desk.work()
    assert {line.flow for line in desk.lines()} == {NO_FLOW, ENERGY[1]}
    entries = [bytes(row["body"]).decode() for row in desk.sql("select body from ledger.entry")]
    catalogue = [str(row["key"]) for row in desk.sql("select key from copy")]
    stored = [
        item
        for bucket in ("bucket_exchange", "bucket_lake", "bucket_vault")
        for item in desk.objects(getattr(desk.settings, bucket))
        if "/inbound/" not in item.key
    ]
    documents = [desk.house.objects.read(item.bucket, item.key, item.version_id) for item in stored]
    told = [*entries, *catalogue, *(item.key for item in stored), *map(str, documents)]
    assert not [text for text in told if folder in text]
    assert "energy01/inbound/[name withheld]" in catalogue and known.key in catalogue, "of a flow it is there"
    assert any(known.key in text for text in entries) and any(NO_FLOW in item.key for item in stored)


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


def test_the_same_content_again_is_a_duplicate_that_names_the_first(desk: Desk) -> None:
    path, _ = desk.campaign(rows=50)
    first = desk.drop(path, "a.csv")
    desk.work()
    second = desk.drop(path, "b.csv")
    desk.work()
    line = desk.line(second)
    assert (line.decision, line.reason_code) == ("refused", "DUPLICATE_CONTENT")
    record = desk.shown(second).record
    assert record is not None
    assert desk.line(first).id in (record.rule_id or "")


def test_a_new_version_of_a_key_is_an_exchange_of_its_own(desk: Desk) -> None:
    first = desk.drop(desk.campaign(rows=50, seed=1)[0])
    second = desk.drop(desk.campaign(rows=50, seed=2)[0])
    desk.work()
    assert [desk.line(each).decision for each in (first, second)] == ["accepted", "accepted"]


def test_accepted_data_is_invisible_until_its_receipt_lies_there(desk: Desk) -> None:
    dropped = desk.drop(desk.campaign(rows=50)[0])
    desk.work()
    exchange = desk.line(dropped).id
    assert get_accepted(desk.house.conn, exchange).rows == 50
    desk.house.conn.execute("update exchange set receipt_at = null where exchange_id = %s", (exchange,))
    with pytest.raises(NotFound):
        get_accepted(desk.house.conn, exchange)


def test_a_file_that_takes_too_much_is_undecided_kept_sealed_and_blocks_nobody(
    store_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nursery, "BYTES_PER_CPU_SECOND", 1 << 40)  # a large file is given no more than a small one
    strict = store_settings.model_copy(update={"gate_cpu_seconds": 1})
    with open_desk(strict, tmp_path) as desk:
        endless = desk.drop(desk.campaign(rows=400_000, seed=2)[0], "endless.csv")
        good = desk.drop(desk.campaign(rows=50)[0], "good.csv")
        desk.work()
        assert desk.line(good).decision == "accepted"
        assert (desk.line(endless).decision, desk.line(endless).reason_code) == ("undecided", "LIMIT_CPU")
        assert [o.key for o in desk.objects(strict.bucket_vault) if o.key.endswith("file.age")]


def test_the_record_answers_all_six_questions(desk: Desk) -> None:
    dropped = desk.drop(desk.campaign(rows=300, faults=FAULTS)[0])
    desk.work()
    record = desk.shown(dropped).record
    assert record is not None
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


def test_what_a_try_before_the_commit_left_is_swept(desk: Desk) -> None:
    """A worker that died, or lost its lock, leaves versions that no record names."""
    dropped = desk.drop(desk.campaign(rows=50)[0])
    desk.open_new()
    exchange = desk.line(dropped).id
    place = f"energy01/renewal_campaign/exchange={exchange}"
    desk.house.objects.put(desk.settings.bucket_lake, f"{place}/part-0.parquet", b"left by the dead", "x")
    desk.house.objects.put(desk.settings.bucket_vault, f"{place}/file.age", b"left by the dead", "x")
    desk.work()
    assert desk.line(dropped).decision == "accepted"
    assert lake_of(desk, exchange).height == 50
    assert [o.key for o in desk.objects(desk.settings.bucket_vault)] == []
    parts = [o for o in desk.objects(desk.settings.bucket_lake) if o.key.endswith("part-0.parquet")]
    assert len(parts) == 1


def test_a_worker_that_lost_its_lock_keeps_nothing(desk: Desk) -> None:
    from sluice.errors import GateFailed
    from sluice.exchange import store
    from sluice.terms import Direction, Flow

    desk.drop(desk.campaign(rows=50)[0])
    desk.open_new()
    with store.claim_next(desk.house.conn, Direction.INBOUND, Principal("energy01"), Flow(ENERGY[1])) as opened:
        assert opened is not None
        store.check_still_ours(desk.house.conn, opened)
        desk.house.conn.execute("select pg_advisory_unlock_all()")
        with pytest.raises(GateFailed):
            store.check_still_ours(desk.house.conn, opened)


def test_what_somebody_works_on_does_not_wait_however_long_it_takes(desk: Desk) -> None:
    from sluice.exchange import store
    from sluice.terms import Direction, Flow

    for rows in (50, 60, 70):
        desk.drop(desk.campaign(rows=rows)[0])
    desk.open_new()

    def waits(conn: Connection) -> list[tuple[int, int]]:
        return [(flow.count, flow.taken) for flow in store.find_waiting(conn, Direction.INBOUND)]

    with (
        connect(desk.settings) as trigger,
        store.claim_next(desk.house.conn, Direction.INBOUND, Principal("energy01"), Flow(ENERGY[1])) as taken,
    ):
        assert taken is not None and waits(trigger) == [(2, 1)]
        desk.house.conn.execute("update exchange set next_attempt_at = now() - interval '1 minute'")
        assert waits(trigger) == [(2, 1)], "judged for longer than a retry waits"
    with connect(desk.settings) as trigger:
        assert waits(trigger) == [(3, 0)], "the control: its slot is gone"


def test_a_fault_that_is_not_the_files_costs_it_no_attempt(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    dropped = desk.drop(desk.campaign(rows=50)[0])
    desk.open_new()
    broken = desk.settings.model_copy(update={"expectations_dir": desk.folder / "nowhere"})
    with open_desk(broken, desk.folder) as other, at_terminal(other, monkeypatch):
        done = sluice("exchange", "drain")
    assert (done.exit, done.document["flows"]["/".join(ENERGY)]) == (3, {"decisions": {}, "set_aside": 0, "held_up": 1})
    assert (desk.line(dropped).decision, desk.line(dropped).last_error) == ("open", "SLU-302")
    assert desk.sql("select attempts from exchange")[0]["attempts"] == 0
    desk.sql("update exchange set next_attempt_at = now() returning 1")
    with at_terminal(desk, monkeypatch):
        done = sluice("exchange", "drain")
    assert (done.exit, done.document["flows"]["/".join(ENERGY)]["decisions"]) == (0, {"accepted": 1})
    assert desk.line(dropped).decision == "accepted"


def test_a_file_that_is_set_aside_is_no_success(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from sluice.errors import GateFailed

    def fail(*_: object) -> None:
        raise GateFailed

    desk.drop(desk.campaign(rows=5)[0])
    monkeypatch.setattr("sluice.exchange.drain.carry_arrival", fail)
    with at_terminal(desk, monkeypatch):
        done = sluice("exchange", "drain")
    assert (done.exit, done.document["flows"]["/".join(ENERGY)]) == (3, {"decisions": {}, "set_aside": 1, "held_up": 0})
