"""Infer a contract skeleton from a file, columns and types guessed; and tell where a file differs from its contract."""

from dataclasses import dataclass
from pathlib import Path

from sluice.agreement.contract.columns import columns
from sluice.agreement.contract.drift import Drift, find_drift, is_header
from sluice.agreement.contract.guess import has_decimal_comma, profile_columns
from sluice.agreement.contract.infer import ColumnProfile, FileProfile, infer_contract
from sluice.agreement.document import Document, make_problem, read_document
from sluice.agreement.errors import FileRefused, FileUndecided, PaperInvalid
from sluice.agreement.folder.build import build_file_format
from sluice.errors import Ref, may_be_a_value
from sluice.lake.read.reader import read_table
from sluice.lake.table import FormatHints, FormatRefusal, Table
from sluice.terms import Direction, Flow, Principal

LONG_NUMBER = 6
"""With this many digits or more, a name without a letter may be a telephone number or a date, rather than a year."""


@dataclass(frozen=True, slots=True)
class Skeleton:
    """The YAML of an unfinished contract, and the columns it is about."""

    text: str
    columns: tuple[ColumnProfile, ...]


def skeleton_of(file: Path, principal: str, flow: str, direction: Direction = Direction.INBOUND) -> Skeleton:
    """The contract skeleton of a file. Raises FileRefused or FileUndecided when it is no table, or has no header."""
    table = _table(file, FormatHints())
    if likely := sum(map(_is_of_a_person, table.frame.columns)):
        raise FileUndecided(Ref("reason", "HEADER_LOOKS_LIKE_DATA"), Ref("count", likely))
    found = table.dialect
    comma = has_decimal_comma(table.frame, found.format)
    profile = FileProfile(file.suffix.lower(), found.format, found.delimiter, found.encoding, comma)
    columns = tuple(profile_columns(table.frame, comma))
    return Skeleton(infer_contract(columns, profile, Principal(principal), Flow(flow), direction), columns)


def drift_of(contract: Path, file: Path) -> tuple[Drift, ...]:
    """Return how the columns of a file differ from what its contract says.

    Raises PaperInvalid for anything but a contract with one server; FileRefused or FileUndecided for a file that is no
    table, or whose header is not that of this contract: its names may then be a person's.
    """
    document = read_document(contract)
    if not document.is_contract or len(document.root["servers"].entries) != 1 or not columns(document):
        raise PaperInvalid(make_problem(str(contract), 1, "CON-007" if not document.is_contract else "CON-030", ""))
    hints = _hints(document)
    table = _table(file, hints)
    own = table.frame.drop(table.absent)
    if not is_header(document, own.columns):
        raise FileRefused(Ref("reason", "HEADER_LOOKS_LIKE_DATA"), Ref("count", own.width))
    return find_drift(document, profile_columns(own, hints.decimal_comma))


def _is_of_a_person(name: str) -> bool:
    """Whether a name has an at sign or many digits: no contract says yet that it is a column, and names are printed."""
    return may_be_a_value(name) and ("@" in name or sum(map(str.isdigit, name)) >= LONG_NUMBER)


def _hints(document: Document) -> FormatHints:
    form = build_file_format(document)
    names = tuple(str(each["name"].value) for each in columns(document))
    return FormatHints(form.format, form.delimiter, form.encoding, form.sheet, names, form.decimal_comma)


def _table(file: Path, hints: FormatHints) -> Table:
    table = read_table(file, file_name=file.name, wanted=hints)
    if isinstance(table, FormatRefusal):
        raise (FileUndecided if table.undecided else FileRefused)(Ref("reason", table.code), Ref("count", table.count))
    return table
