"""Turn spreadsheet cells into text without damage, or into a code if they were damaged before.

Integers have no decimal point and get the leading zeros of their format; other numbers get Python's
shortest exact spelling. Dates are ISO, by the calendar of the workbook, or in the contract's format if
that loses nothing. Text stays as it is. The usual libraries would round numbers to nine decimals, or
turn a sixteen-digit number into another one.
"""

from collections.abc import Mapping, Sequence

import polars as pl

from sluice.lake.spelling import spelled
from sluice.lake.xlsx.formats import NUMBER, Shown
from sluice.lake.xlsx.package import XmlRefused
from sluice.lake.xlsx.workbook import Workbook

TEXTS = pl.Schema({"row": pl.UInt32, "column": pl.UInt32, "text": pl.String, "code": pl.String})

_DAY_MS = 86_400_000
_INTEGER = r"^(?:0|-?[1-9][0-9]{0,14})$"
_NUMBER = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"
_BOOLEANS = {"1": "TRUE", "true": "TRUE", "0": "FALSE", "false": "FALSE"}
_IS_DATED = pl.col("shown").is_in([Shown.DATE, Shown.DATETIME, Shown.TIME, Shown.ELAPSED])
_MOST_EXACT = 10**15
_LAST_DAY_1900, _LAST_DAY_1904 = 2_958_466, 2_957_004
"""First serial after 9999-12-31 in each calendar."""


def cell_texts(cells: pl.DataFrame, strings: pl.Series, workbook: Workbook) -> pl.DataFrame:
    """Each cell as text, or with a code. Raises XmlRefused for a cell that refers to nothing or is of no known type."""
    _check_styles(cells, workbook)
    found, left = list[pl.DataFrame](), cells.height
    for kind in ("s", "n", "str", "inlineStr", "d", "b", "e"):
        is_one = pl.col("type").fill_null("n") == kind  # an expression: a literal column is stored once
        count = int(cells.select(is_one.sum()).item()) if left else 0
        if count:
            of_kind = cells if count == cells.height else cells.filter(is_one)
            found.append(_of_type(kind, of_kind, strings, workbook))
        left -= count
    if left:
        raise XmlRefused("UNREADABLE_CELL")
    return pl.concat(found) if found else pl.DataFrame(schema=TEXTS)


def _of_type(kind: str, cells: pl.DataFrame, strings: pl.Series, workbook: Workbook) -> pl.DataFrame:
    """The texts of cells of one known type."""
    if kind == "s":
        return _shared(cells, strings)
    if kind == "n":
        numbers = _with_formats(cells, workbook)
        return pl.concat([_numbers(numbers.filter(~_IS_DATED)), _dates(numbers.filter(_IS_DATED), workbook.date_1904)])
    if kind == "b":
        return _booleans(cells)
    if kind == "e":
        return _errors(cells)
    return _texts(cells, _iso_text() if kind == "d" else pl.col("text"))


def agreed_texts(
    cells: pl.DataFrame, workbook: Workbook, forms: Mapping[int, str], commas: Sequence[int]
) -> pl.DataFrame:
    """Dates, times and numbers in the contract's format; a cell for which that would lose something is left out.

    cells: of a sheet that :func:`cell_texts` has read; forms: column -> strptime format; commas: columns whose numbers
    get a decimal comma."""
    columns = pl.Series([*forms, *commas], dtype=pl.UInt32)
    mine = pl.col("column").is_in(columns.implode()) & (pl.col("type").fill_null("n") == "n")
    numbers = _with_formats(cells.filter(mine), workbook)
    in_commas = pl.col("column").is_in(pl.Series(commas, dtype=pl.UInt32).implode())
    plain = _numbers(numbers.filter(~_IS_DATED & in_commas))
    dated = numbers.filter(_IS_DATED & (pl.col("shown") != Shown.ELAPSED))
    found = [plain.with_columns(pl.col("text").str.replace(".", ",", literal=True))]
    for column, form in forms.items():
        part = dated.filter(pl.col("column") == column)
        day, clock = (spelled(pl.col("moment"), form, has_day=has_day) for has_day in (True, False))
        text = _timed(part, workbook.date_1904).select(text=pl.when("clock").then(clock).otherwise(day)).to_series()
        found.append(_texts(part, text))
    return pl.concat(found).drop_nulls("text")


