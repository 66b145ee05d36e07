"""The small parts of a workbook: its sheets, number formats, calendar and shared strings."""

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from xml.parsers import expat

import polars as pl

from sluice.lake.xlsx.formats import BUILT_IN, NUMBER, NumberFormat, format_of
from sluice.lake.xlsx.package import Package, XmlRefused, is_utf8, local_name, parse_xml
from sluice.lake.xlsx.tags import AT_ONCE, Place, Tag, Tags, read_pieces

_WORKBOOK = "xl/workbook.xml"
_SHEET_KINDS = ("worksheet", "chartsheet")
"""Kinds of sheet that are accepted. A chart sheet has no cells; any other kind is refused, not silently skipped."""
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_REFERENCE = re.compile(r"&([^;&]{0,10});|&")
_PREDEFINED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_NO_CHARACTER = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that XML 1.0 does not allow (2.2), not even as a character reference (4.1)."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_STRING_TAGS = {
    b"<si>": Tag(Place.OUTSIDE, Place.STRING),
    b"<t>": Tag(Place.STRING, Place.TEXT),
    b'<t xml:space="preserve">': Tag(Place.STRING, Place.TEXT),
    b"<t/></si>": Tag(Place.STRING, Place.OUTSIDE),
    b"</t></si>": Tag(Place.TEXT, Place.OUTSIDE),
}


@dataclass(frozen=True, slots=True)
class SheetPart:
    """One sheet in the order of the workbook; ``position`` 1 = first."""

    position: int
    name: str
    hidden: bool
    part: str


@dataclass(frozen=True, slots=True)
class Workbook:
    """What is needed to interpret the cells. ``formats[i]``: what cell style ``i`` shows for numbers."""

    sheets: tuple[SheetPart, ...]
    date_1904: bool
    formats: tuple[NumberFormat, ...]
    strings_part: str | None
    parts: frozenset[str]


def read_workbook(package: Package) -> Workbook:
    """Read sheets, calendar and styles. Raises XmlRefused (also for links to other files)."""
    _check_root(package)
    links = _relations(package, _WORKBOOK)
    tags = _elements(package.read(_WORKBOOK))
    sheets = [attributes for tag, attributes in tags if tag == "sheet"]
    if any(links.get(sheet.get("id", ""), ("", ""))[0] not in _SHEET_KINDS for sheet in sheets):
        raise XmlRefused("UNREADABLE_XML")
    targets = {key: target for key, (kind, target) in links.items() if kind == "worksheet"}
    calendar = next((attributes for tag, attributes in tags if tag == "workbookPr"), {})
    found = tuple(
        SheetPart(at, sheet.get("name", ""), sheet.get("state", "visible") != "visible", targets[sheet["id"]])
        for at, sheet in enumerate(sheets, 1)
        if sheet.get("id") in targets
    )
    for sheet in found:
        _relations(package, sheet.part)
    styles, strings = _only(links, "styles"), _only(links, "sharedStrings")
    used = {_WORKBOOK, styles, strings, *(sheet.part for sheet in found)} - {None}
    return Workbook(
        sheets=found,
        date_1904=calendar.get("date1904", "0") in ("1", "true"),
        formats=_styles(package.read(styles)) if styles else (),
        strings_part=strings,
        parts=frozenset(part for part in used if part),
    )


def read_strings(package: Package, workbook: Workbook) -> pl.Series:
    """All shared strings in order, rich text joined, phonetic hints left out. Raises XmlRefused."""
    if workbook.strings_part is None:
        return pl.Series(dtype=pl.String)
    content = package.read(workbook.strings_part)
    fast = _plain_strings(content)
    return fast if fast is not None else pl.Series(_rich_strings(content), dtype=pl.String)


def plain_text(text: pl.Series) -> pl.Series:
    """Turn text as written in XML into plain text: resolve references and ``_x000D_`` escapes. Raises XmlRefused."""
    marked = text.str.contains_any(["&", "_x"]).fill_null(False)
    if not marked.any():
        return text
    resolved = [_resolve(raw) for raw in text.filter(marked).to_list()]
    return text.clone().scatter(marked.arg_true(), resolved)


def escaped_text(text: str) -> str:
    """Resolve the ``_xHHHH_`` escapes of a spreadsheet string. Raises XmlRefused for NUL or half a character."""
    if "_x" in text:
        text = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
    if "\0" in text:
        raise XmlRefused("TEXT_NUL_BYTE")
    if _SURROGATE.search(text):
        return _paired(text)
    return text


def _paired(text: str) -> str:
    """Join the two halves of characters that were written as two escapes. Raises XmlRefused for a lone half."""
    try:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        pass
    raise XmlRefused("UNREADABLE_CELL")


def _resolve(raw: str) -> str:
    return escaped_text(_REFERENCE.sub(_referred, raw))


def _referred(found: re.Match[str]) -> str:
    name = found[1] or ""
    if name in _PREDEFINED:
        return _PREDEFINED[name]
    if re.fullmatch(r"#(?:x[0-9A-Fa-f]{1,6}|[0-9]{1,7})", name):
        code = int(name[2:], 16) if name[1] == "x" else int(name[1:])
        if 0 < code < 0x110000 and not _NO_CHARACTER.match(chr(code)):
            return chr(code)
    raise XmlRefused("UNREADABLE_XML")


