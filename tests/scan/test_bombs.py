"""Few bytes that become many, or take for ever: they count, whatever they are packed in, and have their end."""

import gzip
import io
import os
import struct
import time
import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scan.plants import filled
from sluice.scan.little import scan_little
from sluice.scan.model import Limits, Reason, Status
from sluice.scan.needles import needles_of
from sluice.scan.walk import scan_bytes

VALUE = "klant.7@voorbeeld.be"
NEEDLE = needles_of([VALUE])


def heads_of_one_stream(count: int, mebibytes: int) -> bytes:
    """A ZIP without a directory: local headers that all begin at the same stream, which never ends."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    stream = packer.compress(bytes(mebibytes << 20)) + packer.flush(zlib.Z_SYNC_FLUSH)
    jumps = (30 * (count - number - 1) for number in range(count))
    heads = (b"PK\x03\x04" + struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0, 0, 0, 0, jump, 0) for jump in jumps)
    return b"".join(heads) + stream


def pdf_of_zeros(mebibytes: int) -> bytes:
    return (
        b"%PDF-1.4\n1 0 obj << /Filter /FlateDecode >> stream\n"
        + zlib.compress(bytes(mebibytes << 20))
        + b"\nendstream"
    )


def cmap_bomb(ranges: int) -> bytes:
    """A PDF of one table that says of every code what it is, again and again."""
    table = b"1 beginbfrange\n" + b"<0000> <ffff> <0041>\n" * ranges + b"endbfrange\n"
    return b"%PDF-1.4\n1 0 obj << /Filter /FlateDecode >> stream\n" + zlib.compress(table, 9) + b"\nendstream endobj\n"


@pytest.mark.parametrize(
    "bomb",
    [
        heads_of_one_stream(40, 2),
        heads_of_one_stream(2000, 0) + b"\0\0\0\xff\xff" * 4000,
        b"%PDF-1.4\n"
        + b"1 0 obj << /Filter /FlateDecode >> stream\n"
        + zlib.compress(bytes(40 << 20))
        + b"\nendstream",
        cmap_bomb(1000),
    ],
    ids=["heads of one stream", "heads of one that inflates to nothing", "pdf", "codes of a font"],
)
def test_whatever_is_made_of_few_bytes_counts_and_has_its_end(bomb: bytes) -> None:
    few = Limits(floor_bytes=8 << 20, swell=1)
    began = time.process_time()

    scan = scan_bytes(bomb, NEEDLE, limits=few)

    assert Reason.TOO_LARGE in {doubt.reason for doubt in scan.doubts}
    assert time.process_time() - began < 10


def test_what_is_no_bomb_has_no_such_end() -> None:
    """The control: of the same, one head, one stream, one range."""
    few = Limits(floor_bytes=8 << 20, swell=1)
    for content in (heads_of_one_stream(1, 3), pdf_of_zeros(3), cmap_bomb(1)):
        assert Reason.TOO_LARGE not in {doubt.reason for doubt in scan_bytes(content, NEEDLE, limits=few).doubts}


def test_what_an_object_may_become_grows_with_it() -> None:
    packed = gzip.compress(os.urandom(1 << 20) + VALUE.encode() + bytes(4 << 20))
    few, more = Limits(floor_bytes=1 << 20, swell=2), Limits(floor_bytes=1 << 20, swell=6)

    assert Reason.TOO_LARGE in {doubt.reason for doubt in scan_bytes(packed, NEEDLE, limits=few).doubts}
    scan = scan_bytes(packed, NEEDLE, limits=more)
    assert scan.status is Status.HIT and Reason.TOO_LARGE not in {doubt.reason for doubt in scan.doubts}


def test_a_page_that_says_it_is_larger_than_may_be_is_said_to_be_too_large() -> None:
    rows = io.BytesIO()
    pq.write_table(pa.table({"a": pa.array([bytes(3 << 20)])}), rows, use_dictionary=False, compression="zstd")

    scan = scan_bytes(rows.getvalue(), NEEDLE, limits=Limits(whole_bytes=1 << 20))

    assert {doubt.reason for doubt in scan.doubts} == {Reason.TOO_LARGE}


def test_what_is_little_is_read_at_once_and_what_swells_is_left_to_a_reader(tmp_path: Path) -> None:
    path, needles = tmp_path / "a", NEEDLE
    plain, little = bytes(8 << 20) + VALUE.encode(), gzip.compress(VALUE.encode() + bytes(1 << 20))
    for content in (plain, little, b"", filled(b"x")):
        path.write_bytes(content)
        assert scan_little(path, needles) == scan_bytes(path, needles)

    for content in (gzip.compress(bytes(8 << 20)), gzip.compress(os.urandom(5 << 20)), cmap_bomb(1000)):
        path.write_bytes(content)
        assert scan_little(path, needles) is None