def _check_styles(cells: pl.DataFrame, workbook: Workbook) -> None:
    if cells.height and cells.select(pl.col("style").max()).item() >= len(workbook.formats or (NUMBER,)):
        raise XmlRefused("UNREADABLE_CELL")


def _with_formats(cells: pl.DataFrame, workbook: Workbook) -> pl.DataFrame:
    """Add what the number format of each cell shows. Every style must exist."""
    formats = workbook.formats or (NUMBER,)
    shown = pl.Series("shown", [str(each.shown) for each in formats]).gather(cells["style"])
    digits = pl.Series("digits", [each.digits for each in formats], dtype=pl.UInt32).gather(cells["style"])
    return cells.with_columns(shown, digits)


def _texts(cells: pl.DataFrame, text: pl.Series | pl.Expr, code: pl.Series | pl.Expr | None = None) -> pl.DataFrame:
    no_code = pl.lit(None, dtype=pl.String)
    return cells.select("row", "column", text=text, code=no_code if code is None else code).cast(TEXTS)


def _iso_text() -> pl.Expr:
    return pl.col("text").str.replace("T", " ", literal=True).str.strip_suffix("Z")


def _shared(cells: pl.DataFrame, strings: pl.Series) -> pl.DataFrame:
    index = cells["text"].cast(pl.UInt32, strict=False)
    if index.null_count():
        index = cells["text"].str.strip_chars().cast(pl.UInt32, strict=False)
    if index.null_count() or int(index.max() or 0) >= len(strings):  # type: ignore[arg-type]
        raise XmlRefused("UNREADABLE_CELL")
    pointing, is_empty = cells.select("row", "column", index=index), strings == ""
    if is_empty.any():
        pointing = pointing.filter(~is_empty.gather(index))
    return _texts(pointing, strings.gather(pointing["index"]))


def _booleans(cells: pl.DataFrame) -> pl.DataFrame:
    if not cells["text"].is_in(list(_BOOLEANS)).all():
        raise XmlRefused("UNREADABLE_CELL")
    return _texts(cells, pl.col("text").replace(_BOOLEANS))


def _errors(cells: pl.DataFrame) -> pl.DataFrame:
    return _texts(cells, pl.col("text"), pl.lit("VALUE_ERROR_CELL"))


def _numbers(cells: pl.DataFrame) -> pl.DataFrame:
    _check_numbers(cells)
    simple = cells["text"].str.contains(_INTEGER)
    odd = cells.filter(~simple)
    values = odd["text"].cast(pl.Float64).to_list()
    text = pl.Series("text", [_spelled(value) for value in values], dtype=pl.String)
    long = pl.Series("code", [abs(value) >= _MOST_EXACT for value in values], dtype=pl.Boolean)
    code = pl.select(pl.when(long).then(pl.lit("VALUE_NUMBER_PRECISION"))).to_series()
    whole = cells.filter(simple).with_columns(code=pl.lit(None, dtype=pl.String))
    read = pl.concat([whole, odd.with_columns(text=text, code=code)])
    is_plain = (pl.col("shown") == Shown.NUMBER) & (pl.col("digits") == 1)
    plain = read.filter(is_plain)
    return pl.concat([_texts(plain, pl.col("text"), pl.col("code")), _as_shown(read.filter(~is_plain))])


