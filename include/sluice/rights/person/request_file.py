"""Read a request file: persons and one right. Pure: bytes in, persons and faults out.

One bad identifier refuses its whole row, because the other half of the row may be about another person.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from itertools import islice
from typing import Any

import polars as pl

from sluice.agreement.dpv import DPV, PURPOSES
from sluice.dial.model import CHANNEL_WORDS
from sluice.rights.case.guards import LANGUAGES
from sluice.rights.case.model import Right
from sluice.rights.person.identifiers import KINDS, Identifier, Person, Sought
from sluice.rights.person.unreadable import Unreadable, read_object, why_no_csv
from sluice.subject.candidate import normal_candidate
from sluice.subject.columns import normalise_column

MOST_PERSONS = 100_000
LONGEST_PERSON = 600
"""Bytes of one person: an e-mail address of 254 characters, every other identifier, and the names of all five."""
LARGEST_BYTES = MOST_PERSONS * LONGEST_PERSON
MOST_ROWS_NAMED = 20
MEMBERS = {"right", "received", "language", "persons", "purposes", "channel"}
NAMED = ("name", "birth_date")
"""Columns of a file that has only name and birth date. It is about one person, whom the desk has to confirm."""
PURPOSEFUL = frozenset({Right.OBJECTION, Right.DIRECT_MARKETING, Right.CONSENT_WITHDRAWAL})
"""Rights that a person can limit to some purposes or to one channel."""


class FileOutcome(StrEnum):
    """The result of reading one request file. Only the first one opens a case."""

    READ = "READ"
    UNREADABLE = "UNREADABLE"
    TOO_LARGE = "TOO_LARGE"
    TOO_MANY_PERSONS = "TOO_MANY_PERSONS"
    UNKNOWN_RIGHT = "UNKNOWN_RIGHT"
    UNKNOWN_COLUMN = "UNKNOWN_COLUMN"
    BAD_DATE = "BAD_DATE"
    BAD_LANGUAGE = "BAD_LANGUAGE"
    BAD_PURPOSE = "BAD_PURPOSE"
    NO_PERSONS = "NO_PERSONS"
    NO_AGREEMENT = "NO_AGREEMENT"


@dataclass(frozen=True, slots=True)
class RowFault:
    """Rows that name nobody, for one reason. ``rows``: at most 20 row numbers, 1 = first record."""

    code: str
    column: str | None
    count: int
    rows: tuple[int, ...]
    line: int | None = None
    """Of a file that cannot be read as a whole (count 0): the line where reading stopped, where that is known."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The content of a request file: the persons that its rows name, and the rows that name nobody."""

    right: Right
    received: date | None
    language: str
    persons: tuple[Person, ...] = field(repr=False)
    faults: tuple[RowFault, ...] = ()
    sought: Sought | None = field(default=None, repr=False)
    """Who is meant, if the file has no identifier; somebody at the desk confirms a candidate."""
    purposes: tuple[str, ...] = ()
    channel: str | None = None

    @property
    def refused(self) -> int:
        return sum(fault.count for fault in self.faults)


def parse_request(name: str, content: bytes) -> Asked | FileOutcome:
    """Read a file under ``requests/``: what it asks, or why it cannot be followed. Pure."""
    if len(content) > LARGEST_BYTES:
        return FileOutcome.TOO_LARGE
    if name.lower().endswith(".json"):
        return FileOutcome.TOO_MANY_PERSONS if _has_more_than_persons(content) else _parse_json(content)
    return _parse_csv(name, content) if name.lower().endswith(".csv") else FileOutcome.UNREADABLE


def _has_more_than_persons(content: bytes) -> bool:
    """Whether JSON has more objects, lists or members than the most persons need, because parsing them takes gigabytes.

    Signs are counted before anything is parsed. Twice as many are allowed, because values may contain such signs.
    """
    objects, lists, members = (content.count(sign) for sign in (b"{", b"[", b","))
    return objects + lists > 2 * MOST_PERSONS or members > 2 * MOST_PERSONS * len(KINDS)


def _parse_json(content: bytes) -> Asked | FileOutcome:
    try:
        said = _read_object(content)
    except Unreadable:
        return FileOutcome.UNREADABLE
    rows = [row if isinstance(row, dict) else {} for row in said["persons"]]
    if not _are_known({column for row in rows for column in row}):
        return FileOutcome.UNKNOWN_COLUMN
    asked = _ask(said["right"], said.get("received"), said.get("language", "nl"), [_cells(row) for row in rows])
    return asked if isinstance(asked, FileOutcome) else _about(asked, said.get("purposes", []), said.get("channel"))


def _read_object(content: bytes) -> dict[str, Any]:
    """Return the object of a request. Raises Unreadable."""
    said = read_object(content, {"right", "persons"}, MEMBERS)
    if not isinstance(said["persons"], list):
        raise Unreadable("NO_LIST", "persons")
    return said


def why_unreadable(name: str, content: bytes) -> Unreadable:
    """Why a file that :func:`parse_request` found unreadable is so. Pure."""
    if name.lower().endswith(".csv"):
        return why_no_csv(content, _delimiter_of(content))
    if not name.lower().endswith(".json"):
        return Unreadable("NAME_NOT_CSV_OR_JSON")
    try:
        _read_object(content)
    except Unreadable as found:
        return found
    return Unreadable("NOT_JSON")


def _delimiter_of(content: bytes) -> str:
    head = content.partition(b"\n")[0]
    return max(";,\t|", key=lambda sign: head.count(sign.encode()))


