"""Parquet's hiding places, each with a value that must be found there."""

import io
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scan.plants import parquet_of, people
from sluice.scan.model import Hit, Reason, Status
from sluice.scan.needles import needles_of
from sluice.scan.walk import scan_bytes

pytestmark = pytest.mark.slow

VALUE = "klant.7@voorbeeld.be"
NEEDLE = needles_of([VALUE])
KEPT = [f"bereikt {i % 7}" for i in range(500)]
PEOPLE = people(200)
NEEDLES = needles_of(PEOPLE)
CODECS = ("none", "snappy", "gzip", "brotli", "lz4", "zstd")


def places(content: bytes, value: str = VALUE) -> list[str]:
    return [hit.where for hit in scan_bytes(content, needles_of([value])).hits]


@pytest.mark.parametrize("compression", CODECS)
@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("dictionary", [True, False])
def test_200_values_are_found_in_pages_of_every_compression(compression: str, version: str, dictionary: bool) -> None:
    content = parquet_of(
        [*KEPT, *PEOPLE, None],
        compression=compression,
        data_page_version=version,
        use_dictionary=dictionary,
        write_statistics=False,
        data_page_size=1000,
    )

    scan = scan_bytes(content, NEEDLES)

    assert {hit.value_index for hit in scan.hits if "page" in hit.where} == set(range(200))
    assert scan.doubts == ()


@pytest.mark.parametrize("compression", CODECS)
def test_a_clean_file_is_clean_with_indexes_and_statistics(compression: str) -> None:
    content = parquet_of(KEPT, compression=compression, write_page_index=True, kv={"made by": "nobody"})

    assert scan_bytes(content, NEEDLE).status is Status.CLEAN


def test_files_of_polars_are_clean_with_their_uncovered_copies() -> None:
    frame = pl.DataFrame({"note": KEPT, "id": range(500), "seen": [None] * 500, "at": [1.5] * 500})
    for statistics in (True, False):
        target = io.BytesIO()
        frame.write_parquet(target, statistics=statistics, row_group_size=100)
        assert scan_bytes(target.getvalue(), NEEDLE).doubts == ()


@pytest.mark.parametrize("kind", [pa.int32(), pa.int64(), pa.uint32(), pa.float64(), pa.string()])
def test_an_id_is_found_in_a_column_of_any_type(kind: pa.DataType) -> None:
    number = 123_456_789
    cells = pa.array([1, 2, None, number, 4]).cast(kind)

    for dictionary in (True, False):
        content = parquet_of(cells, use_dictionary=dictionary, write_statistics=False, compression="zstd")
        assert places(content, str(number)), (kind, dictionary)


def test_an_id_is_found_as_the_minimum_of_a_column_of_int32() -> None:
    content = parquet_of(pa.array([123_456_789, 200_000_000], pa.int32()), compression="zstd", write_page_index=True)

    assert any("bounds" in place for place in places(content, "123456789"))


def test_a_value_left_in_footer_statistics_is_found() -> None:
    old, new = parquet_of([VALUE, "zz"], compression="zstd"), parquet_of(["a", "zz"], compression="zstd")
    rows = pq.read_table(io.BytesIO(new))
    assert VALUE not in rows["note"].to_pylist()
    with_old_footer = new[: -footer_size(new)] + old[-footer_size(old) :]

    assert "parquet" in places(with_old_footer)


def footer_size(content: bytes) -> int:
    return 8 + int.from_bytes(content[-8:-4], "little")


def test_a_value_left_in_kv_metadata_is_found() -> None:
    assert "parquet" in places(parquet_of(KEPT, kv={"source": VALUE}, compression="zstd"))


def test_a_value_left_in_a_dictionary_is_found() -> None:
    """A filter keeps the dictionary of the batch, and with it the value that no row has any more."""
    column = pa.array([VALUE, *KEPT]).dictionary_encode()
    kept = column.filter(pa.array([False, *[True] * len(KEPT)]))
    assert VALUE not in kept.to_pylist()

    content = parquet_of(kept, compression="gzip", write_statistics=False)

    assert VALUE.encode() not in content
    assert places(content) == ["parquet > row group 0 column 0 page 0"]


@pytest.mark.parametrize("compression", CODECS)
def test_a_page_that_no_footer_points_at_is_found(compression: str) -> None:
    old = parquet_of([VALUE] * 50, compression=compression, write_statistics=False)
    pages = old[4 : -footer_size(old)]

    scan = scan_bytes(between_pages_and_footer(pages), NEEDLE)

    assert any("gap" in hit.where for hit in scan.hits) or (compression == "none" and scan.status is Status.HIT)


def test_a_page_copied_with_its_statistics_is_found() -> None:
    old = parquet_of([VALUE, *KEPT], compression="zstd", write_page_index=True, data_page_version="2.0")

    assert places(between_pages_and_footer(old[4 : -footer_size(old)]))


def between_pages_and_footer(left: bytes) -> bytes:
    """A clean file with bytes between its last page and its footer, as an editor in place would leave them."""
    new = parquet_of(KEPT, compression="zstd")
    cut = len(new) - footer_size(new)
    return new[:cut] + left + new[cut:]


def test_a_gap_that_nobody_can_read_is_a_doubt() -> None:
    scan = scan_bytes(between_pages_and_footer(bytes(range(1, 200))), NEEDLE)

    assert [doubt.reason for doubt in scan.doubts] == [Reason.UNREAD_GAP]


def test_padding_is_no_doubt() -> None:
    assert scan_bytes(between_pages_and_footer(bytes(64)), NEEDLE).status is Status.CLEAN


@pytest.mark.parametrize("encoding", ["DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"])
def test_encodings_that_hide_values_are_never_clean(encoding: str) -> None:
    content = parquet_of(sorted(KEPT), use_dictionary=False, column_encoding=encoding)

    assert {doubt.reason for doubt in scan_bytes(content, NEEDLE).doubts} == {Reason.UNKNOWN_ENCODING}


def test_numbers_in_delta_encoding_are_never_clean() -> None:
    content = parquet_of(pa.array(range(50)), use_dictionary=False, column_encoding="DELTA_BINARY_PACKED")

    assert {doubt.reason for doubt in scan_bytes(content, NEEDLE).doubts} == {Reason.UNKNOWN_ENCODING}


def test_a_bloom_filter_is_never_clean() -> None:
    content = parquet_of(KEPT, bloom_filter_options={"note": {"ndv": 100}})

    assert {doubt.reason for doubt in scan_bytes(content, NEEDLE).doubts} == {Reason.BLOOM_FILTER}


def test_an_encrypted_footer_is_opaque() -> None:
    assert scan_bytes(b"PARE" + bytes(50) + b"PARE", NEEDLE).status is Status.OPAQUE


def test_a_hit_names_positions_only(tmp_path: Path) -> None:
    target = tmp_path / "a.parquet"
    pq.write_table(pa.table({VALUE: ["x"], "b": [VALUE]}), target, use_dictionary=False, compression="zstd")

    scan = scan_bytes(target, NEEDLE)

    assert Hit(0, "plain", "parquet > row group 0 column 1 page 0", 4 + 6) in scan.hits
    assert VALUE not in repr(scan)
