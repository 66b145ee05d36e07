"""From a file in S3 to its receipt, through Airflow: real ones too, however many come, runs there are, or dies."""

import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from journeys.door import Api
from sluice.db import connect
from sluice.demo.real import count_csv, kept_values
from sluice.exchange.house import open_house
from sluice.exchange.read import ExchangeLine
from sluice.services.process import wait_until
from support.effort import chosen, effort
from support.installation import Put, Record, Stack

pytestmark = [pytest.mark.journey, pytest.mark.evidence, pytest.mark.timeout(600)]

SOON_SECONDS = 60
"""Not a promise of speed, only that nobody was forgotten until a clock came by."""


def p95(seconds: list[float]) -> float:
    return seconds[min(len(seconds) - 1, int(len(seconds) * 0.95))]


def test_files_one_after_the_other_are_each_receipted_soon(stack: Stack, record_property: Record) -> None:
    """Each is put when the one before has its receipt: nothing waits for anything but the product."""
    count = effort(2, 10)
    puts: list[Put] = []
    lines: dict[str, ExchangeLine] = {}
    for path in stack.campaigns(count):
        puts.append(stack.put(path))
        lines |= stack.wait(puts[-1:])
    seconds = [stack.seconds([put], lines)[0] for put in puts]
    stack.check_exactly_once(puts, lines)
    first, rest = seconds[0], sorted(seconds[1:])
    record_property(
        f"put to receipt, {count} one by one",
        f"p95 {p95(sorted(seconds)):.1f} s, max {max(seconds):.1f} s, first {first:.1f} s, "
        f"median of the rest {rest[len(rest) // 2]:.1f} s",
    )
    assert max(seconds) < SOON_SECONDS


@pytest.mark.parametrize("count", effort([10], [20, 100]))
def test_files_put_at_once_are_receipted_exactly_once(stack: Stack, count: int, record_property: Record) -> None:
    puts = [stack.put(path) for path in stack.campaigns(count)]
    lines = stack.wait(puts)
    seconds = stack.seconds(puts, lines)
    stack.check_exactly_once(puts, lines)
    record_property(f"put to receipt, {count:3d} at once", f"p95 {p95(seconds):.1f} s, last {seconds[-1]:.1f} s")


def task_pid(stack: Stack) -> int:
    """The process of a task of this installation that has begun to work: it has a nursery of its own."""
    scheduler = psutil.Process(stack.pid("scheduler"))
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for process in scheduler.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if "sluice.exchange.judging.nursery" in process.cmdline() and process.ppid() != scheduler.pid:
                    return int(process.ppid())
        time.sleep(0.05)
    raise AssertionError("no task runs")


VICTIMS: dict[str, Callable[[Stack], int]] = {
    "postgresql": lambda stack: stack.pid("postgresql"),
    "s3": lambda stack: stack.pid("s3"),
    "scheduler": lambda stack: stack.pid("scheduler"),
    "triggerer": lambda stack: stack.pid("triggerer"),
    "task": task_pid,
}


@pytest.mark.parametrize("victims", effort([chosen(list(VICTIMS), 3)], [[each] for each in VICTIMS]), ids="+".join)
def test_whoever_is_killed_while_files_wait_nothing_is_lost_or_doubled(
    stack: Stack, victims: list[str], record_property: Record
) -> None:
    """Where time is short three of them fall, one as soon as the other is dead, over the same files."""
    count = effort(10, 20)
    paths = stack.campaigns(count)
    known = {victim: VICTIMS[victim](stack) for victim in victims if victim != "task"}
    puts = [stack.put(path) for path in paths]
    for victim in sorted(victims, key="task".__ne__):  # a task only while all else runs
        os.kill(known.get(victim) or VICTIMS[victim](stack), signal.SIGKILL)
    killed = time.monotonic()
    lines = stack.wait(puts, seconds=240)
    took = time.monotonic() - killed
    record_property(f"SIGKILL of {', '.join(victims)} while {count} files wait: all done after", f"{took:.0f} s")
    stack.check_exactly_once(puts, lines)


