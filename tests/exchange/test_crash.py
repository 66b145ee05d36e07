"""SIGKILL at many points of the inbound path, each followed by a rerun (S-03)."""

import io
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import psycopg
import pytest

from sluice.lake.s3.objects import StoredObject
from sluice.ledger.verify import verify
from sluice.sample.faults import FaultPlan
from sluice.settings import Settings
from support import crash
from support.crash import Victim, dying
from support.desk import Desk, open_desk
from support.effort import chosen, effort
from support.night import FORMS, with_papers

OTHERS = [form for form in FORMS if form != "csv"]
POINTS, OTHER_POINTS, WRITES, AGAIN, NAIVE = effort((3, 1, 2, 1, 4), (126, 29, 200, 60, 60))
"""How many points of each test; of the formats but CSV as many as are a hundred of all."""
FAULTS = FaultPlan(missing_required=2)
Record = Callable[[str, object], None]


@pytest.fixture(scope="module")
def desk(module_desk: Desk) -> Iterator[tuple[Desk, Victim]]:
    """A desk whose contract asks for CSV, and a process that works everything off until it is killed at a step."""
    with dying(module_desk.settings, "inbound") as victim:
        yield module_desk, victim


def drop(desk: Desk, form: str, number: int) -> None:
    """A campaign with rows to refuse; in CSV one of them is no row at all."""
    faults = replace(FAULTS, ragged_row=1) if form in ("csv", "gzip", "zip") else FAULTS
    content = desk.campaign(rows=60, seed=number, faults=faults)[0].read_bytes()
    desk.drop(FORMS[form].pack(content), f"f{number}.{FORMS[form].ending}")


def killed_at(desk: Desk, victim: Victim, form: str, points: Iterable[int], *watched: str) -> tuple[int, list[str]]:
    """A file for each point, a kill there and a rerun: how many died, and the exchanges that are not as they should."""
    killed = 0
    for number, point in enumerate(points, 2):
        drop(desk, form, number + 1000 * len(watched))
        killed += victim(point, *watched)[0]
        assert nothing_is_visible_without_receipt(desk)
        assert is_chain_valid(desk), "as it was left"
        desk.work()
    finish(desk)
    assert is_chain_valid(desk)
    return killed, [line.id for line in desk.lines() if not is_consistent(desk, line.id)]


