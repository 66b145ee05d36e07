"""Read Parquet into the same table as CSV: every plain value becomes text.

Whole numbers have no decimal point, not even those that pandas made floats because a value is missing. Other
floats have their shortest exact spelling, decimals the places of their type. Dates and times are ISO 8601,
timestamps with a zone are in UTC. A contract may want dates, times and decimals otherwise. Lists, records, bytes,
durations and decimals of more than 38 digits are refused.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from sluice.lake.header import header_refusal, padded_names
from sluice.lake.read.parquet_int96 import exact_unit
from sluice.lake.spelling import spelled
from sluice.lake.table import SHOWN_ROWS, Dialect, FileLimits, FormatHints, FormatRefusal, Table, bad_records_frame

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

FORMAT = "parquet"
_RULE = "format.parquet"
_MOST_EXACT = 2**53
_FEWEST_CELLS = 512
_MOST_ROWS = 1024
"""How many rows are read at a time, at most."""
_SECONDS = "%Y-%m-%dT%H:%M:%S"
_MOST_DAYS = 95_000_000
"""How far a day may lie from 1970 to be spelled, 260,000 years: some writers mean infinity by one that lies further."""
_IN_A_DAY = {"ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}


def read_parquet(path: Path, hints: FormatHints, limits: FileLimits) -> Table | FormatRefusal:
    """Read a Parquet file as a table, or say why that is impossible.

    An empty text is null, as in every format. Raises OSError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            names = tuple(file.schema_arrow.names)
            if refusal := header_refusal(names, limits, hints) or _check(file, limits):
                return refusal
        unit = exact_unit(path)
        if unit is None:
            return FormatRefusal("UNREADABLE_PARQUET", _RULE)
        with pq.ParquetFile(path, coerce_int96_timestamp_unit=unit) as file:
            values = _values(file, limits, path.stat().st_size)
            if isinstance(values, FormatRefusal):
                return values
            values.validate(full=True)
            found = pl.DataFrame(values)
            far = _far(found)
            frame = _texts(found.with_columns(found[name].set(is_far, None) for name, is_far in far.items()), hints)
    except OSError as error:
        if error.errno:
            raise
        return FormatRefusal("UNREADABLE_PARQUET", _RULE)  # Arrow reports a damaged file so, without a number
    except (pa.ArrowException, pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError):
        return FormatRefusal("UNREADABLE_PARQUET", _RULE)
    if refusal := _check_cells(frame, limits):
        return refusal
    bad = _bad_records(frame, far)
    numbers = pl.int_range(1, frame.height + 1, dtype=pl.UInt32, eager=True).alias("row_number")
    sound = ~numbers.is_in(bad["row_number"].implode())
    dialect = Dialect(format=FORMAT, evidence={"format": "magic number and footer"})
    return Table(frame.filter(sound), numbers.filter(sound), bad, frame.height, dialect, padded_names(names))


def _far(frame: pl.DataFrame) -> dict[str, pl.Series]:
    """For each column with days that no library can spell, which of its cells hold one."""
    moments = (each for each in frame if each.dtype == pl.Date or isinstance(each.dtype, pl.Datetime))
    found = {each.name: ~_days(each).is_between(-_MOST_DAYS, _MOST_DAYS) for each in moments}
    return {name: is_far.fill_null(False) for name, is_far in found.items() if is_far.any()}


def _days(moments: pl.Series) -> pl.Series:
    """Days since 1970."""
    kind = moments.dtype
    return (
        moments.to_physical() // _IN_A_DAY[kind.time_unit] if isinstance(kind, pl.Datetime) else moments.to_physical()
    )


def _bad_records(frame: pl.DataFrame, far: dict[str, pl.Series]) -> pl.DataFrame:
    """The records with a far day, each with the column of its first one; their texts leave it out."""
    places: dict[int, int] = {}
    for name, is_far in reversed(far.items()):
        places |= dict.fromkeys((is_far.arg_true() + 1).to_list(), frame.get_column_index(name) + 1)
    numbers = sorted(places)
    cells = frame[pl.Series(numbers, dtype=pl.Int64) - 1].iter_rows()
    texts = (json.dumps(row, ensure_ascii=False) for row in cells)
    return bad_records_frame(
        [(at, "VALUE_DATE_IMPOSSIBLE", text) for at, text in zip(numbers, texts, strict=True)], places
    )


def _check(file: "pq.ParquetFile", limits: FileLimits) -> FormatRefusal | None:
    """Check the footer against the limits and for nested columns, before a page is read."""
    about = file.metadata
    if about.num_rows > limits.records:
        return FormatRefusal("LIMIT_RECORDS", "format.limits", count=about.num_rows)
    size = sum(about.row_group(number).total_byte_size for number in range(about.num_row_groups))
    if size > limits.file_bytes:
        return FormatRefusal("LIMIT_FILE_SIZE", "format.limits", count=size)
    odd = {at: field.type for at, field in enumerate(file.schema_arrow, 1) if not _is_plain(field.type)}
    nested = tuple(at for at, kind in odd.items() if _holds_more(kind))
    code, columns = ("SHAPE_NESTED", nested) if nested else ("SHAPE_COLUMN_TYPE", tuple(odd))
    return FormatRefusal(code, _RULE, columns=columns, count=len(columns)) if columns else None


