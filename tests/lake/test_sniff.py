"""What a file is by its content; its name and the contract may only contradict."""

import io
import zipfile
from pathlib import Path

import pytest

from lake.reading import read_bytes, refusal_of, table_of
from sluice.lake.table import FormatHints


def zipped(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


CONTENT = {
    "WRONG_FORMAT_PDF": b"%PDF-1.7\n",
    "WRONG_FORMAT_MARKUP": b"<html><table><tr><td>a</td></tr></table></html>",
    "WRONG_FORMAT_XLS": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    "ARCHIVE_ENCRYPTED": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
}


@pytest.mark.parametrize("code", CONTENT)
def test_the_content_says_what_a_file_is(tmp_path: Path, code: str) -> None:
    refusal = refusal_of(read_bytes(tmp_path, CONTENT[code], name="drop"))

    assert (refusal.code, refusal.undecided) == (code, False)


@pytest.mark.parametrize("name", ["drop.csv", "drop.CSV", "drop.txt"])
def test_a_zip_with_the_name_of_a_text_file_is_refused(tmp_path: Path, name: str) -> None:
    refusal = refusal_of(read_bytes(tmp_path, zipped(klanten=b"a;b"), name=name))

    assert (refusal.code, refusal.readings) == ("WRONG_FORMAT_NAME", ("csv", "zip"))


def test_a_text_file_with_the_name_of_a_workbook_is_refused(tmp_path: Path) -> None:
    assert refusal_of(read_bytes(tmp_path, b"a;b\n1;2\n", name="drop.xlsx")).code == "WRONG_FORMAT_NAME"


def test_a_format_that_the_contract_does_not_name_is_refused(tmp_path: Path) -> None:
    refusal = refusal_of(read_bytes(tmp_path, b"a;b\n1;2\n", name="drop", hints=FormatHints(format="xlsx")))

    assert (refusal.code, refusal.readings) == ("WRONG_FORMAT_NOT_AS_AGREED", ("xlsx", "csv"))


def test_control_a_plain_table_passes_under_any_name_of_text(tmp_path: Path) -> None:
    for name in ("drop", "drop.csv", "drop.txt", "drop.tsv", "drop.20260301"):
        assert table_of(read_bytes(tmp_path, b"a;b\n1;2\n", name=name)).record_count == 1
