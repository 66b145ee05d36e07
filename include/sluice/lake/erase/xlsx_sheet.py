"""Blank records of a sheet in place: only the bytes of their rows change.

Cells keep address and style and lose type, value, formula and text, so that no reference anywhere
has to move. Any XML that these regular expressions do not know is refused, and the caller reads the
result again with other code.
"""

import re
from collections.abc import Container, Set
from dataclasses import dataclass
from xml.parsers import expat

from sluice.errors import Ref
from sluice.lake.erase.model import EraseRefused
from sluice.lake.erase.xlsx_package import ATTRIBUTES, MAIN_NAMESPACE, attributes_of, parsed
from sluice.lake.xlsx.package import is_utf8, local_name

_ROW = re.compile(rb'<row(?:\s+r="([0-9]+)")?' + ATTRIBUTES + rb"(/?)>")
_CELL = re.compile(rb"<c" + ATTRIBUTES + rb"(?:/>|>(.*?)</c>)\s*", re.DOTALL)
_FORMULA = re.compile(rb"<f" + ATTRIBUTES + rb"/?>")
_ANY_FORMULA = re.compile(rb"<(?:[^\s<>/:]+:)?f[\s/>]")
_KEPT = re.compile(rb"""\s(?:r|s)\s*=\s*(?:"[^"<]*"|'[^'<]*')""")
_TYPE = re.compile(rb"""\s(?:t|cm|vm)\s*=\s*(?:"[^"<]*"|'[^'<]*')""")
_CACHED = re.compile(
    rb"<c" + ATTRIBUTES + rb">(\s*<f" + ATTRIBUTES + rb"(?:/>|>[^<]*</f>))\s*<v(?:\s[^<>]*)?(?:/>|>[^<]*</v>)\s*</c>"
)
_STRING = re.compile(rb"<si" + ATTRIBUTES + rb"(?:/>|>.*?</si>)", re.DOTALL)
_CALCULATION = re.compile(rb"<calcPr" + ATTRIBUTES + rb"(/?)>")
_BEFORE_CALCULATION = re.compile(rb"</(?:definedNames|externalReferences|functionGroups|sheets)\s*>")
_FULL = re.compile(rb"""\s+fullCalcOnLoad\s*=\s*(?:"[^"]*"|'[^']*')""")
_AREA = re.compile(r"\$?[A-Z]{1,3}\$?([0-9]{1,7})(?::\$?[A-Z]{1,3}\$?([0-9]{1,7}))?")


@dataclass(frozen=True, slots=True)
class Area:
    """First and last row of a block such as ``B5:C7``."""

    first: int
    last: int

    def is_within(self, rows: Container[int]) -> bool:
        return all(row in rows for row in range(self.first, self.last + 1))

    def touches(self, rows: Set[int]) -> bool:
        return any(self.first <= row <= self.last for row in rows)


def area_of(text: str) -> Area | None:
    """The rows of a reference; None when it is not an address."""
    found = _AREA.fullmatch(text)
    return Area(int(found[1]), int(found[2] or found[1])) if found else None


def check_shape(content: bytes, root: bytes, kind: str) -> None:
    """Check that the regular expressions here know the XML of a part. Raises EraseRefused: NAMESPACE, XML_SHAPE."""
    if not is_utf8(content) or content.count(b"<!") or content.count(b"<?") > 1:
        raise EraseRefused.because("XML_SHAPE", Ref("part", kind))
    tag = re.search(rb"<" + root + rb"(\s[^>]*)>", content)
    if tag is None or attributes_of(tag[1].replace(b"xmlns:", b"x")).get("xmlns") != MAIN_NAMESPACE.decode():
        raise EraseRefused.because("NAMESPACE", Ref("part", kind))


def around_cells(content: bytes) -> tuple[bytes, bytes, bytes]:
    """Split a sheet into the part before its cells, the cells, and the part after them."""
    start, end = content.find(b"<sheetData"), content.rfind(b"</sheetData>")
    if start < 0:
        return content, b"", b""
    last = end + len(b"</sheetData>") if end >= 0 else content.find(b">", start) + 1
    return content[:start], content[start:last], content[last:]


