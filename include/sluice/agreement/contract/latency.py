"""How old the newest row of a file may be: ``slaProperties`` with ``property: latency`` (ODCS 3.1, SLA). Pure.

Every other property of the SLA is for people; no file is judged by it.
"""

from collections.abc import Iterator
from math import isfinite

from sluice.agreement.contract.columns import DAYS, columns
from sluice.agreement.document import Document, Found, Spot
from sluice.agreement.written import instead_of_number

_DAY = 86_400
_UNITS = {
    **dict.fromkeys(("d", "day", "days"), _DAY),
    **dict.fromkeys(("h", "hr", "hour", "hours"), 3_600),
    **dict.fromkeys(("min", "minute", "minutes"), 60),
}
MOST_DAYS = 36_500


def check_latency(document: Document) -> Iterator[Found]:
    """Yield latencies that no file can be judged by."""
    for entry in _latencies(document):
        for key, is_sound in _sound(document, entry).items():
            if not is_sound:
                yield Found(entry[key], "095", key if key != "value" else _told(entry[key]))


def latencies(document: Document) -> tuple[tuple[str, int], ...]:
    """Return the latencies that a file can be judged by: column and seconds."""
    sound = (entry for entry in _latencies(document) if all(_sound(document, entry).values()))
    return tuple((_column(document, entry), _seconds(entry)) for entry in sound)


def _latencies(document: Document) -> Iterator[Spot]:
    return (entry for entry in document.root["slaProperties"] if entry["property"].value == "latency")


def _sound(document: Document, entry: Spot) -> dict[str, bool]:
    """Return for each key whether it can be used. A date has no time of day, so its latency must be whole days."""
    kinds = {column["name"].text: column["logicalType"].text for column in columns(document)}
    kind, value = kinds.get(_column(document, entry)), entry["value"].value
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and value > 0
    has_unit = entry["unit"].text in _UNITS
    seconds = _seconds(entry) if is_number and has_unit else 0
    return {
        "element": kind in DAYS,
        "unit": has_unit,
        "value": is_number and seconds <= MOST_DAYS * _DAY and not (kind == "date" and seconds % _DAY),
    }


def _told(value: Spot) -> str:
    is_text = isinstance(value.value, str)
    return f"value; {instead_of_number(value.value)}" if is_text else "value"


def _seconds(entry: Spot) -> int:
    return round(float(entry["value"].value) * _UNITS[str(entry["unit"].text)])


def _column(document: Document, entry: Spot) -> str:
    """Return the column of ``element``, which is written with its table or without."""
    said = entry["element"].text or ""
    table = next((each["name"].text for each in document.root["schema"]), None)
    return said.removeprefix(f"{table}.")
