"""CSV as agreed: every other program reads the same cells, or the file is not written."""

import csv
import io
import tempfile
from pathlib import Path

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lake.formulas import ATTACKS, HARMLESS
from sluice.lake.read.reader import read_table
from sluice.lake.table import FormatHints, Table
from sluice.lake.write.formulas import neutralised_text, restored
from sluice.lake.write.model import ValueUnwritable, WriteForm, WriteFormInvalid
from sluice.lake.write.table import write_table
from support.effort import effort

CELL = st.one_of(
    st.none(),
    st.sampled_from([*ATTACKS, *HARMLESS, "007", "12345678901234567890", "a\rb", "a\nb", 'say "hi"', ";", "NULL", "€"]),
    st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12),
)
FORMS = st.builds(
    WriteForm,
    format=st.just("csv"),
    delimiter=st.sampled_from(",;|\t^"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]),
)


@st.composite
def frames(draw: st.DrawFn) -> pl.DataFrame:
    width, height = draw(st.integers(1, 4)), draw(st.integers(0, 6))
    column = st.lists(CELL, min_size=height, max_size=height)
    return pl.DataFrame(
        {f"c{at}": draw(column) for at in range(width)}, schema={f"c{at}": pl.String for at in range(width)}
    )


def expected_rows(frame: pl.DataFrame) -> list[list[str]]:
    return [[neutralised_text(cell or "") for cell in row] for row in frame.rows()]


def write(frame: pl.DataFrame, form: WriteForm, folder: str | Path) -> Path:
    return write_table(frame, {}, form, Path(folder) / "out.csv", title="t").path


@settings(max_examples=effort(25, 100), deadline=None)
@given(frame=frames(), form=FORMS)
def test_the_csv_module_reads_the_same_cells(frame, form):
    with tempfile.TemporaryDirectory() as folder:
        text = write(frame, form, folder).read_bytes().decode(form.encoding)
    header, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=form.delimiter, strict=True)
    assert header == frame.columns
    assert rows == expected_rows(frame)
    assert [[restored(cell) for cell in row] for row in rows] == [[cell or "" for cell in row] for row in frame.rows()]


@settings(max_examples=effort(20, 60), deadline=None)
@given(frame=frames(), delimiter=st.sampled_from(",;|\t"))
def test_polars_and_duckdb_read_the_same_cells(frame, delimiter):
    with tempfile.TemporaryDirectory() as folder:
        path = write(frame, WriteForm("csv", delimiter=delimiter), folder)
        by_polars = pl.read_csv(path, separator=delimiter, infer_schema=False)
        by_duckdb = duckdb.execute(
            """select * from read_csv(?, delim = ?, quote = '"', escape = '"', header = true, auto_detect = false,
               columns = ?, new_line = '\\r\\n')""",
            [str(path), delimiter, dict.fromkeys(frame.columns, "VARCHAR")],
        ).fetchall()
    assert [[cell or "" for cell in row] for row in by_polars.rows()] == expected_rows(frame)
    assert [[cell or "" for cell in row] for row in by_duckdb] == expected_rows(frame)


