"""Carry a pass out of the judging process: counts as JSON, failing indexes as a table.

Nothing else leaves that process: no cell, and no header name that is not declared.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import polars as pl

from sluice.gate.errors import PassUnreadable
from sluice.gate.model import (
    Check,
    ColumnType,
    OptionValue,
    PassResult,
    Rule,
    RuleOutcome,
    Source,
    State,
    Tolerance,
    ValueType,
)
from sluice.terms import Severity


def to_json(result: PassResult) -> str:
    """A pass as JSON, without the failing indexes."""
    return json.dumps(
        {
            "rows": result.rows,
            "left_out": result.left_out,
            "columns": result.columns,
            "null_counts": result.null_counts,
            "outcomes": [_outcome_out(outcome) for outcome in result.outcomes],
        },
        ensure_ascii=False,
    )


def failing_table(result: PassResult) -> pl.DataFrame:
    """The failing indexes of all outcomes, in columns ``outcome`` (its position) and ``index``, both UInt32."""
    parts = [
        pl.DataFrame({"index": outcome.failing}).select(pl.lit(place, pl.UInt32).alias("outcome"), "index")
        for place, outcome in enumerate(result.outcomes)
        if outcome.failing is not None
    ]
    return pl.concat(parts) if parts else pl.DataFrame(schema={"outcome": pl.UInt32, "index": pl.UInt32})


def from_json(text: str, failing: pl.DataFrame) -> PassResult:
    """The pass that :func:`to_json` and :func:`failing_table` were made from. Raises PassUnreadable."""
    try:
        return _result_in(json.loads(text), failing)
    except (ValueError, KeyError, TypeError, pl.exceptions.PolarsError):
        pass
    raise PassUnreadable


def _result_in(document: Mapping[str, Any], failing: pl.DataFrame) -> PassResult:
    outcomes = tuple(_outcome_in(place, each, failing) for place, each in enumerate(document["outcomes"]))
    if any(outcome.failing is not None and len(outcome.failing) != outcome.unexpected_count for outcome in outcomes):
        raise ValueError
    nulls = tuple((str(name), int(count)) for name, count in document["null_counts"])
    return PassResult(int(document["rows"]), tuple(document["columns"]), outcomes, nulls, int(document["left_out"]))


def _outcome_out(outcome: RuleOutcome) -> dict[str, Any]:
    return {
        "rule": asdict(outcome.rule),
        "state": outcome.state,
        "domain_count": outcome.domain_count,
        "unexpected_count": outcome.unexpected_count,
        "success": outcome.success,
        "observed": outcome.observed,
        "positions": outcome.positions,
        "meant": outcome.meant,
        "indexed": outcome.failing is not None,
    }


def _outcome_in(place: int, each: Mapping[str, Any], failing: pl.DataFrame) -> RuleOutcome:
    return RuleOutcome(
        rule=_rule_in(each["rule"]),
        state=State(each["state"]),
        domain_count=int(each["domain_count"]),
        unexpected_count=int(each["unexpected_count"]),
        success=bool(each["success"]),
        observed=None if each["observed"] is None else _number(each["observed"]),
        meant=None if each["meant"] is None else int(each["meant"]),
        positions=tuple(int(position) for position in each["positions"]),
        failing=failing.filter(pl.col("outcome") == place)["index"] if each["indexed"] else None,
    )


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError
    return value


def _rule_in(each: Mapping[str, Any]) -> Rule:
    return Rule(
        id=each["id"],
        check=_check_in(each["check"]),
        code=each["code"],
        severity=Severity(each["severity"]),
        tolerance=_tolerance_in(each["tolerance"]),
        source=Source(each["source"]),
    )


def _tolerance_in(each: Mapping[str, Any] | None) -> Tolerance | None:
    return None if each is None else Tolerance(each["operator"], tuple(each["threshold"]), each["unit"])


def _check_in(each: Mapping[str, Any]) -> Check:
    options = tuple((name, _value_in(value)) for name, value in each["options"])
    return Check(each["kind"], tuple(each["columns"]), options, tuple(_type_in(one) for one in each["types"]))


def _value_in(value: Any) -> OptionValue:
    return tuple(value) if isinstance(value, list) else value


def _type_in(each: Mapping[str, Any] | None) -> ColumnType | None:
    if each is None:
        return None
    return ColumnType(ValueType(each["value"]), bool(each["decimal_comma"]), each["date_format"])
