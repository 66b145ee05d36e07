"""The inbound path of one file, processing only: the very child that judges, against floor and naive design.

FLOOR scans the CSV and writes it as Parquet. Ours decodes, identifies, judges, splits, sorts, writes lake
object and index run. The naive design does the same with pandas, Great Expectations on pandas and a loop
over rows for phone numbers and references; it has Great Expectations imported when its time starts.
"""

import base64
import hashlib
import hmac
import os
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO

import pandas as pd
import phonenumbers
import polars as pl

from bench import BenchRow, Cost, Work, cost_in_child, median, progress
from sluice.agreement.folder.load import load_agreement, load_contract
from sluice.exchange.judging.child import judge_file
from sluice.exchange.judging.job import Job, read_suites
from sluice.exchange.judging.nursery import CHILD_ENVIRONMENT
from sluice.gate.contract_rules import rules_for
from sluice.gate.gx import great_expectations, quiet, suite_of
from sluice.gate.suites import load_suites
from sluice.lake.parquet import ROWS_PER_GROUP, write_lake
from sluice.lake_columns import EXCHANGE, REF, VERSION, ref_of
from sluice.sample.faults import FaultPlan
from sluice.sample.files import write_campaign
from sluice.settings import get_settings
from sluice.subject.key import SubjectKey
from sluice.subject.refs import ref_column
from sluice.terms import SubjectKind

SEED = 20_260_901
KEY = bytes(range(32))
ROUNDS = 3
TIMES = 10
"""The large file, of which ours alone is measured, once."""
BAD_SHARE = 0.017
CONTRACT, AGREEMENT = "energy01/renewal_campaign.inbound.odcs.yaml", "energy01/agreement-3.0.0.yaml"


def rows(size: int) -> Iterator[BenchRow]:
    """Wall, CPU and memory against the floor; then what is saved against the naive design, measured once."""
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as name:
        folder = Path(name)
        source, costs = written(folder, size), []
        for number in range(ROUNDS):
            progress(f"inbound: floor and ours, round {number + 1} of {ROUNDS}")
            works = partial(floor, source), partial(ours, source, folder), partial(least, source)
            costs.append([in_child(work) for work in works])
        base, found, least_of_all = (median([each[place] for each in costs]) for place in range(3))
        progress(f"inbound: ten times the rows, {TIMES * size:,}")
        large = in_child(partial(ours, written(folder, TIMES * size), folder))
        slow = cost_in_child(partial(naive, source), ready=great_expectations)
    yield from _against_floor(base, found, least_of_all)
    yield from _against_small(large, found)
    yield from _against_naive(slow, found)


def written(folder: Path, rows: int, seed: int = SEED) -> Path:
    """A campaign file with 1.7 % bad rows."""
    source, each = folder / f"campaign-{rows}-{seed}.csv", round(rows * BAD_SHARE / 6)
    write_campaign(source, rows, seed, faults=FaultPlan(each, each, each, each, each, 0))
    return source


def _against_floor(base: Cost, found: Cost, least_of_all: Cost) -> Iterator[BenchRow]:
    text = f"FLOOR {base.wall_s:.2f} s wall, {base.cpu_s:.2f} s CPU, {base.peak_mb or 0:.0f} MB"
    yield BenchRow("inbound", "processing: wall", found.wall_s / base.wall_s, "x", text)
    yield BenchRow("inbound", "processing: CPU", found.cpu_s / base.cpu_s, "x", text, goal=1.8, at_least=False)
    yield BenchRow("inbound", "processing: memory", found.peak_mb or 0, "MB", text, goal=800, at_least=False)
    what = "read, refer to persons, sort, write: CPU"
    yield BenchRow("inbound", what, least_of_all.cpu_s / base.cpu_s, "x", f"{text}; {least_of_all.peak_mb or 0:.0f} MB")


def _against_small(large: Cost, found: Cost) -> Iterator[BenchRow]:
    text = f"ten times {found.wall_s:.1f} s; ours {large.wall_s:.1f} s wall, {large.cpu_s:.1f} s CPU"
    what = "ten times the rows"
    yield BenchRow("inbound", f"{what}: memory", large.peak_mb or 0, "MB", text, goal=800, at_least=False)
    share = large.wall_s / found.wall_s / TIMES
    yield BenchRow("inbound", f"{what}: wall", share, "x", text, goal=1.2, at_least=False)