def killed_anywhere(desk: Desk, victim: Victim, form: str, points: int) -> str:
    drop(desk, form, 1)
    _, steps = victim(0)
    stride = max(1, steps // points)
    killed, wrong = killed_at(desk, victim, form, range((stride + 1) // 2, steps, stride))
    assert (killed >= points - points // 10, wrong) == (True, [])
    return f"{killed - len(wrong)} of {killed}"


@pytest.mark.timeout(900)
@pytest.mark.evidence
def test_killed_anywhere_a_rerun_finishes_exactly_once(desk: tuple[Desk, Victim], record_property: Record) -> None:
    done = killed_anywhere(*desk, "csv", POINTS)
    record_property("S-03 SIGKILL points of the inbound path, csv: consistent and the chain valid after rerun", done)


@pytest.mark.timeout(900)
@pytest.mark.evidence
@pytest.mark.parametrize("form", effort([chosen(OTHERS, 3)[1]], OTHERS))
def test_so_it_does_in_every_format(
    store_settings: Settings, tmp_path: Path, form: str, record_property: Record
) -> None:
    with (
        open_desk(with_papers(store_settings, tmp_path, *FORMS[form].edits), tmp_path) as desk,
        dying(desk.settings, "inbound") as victim,
    ):
        done = killed_anywhere(desk, victim, form, OTHER_POINTS)
    what = f"S-03 SIGKILL points of the inbound path, {form}: consistent and the chain valid after rerun"
    record_property(what, done)


@pytest.mark.timeout(3600)
@pytest.mark.evidence
def test_killed_before_and_after_each_write_a_rerun_finishes_exactly_once(
    desk: tuple[Desk, Victim], record_property: Record
) -> None:
    opened, victim = desk
    drop(opened, "csv", 1001)
    _, steps = victim(0, "writes")
    killed, wrong = killed_at(opened, victim, "csv", range(1, steps + 1, max(1, steps // WRITES)), "writes")
    assert (killed >= min(WRITES, steps) * 9 // 10, wrong) == (True, [])
    record_property(
        f"S-03 SIGKILL at calls into and returns from what writes to S3, ledger and database, of {steps}: consistent",
        f"{killed - len(wrong)} of {killed}",
    )


def finish(desk: Desk) -> None:
    """Effects that a killed worker had begun are due again after a few seconds."""
    deadline = time.monotonic() + 60
    owed = "select 1 from outbox where done_at is null union all select 1 from exchange where decision = 'open'"
    while desk.sql(owed) and time.monotonic() < deadline:
        time.sleep(1)
        desk.work()


def nothing_is_visible_without_receipt(desk: Desk) -> bool:
    visible = [str(row["id"]) for row in desk.sql("select exchange_id::text as id from accepted_data")]
    receipts = {o.key.rsplit("/", 1)[-1] for o in desk.objects(desk.settings.bucket_exchange) if "/receipts/" in o.key}
    closed = {
        str(row["id"])
        for row in desk.sql("select exchange_id::text as id from ledger.entry where kind = 'exchange.closed'")
    }
    return all(f"{each}.json" in receipts and each in closed for each in visible)


def is_chain_valid(desk: Desk) -> bool:
    """Whether every entry of the ledger follows from the one before, and what was signed still holds."""
    return verify(desk.house.conn, public_pem=desk.house.keyring.public_pem).valid


def is_consistent(desk: Desk, exchange: str) -> bool:
    """One record, one receipt, one lake object, one of everything in the catalogue, and the bytes are there."""
    entries = desk.sql(f"select kind from ledger.entry where exchange_id = '{exchange}'")
    mine = [o for o in desk.objects(desk.settings.bucket_exchange) if exchange in o.key]
    lake = [
        o for o in desk.objects(desk.settings.bucket_lake) if exchange in o.key and o.key.endswith("part-0.parquet")
    ]
    copies = desk.sql(f"select kind, bucket, key, version_id, rows from copy where exchange_id = '{exchange}'")
    for copy in copies:
        desk.house.objects.read(str(copy["bucket"]), str(copy["key"]), str(copy["version_id"]))
    rows = [pl.read_parquet(io.BytesIO(desk.house.objects.read(o.bucket, o.key, o.version_id))).height for o in lake]
    return (
        sorted(str(entry["kind"]) for entry in entries) == ["exchange.closed", "exchange.opened"]
        and sorted(o.key.split(".", 1)[1] for o in mine) == ["findings.csv", "json", "pdf"]
        and rows == [copy["rows"] for copy in copies if copy["kind"] == "lake"]
        and len(rows) == 1
    )


@pytest.mark.timeout(900)
def test_what_is_said_again_is_accepted_once_wherever_its_worker_was_killed(desk: tuple[Desk, Victim]) -> None:
    opened, victim = desk
    first = opened.campaign(rows=60, seed=900, faults=FAULTS)[0].read_bytes()
    opened.drop(first, f"f_{day(400)}.csv")
    said_again(opened, first, 399)
    _, steps = victim(0)
    again, killed = list[StoredObject](), 0
    stride = max(1, steps // AGAIN)
    for number, point in enumerate(range(stride // 2, steps, stride), 1):
        again.append(said_again(opened, first, 399 - number))
        killed += victim(point)[0]
        opened.work()
    finish(opened)
    assert killed >= AGAIN - 1 and is_chain_valid(opened)
    for each in again:
        line = opened.line(each)
        assert line.decision == "partly_accepted" and is_consistent(opened, line.id)


def said_again(desk: Desk, first: bytes, back: int) -> StoredObject:
    """Another file, and then these bytes again: the last one put."""
    desk.drop(desk.campaign(rows=60, seed=2000 + back, faults=FAULTS)[0], f"f_{day(back)}.a.csv")
    return desk.drop(first, f"f_{day(back)}.b.csv")


def day(back: int) -> str:
    return f"{datetime.now(UTC) - timedelta(days=back):%Y-%m-%d}"


def as_owner(desk: Desk, statement: str) -> None:
    """What nobody but the tables' owner may do, past triggers."""
    url = desk.settings.database_admin_url
    assert url is not None
    with closing(psycopg.connect(url.get_secret_value(), autocommit=True)) as conn:
        conn.execute("set session_replication_role = replica")
        conn.execute(statement.encode())


@pytest.mark.evidence
def test_a_design_that_looks_and_then_writes_does_not_stand_the_same_kills(
    desk: tuple[Desk, Victim], record_property: Record
) -> None:
    """The control that security.md names."""
    opened, _ = desk
    as_owner(opened, crash.NAIVE)
    with dying(opened.settings, "naive") as naive:
        first, *files = [opened.drop(b"id;name\n1;x\n", f"n{number}.csv").key for number in range(NAIVE + 1)]
        _, steps = naive(0, first)
        killed = 0
        for point, key in zip(range(steps, 0, -max(1, steps // NAIVE)), files, strict=False):
            killed += naive(point, key)[0]
            naive(0, key)
    kept = [item for item in opened.objects(opened.settings.bucket_lake) if item.key.startswith("naive/")]
    files_kept = {row["key"] for row in opened.sql("select key from naive")}
    assert len(files_kept) == 1 + killed
    assert len(kept) > len(files_kept), "what was put before the kill is there twice"
    record_property(
        "S-03 control: a design that looks and then writes, kills after which something is there twice",
        f"{len(kept) - len(files_kept)} of {killed}",
    )


def test_the_check_sees_data_without_a_record_and_a_chain_that_does_not_hold(desk: tuple[Desk, Victim]) -> None:
    """The control, after all others: what a design that writes first and records later leaves; an edited entry."""
    opened, _ = desk
    exchange = opened.lines()[-1].id
    assert is_consistent(opened, exchange) and is_chain_valid(opened)
    [lake] = [
        item
        for item in opened.objects(opened.settings.bucket_lake)
        if exchange in item.key and item.key.endswith("part-0.parquet")
    ]
    opened.house.objects.put(lake.bucket, lake.key, b"written again", "x")
    with pytest.raises(pl.exceptions.PolarsError):
        is_consistent(opened, exchange)
    opened.house.objects.delete_version(lake.bucket, lake.key, lake.version_id)
    with pytest.raises(Exception, match="SLU"):
        is_consistent(opened, exchange)
    as_owner(opened, "update ledger.entry set body = body || ' '::bytea where kind = 'exchange.closed'")
    assert not is_chain_valid(opened)
    as_owner(opened, "delete from ledger.entry where kind = 'exchange.closed'")
    assert not is_chain_valid(opened)
