"""Runs find every person they hold, nobody else, and read only what can hold them."""

import io
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.subject.index import (
    KIND_CODES,
    ROWS_PER_GROUP,
    Answer,
    ask_run,
    build_run,
    find_in_run,
    first_word,
    is_whole,
    merge_runs,
    parts_with,
    read_run,
    write_run,
)
from sluice.subject.key import SubjectKey
from sluice.subject.model import IndexInvalid, RefMalformed
from sluice.subject.refs import ref_column
from sluice.terms import SubjectKind

KEY = SubjectKey(bytes(range(32)))
refs = st.lists(st.integers(0, 2**128 - 1).map("{:032x}".format), max_size=30)


def references(count: int, kind: SubjectKind = SubjectKind.PHONE) -> pl.Series:
    return ref_column(pl.Series([f"person {number}" for number in range(count)]), kind, KEY)


@given(refs)
def test_the_first_word_is_the_big_endian_number_of_the_first_half(made):
    assert first_word(pl.Series(made, dtype=pl.String)).to_list() == [int(ref[:16], 16) for ref in made]


@given(refs, refs)
def test_a_run_finds_exactly_the_references_it_holds(held, asked):
    run = write_run(build_run([(SubjectKind.PHONE, pl.Series(held, dtype=pl.String))]))

    found = find_in_run(run, [*asked, *held[:3]])

    held_words, asked_words = ({int(ref[:16], 16) for ref in side} for side in (held, [*asked, *held[:3]]))
    assert set(found["ref"]) == held_words & asked_words
    assert ask_run(run, [*asked, *held[:3]]) == Answer(found.height, is_whole=False)
    assert read_run(run).ask([*asked, *held[:3]]) == Answer(found.height, is_whole=False)


def test_a_run_says_that_it_is_whole_until_it_is_written_without():
    run = build_run([(SubjectKind.PHONE, references(9))])

    assert ask_run(write_run(run, is_whole=True), ["0" * 32]) == Answer(0, is_whole=True)
    assert read_run(write_run(run, is_whole=True)).is_whole and not read_run(write_run(run)).is_whole
    assert is_whole(write_run(run, is_whole=True)) and not is_whole(write_run(run))
    assert pl.read_parquet(write_run(run, is_whole=True)).equals(run)


def test_a_run_is_sorted_unique_and_says_which_kind_matched():
    phones, mails = references(50), references(50, SubjectKind.EMAIL)

    run = build_run([(SubjectKind.PHONE, phones), (SubjectKind.EMAIL, mails), (SubjectKind.PHONE, phones[:9])])

    assert run.schema == {"ref": pl.UInt64, "kind": pl.UInt8}
    assert run.height == 100
    assert run["ref"].is_sorted()
    assert find_in_run(write_run(run), [mails[3]])["kind"].to_list() == [KIND_CODES[SubjectKind.EMAIL]]


def test_rows_without_a_reference_are_not_in_a_run():
    assert build_run([(SubjectKind.PHONE, pl.Series([None, None], dtype=pl.String))]).is_empty()
    assert build_run([]).is_empty()


def test_a_look_up_reads_only_the_row_groups_that_can_hold_the_reference():
    held = references(12 * ROWS_PER_GROUP)  # the end of a file is read 64 KiB at a time
    data = write_run(build_run([(SubjectKind.PHONE, held)]))

    class Counted(io.BytesIO):
        taken = 0

        def read(self, size: int | None = -1, /) -> bytes:
            part = super().read(size)
            self.taken += len(part)
            return part

    source = Counted(data)
    assert find_in_run(source, [held[5]]).height == 1
    assert source.taken < len(data) / 2
    everything = Counted(data)
    find_in_run(everything, held.to_list())
    assert everything.taken > len(data) * 0.9, "the control reads all of it"


def test_a_run_is_plain_parquet_with_statistics_on_the_reference_only():
    data = write_run(build_run([(SubjectKind.PHONE, references(100))]))

    ref, kind = (pq.ParquetFile(io.BytesIO(data)).metadata.row_group(0).column(column) for column in (0, 1))

    assert ref.statistics.has_min_max and kind.statistics is None
    assert set(ref.encodings) <= {"PLAIN", "RLE"}
    assert pl.read_parquet(data).height == 100


def test_the_same_references_give_the_same_bytes():
    held = references(500)

    assert write_run(build_run([(SubjectKind.PHONE, held)])) == write_run(
        build_run([(SubjectKind.PHONE, held.reverse())])
    )


@pytest.mark.slow
@given(st.lists(refs, max_size=5), refs, st.integers(1, 9))
def test_a_merge_says_of_every_run_what_the_run_says(held, asked, part_size):
    runs = [build_run([(SubjectKind.PHONE, pl.Series(each, dtype=pl.String))]) for each in held]
    sought = [*asked, *(ref for each in held for ref in each[:2])]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sluice.subject.index.ENTRIES_PER_PART", part_size)
        merged = merge_runs(list(enumerate(runs)))

    parts = [write_run(merged.part(number)) for number in parts_with(sought, merged.bits)]
    found = pl.concat([merged.part(0).clear(), *(find_in_run(part, sought) for part in parts)])
    assert len(merged) == 2**merged.bits
    for number, run in enumerate(runs):
        mine = found.filter(found["object"] == number)["ref"].sort().to_list()
        assert mine == find_in_run(write_run(run), sought)["ref"].to_list()


def test_a_merge_is_split_evenly_and_each_part_holds_its_own_references(monkeypatch):
    monkeypatch.setattr("sluice.subject.index.ENTRIES_PER_PART", 200)
    first, second = references(400), references(700)
    runs = [(7, build_run([(SubjectKind.PHONE, first)])), (9, build_run([(SubjectKind.PHONE, second)]))]

    merged = merge_runs(runs)

    parts = [merged.part(number) for number in range(len(merged))]
    assert merged.bits == 3 and sum(part.height for part in parts) == 1100
    assert all((part["ref"] // 2**61 == number).all() for number, part in enumerate(parts))
    [number] = parts_with([first[0]], merged.bits)
    assert find_in_run(write_run(parts[number]), [first[0]])["object"].to_list() == [7, 9]
    other = parts[(number + 1) % 8]
    assert find_in_run(write_run(other), [first[0]]).is_empty(), "the control: no other part knows it"


def test_no_runs_merge_to_one_empty_part():
    merged = merge_runs([])
    assert (len(merged), merged.part(0).height) == (1, 0)


@pytest.mark.parametrize("broken", [b"", b"PAR1", b"x" * 64])
def test_a_broken_run_is_an_error_and_not_an_empty_answer(broken, tmp_path):
    with pytest.raises(IndexInvalid, match="SLU-481"):
        find_in_run(broken, ["0" * 32])
    with pytest.raises(IndexInvalid, match=r"gone\.parquet"):
        find_in_run(Path(tmp_path / "gone.parquet"), ["0" * 32])


def test_another_parquet_file_is_no_run():
    sink = io.BytesIO()
    pl.DataFrame({"ref": ["a"]}).write_parquet(sink)

    with pytest.raises(IndexInvalid):
        find_in_run(sink.getvalue(), ["0" * 32])


def test_an_identifier_in_place_of_a_reference_is_refused_without_being_quoted():
    with pytest.raises(RefMalformed) as refused:
        build_run([(SubjectKind.PHONE, pl.Series(["0" * 32, "+32475123456"]))])

    assert "row 2" in str(refused.value) and "475" not in str(refused.value)
