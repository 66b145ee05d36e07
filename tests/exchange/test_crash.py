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
from support import crash_naive
from support.desk import Desk, open_desk
from support.dying import Victim, dying
from support.effort import effort
from support.forms import FORMS
from support.night import with_papers

POINTS = {form: effort(4, 126) if form == "csv" else effort(1, 29) for form in FORMS}
"""As many of each as are a hundred of all."""
WRITES = effort(4, 200)
AGAIN = effort(4, 60)
NAIVE = effort(20, 60)
FAULTS = FaultPlan(missing_required=2)


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path, form: str) -> Iterator[Desk]:
    """A desk whose contract asks for campaign files of one format."""
    with open_desk(with_papers(store_settings, tmp_path, *FORMS[form].edits), tmp_path) as opened:
        yield opened


@pytest.fixture
def victim(desk: Desk) -> Iterator[Victim]:
    """A process that works everything off until it is killed at a step."""
    with dying(desk.settings, "crash.py") as once:
        yield once


def drop(desk: Desk, form: str, number: int) -> None:
    """A campaign with rows to refuse; in CSV one of them is no row at all."""
    faults = replace(FAULTS, ragged_row=1) if form in ("csv", "gzip", "zip") else FAULTS
    content = desk.campaign(rows=60, seed=number, faults=faults)[0].read_bytes()
    desk.drop(FORMS[form].pack(content), f"f{number}.{FORMS[form].ending}")


