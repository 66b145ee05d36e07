"""Erasing from JSON: elements, layout and spelling of what stays are the bytes they were."""

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lake.reading import table_of
from sluice.lake.erase.in_json import ElementSpans, cut_elements, erase_records, find_elements
from sluice.lake.erase.model import Erased, EraseRefused, RecordsUnknown
from sluice.lake.read.reader import read_table
from sluice.lake.table import FormatHints, Table
from support.effort import effort

pytestmark = pytest.mark.slow

HARD_TEXT = st.one_of(
    st.sampled_from(["", "\\", '"', '\\"', "}{", "][", "\\\\", '{"a": 1}', "\n", "é", "😀", "\u2028"]),
    st.text(alphabet='ab\\"{}[],:\n é😀', max_size=8),
)
LEAVES = st.one_of(HARD_TEXT, st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False, allow_infinity=False))
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
)
RECORDS = st.dictionaries(st.sampled_from(["id", "name", "note\\", 'q"', "é"]), VALUES, max_size=4)
SPACE = st.sampled_from(["", " ", "\n", "\r\n\t", "  "])
CHUNKS = st.sampled_from([1, 7, 64, 1 << 20])


def read(path: Path) -> Table:
    return table_of(read_table(path, file_name="drop.json"))


def erased_from(folder: Path, content: bytes, gone: set[int], chunk: int = 7) -> tuple[Erased, bytes]:
    source, target = folder / "source", folder / "target"
    source.write_bytes(content)
    target.unlink(missing_ok=True)
    erased = erase_records(source, target, sorted(gone), read(source), chunk=chunk)
    return erased, target.read_bytes()


@st.composite
def spelt(draw: st.DrawFn) -> list[str]:
    """Records in any layout of their own, some that are no rows (a name twice, or blank)."""
    texts = []
    for record in draw(st.lists(RECORDS, min_size=1, max_size=6)):
        ascii_only, indent = draw(st.booleans()), draw(st.sampled_from([None, 1]))
        texts.append(json.dumps(record, ensure_ascii=ascii_only, indent=indent))
    if draw(st.integers(0, 5)) == 0:
        texts.append('{"id": 1, "id": "}"}')
    return texts


def compare(texts: list[str], content: str, left: str, gone: set[int], chunk: int) -> str:
    """Erase; the file must be ``left``, and read as before without those rows."""
    with tempfile.TemporaryDirectory() as name:
        source, target = Path(name) / "source", Path(name) / "target"
        source.write_text(content, newline="")
        before = read_table(source, file_name="drop.json")
        if not isinstance(before, Table):
            return "not a table"
        erased = erase_records(source, target, sorted(gone), before, chunk=chunk)
        assert target.read_bytes().decode() == left
        assert (erased.rows_before, erased.rows_after) == (len(texts), len(texts) - len(gone))
        if not left.strip():
            return "nothing left"
        after = table_of(read_table(target, file_name="drop.json"))
        kept = before.frame.filter(~before.row_numbers.is_in(sorted(gone)))
        assert kept.select(after.frame.columns).equals(after.frame)
        return "erased"


def check_share(outcomes: Counter[str]) -> None:
    """Check that the comparison really took place on enough files."""
    assert outcomes["erased"] > effort(8, 20), outcomes
    assert outcomes["erased"] > outcomes["not a table"], outcomes


def test_an_element_goes_with_one_separator_and_nothing_else() -> None:
    outcomes: Counter[str] = Counter()

    @settings(max_examples=effort(32, 80), deadline=None)
    @given(spelt(), st.data(), SPACE, SPACE, CHUNKS)
    def erase(texts: list[str], data: st.DataObject, before: str, behind: str, chunk: int) -> None:
        gone = data.draw(st.sets(st.integers(1, len(texts)), min_size=1))
        commas = [data.draw(SPACE) + "," + data.draw(SPACE) for _ in texts]
        kept = [number for number in range(1, len(texts) + 1) if number not in gone]
        first = kept[0] if kept else 0
        body = "".join(text + comma for text, comma in zip(texts, commas, strict=True))[: -len(commas[-1])]
        left = "".join((commas[number - 2] if number > first else "") + texts[number - 1] for number in kept)
        head, tail = behind + "[" + before, behind + "]" + before
        outcomes[compare(texts, head + body + tail, head + left + tail, gone, chunk)] += 1

    erase()
    check_share(outcomes)


def test_a_line_goes_with_its_line_end_and_nothing_else() -> None:
    outcomes: Counter[str] = Counter()

    @settings(max_examples=effort(32, 80), deadline=None)
    @given(spelt(), st.data(), st.sampled_from(["\n", "\r\n", " \n", "\r"]), st.booleans(), CHUNKS)
    def erase(texts: list[str], data: st.DataObject, end: str, ends_open: bool, chunk: int) -> None:
        gone = data.draw(st.sets(st.integers(1, len(texts)), min_size=1))
        lines = [text + end for text in texts]
        lines[-1] = texts[-1] if ends_open else lines[-1]
        left = "".join(line for number, line in enumerate(lines, 1) if number not in gone)
        outcomes[compare(texts, "".join(lines), left, gone, chunk)] += 1

    erase()
    check_share(outcomes)


