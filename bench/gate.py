"""The gate, twelve rules with every failing row: against the floor, and against pandas.

The frame is read beforehand, for every judge in its own form: reading is the floor's and the inbound
path's. Great Expectations on pandas gets text columns and the amounts as numbers.
"""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl

from bench import BenchRow, Cost, Work, cost, median
from sluice.gate.gx import great_expectations, quiet, suite_of, validate
from sluice.gate.kinds import KINDS, check_of, typed
from sluice.gate.model import ColumnType, Rule, ValueType
from sluice.gate.onepass import run_rules
from sluice.sample.faults import FaultPlan
from sluice.sample.files import write_campaign

SEED = 20_260_901
ROUNDS = 3
BAD_SHARE = 0.017
TYPES = {"monthly_amount": ColumnType(ValueType.NUMBER, decimal_comma=True)}
_V = "expect_column_values_to_"
ASKED: tuple[tuple[str, dict[str, Any]], ...] = (
    (f"{_V}not_be_null", {"column": "last_name"}),
    (f"{_V}be_unique", {"column": "customer_number"}),
    (f"{_V}match_regex", {"column": "customer_number", "regex": "^E[0-9]{8}$"}),
    (f"{_V}match_regex", {"column": "email", "regex": r"^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$"}),
    (f"{_V}not_match_regex", {"column": "phone", "regex": "^[0-9.,]+[eE][+-]?[0-9]+$"}),
    (f"{_V}be_in_set", {"column": "language", "value_set": ["nl", "fr", "de", "en"]}),
    (f"{_V}not_be_in_set", {"column": "city", "value_set": ["n/a", "geen", "-"]}),
    ("expect_column_value_lengths_to_be_between", {"column": "phone", "min_value": 9, "max_value": 24}),
    (f"{_V}be_between", {"column": "monthly_amount", "min_value": 0, "max_value": 5000}),
    (f"{_V}match_strftime_format", {"column": "contract_end_date", "strftime_format": "%d/%m/%Y"}),
    (
        "expect_column_pair_values_a_to_be_greater_than_b",
        {"column_A": "customer_number", "column_B": "postal_code", "ignore_row_if": "either_value_is_missing"},
    ),
    ("expect_compound_columns_to_be_unique", {"column_list": ["customer_number", "phone"]}),
)
RULES = [Rule(f"rule {n}", typed(check_of(*asked), TYPES), KINDS[asked[0]].code) for n, asked in enumerate(ASKED, 1)]


def rows(size: int) -> Iterator[BenchRow]:
    """Wall against the floor, CPU against Great Expectations on pandas, and what its own verdict adds."""
    with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
        source = Path(folder) / "campaign.csv"
        each = round(size * BAD_SHARE / 6)
        write_campaign(source, size, SEED, faults=FaultPlan(each, each, each, each, each, 0))
        found = _measure(source)
    yield from _rows(found)


def _measure(source: Path) -> Mapping[str, Cost]:
    """Every design in turns, so that noise hits all; medians."""
    frame = pl.read_csv(source, separator=";", infer_schema=False).rechunk()  # as the reader gives it
    result = run_rules(frame, RULES)
    batch = _pandas_batch(source)
    works: dict[str, Work] = {
        "floor": lambda: _floor(source),
        "gate": lambda: run_rules(frame, RULES),
        "gate and second judge": lambda: validate(run_rules(frame, RULES), RULES),
        "pandas": lambda: _on_pandas(batch),
    }
    validate(result, RULES)
    costs = [{name: cost(work) for name, work in works.items()} for _ in range(ROUNDS)]
    return {name: median([each[name] for each in costs]) for name in works}


def _rows(found: Mapping[str, Cost]) -> Iterator[BenchRow]:
    floor, gate, both, pandas = (found[name] for name in ("floor", "gate", "gate and second judge", "pandas"))
    base = f"FLOOR {floor.wall_s:.3f} s wall, {floor.cpu_s:.3f} s CPU"
    slow = f"GX on pandas {pandas.wall_s:.2f} s wall, {pandas.cpu_s:.2f} s CPU"
    yield BenchRow("gate", "12 rules: wall", gate.wall_s / floor.wall_s, "x", base, goal=0.6, at_least=False)
    yield BenchRow("gate", "12 rules: CPU", gate.cpu_s / floor.cpu_s, "x", base)
    yield BenchRow("gate", "12 rules: CPU saved", pandas.cpu_s / gate.cpu_s, "x", slow, goal=20)
    yield BenchRow("gate", "12 rules: wall saved", pandas.wall_s / gate.wall_s, "x", slow)
    yield BenchRow("gate", "with the second judge: wall", both.wall_s / floor.wall_s, "x", base)
    yield BenchRow("gate", "with the second judge: CPU saved", pandas.cpu_s / both.cpu_s, "x", slow)
    yield BenchRow("gate", "12 rules: wall", gate.wall_s, "s", base)


def _floor(source: Path) -> None:
    target = source.with_suffix(".parquet")
    pl.scan_csv(source, separator=";", infer_schema=False).sink_parquet(target, compression="zstd")


def _pandas_batch(source: Path) -> Any:
    """The file as a pandas user has it, behind Great Expectations' own engine."""
    gx = great_expectations()
    frame = pd.read_csv(source, sep=";", dtype=str, keep_default_na=False, na_values=[""])
    for name in TYPES:
        frame[name] = pd.to_numeric(frame[name].str.replace(",", ".", regex=False), errors="coerce")
    with quiet():
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = gx.data_context.types.base.ProgressBarsConfig(globally=False)
        asset = context.data_sources.add_pandas("pandas").add_dataframe_asset("frame")
        return asset.get_batch(asset.build_batch_request({"dataframe": frame}))


def _on_pandas(batch: Any) -> None:
    """With row numbers, without values: the least that tells which rows fail."""
    result_format = {"result_format": "COMPLETE", "exclude_unexpected_values": True, "partial_unexpected_count": 0}
    with quiet():
        batch.validate(suite_of(enumerate(RULES)), result_format=result_format)