REAL = {
    "campaign/bank-additional-full.csv": (("bank01", "bank_telemarketing"), 41_188),
    "subscribers/telco-customer-churn.csv": (("telco01", "telco_churn"), 7_043),
}


def test_real_files_are_kept_cell_for_cell(stack: Stack, real_data: Path, record_property: Record) -> None:
    """UCI's bank calls and IBM's Telco, counted independently."""
    puts = {file: stack.put(real_data / file, where) for file, (where, _) in REAL.items()}
    lines = stack.wait(list(puts.values()))
    for file, (_, rows) in REAL.items():
        line, counted = lines[puts[file].object.version_id], count_csv(real_data / file)
        assert (line.decision, line.rows_in, line.rows_accepted) == ("accepted", rows, rows)
        with open_house(stack.settings) as house:
            kept = kept_values(house, line.id)
        same = [name for name, values in counted.items() if kept[name] == values]
        assert len(same) == len(counted)
        assert _mean(kept) == pytest.approx(_mean(counted))
        told = f"{rows:,} rows, {len(same)} of {len(counted)} columns equal"
        record_property(f"{Path(file).name} through the DAG", told)


def _mean(columns: dict[str, Counter[str | None]]) -> dict[str, float]:
    """Mean of every column that is a number throughout."""
    means = {}
    for name, values in columns.items():
        try:
            total = sum(float(value) * count for value, count in values.items() if value is not None)
        except ValueError:
            continue
        means[name] = total / values.total()
    return means


DAG = "inbound__energy01__renewal_campaign"


def test_many_runs_a_retry_and_a_backfill_of_one_file_accept_it_once(stack: Stack, record_property: Record) -> None:
    api, count = Api(stack), effort(4, 16)
    put = stack.put(stack.campaigns(1)[0])
    runs = [api.run(DAG) for _ in range(count)]
    (line,) = stack.wait([put]).values()
    api.ended(DAG, *runs)
    api.call("POST", f"/dags/{DAG}/clearTaskInstances", {"dry_run": False, "dag_run_id": runs[0], "only_failed": False})
    backfill = {
        "dag_id": DAG,
        "from_date": "2026-10-01T00:00:00Z",
        "to_date": "2026-11-01T00:00:00Z",
        "reprocess_behavior": "completed",
        "run_on_latest_version": True,
    }
    api.call("POST", "/backfills", backfill)
    api.ended(DAG, runs[0])
    assert wait_until(lambda: is_backfilled(api), 120, every=0.5)
    with connect(stack.settings) as conn:
        opened = conn.execute("select 1 from exchange where version_id = %s", (put.object.version_id,)).fetchall()
        entries = conn.execute("select 1 from ledger.entry where exchange_id = %s", (line.id,)).fetchall()
    lake = [o for o in stack.objects.list_versions(stack.settings.bucket_lake, "energy01/") if line.id in o.key]
    receipts = [o for o in stack.objects.list_versions(stack.settings.bucket_exchange, "energy01/") if line.id in o.key]
    assert line.decision == "accepted"
    assert (len(opened), len(entries)) == (1, 2)
    assert sorted(o.key.rsplit("/", 1)[-1] for o in lake) == ["_receipt.json", "part-0.parquet"]
    assert sorted(o.key.rsplit(".", 1)[-1] for o in receipts if not o.key.endswith("findings.csv")) == ["json", "pdf"]
    record_property("S-04 one file, many runs + retry + backfill", f"{count} runs succeeded, accepted once")


def is_backfilled(api: Api) -> bool:
    found = api.call("GET", f"/dags/{DAG}/dagRuns?run_type=backfill")["dag_runs"]
    return bool(found) and all(run["state"] == "success" for run in found)
