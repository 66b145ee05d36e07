"""Great Expectations' own pandas engine, row by row: what the gate must equal."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd
import polars as pl

from sluice.gate.column_types import sees_values
from sluice.gate.compile import View
from sluice.gate.gx import great_expectations, quiet, suite_of
from sluice.gate.kinds import KINDS
from sluice.gate.model import Check, ColumnType, PassResult, Rule, State

FORMAT = {"result_format": "COMPLETE", "partial_unexpected_count": 0}


@dataclass(frozen=True)
class Said:
    """What a judge says of one check; ``failing`` is None for rules about the table."""

    raised: bool
    success: bool
    failing: tuple[int, ...] | None


def rules(checks: Sequence[Check]) -> list[Rule]:
    return [Rule(f"rule {place}", check, KINDS[check.kind].code) for place, check in enumerate(checks)]


def said_by_us(result: PassResult) -> list[Said]:
    return [
        Said(
            each.state is not State.COUNTED,
            each.success if each.state is State.COUNTED else False,
            None if each.failing is None else tuple(each.failing.to_list()),
        )
        for each in result.outcomes
    ]


def said_by_pandas(frame: pl.DataFrame, checks: Sequence[Check], types: dict[str, ColumnType]) -> list[Said]:
    """Text kinds get the text, kinds that compare values get the typed frame."""
    answers: dict[int, Said] = {}
    valued = frame.with_columns(values_of(frame[name], types[name]) for name in frame.columns if name in types)
    views = {False: frame, True: valued}
    for values, view in views.items():
        places = [place for place, check in enumerate(checks) if sees_values(check) is values]
        if places:
            answers |= dict(zip(places, _judge(to_pandas(view), [checks[place] for place in places]), strict=True))
    return [answers[place] for place in range(len(checks))]


def values_of(column: pl.Series, column_type: ColumnType) -> pl.Series:
    """The typed values of a text column, as a check sees them."""
    view = View(column.to_frame())
    operand = view.value(column.name, column_type)
    return view.frame().select(operand.expr.alias(column.name)).to_series()


def to_pandas(frame: pl.DataFrame) -> pd.DataFrame:
    """Nothing is guessed: text, dates, whole numbers and NULL are Python's objects."""
    return pd.DataFrame({name: _series(frame[name]) for name in frame.columns}, index=range(frame.height))


def _series(column: pl.Series) -> pd.Series:
    if column.dtype == pl.Float64:
        return pd.Series(column.to_list(), dtype="float64")
    return pd.Series(column.to_list(), dtype=object)


@cache
def _asset() -> Any:
    """One for all tables: making a context costs 40 ms, and one thread may share it."""
    gx = great_expectations()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = gx.data_context.types.base.ProgressBarsConfig(globally=False)
    return context.data_sources.add_pandas("pandas").add_dataframe_asset("frame")


def _judge(frame: pd.DataFrame, checks: Sequence[Check]) -> list[Said]:
    suite = suite_of(enumerate(rules(checks)))
    with quiet():
        asset = _asset()
        batch = asset.get_batch(asset.build_batch_request({"dataframe": frame}))
        results = batch.validate(suite, result_format=FORMAT).results
    by_place = {each.expectation_config.meta["sluice_rule"]: _said(each) for each in results}
    return [by_place[place] for place in range(len(checks))]


def _said(each: Any) -> Said:
    info = each.exception_info or {}
    parts = [info] if "raised_exception" in info else list(info.values())
    raised = any(part["raised_exception"] for part in parts)
    failing = each.result.get("unexpected_index_list")
    counted = "element_count" in each.result
    return Said(raised, bool(each.success), tuple(failing or ()) if counted and not raised else None)
