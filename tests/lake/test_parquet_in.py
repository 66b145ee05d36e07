"""Parquet as a principal writes it: the text of each value, and nothing that is no plain value."""

import io
from base64 import b64decode
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lake.reading import read_bytes, refusal_of, table_of
from sluice.lake.erase.in_parquet import erase_records
from sluice.lake.erase.model import EraseRefused
from sluice.lake.read.reader import read_table
from sluice.lake.table import FileLimits, FormatHints, FormatRefusal
from support.effort import effort


def written(table: pa.Table, **options: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, **options)
    return out.getvalue()


def column(values: Sequence[object], kind: pa.DataType) -> bytes:
    return written(pa.table({"name": pa.array(values, kind)}))


BRUSSELS = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
KINDS: dict[str, tuple[pa.DataType, list[object], list[str | None]]] = {
    "text": (pa.string(), ["a", "", None, " é "], ["a", None, None, " é "]),
    "large text": (pa.large_string(), ["a"], ["a"]),
    "integers": (pa.int64(), [0, -7, 2**60, None], ["0", "-7", str(2**60), None]),
    "unsigned": (pa.uint64(), [2**64 - 1], [str(2**64 - 1)]),
    "floats": (pa.float64(), [1.0, 0.1, -2.50, None, 1e300], ["1", "0.1", "-2.5", None, "1e+300"]),
    "no numbers": (pa.float64(), [float("nan"), float("inf")], ["NaN", "inf"]),
    "half": (pa.float32(), [0.1], ["0.1"]),
    "decimals": (pa.decimal128(9, 2), [Decimal("12.50")], ["12.50"]),
    "truth": (pa.bool_(), [True, False, None], ["TRUE", "FALSE", None]),
    "days": (pa.date32(), [date(2026, 3, 1)], ["2026-03-01"]),
    "times": (pa.time64("us"), [time(9, 5)], ["09:05:00"]),
    "moments": (
        pa.timestamp("us"),
        [datetime(2026, 3, 1, 9, 5), datetime(2026, 3, 1, 9, 5, 0, 120_000)],
        ["2026-03-01T09:05:00", "2026-03-01T09:05:00.120"],
    ),
    "zoned": (pa.timestamp("ms", "Europe/Brussels"), [BRUSSELS], ["2026-03-01T12:30:00Z"]),
    "categories": (pa.dictionary(pa.int8(), pa.string()), ["a", "b", "a"], ["a", "b", "a"]),
    "nothing": (pa.null(), [None], [None]),
}


def texts_of(folder: Path, kind: str, hints: FormatHints | None = None) -> list[str | None]:
    arrow, values, _ = KINDS[kind]
    table = table_of(read_bytes(folder, column(values, arrow), "drop.parquet", hints))
    assert table.row_numbers.to_list() == list(range(1, len(values) + 1))
    return table.frame["name"].to_list()


@pytest.mark.parametrize("kind", KINDS)
def test_each_plain_value_has_its_text(tmp_path, kind):
    assert texts_of(tmp_path, kind) == KINDS[kind][2]


AS_THEY_ARE = ["a", None, None, " é "]


@pytest.mark.parametrize(
    ("kind", "form", "texts"),
    [
        ("days", "%d/%m/%Y", ["01/03/2026"]),
        ("days", "%d/%m/%y", ["01/03/26"]),
        ("days", "%m/%Y", ["2026-03-01"]),
        ("days", "%H:%M", ["2026-03-01"]),
        ("days", "%Y-%m-%dT%H:%M:%S", ["2026-03-01T00:00:00"]),
        ("times", "%H:%M", ["09:05"]),
        ("times", "%H", ["09:05:00"]),
        ("times", "%d/%m/%Y %H:%M", ["09:05:00"]),
        ("moments", "%d/%m/%Y %H:%M", ["01/03/2026 09:05", "2026-03-01T09:05:00.120"]),
        ("moments", "%d/%m/%Y %H:%M:%S.%f", ["01/03/2026 09:05:00.000000", "01/03/2026 09:05:00.120000"]),
        ("zoned", "%d/%m/%Y %H:%M", ["2026-03-01T12:30:00Z"]),
        ("text", "%d/%m/%Y", AS_THEY_ARE),
        ("decimals", ",", ["12,50"]),
        ("half", ",", ["0,1"]),
        ("text", ",", AS_THEY_ARE),
    ],
)
def test_a_value_is_given_as_the_contract_writes_it_where_that_leaves_nothing_out(tmp_path, kind, form, texts):
    hints = FormatHints(commas=("name",)) if form == "," else FormatHints(moments=(("name", form),))
    assert texts_of(tmp_path, kind, hints) == texts