def _are_known(columns: Set[str]) -> bool:
    """Whether columns are identifiers, or a name and a birth date. Not both: a name proves nothing beside a number."""
    return columns <= set(KINDS) or columns == set(NAMED)


def _about(asked: Asked, purposes: object, channel: object) -> Asked | FileOutcome:
    """Limit a request to these purposes and this channel: DPV IRIs or their last part, and a word of agreements."""
    if not purposes and channel is None:
        return asked
    words = [str(word) for word in purposes] if isinstance(purposes, list) else [""]
    iris = {word if word.startswith("https://") else f"{DPV}{word}" for word in words}
    is_channel = channel is None or (isinstance(channel, str) and channel in CHANNEL_WORDS)
    if asked.right not in PURPOSEFUL or not iris <= PURPOSES or not is_channel:
        return FileOutcome.BAD_PURPOSE
    word = CHANNEL_WORDS[channel] if isinstance(channel, str) else None
    return replace(asked, purposes=tuple(sorted(iris)), channel=word)


def _cells(row: Mapping[str, object]) -> dict[str, str]:
    """The texts of a row; empty if any value is neither text nor a whole number."""
    given = {column: value for column, value in row.items() if value is not None}
    if any(type(value) not in (str, int) for value in given.values()):
        return {}
    return {column: str(value) for column, value in given.items()}


def _parse_csv(name: str, content: bytes) -> Asked | FileOutcome:
    """Read a CSV file; its name begins with the right, as in ``erasure-2026-11.csv``."""
    try:
        text = io.TextIOWrapper(io.BytesIO(content), "utf-8-sig", newline="\n")  # no copy of four bytes a character
        delimiter = _delimiter_of(content)
        if content.count(delimiter.encode()) > 2 * MOST_PERSONS * len(KINDS):
            return FileOutcome.TOO_MANY_PERSONS
        rows = list(islice(csv.reader(text, delimiter=delimiter, strict=True), MOST_PERSONS + 2))
    except (ValueError, csv.Error):
        return FileOutcome.UNREADABLE
    columns = [column.strip().lower() for column in rows[0]] if rows else []
    if not columns or len(set(columns)) < len(columns) or not _are_known(set(columns)):
        return FileOutcome.UNKNOWN_COLUMN
    cells = [dict(zip(columns, row, strict=True)) if len(row) == len(columns) else {} for row in rows[1:]]
    return _ask(name.rsplit("/", 1)[-1].partition("-")[0].lower(), None, "nl", cells)


def _ask(right: object, received: object, language: object, rows: Sequence[Mapping[str, str]]) -> Asked | FileOutcome:
    if right not in [each.value for each in Right]:
        return FileOutcome.UNKNOWN_RIGHT
    if language not in LANGUAGES:
        return FileOutcome.BAD_LANGUAGE
    if len(rows) > MOST_PERSONS:
        return FileOutcome.TOO_MANY_PERSONS
    day = None
    if received is not None:
        try:
            day = date.fromisoformat(str(received))
        except ValueError:
            return FileOutcome.BAD_DATE
    if any(name in row for row in rows for name in NAMED):
        sought, faults = _judge_named(rows)
        return Asked(Right(str(right)), day, str(language), (), faults, sought)
    persons, faults = judge_rows(rows)
    return Asked(Right(str(right)), day, str(language), persons, faults)


def _judge_named(rows: Sequence[Mapping[str, str]]) -> tuple[Sought | None, tuple[RowFault, ...]]:
    """Find the first row with a name and a birth date. A second person needs another file, and so another case."""
    found: Sought | None = None
    bad: dict[int, tuple[str, str | None]] = {}
    for place, row in enumerate(rows):
        name, born = (row.get(column, "") for column in NAMED)
        if normal_candidate((name,), born) is None:
            bad[place] = ("VALUE_NAMES_NOBODY", None)
        elif found is not None:
            bad[place] = ("SHAPE_ONE_NAME_A_FILE", None)
        else:
            found = Sought(name, born)
    return found, tuple(_faults(bad))


def judge_rows(rows: Sequence[Mapping[str, str]]) -> tuple[tuple[Person, ...], tuple[RowFault, ...]]:
    """Split rows into persons, one per row, and faults by reason."""
    bad: dict[int, tuple[str, str | None]] = {}
    normal: dict[str, list[str | None]] = {}
    for column, kind in KINDS.items():
        values = pl.Series(column, [row.get(column, "") for row in rows], dtype=pl.String)
        judged = normalise_column(values, kind)
        normal[column] = judged.values.to_list()
        for place in judged.invalid.arg_true().to_list():
            bad.setdefault(place, ("VALUE_INVALID_IDENTIFIER", column))
    seen: set[tuple[str | None, ...]] = set()
    persons = []
    for place, row in enumerate(rows):
        known = tuple(normal[column][place] for column in KINDS)
        if place in bad:
            continue
        if not any(known):
            bad[place] = ("VALUE_NAMES_NOBODY", None)
        elif known in seen:
            bad[place] = ("DUPLICATE_PERSON", None)
        else:
            seen.add(known)
            found = (column for column, value in zip(KINDS, known, strict=True) if value is not None)
            persons.append(tuple(Identifier(KINDS[column], row[column]) for column in found))
    return tuple(persons), tuple(_faults(bad))


def _faults(bad: Mapping[int, tuple[str, str | None]]) -> Iterator[RowFault]:
    by_reason: dict[tuple[str, str | None], list[int]] = {}
    for place in sorted(bad):
        by_reason.setdefault(bad[place], []).append(place + 1)
    for (code, column), rows in by_reason.items():
        yield RowFault(code, column, len(rows), tuple(rows[:MOST_ROWS_NAMED]))
