"""Read delimited text into a table: find encoding, structure and dialect, then give them all to polars.

Two independent readers must agree: our own pass over the bytes finds records and cells, polars makes
the columns, and the counts are compared.
"""

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
from sluice.lake.header import padded_names
from sluice.lake.read.csv_records import Records, find_records, raw
from sluice.lake.read.dialect import Body, find_body, rows_at
from sluice.lake.read.encoding import find_text, first_invalid_utf8
from sluice.lake.read.parts import Parts
from sluice.lake.read.structure import NO_DELIMITER, Structure, let_go, scan
from sluice.lake.table import (
    SHOWN_ROWS,
    FileLimits,
    FormatHintInvalid,
    FormatHints,
    FormatRefusal,
    LocalCopyUnreadable,
    Note,
    Table,
    bad_records_frame,
)

_ZLIB = (b"x^", b"x\x01", b"x\xda")
"""First bytes of a text that polars would take for a zlib stream and inflate.

Such a text is passed with another first letter, which changes only a column name that is not used."""
_LET_GO = 16 << 20
"""After how many bytes the pages of the mapped file are released from memory."""


@dataclass(frozen=True, slots=True)
class _Span:
    """The records of one part: from ``first`` up to, not including, ``last``, by index in the structure."""

    first: int
    last: int


def read_csv(path: Path, hints: FormatHints, limits: FileLimits) -> Table | FormatRefusal:
    """Read a non-empty text file as one table, or say why that is impossible. Raises as :func:`open_csv`.

    While a text in another encoding is read, its UTF-8 copy lies in the same folder, in a file without a name."""
    parts = open_csv(path, hints, limits, folder=path.parent)
    return parts if isinstance(parts, FormatRefusal) else parts.read(0)


def open_csv(
    path: Path, hints: FormatHints, limits: FileLimits, *, folder: Path | None = None, part_bytes: int | None = None
) -> Parts | FormatRefusal:
    """Open a non-empty text file as a table in parts of about ``part_bytes``, or say why that is impossible.

    Encoding, dialect and the end of every record of the whole file are known on return. folder: as for
    ``find_text``. Raises FormatHintInvalid when the contract names an impossible encoding or delimiter."""
    _check_hint(hints)
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    text = find_text(mapped, hints, folder)
    if isinstance(text, FormatRefusal):
        return _with_row(mapped, text)
    parsed = find_records(text, hints, limits)
    if isinstance(parsed, FormatRefusal):
        return parsed
    spans = _spans(parsed, limits, part_bytes)
    return Parts(len(spans), partial(_part, path, parsed, limits, spans), partial(_again, parsed))


def _spans(parsed: Records, limits: FileLimits, part_bytes: int | None) -> tuple[_Span, ...]:
    """Where to cut the file into parts.

    A file that may have too large a cell is read as one part, so that all such cells are reported together."""
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
    """Add to the refusal the row of the first byte that is not UTF-8."""
    if refusal.code != "ENCODING_INVALID_UTF8" or (offset := first_invalid_utf8(mapped)) is None:
        return refusal
    structure = scan(memoryview(mapped), (NO_DELIMITER,))
    rows = () if structure is None else rows_at(structure, find_body(structure, mapped), (offset,))
    return replace(refusal, rows=rows)


def _part(
    path: Path, parsed: Records, limits: FileLimits, spans: tuple[_Span, ...], number: int
) -> Table | FormatRefusal:
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


def _again(parsed: Records, numbers: pl.Series) -> pl.DataFrame:
    """Read records a second time. Raises LocalCopyUnreadable when the file has changed since."""
    if numbers.is_empty():
        return pl.DataFrame(schema=dict.fromkeys(parsed.names, pl.String))
    places = numbers.to_numpy() + parsed.body.first
    first = int(places[0])
    keep = np.zeros(int(places[-1]) - first + 1, bool)
    keep[places - first] = True
    frame = _from_bytes(_as_bytes(parsed, first, keep), parsed)
    if frame is None or frame.shape != (len(numbers), len(parsed.names)):
        raise LocalCopyUnreadable(Ref("records", len(numbers)))
    frame.columns = list(parsed.names)
    return frame


