"""Encodings: found on the bytes, undecided where letters would differ, decided by the contract."""

from pathlib import Path

import pytest

from lake.reading import read_bytes, refusal_of, table_of
from sluice.lake.table import FormatHints

TEXT = "naam;stad\nZoë;Liège\nFrançois;Namur\n"


@pytest.mark.parametrize(
    ("codec", "found", "bom"),
    [
        ("utf-8", "utf-8", False),
        ("utf-8-sig", "utf-8", True),
        ("cp1252", "cp1252", False),
        ("utf-16", "utf-16-le", True),
        ("utf-16-le", "utf-16-le", False),
        ("utf-16-be", "utf-16-be", False),
    ],
)
def test_the_encoding_is_found(tmp_path: Path, codec: str, found: str, bom: bool) -> None:
    table = table_of(read_bytes(tmp_path, TEXT.encode(codec)))
    assert (table.dialect.encoding, table.dialect.bom) == (found, bom)
    assert table.frame.rows() == [("Zoë", "Liège"), ("François", "Namur")]


def test_utf_8_that_breaks_across_a_chunk_is_read_and_letters_that_were_lost_before_are_noted(tmp_path):
    body = "a;b\n" + "x" * ((1 << 20) - 5) + "é;é\n"
    assert table_of(read_bytes(tmp_path, body.encode())).frame.item(0, 1) == "é"
    table = table_of(read_bytes(tmp_path, "naam;stad\nZo\ufffd;Gent\n".encode()))
    assert [(note.code, note.count) for note in table.notes] == [("TEXT_REPLACEMENT_CHARACTER", 1)]


EURO = "naam;prijs\nZoë;5 €\n".encode("iso8859-15")
ONE_WRONG = b"naam;stad\n" + b"An;Gent\n" * 4 + "Zoë;Gent\n".encode("cp1252")
OLD_PAGES = ["naam;stad\nHélène;Liège\n".encode(codec) for codec in ("cp850", "mac-roman")]
INVALID = "ENCODING_INVALID_UTF8"


@pytest.mark.parametrize(
    ("content", "agreed", "code", "is_undecided", "rows", "readings"),
    [
        (EURO, None, "ENCODING_AMBIGUOUS", True, (), ("cp1252", "iso8859-15")),
        (TEXT.encode(), "windows-1252", "ENCODING_NOT_AS_AGREED", True, (), ("cp1252", "utf-8")),
        *((each, None, "ENCODING_AMBIGUOUS ENCODING_UNKNOWN", True, (), None) for each in OLD_PAGES),
        (ONE_WRONG, "utf-8", INVALID, None, (5,), None),
        ("a;b\n1;2\n".encode("utf-32"), None, "ENCODING_UTF32", None, None, None),
        (b"\xff\xfea\x00;\x00b\x00\n\x00\x00\xd8\n\x00", None, "ENCODING_INVALID_UTF16", None, None, None),
        (b"\xef\xbb\xbfa;b\n1;\xe9\n", None, INVALID, None, None, None),
    ],
)
def test_what_is_in_no_encoding_or_in_two_is_refused(tmp_path, content, agreed, code, is_undecided, rows, readings):
    refusal = refusal_of(read_bytes(tmp_path, content, hints=FormatHints(encoding=agreed)))
    assert refusal.code in code.split() and is_undecided in (None, refusal.undecided)
    assert rows in (None, refusal.rows) and readings in (None, refusal.readings)


def test_the_contract_decides_between_encodings_and_plain_ascii_fits_every_one(tmp_path):
    table = table_of(read_bytes(tmp_path, EURO, hints=FormatHints(encoding="iso-8859-15")))
    assert table.frame.rows() == [("Zoë", "5 €")]
    ascii_table = table_of(read_bytes(tmp_path, b"a;b\n1;2\n", hints=FormatHints(encoding="latin-1")))
    assert ascii_table.dialect.encoding == "iso8859-1"


