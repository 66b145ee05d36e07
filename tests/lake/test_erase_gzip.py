"""Erasing inside gzip: header byte for byte, content as its own eraser left it."""

import gzip
import io
import zlib
from functools import partial
from pathlib import Path

import pytest

from lake.reading import table_of
from sluice.lake.erase.in_csv import erase_records
from sluice.lake.erase.in_gzip import erase_in_gzip
from sluice.lake.erase.model import Erased, EraseRefused
from sluice.lake.read.reader import read_table
from sluice.lake.table import FileLimits, LocalCopyUnreadable

pytestmark = pytest.mark.slow

ROWS = [b"id;name\r\n", *(b"%d;name %d\r\n" % (number, number * 7919) for number in range(1, 2_001))]
INNER = b"".join(ROWS)


def packed(content: bytes, level: int = 9) -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile(filename="drop.csv", mode="wb", fileobj=out, mtime=1_700_000_000, compresslevel=level) as file:
        file.write(content)
    return out.getvalue()


def with_everything(content: bytes) -> bytes:
    """A header with all optional parts, which Python cannot write."""
    head = b"\x1f\x8b\x08\x1f\x00\x11\x22\x33\x00\x03" + b"\x04\x00AB\x00\x00" + b"drop.csv\0" + b"a note\0"
    head += (zlib.crc32(head) & 0xFFFF).to_bytes(2, "little")
    return head + packed(content)[10 + len(b"drop.csv\0") :]


def erased_from(
    folder: Path, content: bytes, gone: list[int], limits: FileLimits | None = None
) -> tuple[Erased, bytes]:
    source, target = folder / "source.gz", folder / "target.gz"
    source.write_bytes(content)

    def erase(inner: Path, edited: Path) -> Erased:
        return erase_records(inner, edited, gone, table_of(read_table(inner, file_name="drop.csv")))

    erased = erase_in_gzip(source, target, erase, limits)
    assert sorted(folder.iterdir()) == [source, target], "nothing unpacked stays behind"
    return erased, target.read_bytes()


@pytest.mark.parametrize("write", [packed, partial(packed, level=1), with_everything])
def test_header_stays_and_the_content_is_edited(tmp_path: Path, write: partial[bytes]) -> None:
    content = write(INNER)

    erased, left = erased_from(tmp_path, content, [1, 1_000])

    assert gzip.decompress(left) == b"".join([ROWS[0], *ROWS[2:1_000], *ROWS[1_001:]])
    header = len(content) - len(packed(INNER)[19:]) if write is with_everything else 19
    assert left[:header] == content[:header]
    assert erased.rows_after == 1_998
    assert erased.remarks == ("CONTAINER_TEXT_KEPT",)


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (packed(INNER) + packed(b"3;Cy\r\n"), "MULTI_MEMBER"),
        (packed(INNER) + b"\0\0", "TRAILING_BYTES"),
        (packed(INNER)[:-1], "DAMAGED_CONTAINER"),
        (packed(INNER)[:-8] + b"\0" * 8, "DAMAGED_CONTAINER"),
        (packed(INNER)[:12], "DAMAGED_CONTAINER"),
        (INNER, "DAMAGED_CONTAINER"),
    ],
)
def test_a_container_that_is_not_one_whole_member_is_refused(tmp_path: Path, content: bytes, rule: str) -> None:
    with pytest.raises(EraseRefused, match=rule):
        erased_from(tmp_path, content, [1])

    assert not (tmp_path / "target.gz").exists()


def test_a_small_file_that_unpacks_to_a_huge_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EraseRefused, match="LIMIT_FILE_SIZE"):
        erased_from(tmp_path, packed(b"a;b\n" + b"0;0\n" * 1_000_000), [1], FileLimits(file_bytes=100_000))


def test_what_the_inner_eraser_refuses_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EraseRefused, match="MAY_CONTINUE"):
        erased_from(tmp_path, packed(b"a;b\n0;1\n1;2\npiece\n2;3\n4;5\n"), [2])


def test_a_target_that_exists_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "target.gz").write_bytes(b"mine")

    with pytest.raises(LocalCopyUnreadable):
        erased_from(tmp_path, packed(INNER), [1])

    assert (tmp_path / "target.gz").read_bytes() == b"mine"
