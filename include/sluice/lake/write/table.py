"""Write a table of text to a file in the contract's form; the same arguments give the same bytes.

Cells are taken as they are: no date, number or phone number is rewritten. CSV and TSV get apostrophes
where a spreadsheet would run a cell; XLSX marks such cells as text; JSON, NDJSON and Parquet keep the
exact value.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from sluice.errors import Ref
from sluice.lake.s3.objects import hash_of
from sluice.lake.write.model import FORMATS, Changes, WriteForm, WriteFormInvalid, Written

if TYPE_CHECKING:
    import polars as pl

_NOTHING: Mapping[bytes, bytes] = MappingProxyType({})


def write_table(
    frame: "pl.DataFrame",
    types: Mapping[str, str],
    form: WriteForm,
    path: Path,
    *,
    title: str,
    metadata: Mapping[bytes, bytes] = _NOTHING,
) -> Written:
    """Write ``frame`` (every column String) to ``path``, which appears whole or not at all.

    types: column -> ODCS logicalType, absent = string. title: document property of a workbook.
    metadata: key-value metadata of a Parquet file. Raises WriteFormInvalid, ValueUnwritable."""
    if form.format not in FORMATS or not frame.width:
        raise WriteFormInvalid(Ref("setting", "format"))
    draft = path.with_name(f".{path.name}.part")
    try:
        changes = _write(frame, types, form, draft, title, metadata)
        digest, size = hash_of(draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return Written(path, digest, size, changes.neutralised, changes.as_text)


def _write(
    frame: "pl.DataFrame",
    types: Mapping[str, str],
    form: WriteForm,
    path: Path,
    title: str,
    metadata: Mapping[bytes, bytes],
) -> Changes:
    if form.format in ("csv", "tsv"):
        from sluice.lake.write.text import write_text

        return write_text(frame, form, path)
    if form.format == "xlsx":
        from sluice.lake.write.xlsx import write_xlsx

        return write_xlsx(frame, types, form, path, title)
    from sluice.lake.write.machine import write_json, write_parquet

    if form.format == "parquet":
        return write_parquet(frame, types, form, path, metadata)
    return write_json(frame, types, form, path)
