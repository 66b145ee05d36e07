"""Erasing from text: the other bytes stay, found by line numbers of Python's csv module, or nothing is written."""

import csv
import io
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lake.reading import refusal_of, table_of
from lake.test_csv_properties import ENCODINGS, WAYS, tables, written
from sluice.errors import Ref
from sluice.lake.erase.in_csv import RecordSpans, cells_of, cut_records, erase_records, get_spans
from sluice.lake.erase.model import Erased, EraseRefused, RecordsUnknown
from sluice.lake.read.csv_reader import read_csv
from sluice.lake.read.reader import read_table
from sluice.lake.table import FileLimits, FormatHints, FormatRefusal, LocalCopyUnreadable, Table

pytestmark = pytest.mark.slow

EXPECTED = yaml.safe_load((Path(__file__).parent / "hand_written" / "real_files.yaml").read_text(encoding="utf-8"))
REAL = [name for name, want in EXPECTED.items() if "records" in want and name.endswith(".csv")]
MAY_REFUSE = {"MAY_CONTINUE", "OUTPUT_UNREADABLE", "OUTPUT_DIFFERS"}
"""Rules that a file our reader took can run into; a span that is no record is never one of them."""
CHUNKS = st.sampled_from([7, 64, 128, 1 << 20])


def table_at(path: Path, hints: FormatHints | None = None) -> Table:
    return table_of(read_table(path, file_name="drop.csv", wanted=hints))


def rule_of(refused: EraseRefused) -> str:
    return next(str(ref.value) for ref in refused.refs if ref.kind == "rule")


def kept_bytes(content: bytes, table: Table, gone: set[int]) -> bytes:
    """What must be left, by the csv module: it knows nothing of offsets, only how many lines a record has."""
    dialect = table.dialect
    mark = {"utf-8": 3}.get(str(dialect.encoding), 2) if dialect.bom else 0
    text = io.StringIO(content[mark:].decode(str(dialect.encoding)), newline="")
    lines = text.readlines()
    quoting = csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE
    reader = csv.reader(lines, delimiter=dialect.delimiter or "\x1f", quoting=quoting, strict=True)
    kept, before, number = [], 0, -1
    for cells in reader:
        number += 1 if cells or number >= 0 else 0
        if number not in gone:
            kept += lines[before : reader.line_num]
        before = reader.line_num
    return content[:mark] + "".join(kept).encode(str(dialect.encoding))


