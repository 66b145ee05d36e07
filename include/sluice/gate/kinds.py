"""The closed list of expectation kinds: code, shape and options of each, in one table.

A suite with a kind that is not in this table is refused when it loads. Options are read into one canonical form, so
that a check written in a suite equals the same check when Great Expectations asks for it.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from sluice.errors import Ref
from sluice.gate.errors import Faults, KindRefused, OptionInvalid, OptionRefused
from sluice.gate.model import CONDITION, Check, ColumnType, OptionValue
from sluice.gate.options import (
    ANY_OR_ALL_OF,
    COUNTS,
    ENDS,
    FORMAT,
    NAMES,
    NONE_OF,
    OR_EQUAL,
    ORDER,
    PLACE,
    RANGE,
    REGEX,
    SET,
    SHARES,
    SKIP_KEY,
    SKIP_PAIR,
    VALUE,
    WHERE,
    Option,
    instead,
    whole,
    words,
)


class Shape(StrEnum):
    """What a kind is about; this decides which options name its columns."""

    COLUMN = "column"
    PAIR = "pair"
    COLUMNS = "columns"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the closed list. ``metric``: the metric that Great Expectations asks its engine for.

    ``rows``: it decides row by row. ``counts``: it compares one number, counted over all cells of a column.
    ``outside``: it is a check of Sluice that Great Expectations does not have.
    """

    name: str
    code: str
    shape: Shape
    metric: str
    options: tuple[Option, ...] = ()
    rows: bool = True
    counts: bool = False
    outside: bool = False

    @property
    def sees_cells(self) -> bool:
        """Whether its columns must be in the file; kinds about the header or the table do without."""
        return self.rows or self.counts


DECLARED_COLUMNS = "sluice_columns_to_be_declared"
"""Kind of Sluice itself: the contract declares every column of the file."""
UNIQUE = "expect_column_values_to_be_unique"
COMPOUND = "expect_compound_columns_to_be_unique"
NEWEST = "sluice_newest_value_to_be_within"
"""Kind of Sluice itself: the newest value of a column is not older than so many seconds when the file arrives."""
KNOWN = "sluice_column_values_to_be_known"
"""Kind of Sluice itself: every value occurs in a column of another dataset (a foreign key)."""

