"""What a quality entry of a contract may say, and the QualityRule it becomes (ODCS 3.1 quality)."""

import math
import re
from collections.abc import Iterator
from typing import Any

from sluice.agreement.contract.columns import columns
from sluice.agreement.contract.shape import METRICS, OPERATORS, SEVERITY, UNIT
from sluice.agreement.document import Document, Found, Spot
from sluice.agreement.model import QualityRule
from sluice.agreement.shape import Text, check_shape, nearly
from sluice.agreement.written import instead_of_number, instead_of_text
from sluice.terms import Severity

_COLUMN = ("column",)
_PAIR = ("column_A", "column_B", "ignore_row_if")
_LIST = ("column_list", "ignore_row_if")
CONDITION = "row_condition"
"""Says which rows a rule is about. It must be a mapping, because a text would be run."""
_BOUNDS = ("min_value", "max_value", "strict_min", "strict_max")

EXPECTATIONS: dict[str, tuple[str, ...]] = {
    "expect_column_values_to_not_be_null": (*_COLUMN, CONDITION),
    "expect_column_values_to_be_null": (*_COLUMN, CONDITION),
    "expect_column_values_to_be_unique": (*_COLUMN, CONDITION),
    "expect_column_values_to_be_in_set": (*_COLUMN, "value_set", CONDITION),
    "expect_column_values_to_not_be_in_set": (*_COLUMN, "value_set", CONDITION),
    "expect_column_values_to_match_regex": (*_COLUMN, "regex", CONDITION),
    "expect_column_values_to_not_match_regex": (*_COLUMN, "regex", CONDITION),
    "expect_column_values_to_match_regex_list": (*_COLUMN, "regex_list", "match_on", CONDITION),
    "expect_column_values_to_not_match_regex_list": (*_COLUMN, "regex_list", CONDITION),
    "expect_column_value_lengths_to_be_between": (*_COLUMN, *_BOUNDS, CONDITION),
    "expect_column_value_lengths_to_equal": (*_COLUMN, "value", CONDITION),
    "expect_column_values_to_be_between": (*_COLUMN, *_BOUNDS, CONDITION),
    "expect_column_values_to_match_strftime_format": (*_COLUMN, "strftime_format", CONDITION),
    "expect_column_pair_values_a_to_be_greater_than_b": (*_PAIR, "or_equal", CONDITION),
    "expect_column_pair_values_to_be_equal": (*_PAIR, CONDITION),
    "expect_select_column_values_to_be_unique_within_record": (*_LIST, CONDITION),
    "expect_compound_columns_to_be_unique": (*_LIST, CONDITION),
    "expect_column_unique_value_count_to_be_between": (*_COLUMN, *_BOUNDS),
    "expect_column_proportion_of_unique_values_to_be_between": (*_COLUMN, *_BOUNDS),
    "expect_column_proportion_of_non_null_values_to_be_between": (*_COLUMN, *_BOUNDS),
    "expect_table_row_count_to_be_between": _BOUNDS,
    "expect_table_row_count_to_equal": ("value",),
    "expect_table_column_count_to_equal": ("value",),
    "expect_table_column_count_to_be_between": _BOUNDS[:2],
    "expect_table_columns_to_match_set": ("column_set", "exact_match"),
    "expect_table_columns_to_match_ordered_list": ("column_list",),
    "expect_column_to_exist": (*_COLUMN, "column_index"),
}
"""The closed list of Great Expectations kinds, each with its own arguments."""

Types = dict[str | None, str | None]
"""Column name -> logicalType of a contract."""

_IMPLEMENTATION = ("type", "kwargs", "meta", "severity")
COMMON_ARGUMENTS = ("mostly", "severity", "meta", "notes", "description")
_ORDERED = ("number", "integer", "date", "timestamp")
_COLUMN_ARGUMENTS = ("column", "column_A", "column_B", "column_list", "column_set")


def quality_entries(document: Document) -> Iterator[tuple[Spot, str | None]]:
    """Yield every quality entry with its column; None at table level."""
    for table in document.root["schema"]:
        yield from ((entry, None) for entry in table["quality"])
    for column in columns(document):
        yield from ((entry, column["name"].text) for entry in column["quality"])


def check_quality(document: Document) -> Iterator[Found]:
    """Yield findings about all quality entries of one contract."""
    names = {column["name"].text: column["logicalType"].text for column in columns(document)}
    seen: set[str] = set()
    for entry, column in quality_entries(document):
        name = entry["id"].text
        if name is None or name in seen:
            yield Found(entry["id"], "080", name or "no id")
        seen.add(name or "")
        if entry["severity"].is_given:
            yield from check_shape(entry["severity"], SEVERITY)
        if entry["unit"].is_given:
            yield from check_shape(entry["unit"], UNIT)
        yield from _check_finite(entry)
        yield from _check_kind(entry, column, names)


def _check_finite(spot: Spot) -> Iterator[Found]:
    """Find ``.nan`` and ``.inf`` anywhere in a rule: they do not reach the judging child, so no bound would count."""
    if isinstance(spot.value, float) and not math.isfinite(spot.value):
        yield Found(spot, "081")
    for below in (*spot.keys.values(), *spot.entries):
        yield from _check_finite(below)


