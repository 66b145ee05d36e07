"""One door to all formats: a local file in, a table of text or one coded refusal out."""

from dataclasses import replace
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory

from sluice.errors import Ref
from sluice.lake.pgp_in import PgpKeys, open_message
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
    pgp: PgpKeys | None = None,
) -> Table | FormatRefusal:
    """The table in a file, every cell as text and unchanged, or why it cannot be told.

    path: local copy; file_name: as delivered, only its extension counts; wanted: what the contract
    says; limits: defaults of security.md section 2; folder: where a packed file is unpacked meanwhile, the
    machine's own for such files by default; pgp: what opens an encrypted one.
    raises FileUnreadable, FormatHintInvalid."""
    limits, wanted = limits or Limits(), wanted or FormatHints()
    try:
        kind = find_kind(path) if path.stat().st_size else None
        if kind is Kind.PGP:
            return _read_encrypted(path, file_name, wanted, limits, folder, pgp)
        if pgp is not None and pgp.must_be_encrypted:
            return FormatRefusal("FORBIDDEN_PGP_NOT_ENCRYPTED", "format.pgp")
        if kind is not None and kind in PACKED:
            return _read_packed(path, kind, file_name, wanted, limits, folder)
        return _read(path, file_name, wanted, limits)
    except OSError as error:
        number = error.errno or 0
    raise FileUnreadable(Ref("errno", number))


def _read_encrypted(
    path: Path, file_name: str, wanted: FormatHints, limits: Limits, folder: Path | None, pgp: PgpKeys | None
) -> Table | FormatRefusal:
    """What is inside is named without the last extension, and may be packed once itself."""
    if pgp is None:
        return FormatRefusal("ARCHIVE_PGP_SEALED", "format.pgp", undecided=True)
    if refusal := refuse_kind(Kind.PGP, file_name, wanted):
        return refusal
    with TemporaryDirectory(dir=folder, prefix="opened-") as inside:
        plain = Path(inside, "file")
        opened = open_message(path, plain, pgp, limits)
        if isinstance(opened, FormatRefusal):
            return opened
        table = read_table(plain, file_name=PurePath(file_name).stem, wanted=wanted, limits=limits, folder=folder)
    if isinstance(table, FormatRefusal):
        is_nested = table.code == "ARCHIVE_PGP_SEALED"
        return FormatRefusal("ARCHIVE_NESTED", "format.archive") if is_nested else table
    container = " ".join(filter(None, (Kind.PGP.value, table.dialect.container)))
    dialect = replace(table.dialect, container=container, encrypted_to=opened.encrypted_to, signed_by=opened.signed_by)
    return replace(table, dialect=dialect)


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
    if kind in PACKED or kind is Kind.PGP:
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
