"""Erase given records from a workbook: blank them in place, and clean every other place that could name the person.

No library rewrites a workbook without loss, so parts are edited as bytes and the rest of the
container stays as it was. Code that took no part in the editing then proves two things: every cell
of another row still has its value, type and style, and no part holds a value that must be gone.
"""

import zipfile
from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from sluice.errors import Ref
from sluice.lake.erase.model import BLANK_RECORDS_AT_END, Erased, EraseRefused, checked_numbers
from sluice.lake.erase.xlsx_package import WORKBOOK, Book, Sheet, attributes_of, kind_of, open_book, write_book
from sluice.lake.erase.xlsx_sheet import (
    area_of,
    around_cells,
    blank_rows,
    blank_strings,
    calculate_on_load,
    check_shape,
    count_strings,
    drop_cached_values,
    formula_cells,
    has_formulas,
)
from sluice.lake.erase.xlsx_texts import (
    CHART_CACHES,
    Needles,
    apply_rules,
    blank_elements,
    decoded,
    drop_elements,
    raw_texts,
    sheet_texts,
    texts_in,
    without_empty,
)
from sluice.lake.table import FileLimits
from sluice.lake.xlsx.cells import CELLS, read_usual_cells
from sluice.lake.xlsx.package import Package, XmlRefused
from sluice.lake.xlsx.sheet import has_content, read_cells
from sluice.lake.xlsx.workbook import Workbook, read_strings

RESIDUE = "RESIDUE_IN_PART"


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """The cells with content of all sheets, and the shared strings that some of them refer to.

    ``frame``: part, row, column, style, type, text, and index (of the shared string, if it is one).
    ``usual``: parts of the sheets that the fast reader could read, so that it knew every cell."""

    frame: pl.DataFrame
    strings: pl.Series
    usual: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """Which rows of which sheet go, and which values may not be left anywhere."""

    sheet: Sheet
    header_row: int
    rows: Set[int]
    needles: Needles

    @property
    def is_gone(self) -> pl.Expr:
        """Whether a cell has to go."""
        rows = pl.Series(sorted(self.rows), dtype=pl.UInt32).implode()
        return (pl.col("part") == self.sheet.part) & pl.col("row").is_in(rows)

    def records(self, cells: pl.DataFrame) -> int:
        """How many records have content."""
        here = (pl.col("part") == self.sheet.part) & (pl.col("row") > self.header_row)
        return cells.filter(here)["row"].n_unique()

    def last_row(self, cells: pl.DataFrame) -> int:
        """The last row with content; 0 when the sheet has none."""
        return int(cells.filter(pl.col("part") == self.sheet.part)["row"].max() or 0)  # type: ignore[arg-type]


def erase_records(
    source: Path,
    target: Path,
    records: Sequence[int],
    *,
    sheet: str | None,
    needles: Sequence[str],
    limits: FileLimits | None = None,
) -> Erased:
    """Write the workbook to ``target`` with those records blank and nothing else that names the person.

    records: as the reader counts them, 1 = first row after the header; sheet: as the contract names
    it, None = the only one with content; needles: identifiers and distinctive values in every
    spelling that the file may have (not a name alone: a namesake's would refuse the file). Erased
    rows stay as blank rows, so other records keep their number and ``rows_*`` count rows with content.
    Raises EraseRefused (the rule; RESIDUE_IN_PART with the kind of part), RecordsUnknown."""
    limits = limits or FileLimits()
    book = open_book(source, limits)
    before = _read_cells(book, source)
    formulas = _formulas(book)
    task = _task(book, before.frame, records, sheet, Needles(needles))
    _edit(book, before, task)
    draft = target.with_name(f".{target.name}.part")
    try:
        write_book(book, draft)
        after = _proven(draft, before, formulas, task, limits)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    at_end = (BLANK_RECORDS_AT_END,) if task.last_row(after) < task.last_row(before.frame) else ()
    return Erased(task.records(before.frame), task.records(after), book.remarks + at_end)


def _task(book: Book, cells: pl.DataFrame, records: Sequence[int], name: str | None, needles: Needles) -> _Task:
    sheet = _chosen(book, name)
    rows = cells.filter(pl.col("part") == sheet.part)["row"]
    if rows.is_empty():
        raise EraseRefused.because("NO_CONTENT")
    header_row, last = int(rows.min()), int(rows.max())  # type: ignore[arg-type]
    numbers = checked_numbers(records, last - header_row)
    return _Task(sheet, header_row, frozenset((numbers + header_row).tolist()), needles)


