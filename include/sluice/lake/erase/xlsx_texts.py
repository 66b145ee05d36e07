"""The places of a workbook outside its cells that can name a person: edited by rules, then searched.

A rule either blanks the text of an element (where its schema allows that) or drops the element. It
applies only where a needle is found, so a part that names nobody keeps its bytes. If a part still
holds a needle after that, a person has to decide: the file is refused, naming the kind of part.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from html import unescape
from urllib.parse import unquote
from xml.parsers import expat

import polars as pl

from sluice.lake.erase.xlsx_package import kind_of, parsed
from sluice.lake.erase.xlsx_sheet import around_cells, has_formulas, row_words
from sluice.lake.xlsx.package import local_name

_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_EXPONENT = re.compile(r"^\s*[+-]?[0-9]+(?:\.[0-9]+)?[eE][+-]?[0-9]{1,3}\s*$")
_TAG, _VALUE, _TEXT = re.compile(rb"<[^>]*>"), re.compile(rb'"([^"]*)"'), re.compile(rb">[^<]+<")
_FORMULA_TEXT = re.compile(rb"<f[^>]*>([^<]*)</f>")
_PADDED = re.compile(r"0+([1-9][0-9]{7,})")
"""Numbers with leading zeros. Fewer digits would be found in other numbers by chance."""
_FEW = 1_000
"""Up to this many comparisons, a polars frame costs more time than it saves."""
_RUNS = frozenset({"r", "t", "fld"})
"""Elements that split one text into pieces. A search joins text across these only."""


class Needles:
    """Values that must not be left in a file: identifiers, and values that only this person has.

    They are compared in lower case and composed (NFC), and also without the zeros that a format puts before a number.
    They are never shown, not even by ``repr``."""

    def __init__(self, values: Iterable[str]) -> None:
        folded = {_folded(value) for value in values if value.strip()}
        self._values = sorted(folded | {found[1] for value in folded if (found := _PADDED.fullmatch(value))})

    def are_in(self, texts: Iterable[str]) -> bool:
        """Whether any of the texts contains one of the values."""
        given = list(texts)
        if len(given) * len(self._values) > _FEW:
            return not self.places(pl.Series(given, dtype=pl.String)).is_empty()
        return any(value in text or self._in_number(text) for text in map(_folded, given) for value in self._values)

    def places(self, texts: pl.Series) -> pl.Series:
        """Positions of the texts with one of the values. Numbers with an exponent are also tried written out."""
        if not self._values or not texts.len():
            return pl.Series(dtype=pl.UInt32)
        folded = texts.fill_null("").str.normalize("NFC").str.to_lowercase()
        found = folded.str.contains_any(self._values)
        odd = folded.str.contains(_EXPONENT.pattern)
        if odd.any():
            found = found.clone().scatter(
                odd.arg_true(), [bool(found[at]) or self._in_number(folded[at]) for at in odd.arg_true()]
            )
        return found.arg_true()

    def _in_number(self, text: str) -> bool:
        if not _EXPONENT.match(text):
            return False
        number = float(text)
        written = str(int(number)) if number.is_integer() and abs(number) < 1e21 else repr(number)
        return any(value in written for value in self._values)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip()).lower()


@dataclass(frozen=True, slots=True)
class Rule:
    """What to do with an element that holds a needle, in one kind of part."""

    kind: str
    element: str
    is_dropped: bool
    remark: str
    container: str | None = None
    """The parent element: removed when no child is left, else without its count of children."""


RULES = (
    *(Rule("worksheet", f"{page}{place}", False, "HEADER_FOOTER_BLANKED")
      for page in ("odd", "even", "first") for place in ("Header", "Footer")),
    Rule("worksheet", "conditionalFormatting", True, "CONDITIONAL_FORMAT_DROPPED", "conditionalFormattings"),
    Rule("worksheet", "dataValidation", True, "DATA_VALIDATION_DROPPED", "dataValidations"),
    Rule("worksheet", "filterColumn", True, "FILTER_DROPPED"),
    Rule("table", "filterColumn", True, "FILTER_DROPPED"),
    Rule("workbook", "definedName", True, "DEFINED_NAME_DROPPED", "definedNames"),
    Rule("comments", "text", False, "COMMENT_BLANKED"),
    Rule("threaded_comments", "text", False, "COMMENT_BLANKED"),
    Rule("drawing", "p", False, "TEXT_BOX_BLANKED"),
    Rule("vml", "div", False, "TEXT_BOX_BLANKED"),
    Rule("chart", "p", False, "CHART_TEXT_BLANKED"),
    Rule("chart", "v", False, "CHART_TEXT_BLANKED"),
    Rule("chart", "pt", False, "CHART_TEXT_BLANKED"),
    Rule("external_link", "v", False, "EXTERNAL_CACHE_BLANKED"),
    *(Rule("properties", name, False, "PROPERTIES_BLANKED")
      for name in ("creator", "lastModifiedBy", "title", "subject", "description", "keywords", "category",
                   "contentStatus", "identifier", "Manager", "Company", "lpstr", "lpwstr", "bstr")),
)  # fmt: skip
CHART_CACHES = ("strCache", "numCache", "multiLvlStrCache")


def apply_rules(name: str, content: bytes, needles: Needles) -> Iterator[tuple[bytes, str]]:
    """Apply the rules for a kind of part; yield the part after each rule that changed it, with the rule's remark."""
    kind = kind_of(name)
    rules = [rule for rule in RULES if rule.kind == kind]
    outside = b"".join(around_cells(content)[::2]) if kind == "worksheet" else content
    if not rules or not needles.are_in(raw_texts(outside)):
        return
    for rule in rules:
        changed = _outside_cells(kind, content, lambda piece, rule=rule: _apply(rule, piece, needles))  # type: ignore[misc]
        if changed != content:
            content = changed
            yield content, rule.remark


