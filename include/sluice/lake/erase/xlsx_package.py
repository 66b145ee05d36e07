"""The container of a workbook to edit: whether it may be edited, its parts, and how it is written again.

Unchanged parts keep their bytes, place, date and compression. A container is refused if a search
cannot see into one of its parts (image, macro, embedded file, cache of a pivot table).
"""

import posixpath
import re
import zipfile
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from xml.parsers import expat

from sluice.errors import Ref
from sluice.lake.erase.model import EraseRefused
from sluice.lake.table import FileLimits, FormatRefusal
from sluice.lake.xlsx.package import Package, XmlRefused, local_name, open_package, parse_xml

WORKBOOK, CONTENT_TYPES = "xl/workbook.xml", "[Content_Types].xml"
MAIN_NAMESPACE = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
ATTRIBUTES = rb"""((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*"""
"""The attributes of a tag, as one group."""

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_REFUSED = (
    ("_xmlsignatures/", "SIGNED"),
    ("xl/workbook.bin", "XLSB"),
    ("vbaproject", "MACRO"),
    ("xl/macrosheets/", "MACRO"),
    ("xl/dialogsheets/", "MACRO"),
    ("customui/", "MACRO"),
    ("xl/embeddings/", "EMBEDDED_OBJECT"),
    ("xl/activex/", "EMBEDDED_OBJECT"),
    ("xl/ctrlprops/", "EMBEDDED_OBJECT"),
    ("xl/model/", "DATA_MODEL"),
    ("xl/pivotcache/", "PIVOT_CACHE"),
    ("xl/revisions/", "REVISIONS"),
    ("xl/media/", "IMAGE"),
)
_KINDS = (
    ("[content_types].xml", "content_types"),
    ("xl/workbook.xml", "workbook"),
    ("xl/worksheets/", "worksheet"),
    ("xl/sharedstrings", "shared_strings"),
    ("xl/comments", "comments"),
    ("xl/threadedcomments/", "threaded_comments"),
    ("xl/persons/", "persons"),
    ("xl/drawings/vmldrawing", "vml"),
    ("xl/drawings/", "drawing"),
    ("xl/charts/", "chart"),
    ("xl/externallinks/", "external_link"),
    ("xl/tables/", "table"),
    ("xl/styles", "styles"),
    ("docprops/", "properties"),
    ("customxml/", "custom_xml"),
)
_ZIP64_SIZES = 1
_ATTRIBUTE = re.compile(rb"""([\w:.-]+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')""")
_RELATIONSHIP = re.compile(rb"<Relationship" + ATTRIBUTES + rb"(?:/>|>\s*</Relationship>)")
_OVERRIDE = re.compile(rb"<Override" + ATTRIBUTES + rb"(?:/>|>\s*</Override>)")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A worksheet as the workbook lists it."""

    name: str = field(repr=False)
    is_hidden: bool
    part: str


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation of one part to another: ``kind`` is the last word of its type, ``target`` a part or a link."""

    id: str
    kind: str
    target: str = field(repr=False)


class Book:
    """The parts of a workbook while they are edited, and coded remarks about the changes made."""

    def __init__(self, infos: tuple[zipfile.ZipInfo, ...], comment: bytes, parts: Mapping[str, bytes]) -> None:
        self._infos, self.comment, self._parts = infos, comment, dict(parts)
        self._remarks: dict[str, None] = {}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._parts)

    @property
    def infos(self) -> tuple[zipfile.ZipInfo, ...]:
        """The zip entries of the remaining parts, in the order of the container."""
        return tuple(info for info in self._infos if info.filename in self._parts)

    @property
    def remarks(self) -> tuple[str, ...]:
        return tuple(self._remarks)

    def read(self, name: str) -> bytes:
        """The bytes of one part. Raises EraseRefused: PART_MISSING, when a relation points at nothing."""
        if name not in self._parts:
            raise EraseRefused.because("PART_MISSING")
        return self._parts[name]

    def put(self, name: str, content: bytes, remark: str | None = None) -> None:
        """Replace a part; the remark is added only if its bytes really changed."""
        if content != self._parts[name]:
            self._parts[name] = content
            self._remarks |= {remark: None} if remark else {}

    def drop(self, name: str, remark: str) -> None:
        """Remove a part, with every relation to it and its content type."""
        self.read(name)
        self._parts.pop(name)
        self._parts.pop(rels_name(name), None)
        self._remarks[remark] = None
        for rels in [each for each in self._parts if each.endswith(".rels")]:
            self.drop_relations(
                owner_of(rels), {each.id for each in self.relations(owner_of(rels)) if each.target == name}
            )
        self.put(CONTENT_TYPES, _without(self.read(CONTENT_TYPES), _OVERRIDE, b"PartName", {f"/{name}"}))

    def relations(self, part: str) -> tuple[Relation, ...]:
        """The relations of a part to others."""
        rels = rels_name(part)
        if rels not in self._parts:
            return ()
        found = (attributes_of(match[1]) for match in _RELATIONSHIP.finditer(self._parts[rels]))
        return tuple(_relation(each, posixpath.dirname(part)) for each in found)

    def drop_relations(self, part: str, ids: set[str]) -> None:
        rels = rels_name(part)
        if ids and rels in self._parts:
            self.put(rels, _without(self._parts[rels], _RELATIONSHIP, b"Id", ids))

    def sheets(self) -> tuple[Sheet, ...]:
        """The worksheets in the order of the workbook."""
        targets = {each.id: each.target for each in self.relations(WORKBOOK) if each.kind == "worksheet"}
        listed = [attributes for tag, attributes in elements(self.read(WORKBOOK)) if tag == "sheet"]
        return tuple(
            Sheet(each.get("name", ""), each.get("state", "visible") != "visible", targets[each["id"]])
            for each in listed
            if each.get("id") in targets
        )

    def part_of_kind(self, kind: str) -> str | None:
        """The part that the workbook relates to by that word, e.g. ``sharedStrings``."""
        return next((each.target for each in self.relations(WORKBOOK) if each.kind == kind), None)


