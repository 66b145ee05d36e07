"""Text that is no table, or too much of one."""

import codecs
import os
import random
from pathlib import Path

from exchange.hostile import FINE, kind
from exchange.hostile_cells import COLUMNS, HEADER, LINE, campaign, line_with, lines


@kind("csv", "x.csv", "LIMIT_NAME", "UNREADABLE_EMPTY_FILE", "ENCODING_INVALID_UTF16", "HEADER_BLANK",
      "HEADER_LOOKS_LIKE_DATA", "DIALECT_NOT_AS_AGREED", "HEADER_NOT_FIRST")  # fmt: skip
def empty_files(rng: random.Random, path: Path) -> None:
    blank = (b"", b"\n", b"\r\n", b"\r", b" ", b"\t\n", codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    path.write_bytes(rng.choice(blank) * rng.choice((1, 1, 3, 5000)))


@kind("csv", "x.csv", "TEXT_NUL_BYTE", "ENCODING_AMBIGUOUS", "ENCODING_UTF32")
def nul_bytes(rng: random.Random, path: Path) -> None:
    content = bytearray(campaign(rng))
    for _ in range(rng.choice((1, 3, 1000))):
        content[rng.randrange(len(content))] = 0
    path.write_bytes(bytes(content))


@kind("csv", "x.csv", "ENCODING_UNKNOWN", "ENCODING_AMBIGUOUS", "LIMIT_REFUSED_SHARE", "HEADER_MISSING_COLUMN", FINE)
def invalid_utf8(rng: random.Random, path: Path) -> None:
    bad = rng.choice((b"\xc0\xaf", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\xff", b"\x80", b"\x81", b"\xc3"))
    content = campaign(rng)
    at = content.index(b"\n") + 1 + rng.randrange(200)
    path.write_bytes(content[:at] + bad * rng.choice((1, 7)) + content[at:])


@kind(
    "csv",
    "x.csv",
    "LIMIT_REFUSED_SHARE",
    "ENCODING_UNKNOWN",
    "ENCODING_AMBIGUOUS",
    "TEXT_NUL_BYTE",
    "ENCODING_INVALID_UTF16",
    FINE,
)
def mixed_encodings(rng: random.Random, path: Path) -> None:
    first, second = rng.sample(("utf-8", "cp1252", "utf-16-le", "cp850", "shift_jis", "utf-16-be", "cp037"), 2)
    row = line_with("last_name", "Ünal-Crépin")
    path.write_bytes(lines([HEADER, row]).encode(first, "replace") + lines([row] * 3).encode(second, "replace"))


@kind(
    "csv",
    "x.csv",
    "ENCODING_UTF32",
    "ENCODING_INVALID_UTF8",
    "ENCODING_INVALID_UTF16",
    "HEADER_MISSING_COLUMN",
    "TEXT_NUL_BYTE",
    "HEADER_UNDECLARED_COLUMN",
    "HEADER_LOOKS_LIKE_DATA",
    "LIMIT_NAME",
)
def pairs_of_byte_order_marks(rng: random.Random, path: Path) -> None:
    marks = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
    path.write_bytes(b"".join(rng.choices(marks, k=2)) + campaign(rng))


@kind("csv", "x.csv", "DIALECT_UNCLOSED_QUOTE", "DIALECT_QUOTING")
def unbalanced_quotes(rng: random.Random, path: Path) -> None:
    rows = [HEADER, *[LINE] * 20]
    rows[rng.randrange(1, 20)] = line_with("note", rng.choice(('"', 'a"b', '"a" b', '"""', '""a"')), quoted=False)
    path.write_text(lines(rows))


@kind("csv", "x.csv", "LIMIT_CELL_SIZE", "DIALECT_UNCLOSED_QUOTE")
def lines_of_megabytes_in_quotes(rng: random.Random, path: Path) -> None:
    note = '"' + rng.choice(("a\n", '""', "\n", ";\r\n")) * (rng.choice((2, 4, 20)) << 19) + rng.choice(('"', '"', ""))
    path.write_text(lines([HEADER, line_with("note", note, quoted=False)]))


@kind("csv", "x.csv", "LIMIT_NAME", "LIMIT_COLUMNS", "TEXT_NUL_BYTE", "LIMIT_CELL_SIZE")
def one_line_and_no_end(rng: random.Random, path: Path) -> None:
    """The largest is a gigabyte of nothing: a hole of the file system."""
    size = rng.choice((16, 48, 96)) << 20
    with path.open("wb") as file:
        if rng.random() < 0.5:
            file.write(rng.choice((b"a", b";", b"a;", b"'")) * size)
        else:
            file.write(lines([HEADER, LINE]).encode())
            os.ftruncate(file.fileno(), rng.choice((256 << 20, 1 << 30)))


@kind("csv", "x.csv", "LIMIT_COLUMNS")
def a_hundred_thousand_columns(rng: random.Random, path: Path) -> None:
    names = [f"{rng.choice('abc')}{number}" for number in range(rng.choice((1025, 100_000, 400_000)))]
    path.write_text(lines([names, ["1"] * len(names)]))


@kind("csv", "x.csv", "SHAPE_RAGGED_ROWS", "LIMIT_REFUSED_SHARE", "HEADER_NOT_FIRST")
def ragged_rows(rng: random.Random, path: Path) -> None:
    path.write_text(lines([HEADER, *([*LINE, ""] if rng.random() < 0.7 else LINE[:-1] for _ in range(500))]))


@kind(
    "csv",
    "x.csv",
    "LIMIT_REFUSED_SHARE",
    "HEADER_DUPLICATE",
    "HEADER_BLANK",
    "TEXT_CONTROL_CHARACTER",
    "LIMIT_NAME",
    "HEADER_UNDECLARED_COLUMN",
    "HEADER_MISSING_COLUMN",
)
def names_of_columns(rng: random.Random, path: Path) -> None:
    header = list(HEADER)
    odd = (
        "phone",
        "",
        "a" * 10_000,
        "\x1b[31m",
        "gsm\u202enohp",
        "{{ conf }}",
        "'; drop table exchange;--",
        "__proto__",
    )
    header[rng.randrange(len(header))] = rng.choice(odd)
    path.write_text(lines([header, LINE, LINE]))


@kind("csv", "x.csv", FINE, "LIMIT_REFUSED_SHARE")
def formulas_and_templates_in_cells(rng: random.Random, path: Path) -> None:
    words = (
        "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "=HYPERLINK(1)", "{{ 7*7 }}", "$(id)", "`id`", "%s%s%n",
        "'; drop table exchange;--", "<script>alert(1)</script>", "\x1b[2J", "../../etc/passwd", "${jndi:ldap://x}",
    )  # fmt: skip
    path.write_text(lines([HEADER, *(line_with("note", rng.choice(words), number) for number in range(50))]))


@kind("csv", "x.csv", "DIALECT_LINE_ENDING", "SHAPE_RAGGED_ROWS", "LIMIT_REFUSED_SHARE", "HEADER_MISSING_COLUMN", FINE)
def line_endings(rng: random.Random, path: Path) -> None:
    ends = ("\n", "\r\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\n\r", "\r\r\n")
    rows = (";".join(line_with("note", "x", number)) + rng.choice(ends) for number in range(60))
    path.write_bytes((";".join(HEADER) + "\n" + "".join(rows)).encode())


@kind("csv", "x.csv", FINE, "LIMIT_REFUSED_SHARE", "LIMIT_CELL_SIZE")
def worst_cases_of_patterns(rng: random.Random, path: Path) -> None:
    """What makes a backtracking matcher try for ever: telephone numbers, addresses and dates that nearly are."""
    column = rng.choice(("phone", "email", "postal_code", "birth_date", "monthly_amount", "note", "customer_number"))
    piece = rng.choice(("a", "0", "a.", "+32 ", "(0", "@a", "a@", "1 ", "-", "ext", "\uff11", "0475/", "x" * 40 + "@"))
    value = piece * (rng.choice((100, 20_000, 900_000)) // len(piece)) + rng.choice(("!", "", "\\", "x"))
    path.write_text(lines([HEADER, *(line_with(column, value, number) for number in range(3))]))


@kind("csv", "x.csv", FINE, "LIMIT_REFUSED_SHARE", "TEXT_REPLACEMENT_CHARACTER", "LIMIT_CELL_SIZE")
def letters_beyond_letters(rng: random.Random, path: Path) -> None:
    odd = (
        "e" + "\u0301" * 4000,
        "\u202e\u2066",
        "\ufdd0\uffff",
        "\U0010ffff",
        "\ufffd",
        "👨‍👩‍👧‍👦" * 500,
        "ﷺ" * 9000,
        "\u200b",
    )
    path.write_text(lines([HEADER, *(line_with("last_name", rng.choice(odd), number) for number in range(20))]))


@kind("csv", "x.csv", "LIMIT_REFUSED_SHARE", "SHAPE_RAGGED_ROWS")
def rows_of_nothing(rng: random.Random, path: Path) -> None:
    row = rng.choice((";" * (len(COLUMNS) - 1), '"";' * (len(COLUMNS) - 1), "a", " "))
    path.write_text(";".join(HEADER) + "\n" + (row + "\n") * rng.choice((10_000, 300_000)))


@kind(
    "csv",
    "x.csv",
    "LIMIT_NAME",
    "DIALECT_NOT_AS_AGREED",
    "SHAPE_RAGGED_ROWS",
    "HEADER_MISSING_COLUMN",
    "DIALECT_QUOTING",
)
def two_readings_of_one_text(rng: random.Random, path: Path) -> None:
    other = rng.choice(",|\t")
    rows = [other.join(part.replace(other, "") for part in row) for row in (HEADER, *[LINE] * 20)]
    path.write_text("\n".join(row.replace(other, ";", rng.choice((0, 1, 2))) for row in rows))


@kind("csv", "x.csv", FINE, "LIMIT_REFUSED_SHARE", "LIMIT_CELL_SIZE")
def numbers_beyond_numbers(rng: random.Random, path: Path) -> None:
    odd = (
        "1e999",
        "-0",
        "9" * 100_000,
        "NaN",
        "Infinity",
        "0x1F",
        "1_000",
        "\uff11\uff12",
        "1,2,3",
        "1e-400",
        "-" * 5000,
    )
    column = rng.choice(("monthly_amount", "attempts", "contract_end_date"))
    path.write_text(lines([HEADER, *(line_with(column, rng.choice(odd), number) for number in range(20))]))
