"""Make the rows of a sheet as XML, a column at a time; writing cell by cell takes the library ten times as long.

XlsxWriter makes the rest of the workbook. This module writes letter by letter what XlsxWriter writes for the same
cells (tests compare them), with one exception: XlsxWriter takes a text from ``<r>`` to ``</r>`` for its own markup.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl
from xlsxwriter.utility import xl_col_to_name  # type: ignore[import-untyped]
from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]

from sluice.lake.write.formulas import is_live

if TYPE_CHECKING:
    from xlsxwriter.format import Format  # type: ignore[import-untyped]

_AT_ONCE = 20_000
_LITERAL_ESCAPE = r"(_x[0-9a-fA-F]{4}_)"
_CONTROLS = {chr(code): f"_x{code:04X}_" for code in (*range(9), *range(11, 32), 0xFFFE, 0xFFFF)}
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", **_CONTROLS}
"""Tab and line feed stay. XML cannot hold the other control characters, so Excel has its own escape for them."""


class RowsSheet(Worksheet):  # type: ignore[misc]
    """A sheet that takes rows as XML, in a workbook in ``constant_memory`` mode. No cell may be written after them."""

    def write_rows(
        self,
        frame: pl.DataFrame,
        dates: Mapping[str, pl.Series],
        shown: Mapping[str, "Format"],
        text: "Format",
        quoted: "Format",
    ) -> None:
        """Write all rows of a frame of text, below the header.

        ``dates``: datetimes that replace texts, with the formats ``shown``; ``quoted``: format of a text that begins
        like a formula."""
        self._check_dimensions(frame.height, max(frame.width - 1, 0))
        self._write_single_row(1)  # the header, which the library holds until the next row
        styles = {name: _style(style) for name, style in shown.items()}
        for start in range(0, frame.height, _AT_ONCE):
            part = frame.slice(start, _AT_ONCE)
            days = {name: self._serials(each.slice(start, _AT_ONCE)) for name, each in dates.items()}
            self.fh.writelines(rows_xml(part, start + 2, days, styles, _style(text), _style(quoted)).to_list())

    def _serials(self, days: pl.Series) -> pl.Series:
        """Excel's serial numbers (days since 1899-12-31) as text, null for null."""
        known: Sequence[datetime] = days.drop_nulls().unique().to_list()
        texts = [f"{self._convert_date_time(day):.16G}" for day in known]
        return days.replace_strict(known, texts, default=None, return_dtype=pl.String)


def rows_xml(
    frame: pl.DataFrame, first: int, serials: Mapping[str, pl.Series], styles: Mapping[str, str], text: str, quoted: str
) -> pl.Series:
    """One row of XML per row of a frame, empty for a row without cells. ``first``: its row number, 1 = the header."""
    numbers = pl.lit(pl.int_range(first, first + frame.height, eager=True).cast(pl.String))
    cells = [
        _cells(frame[name], numbers, xl_col_to_name(place), serials.get(name), styles.get(name, text), text, quoted)
        for place, name in enumerate(frame.columns)
    ]
    inner = pl.select(pl.concat_str(cells)).to_series() if cells else pl.repeat("", frame.height, eager=True)
    row = pl.concat_str(pl.lit('<row r="'), numbers, pl.lit('">'), inner, pl.lit("</row>"))
    return pl.select(pl.when(inner == "").then(pl.lit("")).otherwise(row)).to_series()


def _cells(
    texts: pl.Series,
    numbers: pl.Expr,
    letters: str,
    serials: pl.Series | None,
    day: str,
    text: str,
    quoted: str,
) -> pl.Expr:
    """An expression for the cells of a column, empty where nothing is written. All columns are computed together."""
    raw = pl.lit(texts)
    style = pl.when(is_live(raw, inside=False)).then(pl.lit(quoted)).otherwise(pl.lit(text))
    words = pl.lit(escaped(texts))
    space = pl.when(words.str.contains(r"^\s|\s$")).then(pl.lit(' xml:space="preserve"')).otherwise(pl.lit(""))
    opened = pl.concat_str(pl.lit(f'<c r="{letters}'), numbers)
    written = pl.concat_str(
        opened, style, pl.lit(' t="inlineStr"><is><t'), space, pl.lit(">"), words, pl.lit("</t></is></c>")
    )
    cell = pl.when(raw.is_null() | (raw == "")).then(pl.lit("")).otherwise(written)
    if serials is not None:
        number = pl.concat_str(opened, pl.lit(f"{day}><v>"), serials, pl.lit("</v></c>"))
        cell = pl.when(serials.is_not_null()).then(number).otherwise(cell)
    return cell


def escaped(texts: pl.Series) -> pl.Series:
    """Escape text for a cell: first with Excel's own escapes, then with those of XML."""
    if texts.str.contains("_x", literal=True).any():
        texts = texts.str.replace_all(_LITERAL_ESCAPE, "_x005F${1}")
    return texts.str.replace_many(_ESCAPES) if texts.str.contains_any(list(_ESCAPES)).any() else texts


def _style(shown: "Format") -> str:
    """The XML that ends a cell's reference and names its style."""
    return f'" s="{shown._get_xf_index()}"'