@settings(max_examples=effort(20, 60), deadline=None)
@given(frame=frames(), delimiter=st.sampled_from(",;|\t"), encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_our_own_reader_never_reads_other_cells(frame, delimiter, encoding):
    hints = FormatHints(
        format="csv", delimiter=delimiter, encoding=encoding.removesuffix("-sig"), columns=tuple(frame.columns)
    )
    with tempfile.TemporaryDirectory() as folder:
        path = write(frame, WriteForm("csv", delimiter=delimiter, encoding=encoding), folder)
        answer = read_table(path, file_name="out.csv", wanted=hints)
    if isinstance(answer, Table):
        rows = expected_rows(frame)
        kept = [rows[number - 1] for number in answer.row_numbers]
        assert [[cell or "" for cell in row] for row in answer.frame.rows()] == kept


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_our_own_reader_reads_an_ordinary_return(delimiter, tmp_path):
    frame = pl.DataFrame(
        {
            "id": ["0001", "0002", "0003"],
            "phone": ["+32475123456", None, "0475/12.34.56"],
            "note": ["belt terug; na 18u", 'zegt "neen"', "première ligne\r\n- suite"],
            "amount": ["12,50", "-3,00", "1.234,5"],
        }
    )
    path = write(frame, WriteForm("csv", delimiter=delimiter), tmp_path)
    answer = read_table(
        path, file_name="out.csv", wanted=FormatHints(delimiter=delimiter, columns=tuple(frame.columns))
    )
    assert isinstance(answer, Table)
    assert answer.frame.with_columns(pl.col("note").str.replace("'-", "-")).equals(frame)


def test_quotes_stand_only_where_they_must_an_empty_record_is_one_and_no_rows_leave_the_header(tmp_path):
    frame = pl.DataFrame({"a": ["plain", "with, comma", "", None], "b c": ['"', " pad ", "é", "x\ny"]})
    content = write(frame, WriteForm("csv"), tmp_path).read_bytes()
    assert content.decode() == 'a,b c\r\nplain,""""\r\n"with, comma", pad \r\n"",é\r\n,"x\ny"\r\n'
    path = write(pl.DataFrame({"only": ["x", None, "y"]}), WriteForm("csv"), tmp_path)
    assert path.read_bytes() == b'only\r\nx\r\n""\r\ny\r\n'
    for encoding in ("utf-8", "cp1252", "utf-16-le"):
        path = write(
            pl.DataFrame(schema={"a": pl.String, "b": pl.String}), WriteForm("csv", encoding=encoding), tmp_path
        )
        assert path.read_bytes().decode(encoding) == "a,b\r\n"


@pytest.mark.parametrize(
    ("form", "content"),
    [
        (WriteForm("csv", encoding="utf-8-sig"), b"\xef\xbb\xbfa,b\r\n\xe2\x82\xac,x\r\n"),
        (WriteForm("csv", encoding="cp1252"), b"a,b\r\n\x80,x\r\n"),
        (WriteForm("csv", encoding="Windows-1252", decimal_comma=True), b"a;b\r\n\x80;x\r\n"),
        (WriteForm("csv", encoding="iso8859-15"), b"a,b\r\n\xa4,x\r\n"),
        (WriteForm("csv", encoding="utf-16"), b"\xff\xfe" + "a,b\r\n€,x\r\n".encode("utf-16-le")),
        (WriteForm("csv", encoding="utf-16-be"), "a,b\r\n€,x\r\n".encode("utf-16-be")),
        (WriteForm("tsv"), "a\tb\r\n€\tx\r\n".encode()),
    ],
)
def test_encoding_and_delimiter_are_as_agreed(form, content, tmp_path):
    assert write(pl.DataFrame({"a": ["€"], "b": ["x"]}), form, tmp_path).read_bytes() == content


def test_a_character_that_does_not_exist_there_is_named_by_column_and_count(tmp_path):
    frame = pl.DataFrame({"name": ["Şahin", "Peeters", "Łukasz"], "city": ["Gent", "Liège", "Ieper"], "日": ["x"] * 3})
    with pytest.raises(ValueUnwritable) as caught:
        write(frame, WriteForm("csv", encoding="cp1252"), tmp_path)
    assert [str(ref) for ref in caught.value.refs] == [
        "rule write.encoding", "column 日", "rows 0", "column name", "rows 2",
    ]  # fmt: skip
    assert "ahin" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_nul_is_refused_by_column_and_count(tmp_path):
    with pytest.raises(ValueUnwritable, match=r"rule write\.nul; column b; rows 2"):
        write(pl.DataFrame({"a": ["x"] * 3, "b": ["\0", "ok", "a\0=1"]}), WriteForm("csv"), tmp_path)


@pytest.mark.parametrize(
    "form",
    [
        *(WriteForm("csv", delimiter=each) for each in ('"', "||", "a", "\n", "§")),
        *(WriteForm("csv", encoding=each) for each in ("utf-7", "cp037", "no-such", "base64", "idna")),
        *(WriteForm("xlsx", sheet=each) for each in ("a/b", "x" * 32)),
        *(WriteForm("tsv", delimiter=";"), WriteForm("json", encoding="cp1252"), WriteForm("xls")),
    ],
)
def test_a_form_that_does_not_exist_is_refused(form, tmp_path):
    with pytest.raises(WriteFormInvalid):
        write(pl.DataFrame({"a": ["x"]}), form, tmp_path)
    assert list(tmp_path.iterdir()) == []
