"""The zip container of a workbook, checked before anything in it is trusted.

zipfile accepts what spreadsheets never write: overlapping parts, two parts of one name, zip bombs.
All of that is refused by looking at the directory alone. Parts are then read whole, each within its
declared size.
"""

import re
import zipfile
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

from isal import isal_zlib

from sluice.lake.table import FileLimits, FormatRefusal

_RULE = "format.package"
_SMALL = 1024 * 1024
"""Up to this inflated size a high ratio is not a zip bomb: empty styled sheets compress 200 times."""

_ENCODING = re.compile(rb"""\s*<\?xml[^>]*?\sencoding\s*=\s*["']([\w.-]+)["']""")
_UTF8 = (b"utf-8", b"us-ascii", b"ascii")

_ACTIVE = (
    ("vbaproject", "ACTIVE_MACRO"),
    ("xl/macrosheets/", "ACTIVE_MACRO"),
    ("xl/dialogsheets/", "ACTIVE_MACRO"),
    ("customui/", "ACTIVE_MACRO"),
    ("xl/externallinks/", "ACTIVE_EXTERNAL_LINK"),
    ("xl/connections.xml", "ACTIVE_CONNECTION"),
    ("xl/querytables/", "ACTIVE_CONNECTION"),
    ("xl/model/", "ACTIVE_CONNECTION"),
    ("xl/embeddings/", "ACTIVE_EMBEDDED_OBJECT"),
    ("xl/activex/", "ACTIVE_EMBEDDED_OBJECT"),
    ("xl/ctrlprops/", "ACTIVE_EMBEDDED_OBJECT"),
)


class XmlRefused(Exception):
    """A part declares a document type, or is not well-formed; ``code`` says which."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, eq=False)
class Package:
    """An open workbook container whose directory passed the checks."""

    archive: zipfile.ZipFile

    def names(self) -> list[str]:
        """The names of the parts, as the directory spells them."""
        return self.archive.namelist()

    def read(self, name: str) -> bytes:
        """Read one part. Raises XmlRefused when it is absent, damaged or not as long as declared."""
        try:
            return self._read(self.archive.getinfo(name))
        except (zipfile.BadZipFile, KeyError, EOFError, NotImplementedError, RuntimeError):
            pass
        raise XmlRefused("UNREADABLE_ARCHIVE")

    def _read(self, part: zipfile.ZipInfo) -> bytes:
        """Read a part as one block of its declared size; zipfile would inflate it in many blocks and copy it twice."""
        if part.compress_type == zipfile.ZIP_STORED:
            return self.archive.read(part)
        stored = copy(part)
        stored.compress_type, stored.file_size = zipfile.ZIP_STORED, part.compress_size
        stored.CRC = None  # type: ignore[assignment]
        content = _inflated(self.archive.read(stored), part.file_size)
        if isal_zlib.crc32(content) != part.CRC:
            raise zipfile.BadZipFile
        return content


def _inflated(packed: bytes, size: int) -> bytes:
    """Inflate a deflate stream of exactly ``size`` bytes; at most one byte more is produced. Raises BadZipFile."""
    machine = isal_zlib.decompressobj(-isal_zlib.MAX_WBITS)
    try:
        content = machine.decompress(packed, size + 1)
    except isal_zlib.error:  # type: ignore[misc]  # its types say that it is an instance
        pass
    else:
        if len(content) == size and machine.eof and not machine.unused_data:
            return content
    raise zipfile.BadZipFile


def open_package(path: Path, limits: FileLimits) -> Package | FormatRefusal:
    """Open the container, or refuse it for the first thing wrong with its directory."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return FormatRefusal("UNREADABLE_ARCHIVE", _RULE)
    code = _wrong_with(archive.infolist(), path.stat().st_size, limits)
    if code is None:
        return Package(archive)
    archive.close()
    return FormatRefusal(code, _RULE)


def _wrong_with(parts: list[zipfile.ZipInfo], size: int, limits: FileLimits) -> str | None:
    if len(parts) > limits.archive_entries:
        return "ARCHIVE_ENTRIES"
    if any(part.flag_bits & 0x1 for part in parts):
        return "ARCHIVE_ENCRYPTED"
    if any(part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for part in parts):
        return "ARCHIVE_METHOD"
    names = [part.filename.lower() for part in parts]
    if len(set(names)) < len(names):
        return "ARCHIVE_DUPLICATE_NAME"
    if any(name.startswith("/") or "\\" in name or ".." in name.split("/") for name in names):
        return "ARCHIVE_NAME"
    if _overlaps(parts, size):
        return "ARCHIVE_OVERLAP"
    if _expands(parts, limits):
        return "ARCHIVE_RATIO"
    return next((code for mark, code in _ACTIVE if any(mark in name for name in names)), None)


def _overlaps(parts: list[zipfile.ZipInfo], size: int) -> bool:
    end = 0
    for part in sorted(parts, key=lambda part: part.header_offset):
        if part.header_offset < end or part.header_offset + part.compress_size > size:
            return True
        end = part.header_offset + 30 + len(part.orig_filename.encode()) + part.compress_size
    return False


def _expands(parts: list[zipfile.ZipInfo], limits: FileLimits) -> bool:
    total = sum(part.file_size for part in parts)
    packed = sum(part.compress_size for part in parts)
    if total > limits.file_bytes or (total > _SMALL and total > packed * limits.archive_ratio):
        return True
    return any(part.file_size > max(_SMALL, part.compress_size * limits.archive_ratio) for part in parts)


def check_unused_parts(package: Package, used: set[str]) -> None:
    """Check that the XML parts that are not read otherwise have no document type. Raises XmlRefused."""
    for name in package.names():
        if name not in used and name.lower().endswith((".xml", ".rels", ".vml")):
            content = package.read(name)
            if b"<!DOCTYPE" in content or b"<!ENTITY" in content or "<!DOCTYPE".encode("utf-16-le") in content:
                raise XmlRefused("ACTIVE_ENTITY")


def parse_xml(content: bytes, parser: expat.XMLParserType) -> None:
    """Run a parser whose handlers are set, refusing document types. Raises XmlRefused."""

    def refuse(*_: object) -> None:
        raise XmlRefused("ACTIVE_ENTITY")

    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, LookupError, ValueError):  # an encoding that does not exist
        pass
    else:
        return
    raise XmlRefused("UNREADABLE_XML")


def is_utf16(content: bytes) -> bool:
    """Whether XML is in two-byte units: then a zero byte stands next to ``<``, within the first four bytes."""
    return b"\0" in content[:4]


def is_utf8(content: bytes) -> bool:
    """Whether XML is declared to be UTF-8, or is so by default. Only then may its bytes be searched as text."""
    declared = _ENCODING.match(content.removeprefix(b"\xef\xbb\xbf"))
    return not is_utf16(content) and (declared is None or declared[1].lower() in _UTF8)


def local_name(tag: str) -> str:
    """A tag or attribute without its namespace prefix."""
    return tag.rpartition(":")[2]
