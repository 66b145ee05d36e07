"""The options of expectation kinds, each read into one canonical form; what cannot be read raises ValueError."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from sluice.agreement.written import instead_of_day, instead_of_flag, instead_of_list, instead_of_number, read_as
from sluice.gate.conditions import read_condition
from sluice.gate.model import CONDITION, OptionValue

LONGEST_PATTERN = 1_000
"""Most characters of a regular expression; longer ones are programs, not rules."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a kind. ``read`` turns any value but None into its canonical form, or raises ValueError."""

    name: str
    read: Callable[[object], OptionValue]
    default: OptionValue = None
    required: bool = False


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value) or value < 0:
        raise ValueError
    return int(value)


def _share(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError
    return float(value)


def _bound(value: object) -> float | str:
    """A number, an ISO date, or an ISO date and time, as Great Expectations reads bounds.

    A zone is refused, because the values it is compared with have none.
    """
    if isinstance(value, str):
        value = (date.fromisoformat if len(value) == 10 else datetime.fromisoformat)(value)
    if isinstance(value, datetime) and value.tzinfo is not None:
        raise ValueError
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError
    return float(value)


def words(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple | set | frozenset) or not value:
        raise ValueError
    if not all(isinstance(word, str) and word for word in value):
        raise ValueError
    return tuple(value)


def _value_set(value: object) -> tuple[str | float, ...]:
    """A set of only texts or only numbers, sorted, without None (which has no effect in Great Expectations)."""
    if not isinstance(value, list | tuple | set | frozenset):
        raise ValueError
    members = {member for member in value if member is not None}
    if any(isinstance(member, bool) or not isinstance(member, str | int | float) for member in members):
        raise ValueError
    if len({isinstance(member, str) for member in members}) > 1:
        raise ValueError
    return tuple(sorted(members))


def _pattern(value: object) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_PATTERN:
        raise ValueError
    try:
        re.compile(value)
    except (re.error, OverflowError, RecursionError):
        raise ValueError from None
    return value


def _patterns(value: object) -> tuple[str, ...]:
    return tuple(_pattern(word) for word in words(value))


def _strftime(value: object) -> str:
    """A format that can write a moment and read it back, as Great Expectations demands, with at least one directive.

    ``dd/MM/yyyy`` has none: it would match only that very text.
    """
    if not isinstance(value, str) or not re.search("%[^%]", value):
        raise ValueError
    datetime.strptime(datetime(2001, 2, 13, 14, 15, 16).strftime(value), value)
    return value


def _one_of(*known: str) -> Callable[[object], OptionValue]:
    def read(value: object) -> OptionValue:
        if value not in known:
            raise ValueError
        return str(value)

    return read


def instead(option: Option, value: object) -> str:
    """What was read where this option takes something else; empty for options whose values have many forms."""
    told = _INSTEAD.get(option.read)
    return told(value) if told else ""


def _instead_of_bound(value: object) -> str:
    if isinstance(value, str) and _has_zone(value):
        return "read as a moment with a zone: leave the zone out, cells have none"
    day, number = instead_of_day(value), instead_of_number(value)
    return number if day == f"read as {read_as(value)}" else day


def _has_zone(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


_INSTEAD: Mapping[Callable[[object], OptionValue], Callable[[object], str]] = {
    whole: partial(instead_of_number, whole=True),
    _share: partial(instead_of_number, most=1),
    _bound: _instead_of_bound,
    _flag: instead_of_flag,
    words: instead_of_list,
}

BOUNDS = (Option("strict_min", _flag, False), Option("strict_max", _flag, False))
RANGE = (Option("min_value", _bound), Option("max_value", _bound), *BOUNDS)
COUNTS = (Option("min_value", whole), Option("max_value", whole), *BOUNDS)
ENDS = COUNTS[:2]
SHARES = (Option("min_value", _share), Option("max_value", _share), *BOUNDS)
VALUE = (Option("value", whole, required=True),)
SET = (Option("value_set", _value_set, required=True),)
REGEX = (Option("regex", _pattern, required=True),)
FORMAT = (Option("strftime_format", _strftime, required=True),)
SKIP_PAIR = Option(
    "ignore_row_if",
    _one_of("both_values_are_missing", "either_value_is_missing", "neither"),
    "both_values_are_missing",
)
SKIP_KEY = Option(
    "ignore_row_if", _one_of("all_values_are_missing", "any_value_is_missing", "never"), "all_values_are_missing"
)
ANY_OR_ALL_OF = (Option("regex_list", _patterns, required=True), Option("match_on", _one_of("any", "all"), "any"))
NAMES = (Option("column_set", words, required=True), Option("exact_match", _flag, True))
ORDER = (Option("column_list", words, required=True),)
PLACE = (Option("column_index", whole),)
OR_EQUAL = Option("or_equal", _flag, False)

WHERE = Option(CONDITION, read_condition)
NONE_OF = (Option("regex_list", _patterns, required=True),)
