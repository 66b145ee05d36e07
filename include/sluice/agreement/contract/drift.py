"""How the columns of a file differ from those a contract declares, and which lines of YAML say so. Pure.

A first record with at least half of the declared columns is a header, so its names may be shown. A file without one has
a person there. A name that may be a value all the same is shown by its position.
"""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import yaml

from sluice.agreement.contract.columns import columns
from sluice.agreement.contract.infer import WRITTEN_INDENT, ColumnProfile, column_lines, is_one_line, quoted
from sluice.agreement.document import Document, Spot
from sluice.errors import at_place, may_be_a_value

_ALIKE = 0.75
"""From this likeness on (difflib), a missing column and a new one may be the same under another name."""
_HEADER_SHARE = 0.5
_NAME = re.compile(r"""\bname["']?:\s*("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^,}#]*[^,}#\s])""")
_REQUIRED = re.compile(r"""\brequired["']?:\s*(\w+)""")


class ColumnChange(StrEnum):
    """What became of a column. Whether a missing one stops the file depends on its line ``required``."""

    RENAMED = "renamed"
    MISSING = "missing"
    NEW = "new"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference between a contract and a file.

    ``declared``, ``found``: names. ``position``: in the file, 1 = first. ``line``: in the contract. ``yaml``: lines to
    take out (``-``) and to put in (``+``) there; empty if the contract may stay as it is.
    """

    change: ColumnChange
    declared: str | None
    found: str | None
    position: int | None
    line: int
    yaml: tuple[str, ...] = ()


def is_header(document: Document, names: Sequence[str]) -> bool:
    """Whether a first record is a header: it has half of the declared names, not counting differences of spelling."""
    declared = {_plain(str(each["name"].value)) for each in columns(document)}
    return len(declared & set(map(_plain, names))) >= len(declared) * _HEADER_SHARE


def find_drift(document: Document, profiles: Sequence[ColumnProfile]) -> tuple[Drift, ...]:
    """Return every difference between a contract and the columns of a file, by their lines in the contract."""
    declared = {str(each["name"].value): each for each in columns(document)}
    found = [profile.name for profile in profiles]
    missing, new = [name for name in declared if name not in found], [name for name in found if name not in declared]
    renamed = _pairs(missing, [name for name in new if _is_sayable(name)])
    drift = [
        *(_renamed(document, declared[old], old, name, found) for old, name in renamed.items()),
        *(_missing(document, declared[name], name) for name in missing if name not in renamed),
        *(_new(document, profile, found) for profile in profiles if profile.name in set(new) - set(renamed.values())),
        *_moved(declared, [name for name in found if name in declared], found),
    ]
    return tuple(sorted(drift, key=lambda each: (each.line, each.position or 0)))


def _is_sayable(name: str) -> bool:
    return is_one_line(name) and not may_be_a_value(name)


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


def _pairs(missing: Sequence[str], new: Sequence[str]) -> dict[str, str]:
    """Old name -> new name, the most alike first, each once."""
    scores = [
        (difflib.SequenceMatcher(None, _plain(old), _plain(name), autojunk=False).ratio(), old, name)
        for old in missing
        for name in new
    ]
    pairs: dict[str, str] = {}
    for score, old, name in sorted(scores, key=lambda each: -each[0]):
        if score >= _ALIKE and old not in pairs and name not in pairs.values():
            pairs[old] = name
    return pairs


def _line(document: Document, number: int) -> str:
    return document.body.decode().splitlines()[number - 1]


def _changed(document: Document, spot: Spot, form: re.Pattern[str], new: str) -> tuple[str, ...]:
    """Return the line of a value to take out, and the one to put in; empty if it is not on one line in one piece."""
    was = _line(document, spot.line)
    for found in form.finditer(was):
        try:
            is_meant = yaml.safe_load(found[1]) == spot.value
        except (yaml.YAMLError, ValueError):
            continue
        if is_meant:
            return f"-{was}", f"+{was[: found.start(1)]}{new}{was[found.end(1) :]}"
    return ()


def _renamed(document: Document, spot: Spot, old: str, name: str, found: Sequence[str]) -> Drift:
    lines = _changed(document, spot["name"], _NAME, quoted(name))
    return Drift(ColumnChange.RENAMED, old, name, found.index(name) + 1, spot["name"].line, lines)


def _missing(document: Document, spot: Spot, name: str) -> Drift:
    """Return the drift of a missing column.

    A required one may become optional; any other may stay as it is declared.
    """
    if spot["required"].value is not True:
        return Drift(ColumnChange.MISSING, name, None, None, spot["name"].line)
    lines = _changed(document, spot["required"], _REQUIRED, "false")
    return Drift(ColumnChange.MISSING, name, None, None, spot["required"].line, lines)


def _new(document: Document, profile: ColumnProfile, found: Sequence[str]) -> Drift:
    """Return the drift of a new column.

    It goes after the column before it in the file, and is not required, because older files do not have it.
    """
    place = found.index(profile.name)
    if not _is_sayable(profile.name):
        return Drift(ColumnChange.NEW, None, at_place(place + 1), place + 1, columns(document)[0].line - 1)
    known = {str(each["name"].value): each for each in columns(document)}
    before = next((known[name] for name in reversed(found[:place]) if name in known), None)
    line = _last_line(before) if before is not None else columns(document)[0].line - 1
    first = _line(document, columns(document)[0].line)
    indent = first[: len(first) - len(first.lstrip())]
    optional = column_lines(replace(profile, required=False))
    lines = tuple(f"+{indent}{each.removeprefix(WRITTEN_INDENT)}" for each in optional)
    return Drift(ColumnChange.NEW, None, profile.name, place + 1, line, lines)


def _last_line(spot: Spot) -> int:
    below = (*spot.keys.values(), *spot.entries)
    return max([spot.line, *map(_last_line, below)])


def _moved(declared: Mapping[str, Spot], kept: Sequence[str], found: Sequence[str]) -> Iterator[Drift]:
    """Yield the fewest columns that have moved; their order does not matter unless a suite asks for it."""
    order = [name for name in declared if name in set(kept)]
    blocks = difflib.SequenceMatcher(None, order, list(kept), autojunk=False).get_matching_blocks()
    in_place = {name for block in blocks for name in order[block.a : block.a + block.size]}
    for name in order:
        if name not in in_place:
            yield Drift(ColumnChange.MOVED, name, name, found.index(name) + 1, declared[name]["name"].line)
