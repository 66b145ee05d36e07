"""Files that come packed: read as what is in them, or refused without opening more than was agreed."""

import bz2
import gzip
import io
import zipfile
from pathlib import Path

import polars as pl
import pytest

from lake.reading import read_bytes, refusal_of, table_of
from sluice.lake.erase.in_csv import erase_records
from sluice.lake.erase.in_zip import erase_in_zip
from sluice.lake.erase.model import Erased, EraseRefused
from sluice.lake.read.reader import read_table
from sluice.lake.table import FormatHints

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
}


@pytest.mark.parametrize("case", CODES)
def test_what_cannot_be_unpacked_safely_is_refused(tmp_path: Path, case: str) -> None:
    code, name, content = CODES[case]
    refusal = refusal_of(read_bytes(tmp_path, content, name=name, hints=FormatHints(format="csv")))
    assert (refusal.code, refusal.undecided) == (code, False)


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    content = bytearray(zipped({"a.csv": TEXT}))
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + flags] |= 1
    assert refusal_of(read_bytes(tmp_path, bytes(content), name="drop.zip")).code == "ARCHIVE_ENCRYPTED"


def test_nothing_unpacked_stays(tmp_path: Path) -> None:
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
