"""A register as files: CSV and workbook without a live formula, JSON for programs, an accessible PDF."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Any

import polars as pl

from sluice.documents.pdf import make_pdf
from sluice.documents.words import LANGUAGES, words
from sluice.errors import Ref, UsageError
from sluice.lake.write.model import WriteForm
from sluice.lake.write.table import write_table
from sluice.lake.write.xlsx import Sheet, write_sheets
from sluice.registers.columns import REGISTER
from sluice.registers.model import Register
from sluice.registers.page import make_register_page
from sluice.registers.tables import Table, tables_of
from sluice.terms import Sha256
from sluice.times import BRUSSELS, utc_text

FORMS = ("csv", "xlsx", "pdf", "json")
CSV, XLSX = WriteForm("csv", encoding="utf-8-sig"), WriteForm("xlsx")
LONGEST_SHEET = 31
NO_TYPES: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class FileLine:
    """One file of a register. ``rows``: number of rows of the register itself, whichever tab the file holds."""

    path: Path
    language: str
    format: str
    sha256: Sha256
    rows: int


def check_words(option: str, said: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """The words of an option that takes several, without repetition. Raises UsageError for an unknown or no word."""
    if not said or not set(said) <= set(known):
        raise UsageError(Ref("option", option), Ref("one of", ", ".join(known)))
    return tuple(dict.fromkeys(said))


def write_register(
    register: Register, folder: Path, languages: Sequence[str] = LANGUAGES, forms: Sequence[str] = FORMS
) -> tuple[FileLine, ...]:
    """Write a register into a folder, creating it and replacing files. The same content gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    return tuple(line for language in languages for form in forms for line in _write(register, folder, language, form))


def _write(register: Register, folder: Path, language: str, form: str) -> Iterator[FileLine]:
    stem = f"register-{register.article}-{register.at.isoformat()}"
    tables = tables_of(register, language)
    title = words(language).say(f"register.title.{register.article}")
    if form == "csv":
        for table in tables:
            name = stem if table.name == REGISTER else f"{stem}-{table.name}"
            path = folder / f"{name}.{language}.csv"
            write_table(_frame(table), NO_TYPES, CSV, path, title=title)
            yield _line(path, language, form, register)
        return
    path = folder / f"{stem}.{language}.{form}"
    if form == "xlsx":
        write_sheets([_sheet(each) for each in tables], path, title)
    elif form == "pdf":
        path.write_bytes(make_pdf(make_register_page(register, language), _dated(register)))
    else:
        document = json.dumps(document_of(register, language), ensure_ascii=False, indent=1)
        path.write_text(document + "\n", encoding="utf-8")
    yield _line(path, language, form, register)


def _dated(register: Register) -> datetime:
    """The date inside the PDF: that of the register, so that the same register gives the same file."""
    return datetime.combine(register.at, time(12), BRUSSELS)


def _sheet(table: Table) -> Sheet:
    """The tab as a sheet; the headers of columns that the law asks for are red, as in the authority's own workbook."""
    marked = frozenset(label for label, is_marked in zip(table.head, table.marked, strict=True) if is_marked)
    return Sheet(table.word[:LONGEST_SHEET], _frame(table), NO_TYPES, XLSX, marked)


def _frame(table: Table) -> pl.DataFrame:
    columns = {name: [row[place] for row in table.rows] for place, name in enumerate(table.head)}
    return pl.DataFrame(columns, schema=dict.fromkeys(table.head, pl.String))


def _line(path: Path, language: str, form: str, register: Register) -> FileLine:
    digest = Sha256(hashlib.sha256(path.read_bytes()).hexdigest())
    return FileLine(path, language, form, digest, len(register.rows))


def document_of(register: Register, language: str) -> dict[str, Any]:
    """The register for programs, with column keys and with texts in one language."""
    tables = {
        table.name: [dict(zip(table.keys, row, strict=True)) for row in table.rows]
        for table in tables_of(register, language)
    }
    return {
        "article": register.article.value,
        "at": register.at.isoformat(),
        "known_at": utc_text(register.known_at),
        "language": language,
        "center": asdict(register.center.party),
        "exchanges": register.exchanges,
        "open": register.open,
        "rows": tables.pop(REGISTER),
        **tables,
    }
