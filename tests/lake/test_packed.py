"""What a file is by its content, also packed: read as what is in it, or refused without opening more than agreed."""

import bz2
import gzip
import io
import zipfile
import zlib
from functools import partial
from pathlib import Path

import polars as pl
import pytest

from lake.reading import read_bytes, refusal_of, table_of
from sluice.lake.erase.in_csv import erase_records
from sluice.lake.erase.in_gzip import erase_in_gzip
from sluice.lake.erase.in_zip import erase_in_zip
from sluice.lake.erase.model import Erased, EraseRefused
from sluice.lake.read.reader import read_table
from sluice.lake.table import FileLimits, FormatHints, LocalCopyUnreadable

TEXT = b"id;name\n1;Ann\n2;\xc3\x89mile\n3;Jan\n"


def zipped(parts: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 2, 3, 4, 6)), content, method)
    return out.getvalue()


def workbook() -> bytes:
    out = io.BytesIO()
    pl.DataFrame({"id": ["1"], "name": ["Ann"]}).write_excel(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "container"),
    [
        ("drop.csv.gz", gzip.compress(TEXT), "gzip"),
        ("drop", gzip.compress(TEXT), "gzip"),
        ("drop.zip", zipped({"a folder/klanten.csv": TEXT}), "zip"),
        ("drop.csv", TEXT, None),
    ],
    ids=["gzip, named", "gzip", "zip", "plain"],  # the bytes of gzip have the time in them
)
def test_what_is_packed_is_the_table_inside(tmp_path: Path, name: str, content: bytes, container: str | None) -> None:
    table = table_of(read_bytes(tmp_path, content, name=name, hints=FormatHints(format="csv")))
    assert table.frame.equals(table_of(read_bytes(tmp_path, TEXT)).frame)
    assert (table.dialect.format, table.dialect.container) == ("csv", container)
    assert table.dialect.as_record()["container"] == container


@pytest.mark.parametrize("name", ["drop.xlsx.gz", "drop.gz"])
def test_a_workbook_in_gzip_is_a_workbook(tmp_path: Path, name: str) -> None:
    assert table_of(read_bytes(tmp_path, gzip.compress(workbook()), name=name)).dialect.format == "xlsx"


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
BOMB = gzip.compress(b"0" * (20 << 20))
CODES = {
    "several": ("ARCHIVE_MEMBERS", "drop.zip", zipped({"a.csv": TEXT, "b.csv": TEXT})),
    "none": ("ARCHIVE_MEMBERS", "drop.zip", zipped({})),
    "a folder": ("ARCHIVE_MEMBERS", "drop.zip", zipped({"a/": b""})),
    "two gzip members": ("ARCHIVE_MEMBERS", "drop.gz", gzip.compress(TEXT) + gzip.compress(TEXT)),
    "bytes behind": ("ARCHIVE_MEMBERS", "drop.gz", gzip.compress(TEXT) + b"more"),
    "nested": ("ARCHIVE_NESTED", "drop.gz", gzip.compress(gzip.compress(TEXT))),
    "nested zip": ("ARCHIVE_NESTED", "drop.zip", zipped({"a.zip": zipped({"a.csv": TEXT})})),
    "bomb": ("ARCHIVE_RATIO", "drop.gz", BOMB),
    "zip bomb": ("ARCHIVE_RATIO", "drop.zip", zipped({"a.csv": b"0" * (20 << 20)})),
    "cut": ("UNREADABLE_ARCHIVE", "drop.gz", gzip.compress(TEXT)[:-9]),
    "flipped": ("UNREADABLE_ARCHIVE", "drop.gz", gzip.compress(TEXT)[:-8] + b"\0\0\0\0" + gzip.compress(TEXT)[-4:]),
    "zip cut": ("UNREADABLE_ARCHIVE", "drop.zip", zipped({"a.csv": TEXT}).replace(TEXT[:4], b"x")[:40]),
    "method": ("ARCHIVE_METHOD", "drop.zip", zipped({"a.csv": TEXT}, zipfile.ZIP_BZIP2)),
    "name inside": ("WRONG_FORMAT_NAME", "drop.zip", zipped({"a.xlsx": TEXT})),
    "name outside": ("WRONG_FORMAT_NAME", "drop.csv", gzip.compress(TEXT)),
    "not as agreed": ("WRONG_FORMAT_NOT_AS_AGREED", "drop.gz", gzip.compress(b'[{"a": 1}]')),
    "empty inside": ("UNREADABLE_EMPTY_FILE", "drop.gz", gzip.compress(b"")),
    "another packer": ("WRONG_FORMAT_ARCHIVE", "drop", bz2.compress(TEXT)),
    "a PDF": ("WRONG_FORMAT_PDF", "drop", b"%PDF-1.7\n"),
    "a page": ("WRONG_FORMAT_MARKUP", "drop", b"<html><table><tr><td>a</td></tr></table></html>"),
    "an old workbook": ("WRONG_FORMAT_XLS", "drop", OLE + bytes(600)),
    "an encrypted workbook": ("ARCHIVE_ENCRYPTED", "drop", OLE + "EncryptedPackage".encode("utf-16-le")),
    "a text called a workbook": ("WRONG_FORMAT_NAME", "drop.xlsx", b"a;b\n1;2\n"),
}