def _elements(content: bytes) -> list[tuple[str, dict[str, str]]]:
    """All elements of a small part, names without namespaces."""
    found: list[tuple[str, dict[str, str]]] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda tag, attributes: found.append(
        (local_name(tag), {local_name(key): value for key, value in attributes.items()})
    )
    parse_xml(content, parser)
    return found


def _check_root(package: Package) -> None:
    """Check that the container names the part read here as its only document. Raises XmlRefused."""
    main = _only(_relations(package, ""), "officeDocument")
    if main is None or main.lower() != _WORKBOOK:
        raise XmlRefused("UNREADABLE_XML")


def _only(links: Mapping[str, tuple[str, str]], kind: str) -> str | None:
    """The only part of a kind, or None. Raises XmlRefused for several, of which applications choose differently."""
    found = [target for each, target in links.values() if each == kind]
    if len(found) > 1:
        raise XmlRefused("UNREADABLE_XML")
    return found[0] if found else None


def _relations(package: Package, part: str) -> dict[str, tuple[str, str]]:
    """Relation id -> (kind, part), without hyperlinks. Raises XmlRefused for any other link out of the file."""
    folder, name = posixpath.split(part)
    rels = posixpath.join(folder, "_rels", f"{name}.rels")
    if rels not in package.names():
        return {}
    found: dict[str, tuple[str, str]] = {}
    for tag, attributes in _elements(package.read(rels)):
        kind = attributes.get("Type", "").rpartition("/")[2]
        if tag != "Relationship":
            continue
        if attributes.get("TargetMode") == "External":
            if kind != "hyperlink":
                raise XmlRefused("ACTIVE_EXTERNAL_LINK")
            continue
        if attributes.get("Id", "") in found:
            raise XmlRefused("UNREADABLE_XML")
        target = attributes.get("Target", "")
        full = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
        found[attributes.get("Id", "")] = (kind, full)
    return found


def _styles(content: bytes) -> tuple[NumberFormat, ...]:
    known: dict[int, NumberFormat] = dict(BUILT_IN)
    formats: list[NumberFormat] = []
    inside = False
    parser = expat.ParserCreate()

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal inside
        name = local_name(tag)
        if name == "numFmt":
            known[_number(attributes.get("numFmtId"))] = format_of(attributes.get("formatCode", ""))
        inside = inside or name == "cellXfs"
        if inside and name == "xf":
            formats.append(known.get(_number(attributes.get("numFmtId", "0")), NUMBER))

    def end(tag: str) -> None:
        nonlocal inside
        inside = inside and local_name(tag) != "cellXfs"

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parse_xml(content, parser)
    return tuple(formats)


def _number(text: str | None) -> int:
    if text is None or not text.isdecimal() or len(text) > 9:
        raise XmlRefused("UNREADABLE_XML")
    return int(text)


def _plain_strings(content: bytes) -> pl.Series | None:
    """The strings of a part that holds only plain strings; None for any other."""
    start, end = content.find(b"<si>"), content.rfind(b"</si>") + len(b"</si>")
    if not 0 <= start < end or not is_utf8(content) or not _is_all(content[:start], content[end:]):
        return None
    found = read_pieces(content, (start, end), (b"</si>", b"</si>"), AT_ONCE, _strings)
    return plain_text(pl.concat(found, rechunk=True)) if found else None


def _strings(tags: Tags) -> pl.Series:
    """The strings of a piece as written in the XML. Raises UnknownShape."""
    texts = tags.cut_texts(b"t")
    tags.check_order(_STRING_TAGS)
    return tags.texts_in(tags.named(b"si"), texts)


def _is_all(before: bytes, after: bytes) -> bool:
    """Whether all strings of a part lie between these two pieces, directly in the list of strings."""
    depths: list[int] = []
    depth = 0
    parser = expat.ParserCreate()

    def start(tag: str, _: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if local_name(tag) == "si":
            depths.append(depth)

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parse_xml(before + b"<si/>" + after, parser)
    return depths == [2]


def _rich_strings(content: bytes) -> list[str]:
    """The exact reader: joins the text of every ``t`` in an ``si``, except phonetic hints. Raises XmlRefused."""
    found: list[str] = []
    parts: list[str] = []
    open_tags: list[str] = []
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def start(tag: str, _: dict[str, str]) -> None:
        open_tags.append(local_name(tag))
        if open_tags[-1] == "si":
            if len(open_tags) != 2:  # readers disagree about whether it counts
                raise XmlRefused("UNREADABLE_XML")
            parts.clear()

    def text(piece: str) -> None:
        if open_tags and open_tags[-1] == "t" and "rPh" not in open_tags:
            parts.append(piece)

    def end(_: str) -> None:
        if open_tags.pop() == "si":
            found.append(escaped_text("".join(parts)))

    parser.StartElementHandler, parser.CharacterDataHandler, parser.EndElementHandler = start, text, end
    parse_xml(content, parser)
    return found
