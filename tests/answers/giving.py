"""Answers of a test: a person asks, who decides agrees, and the package is read back as its person reads it."""

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from rights.town import DESK, Town, open_town
from sluice.answers.keep import opened
from sluice.answers.link import Opened, check_words, take_out
from sluice.answers.make import PackageWish, make
from sluice.answers.model import AnswerKind, Made
from sluice.exchange.house import House
from sluice.rights.case.model import CaseId
from sluice.terms import Principal
from support.copies import Copies
from support.night import AGREEMENT, Edit

WE_GIVE = Edit(AGREEMENT, "A15: false", "A15: true")
WE_EXPORT = Edit(AGREEMENT, "A20: false", "A20: true")
PRINCIPALS = [Principal("energy01"), Principal("solar01")]


@contextmanager
def copied_town(copies: Copies, plant: Callable[..., None], folder: Path, edits: Sequence[Edit]) -> Iterator[Town]:
    """A copy of a town of four people at two principals, as ``plant`` filled it under these papers."""
    with copies.of(plant, folder, *edits) as settings, open_town(settings, folder, PRINCIPALS, 4) as opened:
        yield opened


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
