"""One door to all formats: a local file in, a table of text or one coded refusal out."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from sluice.errors import Ref
from sluice.lake.sniff import Kind, find_kind, refuse_kind
from sluice.lake.table import FileUnreadable, FormatHints, FormatRefusal, Limits, Table
from sluice.lake.unpack import PACKED, unpack


def read_table(
    path: Path,
    *,
    file_name: str,
    wanted: FormatHints | None = None,
    limits: Limits | None = None,
    folder: Path | None = None,
) -> Table | FormatRefusal:
    """The table in a file, every cell as text and unchanged, or why it cannot be told.

    path: local copy; file_name: as delivered, only its extension counts; wanted: what the contract
    says; limits: defaults of security.md section 2; folder: where a packed file is unpacked meanwhile, the
    machine's own for such files by default. raises FileUnreadable, FormatHintInvalid."""
    limits, wanted = limits or Limits(), wanted or FormatHints()
    try:
        if path.stat().st_size and (kind := find_kind(path)) in PACKED:
            return _read_packed(path, kind, file_name, wanted, limits, folder)
        return _read(path, file_name, wanted, limits)
    except OSError as error:
        number = error.errno or 0
    raise FileUnreadable(Ref("errno", number))


def _read_packed(
    path: Path, kind: Kind, file_name: str, wanted: FormatHints, limits: Limits, folder: Path | None
) -> Table | FormatRefusal:
    if refusal := refuse_kind(kind, file_name, wanted):
        return refusal
    with TemporaryDirectory(dir=folder, prefix="unpacked-") as inside:
        found = unpack(path, kind, file_name, Path(inside, "file"), limits)
        if isinstance(found, FormatRefusal):
            return found
        table = _read(found.path, found.file_name, wanted, limits)
    if isinstance(table, FormatRefusal):
        return table
    return replace(table, dialect=replace(table.dialect, container=kind.value))


def _read(path: Path, file_name: str, wanted: FormatHints, limits: Limits) -> Table | FormatRefusal:
    size = path.stat().st_size
    if size > limits.file_bytes:
        return FormatRefusal("LIMIT_FILE_SIZE", "format.limits", count=size)
    if size == 0:
        return FormatRefusal("UNREADABLE_EMPTY_FILE", "format.content")
    kind = find_kind(path)
    if kind in PACKED:
        return FormatRefusal("ARCHIVE_NESTED", "format.archive")
    if refusal := refuse_kind(kind, file_name, wanted):
        return refusal
    if kind is Kind.XLSX:
        from sluice.lake.xlsx_reader import read_xlsx

        return read_xlsx(path, wanted, limits)
    if kind is Kind.JSON:
        from sluice.lake.json_reader import read_json

        return read_json(path, wanted, limits)
    if kind is Kind.PARQUET:
        from sluice.lake.parquet_reader import read_parquet

        return read_parquet(path, wanted, limits)
    from sluice.lake.csv_reader import read_csv

    return read_csv(path, wanted, limits)
