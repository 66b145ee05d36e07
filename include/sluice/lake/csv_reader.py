"""Delimited text to a table: encoding, structure, dialect, then polars with everything given.

Two independent readers must agree: our own pass over the bytes decides where records and cells
are, polars makes the columns, and the counts are compared.
"""

import csv
import io
import itertools
import mmap
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from sluice.errors import Ref
from sluice.lake.dialect import CANDIDATES, Body, Choice, choose_delimiter, find_body, rows_at
from sluice.lake.encoding import Utf8Text, find_text, first_invalid_utf8
from sluice.lake.header import check_header, padded_names
from sluice.lake.parts import Parts
from sluice.lake.structure import NO_DELIMITER, Counts, Structure, let_go, scan
from sluice.lake.table import (
    SHOWN_ROWS,
    Dialect,
    FileUnreadable,
    FormatHintInvalid,
    FormatHints,
    FormatRefusal,
    Limits,
    Note,
    Table,
    bad_records_frame,
)

_LF, _CR, _APOSTROPHE = 10, 13, 39
_ZLIB = (b"x^", b"x\x01", b"x\xda")
"""Beginnings of a text that polars would inflate: it gets another first letter, and its names are not used."""
_CHUNK = 1 << 20
_LET_GO = 16 * _CHUNK
"""Bytes after which the pages of the mapped file are let go."""
_WIDEST = 4
"""Bytes of a character in UTF-8, at most."""


@dataclass(frozen=True, slots=True, eq=False)
class _Parsed:
    """Everything found on the bytes before polars sees them."""

    text: Utf8Text
    structure: Structure
    body: Body
    delimiter: int
    names: tuple[str, ...]
    codes: dict[int, str]
    """Record index in the structure -> why it is no row."""
    end: int
    dialect: Dialect


@dataclass(frozen=True, slots=True)
class _Span:
    """Records ``first`` up to, not including, ``last``, by index in the structure: what one part is made of."""

    first: int
    last: int


def read_csv(path: Path, hints: FormatHints, limits: Limits) -> Table | FormatRefusal:
    """The table of a non-empty text file as one, or why there is none. Raises as :func:`open_csv`.

    A text in another encoding lies beside it while it is read, without a name."""
    parts = open_csv(path, hints, limits, folder=path.parent)
    return parts if isinstance(parts, FormatRefusal) else parts.read(0)


def open_csv(
    path: Path, hints: FormatHints, limits: Limits, *, folder: Path | None = None, part_bytes: int | None = None
) -> Parts | FormatRefusal:
    """The table of a non-empty text file in parts of about ``part_bytes``, or why there is none.

    Encoding, dialect and every record's end are known then, of the whole file. folder: as for ``find_text``.
    raises FormatHintInvalid: the contract names an impossible encoding or delimiter."""
    _check_hint(hints)
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    text = find_text(mapped, hints, folder)
    if isinstance(text, FormatRefusal):
        return _with_row(mapped, text)
    parsed = _parse(text, hints, limits)
    if isinstance(parsed, FormatRefusal):
        return parsed
    spans = _spans(parsed, limits, part_bytes)
    return Parts(len(spans), partial(_part, path, parsed, limits, spans), partial(_again, parsed))


def _spans(parsed: _Parsed, limits: Limits, part_bytes: int | None) -> tuple[_Span, ...]:
    """Where to cut. A file of which some cell may be too large is read as one, so that all such are told at once."""
    first, last, starts = parsed.body.first + 1, parsed.body.last, parsed.structure.starts
    if part_bytes is None or first == last or _longest(parsed.structure) > limits.cell_bytes:
        return (_Span(first, last),)
    begins = range(int(starts[first]), int(starts[last - 1]) + 1, part_bytes)
    edges = sorted({*np.searchsorted(starts[first:last], np.array(begins, starts.dtype)).tolist(), last - first})
    return tuple(_Span(first + a, first + b) for a, b in itertools.pairwise(edges))


def _longest(structure: Structure) -> int:
    """Bytes of the longest record."""
    return int((structure.stops - structure.starts).max())


