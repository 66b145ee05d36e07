"""What the type of a column means for a rule: formats, patterns, and who compares values. Without a data frame.

The process that reads paper asks here whether its rules can be used, and imports no polars for it.
"""

from sluice.gate.model import Check, ColumnType, ValueType

INTEGER = r"\A[+-]?[0-9]{1,18}\Z"
"""Whole numbers that fit 64 bits without a doubt. Longer digits are names, not numbers: use string."""

NUMBER_POINT = r"\A[+-]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,2})?\Z"
NUMBER_COMMA = NUMBER_POINT.replace(r"\.", ",")

DATE = "%Y-%m-%d"
TIMESTAMP = "%Y-%m-%dT%H:%M:%S"
"""Formats where the contract gives none (ISO 8601)."""

NUMBERS = frozenset({ValueType.INTEGER, ValueType.NUMBER})


def number_pattern(column_type: ColumnType) -> str:
    """What a cell of a number or integer column looks like, as a Python and Rust pattern."""
    if column_type.value is ValueType.INTEGER:
        return INTEGER
    return NUMBER_COMMA if column_type.decimal_comma else NUMBER_POINT


def format_of(column_type: ColumnType) -> str:
    """The strptime format of a date or timestamp column; ISO 8601 where the contract gives none."""
    return column_type.date_format or (DATE if column_type.value is ValueType.DATE else TIMESTAMP)


def sees_values(check: Check) -> bool:
    """Whether a check compares values (ranges, pairs, sets of numbers), not the text of the cell."""
    if check.kind in ("expect_column_values_to_be_in_set", "expect_column_values_to_not_be_in_set"):
        members = check.option("value_set")
        return isinstance(members, tuple) and bool(members) and not isinstance(members[0], str)
    pair = check.kind.startswith("expect_column_pair_values") and _same_family(check.types)
    return pair or check.kind == "expect_column_values_to_be_between"


def _same_family(types: tuple[ColumnType | None, ...]) -> bool:
    families = {None if each is None else each.value in NUMBERS for each in types}
    return len(families) == 1 and None not in families
