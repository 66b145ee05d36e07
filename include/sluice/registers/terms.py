"""Durations of agreements (ISO 8601, ``P1Y6M``) in words. Pure."""

import re

from babel.units import format_unit

from sluice.documents.words import Words

_PARTS = re.compile(r"(\d+)([YMWD])")
_UNITS = {"Y": "year", "M": "month", "W": "week", "D": "day"}


def duration_text(say: Words, duration: str) -> str:
    """``P1Y6M`` as *1 year and 6 months*; what is no duration stays as it is."""
    parts = [format_unit(int(count), _UNITS[unit], locale=say.locale) for count, unit in _PARTS.findall(duration)]
    return say.listed(parts) if parts else duration