@pytest.mark.parametrize("case", CODES)
def test_what_cannot_be_unpacked_safely_is_refused(tmp_path: Path, case: str) -> None:
    code, name, content = CODES[case]
    refusal = refusal_of(read_bytes(tmp_path, content, name=name, hints=FormatHints(format="csv")))
    assert (refusal.code, refusal.undecided) == (code, False)


def test_an_encrypted_member_is_refused_and_nothing_unpacked_stays(tmp_path):
    content = bytearray(zipped({"a.csv": TEXT}))
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + flags] |= 1
    assert refusal_of(read_bytes(tmp_path, bytes(content), name="drop.zip")).code == "ARCHIVE_ENCRYPTED"
    path = tmp_path / "object"
    path.write_bytes(gzip.compress(TEXT))
    read_table(path, file_name="drop.gz", folder=tmp_path)
    assert list(tmp_path.iterdir()) == [path]


def erased(folder: Path, content: bytes, gone: list[int]) -> tuple[Erased, Path]:
    source, target = folder / "source", folder / "target"
    source.write_bytes(content)

    def erase(inner: Path, edited: Path) -> Erased:
        return erase_records(inner, edited, gone, table_of(read_table(inner, file_name="drop.csv")))

    return erase_in_zip(source, target, erase), target


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_records_leave_a_zip_and_its_member_stays_what_it_was(tmp_path: Path, method: int) -> None:
    done, target = erased(tmp_path, zipped({"klanten.csv": TEXT}, method), [2])
    with zipfile.ZipFile(target) as archive:
        [member] = archive.infolist()
        assert archive.read(member) == TEXT.replace(b"2;\xc3\x89mile\n", b"")
    assert (member.filename, member.date_time, member.compress_type) == ("klanten.csv", (2026, 1, 2, 3, 4, 6), method)
    assert (done.rows_before, done.rows_after) == (3, 2)
    assert "mile" not in target.read_bytes().decode("latin-1")


def test_a_zip_of_two_files_is_not_edited(tmp_path: Path) -> None:
    with pytest.raises(EraseRefused, match="DAMAGED_CONTAINER"):
        erased(tmp_path, zipped({"a.csv": TEXT, "b.csv": TEXT}), [1])


class Pipe(io.BytesIO):
    """Where a packer cannot go back, so it writes a data descriptor."""

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise OSError

    def seek(self, *_: int) -> int:
        raise OSError


def streamed(method: int = zipfile.ZIP_DEFLATED, *, force_zip64: bool = False, out: io.BytesIO | None = None) -> bytes:
    out = Pipe() if out is None else out
    with zipfile.ZipFile(out, "w", method) as archive, archive.open("a.csv", "w", force_zip64=force_zip64) as file:
        file.write(TEXT)
    return out.getvalue()


HONEST = {
    "descriptor": streamed(),
    "stored descriptor": streamed(zipfile.ZIP_STORED),
    "wide descriptor": streamed(force_zip64=True),
    "wide": streamed(force_zip64=True, out=io.BytesIO()),
    "stored": zipped({"a.csv": TEXT}, zipfile.ZIP_STORED),
}


@pytest.mark.parametrize("case", HONEST)
def test_every_honest_way_to_write_a_zip_is_read(tmp_path: Path, case: str) -> None:
    assert table_of(read_bytes(tmp_path, HONEST[case], name="drop.zip")).record_count == 3


def grown(content: bytes, at: int, more: bytes, member: int = 0) -> bytes:
    """With ``more`` put in before the directory, which is told of it; ``member``: so many bytes are the member's."""
    made = bytearray(content[:at] + more + content[at:])
    end = len(made) - 22
    made[end + 16 : end + 20] = (int.from_bytes(made[end + 16 : end + 20], "little") + len(more)).to_bytes(4, "little")
    for place in (18, made.index(b"PK\x01\x02") + 20) if member else ():
        made[place : place + 4] = (int.from_bytes(made[place : place + 4], "little") + member).to_bytes(4, "little")
    return bytes(made)


def doubtful() -> dict[str, bytes]:
    whole, other, flowed = zipped({"a.csv": TEXT}), zipped({"b.csv": TEXT}), streamed()
    at = whole.index(b"PK\x01\x02")
    stored = bytearray(whole)
    stored[8:10] = b"\0\0"
    return {
        "second local entry": grown(whole, at, other[: other.index(b"PK\x01\x02")]),
        "another method": bytes(stored),
        "behind the stream": grown(whole, at, b"more", member=4),
        "behind the end": whole + b"more",
        "behind the descriptor": grown(flowed, flowed.index(b"PK\x01\x02"), b"more"),
    }