_C, _P, _K, _T = Shape.COLUMN, Shape.PAIR, Shape.COLUMNS, Shape.TABLE
_LENGTH = "column_values.value_length"
_KINDS = (
    Kind("expect_column_values_to_not_be_null", "VALUE_NULL", _C, "column_values.nonnull"),
    Kind("expect_column_values_to_be_null", "VALUE_NOT_NULL", _C, "column_values.null"),
    Kind(UNIQUE, "DUPLICATE_VALUE", _C, "column_values.unique"),
    Kind("expect_column_values_to_be_in_set", "VALUE_NOT_IN_SET", _C, "column_values.in_set", SET),
    Kind("expect_column_values_to_not_be_in_set", "VALUE_IN_SET", _C, "column_values.not_in_set", SET),
    Kind("expect_column_values_to_match_regex", "VALUE_PATTERN", _C, "column_values.match_regex", REGEX),
    Kind("expect_column_values_to_not_match_regex", "VALUE_PATTERN", _C, "column_values.not_match_regex", REGEX),
    Kind(
        "expect_column_values_to_match_regex_list", "VALUE_PATTERN", _C, "column_values.match_regex_list", ANY_OR_ALL_OF
    ),
    Kind(
        "expect_column_values_to_not_match_regex_list",
        "VALUE_PATTERN",
        _C,
        "column_values.not_match_regex_list",
        NONE_OF,
    ),
    Kind("expect_column_value_lengths_to_be_between", "VALUE_LENGTH", _C, f"{_LENGTH}.between", COUNTS),
    Kind("expect_column_value_lengths_to_equal", "VALUE_LENGTH", _C, f"{_LENGTH}.equals", VALUE),
    Kind("expect_column_values_to_be_between", "VALUE_RANGE", _C, "column_values.between", RANGE),
    Kind(
        "expect_column_values_to_match_strftime_format",
        "VALUE_DATE",
        _C,
        "column_values.match_strftime_format",
        FORMAT,
    ),
    Kind(
        "expect_column_pair_values_a_to_be_greater_than_b",
        "VALUE_PAIR",
        _P,
        "column_pair_values.a_greater_than_b",
        (OR_EQUAL, SKIP_PAIR),
    ),
    Kind("expect_column_pair_values_to_be_equal", "VALUE_PAIR", _P, "column_pair_values.equal", (SKIP_PAIR,)),
    Kind(
        "expect_select_column_values_to_be_unique_within_record",
        "VALUE_SAME_TWICE",
        _K,
        "select_column_values.unique.within_record",
        (SKIP_KEY,),
    ),
    Kind(COMPOUND, "DUPLICATE_KEY", _K, "compound_columns.unique", (SKIP_KEY,)),
    Kind(
        "expect_column_unique_value_count_to_be_between",
        "SHAPE_DISTINCT_COUNT",
        _C,
        "column.distinct_values.count",
        COUNTS,
        rows=False,
        counts=True,
    ),
    Kind(
        "expect_column_proportion_of_unique_values_to_be_between",
        "SHAPE_DISTINCT_SHARE",
        _C,
        "column.unique_proportion",
        SHARES,
        rows=False,
        counts=True,
    ),
    Kind(
        "expect_column_proportion_of_non_null_values_to_be_between",
        "SHAPE_FILLED_SHARE",
        _C,
        "column.non_null_proportion",
        SHARES,
        rows=False,
        counts=True,
    ),
    Kind("expect_table_row_count_to_be_between", "SHAPE_ROW_COUNT", _T, "table.row_count", COUNTS, rows=False),
    Kind("expect_table_row_count_to_equal", "SHAPE_ROW_COUNT", _T, "table.row_count", VALUE, rows=False),
    Kind("expect_table_column_count_to_equal", "SHAPE_COLUMN_COUNT", _T, "table.column_count", VALUE, rows=False),
    Kind(
        "expect_table_column_count_to_be_between",
        "SHAPE_COLUMN_COUNT",
        _T,
        "table.column_count",
        ENDS,
        rows=False,
    ),
    Kind("expect_table_columns_to_match_set", "HEADER_COLUMN_SET", _T, "table.columns", NAMES, rows=False),
    Kind("expect_table_columns_to_match_ordered_list", "HEADER_ORDER", _T, "table.columns", ORDER, rows=False),
    Kind("expect_column_to_exist", "HEADER_MISSING_COLUMN", _C, "table.columns", PLACE, rows=False),
    Kind(
        DECLARED_COLUMNS, "HEADER_UNDECLARED_COLUMN", _T, "", (Option("column_set", words),), rows=False, outside=True
    ),
    Kind(
        NEWEST,
        "STALE_NEWEST_ROW",
        _C,
        "",
        (Option("seconds", whole, required=True),),
        rows=False,
        counts=True,
        outside=True,
    ),
    Kind(KNOWN, "VALUE_UNKNOWN_KEY", _C, "", (Option("dataset", str, required=True),), outside=True),
)

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _KINDS}
"""The closed list by expectation type."""

ROW_METRICS: Mapping[str, Kind] = {kind.metric: kind for kind in _KINDS if kind.rows and not kind.outside}
"""Row kinds by the metric that Great Expectations asks for."""
COUNT_METRICS: Mapping[str, Kind] = {kind.metric: kind for kind in _KINDS if kind.counts and not kind.outside}
"""Kinds that count the cells of a column, by metric."""

_COLUMN_OPTIONS: Mapping[Shape, tuple[str, ...]] = {
    Shape.COLUMN: ("column",),
    Shape.PAIR: ("column_A", "column_B"),
    Shape.COLUMNS: ("column_list",),
    Shape.TABLE: (),
}


