"""What a request file says: persons and one right. Pure: bytes in, persons and faults out.

One bad identifier refuses its row, because half of what was said of a person may be of another.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from itertools import islice

import polars as pl

from sluice.rights.guards import LANGUAGES
from sluice.rights.identifiers import KINDS, Identifier, Person
from sluice.rights.model import Right
from sluice.subject.columns import normalise_column

LARGEST_BYTES = 64 << 20
MOST_PERSONS = 100_000
MOST_ROWS_NAMED = 20
MEMBERS = {"right", "received", "language", "persons"}


class Outcome(StrEnum):
    """What one request file did. Only the first opens a case."""

    READ = "READ"
    UNREADABLE = "UNREADABLE"
    TOO_LARGE = "TOO_LARGE"
    TOO_MANY_PERSONS = "TOO_MANY_PERSONS"
    UNKNOWN_RIGHT = "UNKNOWN_RIGHT"
    UNKNOWN_COLUMN = "UNKNOWN_COLUMN"
    BAD_DATE = "BAD_DATE"
    BAD_LANGUAGE = "BAD_LANGUAGE"
    NO_PERSONS = "NO_PERSONS"
    NO_AGREEMENT = "NO_AGREEMENT"


@dataclass(frozen=True, slots=True)
class RowFault:
    """Rows that name nobody, for one reason; ``rows``: at most 20 numbers, 1 = first record."""

    code: str
    column: str | None
    count: int
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request file says; persons that name somebody, and the rows that do not."""

    right: Right
    received: date | None
    language: str
    persons: tuple[Person, ...] = field(repr=False)
    faults: tuple[RowFault, ...] = ()

    @property
    def refused(self) -> int:
        return sum(fault.count for fault in self.faults)


def parse_request(name: str, content: bytes) -> Asked | Outcome:
    """What a file under ``requests/`` asks, or why it cannot be followed. Pure."""
    if len(content) > LARGEST_BYTES:
        return Outcome.TOO_LARGE
    if name.lower().endswith(".json"):
        return _parse_json(content)
    return _parse_csv(name, content) if name.lower().endswith(".csv") else Outcome.UNREADABLE


def _parse_json(content: bytes) -> Asked | Outcome:
    try:
        said = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return Outcome.UNREADABLE
    if not isinstance(said, dict) or not {"right", "persons"} <= set(said) <= MEMBERS:
        return Outcome.UNREADABLE
    if not isinstance(said["persons"], list):
        return Outcome.UNREADABLE
    rows = [row if isinstance(row, dict) else {} for row in said["persons"]]
    if any(column not in KINDS for row in rows for column in row):
        return Outcome.UNKNOWN_COLUMN
    return _ask(said["right"], said.get("received"), said.get("language", "nl"), [_cells(row) for row in rows])


def _cells(row: Mapping[str, object]) -> dict[str, str]:
    """The texts of a row; none at all when a value is neither text nor whole number."""
    given = {column: value for column, value in row.items() if value is not None}
    if any(type(value) not in (str, int) for value in given.values()):
        return {}
    return {column: str(value) for column, value in given.items()}


def _parse_csv(name: str, content: bytes) -> Asked | Outcome:
    """The right is what the name begins with: ``erasure-2026-11.csv``."""
    try:
        text = content.decode("utf-8-sig")
        head = text.partition("\n")[0]
        delimiter = max(";,\t|", key=head.count)
        rows = list(islice(csv.reader(io.StringIO(text), delimiter=delimiter, strict=True), MOST_PERSONS + 2))
    except (ValueError, csv.Error):
        return Outcome.UNREADABLE
    columns = [column.strip().lower() for column in rows[0]] if rows else []
    if not columns or len(set(columns)) < len(columns) or not set(columns) <= set(KINDS):
        return Outcome.UNKNOWN_COLUMN
    cells = [dict(zip(columns, row, strict=True)) if len(row) == len(columns) else {} for row in rows[1:]]
    return _ask(name.rsplit("/", 1)[-1].partition("-")[0].lower(), None, "nl", cells)


def _ask(right: object, received: object, language: object, rows: Sequence[Mapping[str, str]]) -> Asked | Outcome:
    if right not in [each.value for each in Right]:
        return Outcome.UNKNOWN_RIGHT
    if language not in LANGUAGES:
        return Outcome.BAD_LANGUAGE
    if len(rows) > MOST_PERSONS:
        return Outcome.TOO_MANY_PERSONS
    day = None
    if received is not None:
        try:
            day = date.fromisoformat(str(received))
        except ValueError:
            return Outcome.BAD_DATE
    persons, faults = judge_rows(rows)
    return Asked(Right(str(right)), day, str(language), persons, faults)


def judge_rows(rows: Sequence[Mapping[str, str]]) -> tuple[tuple[Person, ...], tuple[RowFault, ...]]:
    """Rows that name one person each, and the others by reason."""
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
