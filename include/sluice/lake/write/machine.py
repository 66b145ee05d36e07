"""JSON, NDJSON and Parquet: formats for programs, so values are exact and nothing is neutralised."""

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from sluice.errors import Ref
from sluice.lake.write.model import Changes, WriteForm, WriteFormInvalid
from sluice.lake.write.values import typed

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS = 50_000
_ROWS_PER_GROUP = 100_000


def write_json(frame: pl.DataFrame, types: Mapping[str, str], form: WriteForm, path: Path) -> Changes:
    """Write one object per row: one per line (``ndjson``), or all in one array (``json``).

    UTF-8 (RFC 8259). Integers, numbers and booleans are JSON values, everything else is text as it
    is in the frame; a missing value is null. Raises WriteFormInvalid for another encoding."""
    if (form.encoding or "utf-8").lower().replace("_", "-") not in ("utf-8", "utf8"):
        raise WriteFormInvalid(Ref("setting", "encoding"), Ref("format", form.format))
    values, as_text = typed(frame, types, form, with_moments=False)
    with path.open("wb") as file:
        for part in _lines(values) if form.format == "ndjson" else _array(values):
            file.write(part)
    return Changes(as_text=as_text)


def write_parquet(
    frame: pl.DataFrame, types: Mapping[str, str], form: WriteForm, path: Path, metadata: Mapping[bytes, bytes]
) -> Changes:
    """Write a Parquet file; ``metadata`` becomes key-value metadata of its schema.

    It has no statistics, because a minimum or maximum is a value in clear in the footer. It uses Snappy,
    which every reader has. A timestamp whose format names UTC is a UTC timestamp, any other a local one."""
    from polars import CompatLevel

    values, as_text = typed(frame, types, form, with_moments=True)
    put_table(values.to_arrow(compat_level=CompatLevel.oldest()), path, metadata)
    return Changes(as_text=as_text)


def put_table(
    table: "pa.Table",
    path: Path,
    metadata: Mapping[bytes, bytes],
    *,
    keeps_arrow_types: bool = False,
    with_int96: bool = False,
) -> None:
    """Write a table as Parquet; the same table gives the same bytes.

    keeps_arrow_types: store Arrow's types beside Parquet's own. with_int96: write timestamps in the old
    form of Spark and Impala."""
    import pyarrow.parquet as pq

    table = table.replace_schema_metadata(dict(sorted(metadata.items())) if keeps_arrow_types else None)
    with pq.ParquetWriter(
        path,
        table.schema,
        compression="snappy",
        write_statistics=False,
        store_schema=keeps_arrow_types,
        use_deprecated_int96_timestamps=with_int96,
        version="2.6",
        data_page_version="1.0",
    ) as writer:
        writer.write_table(table, row_group_size=_ROWS_PER_GROUP)
        if not keeps_arrow_types:
            writer.add_key_value_metadata(dict(sorted(metadata.items())))


def _lines(frame: pl.DataFrame) -> Iterator[bytes]:
    for part in frame.iter_slices(_ROWS):
        if part.height:
            lines = io.BytesIO()
            part.write_ndjson(lines)
            yield lines.getvalue()


def _array(frame: pl.DataFrame) -> Iterator[bytes]:
    """The rows as one array. Splitting at line breaks is safe, because JSON escapes them inside text."""
    before = b"["
    for part in _lines(frame):
        yield before + b"\n" + part.rstrip(b"\n").replace(b"\n", b",\n")
        before = b","
    yield b"[]\n" if before == b"[" else b"\n]\n"