def drop_elements(content: bytes, element: str, is_gone: Callable[[bytes], bool]) -> bytes:
    """The part without the elements of that name for which ``is_gone`` is true."""
    return element_pattern(element).sub(lambda found: b"" if is_gone(found[0]) else found[0], content)


def blank_elements(content: bytes, element: str, is_gone: Callable[[bytes], bool]) -> bytes:
    """The part with the text removed from the elements for which ``is_gone`` is true; their tags stay."""
    return element_pattern(element).sub(
        lambda found: _TEXT.sub(b"><", found[0]) if is_gone(found[0]) else found[0], content
    )


def without_empty(content: bytes, container: str) -> bytes:
    """Drop a container element that has no child left, else its count of children, which may be wrong now."""
    name = container.encode()
    content = re.sub(rb"<((?:[\w.-]+:)?" + name + rb")(?:\s[^>]*)?>\s*</\1\s*>", b"", content)
    return re.sub(rb"(<(?:[\w.-]+:)?" + name + rb"""(?:\s[^>]*?)?)\scount="[0-9]*\"""", rb"\1", content)


def element_pattern(element: str) -> re.Pattern[bytes]:
    """A pattern for a whole element of that local name, with or without content."""
    name = re.escape(element.encode())
    attributes = rb"""(?:\s(?:[^<>"'/]|"[^"]*"|'[^']*')*)?"""
    return re.compile(
        rb"<(?P<p>(?:[\w.-]+:)?)" + name + attributes + rb"(?:/>|>.*?</(?P=p)" + name + rb"\s*>)", re.DOTALL
    )


def texts_in(name: str, content: bytes) -> list[str]:
    """All texts and attributes of a part, decoded, with the runs of one text joined. Raises EraseRefused: XML_SHAPE."""
    kind = kind_of(name)
    if not name.lower().endswith((".xml", ".rels", ".vml")):
        return [content.decode("utf-8", "ignore"), *(content[at:].decode("utf-16-le", "ignore") for at in (0, 1))]
    if kind == "vml":
        return raw_texts(content)
    return parsed_texts(content, kind)


def raw_texts(piece: bytes) -> list[str]:
    """Texts of markup that may be malformed: all text joined into one, then each attribute."""
    joined = _TAG.sub(b"", piece).decode("utf-8", "replace")
    return [decoded(joined), *(decoded(value.decode("utf-8", "replace")) for value in _VALUE.findall(piece))]


def parsed_texts(content: bytes, kind: str) -> list[str]:
    """Texts of a well-formed part. For kinds of unknown schema, all text joined into one is added."""
    found: list[str] = []
    pieces: list[str] = []
    open_tags: list[str] = []
    is_index = False

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal is_index
        found.extend(attributes.values())
        open_tags.append(local_name(tag))
        if open_tags[-1] == "c":
            is_index = attributes.get("t") == "s"
        separate()

    def characters(text: str) -> None:
        if not (is_index and open_tags[-1] == "v" and kind == "worksheet"):
            pieces.append(text)

    def end(_: str) -> None:
        separate()
        open_tags.pop()

    def separate() -> None:
        if not _RUNS.intersection(open_tags):
            pieces.append("\n")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, characters
    parsed(content, parser, kind)
    whole = "".join(pieces)
    joined = [re.sub(r"\s+", "", whole)] if kind in ("custom_xml", "other") else []
    return [decoded(text) for text in [*found, *whole.split("\n"), *joined] if text]


def decoded(text: str) -> str:
    """Resolve XML references, spreadsheet escapes and percent encoding."""
    if "&" in text:
        text = unescape(text)
    if "_x" in text:
        text = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text).encode("utf-8", "replace").decode()
    return f"{text}\n{unquote(text)}" if "%" in text else text


def sheet_texts(content: bytes, *, is_usual: bool) -> list[str]:
    """Texts of a worksheet. is_usual: the lake's fast reader read every cell, so their values are left out here."""
    if not is_usual:
        return parsed_texts(content, "worksheet")
    before, cells, after = around_cells(content)
    formulas = _FORMULA_TEXT.findall(cells) if has_formulas(cells) else []
    rows = [value for words in row_words(cells) for value in _VALUE.findall(words)]
    raw = (decoded(text.decode("utf-8", "replace")) for text in [*formulas, *rows])
    return [*parsed_texts(before + b"<sheetData/>" + after, "worksheet"), *raw]


def _apply(rule: Rule, content: bytes, needles: Needles) -> bytes:
    def is_hit(element: bytes) -> bool:
        return needles.are_in(raw_texts(element))

    if not rule.is_dropped:
        return blank_elements(content, rule.element, is_hit)
    left = drop_elements(content, rule.element, is_hit)
    return without_empty(left, rule.container) if rule.container and left != content else left


def _outside_cells(kind: str, content: bytes, edit: Callable[[bytes], bytes]) -> bytes:
    if kind != "worksheet":
        return edit(content)
    before, cells, after = around_cells(content)
    return edit(before) + cells + edit(after)
