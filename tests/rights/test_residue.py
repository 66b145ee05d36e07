"""The tests' own residue reader finds what it is to find, and nothing else."""

import base64
import gzip
import hashlib
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


def test_chance_in_a_hash_is_nobody_and_the_same_digits_beside_it_are_somebody() -> None:
    searcher, noise = Searcher([("E14128133", "0471/41.28.13")]), hashlib.sha256(b"noise").hexdigest()
    digest = f"{noise[:9]}e14128133{noise[9:55]}"
    payload = base64.b64encode(f'"{noise[:8]}e14128000{noise[8:55]}"'.encode())

    assert searcher.search(f'"{digest}"'.encode()) == searcher.search(payload) == set()
    for other in (digest[1:], f"{digest} E14128133", f"{noise[:20]}0471412813-", f"{digest[:32]}.e14128133"):
        assert searcher.search(other.encode()) == {0}, other
    assert searcher.search(base64.b64encode(b'{"x": "E14128133"}')) == {0}


def unsealed(content: bytes) -> bytes | None:
    return zlib.decompress(content[6:]) if content.startswith(b"sealed") else None
