"""What a file is by its bytes, never by its name; the name may only contradict.

Reads the first and the last kilobytes. Zip containers are told apart by their list of parts.
"""

import re
import zipfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePath

from sluice.lake.table import FormatHints, FormatRefusal

_RULE = "format.content"
_HEAD = 8192


class Kind(StrEnum):
    """Formats that can be told apart by content; CSV, XLSX, JSON and Parquet are read, also in gzip or zip."""

    CSV = "csv"
    XLSX = "xlsx"
    XLS = "xls"
    XLSB = "xlsb"
    ODS = "ods"
    JSON = "json"
    PARQUET = "parquet"
    GZIP = "gzip"
    ZIP = "zip"
    ARCHIVE = "archive"
    PGP = "pgp"
    PDF = "pdf"
    MARKUP = "markup"
    BINARY = "binary"
    ENCRYPTED = "encrypted workbook"


@dataclass(frozen=True, slots=True)
class _Magic:
    start: bytes
    kind: Kind


_MAGIC = (
    _Magic(b"PAR1", Kind.PARQUET),
    _Magic(b"\x1f\x8b", Kind.GZIP),
    _Magic(b"%PDF-", Kind.PDF),
    _Magic(b"-----BEGIN PGP ", Kind.PGP),
    _Magic(b"BZh", Kind.ARCHIVE),
    _Magic(b"\xfd7zXZ\x00", Kind.ARCHIVE),
    _Magic(b"7z\xbc\xaf\x27\x1c", Kind.ARCHIVE),
    _Magic(b"Rar!\x1a\x07", Kind.ARCHIVE),
    _Magic(b"\x28\xb5\x2f\xfd", Kind.ARCHIVE),
    _Magic(b"\x7fELF", Kind.BINARY),
    _Magic(b"\x89PNG", Kind.BINARY),
    _Magic(b"\xff\xd8\xff", Kind.BINARY),
    _Magic(b"GIF8", Kind.BINARY),
)

_NAMED = {
    ".csv": Kind.CSV,
    ".tsv": Kind.CSV,
    ".tab": Kind.CSV,
    ".psv": Kind.CSV,
    ".txt": Kind.CSV,
    ".xlsx": Kind.XLSX,
    ".xlsm": Kind.XLSX,
    ".xls": Kind.XLS,
    ".xlsb": Kind.XLSB,
    ".ods": Kind.ODS,
    ".json": Kind.JSON,
    ".ndjson": Kind.JSON,
    ".jsonl": Kind.JSON,
    ".parquet": Kind.PARQUET,
    ".gz": Kind.GZIP,
    ".zip": Kind.ZIP,
    ".pgp": Kind.PGP,
    ".gpg": Kind.PGP,
    ".pdf": Kind.PDF,
}

_JSON_START = re.compile(rb"(\[\s*)?\{\s*\"")
"""JSON that may be cut off: no table begins so."""

_AGREED = {
    "tsv": "csv",
    "txt": "csv",
    "text": "csv",
    "delimited": "csv",
    "excel": "xlsx",
    "ndjson": "json",
    "jsonl": "json",
}
"""Other words of contracts for the formats that are read."""

_REFUSED = {
    Kind.XLS: "WRONG_FORMAT_XLS",
    Kind.XLSB: "WRONG_FORMAT_XLSB",
    Kind.ODS: "WRONG_FORMAT_ODS",
    Kind.ARCHIVE: "WRONG_FORMAT_ARCHIVE",
    Kind.PGP: "WRONG_FORMAT_NOT_YET_PGP",
    Kind.PDF: "WRONG_FORMAT_PDF",
    Kind.MARKUP: "WRONG_FORMAT_MARKUP",
    Kind.BINARY: "WRONG_FORMAT_BINARY",
    Kind.ENCRYPTED: "ARCHIVE_ENCRYPTED",
}


def find_kind(path: Path) -> Kind:
    """The format of a non-empty file. Text that is nothing else is ``CSV``."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
        file.seek(max(0, path.stat().st_size - 1024))
        tail = file.read()
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_kind(path, head)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _ole_kind(path)
    for magic in _MAGIC:
        if head.startswith(magic.start):
            return magic.kind
    return _text_kind(head, tail)


def refuse_kind(kind: Kind, file_name: str, wanted: FormatHints) -> FormatRefusal | None:
    """None for a format that is read and that name and contract agree with, and for what is packed."""
    named = _NAMED.get(PurePath(file_name).suffix.lower())
    if kind is Kind.ENCRYPTED:
        return FormatRefusal("ARCHIVE_ENCRYPTED", _RULE)
    if named is not None and named is not kind:
        return FormatRefusal("WRONG_FORMAT_NAME", _RULE, readings=(named.value, kind.value))
    if kind in _REFUSED:
        return FormatRefusal(_REFUSED[kind], _RULE)
    is_packed = kind in (Kind.GZIP, Kind.ZIP)
    if (
        wanted.format is not None
        and not is_packed
        and _AGREED.get(wanted.format.lower(), wanted.format.lower()) != kind
    ):
        return FormatRefusal("WRONG_FORMAT_NOT_AS_AGREED", _RULE, readings=(wanted.format.lower(), kind.value))
    return None


def _zip_kind(path: Path, head: bytes) -> Kind:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return Kind.XLSX if b"xl/" in head or b"[Content_Types].xml" in head else Kind.ZIP  # whose reader says why
    if "xl/workbook.bin" in names:
        return Kind.XLSB
    if "mimetype" in names:
        return Kind.ODS
    if "[Content_Types].xml" in names and any(name.startswith("xl/") for name in names):
        return Kind.XLSX
    return Kind.ZIP


def _ole_kind(path: Path) -> Kind:
    with path.open("rb") as file:
        start = file.read(1024 * 1024)
    return Kind.ENCRYPTED if "EncryptedPackage".encode("utf-16-le") in start else Kind.XLS


def _text_kind(head: bytes, tail: bytes) -> Kind:
    start, end = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:64].lower(), tail.rstrip()[-1:]
    if (start[:1], end) in {(b"{", b"}"), (b"[", b"]")} or _JSON_START.match(start):
        return Kind.JSON
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<table", b"<workbook")):
        return Kind.MARKUP
    if head[:1] >= b"\x80" and _is_binary(head):
        return Kind.BINARY
    return Kind.CSV


def _is_binary(head: bytes) -> bool:
    """Many control characters and no UTF-16 mark: an OpenPGP packet, an image, a database page."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False
    odd = sum(0 < byte < 9 or 13 < byte < 32 for byte in head)
    return odd > len(head) * 0.05
