"""JSON gives the table that CSV gives, or a code that names the record."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lake.reading import read_bytes, refusal_of, table_of
from sluice.lake.read.json_reader import read_json
from sluice.lake.table import FileLimits, FormatHints

RECORDS = [
    {"ContactId": "c-1", "Agent": {"Username": "an", "Seconds": 12}, "Attributes": {"record_id": "E1"}},
    {"ContactId": "c-2", "Agent": None, "Attributes": {"record_id": "E2", "note": "belt \u00e9\u00e9n keer terug"}},
]
NAMES = ("ContactId", "Agent.Username", "Agent.Seconds", "Attributes.record_id", "Agent", "Attributes.note")
TABLE = [
    dict(zip(NAMES, ("c-1", "an", "12", "E1", None, None), strict=True)),
    dict(zip(NAMES, ("c-2", None, None, "E2", None, "belt \u00e9\u00e9n keer terug"), strict=True)),
]
FORMS = {
    "array": json.dumps(RECORDS, indent=2, ensure_ascii=False),
    "a record a line": "\n".join(json.dumps(one) for one in RECORDS) + "\n",
    "one after another": "".join(json.dumps(one) for one in RECORDS),
    "spread over lines": "\r\n\t".join(json.dumps(one, indent=4) for one in RECORDS),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_table(tmp_path: Path, form: str) -> None:
    table = table_of(read_bytes(tmp_path, FORMS[form].encode(), name="contacts.json"))
    assert table.frame.to_dicts() == TABLE
    assert (table.row_numbers.to_list(), table.record_count, table.dialect.format) == ([1, 2], 2, "json")


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_json_in_utf_16_is_told_its_encoding_and_a_table_in_it_stays_one(tmp_path, codec):
    """And not that it is a table with another name."""
    for text in ('[{"a": 1}]', ' \n{"a": 1}\n{"a": 2}\n'):
        content = ("\ufeff" + text).encode(codec)
        assert refusal_of(read_bytes(tmp_path, content, "drop.json")).code == "ENCODING_JSON_BOM"
    content = "\ufeffключ;имя\n1;[x]\n".encode(codec)
    assert table_of(read_bytes(tmp_path, content, "drop.csv")).frame.rows() == [("1", "[x]")], "control"


AGENT = FormatHints(columns=("id", "Agent.Username"))
BOTH = FormatHints(columns=("id", "Agent", "Agent.Username"))


@pytest.mark.parametrize(
    ("records", "wanted", "columns"),
    [
        ('{"id": 1, "Agent": {"Username": "an"}} {"id": 2, "Agent": null}', AGENT, ["id", "Agent.Username"]),
        ('{"id": 2, "Agent": null} {"id": 1, "Agent": {"Username": "an"}}', AGENT, ["id", "Agent.Username"]),
        ('{"id": 2, "Agent": null}', AGENT, ["id", "Agent.Username"]),
        ('{"Agent": null}', AGENT, ["id", "Agent.Username"]),
        ('{"id": 1, "A": {"B": null}} {"A": null}', FormatHints(columns=("id", "A.B.C")), ["id", "A.B.C"]),
        ('{"*": 1, "^A.*$": 2, "c": 3, "A": null}', FormatHints(columns=("A.b",)), ["*", "^A.*$", "c", "A.b"]),
        ('{"id": 1, "Agent": {"Username": 1}} {"id": 2, "Agent": null}', BOTH, ["id", "Agent.Username", "Agent"]),
        ('{"id": 1, "Agent": {"Username": 1}} {"id": 2, "Agent": "an"}', AGENT, ["id", "Agent.Username", "Agent"]),
        ('{"Agent": {"Username": 1}} {"Agent": null}', FormatHints(), ["Agent.Username", "Agent"]),
    ],
)  # fmt: skip
def test_an_object_that_is_null_is_no_column_where_the_contract_has_its_keys(tmp_path, records, wanted, columns):
    table = table_of(read_bytes(tmp_path, records.encode(), "drop.json", wanted))
    assert table.frame.columns == columns
    assert (table.frame.height, len(table.row_numbers)) == (table.record_count, table.record_count)


@pytest.mark.parametrize("agreed", ["json", "ndjson", None])
@pytest.mark.parametrize("name", ["drop", "drop.json", "drop.ndjson", "drop.jsonl"])
def test_the_contract_may_say_json_or_ndjson(tmp_path: Path, agreed: str | None, name: str) -> None:
    hints = FormatHints(format=agreed)
    assert table_of(read_bytes(tmp_path, b'{"a": 1}\n{"a": 2}\n', name, hints)).frame["a"].to_list() == ["1", "2"]


def test_a_contract_for_csv_a_byte_order_mark_and_names_that_are_data_are_refused(tmp_path):
    refusal = refusal_of(read_bytes(tmp_path, b'[{"a": 1}]', "drop", FormatHints(format="csv")))
    assert refusal.code == "WRONG_FORMAT_NOT_AS_AGREED"
    assert refusal_of(read_bytes(tmp_path, b'\xef\xbb\xbf[{"a": 1}]', "drop.json")).code == "ENCODING_JSON_BOM"
    content = b'{"0475123456": 1, "jan@mail.example": 2}'
    assert refusal_of(read_bytes(tmp_path, content, "drop.json")).code == "HEADER_LOOKS_LIKE_DATA"
    deep = '{"a":' * 32 + "1" + "}" * 32
    assert table_of(read_bytes(tmp_path, deep.encode(), "drop.json")).frame.columns == [".".join("a" * 32)]


@pytest.mark.parametrize(
    ("written", "cell"),
    [
        ("1.50", "1.50"),
        ("-0", "-0"),
        ("1E+5", "1E+5"),
        ("12345678901234567890123", "12345678901234567890123"),
        ("true", "true"),
        ("false", "false"),
        ("null", None),
        ('""', None),
        ('" 1 "', " 1 "),
        ("[]", "[]"),
        ('[ 1.50, {"b": null, "a": "\\u00e9"} ]', '[1.50,{"a":"\u00e9","b":null}]'),
        ('"\\ud83d\\ude00"', "\U0001f600"),
    ],
)
def test_a_value_becomes_text_as_it_is_spelt(tmp_path: Path, written: str, cell: str | None) -> None:
    table = table_of(read_bytes(tmp_path, f'{{"value": {written}}}'.encode(), "drop.json"))
    assert table.frame.to_dicts() == [{"value": cell}]


@pytest.mark.parametrize(
    ("code", "record"),
    [
        ("SHAPE_JSON_DUPLICATE_KEY", '{"a": 1, "a": 1}'),
        ("SHAPE_JSON_DUPLICATE_KEY", '{"a": {"b": 1}, "a.b": 1}'),
        ("SHAPE_JSON_DUPLICATE_KEY", '{"a": [{"b": 1, "b": 2}]}'),
        ("VALUE_JSON_NOT_A_NUMBER", '{"a": NaN}'),
        ("VALUE_JSON_NOT_A_NUMBER", '{"a": [-Infinity]}'),
        ("TEXT_LONE_SURROGATE", '{"a": "\\ud800"}'),
        ("TEXT_LONE_SURROGATE", '{"\\udfff": 1}'),
        ("TEXT_NUL_BYTE", '{"a": "\\u0000"}'),
        ("SHAPE_BLANK_RECORD", '{"b": {}}'),
        ("LIMIT_JSON_DEPTH", '{"a":' * 33 + "1" + "}" * 33),
        ("LIMIT_JSON_DEPTH", '{"a":' + "[" * 32 + "]" * 32 + "}"),
    ],
)
@pytest.mark.parametrize("form", ["[{},{},{}]", "{}\n{}\n{}\n"])
def test_a_record_that_cannot_be_a_row_stands_aside_with_its_code(tmp_path, code, record, form):
    sound = '{"a": "1"}'
    content = form.replace("{}", "%s") % (sound, record, sound)
    table = table_of(read_bytes(tmp_path, content.encode(), "drop.json"))
    assert table.frame["a"].to_list() == ["1", "1"]
    assert (table.row_numbers.to_list(), table.record_count) == ([1, 3], 3)
    assert table.bad_records.rows() == [(2, code, record, None)]


@pytest.mark.parametrize(
    ("code", "row", "content"),
    [
        ("UNREADABLE_JSON", 3, b'[{"a": 1}, {"a": 2}'),
        ("UNREADABLE_JSON", 2, b'[{"a": 1}, {"a": 2'),
        ("UNREADABLE_JSON", 2, b'[{"a": 1},]'),
        ("UNREADABLE_JSON", 2, b'[{"a": 1} {"a": 2}]'),
        ("UNREADABLE_JSON", 2, b'{"a": 1},{"a": 2}'),
        ("UNREADABLE_JSON", 2, b'{"a": 1}\n{"a": 01}\n'),
        ("UNREADABLE_JSON", 1, b'{"a": 1,}'),
        ("UNREADABLE_JSON", 1, b'{"a": "line\nbreak"}'),
        ("UNREADABLE_JSON", 1, b"{'a': 1}"),
        ("UNREADABLE_JSON", 2, b'[{"a": 1}] []'),
        ("SHAPE_JSON_NOT_OBJECT", 2, b'[{"a": 1}, 2]'),
        ("SHAPE_JSON_NOT_OBJECT", 1, b'[["a", "b"], ["1", "2"]]'),
        ("ENCODING_INVALID_UTF8", 2, b'{"a": "1"}\n{"a": "\xe9\xe9n"}\n{"a": "3"}\n'),
        ("ENCODING_INVALID_UTF8", 1, b'{"a": "\xed\xa0\x80"}'),
        ("LIMIT_JSON_DEPTH", 2, b'{"a": 1}\n{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    ],
)
def test_a_file_that_stops_being_json_names_the_record(tmp_path: Path, code: str, row: int, content: bytes) -> None:
    refusal = refusal_of(read_bytes(tmp_path, content, "drop.json"))
    assert (refusal.code, refusal.rows) == (code, (row,))


def test_no_records_and_no_optional_key_still_have_the_columns_of_the_contract(tmp_path: Path) -> None:
    hints = FormatHints(columns=("a", "b"))
    assert table_of(read_bytes(tmp_path, b"[]", "drop.json", hints)).frame.columns == ["a", "b"]
    assert table_of(read_bytes(tmp_path, b'{"a": 1}', "drop.json", hints)).frame.to_dicts() == [{"a": "1", "b": None}]


def test_more_columns_or_records_than_the_limit_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "drop.json"
    path.write_text(json.dumps({f"a{n}": n for n in range(9)}) * 3)
    for limits, code in ((FileLimits(columns=8), "LIMIT_COLUMNS"), (FileLimits(records=2), "LIMIT_RECORDS")):
        assert refusal_of(read_json(path, FormatHints(), limits)).code == code
    assert table_of(read_json(path, FormatHints(), FileLimits(columns=9, records=3))).record_count == 3


def test_records_longer_than_a_window_and_cut_by_it_are_read(tmp_path: Path) -> None:
    sizes = (500_000, 10, 300_000, 1)
    notes = [f"note{number}" for number in range(10)]
    content = "\n".join(json.dumps(dict.fromkeys(notes, "\u00e9" * size), ensure_ascii=False) for size in sizes)
    table = table_of(read_bytes(tmp_path, content.encode(), "drop.json"))
    assert sizes[0] * len(notes) > 4 << 20, "a window"
    assert all(table.frame[note].str.len_chars().to_list() == list(sizes) for note in notes)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text('ab\u00e9 {}[]",\\')
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3), max_leaves=4)
RECORD = st.dictionaries(
    st.sampled_from(["name", "note", "count"]), VALUES | st.dictionaries(st.sampled_from("xy"), VALUES)
).map(lambda record: record | {"id": "1"})


def expected(record: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """What json itself makes of a record, told in another way than the reader does."""
    cells: dict[str, str] = {}
    for key, value in record.items():
        if isinstance(value, dict):
            cells |= expected(value, f"{prefix}{key}.")
        elif isinstance(value, str):
            cells |= {prefix + key: value} if value else {}
        elif value is not None:
            cells[prefix + key] = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return cells


@given(st.lists(RECORD, min_size=1, max_size=6), st.sampled_from(["array", "lines", "joined"]))
def test_any_record_comes_back_as_json_reads_it(tmp_path_factory, records, form):
    parts = [json.dumps(record) for record in records]
    content = f"[{','.join(parts)}]" if form == "array" else ("\n" if form == "lines" else "").join(parts)
    table = table_of(read_bytes(tmp_path_factory.mktemp("json"), content.encode(), "drop.json"))
    found = [{name: cell for name, cell in row.items() if cell is not None} for row in table.frame.to_dicts()]
    assert found == [expected(record) for record in records]


MIB = 1 << 20


@pytest.mark.parametrize(
    ("record", "is_read"),
    [
        ({"a": "x" * MIB}, True),
        ({"a": "x" * (MIB + 1)}, False),
        ({"a": "\u00e9" * (MIB // 2)}, True),
        ({"a": "\u00e9" * (MIB // 2 + 1)}, False),
        ({"a": {"b": "x" * (MIB + 1)}}, False),
        ({"a": ["x" * MIB]}, False),
        ({"a": "x" * (MIB - 9), "b": "y" * (MIB - 9)}, True),
    ],
    ids=["one MiB", "a byte more", "two bytes each", "two bytes more", "nested", "a list", "two cells"],
)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_cell_is_at_most_a_mebibyte_as_in_every_format(tmp_path, record, is_read, ascii_only):
    answer = read_bytes(tmp_path, json.dumps([{"a": "1"}, record], ensure_ascii=ascii_only).encode(), "x.json")
    if is_read:
        assert table_of(answer).record_count == 2
    else:
        refusal = refusal_of(answer)
        assert (refusal.code, refusal.rows, refusal.undecided) == ("LIMIT_CELL_SIZE", (2,), False)


LINE = b'{"a": "' + b"x" * 88 + b'"}\n'


@pytest.mark.parametrize("lines", [20, 60_000], ids=["2 kB", "6 MB"])
@pytest.mark.parametrize("broken", [b'{"a": "1" "b": 2}\n', b'{"a": tru}\n', b'{"a": "\\u12"}\n', b'{"a": "x\n'])
def test_an_error_is_the_same_in_a_large_file(tmp_path: Path, lines: int, broken: bytes) -> None:
    refusal = refusal_of(read_bytes(tmp_path, LINE + broken + LINE * lines, "x.json"))
    assert (refusal.code, refusal.rows) == ("UNREADABLE_JSON", (2,))


@pytest.mark.parametrize("before", [0, 2 * MIB], ids=["first", "where a window ends elsewhere"])
@pytest.mark.parametrize(
    ("record", "code"),
    [
        (b'{"a": 1, "b": ["' + (b"x" * 96 + b'", "') * (5 * MIB // 100 + 1) + b'"]}', "LIMIT_CELL_SIZE"),
        (b"{" + b", ".join(b'"a%d": "%s"' % (n, b"x" * 9_000) for n in range(600)) + b"}", "LIMIT_RECORD_SIZE"),
        (b"{" + b", ".join(b'"a%d": "%s"' % (n, b"x" * 9_000) for n in range(1_200)) + b"}", "LIMIT_RECORD_SIZE"),
        (b'{"a": "' + b"x" * 9 * MIB, "LIMIT_CELL_SIZE"),
        (b"{" + b", ".join(b'"a%d": "%s"' % (n, b"x" * 9_000) for n in range(500)) + b"}", None),
    ],
    ids=["a list", "small cells", "small cells of two windows", "a quote that is never closed", "just small enough"],
)
def test_a_record_is_too_large_wherever_the_file_has_it(tmp_path, record, code, before):
    answer = read_bytes(tmp_path, LINE * (before // len(LINE)) + record, "x.json")
    if code:
        refusal = refusal_of(answer)
        assert (refusal.code, refusal.rows) == (code, (before // len(LINE) + 1,))
    else:
        assert table_of(answer).record_count == before // len(LINE) + 1


ANY_JSON = (
    '{"a": -1.5e+10, "b": [true, false, null], "\\u00e9": "\\ud83d\\ude00 \\n\\"",'
    ' "d":  {"e": {}, "f": [ ]} , "g" : 0 }'
)


def test_a_record_that_a_window_cuts_anywhere_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = table_of(read_bytes(tmp_path, ANY_JSON.encode(), "x.json")).frame
    for window in range(1, len(ANY_JSON)):
        monkeypatch.setattr("sluice.lake.read.json_reader._WINDOW", window)
        assert table_of(read_bytes(tmp_path, ANY_JSON.encode(), "x.json")).frame.equals(whole), window