def _as_shown(cells: pl.DataFrame) -> pl.DataFrame:
    """Numbers with the leading zeros of their format; a code where it shows digits that cannot be written here."""
    text, digits, is_padded = pl.col("text"), pl.col("digits"), pl.col("shown") == Shown.PADDED
    is_whole = text.str.contains(r"^-?[0-9]+$")
    is_short = text.str.extract(r"^-?([0-9]*)").str.len_chars() < digits
    is_other = (pl.col("shown") == Shown.FORMED) | pl.when(is_padded).then(~is_whole).otherwise(is_short)
    zeros = text.str.zfill(digits + text.str.starts_with("-").cast(pl.UInt32))
    code = pl.coalesce("code", pl.when(is_other).then(pl.lit("VALUE_NUMBER_FORMAT")))
    return _texts(cells, pl.when(is_padded & is_whole).then(zeros).otherwise(text), code)


def _spelled(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e21 else repr(value)


def _check_numbers(cells: pl.DataFrame) -> None:
    if not cells["text"].str.contains(_NUMBER).all():
        raise XmlRefused("UNREADABLE_CELL")


def _dates(cells: pl.DataFrame, date_1904: bool) -> pl.DataFrame:
    _check_numbers(cells)
    timed = _timed(cells, date_1904)
    ms, clock, elapsed = timed["ms"], timed["clock"], cells["shown"] == Shown.ELAPSED
    has_time = (pl.col("shown") != Shown.DATE) | (pl.col("ms") % _DAY_MS != 0)
    exact = pl.col("ms") % 1000 != 0
    text = timed.select(
        pl.when("clock").then(_clock(exact, "%H:%M:%S"))
        .when(has_time).then(_clock(exact, "%Y-%m-%d %H:%M:%S"))
        .otherwise(pl.col("moment").dt.strftime("%Y-%m-%d"))
    ).to_series()  # fmt: skip
    text = text.clone().scatter(elapsed.arg_true(), [_hours(value) for value in ms.filter(elapsed).to_list()])
    wrong = ~elapsed & ~clock & _is_impossible(ms, date_1904)
    code = pl.select(pl.when(wrong).then(pl.lit("VALUE_DATE_IMPOSSIBLE"))).to_series()
    return _texts(cells, text, code)


def _timed(cells: pl.DataFrame, date_1904: bool) -> pl.DataFrame:
    """Milliseconds and timestamp of each cell, what its format shows, and whether it is a time of day."""
    serial = cells["text"].cast(pl.Float64)
    ms = (serial.clip(-1e9, 1e9) * _DAY_MS).round(0).cast(pl.Int64)
    clock = (cells["shown"] == Shown.TIME) & (serial >= 0) & (serial < 1)
    return pl.DataFrame({"ms": ms, "moment": _moments(ms, date_1904), "shown": cells["shown"], "clock": clock})


def _clock(exact: pl.Expr, form: str) -> pl.Expr:
    moment = pl.col("moment").dt
    return pl.when(exact).then(moment.strftime(form + ".%3f")).otherwise(moment.strftime(form))


def _moments(ms: pl.Series, date_1904: bool) -> pl.Series:
    """Serial milliseconds as timestamps; meaningless for impossible serials, which get a code anyway.

    The 1900 calendar counts a 29 February 1900, which did not exist, so serials from 61 on are one too high."""
    base = -2_082_844_800_000 if date_1904 else -2_209_161_600_000
    shift = 0 if date_1904 else _DAY_MS
    early = (ms < 60 * _DAY_MS).cast(pl.Int64) * shift
    bounded = ms.clip(0, _LAST_DAY_1900 * _DAY_MS)
    return (bounded + early + base).cast(pl.Datetime("ms"))


def _is_impossible(ms: pl.Series, date_1904: bool) -> pl.Series:
    if date_1904:
        return (ms < 0) | (ms >= _LAST_DAY_1904 * _DAY_MS)
    leap = (ms >= 60 * _DAY_MS) & (ms < 61 * _DAY_MS)
    return (ms < _DAY_MS) | leap | (ms >= _LAST_DAY_1900 * _DAY_MS)


def _hours(ms: int) -> str:
    """A duration as hours, minutes and seconds; hours may pass 24."""
    seconds, rest = divmod(abs(ms), 1000)
    part = f".{rest:03d}" if rest else ""
    return f"{'-' if ms < 0 else ''}{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{part}"