@pytest.mark.parametrize(("agreed", "known"), [("iso-8859-1", "iso8859-1"), ("iso-8859-15", "iso8859-15")])
def test_a_mark_of_windows_is_no_control_character_of_an_agreed_iso_page(tmp_path, agreed, known):
    hints = FormatHints(encoding=agreed)
    content = "naam;prijs\nO\u2019Connor;5 €\n".encode("cp1252")
    refusal = refusal_of(read_bytes(tmp_path, content, hints=hints))
    assert (refusal.code, refusal.undecided) == ("ENCODING_NOT_AS_AGREED", True)
    assert (refusal.readings, refusal.count) == ((known, "cp1252"), 2)
    plain = table_of(read_bytes(tmp_path, "naam;stad\nZo\xeb;\xd6rebro\n".encode("latin-1"), hints=hints))
    assert plain.dialect.encoding == known, "control: letters above them are read as agreed"


@pytest.mark.parametrize("name", ["René", "Zoë", "Chloé", "Renê", "Agnè", "Loï"])
def test_a_letter_of_dos_that_ends_a_name_is_no_mark_of_windows(tmp_path: Path, name: str) -> None:
    for after in ("", " Maes", "-Marie", "\r"):
        content = f"naam;n\n{name}{after};1\n".encode("cp850")
        refusal = refusal_of(read_bytes(tmp_path, content))
        assert (refusal.code, refusal.undecided, refusal.readings) == ("ENCODING_AMBIGUOUS", True, ("cp1252", "cp850"))


MIXED = {
    "two files in one": "naam;n\nJosé;1\nÉric;2\n".encode() + "Chloé;3\n".encode("cp1252"),
    "one broken byte": "naam;n\nJosé;1\nZo\x00;2\nRenée;3\n".encode().replace(b"\x00", b"\xeb"),
    "cut in its last letter": "naam;n\nJosé;1\nRen".encode() + b"\xc3",
    "cut in its only letter": b"naam;n\nJos;1\nRen\xc3",
    "a quote of a word processor": "naam;n\nd\u2019Hondt;1\n".encode() + b"Zo\xeb;2\n",
    "capitals": "naam;n\nJOSÉ;1\n".encode() + "ZOË;2\n".encode("cp1252"),
    "Greek": "naam;n\n\u039d\u03af\u03ba\u03bf\u03c2;1\n".encode() + b"Zo\xeb;2\n",
}


@pytest.mark.parametrize("agreed", [None, "windows-1252", "latin-1", "iso-8859-15"])
@pytest.mark.parametrize("content", MIXED.values(), ids=MIXED)
def test_what_is_partly_utf_8_is_not_taken_for_one_byte_each(tmp_path, content, agreed):
    refusal = refusal_of(read_bytes(tmp_path, content, hints=FormatHints(encoding=agreed)))
    assert (refusal.code, refusal.undecided) == ("ENCODING_AMBIGUOUS", True)
    assert refusal.readings[0] == "utf-8" and refusal.count


def test_capitals_before_marks_are_read_where_windows_is_agreed_and_undecided_where_nothing_is(tmp_path: Path) -> None:
    words = ["PÅ…", "PÅ\xa0", "HYVÄ”", "IRMÃ\u2019S", "MUÑ°", "5 Å²", "Ä\u2013Z", "JOÃO"]
    content = "\r\n".join(["naam;n", *(f"{word};1" for word in words)]).encode("cp1252")
    table = table_of(read_bytes(tmp_path, content, hints=FormatHints(encoding="windows-1252")))
    assert table.frame["naam"].to_list() == words
    assert refusal_of(read_bytes(tmp_path, content)).code == "ENCODING_AMBIGUOUS"


@pytest.mark.parametrize("name", ["Orlé", "Zoë", "Liè"])
def test_a_last_letter_of_windows_without_a_line_end_is_no_cut_one(tmp_path: Path, name: str) -> None:
    assert table_of(read_bytes(tmp_path, f"n;naam\n1;{name}".encode("cp1252"))).frame.rows() == [("1", name)]


def test_capitals_and_marks_of_windows_are_no_utf_8(tmp_path: Path) -> None:
    words = [
        "«CAFÉ»",
        "JOÃO",
        "ÉTÉ…",
        "« là »",
        "100 ‰",
        "\u2039mot\u203a",
        "l\u2019été",
        "«août»",
        "Å",
        "ŒUVRE",
        "5 €",
    ]
    content = "\r\n".join(["naam;n", *(f"{word};1" for word in words)]).encode("cp1252")
    assert table_of(read_bytes(tmp_path, content)).frame["naam"].to_list() == words
