"""Delimiters, quotes, line ends, headers and ragged records, on small files written here."""

import ast
from pathlib import Path

import pytest

from lake.reading import read_bytes, refusal_of, table_of
from sluice.exchange.judging.child import _unreadable
from sluice.lake.read import reader
from sluice.lake.read.format_codes import CODES
from sluice.lake.read.reader import read_table
from sluice.lake.table import FileLimits, FormatHintInvalid, FormatHints
from sluice.terms import RefusalClass

ROWS = [f"K{n:05d};Jansens {n};+3247000{n:04d};1985-03-{n % 28 + 1:02d};nota {n}" for n in range(1, 201)]
HEADER = "klant;naam;telefoon;geboren;nota"


def drop(*lines: str, end: str = "\r\n") -> bytes:
    return "".join(line + end for line in lines).encode()


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiter_and_line_end_are_found(tmp_path: Path, delimiter: str, end: str) -> None:
    lines = [line.replace(";", delimiter) for line in (HEADER, *ROWS)]
    table = table_of(read_bytes(tmp_path, drop(*lines, end=end)))
    assert table.dialect.delimiter == delimiter
    assert table.record_count == 200
    assert table.frame.row(0) == ("K00001", "Jansens 1", "+32470000001", "1985-03-02", "nota 1")
    assert table.dialect.evidence["delimiter"].endswith("in 200 of 200 records")


def test_a_table_may_have_no_rows_one_column_or_blank_lines_at_its_end(tmp_path):
    table = table_of(read_bytes(tmp_path, drop(HEADER)))
    assert (table.record_count, table.frame.width, table.frame.height) == (0, 5, 0)
    table = table_of(read_bytes(tmp_path, drop(HEADER, *ROWS, "", "", "")))
    assert (table.record_count, table.bad_rows) == (200, ())
    table = table_of(read_bytes(tmp_path, drop("email", "an@example.be", "jo@example.be")))
    assert table.dialect.delimiter is None
    assert table.frame.rows() == [("an@example.be",), ("jo@example.be",)]


@pytest.mark.parametrize("content", [b"", b"\r\n", b"\n\n\n", b"\xef\xbb\xbf"])
def test_a_file_without_a_header_line_is_empty(tmp_path: Path, content: bytes) -> None:
    assert refusal_of(read_bytes(tmp_path, content)).code == "UNREADABLE_EMPTY_FILE"


def test_ragged_records_are_named_and_kept_aside_while_the_others_go_on(tmp_path: Path) -> None:
    lines = list(ROWS)
    lines[9], lines[19], lines[29] = "K00010;kort;x", ROWS[19] + ";te veel", ""
    table = table_of(read_bytes(tmp_path, drop(HEADER, *lines)))
    assert {bad.row: bad.code for bad in table.bad_rows} == {
        10: "SHAPE_TOO_FEW_CELLS",
        20: "SHAPE_TOO_MANY_CELLS",
        30: "SHAPE_BLANK_RECORD",
    }
    assert table.bad_records["raw"].to_list() == ["K00010;kort;x", ROWS[19] + ";te veel", ""]
    assert table.record_count == 200
    kept = [n for n in range(1, 201) if n not in (10, 20, 30)]
    assert table.row_numbers.to_list() == kept
    assert table.frame["klant"].to_list() == [f"K{n:05d}" for n in kept]


def test_short_long_cut_and_repeated_records_do_not_hide_each_other(tmp_path):
    lines = list(ROWS)
    lines[0], lines[1] = "K00001;kort;x;y", ROWS[1] + ";lang"
    table = table_of(read_bytes(tmp_path, drop(HEADER, *lines)))
    assert [bad.row for bad in table.bad_rows] == [1, 2]
    lines = list(ROWS)
    lines[4] = ROWS[4] + "\nvervolg van de nota"
    table = table_of(read_bytes(tmp_path, drop(HEADER, *lines, end="\n")))
    assert {bad.row: bad.code for bad in table.bad_rows} == {5: "SHAPE_MAY_CONTINUE", 6: "SHAPE_TOO_FEW_CELLS"}
    table = table_of(read_bytes(tmp_path, drop(HEADER, HEADER, *ROWS)))
    assert [(bad.row, bad.code) for bad in table.bad_rows] == [(1, "HEADER_REPEATED")]
    assert table.record_count == 201


UNDECIDED = {
    "DIALECT_UNCLOSED_QUOTE": drop(HEADER, *ROWS[:5], 'K1;"open;x;y;z', *ROWS[5:]),
    "DIALECT_QUOTING": drop(HEADER, *ROWS[:5], 'K1;5" pijp;x;y;6"', *ROWS[5:]),
    "DIALECT_LINE_ENDING": drop(HEADER, *ROWS[:5], "K1;regel\rvervolg;x;y;z", *ROWS[5:]),
    "DIALECT_AMBIGUOUS": drop("naam,voornaam;stad", "Peeters,An;Gent", "Maes,Jo;Aalst"),
    "DIALECT_QUOTE": drop("naam;nota", "'An';'x'", "'Jo';'z'"),
    "HEADER_NOT_FIRST": drop("Klanten maart", "", HEADER, *ROWS),
    "HEADER_LOOKS_LIKE_DATA": drop("10045;+32470000001;an@example.be;9000", "10046;+32470000002;jo@example.be;9300"),
    "SHAPE_RAGGED_ROWS": drop("a;b;c", "1;2", "1;2;3;4", "1;2;3"),
}


@pytest.mark.parametrize("code", UNDECIDED)
def test_two_possible_readings_are_undecided(tmp_path: Path, code: str) -> None:
    refusal = refusal_of(read_bytes(tmp_path, UNDECIDED[code]))
    assert (refusal.code, refusal.undecided) == (code, True)