def _against_naive(slow: Cost, quick: Cost) -> Iterator[BenchRow]:
    text = f"pandas + GX + loop {slow.wall_s:.1f} s wall, {slow.cpu_s:.1f} s CPU, {slow.peak_mb or 0:.0f} MB"
    yield BenchRow("inbound", "processing: wall saved", slow.wall_s / quick.wall_s, "x", text)
    yield BenchRow("inbound", "processing: CPU saved", slow.cpu_s / quick.cpu_s, "x", text)


def floor(source: Path) -> None:
    target = source.with_suffix(".parquet")
    pl.scan_csv(source, separator=";", infer_schema=False).sink_parquet(target, compression="zstd")


def least(source: Path) -> None:
    """What is left if everything else cost nothing: three references a row, their order, and the lake's own columns.

    No rule, no normal form, no index, no file but a sound one in UTF-8; all rows are in memory.
    """
    frame = pl.read_csv(source, separator=";", infer_schema=False)
    key = SubjectKey(KEY, frozenset())
    named = {
        "phone": SubjectKind.PHONE,
        "email": SubjectKind.EMAIL,
        "customer_number": SubjectKind.PRINCIPAL_CUSTOMER_ID,
    }
    refs = [ref_column(frame[name], kind, key).alias(ref_of(name)) for name, kind in named.items()]
    origin = pl.lit("exchange").alias(EXCHANGE), pl.lit("version").alias(VERSION)
    frame = frame.with_columns(*refs, *origin).with_columns(pl.coalesce(map(ref_of, named)).alias(REF))
    order = frame[REF].arg_sort()
    groups = (frame[order.slice(start, ROWS_PER_GROUP)] for start in range(0, len(order), ROWS_PER_GROUP))
    write_lake(groups, source.with_suffix(".least.parquet"), sorted_by=REF)


def in_child(work: Work) -> Cost:
    """What a work costs in a process with the environment that the nursery gives the one that judges."""
    before = dict(os.environ)
    os.environ |= CHILD_ENVIRONMENT
    try:
        return cost_in_child(work)
    finally:
        os.environ.clear()
        os.environ |= before


def ours(source: Path, folder: Path) -> None:
    """What the nursery's child runs, with all that the nursery has loaded before; measure it by :func:`in_child`."""
    settings = get_settings()
    contract = load_contract(settings.principals_dir / CONTRACT)
    job = Job(
        folder=Path(tempfile.mkdtemp(dir=folder)),
        file=source,
        file_name=source.name,
        contract=contract,
        suites=read_suites(settings, contract),
        subject_key=base64.b64encode(KEY).decode(),
        origin=("exchange", "version"),
        free_text=load_agreement(settings.principals_dir / AGREEMENT).free_text,
    )
    judge_file(job.as_json())


def naive(source: Path) -> None:
    """What a careful pandas user writes: text columns, GX, one row after the other for persons."""
    naive_frame(source).to_parquet(source.with_suffix(".naive.parquet"), compression="zstd")


def naive_frame(source: Path | IO[bytes]) -> pd.DataFrame:
    """The rows with their references, after Great Expectations has judged them; takes minutes for a million."""
    progress("naive: reading")
    frame = pd.read_csv(source, sep=";", dtype=str, keep_default_na=False, na_values=[""])
    progress(f"naive: Great Expectations, {len(frame):,} rows")
    _naive_gate(frame)
    progress("naive: one row after the other")
    frame["phone_ref"] = [_ref(_e164(value)) for value in frame["phone"]]
    frame["email_ref"] = [_ref(str(value).strip().casefold()) for value in frame["email"]]
    frame["customer_ref"] = [_ref(str(value)) for value in frame["customer_number"]]
    progress("naive: sorting and writing")
    return frame.sort_values("phone_ref")


def _naive_gate(frame: pd.DataFrame) -> None:
    settings = get_settings()
    contract = load_contract(settings.principals_dir / CONTRACT)
    rules = rules_for(contract, load_suites(settings.expectations_dir, contract.suites))
    gx = great_expectations()
    with quiet():
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = gx.data_context.types.base.ProgressBarsConfig(globally=False)
        asset = context.data_sources.add_pandas("pandas").add_dataframe_asset("frame")
        batch = asset.get_batch(asset.build_batch_request({"dataframe": frame}))
        batch.validate(suite_of(enumerate([rule for rule in rules if rule.check.columns])), result_format="COMPLETE")


def _e164(value: object) -> str | None:
    try:
        number = phonenumbers.parse(str(value), "BE")
    except phonenumbers.NumberParseException:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _ref(value: str | None) -> str | None:
    return None if value is None else hmac.new(KEY, value.encode(), hashlib.sha256).hexdigest()[:32]