@pytest.mark.parametrize(
    ("content", "gone", "left"),
    [
        ('{"a":1}{"a":2}{"a":3}', {2}, '{"a":1}{"a":3}'),
        ('{"a":1} {"a":2}\n{"a":3}\n', {2}, '{"a":1} \n{"a":3}\n'),
        ('{"a":1} {"a":2}\n', {1}, '{"a":2}\n'),
        ('{"a":1}\n\n{"a":2}\n', {1}, '\n{"a":2}\n'),
        ('[{"a":1.10},{"a":12345678901234567890123}]', {1}, '[{"a":12345678901234567890123}]'),
        ('[\n{"a":1}\n]\n', {1}, "[\n\n]\n"),
        ('[{"a":1} ,{"a":2}]', set(), '[{"a":1} ,{"a":2}]'),
        ('{"a":NaN}\n{"a":' + "7" * 5_000 + "}\n", {1, 2}, ""),
    ],
)
def test_what_stays_between_records(tmp_path: Path, content: str, gone: set[int], left: str) -> None:
    assert erased_from(tmp_path, content.encode(), gone)[1] == left.encode()


def test_columns_of_an_erased_record_no_bytes_left_and_sums_are_told_and_what_is_not_there_is_an_error(tmp_path):
    erased, content = erased_from(tmp_path, b'[{"note": "x", "a": 1}, {"b": 2, "a": 3}]', {1})
    assert (erased.rows_after, content) == (1, b'[{"b": 2, "a": 3}]')
    erased, content = erased_from(tmp_path, b'{"a":1}', {1})
    assert (erased.rows_after, erased.remarks, content) == (0, ("NO_BYTES_LEFT",), b"")
    assert erased_from(tmp_path, b'{"a":"An"}\n{"a":"Bo"}\n{"a":"Total: 2"}\n', {1})[0].remarks == ("TOTALS_NOW_WRONG",)
    with pytest.raises(RecordsUnknown):
        erased_from(tmp_path, b'{"a":1}', {2})
    deep: Any = 1
    for _ in range(200):
        deep = {"a": deep}
    content = (json.dumps(deep) + "\n" + '{"a": 2}\n').encode()
    assert erased_from(tmp_path, content, {1})[1] == b'{"a": 2}\n'


NESTED = "\n".join(json.dumps({"id": n, "note": '{"' * (n % 4), "more": [{"x": n}]}) for n in range(1, 31)).encode()


def spans_that_lose_strings(form: Table, chunk: int) -> ElementSpans:
    """The mistake that a chunked pass invites: each chunk begins as if outside a string."""
    found: list[int] = []
    depth = 0
    for start in range(0, len(NESTED), chunk):
        is_inside = is_escaped = False
        for at, byte in enumerate(NESTED[start : start + chunk], start):
            is_inside ^= byte == ord('"') and not is_escaped
            is_escaped = byte == ord("\\") and not is_escaped
            step = 0 if is_inside else (byte in b"{[") - (byte in b"}]")
            if (step, depth) in {(1, 0), (-1, 1)}:
                found.append(at + (step < 0))
            depth += step
    pairs = (found + [0] * 60)[: 2 * form.record_count]
    return ElementSpans(np.array(pairs[::2], np.int64), np.array(pairs[1::2], np.int64), False)


@pytest.mark.parametrize("chunk", [64, len(NESTED)])
def test_control_an_eraser_that_loses_a_string_in_a_chunk_is_caught(tmp_path: Path, chunk: int) -> None:
    source = tmp_path / "source"
    source.write_bytes(NESTED)
    table, caught = read(source), 0
    for number in range(1, 31):
        target = tmp_path / f"target{number}"
        try:
            cut_elements(memoryview(NESTED), target, np.array([number]), table, spans_that_lose_strings(table, chunk))
        except EraseRefused as refused:
            assert "SPAN_NOT_RECORD" in str(refused)
            caught += 1
        else:
            assert [json.loads(line)["id"] for line in target.read_bytes().splitlines() if line] == [
                n for n in range(1, 31) if n != number
            ]
    assert caught == 0 if chunk == len(NESTED) else caught > 10


def test_control_another_record_than_the_one_asked_for_is_caught(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(NESTED)
    table, data = read(source), memoryview(NESTED)
    spans = find_elements(data, table)
    shifted = ElementSpans(np.roll(spans.starts, 1), np.roll(spans.stops, 1), False)
    with pytest.raises(EraseRefused, match="SPAN_NOT_RECORD"):
        cut_elements(data, tmp_path / "target", np.array([5]), table, shifted)


def test_control_an_element_cut_with_a_byte_of_its_neighbour_is_caught(tmp_path: Path) -> None:
    content = b'[{"a":10},{"a":20},{"a":30}]'
    source = tmp_path / "source"
    source.write_bytes(content)
    table, data = read(source), memoryview(content)
    spans = find_elements(data, table)
    spans.stops[0] -= 1
    with pytest.raises(EraseRefused, match="OUTPUT_UNREADABLE"):
        cut_elements(data, tmp_path / "target", np.array([2]), table, spans)


def test_erasing_the_only_record_with_an_object_leaves_the_columns_of_the_contract(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_text('{"id": 1, "Agent": {"Username": "an"}}\n{"id": 2, "Agent": null}\n')
    hints = FormatHints(columns=("id", "Agent.Username"))
    before = table_of(read_table(source, file_name="drop.json", wanted=hints))
    erase_records(source, target, [1], before)
    after = table_of(read_table(target, file_name="drop.json", wanted=hints))
    assert target.read_text() == '{"id": 2, "Agent": null}\n'
    assert after.frame.rows() == [("2", None)] and after.frame.columns == before.frame.columns
