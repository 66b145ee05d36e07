"""JSON, NDJSON and Parquet hold exactly what the table held: typed where nothing is lost, else text."""

import datetime as dt
import json
import subprocess
import sys
import tempfile
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lake.formulas import ATTACKS
from sluice.lake.write.model import WriteForm, Written
from sluice.lake.write.table import write_table
from support.effort import effort

TEXT = st.one_of(st.none(), st.sampled_from(ATTACKS), st.text(max_size=10))
NUMBERS = st.one_of(
    st.none(),
    st.integers(-(10**16), 10**16).map(str),
    st.decimals(allow_nan=False, allow_infinity=False, places=4, max_value=10**12, min_value=-(10**12)).map(
        "{:f}".format
    ),
    st.sampled_from(
        ["0", "-0", "007", "+5", "1e5", "1.", ".5", "-0.0", "12.50", "999999999999999", "9999999999999999"]
    ),
)


def write(frame: pl.DataFrame, form: WriteForm, folder: str | Path, types: dict[str, str] | None = None) -> Written:
    return write_table(frame, types or {}, form, Path(folder) / f"out.{form.format}", title="t")


def rows_of(done: Written, form: str) -> list[dict[str, object]]:
    text = done.path.read_text(encoding="utf-8")
    parse = {"parse_float": Decimal}
    return json.loads(text, **parse) if form == "json" else [json.loads(one, **parse) for one in text.split("\n")[:-1]]


@settings(max_examples=effort(25, 100), deadline=None)
@given(cells=st.lists(TEXT, max_size=6), form=st.sampled_from(["json", "ndjson"]))
def test_json_text_is_exact(cells, form):
    frame = pl.DataFrame({"a": cells, "=b": cells}, schema={"a": pl.String, "=b": pl.String})
    with tempfile.TemporaryDirectory() as folder:
        done = write(frame, WriteForm(form), folder)
        assert rows_of(done, form) == frame.to_dicts()
    assert done.neutralised == {}


@settings(max_examples=effort(20, 60), deadline=None)
@given(cells=st.lists(TEXT, max_size=6))
def test_parquet_text_is_exact_for_polars_and_duckdb(cells):
    frame = pl.DataFrame({"a": cells, "=b": cells}, schema={"a": pl.String, "=b": pl.String})
    with tempfile.TemporaryDirectory() as folder:
        path = write(frame, WriteForm("parquet"), folder).path
        assert pl.read_parquet(path).equals(frame)
        assert duckdb.execute("select * from read_parquet(?)", [str(path)]).fetchall() == frame.rows()


@settings(max_examples=effort(25, 100), deadline=None)
@given(cells=st.lists(NUMBERS, min_size=1, max_size=4), kind=st.sampled_from(["integer", "number"]))
def test_a_number_is_the_same_number_or_text(cells, kind):
    frame = pl.DataFrame({"n": cells}, schema={"n": pl.String})
    with tempfile.TemporaryDirectory() as folder:
        done = write(frame, WriteForm("json"), folder, {"n": kind})
        found = [row["n"] for row in rows_of(done, "json")]
    if done.as_text:
        assert found == cells
    else:
        assert [None if one is None else Decimal(one) for one in found] == [
            None if cell is None else Decimal(cell) for cell in cells
        ]


def test_types_of_json_and_parquet(tmp_path):
    frame = pl.DataFrame(
        {
            "calls": ["3", None, "-12"],
            "amount": ["12,50", "0,1", None],
            "sold": ["true", "false", None],
            "day": ["24/11/2026", None, "01/02/2027"],
            "at": ["2026-11-24T10:00:00.000000Z", "2026-11-24T10:00:00.123456Z", None],
            "code": ["007", "1", "2"],
            "when": ["9:05", None, "10:00"],
        }
    )
    types = {"calls": "integer", "amount": "number", "sold": "boolean", "day": "date", "at": "timestamp"}
    types |= {"code": "integer", "when": "time"}
    form = {"decimal_comma": True, "date_formats": {"day": "%d/%m/%Y"}}

    lines = write(frame, WriteForm("ndjson", **form), tmp_path, types)
    parquet = write(frame, WriteForm("parquet", **form), tmp_path, types)

    assert lines.path.read_text().splitlines()[0] == (
        '{"calls":3,"amount":12.5,"sold":true,"day":"24/11/2026","at":"2026-11-24T10:00:00.000000Z","code":"007","when":"9:05"}'
    )
    assert lines.as_text == parquet.as_text == ("code",)
    read = pl.read_parquet(parquet.path)
    assert read.schema["at"] == pl.Datetime("us", "UTC")
    assert read.row(0)[:4] == (3, 12.5, True, dt.date(2026, 11, 24))
    assert read["at"][1] == dt.datetime(2026, 11, 24, 10, 0, 0, 123456, dt.UTC)
    assert read["code"].to_list() == ["007", "1", "2"]


