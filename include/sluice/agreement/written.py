"""What YAML or JSON read where a number, a day, true or false, or a text belongs, and how it would be right.

People here write 0,1 and 31/12/2026 and ja; to YAML these are texts. The findings of every paper and suite say so in
the words of this module. What would be right is told only where a short number, a day or a word of the lists below
was written: a paper may hold a person's telephone or address.
"""

import re
from collections.abc import Callable
from datetime import date, datetime

_NUMBER = re.compile(r"(?P<sign>[-+]?)(?P<whole>\d{1,7})(?:[.,](?P<part>\d{1,6}))?")
_GROUPED = re.compile(r"\d{1,3}(?:[ .\u00a0\u202f]\d{3})+")
_UNIT = re.compile(r"(?P<number>[-+]?\d{1,7}(?:[.,]\d{1,6})?)\s*(?P<unit>%|[a-zA-Z]{1,10})")
_DAY_FIRST = re.compile(r"(?P<day>\d{1,2})[/.-](?P<month>\d{1,2})[/.-](?P<year>\d{4})")
_YEAR_FIRST = re.compile(r"(?P<year>\d{4})[/.-]?(?P<month>\d{1,2})[/.-]?(?P<day>\d{1,2})(?:[T ][\d:.Z+-]+)?")
_SHORT_YEAR = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2}")
_YES = frozenset({"ja", "j", "oui", "o", "yes", "y", "true", "t", "waar", "vrai", "on", "aan", "1"})
_NO = frozenset({"nee", "neen", "n", "non", "no", "false", "f", "onwaar", "faux", "off", "uit", "0"})


def read_as(value: object) -> str:
    """What a value is to YAML and JSON, in words, without the value."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, date):
        return "a moment" if isinstance(value, datetime) else "a day"
    if isinstance(value, str):
        return "a text"
    if isinstance(value, list):
        return "a list"
    return "a mapping of keys" if isinstance(value, dict) else "nothing"


def instead_of_number(value: object, *, whole: bool = False, most: float | None = None) -> str:
    """What was read where a number belongs. ``most``: the largest it may be; a percentage of 1 is a share."""
    if isinstance(value, int | float) and not isinstance(value, bool) and not (whole and isinstance(value, float)):
        return _with_hint(value, percentage(value, most) if most else "")
    return _told(value, lambda text: _as_number(text, whole, most))


def percentage(value: float, most: float) -> str:
    """What a number out of its range was meant for where a share belongs; empty where none does."""
    return f"{value:g} in a hundred is {value / 100:g}" if most == 1 and 2 <= value <= 100 else ""


def instead_of_day(value: object) -> str:
    """What was read where a calendar day belongs."""
    return _told(value, _as_day)


def instead_of_flag(value: object) -> str:
    """What was read where true or false belongs."""
    return _told(value, _as_flag)


def instead_of_text(value: object) -> str:
    """What was read where a text belongs; YAML takes NO, 1.0 and 2026-12-31 for something else without quotes."""
    hint = "put it in quotes" if isinstance(value, bool | int | float | date) else ""
    if isinstance(value, bool):
        hint = "YAML takes NO, ON and YES for that; put it in quotes"
    return _with_hint(value, hint)


def instead_of_list(value: object) -> str:
    """What was read where a list belongs."""
    alone = isinstance(value, str | bool | int | float | date)
    return _with_hint(value, "write it as a list: [it], or after `- ` on a line of its own" if alone else "")


def instead_of_keys(value: object) -> str:
    """What was read where a mapping belongs."""
    return _with_hint(value, "write `key: value` lines, further in than the line above them")


def _told(value: object, right: Callable[[str], str]) -> str:
    told = right(value.strip() if isinstance(value, str) else str(value)) if _is_scalar(value) else ""
    return _with_hint(value, told)


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | bool | int | float | date)


def _with_hint(value: object, hint: str) -> str:
    return f"read as {read_as(value)}" + (f": {hint}" if hint else "")


def _as_number(text: str, whole: bool, most: float | None) -> str:
    """How a number in a text would be right; empty if there is none."""
    unit = _UNIT.fullmatch(text)
    if unit and unit["unit"] == "%":
        return f"no percent sign, write {_share(unit['number'], most)}"
    if unit:
        return f"no unit, write {_point(unit['number'])}"
    if _GROUPED.fullmatch(text):
        return f"no signs between thousands, write {re.sub(r'[^0-9]', '', text)}"
    number = _NUMBER.fullmatch(text)
    if number is None:
        return ""
    part = (number["part"] or "").rstrip("0")
    if whole:
        return "no decimals" if part else f"write {number['sign']}{number['whole']}"
    return f"a decimal point, no comma: write {_point(text)}" if "," in text else f"no quotes, write {text}"


def _point(number: str) -> str:
    return number.replace(",", ".")


def _share(number: str, most: float | None) -> str:
    """A percentage as a share where at most 1 is allowed, else without its sign."""
    return f"{float(_point(number)) / 100:g}" if most == 1 else _point(number)


def _as_day(text: str) -> str:
    """How a day in a text would be right; empty if there is none."""
    if _SHORT_YEAR.fullmatch(text):
        return "give the year four digits, as 2026-12-31"
    found = _DAY_FIRST.fullmatch(text) or _YEAR_FIRST.fullmatch(text)
    if found is None:
        return ""
    try:
        day = date(int(found["year"]), int(found["month"]), int(found["day"]))
    except ValueError:
        return "there is no such day; write year, month, day, as 2026-12-31"
    return f"no quotes, write {day}" if text == str(day) else f"write {day}"


def _as_flag(text: str) -> str:
    """How a word for yes or no would be right; empty if it is none."""
    word = text.lower()
    if word in _YES | _NO:
        right = "true" if word in _YES else "false"
        return f"no quotes, write {right}" if word == right else f"write {right}"
    return ""