def open_book(path: Path, limits: FileLimits) -> Book:
    """Open a workbook for editing. Raises EraseRefused with the rule that forbids it."""
    with path.open("rb") as file:
        if file.read(8) == _OLE:
            raise EraseRefused.because("ENCRYPTED")
    package = open_package(path, limits)
    if isinstance(package, FormatRefusal):
        if not package.code.startswith("ACTIVE_"):  # the reader refuses active content; an eraser looks into most of it
            raise EraseRefused.because(package.code)
        package = Package(zipfile.ZipFile(path))
    with package.archive as archive:
        infos = tuple(archive.infolist())
        _check_parts([info.filename for info in infos])
        try:
            parts = {info.filename: package.read(info.filename) for info in infos}
        except XmlRefused as refused:
            code = refused.code
        else:
            _check_markup(parts)
            return Book(infos, archive.comment, parts)
    raise EraseRefused.because(code)


def write_book(book: Book, target: Path) -> None:
    """Write the container again: same order, dates, flags and compression of each part."""
    with zipfile.ZipFile(target, "w") as archive:
        archive.comment = book.comment
        for info in book.infos:
            archive.writestr(_entry(info), book.read(info.filename))


def rels_name(part: str) -> str:
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")


def owner_of(rels: str) -> str:
    """The part that a relations part belongs to; empty for the container itself."""
    folder, name = posixpath.split(rels)
    return posixpath.join(posixpath.dirname(folder), name.removesuffix(".rels"))


def kind_of(name: str) -> str:
    """A word for the kind of a part, which a refusal may name."""
    lower = name.lower()
    if lower.endswith(".rels"):
        return "relations"
    return next((kind for prefix, kind in _KINDS if lower.startswith(prefix)), "other")


def attributes_of(tag: bytes) -> Mapping[str, str]:
    """Names (without prefix) and values of the attributes in a tag."""
    found = _ATTRIBUTE.findall(tag)
    return {
        local_name(name.decode()): unescape((one or other).decode("utf-8", "replace")) for name, one, other in found
    }


def elements(content: bytes) -> list[tuple[str, Mapping[str, str]]]:
    """All elements of a small part, names without prefix. Raises EraseRefused: XML_SHAPE."""
    found: list[tuple[str, Mapping[str, str]]] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda tag, attributes: found.append(
        (local_name(tag), {local_name(key): value for key, value in attributes.items()})
    )
    parsed(content, parser)
    return found


def parsed(content: bytes, parser: expat.XMLParserType, kind: str = "other") -> None:
    """Run a parser over a part. Raises EraseRefused: XML_SHAPE, naming the kind of part."""
    try:
        parse_xml(content, parser)
        return
    except XmlRefused:
        pass
    raise EraseRefused.because("XML_SHAPE", Ref("part", kind))


def _check_parts(names: list[str]) -> None:
    for name in map(str.lower, names):
        if rule := next((rule for mark, rule in _REFUSED if mark in name), None):
            raise EraseRefused.because(rule)
        is_known = name.endswith((".xml", ".rels", ".vml", "/")) or "thumbnail" in name or "printersettings" in name
        if not is_known:
            raise EraseRefused.because("UNKNOWN_PART")
    if WORKBOOK not in names or CONTENT_TYPES not in names:
        raise EraseRefused.because("NO_WORKBOOK")


def _check_markup(parts: Mapping[str, bytes]) -> None:
    """Check that every XML part is well-formed and has no document type; the older drawings (VML) need not be.

    Raises EraseRefused: XML_SHAPE."""
    for name, content in parts.items():
        if name.lower().endswith((".xml", ".rels")):
            parsed(content, expat.ParserCreate(), kind_of(name))


def _relation(attributes: Mapping[str, str], folder: str) -> Relation:
    target, kind = attributes.get("Target", ""), attributes.get("Type", "").rpartition("/")[2]
    if attributes.get("TargetMode") != "External":
        target = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
    return Relation(attributes.get("Id", ""), kind, target)


def _without(content: bytes, pattern: re.Pattern[bytes], key: bytes, values: set[str]) -> bytes:
    """A part without the matches whose attribute ``key`` is one of ``values``."""
    name = key.decode()
    return pattern.sub(lambda found: b"" if attributes_of(found[1]).get(name) in values else found[0], content)


def _entry(info: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """A copy of a zip entry, ready to be written: the writer sets sizes, place and checksum."""
    fresh = copy(info)
    fresh.flag_bits &= 0x800
    fresh.extra = b"".join(field for tag, field in _extra_fields(info.extra) if tag != _ZIP64_SIZES)
    return fresh


def _extra_fields(extra: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(extra):
        end = at + 4 + int.from_bytes(extra[at + 2 : at + 4], "little")
        yield int.from_bytes(extra[at : at + 2], "little"), extra[at:end]
        at = end