def _chosen(book: Book, name: str | None) -> Sheet:
    """The sheet that the reader would read. Raises EraseRefused: SHEET."""
    is_wanted = partial(_is_filled, book) if name is None else lambda sheet: sheet.name == name
    wanted = [each for each in book.sheets() if is_wanted(each)]
    if len(wanted) != 1:
        raise EraseRefused.because("SHEET", Ref("count", len(wanted)))
    return wanted[0]


def _is_filled(book: Book, sheet: Sheet) -> bool:
    try:
        return has_content(book.read(sheet.part))
    except XmlRefused as refused:
        code = refused.code
    raise EraseRefused.because(code)


def _read_cells(book: Book, path: Path) -> _Cells:
    """Read the cells as the lake's reader sees them. Raises EraseRefused: the reader's code, NAMESPACE, XML_SHAPE."""
    part, sheets = book.part_of_kind("sharedStrings"), book.sheets()
    for sheet in sheets:
        check_shape(book.read(sheet.part), b"worksheet", "worksheet")
    try:
        with zipfile.ZipFile(path) as archive:
            strings = read_strings(Package(archive), Workbook((), False, (), part, frozenset()))
        fast = {sheet.part: read_usual_cells(book.read(sheet.part)) for sheet in sheets}
        read = [(name, read_cells(book.read(name)).frame if cells is None else cells) for name, cells in fast.items()]
    except XmlRefused as refused:
        code = refused.code
    else:
        frames = [pl.DataFrame(schema=CELLS | {"part": pl.String})]
        frames += [cells.with_columns(part=pl.lit(name)) for name, cells in read]
        usual = frozenset(name for name, cells in fast.items() if cells is not None)
        return _Cells(_looked_up(pl.concat(frames), strings), strings, usual)
    raise EraseRefused.because(code)


def _looked_up(cells: pl.DataFrame, strings: pl.Series) -> pl.DataFrame:
    index = pl.when(pl.col("type") == "s").then(pl.col("text").str.strip_chars()).cast(pl.UInt32, strict=False)
    cells = cells.with_columns(index=index)
    dangling = cells.filter((pl.col("type") == "s") & ~(pl.col("index") < len(strings)).fill_null(False))
    if dangling.height:
        raise EraseRefused.because("UNREADABLE_CELL")
    shared = strings.gather(cells["index"].fill_null(0)) if len(strings) else pl.Series("text", [None], pl.String)
    text = pl.when(pl.col("index").is_null()).then("text").otherwise(shared)
    return cells.with_columns(text=text).filter(pl.col("text") != "")


def _edit(book: Book, before: _Cells, task: _Task) -> None:
    book.put(task.sheet.part, blank_rows(book.read(task.sheet.part), task.rows), "ROWS_BLANKED_IN_PLACE")
    _drop_computed(book)
    for relation in book.relations(task.sheet.part):
        if element := {"comments": "comment", "threadedComment": "threadedComment"}.get(relation.kind):
            noted = blank_elements(book.read(relation.target), element, partial(_is_anchored, task))
            book.put(relation.target, noted, "COMMENT_BLANKED")
    for sheet in book.sheets():
        _drop_hyperlinks(book, sheet, task)
    for name in [each for each in book.names if kind_of(each) == "properties" and "thumbnail" in each.lower()]:
        book.drop(name, "THUMBNAIL_DROPPED")
    _blank_strings(book, before, task)
    for name in book.names:
        for content, remark in apply_rules(name, book.read(name), task.needles):
            book.put(name, content, remark)


def _drop_computed(book: Book) -> None:
    """Drop the cached results of formulas and charts; Excel computes them again when it opens the file."""
    sheets = [sheet.part for sheet in book.sheets() if has_formulas(book.read(sheet.part))]
    for part in sheets:
        book.put(part, drop_cached_values(book.read(part)), "FORMULA_CACHE_DROPPED")
    if sheets:
        book.put(WORKBOOK, calculate_on_load(book.read(WORKBOOK)))
    if chain := book.part_of_kind("calcChain"):
        book.drop(chain, "CALC_CHAIN_DROPPED")
    for name in [each for each in book.names if kind_of(each) == "chart"]:
        for cache in CHART_CACHES:
            book.put(name, drop_elements(book.read(name), cache, lambda _: True), "CHART_CACHE_DROPPED")