def _holds_more(kind: "pa.DataType") -> bool:
    """Whether a cell may hold more than one value, or bytes."""
    from pyarrow import BaseExtensionType, types

    if isinstance(kind, BaseExtensionType):
        return _holds_more(kind.storage_type)
    tests = (
        types.is_nested, types.is_binary, types.is_large_binary, types.is_binary_view, types.is_fixed_size_binary,
    )  # fmt: skip
    return any(test(kind.value_type if types.is_dictionary(kind) else kind) for test in tests)


def _is_plain(kind: "pa.DataType") -> bool:
    from pyarrow import types

    if types.is_dictionary(kind):
        return _is_plain(kind.value_type)
    tests = (
        types.is_string, types.is_large_string, types.is_string_view, types.is_integer, types.is_floating,
        _is_decimal, types.is_boolean, types.is_date, types.is_timestamp, types.is_time, types.is_null,
    )  # fmt: skip
    return any(test(kind) for test in tests)


def _is_decimal(kind: "pa.DataType") -> bool:
    from pyarrow import types

    return bool(types.is_decimal(kind)) and not types.is_decimal256(kind)


def plain_schema(schema: "pa.Schema") -> "pa.Schema":
    """The schema with categories replaced by the type of their values, and text views by plain strings."""
    import pyarrow as pa
    from pyarrow import types

    def plain(kind: "pa.DataType") -> "pa.DataType":
        value = kind.value_type if types.is_dictionary(kind) else kind
        return pa.string() if types.is_string_view(value) else value

    return pa.schema([field.with_type(plain(field.type)) for field in schema], schema.metadata)


def _values(file: "pq.ParquetFile", limits: FileLimits, packed_bytes: int) -> "pa.Table | FormatRefusal":
    """All rows, decoded, as long as that is not too large: a dictionary repeats a value at no cost in the file."""
    import pyarrow as pa

    schema, size, batches = plain_schema(file.schema_arrow), 0, []
    most = limits.unpacked_bytes(packed_bytes)
    for coded in file.iter_batches(batch_size=_rows_at_once(file, limits, most)):
        batch = coded.cast(schema)
        size += batch.nbytes
        if size > most:
            return FormatRefusal(limits.swollen(packed_bytes), "format.limits", count=size)
        batches.append(batch)
    return pa.Table.from_batches(batches, schema)


def _rows_at_once(file: "pq.ParquetFile", limits: FileLimits, most: int) -> int:
    """How many rows to read at once: few enough to fit the limit with the largest possible cells.

    Yet no fewer than some hundred cells, and always a row."""
    about = file.metadata
    groups = (about.row_group(number).total_byte_size for number in range(about.num_row_groups))
    widest = max(about.num_columns * limits.cell_bytes, *groups, 1)
    return max(1, min(_MOST_ROWS, max(_FEWEST_CELLS // max(len(file.schema_arrow), 1), most // int(widest))))


def _texts(frame: pl.DataFrame, hints: FormatHints) -> pl.DataFrame:
    forms = dict(hints.moments)
    return frame.select(
        _agreed(pl.col(name), kind, forms.get(name), has_comma=name in hints.commas).alias(name)
        for name, kind in frame.schema.items()
    )


def _agreed(column: pl.Expr, kind: pl.DataType, form: str | None, *, has_comma: bool) -> pl.Expr:
    """The text in the contract's format where that loses nothing, else the default text."""
    text = _text(column, kind)
    if form and (kind in (pl.Date, pl.Time) or (isinstance(kind, pl.Datetime) and not kind.time_zone)):
        moments = column.cast(pl.Datetime("us")) if kind == pl.Date else column
        return pl.coalesce(spelled(moments, form, has_day=kind != pl.Time), text)
    return text.str.replace(".", ",", literal=True) if has_comma and kind.is_numeric() else text


def _text(column: pl.Expr, kind: pl.DataType) -> pl.Expr:
    if kind.is_float():
        is_whole = (column == column.round(0)) & (column.abs() < _MOST_EXACT)
        whole = pl.when(is_whole).then(column).cast(pl.Int64).cast(pl.String)
        return pl.coalesce(whole, column.cast(pl.String))
    if kind == pl.Boolean:
        return pl.when(column).then(pl.lit("TRUE")).when(~column).then(pl.lit("FALSE"))
    if isinstance(kind, pl.Datetime):
        return _moment(column, kind)
    if kind == pl.Time:
        return column.dt.to_string("%H:%M:%S%.f")
    text = column.cast(pl.String)
    return pl.when(text != "").then(text)


def _moment(column: pl.Expr, kind: pl.Datetime) -> pl.Expr:
    zone = "Z" if kind.time_zone else ""
    utc = column.dt.convert_time_zone("UTC") if kind.time_zone else column
    is_exact = utc.dt.nanosecond() == 0
    return pl.when(is_exact).then(utc.dt.strftime(_SECONDS + zone)).otherwise(utc.dt.strftime(f"{_SECONDS}%.f{zone}"))


def _check_cells(frame: pl.DataFrame, limits: FileLimits) -> FormatRefusal | None:
    """Refuse cells with NUL or above the size limit."""
    for code, is_wrong in (
        ("TEXT_NUL_BYTE", pl.all().str.contains("\0", literal=True)),
        ("LIMIT_CELL_SIZE", pl.all().str.len_bytes() > limits.cell_bytes),
    ):
        rows = frame.select(pl.any_horizontal(is_wrong.fill_null(False))).to_series().arg_true() + 1
        if len(rows):
            return FormatRefusal(code, _RULE, rows=tuple(rows.head(SHOWN_ROWS).to_list()), count=len(rows))
    return None
