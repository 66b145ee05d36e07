"""Durations of agreements (ISO 8601, ``P1Y6M``) in words. Pure."""

import re

from sluice.documents.words import Words

_PARTS = re.compile(r"(\d+)([YMWD])")


def duration_text(say: Words, duration: str) -> str:
    """``P1Y6M`` as *1 year and 6 months*; a text that is no duration is returned unchanged."""
    found = [(int(count), unit) for count, unit in _PARTS.findall(duration)]
    return say.listed(say.count(f"register.unit.{unit}", count, count=count) for count, unit in found) or duration