REFUSED = {
    "HEADER_DUPLICATE": drop("a;b;a", "1;2;3"),
    "HEADER_BLANK": drop("a;;c", "1;2;3"),
    "LIMIT_NAME": drop("a;" + "b" * 201, "1;2"),
    "LIMIT_COLUMNS": drop(";".join(f"c{n}" for n in range(1025))),
    "TEXT_CONTROL_CHARACTER": drop("a;b\x1b[31m", "1;2"),
    "TEXT_NUL_BYTE": drop("a;b", "1;x\0y"),
}


@pytest.mark.parametrize("code", REFUSED)
def test_what_is_plainly_wrong_is_refused(tmp_path: Path, code: str) -> None:
    refusal = refusal_of(read_bytes(tmp_path, REFUSED[code]))
    assert (refusal.code, refusal.undecided) == (code, False)


def test_a_cell_above_the_limit_is_refused_with_its_row(tmp_path: Path) -> None:
    path = tmp_path / "object"
    path.write_bytes(drop("a;b", "1;2", "3;" + "x" * 5000))
    refusal = refusal_of(read_table(path, file_name="drop.csv", limits=FileLimits(cell_bytes=4096)))
    assert (refusal.code, refusal.rows) == ("LIMIT_CELL_SIZE", (2,))


def test_the_contract_decides_between_two_good_delimiters_and_what_contradicts_the_bytes_names_both(tmp_path):
    content = UNDECIDED["DIALECT_AMBIGUOUS"]
    by_delimiter = table_of(read_bytes(tmp_path, content, hints=FormatHints(delimiter=";")))
    by_columns = table_of(read_bytes(tmp_path, content, hints=FormatHints(columns=("stad",))))
    by_comma = table_of(read_bytes(tmp_path, content, hints=FormatHints(decimal_comma=True)))
    for table in (by_delimiter, by_columns, by_comma):
        assert table.frame.rows() == [("Peeters,An", "Gent"), ("Maes,Jo", "Aalst")]
    refusal = refusal_of(read_bytes(tmp_path, drop(HEADER, *ROWS), hints=FormatHints(delimiter=",")))
    assert (refusal.code, refusal.readings) == ("DIALECT_NOT_AS_AGREED", (",", ";"))


@pytest.mark.parametrize("name", ["x^2", "x^", "x\u0680"])
@pytest.mark.parametrize("ragged", [b"", b"3;4;5\n"])
def test_a_header_that_begins_like_zlib_is_text(tmp_path: Path, name: str, ragged: bytes) -> None:
    table = table_of(read_bytes(tmp_path, f"{name};b\n1;2\n4;5\n".encode() + ragged))
    assert table.frame.columns == [name, "b"]
    assert table.frame.rows() == [("1", "2"), ("4", "5")]


@pytest.mark.parametrize("hints", [FormatHints(delimiter=";;"), FormatHints(delimiter='"'), FormatHints(encoding="x")])
def test_an_impossible_contract_is_an_error_of_the_contract(tmp_path: Path, hints: FormatHints) -> None:
    with pytest.raises(FormatHintInvalid, match="SLU-421"):
        read_bytes(tmp_path, drop("a;b", "1;2"), hints=hints)


def test_the_dialect_is_one_flat_row_without_a_cell_and_every_code_has_a_class_of_the_closed_list(tmp_path):
    for code in CODES:
        assert any(code.startswith(f"{cls}_") for cls in RefusalClass), code
    record = table_of(read_bytes(tmp_path, drop(HEADER, *ROWS))).dialect.as_record()
    assert all(value is None or isinstance(value, str | int | bool) for value in record.values())
    assert not any("Jansens" in str(value) or "klant" in str(value) for value in record.values())


TELLS_NOTHING = {"UNREADABLE_PARSER_DISAGREES", "ARCHIVE_PGP_SEALED"}
"""What could not be told without there being two readings."""


def undecided_calls() -> list[tuple[str, ast.Call]]:
    found = []
    for path in sorted(Path(reader.__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            words = {word.arg: word.value for word in node.keywords} if isinstance(node, ast.Call) else {}
            said = words.get("undecided")
            if isinstance(node, ast.Call) and isinstance(said, ast.Constant) and said.value is True:
                found.append((f"{path.name}:{node.lineno}", node))
    return found


def test_every_refusal_that_decides_nothing_names_its_readings() -> None:
    calls = undecided_calls()
    code = {place: node.args[0].value for place, node in calls if isinstance(node.args[0], ast.Constant)}
    without = {place for place, node in calls if "readings" not in {word.arg for word in node.keywords}}
    assert len(calls) >= 15, "control: they are found"
    assert {code[place] for place in without} == TELLS_NOTHING


@pytest.mark.parametrize(
    ("content", "readings", "hints"),
    [
        (b"a;b,c\n1;2,3\n4;5,6\n", (";", ","), FormatHints(delimiter=";")),
        ("naam;stad\nJos\u00e9;Li\u00e8ge\n".encode("cp850"), ("cp1252", "cp850"), FormatHints(encoding="cp850")),
        (
            "naam;prijs\nAn;5 \u20ac\n".encode("iso8859-15"),
            ("cp1252", "iso8859-15"),
            FormatHints(encoding="iso8859-15"),
        ),
    ],
    ids=["delimiter", "DOS", "euro"],
)
def test_two_readings_are_named_unless_the_contract_decides(tmp_path, content, readings, hints):
    refusal = refusal_of(read_bytes(tmp_path, content))
    assert (refusal.undecided, refusal.readings) == (True, readings)
    assert _unreadable(refusal).reasons[0].readings == readings, "and they leave the child"
    assert not hasattr(read_bytes(tmp_path, content, hints=hints), "undecided"), "the contract decides"
