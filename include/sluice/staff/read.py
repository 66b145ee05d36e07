"""Read a staff file into text cells: CSV from a person, or JSON from an e-learning system. Nothing is guessed."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from decimal import Decimal

from sluice.staff.model import Finding, RawTable, StaffFile

LARGEST_BYTES = 64 * 1024 * 1024
LARGEST_ROWS = 500_000


def read_table(file: StaffFile) -> RawTable:
    """Read the rows of a CSV (UTF-8, comma or semicolon) or of JSON ``{"rows": [{column: value}]}``."""
    if len(file.body) > LARGEST_BYTES:
        return _nothing("LIMIT_FILE_SIZE", "largest_size")
    try:
        text = file.body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _nothing("ENCODING_INVALID_UTF8", "utf8")
    if not text.strip():
        return _nothing("UNREADABLE_EMPTY_FILE", "not_empty")
    if "\0" in text:
        return _nothing("TEXT_NUL_BYTE", "no_nul")
    return _read_json(text) if file.source == "e_learning" else _read_csv(text)


def _read_csv(text: str) -> RawTable:
    first = text.lstrip("\r\n").split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if ";" in first else ",", strict=True)
    try:
        records = [tuple(cell.strip() for cell in record) for record in reader]
    except csv.Error:
        return _nothing("DIALECT_QUOTING", "rfc4180")
    while records and not any(records[-1]):
        records.pop()
    return _table(records[0], records[1:]) if records else _nothing("UNREADABLE_EMPTY_FILE", "not_empty")


def _read_json(text: str) -> RawTable:
    try:
        document = json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return _nothing("UNREADABLE_JSON", "json")
    rows = document.get("rows") if isinstance(document, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return _nothing("UNREADABLE_JSON", "rows")
    columns = tuple(dict.fromkeys(name for row in rows for name in row)) or ("kind",)
    return _table(columns, (tuple(_text(row.get(name)) for name in columns) for row in rows))


def _refuse_constant(name: str) -> None:
    raise ValueError


def _text(value: object) -> str:
    """Turn a JSON value into a cell. A list or object becomes text that no rule accepts."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return format(value, "f") if isinstance(value, Decimal) else str(value).strip()


def _table(columns: tuple[str, ...], records: Iterable[tuple[str, ...]]) -> RawTable:
    rows = tuple(records)
    if len(rows) > LARGEST_ROWS:
        return _nothing("LIMIT_RECORDS", "largest_rows")
    findings = tuple(_shape(rows, len(columns)))
    ragged = {finding.row for finding in findings}
    kept = tuple(() if number in ragged else row for number, row in enumerate(rows, 1))
    return RawTable(columns, kept, findings)


def _shape(rows: Iterable[tuple[str, ...]], width: int) -> Iterator[Finding]:
    for number, row in enumerate(rows, 1):
        if not any(row):
            yield Finding("SHAPE_BLANK_RECORD", "not_blank", None, number)
        elif len(row) != width:
            code = "SHAPE_TOO_FEW_CELLS" if len(row) < width else "SHAPE_TOO_MANY_CELLS"
            yield Finding(code, "cells_as_header", None, number)


def _nothing(code: str, rule: str) -> RawTable:
    return RawTable(findings=(Finding(code, rule, None, 0),))
