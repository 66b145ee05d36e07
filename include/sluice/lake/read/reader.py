"""The entry point to all formats: reads a local file into a table of text, whole or in parts, or one coded refusal."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import TypeVar

from sluice.errors import Ref
from sluice.lake.read.parts import PART_BYTES, Parts
from sluice.lake.read.pgp_in import PgpKeys, open_message
from sluice.lake.read.sniff import Kind, find_kind, refuse_kind
from sluice.lake.read.unpack import PACKED, unpack
from sluice.lake.table import FileLimits, FormatHints, FormatRefusal, LocalCopyUnreadable, Table

Got = TypeVar("Got")


@dataclass(frozen=True, slots=True)
class _Asked:
    """How a file is to be read."""

    wanted: FormatHints
    limits: FileLimits
    folder: Path | None
    part_bytes: int | None


def read_table(
    path: Path,
    *,
    file_name: str,
    wanted: FormatHints | None = None,
    limits: FileLimits | None = None,
    folder: Path | None = None,
    pgp: PgpKeys | None = None,
) -> Table | FormatRefusal:
    """Read the table in a file, every cell as unchanged text, or say why that is impossible.

    Arguments and errors as for :func:`opened_table`, but the table is read whole."""
    with opened_table(
        path, file_name=file_name, wanted=wanted, limits=limits, folder=folder, pgp=pgp, part_bytes=None
    ) as parts:
        return parts if isinstance(parts, FormatRefusal) else parts.read(0)


@contextmanager
def opened_table(
    path: Path,
    *,
    file_name: str,
    wanted: FormatHints | None = None,
    limits: FileLimits | None = None,
    folder: Path | None = None,
    pgp: PgpKeys | None = None,
    part_bytes: int | None = PART_BYTES,
) -> Iterator[Parts | FormatRefusal]:
    """Yield the table in a file as parts that can be read while the block runs, or the refusal.

    path: local copy; file_name: as delivered, only its extension counts; wanted: what the contract
    says; limits: by default those of :class:`FileLimits`; folder: where a packed file is unpacked
    meanwhile, by default the system's temporary folder; pgp: keys for an encrypted file; part_bytes:
    about how large a part is, None for the whole file in one.
    Raises LocalCopyUnreadable, FormatHintInvalid."""
    asked = _Asked(wanted or FormatHints(), limits or FileLimits(), folder, part_bytes)
    with ExitStack() as inside:
        parts = _coded(lambda: _open(path, file_name, asked, inside, pgp))
        yield parts if isinstance(parts, FormatRefusal) else _coded_parts(parts)


def _coded(read: Callable[[], Got]) -> Got:
    """Call ``read``; an OSError becomes LocalCopyUnreadable with its errno."""
    try:
        return read()
    except OSError as error:
        number = error.errno or 0
    raise LocalCopyUnreadable(Ref("errno", number))


def _coded_parts(parts: Parts) -> Parts:
    return Parts(
        parts.count,
        lambda number: _coded(lambda: parts.read(number)),
        lambda numbers: _coded(lambda: parts.again(numbers)),
    )


def _open(
    path: Path, file_name: str, asked: _Asked, inside: ExitStack, pgp: PgpKeys | None = None
) -> Parts | FormatRefusal:
    kind = find_kind(path) if path.stat().st_size else None
    if kind is Kind.PGP:
        return _open_encrypted(path, file_name, asked, inside, pgp)
    if pgp is not None and pgp.must_be_encrypted:
        return FormatRefusal("FORBIDDEN_PGP_NOT_ENCRYPTED", "format.pgp")
    if kind is not None and kind in PACKED:
        return _open_packed(path, kind, file_name, asked, inside)
    return _open_plain(path, file_name, asked)


def _open_encrypted(
    path: Path, file_name: str, asked: _Asked, inside: ExitStack, pgp: PgpKeys | None
) -> Parts | FormatRefusal:
    """Decrypt and open. The inner file has the name without its last extension, and may itself be packed once."""
    if pgp is None:
        return FormatRefusal("ARCHIVE_PGP_SEALED", "format.pgp", undecided=True)
    if refusal := refuse_kind(Kind.PGP, file_name, asked.wanted):
        return refusal
    plain = Path(inside.enter_context(TemporaryDirectory(dir=asked.folder, prefix="opened-")), "file")
    opened = open_message(path, plain, pgp, asked.limits)
    if isinstance(opened, FormatRefusal):
        return opened
    parts = _open(plain, PurePath(file_name).stem, asked, inside)
    if isinstance(parts, FormatRefusal):
        is_nested = parts.code == "ARCHIVE_PGP_SEALED"
        return FormatRefusal("ARCHIVE_NESTED", "format.archive") if is_nested else parts
    return parts.said(
        lambda dialect: replace(
            dialect,
            container=" ".join(filter(None, (Kind.PGP.value, dialect.container))),
            encrypted_to=opened.encrypted_to,
            signed_by=opened.signed_by,
        )
    )


def _open_packed(path: Path, kind: Kind, file_name: str, asked: _Asked, inside: ExitStack) -> Parts | FormatRefusal:
    if refusal := refuse_kind(kind, file_name, asked.wanted):
        return refusal
    unpacked = Path(inside.enter_context(TemporaryDirectory(dir=asked.folder, prefix="unpacked-")), "file")
    found = unpack(path, kind, file_name, unpacked, asked.limits)
    if isinstance(found, FormatRefusal):
        return found
    parts = _open_plain(found.path, found.file_name, asked)
    return parts if isinstance(parts, FormatRefusal) else parts.said(lambda it: replace(it, container=kind.value))


def _open_plain(path: Path, file_name: str, asked: _Asked) -> Parts | FormatRefusal:
    size = path.stat().st_size
    if size > asked.limits.file_bytes:
        return FormatRefusal("LIMIT_FILE_SIZE", "format.limits", count=size)
    if size == 0:
        return FormatRefusal("UNREADABLE_EMPTY_FILE", "format.content")
    kind = find_kind(path)
    if kind in PACKED or kind is Kind.PGP:
        return FormatRefusal("ARCHIVE_NESTED", "format.archive")
    if refusal := refuse_kind(kind, file_name, asked.wanted):
        return refusal
    if kind is Kind.CSV:
        from sluice.lake.read.csv_reader import open_csv

        return open_csv(path, asked.wanted, asked.limits, folder=asked.folder, part_bytes=asked.part_bytes)
    table = _read_whole(path, kind, asked.wanted, asked.limits)
    return table if isinstance(table, FormatRefusal) else Parts.of(table, asked.part_bytes)


def _read_whole(path: Path, kind: Kind, wanted: FormatHints, limits: FileLimits) -> Table | FormatRefusal:
    if kind is Kind.XLSX:
        from sluice.lake.xlsx.reader import read_xlsx

        return read_xlsx(path, wanted, limits)
    if kind is Kind.JSON:
        from sluice.lake.read.json_reader import read_json

        return read_json(path, wanted, limits)
    from sluice.lake.read.parquet_reader import read_parquet

    return read_parquet(path, wanted, limits)