def _is_anchored(task: _Task, element: bytes) -> bool:
    """Whether the area that an element refers to lies in the rows that go."""
    area = area_of(attributes_of(element).get("ref", ""))
    return area is not None and area.is_within(task.rows)


def _drop_hyperlinks(book: Book, sheet: Sheet, task: _Task) -> None:
    """Drop links on the rows that go, and links anywhere that name the person, with their targets."""
    targets = {each.id: each.target for each in book.relations(sheet.part)}
    gone: set[str] = set()

    def is_gone(link: bytes) -> bool:
        identity = attributes_of(link).get("id", "")
        words = [*raw_texts(link), decoded(targets.get(identity, ""))]
        found = (sheet == task.sheet and _is_anchored(task, link)) or task.needles.are_in(words)
        gone.update({identity} if found else ())
        return found

    before, cells, after = around_cells(book.read(sheet.part))
    left = drop_elements(after, "hyperlink", is_gone)
    if left != after:
        book.put(sheet.part, before + cells + without_empty(left, "hyperlinks"), "HYPERLINK_DROPPED")
        book.drop_relations(sheet.part, gone)


def _blank_strings(book: Book, before: _Cells, task: _Task) -> None:
    """Empty the shared strings that only the erased rows used, and unused ones that name the person."""
    part = book.part_of_kind("sharedStrings")
    if part is None:
        return
    content = book.read(part)
    check_shape(content, b"sst", "shared_strings")
    if count_strings(content) != len(before.strings):
        raise EraseRefused.because("XML_SHAPE", Ref("part", "shared_strings"))
    gone = np.zeros(len(before.strings), bool)
    gone[before.frame.filter(task.is_gone)["index"].drop_nulls()] = True
    gone[task.needles.places(before.strings)] = True
    gone[before.frame.filter(~task.is_gone)["index"].drop_nulls()] = False
    book.put(part, blank_strings(content, frozenset(np.flatnonzero(gone).tolist())), "SHARED_STRINGS_BLANKED")


def _formulas(book: Book) -> pl.DataFrame:
    """The places of formulas: part, row, column."""
    places = [(sheet.part, *place) for sheet in book.sheets() for place in formula_cells(book.read(sheet.part))]
    return pl.DataFrame(places, schema={"part": pl.String, "row": pl.UInt32, "column": pl.UInt32}, orient="row")


def _proven(draft: Path, before: _Cells, formulas: pl.DataFrame, task: _Task, limits: FileLimits) -> pl.DataFrame:
    """Read the new file again, prove it and return its cells.

    Raises EraseRefused: PROOF (a cell differs), RESIDUE_IN_PART."""
    book = open_book(draft, limits)
    after = _read_cells(book, draft)
    kept = before.frame.filter(~task.is_gone).join(formulas, on=formulas.columns, how="anti", maintain_order="left")
    if not after.frame.equals(kept):
        raise EraseRefused.because("PROOF")
    _check_residue(book, after, task.needles)
    return after.frame


def _check_residue(book: Book, after: _Cells, needles: Needles) -> None:
    entries = [(info.filename.encode(), info.comment, info.extra) for info in book.infos]
    outside = [book.comment, *(text for entry in entries for text in entry)]
    if needles.are_in(decoded(text.decode("utf-8", "replace")) for text in outside):
        raise EraseRefused.because(RESIDUE, Ref("part", "container"))
    for name in book.names:
        if _names_person(book, name, after, needles):
            raise EraseRefused.because(RESIDUE, Ref("part", kind_of(name)))


def _names_person(book: Book, name: str, after: _Cells, needles: Needles) -> bool:
    """Whether a needle is left in a part. Values of cells and strings in the usual shape are already in ``after``."""
    content = book.read(name)
    if name == book.part_of_kind("sharedStrings") and not any(mark in content for mark in (b"<rPh", b"<extLst")):
        return not needles.places(after.strings).is_empty()
    if name in {sheet.part for sheet in book.sheets()}:
        own = after.frame.filter((pl.col("part") == name) & pl.col("index").is_null())["text"]
        texts = sheet_texts(content, is_usual=name in after.usual)
        return not needles.places(own).is_empty() or needles.are_in(texts)
    return needles.are_in(texts_in(name, content))