def _check_hint(hints: FormatHints) -> None:
    delimiter = hints.delimiter
    if delimiter is not None and (len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n\0'):
        raise FormatHintInvalid(Ref("setting", "delimiter"))


def _with_row(mapped: mmap.mmap, refusal: FormatRefusal) -> FormatRefusal:
    """The refusal with the row of the first byte that is not UTF-8."""
    if refusal.code != "ENCODING_INVALID_UTF8" or (offset := first_invalid_utf8(mapped)) is None:
        return refusal
    structure = scan(memoryview(mapped), (NO_DELIMITER,))
    rows = () if structure is None else rows_at(structure, find_body(structure), (offset,))
    return replace(refusal, rows=rows)


def _nul_bytes(text: Utf8Text, structure: Structure) -> FormatRefusal:
    """``structure``: up to the first of them, so rows are those of that part; all are counted."""
    looked_at = int(structure.stops[-1])
    offsets = np.flatnonzero(np.frombuffer(text.data[:looked_at], np.uint8) == 0)[:SHOWN_ROWS].tolist()
    chunks = (np.frombuffer(text.data[at : at + _CHUNK], np.uint8) for at in range(0, len(text.data), _CHUNK))
    count = sum(len(chunk) - np.count_nonzero(chunk) for chunk in chunks)
    rows = rows_at(structure, find_body(structure), offsets)
    return FormatRefusal("TEXT_NUL_BYTE", "format.text", rows=rows, count=int(count))


def _without_end(text: Utf8Text, delimiters: tuple[int, ...], limits: Limits) -> FormatRefusal | None:
    """A first line that is longer than any header: told by its beginning, whatever the size of the rest."""
    most = limits.columns * (limits.name_characters * _WIDEST + len('"";'))
    start = scan(text.data[:most], delimiters, until_nul=True) if len(text.data) > most else None
    if start is None or start.records > 1 or start.lone_cr or start.unclosed or start.has_nul:
        return None
    columns = max(int(cells[0]) for delimiter, cells in start.cells.items() if delimiter != NO_DELIMITER)
    return FormatRefusal("LIMIT_COLUMNS" if columns > limits.columns else "LIMIT_NAME", "format.header")


def _parse(text: Utf8Text, hints: FormatHints, limits: Limits) -> _Parsed | FormatRefusal:
    agreed = () if hints.delimiter is None else (ord(hints.delimiter),)
    delimiters = (*dict.fromkeys((*CANDIDATES, *agreed)), NO_DELIMITER)
    if refusal := _without_end(text, delimiters, limits):
        return refusal
    end = _LF
    structure = scan(text.data, delimiters, max_records=limits.records, until_nul=True)
    if structure is not None and structure.lone_cr and not _line_feeds(structure, text):
        end = _CR
        structure = scan(text.data, delimiters, end=_CR, max_records=limits.records, until_nul=True)
    if structure is None:
        return FormatRefusal("LIMIT_RECORDS", "format.limits", count=limits.records)
    if structure.has_nul:
        return _nul_bytes(text, structure)
    body = find_body(structure)
    if body.last == 0:
        return FormatRefusal("UNREADABLE_EMPTY_FILE", "format.content")
    if end == _LF and structure.lone_cr:
        return _line_ending(structure.lone_cr)
    return _parse_body(text, structure, body, end, hints, limits)


def _parse_body(
    text: Utf8Text, structure: Structure, body: Body, end: int, hints: FormatHints, limits: Limits
) -> _Parsed | FormatRefusal:
    def header_of(delimiter: int) -> tuple[str, ...]:
        return _header(text, structure, body, delimiter)

    choice = choose_delimiter(structure, body, hints, header_of)
    if isinstance(choice, FormatRefusal):
        return choice
    if refusal := _apostrophes(text, structure, choice.delimiter, end):
        return refusal
    names = header_of(choice.delimiter)
    if refusal := check_header(names, limits, hints):
        return refusal
    codes = _bad_records(structure, body, choice.delimiter)
    ends = len(structure.starts) - 1
    if codes and 0 < structure.crlf < ends:
        return _line_ending(min(structure.crlf, ends - structure.crlf))
    dialect = _dialect(text, structure, body, choice, end)
    bare = replace(structure, cells={}, strays={})  # which grow with the records, and are not asked any more
    return _Parsed(text, bare, body, choice.delimiter, names, codes, end, dialect)


def _line_feeds(structure: Structure, text: Utf8Text) -> int:
    return structure.records - (0 if text.data[-1] == _LF else 1)


def _line_ending(count: int) -> FormatRefusal:
    readings = ("the break ends a record", "the break belongs to a cell")
    return FormatRefusal("DIALECT_LINE_ENDING", "format.lines", undecided=True, readings=readings, count=count)


def _header(text: Utf8Text, structure: Structure, body: Body, delimiter: int) -> tuple[str, ...]:
    line = _raw(text, structure, body.first)
    if delimiter == NO_DELIMITER:
        return (line[1:-1].replace('""', '"') if line.startswith('"') else line,)
    try:
        return tuple(next(csv.reader(io.StringIO(line, newline=""), delimiter=chr(delimiter))))
    except csv.Error:  # a name of more than 128 KiB
        return (line,)


def _apostrophes(text: Utf8Text, structure: Structure, delimiter: int, end: int) -> FormatRefusal | None:
    """Undecided when apostrophes work as quotes: they wrap whole cells and change what is read."""
    if structure.quotes or not structure.has_apostrophe:
        return None
    if not _may_quote(bytes(text.data[: 1 << 16]), delimiter, end):
        return None
    quoted = scan(text.data, (delimiter,), quote=_APOSTROPHE, end=end)
    if quoted is None or quoted.unclosed or not quoted.quotes or quoted.strays[delimiter].count:
        return None
    moved = quoted.records != structure.records or bool((quoted.cells[delimiter] != structure.cells[delimiter]).any())
    pairs = quoted.quotes // 2 - quoted.doubled
    empty = b"''" in bytes(text.data)  # well-formed and not doubled: an empty cell in apostrophes
    if not (moved or quoted.doubled or empty or pairs * 2 >= structure.records - 1):
        return None
    return FormatRefusal("DIALECT_QUOTE", "format.quotes", undecided=True, readings=("'", '"'), count=pairs)


def _may_quote(sample: bytes, delimiter: int, end: int) -> bool:
    """Cheap first look: one stray apostrophe in the sample is enough to say no."""
    whole = sample[: sample.rfind(bytes([end])) + 1] or sample
    looked = scan(memoryview(whole), (delimiter,), quote=_APOSTROPHE, end=end)
    return looked is not None and not looked.strays[delimiter].count


def _bad_records(structure: Structure, body: Body, delimiter: int) -> dict[int, str]:
    """Records that are no rows, by index: another number of cells, blank, or perhaps cut short."""
    cells = structure.cells[delimiter][body.first : body.last]
    filled = (structure.stops > structure.starts)[body.first : body.last]
    odd = np.flatnonzero((cells != cells[0]) | ~filled)
    width = int(cells[0])
    codes = {int(at): _shape_code(int(cells[at]), width, bool(filled[at])) for at in odd}
    if width > 1:
        codes |= dict.fromkeys(_cut_short(cells, filled, odd), "SHAPE_MAY_CONTINUE")
    return {at + body.first: code for at, code in sorted(codes.items())}


def _shape_code(cells: int, width: int, filled: bool) -> str:
    if not filled:
        return "SHAPE_BLANK_RECORD"
    return "SHAPE_TOO_FEW_CELLS" if cells < width else "SHAPE_TOO_MANY_CELLS"


def _cut_short(cells: Counts, filled: npt.NDArray[np.bool_], odd: npt.NDArray[np.int64]) -> list[int]:
    """Sound records before a line of one cell: an unquoted line break would look exactly so."""
    suspects: list[int] = []
    last, anchor = -1, 0
    for at in odd.tolist():
        is_piece = not filled[at] or cells[at] == 1
        if at - 1 != last:
            anchor = at - 1
        if filled[at] and is_piece and anchor > 0:
            suspects.append(anchor)
        last, anchor = at, anchor if is_piece else 0
    return suspects


def _dialect(text: Utf8Text, structure: Structure, body: Body, choice: Choice, end: int) -> Dialect:
    ends = _line_feeds(structure, text) if end == _LF else structure.records
    lines = "cr" if end == _CR else "lf" if not structure.crlf else "crlf" if structure.crlf == ends else "mixed"
    evidence = {
        "encoding": text.evidence,
        "delimiter": choice.evidence,
        "quote": f"{structure.quotes} quotes, {structure.doubled} doubled, 0 stray",
        "line_ending": f"{structure.crlf} of {ends} line ends are CR LF" if end == _LF else f"{ends} line ends are CR",
    }
    return Dialect(
        format="csv",
        encoding=text.encoding,
        bom=text.bom,
        delimiter=None if choice.delimiter == NO_DELIMITER else chr(choice.delimiter),
        quote='"' if structure.quotes else None,
        line_ending=lines,
        header_row=body.first + 1,
        evidence=evidence,
    )


def _part(path: Path, parsed: _Parsed, limits: Limits, spans: tuple[_Span, ...], number: int) -> Table | FormatRefusal:
    span = spans[number]
    codes = {at: code for at, code in parsed.codes.items() if span.first <= at < span.last}
    records = span.last - span.first
    frame = _read_frame(path, parsed, span, codes)
    if frame is None:
        return FormatRefusal("UNREADABLE_PARSER_DISAGREES", "format.count", undecided=True)
    missing = records - len(codes) - frame.height
    if missing or frame.width != len(parsed.names):
        sound = parsed.body.last - parsed.body.first - 1 - len(parsed.codes)
        readings = (f"{sound} records", f"{sound - missing} records")
        return FormatRefusal("UNREADABLE_COUNT_MISMATCH", "format.count", undecided=True, readings=readings)
    frame.columns = list(parsed.names)
    numbers = _row_numbers(span, parsed.body, codes)
    is_long = len(spans) == 1 and _longest(parsed.structure) > limits.cell_bytes
    if is_long and (refusal := _large_cells(frame, numbers, limits)):
        return refusal
    frame, numbers, codes = _without_headers(frame, numbers, parsed, codes)
    return Table(frame, numbers, _bad_frame(parsed, codes), records, parsed.dialect, _notes(parsed))


def _again(parsed: _Parsed, numbers: pl.Series) -> pl.DataFrame:
    """Records that were read before. Raises FileUnreadable where the file is another one now."""
    if numbers.is_empty():
        return pl.DataFrame(schema=dict.fromkeys(parsed.names, pl.String))
    places = numbers.to_numpy() + parsed.body.first
    first = int(places[0])
    keep = np.zeros(int(places[-1]) - first + 1, bool)
    keep[places - first] = True
    frame = _from_bytes(_as_bytes(parsed, first, keep), parsed)
    if frame is None or frame.shape != (len(numbers), len(parsed.names)):
        raise FileUnreadable(Ref("records", len(numbers)))
    frame.columns = list(parsed.names)
    return frame


def _read_frame(path: Path, parsed: _Parsed, span: _Span, codes: dict[int, str]) -> pl.DataFrame | None:
    """What polars makes of the sound records of a span; None when it refuses them."""
    whole = parsed.body == Body(0, parsed.structure.records) and span == _Span(1, parsed.body.last) and not codes
    if whole and parsed.text.as_in_file and not _looks_packed(parsed):
        return _from_bytes(path, parsed)
    keep = np.ones(span.last - span.first, bool)
    keep[[at - span.first for at in codes]] = False
    return _from_bytes(_as_bytes(parsed, span.first, keep), parsed)


def _looks_packed(parsed: _Parsed) -> bool:
    start = _start(parsed, parsed.body.first)
    return bytes(parsed.text.data[start : start + 2]) in _ZLIB


def _from_bytes(source: Path | bytes, parsed: _Parsed) -> pl.DataFrame | None:
    separator = ";" if parsed.delimiter == NO_DELIMITER else chr(parsed.delimiter)
    try:
        frame = pl.read_csv(
            source,
            separator=separator,
            eol_char=chr(parsed.end),
            infer_schema=False,
            null_values=[""] if parsed.structure.quotes else None,
            quote_char='"' if parsed.structure.quotes else None,
            glob=False,
        )
    except pl.exceptions.PolarsError:
        return None  # its message may quote a cell
    return pl.DataFrame([frame.drop_in_place(name).rechunk() for name in frame.columns])  # from a hundred pieces each


def _as_bytes(parsed: _Parsed, first: int, keep: npt.NDArray[np.bool_]) -> bytes:
    """The header and the records from ``first`` on that are kept, with their line ends."""
    edges = np.flatnonzero(np.diff(keep.astype(np.int8), prepend=0, append=0)) + first
    kept = io.BytesIO()  # gives what it holds without a second copy
    let_go_at = 0
    for a, b in ((parsed.body.first, parsed.body.first + 1), *edges.reshape(-1, 2).tolist()):
        start, stop = _start(parsed, a), _start(parsed, b)
        kept.write(parsed.text.data[start:stop])
        if stop >= let_go_at:
            let_go(parsed.text.data)
            let_go_at = stop + _LET_GO
    return b"-" + kept.getvalue()[1:] if _looks_packed(parsed) else kept.getvalue()


def _start(parsed: _Parsed, record: int) -> int:
    """Offset of a record's first byte; behind the last one, of the end."""
    starts = parsed.structure.starts
    return int(starts[record]) if record < len(starts) else len(parsed.text.data)


def _row_numbers(span: _Span, body: Body, codes: dict[int, str]) -> pl.Series:
    sound = np.ones(span.last - span.first, bool)
    sound[[at - span.first for at in codes]] = False
    return pl.Series("row_number", np.flatnonzero(sound) + (span.first - body.first), dtype=pl.UInt32)


def _large_cells(frame: pl.DataFrame, numbers: pl.Series, limits: Limits) -> FormatRefusal | None:
    if not frame.width or not frame.height:
        return None
    large = frame.select(pl.any_horizontal(pl.all().str.len_bytes() > limits.cell_bytes)).to_series().fill_null(False)
    rows = numbers.filter(large)
    if not len(rows):
        return None
    return FormatRefusal("LIMIT_CELL_SIZE", "format.limits", rows=tuple(rows[:SHOWN_ROWS].to_list()), count=len(rows))


def _without_headers(
    frame: pl.DataFrame, numbers: pl.Series, parsed: _Parsed, codes: dict[int, str]
) -> tuple[pl.DataFrame, pl.Series, dict[int, str]]:
    """The frame without records that repeat the header, which become bad records."""
    first, *others = parsed.names
    maybe = frame.get_column(first) == first
    if not maybe.any():
        return frame, numbers, codes
    repeated = frame.select(pl.all_horizontal(pl.col(name).eq_missing(pl.lit(name)) for name in (first, *others)))
    mask = repeated.to_series()
    found = {row + parsed.body.first: "HEADER_REPEATED" for row in numbers.filter(mask).to_list()}
    return frame.filter(~mask), numbers.filter(~mask), dict(sorted((codes | found).items()))


def _bad_frame(parsed: _Parsed, codes: dict[int, str]) -> pl.DataFrame:
    rows = [(at - parsed.body.first, code, _raw(parsed.text, parsed.structure, at)) for at, code in codes.items()]
    return bad_records_frame(rows)


def _raw(text: Utf8Text, structure: Structure, at: int) -> str:
    return bytes(text.data[structure.starts[at] : structure.stops[at]]).decode()


def _notes(parsed: _Parsed) -> tuple[Note, ...]:
    lost = parsed.text.lost_characters
    replaced = (Note("TEXT_REPLACEMENT_CHARACTER", lost),) if lost else ()
    return padded_names(parsed.names) + replaced
