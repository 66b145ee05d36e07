"""What the type of a column means for a rule: formats, patterns, and which checks compare values.

This module imports no polars, so that the process that reads papers can check their rules without it.
"""

import re

from sluice.gate.model import Check, ColumnType, ValueType

INTEGER = r"\A[+-]?[0-9]{1,18}\Z"
"""Whole numbers that surely fit in 64 bits. Longer runs of digits are names, not numbers: use string."""

NUMBER_POINT = r"\A[+-]?(?:[0-9]{1,30}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,2})?\Z"
NUMBER_COMMA = NUMBER_POINT.replace(r"\.", ",")

DATE = "%Y-%m-%d"
TIMESTAMP = "%Y-%m-%dT%H:%M:%S"
"""Formats where the contract gives none (ISO 8601)."""

WRITTEN = {
    "Y": r"(?:000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})",
    "y": r"[0-9]{2}",
    "m": r"(?:0[1-9]|1[0-2])",
    "d": r"(?:0[1-9]|[12][0-9]|3[01])",
    "H": r"(?:[01][0-9]|2[0-3])",
    "M": r"[0-5][0-9]",
    "S": r"[0-5][0-9]",
    "f": r"(?:[0-9]{3}){1,2}",
}
"""How strftime writes each directive: every digit, no blank. Fractions of a second may be milliseconds too."""
_BETWEEN = "[ 0-9]{1,6}"
"""A directive between other characters: strptime can cut it in one place only, so its digits may be incomplete."""
_DIGITS_OF_ASCII = r"\A[\D0-9]*\Z"
"""Digits as everybody reads them: strptime takes those of other scripts in some places, as in the year."""

NUMBERS = frozenset({ValueType.INTEGER, ValueType.NUMBER})


def number_pattern(column_type: ColumnType) -> str:
    """The pattern of a cell of a number or integer column; Python and Rust (with ``\\z``) read it alike."""
    if column_type.value is ValueType.INTEGER:
        return INTEGER
    return NUMBER_COMMA if column_type.decimal_comma else NUMBER_POINT


def format_of(column_type: ColumnType) -> str:
    """The strptime format of a date or timestamp column; ISO 8601 where the contract gives none."""
    return column_type.date_format or (DATE if column_type.value is ValueType.DATE else TIMESTAMP)


def parts_of(strftime_format: str) -> list[tuple[str, str]]:
    """The parts of a format in order: a directive as ``("Y", "")``, a character between as ``("", "/")``."""
    return re.findall(r"%(.)|([^%])", strftime_format, re.DOTALL)


def digits_pattern(strftime_format: str) -> str:
    """The pattern of a text that has every digit that a format needs, each of ASCII.

    If two directives are adjacent, strptime accepts ``1122024`` for ``%d%m%Y`` and guesses where to cut.
    """
    parts = parts_of(strftime_format)
    keys = ["", *(key for key, _ in parts), ""]
    if not re.search("%.%", strftime_format) or not {*keys} - {""} <= WRITTEN.keys():
        return _DIGITS_OF_ASCII
    forms = (
        (WRITTEN[key] if keys[place - 1] or keys[place + 1] else _BETWEEN) if key else re.escape(text)
        for place, (key, text) in enumerate(parts, 1)
    )
    return rf"\A{''.join(forms)}\Z"


def spelling_of(column_type: ColumnType) -> str:
    """The pattern without which a cell has no value of its type; a date must also be one."""
    if column_type.value in NUMBERS:
        return number_pattern(column_type)
    return digits_pattern(format_of(column_type))


def sees_values(check: Check) -> bool:
    """Whether a check compares typed values (ranges, pairs, sets of numbers) and not the text of the cell."""
    if check.kind in ("expect_column_values_to_be_in_set", "expect_column_values_to_not_be_in_set"):
        members = check.option("value_set")
        return isinstance(members, tuple) and bool(members) and not isinstance(members[0], str)
    pair = check.kind.startswith("expect_column_pair_values") and _same_family(check.types)
    return pair or check.kind == "expect_column_values_to_be_between"


def _same_family(types: tuple[ColumnType | None, ...]) -> bool:
    families = {None if each is None else each.value in NUMBERS for each in types}
    return len(families) == 1 and None not in families
