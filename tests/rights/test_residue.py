"""The tests' own residue reader finds what it is to find, and nothing else."""

import gzip
import io
import zlib

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rights.residue import Searcher, encodings
from scan.plants import CONTAINERS, pdf_of

VALUES = ("+32470123456", "zoe.lefevre@inbox.example", "Vanqwxyz")
SEARCHER = Searcher([VALUES, ("+32499999999",)])


@pytest.mark.parametrize("value", VALUES)
def test_every_encoding_is_found(value: str) -> None:
    for needle in encodings(value):
        assert SEARCHER.search(b"a;" + needle + b";b") == ({0} if len(needle) >= 8 else set()), needle


@pytest.mark.parametrize("name", ["bare", "gzip", "zip", "zip, stored", "parquet, zstd", "pdf"])
def test_every_container_is_opened(name: str) -> None:
    assert SEARCHER.search(CONTAINERS[name](VALUES[1].encode())) == {0}
    assert SEARCHER.search(CONTAINERS[name](b"nobody")) == set()


def test_a_value_in_a_dictionary_that_no_row_uses_is_found() -> None:
    column = pa.DictionaryArray.from_arrays(pa.array([0, 0], pa.int32()), pa.array(["x", VALUES[1]]))
    for compression in ("zstd", "snappy"):
        target = io.BytesIO()
        pq.write_table(pa.table({"a": column}), target, compression=compression, store_schema=False)
        assert SEARCHER.search(target.getvalue()) == {0}, compression
        assert VALUES[1] not in str(pl.read_parquet(target.getvalue()).to_dicts())


def test_what_somebody_can_open_is_opened() -> None:
    sealed = b"sealed" + zlib.compress(gzip.compress(VALUES[0].encode()))

    assert SEARCHER.search(sealed) == set()
    assert SEARCHER.search(sealed, unsealed) == {0}
    assert SEARCHER.search(pdf_of(b"nothing")) == set()


def unsealed(content: bytes) -> bytes | None:
    return zlib.decompress(content[6:]) if content.startswith(b"sealed") else None