def test_a_date_that_its_format_would_write_otherwise_is_text_and_a_format_without_a_time_is_of_dates_only(tmp_path):
    frame = pl.DataFrame({"day": ["1/2/2026", "03/04/2026"]})
    done = write(frame, WriteForm("parquet", date_format="%d/%m/%Y"), tmp_path, {"day": "date"})
    assert done.as_text == ("day",)
    assert pl.read_parquet(done.path).equals(frame)
    days, moments = WriteForm("csv", date_format="%d/%m/%Y"), WriteForm("csv", date_format="%d/%m/%Y %H:%M")
    assert days.formats_of("day", "date") == ("%d/%m/%Y",)
    assert "%d/%m/%Y" not in days.formats_of("at", "timestamp")
    assert moments.formats_of("at", "timestamp") == ("%d/%m/%Y %H:%M",)


@pytest.mark.parametrize(("at", "kept"), [("10:30", pl.String), ("00:00", pl.Date)], ids=["a time", "control: none"])
def test_a_day_that_is_written_with_a_time_of_day_does_not_lose_it(at, kept, tmp_path):
    frame = pl.DataFrame({"day": [f"24/11/2026 {at}", None]})
    done = write(frame, WriteForm("parquet", date_format="%d/%m/%Y %H:%M"), tmp_path, {"day": "date"})
    assert pl.read_parquet(done.path).schema["day"] == kept
    assert done.as_text == (("day",) if kept is pl.String else ())


def test_a_night_without_values_has_the_schema_of_every_other_night(tmp_path):
    types = {"day": "date", "at": "timestamp", "n": "number"}
    full = pl.DataFrame({"day": ["2026-11-24"], "at": ["2026-11-24T10:00:00.000000Z"], "n": ["1.5"]})
    schemas = [
        pl.read_parquet_schema(write(one, WriteForm("parquet"), tmp_path, types).path)
        for one in (full, full.clear(), full.with_columns(pl.lit(None, pl.String).alias(name) for name in full.columns))
    ]
    assert schemas[0] == schemas[1] == schemas[2]


def test_parquet_carries_the_metadata_and_no_value_in_its_footer(tmp_path):
    frame = pl.DataFrame({"note": ["needle-in-footer", "b"]})
    path = tmp_path / "x.parquet"
    write_table(frame, {}, WriteForm("parquet"), path, title="t", metadata={b"sluice.role_statement": b'{"a":1}'})
    found = pq.read_metadata(path)
    assert found.metadata[b"sluice.role_statement"] == b'{"a":1}'
    assert not found.row_group(0).column(0).is_stats_set


@pytest.mark.parametrize("form", ["json", "ndjson", "parquet"])
def test_a_table_without_rows_is_still_a_file(form, tmp_path):
    done = write(pl.DataFrame(schema={"a": pl.String}), WriteForm(form), tmp_path, {"a": "integer"})
    assert {"json": b"[]\n", "ndjson": b""}.get(form, done.path.read_bytes()) == done.path.read_bytes()
    assert done.size_bytes == done.path.stat().st_size
    if form == "parquet":
        assert pl.read_parquet(done.path).height == 0


AGAIN = """
import sys
from pathlib import Path
import polars as pl
from sluice.lake.write.model import WriteForm
from sluice.lake.write.table import write_table
frame = pl.DataFrame({"id": ["1", "2"], "day": ["2026-11-24", None], "n": ["1.5", "2"], "note": ["=1", "x;-y"]})
for name in ("csv", "tsv", "xlsx", "json", "ndjson", "parquet"):
    done = write_table(
        frame, {"day": "date", "n": "number"}, WriteForm(name), Path(sys.argv[1]) / name, title="t",
        metadata={b"b": b"2", b"a": b"1"},
    )
    print(done.sha256)
"""


@pytest.mark.slow
def test_another_process_at_another_time_writes_the_same_bytes(tmp_path, pytestconfig):
    answers = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        folder.mkdir()
        done = subprocess.run(
            [sys.executable, "-c", AGAIN, str(folder)],
            env={"PYTHONPATH": str(pytestconfig.rootpath / "include"), "PYTHONHASHSEED": seed, "TZ": f"XXX-{seed}"},
            capture_output=True,
            text=True,
            check=True,
        )
        answers.append(done.stdout.split())
    assert answers[0] == answers[1]
    assert answers[0] == [sha256((tmp_path / "1" / name).read_bytes()).hexdigest() for name in FORMAT_NAMES]
    assert sorted(path.name for path in (tmp_path / "1").iterdir()) == sorted(FORMAT_NAMES)


FORMAT_NAMES = ("csv", "tsv", "xlsx", "json", "ndjson", "parquet")