@pytest.mark.parametrize("case", doubtful())
def test_a_zip_that_another_reader_reads_otherwise_is_refused(tmp_path: Path, case: str) -> None:
    content = doubtful()[case]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == ["a.csv"], "control: it opens"
    assert refusal_of(read_bytes(tmp_path, content, name="drop.zip")).code == "UNREADABLE_ARCHIVE"


@pytest.mark.parametrize("name", ["drop.csv", "drop.CSV", "drop.txt"])
def test_a_name_or_a_contract_that_contradicts_the_content_is_told_with_both_readings(tmp_path, name):
    refusal = refusal_of(read_bytes(tmp_path, zipped({"klanten": b"a;b"}), name=name))
    assert (refusal.code, refusal.readings) == ("WRONG_FORMAT_NAME", ("csv", "zip"))
    refusal = refusal_of(read_bytes(tmp_path, b"a;b\n1;2\n", name="drop", hints=FormatHints(format="xlsx")))
    assert (refusal.code, refusal.readings) == ("WRONG_FORMAT_NOT_AS_AGREED", ("xlsx", "csv"))
    for text in ("drop", "drop.csv", "drop.txt", "drop.tsv", "drop.20260301"):
        assert table_of(read_bytes(tmp_path, b"a;b\n1;2\n", name=text)).record_count == 1, "control"


pytestmark = pytest.mark.slow

ROWS = [b"id;name\r\n", *(b"%d;name %d\r\n" % (number, number * 7919) for number in range(1, 2_001))]
INNER = b"".join(ROWS)


def gzipped(content: bytes, level: int = 9) -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile(filename="drop.csv", mode="wb", fileobj=out, mtime=1_700_000_000, compresslevel=level) as file:
        file.write(content)
    return out.getvalue()


def with_everything(content: bytes) -> bytes:
    """A header with all optional parts, which Python cannot write."""
    head = b"\x1f\x8b\x08\x1f\x00\x11\x22\x33\x00\x03" + b"\x04\x00AB\x00\x00" + b"drop.csv\0" + b"a note\0"
    head += (zlib.crc32(head) & 0xFFFF).to_bytes(2, "little")
    return head + gzipped(content)[10 + len(b"drop.csv\0") :]


def erased_in_gzip(
    folder: Path, content: bytes, gone: list[int], limits: FileLimits | None = None
) -> tuple[Erased, bytes]:
    source, target = folder / "source.gz", folder / "target.gz"
    source.write_bytes(content)

    def erase(inner: Path, edited: Path) -> Erased:
        return erase_records(inner, edited, gone, table_of(read_table(inner, file_name="drop.csv")))

    erased = erase_in_gzip(source, target, erase, limits)
    assert sorted(folder.iterdir()) == [source, target], "nothing unpacked stays behind"
    return erased, target.read_bytes()


@pytest.mark.parametrize("write", [gzipped, partial(gzipped, level=1), with_everything])
def test_header_stays_and_the_content_is_edited(tmp_path: Path, write: partial[bytes]) -> None:
    content = write(INNER)
    erased, left = erased_in_gzip(tmp_path, content, [1, 1_000])
    assert gzip.decompress(left) == b"".join([ROWS[0], *ROWS[2:1_000], *ROWS[1_001:]])
    header = len(content) - len(gzipped(INNER)[19:]) if write is with_everything else 19
    assert left[:header] == content[:header]
    assert erased.rows_after == 1_998
    assert erased.remarks == ("CONTAINER_TEXT_KEPT",)


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (gzipped(INNER) + gzipped(b"3;Cy\r\n"), "MULTI_MEMBER"),
        (gzipped(INNER) + b"\0\0", "TRAILING_BYTES"),
        (gzipped(INNER)[:-1], "DAMAGED_CONTAINER"),
        (gzipped(INNER)[:-8] + b"\0" * 8, "DAMAGED_CONTAINER"),
        (gzipped(INNER)[:12], "DAMAGED_CONTAINER"),
        (INNER, "DAMAGED_CONTAINER"),
    ],
)
def test_a_container_that_is_not_one_whole_member_is_refused(tmp_path: Path, content: bytes, rule: str) -> None:
    with pytest.raises(EraseRefused, match=rule):
        erased_in_gzip(tmp_path, content, [1])
    assert not (tmp_path / "target.gz").exists()


def test_what_unpacks_to_a_huge_file_or_the_inner_eraser_refuses_is_refused(tmp_path):
    with pytest.raises(EraseRefused, match="LIMIT_FILE_SIZE"):
        erased_in_gzip(tmp_path, gzipped(b"a;b\n" + b"0;0\n" * 1_000_000), [1], FileLimits(file_bytes=100_000))
    with pytest.raises(EraseRefused, match="MAY_CONTINUE"):
        erased_in_gzip(tmp_path, gzipped(b"a;b\n0;1\n1;2\npiece\n2;3\n4;5\n"), [2])


def test_a_target_that_exists_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "target.gz").write_bytes(b"mine")
    with pytest.raises(LocalCopyUnreadable):
        erased_in_gzip(tmp_path, gzipped(INNER), [1])
    assert (tmp_path / "target.gz").read_bytes() == b"mine"
