"""Persons out of lake files: the rest as it was, to three readers, and no byte of them left."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from sluice.lake.erase.in_lake import MAGIC, erase_refs, find_refs
from sluice.lake.erase.model import EraseRefused
from sluice.lake.erase.parquet_thrift import Items, Struct, decoded, encoded
from sluice.lake.parquet import ROWS_PER_GROUP, write_lake
from support.effort import effort

pytestmark = pytest.mark.slow

REF, OTHER = "sluice_subject_ref", "sluice_ref_email"
TEXT = "geheim-van-persoon-0042"
NUMBER = 8_589_934_592_123_457
SCHEMA = {
    "sluice_row": pl.UInt32,
    REF: pl.String,
    OTHER: pl.String,
    "naam": pl.String,
    "leeg": pl.String,
    "nooit": pl.Null,
    "bedrag": pl.Int64,
    "koers": pl.Float64,
    "dag": pl.Date,
    "ja": pl.Boolean,
}


def ref(number: int) -> str:
    return f"{number * 0x9E3779B97F4A7C15 % 2**128:032x}"


def big(rows: int, person: int = 42) -> pl.DataFrame:
    """A sorted table in which one person has a text and a number that nobody else has."""
    numbers = pl.int_range(rows, eager=True)
    frame = pl.DataFrame(
        {
            "sluice_row": numbers.cast(pl.UInt32),
            REF: [ref(number) for number in range(rows)],
            "naam": [f"klant {number % 97}" for number in range(rows)],
            "bedrag": numbers * 7,
        }
    )
    chosen = pl.col("sluice_row") == person
    return frame.with_columns(
        naam=pl.when(chosen).then(pl.lit(TEXT)).otherwise("naam"),
        bedrag=pl.when(chosen).then(pl.lit(NUMBER)).otherwise("bedrag"),
    ).sort(REF)


def written(frame: pl.DataFrame, folder: Path) -> Path:
    path = folder / "before.parquet"
    write_lake([frame], path, sorted_by=REF)
    return path


def read_by_all(path: Path) -> list[pl.DataFrame]:
    """The file as pyarrow, polars and duckdb see it; they share no Parquet code."""
    with duckdb.connect() as database:
        third = database.read_parquet(str(path)).to_arrow_table()
    return [pl.DataFrame(pq.read_table(path)), pl.read_parquet(path), pl.DataFrame(third)]


def inflated(path: Path) -> bytes:
    """Every byte of the file as it lies there, and every page inflated."""
    raw = path.read_bytes()
    footer, _ = decoded(raw, len(raw) - 8 - int.from_bytes(raw[-8:-4], "little"))
    return b"|".join([raw, *pages(raw, footer)])


def pages(raw: bytes, footer: Struct) -> Iterator[bytes]:
    codec = pa.Codec("zstd")
    for group in (footer.get(4, Items) or Items(12, ())).structs():
        for chunk in (group.get(1, Items) or Items(12, ())).structs():
            meta = chunk.get(3, Struct) or Struct(())
            at = min(filter(None, (meta.get(9, int), meta.get(11, int))))
            end = at + (meta.get(7, int) or 0)
            while at < end:
                header, at = decoded(raw, at)
                packed, whole = header.get(3, int) or 0, header.get(2, int) or 0
                yield codec.decompress(raw[at : at + packed], whole, asbytes=True) if whole else b""
                at += packed


def holds_person(path: Path) -> bool:
    found = inflated(path)
    return any(each in found for each in (TEXT.encode(), ref(42).encode(), NUMBER.to_bytes(8, "little")))


CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.none()
REFS = st.sampled_from([ref(number) for number in range(6)]) | st.none()
ROWS = st.tuples(
    st.integers(0, 2**32 - 1), REFS, REFS, CELLS, st.none(), st.none(), st.integers(-(2**63), 2**63 - 1) | st.none(),
    st.floats() | st.none(), st.dates() | st.none(), st.booleans() | st.none(),
)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=effort(20, 60), deadline=None)
@given(st.lists(ROWS, max_size=30), st.sets(st.sampled_from([ref(number) for number in range(8)])), st.booleans())
def test_the_rows_of_the_persons_go_and_all_others_stay_to_three_readers(tmp_path_factory, rows, refs, in_both):
    folder = tmp_path_factory.mktemp("erase")
    columns = [REF, OTHER] if in_both else [REF]
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row").sort(REF, nulls_last=True)
    source, target = written(frame, folder), folder / "after.parquet"
    erased = erase_refs(source, target, refs, columns, REF)
    kept = frame.filter(~pl.any_horizontal(pl.col(columns).is_in(list(refs)).fill_null(False)))
    assert (erased.rows_before, erased.rows_after) == (frame.height, kept.height)
    for found, was in zip(read_by_all(target), read_by_all(source), strict=True):
        assert found.schema == was.schema
        assert_frame_equal(found.cast(kept.schema), kept)


def test_only_the_touched_group_is_written_anew(tmp_path: Path) -> None:
    frame = big(3 * ROWS_PER_GROUP)
    source, target = written(frame, tmp_path), tmp_path / "after.parquet"
    place = int(frame.with_row_index().filter(pl.col(REF) == ref(42))["index"][0]) // ROWS_PER_GROUP
    erased = erase_refs(source, target, {ref(42)}, [REF], REF)
    assert (erased.rows_before, erased.rows_after) == (frame.height, frame.height - 1)
    before, after = [list(pages_by_group(path)) for path in (source, target)]
    assert [one == other for one, other in zip(before, after, strict=True)] == [n != place for n in range(3)]
    assert dictionaries(source, place) == dictionaries(target, place)
    assert len(set(dictionaries(source, place))) == 2, "some columns have one, some have none"
    for found in read_by_all(target):
        assert_frame_equal(found, frame.filter(pl.col(REF) != ref(42)))


def pages_by_group(path: Path) -> Iterator[bytes]:
    """The bytes of each row group as they lie in the file."""
    raw, footer = path.read_bytes(), pq.read_metadata(path)
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        chunks = [group.column(column) for column in range(group.num_columns)]
        starts = [chunk.dictionary_page_offset or chunk.data_page_offset for chunk in chunks]
        yield b"".join(raw[at : at + chunk.total_compressed_size] for at, chunk in zip(starts, chunks, strict=True))


def dictionaries(path: Path, group: int) -> list[bool]:
    """Which columns of a row group have a dictionary."""
    found = pq.read_metadata(path).row_group(group)
    return [found.column(column).has_dictionary_page for column in range(found.num_columns)]


def test_no_byte_of_the_person_is_left_in_pages_behind_the_footer_or_in_categories(tmp_path):
    source, target = written(big(200), tmp_path), tmp_path / "after.parquet"
    erase_refs(source, target, {ref(42)}, [REF], REF)
    assert holds_person(source)
    assert not holds_person(target)
    source, target = tmp_path / "before.parquet", tmp_path / "after.parquet"
    table = big(200).with_columns(pl.col("naam").cast(pl.Categorical)).to_arrow(compat_level=pl.CompatLevel.oldest())
    pq.write_table(table, source, compression="zstd", write_statistics=[REF])
    erase_refs(source, target, {ref(42)}, [REF], REF)
    assert holds_person(source)
    assert not holds_person(target)


def test_control_a_kept_dictionary_would_be_found(tmp_path: Path) -> None:
    frame, target = big(200), tmp_path / "dictionary.parquet"
    table = frame.to_arrow()
    coded = table.set_column(2, "naam", table["naam"].dictionary_encode()).filter(pa.array(frame[REF] != ref(42)))
    pq.write_table(coded, target, compression="zstd", write_statistics=False)
    assert TEXT not in pl.read_parquet(target)["naam"].cast(pl.String).to_list()
    assert TEXT.encode() in inflated(target)


def test_bytes_that_no_footer_names_do_not_come_along(tmp_path: Path) -> None:
    source, erased, again = written(big(200), tmp_path), tmp_path / "after.parquet", tmp_path / "again.parquet"
    erase_refs(source, erased, {ref(42)}, [REF], REF)
    new = erased.read_bytes()
    footer = len(new) - 8 - int.from_bytes(new[-8:-4], "little")
    erased.write_bytes(new[:footer] + TEXT.encode() + new[footer:])
    erase_refs(erased, again, {ref(42)}, [REF], REF)
    assert pl.read_parquet(erased).height == 199
    assert holds_person(erased)
    assert again.read_bytes() == new


def test_statistics_stay_on_the_sorted_column_alone_and_name_kept_rows(tmp_path: Path) -> None:
    frame = big(500)
    source, target = written(frame, tmp_path), tmp_path / "after.parquet"
    first, last = frame[REF][0], frame[REF][-1]
    erase_refs(source, target, {first, last}, [REF], REF)
    group = pq.read_metadata(target).row_group(0)
    stated = {group.column(n).path_in_schema for n in range(group.num_columns) if group.column(n).statistics}
    assert stated == {REF}
    assert (group.column(1).statistics.min, group.column(1).statistics.max) == (frame[REF][1], frame[REF][-2])


def test_schema_metadata_and_writer_stay(tmp_path: Path) -> None:
    source, target = tmp_path / "before.parquet", tmp_path / "after.parquet"
    table = big(100).to_arrow(compat_level=pl.CompatLevel.oldest()).replace_schema_metadata({"contract": "v3"})
    pq.write_table(table, source, compression="zstd", write_statistics=[REF])
    erase_refs(source, target, {ref(42)}, [REF], REF)
    old, new = pq.read_metadata(source), pq.read_metadata(target)
    assert (new.metadata, new.created_by, new.schema) == (old.metadata, old.created_by, old.schema)
    assert new.metadata[b"contract"] == b"v3"


def test_nobody_to_erase_gives_the_same_bytes_and_everybody_an_empty_table(tmp_path):
    source, target = written(big(100), tmp_path), tmp_path / "after.parquet"
    erased = erase_refs(source, target, {ref(10**6)}, [REF], REF)
    assert erased.rows_before == erased.rows_after == 100
    assert target.read_bytes() == source.read_bytes()
    frame = big(100)
    source, target = written(frame, tmp_path), tmp_path / "after.parquet"
    erased = erase_refs(source, target, set(frame[REF]), [REF], REF)
    assert erased.rows_after == 0
    assert all(found.schema == frame.schema and found.height == 0 for found in read_by_all(target))


def test_rows_are_counted_in_the_groups_that_can_hold_them(tmp_path: Path) -> None:
    frame = big(2 * ROWS_PER_GROUP).with_columns(pl.col(REF).reverse().alias(OTHER))
    source = written(frame, tmp_path)
    first = frame[REF][0]
    assert find_refs(source, {first}, [REF]) == (1, 0)
    assert find_refs(source, {first}, [REF, OTHER]) == (1, 1)
    assert find_refs(source, {ref(10**6)}, [REF]) == (0, 0)


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"write_page_index": True}, "PARQUET_FOREIGN"),
        ({"bloom_filter_options": {"naam": {"ndv": 100}}}, "PARQUET_FOREIGN"),
        ({"store_schema": False, "coerce_timestamps": "ms"}, None),
    ],
)
def test_a_file_with_values_outside_its_pages_is_refused(tmp_path, options, rule):
    source, target = tmp_path / "before.parquet", tmp_path / "after.parquet"
    pq.write_table(big(100).to_arrow(compat_level=pl.CompatLevel.oldest()), source, **options)
    if rule is None:
        assert erase_refs(source, target, {ref(42)}, [REF], REF).rows_after == 99
        return
    with pytest.raises(EraseRefused, match=rule):
        erase_refs(source, target, {ref(42)}, [REF], REF)
    assert not target.exists()


def test_control_a_person_hidden_by_a_wrong_statistic_is_found_by_the_proof(tmp_path: Path) -> None:
    source, target = written(big(100), tmp_path), tmp_path / "after.parquet"
    raw = source.read_bytes()
    low, high = big(100)[REF][0].encode(), big(100)[REF][-1].encode()
    footer = len(raw) - 8 - int.from_bytes(raw[-8:-4], "little")
    source.write_bytes(raw[:footer] + raw[footer:].replace(low, b"f" * 31 + b"0").replace(high, b"f" * 32))
    assert find_refs(source, {ref(42)}, [REF]) == (0,)
    with pytest.raises(EraseRefused, match="PARQUET_PROOF"):
        erase_refs(source, target, {ref(42)}, [REF], REF)
    assert not list(tmp_path.glob("*after*"))


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1\xff\xff\xff\xffPAR1", b"PAR1" + bytes(40) + MAGIC])
def test_what_is_no_parquet_is_refused(tmp_path: Path, content: bytes) -> None:
    source = tmp_path / "before.parquet"
    source.write_bytes(content)
    with pytest.raises(EraseRefused, match="PARQUET_FOREIGN"):
        erase_refs(source, tmp_path / "after.parquet", {ref(42)}, [REF], REF)


def test_a_missing_reference_column_or_none_at_all_is_refused_not_passed_over(tmp_path):
    with pytest.raises(EraseRefused, match="PARQUET_SCHEMA"):
        erase_refs(written(big(10), tmp_path), tmp_path / "after.parquet", {ref(4)}, [], REF)
    source = written(big(10), tmp_path)
    with pytest.raises(EraseRefused, match="PARQUET_SCHEMA"):
        erase_refs(source, tmp_path / "after.parquet", {ref(4)}, [REF, OTHER], REF)


def test_the_footer_codec_gives_back_what_it_read(tmp_path: Path) -> None:
    for rows in (0, 1, 60_000):
        raw = written(big(rows), tmp_path).read_bytes()
        footer = raw[len(raw) - 8 - int.from_bytes(raw[-8:-4], "little") : -8]
        found, end = decoded(footer)
        assert (encoded(found), end) == (footer, len(footer))
        assert encoded(found.holding(3, -1)) != footer
        assert decoded(encoded(found.holding(3, -(2**40))))[0].get(3, int) == -(2**40)


@pytest.mark.parametrize("kind", [pl.String, pl.Categorical])
def test_text_written_without_a_copy_gives_the_bytes_that_a_copy_gives(tmp_path: Path, kind: pl.DataType) -> None:
    frame = big(ROWS_PER_GROUP + 9).with_columns(
        pl.col("naam").cast(kind), leeg=pl.lit(None, pl.String), uniek=pl.col(REF).str.reverse(), kort=pl.lit("")
    )
    write_lake([frame], tmp_path / "ours", sorted_by=REF)
    pq.write_table(
        frame.cast({kind: pl.String}).to_arrow(compat_level=pl.CompatLevel.oldest()), tmp_path / "copied",
        compression="zstd",
        use_dictionary=["naam", "leeg", "kort"], row_group_size=ROWS_PER_GROUP, write_statistics=[REF],
        store_schema=False, version="2.6", data_page_version="1.0",
    )  # fmt: skip
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "copied").read_bytes()
