"""Erase records from delimited text; every other byte stays, in the encoding it has.

The records are located in the bytes of the file itself, not in a copy in another encoding, by the same
pass that the reader uses (:mod:`sluice.lake.read.structure`). The spans it finds are never trusted: each
record is parsed again before it is cut, and the finished file is read again.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sluice.errors import Ref
from sluice.lake.erase.cut import CHUNK, Cuts, check_output, opened, write_kept
from sluice.lake.erase.model import (
    BLANK_RECORDS_AT_END,
    Erased,
    EraseRefused,
    Numbers,
    checked_numbers,
    trailer_remarks,
)
from sluice.lake.read.csv_reader import read_csv
from sluice.lake.read.dialect import Body, find_body
from sluice.lake.read.structure import NO_DELIMITER, Structure, scan
from sluice.lake.table import Dialect, FileLimits, FormatHints, Table

_LF, _CR = 10, 13
_WIDE = {"utf-16-le": "<u2", "utf-16-be": ">u2"}
_MARKS = {"utf-8": 3, "utf-16-le": 2, "utf-16-be": 2}
"""Bytes of the byte order mark."""
_PIECES = frozenset({"SHAPE_TOO_FEW_CELLS", "SHAPE_BLANK_RECORD"})


@dataclass(frozen=True, slots=True, eq=False)
class RecordSpans:
    """Offsets in the file, from record 1 on: of its first byte, after its last byte, and after its line end."""

    starts: Numbers
    stops: Numbers
    ends: Numbers

    def cuts(self, numbers: Numbers) -> Cuts:
        """The byte ranges to cut for these records.

        When the last line has no line end and goes, the line before it keeps its own."""
        return np.stack([self.starts[numbers - 1], self.ends[numbers - 1]], axis=1)


def erase_records(
    source: Path,
    target: Path,
    records: Iterable[int] | Numbers,
    form: Table,
    *,
    limits: FileLimits | None = None,
    chunk: int = CHUNK,
) -> Erased:
    """Write ``source`` without these records to ``target``, and prove it by reading it again.

    records: numbers as in ``Table.row_numbers``, 1 = first after the header; bad records count too.
    form: what the reader returned for ``source``. target: must not exist. chunk: bytes read at a time.
    Raises EraseRefused, RecordsUnknown, LocalCopyUnreadable; then there is no target."""
    numbers = checked_numbers(records, form.record_count)
    with opened(source, target) as data:
        return cut_records(data, target, numbers, form, get_spans(data, form, chunk), limits=limits, chunk=chunk)


def get_spans(data: memoryview, form: Table, chunk: int = CHUNK) -> RecordSpans:
    """Locate every record in the bytes of the file. Raises EraseRefused.

    Memory: 24 bytes a record, and half the file when it is UTF-16."""
    dialect = form.dialect
    delimiter = NO_DELIMITER if dialect.delimiter is None else ord(dialect.delimiter)
    wide = _WIDE.get(dialect.encoding or "")
    mark = _MARKS[dialect.encoding] if dialect.bom and dialect.encoding else 0
    if wide is None and not _is_transparent(dialect):
        raise EraseRefused.because("ENCODING", Ref("encoding", dialect.encoding or "unknown"))
    text = data[mark:] if wide is None else _narrow(data[mark:], wide, chunk)
    end = _CR if dialect.line_ending == "cr" else _LF
    structure = scan(text, (delimiter,), end=end, chunk=max(64, chunk // 64 * 64))
    assert structure is not None  # it has no limit of records
    if structure.unclosed or structure.strays[delimiter].count:
        raise EraseRefused.because("AMBIGUOUS_QUOTING", Ref("count", structure.strays[delimiter].count))
    return _in_file(structure, find_body(structure, text), form, len(data), mark, 1 if wide is None else 2)


def cut_records(
    data: memoryview,
    target: Path,
    numbers: Numbers,
    form: Table,
    spans: RecordSpans,
    *,
    limits: FileLimits | None = None,
    chunk: int = CHUNK,
) -> Erased:
    """Prove that each span is the record asked for, write the file without these spans, then prove the file.

    Raises EraseRefused: SPAN_NOT_RECORD, MAY_CONTINUE, or what ``check_output`` finds."""
    _check_whole(form, numbers)
    _check_spans(data, spans, form, numbers)
    write_kept(data, spans.cuts(numbers), target, chunk)
    blank = _blank_at_end(form, numbers)
    hints = FormatHints(
        delimiter=form.dialect.delimiter, encoding=form.dialect.encoding, columns=tuple(form.frame.columns)
    )
    check_output(form, read_csv(target, hints, limits or FileLimits()), numbers, blank)
    remarks = trailer_remarks(form, numbers) + ((BLANK_RECORDS_AT_END,) if blank else ())
    return Erased(form.record_count, form.record_count - len(numbers) - blank, remarks)


def _is_transparent(dialect: Dialect) -> bool:
    """Whether the encoding keeps ASCII, and no other character has a byte of a delimiter, quote or line end."""
    encoding, plain = dialect.encoding or "", "".join(map(chr, range(128)))
    if encoding == "utf-8":
        return True
    if plain.encode("ascii").decode(encoding, "replace") != plain:
        return False
    others = "".join(map(chr, range(128, 0x10000))).encode(encoding, "ignore")
    return not any(mark in others for mark in f'{dialect.delimiter or ""}"\r\n'.encode())


def _narrow(data: memoryview, wide: str, chunk: int) -> memoryview:
    """Map each UTF-16 unit to one byte: the ASCII character itself, or 0x80 for everything else."""
    units = np.frombuffer(data, wide)
    narrow = np.empty(len(units), np.uint8)
    for at in range(0, len(units), chunk):
        narrow[at : at + chunk] = np.minimum(units[at : at + chunk], 128)
    return narrow.data


def _in_file(structure: Structure, body: Body, form: Table, size: int, mark: int, unit: int) -> RecordSpans:
    found = body.last - body.first - 1
    if found != form.record_count or body.first + 1 != form.dialect.header_row:
        raise EraseRefused.because("COUNT_DIFFERS", Ref("expected", form.record_count), Ref("found", found))
    starts, stops = (each.astype(np.int64) * unit + mark for each in (structure.starts, structure.stops))
    records = slice(body.first + 1, body.last)
    return RecordSpans(starts[records], stops[records], np.append(starts[1:], size)[records])


def _check_whole(form: Table, numbers: Numbers) -> None:
    """Check that a record that an unquoted line break may have cut is erased with all of its pieces, or not at all.

    Raises EraseRefused: MAY_CONTINUE."""
    codes: dict[int, str] = dict(form.bad_records.select("row_number", "code").iter_rows())
    asked = set(numbers.tolist())
    for number in (number for number in asked if codes.get(number) == "SHAPE_MAY_CONTINUE"):
        piece = number + 1
        while codes.get(piece) in _PIECES:
            if piece not in asked:
                raise EraseRefused.because("MAY_CONTINUE", Ref("record", piece))
            piece += 1


def _check_spans(data: memoryview, spans: RecordSpans, form: Table, numbers: Numbers) -> None:
    encoding, delimiter = form.dialect.encoding or "utf-8", form.dialect.delimiter
    for number, cells, raw in _expected(form, numbers):
        span = bytes(data[spans.starts[number - 1] : spans.stops[number - 1]])
        try:
            text = span.decode(encoding)
        except UnicodeDecodeError:
            text = None  # its message quotes the bytes
        if text is None or (text != raw if cells is None else cells_of(text, delimiter) != cells):
            raise EraseRefused.because("SPAN_NOT_RECORD", Ref("record", number))


def _expected(form: Table, numbers: Numbers) -> Iterator[tuple[int, list[str] | None, str]]:
    """Each record as the reader returned it: number, cells (None for a bad record), and a bad record's text."""
    places = np.flatnonzero(np.isin(form.row_numbers.to_numpy(), numbers))
    rows = zip(form.row_numbers.gather(places).to_list(), form.frame[places].iter_rows(), strict=True)
    for number, cells in rows:
        yield number, [cell or "" for cell in cells], ""
    bad = form.bad_records.filter(form.bad_records["row_number"].is_in(numbers.tolist()))
    for number, raw in bad.select("row_number", "raw").iter_rows():
        yield number, None, raw


def cells_of(text: str, delimiter: str | None) -> list[str] | None:
    """Split the text of one record, without its line end, into cells; None when a quote stands where none may."""
    stop = "" if delimiter is None else re.escape(delimiter)
    cell = re.compile(rf'"((?:[^"]++|"")*+)"|([^"{stop}]*+)')
    cells, at = [], 0
    while (found := cell.match(text, at)) is not None:
        quoted = found[1]
        cells.append(found[2] if quoted is None else quoted.replace('""', '"'))
        at = found.end()
        if at == len(text):
            return cells
        if text[at] != delimiter:
            break
        at += 1
    return None


def _blank_at_end(form: Table, numbers: Numbers) -> int:
    """How many blank records stay but are now followed by nothing except blank records."""
    bad = form.bad_records
    blank = set(bad.filter(bad["code"] == "SHAPE_BLANK_RECORD")["row_number"].to_list())
    asked, count = set(numbers.tolist()), 0
    for number in range(form.record_count, 0, -1):
        if number in blank and number not in asked:
            count += 1
        elif number not in asked:
            break
    return count
