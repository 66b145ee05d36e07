"""Write CSV and TSV as agreed: RFC 4180, quotes only where needed, every character kept or a coded error."""

import codecs
import io
from pathlib import Path

import polars as pl

from sluice.errors import Ref
from sluice.lake.write.formulas import neutralise, neutralised_text
from sluice.lake.write.model import Changes, ValueUnwritable, WriteForm, WriteFormInvalid, check_nul

_ROWS = 50_000
"""How many rows are converted to another encoding at a time."""
_UNICODE = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")
"""Encodings that hold every character; ``utf-16`` is little-endian with a byte order mark."""
_END = "\r\n"


def write_text(frame: pl.DataFrame, form: WriteForm, path: Path) -> Changes:
    """Write ``frame`` with a header; lines end in CRLF, an empty text is ``""`` and a null is nothing.

    Raises WriteFormInvalid for delimiter or encoding, ValueUnwritable for characters or NUL."""
    delimiter, encoding = _delimiter(form), _encoding(form)
    safe = neutralise(frame, inside=form.guard_other_delimiters)
    names = {name: neutralised_text(name, inside=form.guard_other_delimiters) for name in frame.columns}
    renamed = {name: 1 for name, new in names.items() if new != name}
    check_nul(safe.nul, frame.columns)
    _check_characters(frame, encoding)
    out = safe.frame.rename(names)
    if out.width == 1:  # a null alone would give a blank line, which is no record
        out = out.with_columns(pl.all().fill_null(""))
    _write(out, delimiter, encoding, path)
    counts = {name: safe.counts.get(name, 0) + renamed.get(name, 0) for name in frame.columns}
    return Changes({name: count for name, count in counts.items() if count})


def _delimiter(form: WriteForm) -> str:
    if form.format == "tsv":
        delimiter = form.delimiter or "\t"
    else:
        delimiter = form.delimiter or (";" if form.decimal_comma else ",")
    usable = len(delimiter) == 1 and delimiter.isascii() and not delimiter.isalnum() and delimiter not in "\"'\r\n\0"
    if not usable or (form.format == "tsv" and delimiter != "\t"):
        raise WriteFormInvalid(Ref("setting", "delimiter"))
    return delimiter


def _encoding(form: WriteForm) -> str:
    """The Python name of the encoding: UTF-8, UTF-16, or a one-byte superset of ASCII. Raises WriteFormInvalid."""
    try:
        name = codecs.lookup(form.encoding or "utf-8").name
        if name in _UNICODE:
            return name
        ascii_stays = bytes(range(128)).decode(name) == bytes(range(128)).decode("ascii")
        one_byte = all(len(bytes([value]).decode(name, "replace")) == 1 for value in range(256))
    except (LookupError, ValueError):
        ascii_stays = one_byte = False
    if not (ascii_stays and one_byte):
        raise WriteFormInvalid(Ref("setting", "encoding"))
    return name


def _check_characters(frame: pl.DataFrame, encoding: str) -> None:
    """Check that a one-byte ``encoding`` holds all characters. Raises ValueUnwritable with the columns."""
    if encoding in _UNICODE:
        return
    lost = {name: 0 for name in frame.columns if not _fits(name, encoding)}
    wide = frame.select((pl.all().str.len_bytes() != pl.all().str.len_chars()).any())
    for texts in frame.select(name for name in frame.columns if wide[name][0]):
        cells = texts.filter(texts.str.len_bytes() != texts.str.len_chars())
        if count := sum(not _fits(cell, encoding) for cell in cells):
            lost[texts.name] = count
    if lost:
        raise ValueUnwritable.in_columns("write.encoding", lost)


def _fits(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _write(frame: pl.DataFrame, delimiter: str, encoding: str, path: Path) -> None:
    if encoding.startswith("utf-8"):
        frame.write_csv(path, separator=delimiter, line_terminator=_END, include_bom=encoding == "utf-8-sig")
        return
    codec = "utf-16-le" if encoding == "utf-16" else encoding
    with path.open("wb") as file:
        file.write(codecs.BOM_UTF16_LE if encoding == "utf-16" else b"")
        for start in range(0, max(frame.height, 1), _ROWS):
            part = io.BytesIO()
            header = start == 0
            frame.slice(start, _ROWS).write_csv(part, separator=delimiter, line_terminator=_END, include_header=header)
            same = encoding not in _UNICODE and part.getvalue().isascii()
            file.write(part.getvalue() if same else part.getvalue().decode().encode(codec))