@pytest.mark.timeout(900)
@pytest.mark.evidence
def test_killed_anywhere_a_rerun_finishes_exactly_once(
    desk: Desk, victim: Victim, form: str, record_property: Callable[[str, object], None]
) -> None:
    drop(desk, form, 1)
    _, steps = victim(0)
    stride = max(1, steps // POINTS[form])
    killed, wrong = killed_at(desk, victim, form, range((stride + 1) // 2, steps, stride))
    assert killed >= POINTS[form] - POINTS[form] // 10
    assert wrong == []
    record_property(
        f"S-03 SIGKILL points of the inbound path, {form}: consistent and the chain valid after rerun",
        f"{killed - len(wrong)} of {killed}",
    )


def killed_at(desk: Desk, victim: Victim, form: str, points: Iterable[int], *watched: str) -> tuple[int, list[str]]:
    """A file for each point, a kill there and a rerun: how many died, and the exchanges that are not as they should."""
    killed = 0
    for number, point in enumerate(points, 2):
        drop(desk, form, number)
        killed += victim(point, *watched)[0]
        assert nothing_is_visible_without_receipt(desk)
        assert is_chain_valid(desk), "as it was left"
        victim(0)
    finish(desk)
    assert is_chain_valid(desk)
    return killed, [line.id for line in desk.lines() if not is_consistent(desk, line.id)]


@pytest.mark.timeout(3600)
@pytest.mark.evidence
@pytest.mark.parametrize("form", ["csv"], indirect=True)
def test_killed_before_and_after_each_write_a_rerun_finishes_exactly_once(
    desk: Desk, victim: Victim, form: str, record_property: Callable[[str, object], None]
) -> None:
    drop(desk, form, 1)
    _, steps = victim(0, "writes")
    killed, wrong = killed_at(desk, victim, form, range(1, steps + 1, max(1, steps // WRITES)), "writes")
    assert (killed >= min(WRITES, steps) * 9 // 10, wrong) == (True, [])
    record_property(
        f"S-03 SIGKILL at calls into and returns from what writes to S3, ledger and database, of {steps}: consistent",
        f"{killed - len(wrong)} of {killed}",
    )


def finish(desk: Desk) -> None:
    """Effects that a killed worker had begun are due again after a few seconds."""
    deadline = time.monotonic() + 60
    while desk.sql("select 1 from outbox where done_at is null") and time.monotonic() < deadline:
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
@pytest.mark.parametrize("form", ["csv"], indirect=True)
def test_what_is_said_again_is_accepted_once_wherever_its_worker_was_killed(desk: Desk, victim: Victim) -> None:
    first = desk.campaign(rows=60, seed=1, faults=FAULTS)[0].read_bytes()
    desk.drop(first, f"f_{day(400)}.csv")
    said_again(desk, first, 399)
    _, steps = victim(0)
    again, killed = list[StoredObject](), 0
    stride = max(1, steps // AGAIN)
    for number, point in enumerate(range(stride // 2, steps, stride), 1):
        again.append(said_again(desk, first, 399 - number))
        killed += victim(point)[0]
        victim(0)
    finish(desk)
    assert killed >= AGAIN - 1 and is_chain_valid(desk)
    assert all(
        desk.line(each).decision == "partly_accepted" and is_consistent(desk, desk.line(each).id) for each in again
    )


def said_again(desk: Desk, first: bytes, back: int) -> StoredObject:
    """Another file, and then these bytes again: the last one put."""
    desk.drop(desk.campaign(rows=60, seed=1000 + back, faults=FAULTS)[0], f"f_{day(back)}.a.csv")
    return desk.drop(first, f"f_{day(back)}.b.csv")


def day(back: int) -> str:
    return f"{datetime.now(UTC) - timedelta(days=back):%Y-%m-%d}"


@pytest.mark.parametrize("form", ["csv"], indirect=True)
def test_the_check_sees_data_without_a_record(desk: Desk, form: str) -> None:
    """The control: what a design that writes first and records later leaves behind."""
    drop(desk, form, 1)
    desk.work()
    exchange = desk.lines()[0].id
    assert is_consistent(desk, exchange)
    lake = next(o for o in desk.objects(desk.settings.bucket_lake) if o.key.endswith("part-0.parquet"))
    desk.house.objects.put(lake.bucket, lake.key, b"written again", "x")
    with pytest.raises(pl.exceptions.PolarsError):
        is_consistent(desk, exchange)
    desk.house.objects.delete_version(lake.bucket, lake.key, lake.version_id)
    with pytest.raises(Exception, match="SLU"):
        is_consistent(desk, exchange)


def as_owner(desk: Desk, statement: str) -> None:
    """What nobody but the tables' owner may do, past triggers."""
    url = desk.settings.database_admin_url
    assert url is not None
    with closing(psycopg.connect(url.get_secret_value(), autocommit=True)) as conn:
        conn.execute("set session_replication_role = replica")
        conn.execute(statement.encode())


@pytest.mark.parametrize("form", ["csv"], indirect=True)
def test_the_check_sees_a_chain_that_does_not_hold(desk: Desk, form: str) -> None:
    """The control: an entry that is missing, and one that was edited."""
    drop(desk, form, 1)
    desk.work()
    assert is_chain_valid(desk)
    as_owner(desk, "update ledger.entry set body = body || ' '::bytea where kind = 'exchange.closed'")
    assert not is_chain_valid(desk)
    as_owner(desk, "delete from ledger.entry where kind = 'exchange.closed'")
    assert not is_chain_valid(desk)


@pytest.mark.evidence
@pytest.mark.parametrize("form", ["csv"], indirect=True)
def test_a_design_that_looks_and_then_writes_does_not_stand_the_same_kills(
    desk: Desk, form: str, record_property: Callable[[str, object], None]
) -> None:
    """The control that security.md names."""
    as_owner(desk, crash_naive.TABLE)
    with dying(desk.settings, "crash_naive.py") as naive:
        first, *files = [desk.drop(b"id;name\n1;x\n", f"n{number}.csv").key for number in range(NAIVE + 1)]
        _, steps = naive(0, first)
        killed = 0
        for point, key in zip(range(steps, 0, -max(1, steps // NAIVE)), files, strict=False):
            killed += naive(point, key)[0]
            naive(0, key)
    kept = [item for item in desk.objects(desk.settings.bucket_lake) if item.key.startswith("naive/")]
    files_kept = {row["key"] for row in desk.sql("select key from naive")}
    assert len(files_kept) == 1 + killed
    assert len(kept) > len(files_kept), "what was put before the kill is there twice"
    record_property(
        "S-03 control: a design that looks and then writes, kills after which something is there twice",
        f"{len(kept) - len(files_kept)} of {killed}",
    )