def test_whole_numbers_that_pandas_made_floats_are_whole_again(tmp_path):
    out = io.BytesIO()
    pd.DataFrame({"contract": [4711, None, 12]}).to_parquet(out)
    table = table_of(read_bytes(tmp_path, out.getvalue(), name="drop.parquet"))
    assert table.frame["contract"].to_list() == ["4711", None, "12"]


NESTED = {
    "list": pa.array([[1]], pa.list_(pa.int64())),
    "record": pa.array([{"a": 1}], pa.struct([("a", pa.int64())])),
    "bytes": pa.array([b"\xff"], pa.binary()),
    "map": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
    "fixed bytes": pa.array([b"x" * 16], pa.binary(16)),
    "uuid": pa.array([b"x" * 16], pa.uuid()),
    "category of bytes": pa.array([b"x"]).dictionary_encode(),
}
TYPED = {
    "duration": pa.array([5], pa.duration("s")),
    "long decimal": pa.array([Decimal("1.5")], pa.decimal256(50, 2)),
    "json": pa.array(['{"a": 1}'], pa.json_()),
}


@pytest.mark.parametrize("kind", NESTED | TYPED)
def test_what_is_no_plain_value_or_of_a_type_that_is_not_read_is_named_by_its_column(tmp_path, kind):
    code = "SHAPE_NESTED" if kind in NESTED else "SHAPE_COLUMN_TYPE"
    odd = (NESTED | TYPED)[kind]
    refusal = refusal_of(read_bytes(tmp_path, written(pa.table({"id": ["1"], "odd": odd})), name="drop.parquet"))
    assert (refusal.code, refusal.columns) == (code, (2,))
    both = written(pa.table({"odd": odd, "id": [["1"]]}))
    columns = (1, 2) if kind in NESTED else (2,)
    assert refusal_of(read_bytes(tmp_path, both, name="drop.parquet")).columns == columns, "what is nested comes first"


def test_damage_is_damage_and_never_a_shorter_table(tmp_path):
    whole = column([f"value {n}" for n in range(500)], pa.string())
    cut = {refusal_of(read_bytes(tmp_path, whole[:at], name="drop")).code for at in range(4, len(whole) - 1, 97)}
    assert cut == {"UNREADABLE_PARQUET"}
    assert table_of(read_bytes(tmp_path, whole, name="drop")).record_count == 500


@pytest.mark.parametrize(
    ("content", "said", "code", "rows"),
    [
        (written(pa.Table.from_arrays([pa.array(["1"]), pa.array(["2"])], ["a", "a"])), {}, "HEADER_DUPLICATE", ()),
        (column(["a", "b\0"], pa.string()), {}, "TEXT_NUL_BYTE", (2,)),
        (column(["x" * 50], pa.string()), {"limits": FileLimits(cell_bytes=49)}, "LIMIT_CELL_SIZE", (1,)),
        (column(["x" * 50], pa.string()), {"limits": FileLimits(records=0)}, "LIMIT_RECORDS", ()),
        (column(["x" * 50], pa.string()), {"limits": FileLimits(columns=0)}, "LIMIT_COLUMNS", ()),
        (column(["x" * 50], pa.string()), {"limits": FileLimits(cell_bytes=50)}, None, ()),
        (column(["a"], pa.string()), {"wanted": FormatHints(format="csv")}, "WRONG_FORMAT_NOT_AS_AGREED", ()),
        (column(["a"], pa.string()), {"wanted": FormatHints(format="parquet")}, None, ()),
    ],
)
def test_names_cells_and_the_contract_are_held_to_the_rules_of_every_format(tmp_path, content, said, code, rows):
    (tmp_path / "object").write_bytes(content)
    answer = read_table(tmp_path / "object", file_name="a.parquet", **said)
    if code is None:
        assert table_of(answer).record_count == 1
    else:
        assert (refusal_of(answer).code, refusal_of(answer).rows) == (code, rows)


@pytest.mark.parametrize("codec", ["none", "snappy", "zstd"])
def test_who_is_erased_is_in_no_category_and_no_statistic(tmp_path: Path, codec: str) -> None:
    source, target = tmp_path / "object", tmp_path / "erased"
    frame = pd.DataFrame({"name": pd.Categorical(["Ann", "Zacharias", "Ann"]), "contract": [1.0, None, 3.0]})
    frame.to_parquet(source, compression=None if codec == "none" else codec)
    assert codec != "none" or b"Zacharias" in source.read_bytes(), "control: it was there"
    done = erase_records(source, target, [2], table_of(read_table(source, file_name="a.parquet")))
    assert (done.rows_before, done.rows_after) == (3, 2)
    assert (
        b"Zacharias" not in target.read_bytes() and pq.read_metadata(target).row_group(0).column(0).statistics is None
    )
    left = pd.read_parquet(target)
    assert left["name"].tolist() == ["Ann", "Ann"] and left["contract"].tolist() == [1.0, 3.0]
    codes = pa.concat_tables([pq.read_table(target)]).column("name").type
    assert codes == pa.string(), "its list of categories went with it"