def _read_frame(path: Path, parsed: Records, span: _Span, codes: dict[int, str]) -> pl.DataFrame | None:
    """Let polars read the sound records of a span; None when it refuses them."""
    whole = parsed.body == Body(0, parsed.structure.records) and span == _Span(1, parsed.body.last) and not codes
    if whole and parsed.text.as_in_file and not _looks_packed(parsed):
        return _from_bytes(path, parsed)
    keep = np.ones(span.last - span.first, bool)
    keep[[at - span.first for at in codes]] = False
    return _from_bytes(_as_bytes(parsed, span.first, keep), parsed)


def _looks_packed(parsed: Records) -> bool:
    start = _start(parsed, parsed.body.first)
    return bytes(parsed.text.data[start : start + 2]) in _ZLIB


def _from_bytes(source: Path | bytes, parsed: Records) -> pl.DataFrame | None:
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
    return pl.DataFrame([frame.drop_in_place(name).rechunk() for name in frame.columns])  # polars leaves many chunks


def _as_bytes(parsed: Records, first: int, keep: npt.NDArray[np.bool_]) -> bytes:
    """The header and the records from ``first`` on that are kept, with their line ends."""
    edges = np.flatnonzero(np.diff(keep.astype(np.int8), prepend=0, append=0)) + first
    kept = io.BytesIO()  # getvalue() makes no second copy
    let_go_at = 0
    for a, b in ((parsed.body.first, parsed.body.first + 1), *edges.reshape(-1, 2).tolist()):
        start, stop = _start(parsed, a), _start(parsed, b)
        kept.write(parsed.text.data[start:stop])
        if stop >= let_go_at:
            let_go(parsed.text.data)
            let_go_at = stop + _LET_GO
    return b"-" + kept.getvalue()[1:] if _looks_packed(parsed) else kept.getvalue()


def _start(parsed: Records, record: int) -> int:
    """Offset of a record's first byte; for the index after the last record, the end of the text."""
    starts = parsed.structure.starts
    return int(starts[record]) if record < len(starts) else len(parsed.text.data)


def _row_numbers(span: _Span, body: Body, codes: dict[int, str]) -> pl.Series:
    sound = np.ones(span.last - span.first, bool)
    sound[[at - span.first for at in codes]] = False
    return pl.Series("row_number", np.flatnonzero(sound) + (span.first - body.first), dtype=pl.UInt32)


def _large_cells(frame: pl.DataFrame, numbers: pl.Series, limits: FileLimits) -> FormatRefusal | None:
    if not frame.width or not frame.height:
        return None
    large = frame.select(pl.any_horizontal(pl.all().str.len_bytes() > limits.cell_bytes)).to_series().fill_null(False)
    rows = numbers.filter(large)
    if not len(rows):
        return None
    return FormatRefusal("LIMIT_CELL_SIZE", "format.limits", rows=tuple(rows[:SHOWN_ROWS].to_list()), count=len(rows))


def _without_headers(
    frame: pl.DataFrame, numbers: pl.Series, parsed: Records, codes: dict[int, str]
) -> tuple[pl.DataFrame, pl.Series, dict[int, str]]:
    """Move records that repeat the header from the frame to the bad records; return frame, numbers and codes."""
    first, *others = parsed.names
    maybe = frame.get_column(first) == first
    if not maybe.any():
        return frame, numbers, codes
    repeated = frame.select(pl.all_horizontal(pl.col(name).eq_missing(pl.lit(name)) for name in (first, *others)))
    mask = repeated.to_series()
    found = {row + parsed.body.first: "HEADER_REPEATED" for row in numbers.filter(mask).to_list()}
    return frame.filter(~mask), numbers.filter(~mask), dict(sorted((codes | found).items()))


def _bad_frame(parsed: Records, codes: dict[int, str]) -> pl.DataFrame:
    rows = [(at - parsed.body.first, code, raw(parsed.text, parsed.structure, at)) for at, code in codes.items()]
    return bad_records_frame(rows)


def _notes(parsed: Records) -> tuple[Note, ...]:
    lost = parsed.text.lost_characters
    replaced = (Note("TEXT_REPLACEMENT_CHARACTER", "format.encoding", lost),) if lost else ()
    return padded_names(parsed.names) + replaced
