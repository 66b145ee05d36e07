"""Compare two versions of a document: every line of either side by side, and what differs. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sluice.agreement.document import Spot, parse_document

NAMES = ("code", "name", "fieldGroup", "id")
"""Keys that name an entry of a list: the first one that it has, after its direction if it has one."""


class Change(StrEnum):
    """What became of a line from the left version to the right."""

    SAME = "same"
    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Difference:
    """One line of the comparison. ``path``: names of keys and entries from the top.

    ``left`` and ``right`` are the texts of the two versions, None for one that lacks the line.
    """

    path: tuple[str, ...]
    left: str | None
    right: str | None

    @property
    def change(self) -> Change:
        if self.left is None:
            return Change.ADDED
        if self.right is None:
            return Change.REMOVED
        return Change.SAME if self.left == self.right else Change.CHANGED


def compare(left: bytes, right: bytes) -> tuple[Difference, ...]:
    """Every line of both versions, in the order of the right one.

    Lines that only the left has come last under their top-level key. Raises PaperInvalid if the bytes are no document.
    """
    before, after = (dict(_lines(parse_document(body, "").root, ())) for body in (left, right))
    tops = list(dict.fromkeys(path[0] for path in (*after, *before)))
    paths = sorted(dict.fromkeys((*after, *before)), key=lambda path: tops.index(path[0]))
    return tuple(Difference(path, before.get(path), after.get(path)) for path in paths)


def _lines(spot: Spot, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if spot.keys:
        for key, below in spot.keys.items():
            yield from _lines(below, (*path, key))
    elif any(entry.keys for entry in spot.entries):
        for number, entry in enumerate(spot.entries, 1):
            yield from _entry(entry, path, number)
    elif spot.entries:
        for entry in spot.entries:
            yield (*path, str(entry.value)), _text(entry.value)
    elif path and spot.value not in (None, [], {}):
        yield path, _text(spot.value)


def _entry(entry: Spot, path: tuple[str, ...], number: int) -> Iterator[tuple[tuple[str, ...], str]]:
    """The lines of a list entry under its name; an entry without nested values is one line."""
    names = [key for key in ("direction", *NAMES) if entry[key].is_given][: 2 if entry["direction"].is_given else 1]
    here = (*path, " ".join(str(entry[key].value) for key in names) or str(number))
    below = {key: part for key, part in entry.keys.items() if key not in names and part.is_given}
    if any(part.keys or part.entries for part in below.values()):
        for key, part in below.items():
            yield from _lines(part, (*here, key))
    else:
        yield here, "; ".join(f"{key}: {_text(part.value)}" for key, part in below.items())


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