def blank_rows(content: bytes, rows: Set[int]) -> bytes:
    """A sheet with those rows blanked. Raises EraseRefused: SHARED_FORMULA, ARRAY_FORMULA, MERGED, XML_SHAPE."""
    before, cells, after = around_cells(content)
    _check_merged(after, rows)
    pieces, done, number = [before], 0, 0
    for found in _ROW.finditer(cells):
        number = int(found[1] or _row_number(found[2]) or number + 1)
        if number not in rows or found[3]:
            continue
        end = cells.find(b"</row>", found.end())
        pieces += [cells[done : found.end()], _blanked(cells[found.end() : end], number)]
        done = end
    return b"".join([*pieces, cells[done:], after])


def _row_number(attributes: bytes) -> str | None:
    number = attributes_of(attributes).get("r")
    if number is not None and not re.fullmatch(r"[0-9]{1,7}", number):
        raise EraseRefused.because("XML_SHAPE", Ref("part", "worksheet"))
    return number


def row_words(cells: bytes) -> frozenset[bytes]:
    """The distinct attributes of rows, other than their number."""
    return frozenset(found[2] for found in _ROW.finditer(cells))


def _blanked(row: bytes, number: int) -> bytes:
    if _CELL.sub(b"", row).strip():
        raise EraseRefused.because("XML_SHAPE", Ref("part", "worksheet"), Ref("row", number))
    return b"".join(_blank_cell(found) for found in _CELL.finditer(row))


def _blank_cell(cell: re.Match[bytes]) -> bytes:
    for formula in _FORMULA.finditer(cell[2] or b""):
        attributes = attributes_of(formula[1])
        if attributes.get("t") in ("array", "dataTable"):
            raise EraseRefused.because("ARRAY_FORMULA")
        if attributes.get("t") == "shared" and "ref" in attributes:
            raise EraseRefused.because("SHARED_FORMULA")
    return b"<c" + b"".join(_KEPT.findall(cell[1])) + b"/>"


def _check_merged(after: bytes, rows: Set[int]) -> None:
    for found in re.finditer(rb"<mergeCell" + ATTRIBUTES + rb"/?>", after):
        area = area_of(attributes_of(found[1]).get("ref", ""))
        if area is None or (area.first != area.last and area.touches(rows)):
            raise EraseRefused.because("MERGED")


def has_formulas(content: bytes) -> bool:
    """Whether a cell has a formula, in any spelling of its tag."""
    cells = around_cells(content)[1]
    return (b"<f" in cells or b":f" in cells) and _ANY_FORMULA.search(cells) is not None


def drop_cached_values(content: bytes) -> bytes:
    """A sheet without the cached results of formulas, because a result may quote a blanked cell."""
    if not has_formulas(content):
        return content
    return _CACHED.sub(lambda found: b"<c" + _TYPE.sub(b"", found[1]) + b">" + found[2] + b"</c>", content)


def calculate_on_load(workbook: bytes) -> bytes:
    """The workbook part, changed so that every formula is computed on opening. Raises EraseRefused: XML_SHAPE."""
    found = _CALCULATION.search(workbook)
    if found:
        tag = b"<calcPr" + _FULL.sub(b"", found[1]) + b' fullCalcOnLoad="1"' + found[2] + b">"
        return workbook[: found.start()] + tag + workbook[found.end() :]
    places = [match.end() for match in _BEFORE_CALCULATION.finditer(workbook)]
    if not places:
        raise EraseRefused.because("XML_SHAPE", Ref("part", "workbook"))
    return workbook[: places[-1]] + b'<calcPr fullCalcOnLoad="1"/>' + workbook[places[-1] :]


def blank_strings(content: bytes, places: Container[int]) -> bytes:
    """The shared strings with the ones at ``places`` emptied; every other string keeps its number."""
    pieces, done = [], 0
    for number, found in enumerate(_STRING.finditer(content)):
        if number in places:
            pieces += [content[done : found.start()], b"<si><t/></si>"]
            done = found.end()
    return b"".join([*pieces, content[done:]])


def count_strings(content: bytes) -> int:
    return sum(1 for _ in _STRING.finditer(content))


def formula_cells(content: bytes) -> frozenset[tuple[int, int]]:
    """Row and column of the cells with formulas, found by another reader than the one that edits."""
    found: set[tuple[int, int]] = set()
    address = ""

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal address
        name = local_name(tag)
        if name == "c":
            address = attributes.get("r", "")
        elif name == "f" and address:
            found.add(_place(address))

    if has_formulas(content):
        parser = expat.ParserCreate()
        parser.StartElementHandler = start
        parsed(content, parser, "worksheet")
    return frozenset(found)


def _place(address: str) -> tuple[int, int]:
    letters = address.rstrip("0123456789")
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return int(address[len(letters) :] or 0), column
