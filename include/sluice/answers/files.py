"""The files of a package: tables as CSV, JSON and workbook, their hashes, and the package as one archive.

An archive depends on its content only: the same data and moment give the same bytes.
"""

import hashlib
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import polars as pl

from sluice.answers.model import FileLine
from sluice.documents.words import words
from sluice.lake.write.model import WriteForm, Written
from sluice.lake.write.table import write_table
from sluice.lake.write.xlsx import MOST_CHARACTERS, MOST_ROWS, Sheet, write_sheets
from sluice.terms import Sha256
from sluice.times import BRUSSELS

CSV, JSON, XLSX = WriteForm("csv"), WriteForm("json"), WriteForm("xlsx")
SUMS = "SHA256SUMS"
LONGEST_SHEET = 31
NOTHING: Mapping[str, str] = {}


@dataclass
class Drafting:
    """A package while it is written: a folder, and how many rows each table of it has. ``language``: of its reader."""

    folder: Path
    language: str
    rows: dict[str, int] = field(default_factory=dict)
    cut: dict[str, int] = field(default_factory=dict)
    """By table, how many cells and rows its sheet cannot hold whole."""

    def path(self, name: str) -> Path:
        """Return where a file goes, and make its folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return path

    def table(self, name: str, frame: pl.DataFrame, form: WriteForm, types: Mapping[str, str] = NOTHING) -> Written:
        """Write a table to one file."""
        self.rows[name] = frame.height
        return write_table(frame, types, form, self.path(name), title="")

    def workbook(self, name: str, sheets: Sequence[tuple[str, pl.DataFrame, Mapping[str, str]]], title: str) -> None:
        """Write a workbook, one table a sheet; every cell is text or a real date, never a formula.

        What is longer than a cell or a sheet is cut, and a note there says which file of the package has it whole.
        """
        made = [
            Sheet(word[:LONGEST_SHEET], self._fitting(word, frame, types), types, XLSX) for word, frame, types in sheets
        ]
        self.rows[name] = sum(sheet.frame.height for sheet in made)
        write_sheets(made, self.path(name), title)

    def _fitting(self, table: str, frame: pl.DataFrame, types: Mapping[str, str]) -> pl.DataFrame:
        """Return as much of a table as a sheet holds."""
        long = {name: is_long for name in frame.columns if (is_long := _is_long(frame[name])).any()}
        more = frame.height - MOST_ROWS + 1 if frame.height > MOST_ROWS else 0
        if not long and not more:
            return frame
        self.cut[table] = sum(int(is_long.sum()) for is_long in long.values()) + more
        say, whole = words(self.language), self._whole(table, frame, types)
        mark = say.say("answer.cut.cell", file=whole)
        short = frame.with_columns(_cut(frame[name], is_long, mark) for name, is_long in long.items())
        if not more:
            return short
        left = say.count("answer.cut.rows", more, rows=say.number(more), file=whole)
        return pl.concat([short.head(frame.height - more), pl.DataFrame({frame.columns[0]: [left]})], how="diagonal")

    def _whole(self, table: str, frame: pl.DataFrame, types: Mapping[str, str]) -> str:
        """Return the file that has all of a table; it is made now if only a workbook was asked for."""
        names = [f"data/{table}.csv", f"data/{table}.json"]
        if not any(name in self.rows for name in names):
            self.table(names[-1], frame, JSON, types)
        return next(name for name in names if name in self.rows)

    def bytes(self, name: str, content: bytes) -> None:
        self.path(name).write_bytes(content)

    def finish(self) -> tuple[FileLine, ...]:
        """Write the list of hashes, as the last file, and return every file with its hash."""
        lines = tuple(self._lines())
        sums = "".join(f"{line.sha256}  {line.path}\n" for line in lines)
        self.bytes(SUMS, sums.encode())
        content = sums.encode()
        return (*lines, FileLine(SUMS, Sha256(hashlib.sha256(content).hexdigest()), len(content), None))

    def lines(self) -> tuple[FileLine, ...]:
        """Return the files so far."""
        return tuple(self._lines())

    def _lines(self) -> Iterable[FileLine]:
        for path in sorted(each for each in self.folder.rglob("*") if each.is_file()):
            name = path.relative_to(self.folder).as_posix()
            content = path.read_bytes()
            digest = Sha256(hashlib.sha256(content).hexdigest())
            yield FileLine(name, digest, len(content), self.rows.get(name))


def _is_long(cells: pl.Series) -> pl.Series:
    """Tell which cells a sheet cannot hold: as Excel counts, a character outside the basic plane is two."""
    is_near = (cells.str.len_chars() * 2 > MOST_CHARACTERS).fill_null(False)
    if not is_near.any():
        return is_near
    return pl.Series([near and _units(cell) > MOST_CHARACTERS for near, cell in zip(is_near, cells, strict=True)])


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _cut(cells: pl.Series, is_long: pl.Series, mark: str) -> pl.Series:
    """Cut the long cells to what there is room for beside the mark."""
    room = 2 * (MOST_CHARACTERS - _units(mark))
    told = [
        cell.encode("utf-16-le")[:room].decode("utf-16-le", "ignore") + mark if cut else cell
        for cell, cut in zip(cells, is_long, strict=True)
    ]
    return pl.Series(cells.name, told, dtype=pl.String)


def pack(folder: Path, target: Path, made_at: datetime) -> None:
    """Pack the folder into one archive, its files in order and dated with the moment it was made."""
    stamp = made_at.astimezone(BRUSSELS).timetuple()[:6]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            info = zipfile.ZipInfo(path.relative_to(folder).as_posix(), stamp)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            archive.writestr(info, path.read_bytes())
