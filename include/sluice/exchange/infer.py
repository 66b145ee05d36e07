"""A contract skeleton from a file: columns and types guessed, roles and purposes left open."""

from dataclasses import dataclass
from pathlib import Path

from sluice.agreement.guess import has_decimal_comma, profile_columns
from sluice.agreement.infer import ColumnProfile, FileProfile, infer_contract
from sluice.agreement.model import FileRefused, FileUndecided
from sluice.errors import Ref
from sluice.lake.reader import read_table
from sluice.lake.table import FormatRefusal
from sluice.terms import Direction, Flow, Principal


@dataclass(frozen=True, slots=True)
class Skeleton:
    """The YAML of an unfinished contract, and the columns it is about."""

    text: str
    columns: tuple[ColumnProfile, ...]


def skeleton_of(file: Path, principal: str, flow: str, direction: Direction = Direction.INBOUND) -> Skeleton:
    """The contract skeleton of a file. Raises FileRefused or FileUndecided when it is no table."""
    table = read_table(file, file_name=file.name)
    if isinstance(table, FormatRefusal):
        raise (FileUndecided if table.undecided else FileRefused)(Ref("reason", table.code), Ref("count", table.count))
    found, comma = table.dialect, has_decimal_comma(table.frame)
    profile = FileProfile(file.suffix.lower(), found.format, found.delimiter, found.encoding, comma)
    columns = tuple(profile_columns(table.frame, comma))
    return Skeleton(infer_contract(columns, profile, Principal(principal), Flow(flow), direction), columns)