def erased_from(folder: Path, content: bytes, gone: set[int], chunk: int = 64) -> tuple[Erased, bytes]:
    """Erase and show what was written."""
    source, target = folder / "source", folder / "target"
    source.write_bytes(content)
    target.unlink(missing_ok=True)
    erased = erase_records(source, target, sorted(gone), table_at(source), chunk=chunk)
    return erased, target.read_bytes()


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Any dialect and encoding, with blank lines around, an open last line, and at times a bad record."""
    names, rows = draw(tables())
    way, encoding = draw(WAYS), draw(ENCODINGS)
    if draw(st.integers(0, 4)) == 0 and rows:
        place = draw(st.integers(0, len(rows) - 1))
        rows[place] = draw(st.sampled_from([[], ["x"], ["x", "y", "z", "z", "z", "z"], names]))
    content = written(names, rows, way, encoding)
    end = str(way["lineterminator"]).encode(encoding.removesuffix("-sig") if encoding != "utf-16" else "utf-16-le")
    if draw(st.booleans()) and content.endswith(end):
        content = content[: -len(end)]
    elif draw(st.integers(0, 4)) == 0:
        content += end * draw(st.integers(1, 3))
    return content


@pytest.mark.slow
def test_other_bytes_stay_and_the_rest_reads_the_same_in_every_dialect() -> None:
    outcomes: Counter[str] = Counter()

    @settings(max_examples=200, deadline=None, derandomize=True)  # how many are erased is no matter of chance
    @given(files(), st.data(), CHUNKS)
    def erase(content: bytes, data: st.DataObject, chunk: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            outcomes[erase_and_compare(Path(folder), content, data, chunk)] += 1

    erase()
    assert outcomes["erased"] > 50, outcomes
    assert outcomes["refused"] * 10 < outcomes["erased"], outcomes


def erase_and_compare(folder: Path, content: bytes, data: st.DataObject, chunk: int) -> str:
    source, target = folder / "source", folder / "target"
    source.write_bytes(content)
    before = read_table(source, file_name="drop.csv") if content else None
    if not isinstance(before, Table) or not before.record_count:
        return "not a table"
    gone = data.draw(st.sets(st.integers(1, before.record_count), min_size=1))
    try:
        erased = erase_records(source, target, sorted(gone), before, chunk=chunk)
    except EraseRefused as refused:
        assert rule_of(refused) in MAY_REFUSE and not target.exists(), rule_of(refused)
        return "refused"
    assert target.read_bytes() == kept_bytes(content, before, gone)
    agreed = FormatHints(before.dialect.format, before.dialect.delimiter, before.dialect.encoding)
    after = read_csv(target, replace(agreed, columns=tuple(before.frame.columns)), FileLimits())
    assert isinstance(after, Table)
    assert after.frame.equals(before.frame.filter(~before.row_numbers.is_in(sorted(gone))))
    assert after.record_count == erased.rows_after
    return "erased"


@pytest.mark.parametrize("name", REAL)
def test_real_files_lose_their_records_and_nothing_else(real_data: Path, tmp_path: Path, name: str) -> None:
    source, target = real_data / name, tmp_path / "target"
    table = table_at(source)
    count = table.record_count
    for gone in ({1}, {count}, {count // 2 or 1, count}, set(range(1, count + 1, 3)), set(range(1, count + 1))):
        target.unlink(missing_ok=True)
        erased = erase_records(source, target, sorted(gone), table)
        assert target.read_bytes() == kept_bytes(source.read_bytes(), table, gone)
        assert (erased.rows_before, erased.rows_after) == (count, count - len(gone))


def test_the_header_stays_when_nobody_is_left_and_an_open_last_line_or_blank_records_are_edited_as_told(tmp_path):
    erased, content = erased_from(tmp_path, b"\xef\xbb\xbf\r\nid;name\r\n1;An\r\n2;Bo", {1, 2})
    assert content == b"\xef\xbb\xbf\r\nid;name\r\n"
    assert (erased.rows_before, erased.rows_after) == (2, 0)
    assert erased_from(tmp_path, b"id,name\n1,An\n2,Bo", {2})[1] == b"id,name\n1,An\n"
    content = b"id;name;note\n1;An;x\n2;Bo;belt\nterug\n3;Cy;y\n4;Di;z\n"
    with pytest.raises(EraseRefused, match="MAY_CONTINUE"):
        erased_from(tmp_path, content, {2})
    assert erased_from(tmp_path, content, {2, 3})[1] == b"id;name;note\n1;An;x\n3;Cy;y\n4;Di;z\n"
    erased, content = erased_from(tmp_path, b"id;name\n1;An\n\n2;Bo\n", {3})
    assert content == b"id;name\n1;An\n\n"
    assert (erased.rows_before, erased.rows_after, erased.remarks) == (3, 1, ("BLANK_RECORDS_AT_END",))
    with pytest.raises(RecordsUnknown) as unknown:
        erased_from(tmp_path, b"id;name\n1;An\n", {0, 2})
    assert unknown.value.refs == (Ref("record", 0), Ref("count", 2))


@pytest.mark.parametrize("encoding", ["cp1252", "cp850", "iso8859-15", "euc_jp", "utf-16-be", "utf-16-le"])
def test_an_agreed_encoding_is_edited_in_its_own_bytes(tmp_path: Path, encoding: str) -> None:
    mark = {"utf-16-be": b"\xfe\xff", "utf-16-le": b"\xff\xfe"}.get(encoding, b"")
    letters = "日本" if encoding == "euc_jp" else "éö"
    lines = [f'id;name\r\n1;"{letters};\r\n"\r\n', f"2;{letters}\r\n", f"3;x{letters}\r\n"]
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(mark + "".join(lines).encode(encoding))
    table = table_at(source, FormatHints(encoding=encoding))
    erase_records(source, target, [2], table, chunk=7)
    assert target.read_bytes() == mark + (lines[0] + lines[2]).encode(encoding)


@pytest.mark.parametrize(("encoding", "delimiter"), [("shift_jis", "|"), ("gbk", "|"), ("cp500", ";")])
def test_an_encoding_whose_bytes_may_look_like_a_delimiter_is_refused(tmp_path, encoding, delimiter):
    source = tmp_path / "source"
    source.write_bytes(f"id{delimiter}name\n1{delimiter}x\n".encode())
    table = table_at(source)
    with pytest.raises(EraseRefused) as refused:
        dialect = replace(table.dialect, encoding=encoding)
        erase_records(source, tmp_path / "target", [1], replace(table, dialect=dialect))
    assert rule_of(refused.value) == "ENCODING"


@pytest.mark.parametrize("line", ['1;5" pipe', '1; "x"', '1;"x"y', '1;"x\\"y"', '1;"open'])
def test_a_quote_that_readers_understand_differently_is_refused(tmp_path: Path, line: str) -> None:
    """Our reader takes no such file; the eraser must not either, whoever calls it."""
    sound, source = tmp_path / "sound", tmp_path / "source"
    sound.write_bytes(b"id;name\n1;x\n2;y\n")
    source.write_bytes(f"id;name\n{line}\n2;y\n".encode())
    assert isinstance(read_table(source, file_name="drop.csv"), FormatRefusal)
    with pytest.raises(EraseRefused) as refused:
        erase_records(source, tmp_path / "target", [2], table_at(sound))
    assert rule_of(refused.value) == "AMBIGUOUS_QUOTING"
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize(
    ("last", "remarks"),
    [
        ("Totaal;120;x;y", ("TRAILER_ROW", "TOTALS_NOW_WRONG")),
        ("END;4;x;y", ("TRAILER_ROW",)),
        ("TOTAL;120;2", ("TOTALS_NOW_WRONG",)),
        ("5;Totalis;2", ()),
    ],
)
def test_a_last_record_that_counts_the_others_is_told(tmp_path: Path, last: str, remarks: tuple[str, ...]) -> None:
    content = f"id;name;n\n1;An;1\n2;Bo;1\n3;Cy;1\n{last}\n".encode()
    assert erased_from(tmp_path, content, {1})[0].remarks == remarks
    assert erased_from(tmp_path, content, {1, 4})[0].remarks == ()


def test_what_our_reader_would_not_take_again_is_not_left_behind(tmp_path: Path) -> None:
    """One row beside one trailer of another width: the reader cannot tell which of them is the table."""
    content = b"id;name\n1;An\n2;Bo\nEND;2;x\n"
    assert erased_from(tmp_path, content, set())[1] == content
    with pytest.raises(EraseRefused) as refused:
        erased_from(tmp_path, content, {1})
    assert refused.value.refs == (Ref("rule", "OUTPUT_UNREADABLE"), Ref("reason", "SHAPE_RAGGED_ROWS"))
    assert not (tmp_path / "target").exists()


def test_a_target_that_exists_is_never_touched(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"id;name\n1;An\n2;Bo\n")
    with pytest.raises(LocalCopyUnreadable):
        erase_records(source, source, [1], table_at(source))
    assert source.read_bytes() == b"id;name\n1;An\n2;Bo\n"


MULTI_LINE = b"id;note\n" + b"".join(b'%d;"belt\nterug\n%s"\n' % (n, b"na vijf uur;" * (n % 5)) for n in range(40))


def spans_that_lose_parity(data: memoryview, chunk: int) -> RecordSpans:
    """The mistake that a chunked pass invites: each chunk begins as if outside quotes."""
    ends = []
    for start in range(0, len(data), chunk):
        is_inside = False
        for at, byte in enumerate(bytes(data[start : start + chunk]), start):
            is_inside ^= byte == ord('"')
            if byte == 10 and not is_inside:
                ends.append(at + 1)
    starts = np.array(ends[:-1], np.int64)
    return RecordSpans(starts, np.array(ends[1:], np.int64) - 1, np.array(ends[1:], np.int64))


@pytest.mark.parametrize("chunk", [64, len(MULTI_LINE)])
def test_control_an_eraser_that_loses_parity_in_a_chunk_is_caught(tmp_path: Path, chunk: int) -> None:
    source = tmp_path / "source"
    source.write_bytes(MULTI_LINE)
    table, caught = table_at(source), 0
    for number in range(1, 41):
        target, data = tmp_path / f"target{number}", memoryview(MULTI_LINE)
        spans = spans_that_lose_parity(data, chunk)
        try:
            cut_records(data, target, np.array([number]), table, spans)
        except EraseRefused as refused:
            assert rule_of(refused) == "SPAN_NOT_RECORD"
            caught += 1
        else:
            assert target.read_bytes() == kept_bytes(MULTI_LINE, table, {number})
    assert caught == 0 if chunk == len(MULTI_LINE) else caught > 30


def test_control_a_cut_that_takes_a_byte_more_is_caught(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(MULTI_LINE)
    table = table_at(source)
    with source.open("rb") as file:
        data = memoryview(file.read())
    spans = get_spans(data, table)
    for more in (1, 3, -1):
        wider = RecordSpans(spans.starts, spans.stops, spans.ends + more)
        with pytest.raises(EraseRefused, match=r"OUTPUT_|COUNT_DIFFERS"):
            cut_records(data, tmp_path / f"target{more}", np.array([7]), table, wider)


def test_cells_of_a_record_are_those_of_the_csv_module() -> None:
    @given(st.lists(st.text(alphabet='a;"\n\r,', max_size=5), min_size=1, max_size=4))
    def same(cells: list[str]) -> None:
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=";", lineterminator="").writerow(cells)
        assert cells_of(text.getvalue(), ";") == cells

    same()
    assert cells_of('a;b"c', ";") is None and cells_of('"a"b;c', ";") is None and cells_of('"open;c', ";") is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [";", "\t"])
def test_the_line_in_which_excel_says_the_delimiter_is_no_record_and_stays(tmp_path, encoding, end, mark):
    lines = [f"sep={mark}", mark.join(["naam", "stad"]), mark.join(["Ren\u00e9", "Gent"]), mark.join(["An", "Luik"])]
    path = tmp_path / "drop.csv"
    path.write_bytes(end.join([*lines, ""]).encode(encoding))
    table = table_at(path)
    assert table.frame.rows() == [("Ren\u00e9", "Gent"), ("An", "Luik")] and table.row_numbers.to_list() == [1, 2]
    assert (table.dialect.delimiter, table.dialect.header_row) == (mark, 2)
    assert "said in the line before the header" in table.dialect.evidence["delimiter"]
    erase_records(path, tmp_path / "erased", [1], table)
    assert (tmp_path / "erased").read_bytes() == end.join([*lines[:2], lines[3], ""]).encode(encoding)


def test_a_delimiter_that_is_said_decides_where_two_would_do_and_does_not_outdo_the_contract(tmp_path: Path) -> None:
    path = tmp_path / "drop.csv"
    path.write_bytes(b"a;b,c\n1;2,3\n4;5,6\n")
    assert refusal_of(read_table(path, file_name="drop.csv")).code == "DIALECT_AMBIGUOUS", "the control"
    path.write_bytes(b"sep=,\na;b,c\n1;2,3\n4;5,6\n")
    assert table_at(path).frame.columns == ["a;b", "c"]
    assert table_at(path, FormatHints(delimiter=";")).frame.columns == ["a", "b,c"]
