"""The files of a package: tables as CSV, JSON and workbook, their hashes, and the package as one archive.

Everything that an archive is made of is a function of its content: the same data and moment give the same bytes.
"""

import hashlib
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import polars as pl

from sluice.answers.model import FileLine
from sluice.lake.write_model import WriteForm, Written
from sluice.lake.write_table import write_table
from sluice.lake.write_xlsx import Sheet, write_sheets
from sluice.rights.clock import BRUSSELS
from sluice.terms import Sha256

CSV, JSON, XLSX = WriteForm("csv"), WriteForm("json"), WriteForm("xlsx")
SUMS = "SHA256SUMS"
LONGEST_SHEET = 31
NOTHING: Mapping[str, str] = {}


@dataclass
class Drafting:
    """A package while it is written: a folder, and how many rows each table of it has."""

    folder: Path
    rows: dict[str, int] = field(default_factory=dict)

    def path(self, name: str) -> Path:
        """Where a file goes; its folder is there."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return path

    def table(
        self, name: str, frame: pl.DataFrame, form: WriteForm, types: Mapping[str, str] = NOTHING, title: str = ""
    ) -> Written:
        """A table in one file."""
        self.rows[name] = frame.height
        return write_table(frame, types, form, self.path(name), title=title)

    def workbook(self, name: str, sheets: Sequence[tuple[str, pl.DataFrame, Mapping[str, str]]], title: str) -> None:
        """A workbook, one table a sheet: every cell text or a real date, no formula."""
        self.rows[name] = sum(frame.height for _, frame, _ in sheets)
        made = [Sheet(word[:LONGEST_SHEET], frame, types, XLSX) for word, frame, types in sheets]
        write_sheets(made, self.path(name), title)

    def bytes(self, name: str, content: bytes) -> None:
        self.path(name).write_bytes(content)

    def finish(self) -> tuple[FileLine, ...]:
        """Every file with its hash; the last thing that is written is the list of them."""
        lines = tuple(self._lines())
        sums = "".join(f"{line.sha256}  {line.path}\n" for line in lines)
        self.bytes(SUMS, sums.encode())
        content = sums.encode()
        return (*lines, FileLine(SUMS, Sha256(hashlib.sha256(content).hexdigest()), len(content), None))

    def lines(self) -> tuple[FileLine, ...]:
        """The files so far."""
        return tuple(self._lines())

    def _lines(self) -> Iterable[FileLine]:
        for path in sorted(each for each in self.folder.rglob("*") if each.is_file()):
            name = path.relative_to(self.folder).as_posix()
            content = path.read_bytes()
            digest = Sha256(hashlib.sha256(content).hexdigest())
            yield FileLine(name, digest, len(content), self.rows.get(name))


def pack(folder: Path, target: Path, made_at: datetime) -> None:
    """The folder as one archive, its files in order and dated with the moment it was made."""
    stamp = made_at.astimezone(BRUSSELS).timetuple()[:6]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            info = zipfile.ZipInfo(path.relative_to(folder).as_posix(), stamp)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            archive.writestr(info, path.read_bytes())


def unpack(archive: Path, target: Path) -> None:
    """The archive as a folder that only its owner reads. ``target`` does not exist yet."""
    target.mkdir(mode=0o700, parents=True)
    with zipfile.ZipFile(archive) as packed:
        for info in packed.infolist():
            path = target / info.filename
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)
            path.write_bytes(packed.read(info))