def check_of(name: str, kwargs: Mapping[str, object]) -> Check:
    """The check that an expectation type and its kwargs describe. ``mostly`` is allowed but not part of a check.

    Raises KindRefused, OptionRefused, OptionInvalid, each with kind and option; RulesInvalid for several of these.
    """
    kind = KINDS.get(name)
    if kind is None or kind.outside:
        near = get_close_matches(name, [each.name for each in KINDS.values() if not each.outside], n=2)
        raise KindRefused(Ref("kind", name), *([Ref("perhaps", ", ".join(near))] if near else []))
    options_of = (*kind.options, *((WHERE,) if kind.rows else ()))
    known = {*_COLUMN_OPTIONS[kind.shape], *(option.name for option in options_of), "mostly"}
    told = Ref("known", ", ".join(sorted(known)))
    faults = Faults()
    faults.add(*(OptionRefused(Ref("kind", name), Ref("option", each), told) for each in sorted(set(kwargs) - known)))
    with faults.noted():
        columns = _columns_of(kind, kwargs)
    options: list[tuple[str, OptionValue]] = []
    for option in options_of:
        with faults.noted():
            options.append((option.name, _read(kind, option, kwargs)))
    faults.check()
    check = Check(name, columns, tuple(options))
    _check_range(check)
    return check


def declared_columns(names: tuple[str, ...]) -> Check:
    """The check that every column of the file is one of ``names``."""
    return Check(DECLARED_COLUMNS, (), (("column_set", names),))


def typed(check: Check, types: Mapping[str, ColumnType]) -> Check:
    """The same check with the types of its columns filled in."""
    return Check(check.kind, check.columns, check.options, tuple(types.get(name) for name in check.columns))


def kwargs_of(check: Check) -> dict[str, object]:
    """The kwargs of the Great Expectations expectation for a check."""
    kind = KINDS[check.kind]
    names = _COLUMN_OPTIONS[kind.shape]
    whole = kind.shape is Shape.COLUMNS
    columns: dict[str, object] = (
        {names[0]: list(check.columns)} if whole else dict(zip(names, check.columns, strict=True))
    )
    given = {name: _given(name, value) for name, value in check.options if value is not None}
    return columns | given


def _given(name: str, value: OptionValue) -> object:
    """An option as Great Expectations takes it."""
    if name == CONDITION:
        return json.loads(str(value))
    return list(value) if isinstance(value, tuple) else value


def _columns_of(kind: Kind, kwargs: Mapping[str, object]) -> tuple[str, ...]:
    if kind.shape is Shape.COLUMNS:
        names = kwargs.get("column_list")
        if not isinstance(names, list | tuple) or len(names) < 2 or len(set(names)) < len(names):
            raise OptionInvalid(Ref("kind", kind.name), Ref("option", "column_list"))
        columns = tuple(names)
    else:
        columns = tuple(kwargs.get(option) for option in _COLUMN_OPTIONS[kind.shape])
    for option, column in zip(_COLUMN_OPTIONS[kind.shape] * len(columns), columns, strict=False):
        if not isinstance(column, str) or not column:
            raise OptionInvalid(Ref("kind", kind.name), Ref("option", option))
    return columns


def _read(kind: Kind, option: Option, kwargs: Mapping[str, object]) -> OptionValue:
    if kwargs.get(option.name) is None:
        if option.required:
            raise OptionInvalid(Ref("kind", kind.name), Ref("option", option.name))
        return option.default
    if option.name == CONDITION and isinstance(kwargs[CONDITION], str):  # an engine would run it as code
        raise OptionRefused(Ref("kind", kind.name), Ref("option", CONDITION))
    try:
        return option.read(kwargs[option.name])
    except (ValueError, TypeError, OverflowError, re.error):
        pass
    raise OptionInvalid(Ref("kind", kind.name), Ref("option", option.name), *told(option, kwargs[option.name]))


def told(option: Option, value: object) -> tuple[Ref, ...]:
    """What was read as the value of an option that takes another, for a message."""
    said = instead(option, value)
    return (Ref("read", said.removeprefix("read ")),) if said else ()


def _check_range(check: Check) -> None:
    """Refuse a range without an end, with its ends crossed, or with ends of two types."""
    if "min_value" not in dict(check.options):
        return
    low, high = check.option("min_value"), check.option("max_value")
    if low is None and high is None:
        raise OptionInvalid(Ref("kind", check.kind), Ref("option", "min_value"))
    if low is None or high is None:
        return
    same = len({family_of(low), family_of(high)}) == 1
    if not same or low > high:  # type: ignore[operator]  # same type by the test before it
        raise OptionInvalid(Ref("kind", check.kind), Ref("option", "max_value"))


def family_of(bound: object) -> str:
    """Whether a bound is a number, a date (ten characters) or a timestamp."""
    if not isinstance(bound, str):
        return "number"
    return "date" if len(bound) == 10 else "timestamp"