def _check_kind(entry: Spot, column: str | None, names: Types) -> Iterator[Found]:
    kind = entry["type"].value or "library"
    if kind == "sql" or entry["query"].exists:
        yield Found(entry["query"] if entry["query"].exists else entry["type"], "092")
    elif kind == "custom":
        yield from _check_expectation(entry, names)
    elif kind == "library":
        yield from _check_metric(entry, column)
        yield from _check_operator(entry)
        yield from _check_arguments(entry, names)


def _check_metric(entry: Spot, column: str | None) -> Iterator[Found]:
    metric = entry["metric"]
    if metric.value not in METRICS:
        yield Found(metric, "013", "one of " + ", ".join(METRICS))
    elif (metric.value == "rowCount") != (column is None) and metric.value != "duplicateValues":
        yield Found(metric, "089", str(metric.value))


def _check_operator(entry: Spot) -> Iterator[Found]:
    given = [entry[name] for name in OPERATORS if entry[name].exists]
    if len(given) != 1:
        yield Found(entry, "082", f"{len(given)} given")
    for operator in given:
        is_pair = operator.where.endswith("Between")
        bounds = [bound.value for bound in operator] if is_pair else [operator.value]
        if not all(map(_is_number, bounds)) or (is_pair and len(bounds) != 2):
            wrong = next((bound for bound in bounds if not _is_number(bound)), None)
            yield Found(operator, "083", "" if wrong is None else instead_of_number(wrong))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_arguments(entry: Spot, names: Types) -> Iterator[Found]:
    arguments = entry["arguments"]
    for name in arguments["properties"]:
        if name.value not in names:
            yield Found(name, "086", str(name.value))
    if entry["metric"].value == "invalidValues":
        pattern, values = arguments["pattern"], arguments["validValues"]
        if not (pattern.is_given or values.entries):
            yield Found(arguments, "087")
        if pattern.is_given:
            yield from _check_pattern(pattern)
        yield from _check_values(values)
    elif entry["metric"].value == "missingValues":
        yield from _check_values(arguments["missingValues"])


def _check_values(values: Spot) -> Iterator[Found]:
    """Check that all values are texts, or all are numbers; null has no effect."""
    given = [entry for entry in values if entry.value is not None]
    is_text = any(isinstance(entry.value, str) for entry in given)
    for entry in given:
        if not (isinstance(entry.value, str) if is_text else _is_number(entry.value)):
            wanted = "a text, as others of this list" if is_text else "a text, or a number"
            yield Found(entry, "012", f"{wanted}; {instead_of_text(entry.value)}")


def _check_pattern(spot: Spot) -> Iterator[Found]:
    if not isinstance(spot.value, str):
        yield from check_shape(spot, Text())
    elif not _is_pattern(spot.value):
        yield Found(spot, "088")


def _is_pattern(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return False
    return len(pattern) <= 1000


def _check_expectation(entry: Spot, names: Types) -> Iterator[Found]:
    if entry["engine"].value != "greatExpectations":
        yield Found(entry["engine"], "093")
        return
    implementation = entry["implementation"]
    kind, arguments = implementation["type"], implementation["kwargs"]
    if kind.value not in EXPECTATIONS:
        yield Found(kind, "090", "; ".join(filter(None, (str(kind.value or "none"), nearly(kind.value, EXPECTATIONS)))))
        return
    for key in implementation.keys:
        if key not in _IMPLEMENTATION:
            yield Found(implementation[key], "091", f"{key}; {' '.join(_IMPLEMENTATION)} are known")
    is_range, ranged = kind.value == "expect_column_values_to_be_between", arguments["column"]
    if is_range and ranged.text in names and names[ranged.text] not in _ORDERED:
        yield Found(ranged, "094", str(ranged.text))
    for key, argument in arguments.keys.items():
        if key not in (*EXPECTATIONS[kind.value], *COMMON_ARGUMENTS):
            yield Found(argument, "091", f"{key}; {' '.join((*EXPECTATIONS[kind.value], 'mostly'))} are known")
        elif key in _COLUMN_ARGUMENTS:
            yield from (Found(spot, "086", str(spot.value)) for spot in _unknown_columns(argument, names))
        elif key == "regex":
            yield from _check_pattern(argument)
        elif key == CONDITION and not argument.keys:
            yield Found(argument, "091", f"{key}; it has to be a mapping")


def _unknown_columns(argument: Spot, names: Types) -> Iterator[Spot]:
    named = argument.entries or (argument,)
    return (spot for spot in named if spot.value not in names)


def quality_rules(document: Document) -> tuple[QualityRule, ...]:
    """Return the entries as rules, in file order. Call it only on a contract without findings."""
    return tuple(
        _rule(entry, column)
        for entry, column in quality_entries(document)
        if (entry["type"].value or "library") != "text"
    )


def _rule(entry: Spot, column: str | None) -> QualityRule:
    operator = next((name for name in OPERATORS if entry[name].exists), None)
    is_expectation = entry["type"].value == "custom"
    return QualityRule(
        id=str(entry["id"].value),
        column=column,
        metric=None if is_expectation else str(entry["metric"].value),
        arguments=dict(entry["arguments"].value or {}),
        operator=operator,
        threshold=_threshold(entry[operator].value) if operator else (),
        unit=entry["unit"].text or "rows",
        severity=Severity(entry["severity"].text or "error"),
        expectation=dict(entry["implementation"].value) if is_expectation else None,
    )


def _threshold(value: Any) -> tuple[float, ...]:
    return tuple(float(part) for part in value) if isinstance(value, list) else (float(value),)
