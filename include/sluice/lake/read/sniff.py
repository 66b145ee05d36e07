"""Recognise a file's format by its bytes, never by its name; a name can only contradict the bytes.

Reads the first and the last kilobytes. Zip containers are told apart by their list of parts.
"""

import base64
import mmap
import re
import zipfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePath

from sluice.lake.table import FormatHints, FormatRefusal

_RULE = "format.content"
_HEAD = 8192


class Kind(StrEnum):
    """Formats told apart by content. CSV, XLSX, JSON and Parquet are read, also inside gzip, zip or OpenPGP."""

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
    ".asc": Kind.PGP,
    ".pdf": Kind.PDF,
}

_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_JSON_START = re.compile(rb"(\[\s*)?\{\s*\"")
"""The beginning of JSON, which may be cut off at its end. No table begins like this."""

_ARMOUR = b"-----BEGIN PGP MESSAGE-----"
_ARMOURED = re.compile(_ARMOUR + rb"[ \t]*\r?\n(?:[^\r\n:]+: [^\r\n]*\r?\n)*[ \t]*\r?\n([A-Za-z0-9+/]{16})")
_TO_ITS_END = re.compile(rb"[A-Za-z0-9+/=\s]*+-----END PGP MESSAGE-----\s*+\Z")
_ENCRYPTED_PACKETS = {1: (3, 6), 3: (4, 5, 6), 18: (1, 2)}
"""Tag -> versions of the packets that begin an encrypted message: session keys, and encrypted data itself."""

_AGREED = {
    "tsv": "csv",
    "txt": "csv",
    "text": "csv",
    "delimited": "csv",
    "excel": "xlsx",
    "ndjson": "json",
    "jsonl": "json",
}
"""Other names that contracts use for the formats that are read."""

_REFUSED = {
    Kind.XLS: "WRONG_FORMAT_XLS",
    Kind.XLSB: "WRONG_FORMAT_XLSB",
    Kind.ODS: "WRONG_FORMAT_ODS",
    Kind.ARCHIVE: "WRONG_FORMAT_ARCHIVE",
    Kind.PDF: "WRONG_FORMAT_PDF",
    Kind.MARKUP: "WRONG_FORMAT_MARKUP",
    Kind.BINARY: "WRONG_FORMAT_BINARY",
    Kind.ENCRYPTED: "ARCHIVE_ENCRYPTED",
}


def find_kind(path: Path) -> Kind:
    """The format of a non-empty file. Any other text counts as ``CSV``."""
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
    """Refuse a format that is not read, or that file name or contract contradict; None when all is well.

    For a packed file the contract's format is not compared: it is that of the file inside."""
    named = _NAMED.get(PurePath(file_name).suffix.lower())
    if kind is Kind.ENCRYPTED:
        return FormatRefusal("ARCHIVE_ENCRYPTED", _RULE)
    if named is not None and named is not kind:
        return FormatRefusal("WRONG_FORMAT_NAME", _RULE, readings=(named.value, kind.value))
    if kind in _REFUSED:
        return FormatRefusal(_REFUSED[kind], _RULE)
    is_packed = kind in (Kind.GZIP, Kind.ZIP, Kind.PGP)
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
        return Kind.XLSX if b"xl/" in head or b"[Content_Types].xml" in head else Kind.ZIP  # its reader says why
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
    shown, last = head.removeprefix(b"\xef\xbb\xbf"), tail
    if head.startswith(_UTF16):
        shown, last = (part.replace(b"\0", b"") for part in (head[2:], tail))
    start, end = shown.lstrip()[:64].lower(), last.rstrip()[-1:]
    if (start[:1], end) in {(b"{", b"}"), (b"[", b"]")} or _JSON_START.match(start):
        return Kind.JSON
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<table", b"<workbook")):
        return Kind.MARKUP
    if head[:1] >= b"\x80" and _is_binary(head):
        return Kind.PGP if _is_openpgp(head) else Kind.BINARY
    return Kind.CSV


def begins_encrypted(path: Path) -> bool:
    """Whether an OpenPGP message, armoured or not, is encrypted. A message that is only signed is readable by all."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(_ARMOUR):
        found = _ARMOURED.match(head)
        head = base64.b64decode(found[1]) if found else b""
    return _is_openpgp(head)


def has_more_than_armour(path: Path) -> bool:
    """Whether anything but white space follows the first armoured block, beyond which the library reads nothing."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        if whole[: len(_ARMOUR)] != _ARMOUR:
            return False
        begins = _ARMOURED.match(whole)
        return begins is None or _TO_ITS_END.match(whole, begins.end()) is None


def _is_openpgp(head: bytes) -> bool:
    """Whether the first packet is a session key or encrypted data (RFC 9580, 4.2 and 10.3): tag, length, version."""
    if len(head) < 8 or not head[0] & 0x80:
        return False
    if head[0] & 0x40:
        tag, skip = head[0] & 0x3F, 6 if head[1] == 255 else 3 if 192 <= head[1] < 224 else 2
    else:
        tag, skip = head[0] >> 2 & 15, (2, 3, 5, 1)[head[0] & 3]
    return head[skip] in _ENCRYPTED_PACKETS.get(tag, ())


def _is_binary(head: bytes) -> bool:
    """Many control characters and no UTF-16 mark: an OpenPGP packet, an image, a database page."""
    if head.startswith(_UTF16):
        return False
    odd = sum(0 < byte < 9 or 13 < byte < 32 for byte in head)
    return odd > len(head) * 0.05
