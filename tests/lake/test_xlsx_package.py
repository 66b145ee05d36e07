"""Parts of a workbook as they are packed: a stream that is not what the directory says of it is refused."""

import io
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import pytest

from lake.reading import read_bytes, refusal_of, table_of
from lake.workbooks import SHEET, STRINGS, parts_of, workbook
from sluice.lake.xlsx.package import Package, XmlRefused

BOOK = workbook()
UNUSED = "docProps/app.xml"
FEW, MANY = 1000, 20_000_000


def deflated(content: bytes) -> bytes:
    machine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return machine.compress(content) + machine.flush()


def packed(part: str, stream: bytes, size: int, crc: int) -> bytes:
    """The workbook with one part of that stream, of which its directory says so much."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in parts_of(BOOK).items():
            archive.writestr(name, stream if name == part else content)
        info = archive.getinfo(part)
        info.compress_type, info.file_size, info.CRC = zipfile.ZIP_DEFLATED, size, crc
    return out.getvalue()


CONTENT = {name: parts_of(BOOK)[name] for name in (SHEET, STRINGS, UNUSED)}
DAMAGED = {
    "cut": lambda stream: stream[:-1],
    "cut in half": lambda stream: stream[: len(stream) // 2],
    "nothing": lambda _: b"",
    "more behind its end": lambda stream: stream + b"\0",
    "another stream behind its end": lambda stream: stream + stream,
    "no deflate": lambda stream: b"\xff" * len(stream),
    "other text of that length": lambda stream: deflated(zlib.decompress(stream, -zlib.MAX_WBITS).swapcase()),
}


@pytest.mark.parametrize("part", CONTENT)
@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_stream_is_refused(tmp_path: Path, part: str, damage: str) -> None:
    content = CONTENT[part]
    book = packed(part, DAMAGED[damage](deflated(content)), len(content), zlib.crc32(content))

    assert refusal_of(read_bytes(tmp_path, book, "drop.xlsx")).code == "UNREADABLE_ARCHIVE"


@pytest.mark.parametrize("more", [-1, 1])
@pytest.mark.parametrize("part", CONTENT)
def test_a_stream_of_another_length_than_declared_is_refused(tmp_path: Path, part: str, more: int) -> None:
    content = CONTENT[part]
    book = packed(part, deflated(content), len(content) + more, zlib.crc32(content))

    assert refusal_of(read_bytes(tmp_path, book, "drop.xlsx")).code == "UNREADABLE_ARCHIVE"


@pytest.mark.parametrize("part", CONTENT)
def test_control_the_undamaged_stream_is_read(tmp_path: Path, part: str) -> None:
    content = CONTENT[part]
    book = packed(part, deflated(content), len(content), zlib.crc32(content))

    assert table_of(read_bytes(tmp_path, book, "drop.xlsx")).record_count == 3


def test_an_empty_part_is_read(tmp_path: Path) -> None:
    book = packed(UNUSED, deflated(b""), 0, 0)

    assert table_of(read_bytes(tmp_path, book, "drop.xlsx")).record_count == 3


def test_what_is_longer_than_declared_is_refused_before_it_is_inflated() -> None:
    content = bytes(MANY)
    book = packed(SHEET, deflated(content), FEW, zlib.crc32(content[:FEW]))
    del content

    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        tracemalloc.start()
        try:
            with pytest.raises(XmlRefused, match="UNREADABLE_ARCHIVE"):
                Package(archive).read(SHEET)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak < MANY / 10
