"""One door to all formats: a local file in, a table of text or one coded refusal out."""

from pathlib import Path

from sluice.errors import Ref
from sluice.lake.sniff import Kind, find_kind, refuse_kind
from sluice.lake.table import FileUnreadable, FormatHints, FormatRefusal, Limits, Table


def read_table(
    path: Path, *, file_name: str, wanted: FormatHints | None = None, limits: Limits | None = None
) -> Table | FormatRefusal:
    """The table in a file, every cell as text and unchanged, or why it cannot be told.

    path: local copy; file_name: as delivered, only its extension counts; wanted: what the contract
    says; limits: defaults of security.md section 2. raises FileUnreadable, FormatHintInvalid."""
    limits, wanted = limits or Limits(), wanted or FormatHints()
    try:
        return _read(path, file_name, wanted, limits)
    except OSError as error:
        number = error.errno or 0
    raise FileUnreadable(Ref("errno", number))


def _read(path: Path, file_name: str, wanted: FormatHints, limits: Limits) -> Table | FormatRefusal:
    size = path.stat().st_size
    if size > limits.file_bytes:
        return FormatRefusal("LIMIT_FILE_SIZE", "format.limits", count=size)
    if size == 0:
        return FormatRefusal("UNREADABLE_EMPTY_FILE", "format.content")
    kind = find_kind(path)
    if refusal := refuse_kind(kind, file_name, wanted):
        return refusal
    if kind is Kind.XLSX:
        from sluice.lake.xlsx_reader import read_xlsx

        return read_xlsx(path, wanted, limits)
    if kind is Kind.JSON:
        from sluice.lake.json_reader import read_json

        return read_json(path, wanted, limits)
    from sluice.lake.csv_reader import read_csv

    return read_csv(path, wanted, limits)
