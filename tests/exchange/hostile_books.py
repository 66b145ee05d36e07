"""Workbooks: bombs, what is hidden or alive in them, and what no spreadsheet ever wrote."""

import io
import random
import re
import warnings
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import xlsxwriter

from exchange.hostile import FINE, kind
from exchange.hostile_cells import ROWS
from lake.workbooks import added, edited

SHEET, STRINGS, BOOK = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml"
STYLES = "xl/styles.xml"
BROKEN = ("UNREADABLE_ARCHIVE", "UNREADABLE_XML", "UNREADABLE_CELL", "UNREADABLE_EMPTY_FILE", "LIMIT_MEMORY")
ROWS_LEFT = ("LIMIT_REFUSED_SHARE", "HEADER_MISSING_COLUMN", "HEADER_UNDECLARED_COLUMN", "HEADER_BLANK")


def book(fill: Callable[[xlsxwriter.Workbook, xlsxwriter.worksheet.Worksheet], object] | None = None) -> bytes:
    """The good rows as a workbook, and whatever ``fill`` adds."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as made:
        sheet = made.add_worksheet("data")
        for at, row in enumerate(ROWS):
            sheet.write_row(at, 0, row)
        if fill:
            fill(made, sheet)
    return out.getvalue()


@cache
def plain() -> bytes:
    return book()


@kind("xlsx", "x.xlsx", "ARCHIVE_RATIO", "ARCHIVE_ENTRIES")
def workbooks_that_swell(rng: random.Random, path: Path) -> None:
    size = rng.choice((20, 100)) << 20
    part = rng.choice((SHEET, STRINGS, "xl/media/image1.png", "docProps/app.xml"))
    if rng.random() < 0.2:
        path.write_bytes(edited(plain(), BOOK, lambda body: body))
        with zipfile.ZipFile(path, "a") as archive:
            for number in range(12_000):
                archive.writestr(f"xl/p{number}.xml", b"<a/>")
        return
    content = edited(plain(), part, lambda body: body + b" " * size)
    path.write_bytes(content if part in (SHEET, STRINGS) else added(plain(), "xl/media/nul.bin", bytes(size)))


@kind("xlsx", "x.xlsx", "ACTIVE_ENTITY", "UNREADABLE_XML")
def entities(rng: random.Random, path: Path) -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    kinds = (
        f'<!DOCTYPE x [<!ENTITY l0 "lol">{laughs}]>',
        '<!DOCTYPE x [<!ENTITY l9 SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:1/x"> %p;]>',
        f'<!DOCTYPE x [<!ENTITY l9 "{"a" * 50_000}">]>',
        '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">',
    )
    part, told = rng.choice((SHEET, STRINGS, BOOK, STYLES, "docProps/core.xml")), rng.choice(kinds).encode()

    def declare(body: bytes) -> bytes:
        at = body.index(b"?>") + 2
        return body[:at] + told + body[at:].replace(b"energy", b"&l9;", 1)

    path.write_bytes(edited(plain(), part, declare))


@kind("xlsx", "x.xlsx", "UNREADABLE_CELL", *BROKEN)
def strings_that_point_nowhere(rng: random.Random, path: Path) -> None:
    """An index out of range, of itself, below nothing; a list of strings that tells of more than it has."""
    odd = rng.choice(
        (b"<v>999999999</v>", b"<v>-1</v>", b"<v>1e3</v>", b"<v>4294967296</v>", b"<v>0x1</v>", b"<v> </v>")
    )
    if rng.random() < 0.3:
        path.write_bytes(edited(plain(), STRINGS, lambda body: body[: body.index(b"<si>")] + b"</sst>"))
    else:
        path.write_bytes(edited(plain(), SHEET, lambda body: body.replace(b"<v>25</v>", odd, 1)))


@kind("xlsx", "x.xlsx", "SHAPE_BLANK_GAP", "UNREADABLE_CELL", *ROWS_LEFT, FINE)
def sheets_as_large_as_can_be(rng: random.Random, path: Path) -> None:
    at = rng.choice((b"XFD1048576", b"XFD2", b"A1048576", b"XFE1", b"ZZZ9999999", b"A0", b"CV20000"))
    cell = b'<row r="%s"><c r="%s"><v>1</v></c></row></sheetData>' % (at.lstrip(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"), at)

    def grow(body: bytes) -> bytes:
        body = body.replace(b'<dimension ref="A1:T41"', b'<dimension ref="A1:XFD1048576"')
        return body.replace(b"</sheetData>", cell) if rng.random() < 0.9 else body

    path.write_bytes(edited(plain(), SHEET, grow))


@kind("xlsx", "x.xlsx", "HIDDEN_SHEET", "HIDDEN_ROW", "HIDDEN_COLUMN", "SHAPE_MERGED", "DIALECT_SHEET")
def what_a_spreadsheet_hides(rng: random.Random, path: Path) -> None:
    def sheet(made: xlsxwriter.Workbook, hidden: str | None) -> None:
        other = made.add_worksheet("other")
        other.write(0, 0, "secret")
        if hidden:
            getattr(other, hidden)()

    fills: tuple[Callable[[xlsxwriter.Workbook, xlsxwriter.worksheet.Worksheet], object], ...] = (
        lambda made, _: sheet(made, "hide"),
        lambda made, _: sheet(made, "very_hidden"),
        lambda made, _: sheet(made, None),
        lambda _, first: first.set_row(rng.randrange(1, 40), None, None, {"hidden": True}),
        lambda _, first: first.set_column(3, 3, None, None, {"hidden": True}),
        lambda _, first: first.merge_range(2, 1, 4, 1, "one"),
    )
    path.write_bytes(book(rng.choice(fills)))


@kind("xlsx", "x.xlsx", "ACTIVE_MACRO", "ACTIVE_EXTERNAL_LINK", "ACTIVE_CONNECTION", "ACTIVE_EMBEDDED_OBJECT")
def what_is_alive_in_a_workbook(rng: random.Random, path: Path) -> None:
    link = (
        b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1"'
        b' Type="http://x/externalLinkPath" Target="file:///c:/windows/x.xlsx" TargetMode="External"/></Relationships>'
    )
    parts = {
        "xl/vbaProject.bin": b"\xd0\xcf\x11\xe0",
        "xl/macrosheets/sheet1.xml": b"<a/>",
        "xl/externalLinks/externalLink1.xml": b"<a/>",
        "xl/connections.xml": b"<a/>",
        "xl/embeddings/oleObject1.bin": b"MZ",
        "xl/activeX/activeX1.bin": b"MZ",
        "customUI/customUI.xml": b"<a/>",
        "xl/worksheets/_rels/sheet1.xml.rels": link,
        "XL/VBAPROJECT.BIN": b"x",
    }
    name = rng.choice(list(parts))
    path.write_bytes(added(plain(), name, parts[name]))


@kind("xlsx", "x.xlsx", "ACTIVE_FORMULA")
def formulas(rng: random.Random, path: Path) -> None:
    odd = ("=1+1", "=cmd|'/c calc'!A1", "=WEBSERVICE(A1)", '=HYPERLINK("http://x","y")', "{=SUM(A1:A2)}", "=A1")

    def fill(_: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        sheet.write_formula(rng.randrange(1, 40), rng.randrange(20), rng.choice(odd))

    path.write_bytes(book(fill))


@kind("xlsx", "x.xlsx", "ACTIVE_FORMULA", "HIDDEN_ROW", "HIDDEN_COLUMN")
def what_is_hidden_or_alive_in_rare_xml(rng: random.Random, path: Path) -> None:
    row, cell = b'<row r="5" ', b"<v>25</v>"
    odd = (
        (row, b"<row r=\"5\" hidden='1' "), (row, b'<row r="5" hidden = "1" '), (row, b'<row r="5" hidden="&#49;" '),
        (row, b'<row x=">" hidden="1" r="5" '), (row, b'<row hidden="1" '), (row, b'<row r="5" ht="0.0" '),
        (b"<sheetData>", b'<cols><col min="2" max="2" width="0.0"/></cols><sheetData>'),
        (b"<sheetData>", b"<cols><col min='2' max='2' hidden='true'/></cols><sheetData>"),
        (cell, b"<f\t>5*5</f>" + cell), (cell, b"<f\r>5*5</f>" + cell), (cell, b"<a-b:f>5*5</a-b:f>" + cell),
    )  # fmt: skip
    old, new = rng.choice(odd)
    path.write_bytes(edited(plain(), SHEET, lambda body: body.replace(old, new, 1)))


@kind("xlsx", "x.xlsx", "HIDDEN_SHEET", "DIALECT_SHEET", "UNREADABLE_XML")
def sheets_that_a_search_does_not_see(rng: random.Random, path: Path) -> None:
    """A second one in two bytes a character or behind a prefix, cut off or not; the cells themselves in a comment."""
    is_hidden = rng.random() < 0.5

    def fill(made: xlsxwriter.Workbook, _: xlsxwriter.worksheet.Worksheet) -> None:
        other = made.add_worksheet("other")
        other.write(0, 0, 1)
        if is_hidden:
            other.hide()

    def wide(body: bytes) -> bytes:
        return body.decode().replace("UTF-8", "UTF-16").encode("utf-16")

    def named(body: bytes) -> bytes:
        return re.sub(rb"<(/?)(?=\w)", rb"<\1a-b.c:", body).replace(b" xmlns=", b" xmlns:a-b.c=")

    edits: tuple[Callable[[bytes], bytes], ...] = (wide, named, lambda body: wide(body)[:-40])
    if rng.random() < 0.2:
        path.write_bytes(
            edited(plain(), SHEET, lambda body: re.sub(rb"(<sheetData>.*</sheetData>)", rb"<!--\1-->", body))
        )
    else:
        path.write_bytes(edited(book(fill), "xl/worksheets/sheet2.xml", rng.choice(edits)))


@kind("xlsx", "x.xlsx", "UNREADABLE_CELL", "UNREADABLE_XML")
def two_readings_of_one_workbook(rng: random.Random, path: Path) -> None:
    """Two values in a cell, a truth value that is none, strings that count or not, another part as the workbook."""
    cells = (
        b"<v>5</v><v>6</v>", b"<v>5</v><is><t>6</t></is>", b"<v>5<x/>6</v>", b"<is><t>5</t></is><is><t>6</t></is>",
        b'</c><c r="XFD5" t="b"><v>TRUE</v>', b'</c><c r="XFD5" t="b"><v> 1</v>', b'</c><c r="XFD5" t="b"><v>2</v>',
    )  # fmt: skip
    links = ("_rels/.rels", b'Target="xl/workbook.xml"', b'Target="xl/other.xml"')
    strings = (STRINGS, b"<si>", rng.choice((b"<x><si/></x><si>", b"<si><si/>")))
    part, old, new = rng.choice((*((SHEET, b"<v>25</v>", cell) for cell in cells), links, strings))
    path.write_bytes(edited(added(plain(), "xl/other.xml", b"<a/>"), part, lambda body: body.replace(old, new, 1)))


@kind("xlsx", "x.xlsx", *BROKEN, "WRONG_FORMAT_NAME", "ARCHIVE_OVERLAP")
def cut_off_workbooks(rng: random.Random, path: Path) -> None:
    content = plain()
    path.write_bytes(content[: rng.randrange(1, len(content))])


@kind("xlsx", "x.xlsx", "ARCHIVE_ENCRYPTED", "WRONG_FORMAT_NAME", "WRONG_FORMAT_XLS", "UNREADABLE_ARCHIVE")
def workbooks_under_a_password(rng: random.Random, path: Path) -> None:
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(rng.randrange(256) for _ in range(3000))
    content = bytearray(plain())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + place] |= 1
    inside = "EncryptedPackage".encode("utf-16-le") + bytes(2000)
    path.write_bytes(rng.choice((ole + inside, ole, bytes(content))))


@kind("xlsx", "x.xlsx", "ARCHIVE_NAME", "ARCHIVE_DUPLICATE_NAME", "ARCHIVE_OVERLAP", "ARCHIVE_METHOD")
def names_and_places_of_parts(rng: random.Random, path: Path) -> None:
    names = ("../../etc/cron.d/x", "/etc/passwd", "..\\x.xml", "xl/../../x.xml", "XL/WORKBOOK.XML", "xl//..//x", SHEET)
    choice = rng.randrange(len(names) + 2)
    if choice < len(names):
        with warnings.catch_warnings(action="ignore"):  # zipfile sees that a name is there twice, as is wanted
            path.write_bytes(added(plain(), names[choice], b"<a/>"))
    elif choice == len(names):
        out = io.BytesIO(plain())
        with zipfile.ZipFile(out, "a", zipfile.ZIP_LZMA) as archive:
            archive.writestr("xl/x.xml", b"<a/>")
        path.write_bytes(out.getvalue())
    else:
        content = bytearray(plain())
        first, second = (content.index(b"PK\x01\x02"), content.rindex(b"PK\x01\x02"))
        content[second + 42 : second + 46] = content[first + 42 : first + 46]
        path.write_bytes(bytes(content))


@kind("xlsx", "x.xlsx", *BROKEN, *ROWS_LEFT, "ARCHIVE_RATIO", "LIMIT_CELL_SIZE", "LIMIT_NAME", FINE)
def xml_without_measure(rng: random.Random, path: Path) -> None:
    """Elements in elements, attributes without end, text without end: what does not compress, so that it gets in."""
    noise = rng.randbytes(600_000).hex().encode()
    shapes = (
        b"<a>" * 90_000,
        b"".join(b"<x%s>" % noise[at : at + 6] for at in range(0, 400_000, 6)),
        b'<row r="50" x="%s">' % noise + b"</row>",
        b"".join(b'<row a%s="1">' % noise[at : at + 5] + b"</row>" for at in range(0, 200_000, 5)),
        b'<row r="42"><c r="A42" t="inlineStr"><is><t>%s</t></is></c></row>' % (noise + noise),
        b"<!--" + noise + b"-->",
        b"<![CDATA[" + noise + b"]]>",
    )
    shape = rng.choice(shapes)
    path.write_bytes(edited(plain(), SHEET, lambda body: body.replace(b"</sheetData>", shape + b"</sheetData>")))


@kind("xlsx", "x.xlsx", *BROKEN, *ROWS_LEFT, FINE)
def numbers_and_styles(rng: random.Random, path: Path) -> None:
    odd = (
        b'<c r="B%d"><v>1e308</v></c>', b'<c r="B%d" s="999999"><v>1</v></c>', b'<c r="B%d" s="-1"><v>1</v></c>',
        b'<c r="B%d" t="d"><v>2026-13-45</v></c>', b'<c r="B%d"><v>12345678901234567890</v></c>',
        b'<c r="B%d" t="e"><v>#REF!</v></c>', b'<c r="B%d" t="zz"><v>1</v></c>', b'<c r="B%d"><v>NaN</v></c>',
        b'<c r="B%d" t="b"><v>7</v></c>', b'<c r="B%d"><v>-1e9</v></c>',
    )  # fmt: skip
    cell = rng.choice(odd)
    rows = b"".join(b'<row r="%d">%s</row>' % (at, cell % at) for at in range(42, 42 + rng.choice((1, 60))))
    path.write_bytes(edited(plain(), SHEET, lambda body: body.replace(b"</sheetData>", rows + b"</sheetData>")))


@kind("xlsx", "x.xlsx", *BROKEN, *ROWS_LEFT, "ARCHIVE_RATIO", "ARCHIVE_OVERLAP", "ARCHIVE_METHOD", "ARCHIVE_ENCRYPTED",
      "ARCHIVE_NAME", "ARCHIVE_DUPLICATE_NAME", "WRONG_FORMAT_NAME", "WRONG_FORMAT_ODS", "HEADER_DUPLICATE",
      "TEXT_CONTROL_CHARACTER", "ACTIVE_ENTITY", "SHAPE_BLANK_GAP", "DIALECT_SHEET", "HIDDEN_SHEET", FINE)  # fmt: skip
def changed_bytes_of_a_workbook(rng: random.Random, path: Path) -> None:
    """In the container, or inside a part of it."""

    def spoil(body: bytes) -> bytes:
        content = bytearray(body)
        for _ in range(rng.choice((1, 4, 30))):
            content[rng.randrange(len(content))] = rng.randrange(256)
        return bytes(content)

    part = rng.choice((SHEET, STRINGS, BOOK, STYLES, "[Content_Types].xml", "xl/_rels/workbook.xml.rels", ""))
    path.write_bytes(edited(plain(), part, spoil) if part else spoil(plain()))