TEXTS = st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@settings(max_examples=effort(20, 60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(TEXTS, min_size=1), st.sampled_from(["snappy", "zstd", "gzip", "none"]), st.booleans())
def test_text_comes_back_as_it_was(tmp_path: Path, values: list[str | None], codec: str, paged: bool) -> None:
    content = written(pa.table({"name": values}), compression=codec, use_dictionary=paged, row_group_size=3)
    found = table_of(read_bytes(tmp_path, content, name="drop.parquet")).frame["name"]
    assert found.to_list() == [value or None for value in values]
    assert found.dtype == pl.String


DISTANT = {
    "day": (pa.date32(), 2**31 - 1, 20_000, "2024-10-04"),
    "day before all": (pa.date32(), -(2**31), 20_000, "2024-10-04"),
    "moment": (pa.timestamp("ms"), 2**62, 1_700_000_000_000, "2023-11-14T22:13:20"),
    "moment of another": (pa.timestamp("us", "UTC"), 2**63 - 1, 1_700_000_000_000_000, "2023-11-14T22:13:20Z"),
    "moment before all": (pa.timestamp("us"), -(2**63) + 1, 1_700_000_000_000_000, "2023-11-14T22:13:20"),
}
"""A type, a value that no library can spell (DuckDB writes so what it calls infinity), and one that all can."""


@pytest.mark.parametrize("kind", DISTANT)
def test_a_day_that_no_library_can_spell_makes_its_record_none(tmp_path: Path, kind: str) -> None:
    of, far, near, spelled = DISTANT[kind]
    days = pa.array([near, far, None, far], of)
    content = written(pa.table({"id": ["1", "2", "3", "4"], "a": days, "b": days[::-1]}))
    table = table_of(read_bytes(tmp_path, content, name="drop.parquet"))
    assert table.frame.rows() == []
    assert [(bad.row, bad.code, bad.place) for bad in table.bad_rows] == [
        (row, "VALUE_DATE_IMPOSSIBLE", place) for row, place in ((1, 3), (2, 2), (3, 3), (4, 2))
    ]
    alone = table_of(read_bytes(tmp_path, written(pa.table({"id": ["1", "2", "3", "4"], "a": days})), "drop.parquet"))
    assert alone.frame.rows() == [("1", spelled), ("3", None)] and alone.row_numbers.to_list() == [1, 3]
    assert alone.bad_records["raw"].to_list() == ['["2", null]', '["4", null]'] and alone.record_count == 4


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_a_day_as_far_as_its_unit_goes_is_one_where_it_can_be_spelled(tmp_path: Path, unit: str) -> None:
    most = {"ms": 10**15, "us": 10**18, "ns": 2**63 - 1}[unit]
    content = written(pa.table({"x": pa.array([most, -most], pa.timestamp(unit))}), version="2.6")
    table = table_of(read_bytes(tmp_path, content, name="drop.parquet"))
    assert table.record_count == table.frame.height == 2


def test_a_small_file_that_swells_a_hundredfold_is_no_table(tmp_path: Path) -> None:
    path = tmp_path / "object"
    path.write_bytes(written(pa.table({"x": pa.array(["x" * 50_000] * 400)})))
    refusal = refusal_of(read_table(path, file_name="a.parquet"))
    assert refusal.code == "ARCHIVE_RATIO" and 16 << 20 < refusal.count < 20 << 20, "it stops where it is too much"
    path.write_bytes(written(pa.table({"x": pa.array(["x" * 50_000] * 300)})))
    assert table_of(read_table(path, file_name="a.parquet")).record_count == 300, "the control"


@pytest.mark.parametrize("is_category", [True, False])
def test_one_long_value_repeated_counts_each_time(tmp_path: Path, is_category: bool) -> None:
    texts = pa.array(["x" * 50_000] * 100).dictionary_encode()
    path = tmp_path / "object"
    path.write_bytes(written(pa.table({"x": texts if is_category else texts.cast(pa.string())})))
    codes = refusal_of(read_table(path, file_name="a.parquet", limits=FileLimits(file_bytes=1 << 20)))
    assert codes.code == "LIMIT_FILE_SIZE" and path.stat().st_size < 100_000
    assert table_of(read_table(path, file_name="a.parquet", limits=FileLimits(file_bytes=6 << 20))).record_count == 100


def erased(folder: Path, content: bytes) -> bytes:
    source, target = folder / "object", folder / "erased"
    source.write_bytes(content)
    assert b"Zacharias" in content, "control: it was there"
    erase_records(source, target, [2], table_of(read_table(source, file_name="a.parquet")))
    return target.read_bytes()


NAMES = ["Ann", "Zacharias"]
PLAIN = pa.table({"name": NAMES})
MARKED = pa.field("name", pa.string(), metadata={b"most": b"Zacharias"})
FRAME = pd.DataFrame({"name": NAMES})
FRAME.attrs["who"] = "Zacharias"
TELLING = {
    "schema": PLAIN.replace_schema_metadata({b"who": b"Zacharias"}),
    "field": PLAIN.cast(pa.schema([MARKED])),
    "pandas": pa.Table.from_pandas(FRAME),
}


@pytest.mark.parametrize("where", TELLING)
def test_metadata_that_could_name_who_left_is_not_copied(tmp_path: Path, where: str) -> None:
    with pytest.raises(EraseRefused, match="PARQUET_METADATA"):
        erased(tmp_path, written(TELLING[where]))
    assert not (tmp_path / "erased").exists()


def polars_file(kind: Any) -> bytes:
    out = io.BytesIO()
    pl.DataFrame({"name": pl.Series(NAMES, dtype=kind)}).write_parquet(out, compression="uncompressed")
    return out.getvalue()


LEFT = {
    "enum": polars_file(pl.Enum(NAMES)),
    "categorical": polars_file(pl.Categorical),
    "no number": written(pa.table({"name": NAMES, "x": [float("nan")] * 2}), compression="none"),
    "view": written(pa.table({"name": pa.array(NAMES, pa.string_view())}), compression="none"),
    "int96": written(
        pa.table({"name": NAMES, "at": pa.array([1, 2], pa.timestamp("ns"))}),
        compression="none",
        use_deprecated_int96_timestamps=True,
    ),
}


@pytest.mark.parametrize("case", LEFT)
def test_one_row_leaves_the_files_of_other_writers(tmp_path: Path, case: str) -> None:
    left = erased(tmp_path, LEFT[case])
    assert b"Zacharias" not in left and pl.read_parquet(left)["name"].to_list() == ["Ann"]
    footer = pq.read_metadata(io.BytesIO(left)).metadata or {}
    assert b"Zacharias" not in b64decode(footer.get(b"ARROW:schema", b""))


FAR = ["0001-01-01T00:00:00", "1816-03-30T05:56:08.066276", "2026-11-25T09:30:00", "9999-12-31T23:59:59.999999"]
FINE = ["1700-01-01T00:00:00.000000001", "2026-11-25T09:30:00"]


def int96_file(moments: list[str], unit: str) -> bytes:
    """As Spark writes it: with one more row in front, whose name is Zacharias; a last one has no moment."""
    at = pa.array(np.array([moments[0], *moments, "NaT"], f"datetime64[{unit}]"))
    names = ["Zacharias", *map(str, range(len(at) - 1))]
    return written(pa.table({"name": names, "at": at}), use_deprecated_int96_timestamps=True, compression="none")


@pytest.mark.parametrize(("moments", "unit"), [(FAR, "us"), (FINE, "ns")])
def test_an_old_timestamp_is_the_moment_it_says_in_any_year(tmp_path: Path, moments: list[str], unit: str) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(int96_file(moments, unit))
    table = table_of(read_table(path, file_name="a.parquet"))
    assert table.frame["at"].to_list() == [moments[0], *moments, None]
    erase_records(path, tmp_path / "erased", [1], table)
    left = table_of(read_table(tmp_path / "erased", file_name="a.parquet"))
    assert left.frame["at"].to_list() == [*moments, None]
    assert pq.ParquetFile(tmp_path / "erased").schema.column(1).physical_type == "INT96", "the type that came"


def test_old_timestamps_that_no_unit_holds_together_are_refused_not_changed(tmp_path: Path) -> None:
    near = pa.array(np.array(FINE[:1], "datetime64[ns]"))
    far = pa.array(np.array(FAR[3:], "datetime64[us]"))
    content = written(pa.table({"near": near, "far": far}), use_deprecated_int96_timestamps=True)
    path = tmp_path / "a.parquet"
    path.write_bytes(content)
    assert read_table(path, file_name="a.parquet") == FormatRefusal("UNREADABLE_PARQUET", "format.parquet")
