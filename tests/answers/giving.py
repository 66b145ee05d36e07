"""Answers of a test: a person asks, who decides agrees, and the package is read back as its person reads it."""

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from rights.town import DESK, Town
from sluice.answers.keep import opened, remove_due
from sluice.answers.link import Opened, check_words, take_out
from sluice.answers.make import PackageWish, make
from sluice.answers.model import AnswerKind, Made
from sluice.exchange.house import House
from sluice.rights.case.model import CaseId
from support.night import AGREEMENT, Edit

WE_GIVE = Edit(AGREEMENT, "A15: false", "A15: true")
WE_EXPORT = Edit(AGREEMENT, "A20: false", "A20: true")


def streets_of(whole: Town, size: int, after: int = 0) -> Iterator[Town]:
    """The town with other people each time, so that every test of a module has its own; ``after`` so many streets."""
    for first in range(after * size, len(whole.people), size):
        yield replace(whole, people=whole.people[first : first + size])
    raise AssertionError("more tests than streets")


def clear(town: Town) -> None:
    """What a test left is over: no case is open, no package is there."""
    for table in ("sub_case", "subject_case"):
        town.house.conn.execute(f"update {table} set state = 'CLOSED' where state <> 'CLOSED'".encode())
    remove_due(town.house, now() + timedelta(days=2_000))


def street_fixtures(size: int, after: int = 0) -> tuple[Any, Any]:
    """Fixtures of a module that has a ``whole`` town: ``streets`` of so many people, and the ``town`` of one test."""

    @pytest.fixture(scope="module")
    def streets(whole: Town) -> Iterator[Town]:
        return streets_of(whole, size, after)

    @pytest.fixture
    def town(streets: Iterator[Town]) -> Iterator[Town]:
        town = next(streets)
        yield town
        clear(town)

    return streets, town


@dataclass(frozen=True)
class Package:
    """A package in memory, by path."""

    files: Mapping[str, bytes]

    def json(self, name: str) -> Any:
        return json.loads(self.files[name])

    def rows(self, name: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.files[name].decode(), newline="")))

    def table(self, name: str) -> pl.DataFrame:
        return pl.read_csv(self.files[name], infer_schema=False)

    @property
    def text(self) -> str:
        """Every table and document as one text."""
        return "\n".join(
            content.decode() for name, content in self.files.items() if name.endswith((".csv", ".json", ".txt"))
        )


def now() -> datetime:
    return datetime.now(UTC)


def give(house: House, case_id: CaseId, kind: AnswerKind = AnswerKind.ACCESS, wish: PackageWish | None = None) -> Made:
    return make(house, case_id, kind, now(), DESK, wish)


def taken(house: House, token: str, code: str, at: datetime) -> Opened:
    """The package that a link gives to whoever has the token and the second word."""
    return take_out(house, token, check_words(house.conn, token, code, at), at)


def read(house: House, made: Made) -> Package:
    """Read the package out of the vault."""
    with opened(house, made.answer) as packed, zipfile.ZipFile(packed) as archive:
        return Package({name: archive.read(name) for name in archive.namelist()})


def folder_of(path: Path) -> Package:
    """Read a package that was written into a folder in clear."""
    return Package({each.relative_to(path).as_posix(): each.read_bytes() for each in path.rglob("*") if each.is_file()})


def cells_of(town: Town, number: int) -> Mapping[str, str]:
    """The cells of a person's row in a file of contacts."""
    return dict(zip(town.head.split(";")[1:], town.people[number].line.split(";"), strict=True))
