"""Records out of workbooks: the rest as it was, and every hiding place edited or the file refused."""

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from lake.reading import read_bytes, table_of
from sluice.lake.erase_model import Erased, EraseRefused, RecordsUnknown
from sluice.lake.erase_xlsx import erase_records
from sluice.lake.erase_xlsx_package import elements, kind_of
from sluice.lake.erase_xlsx_texts import Needles, parsed_texts
from sluice.lake.table import FormatHints

NAME, PHONE, MAIL = "Jan-Baptist Vandenputte", "32475998877", "jan.vdp@voorbeeld.be"
NEEDLES = (NAME, PHONE, MAIL)
HEADER = ["naam", "telefoon", "mail", "bedrag"]
ROWS: list[list[Any]] = [
    ["An Peeters", 32475111111, "an@voorbeeld.be", 10.5],
    [NAME, int(PHONE), MAIL, 99.25],
    ["Jo Claes", 32475222222, "jo@voorbeeld.be", 7],
]
PERSON = [2]
SHEET, BOOK, STRINGS = "xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/sharedStrings.xml"
Fill = Callable[[xlsxwriter.Workbook, Any], object]
Edit = Callable[[bytes], bytes]


def workbook(fill: Fill | None = None) -> bytes:
    """Three persons on the sheet ``data``, and whatever ``fill`` hides."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet, money = book.add_worksheet("data"), book.add_format({"num_format": "0.00"})
        for at, row in enumerate([HEADER, *ROWS]):
            sheet.write_row(at, 0, row[:3])
            sheet.write(at, 3, row[3], money)
        if fill:
            fill(book, sheet)
    return out.getvalue()


def edited(content: bytes, part: str, edit: Edit) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            body = old.read(info.filename)
            new.writestr(info, edit(body) if info.filename == part else body)
    return out.getvalue()


def added(content: bytes, part: str, body: bytes) -> bytes:
    out = io.BytesIO(content)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(part, body)
    return out.getvalue()


def erase(
    folder: Path, content: bytes, records: list[int] = PERSON, sheet: str | None = "data", needles: Any = NEEDLES
) -> tuple[Erased, bytes]:
    source, target = folder / "source.xlsx", folder / "target.xlsx"
    source.write_bytes(content)
    target.unlink(missing_ok=True)
    try:
        erased = erase_records(source, target, records, sheet=sheet, needles=needles)
    except EraseRefused:
        assert not list(folder.glob("*target*")), "a refused file leaves nothing behind"
        raise
    return erased, target.read_bytes()


def parts_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def naming(content: bytes) -> set[str]:
    """Kinds of the parts that name the person: a plain search, tags out, that shares no code with the product."""
    found = set()
    for name, body in parts_of(content).items():
        text = re.sub(r"<[^>]*>", "", body.decode("latin-1")) + body.decode("latin-1")
        if any(needle.lower() in text.lower() for needle in NEEDLES):
            found.add(kind_of(name))
    return found


def cells_of(content: bytes) -> dict[tuple[str, str], tuple[object, str, int]]:
    """Every cell as openpyxl sees it: value, type, style."""
    book = openpyxl.load_workbook(io.BytesIO(content), rich_text=True)
    return {
        (sheet.title, cell.coordinate): (cell.value, cell.data_type, cell.style_id)
        for sheet in book.worksheets
        for row in sheet.iter_rows()
        for cell in row
    }


def row_of(coordinate: str) -> int:
    return int(re.sub(r"[A-Z]", "", coordinate))


def test_the_row_is_blank_and_everything_else_is_as_it_was(tmp_path: Path) -> None:
    content = workbook()

    erased, result = erase(tmp_path, content)

    assert (erased.rows_before, erased.rows_after, erased.size_bytes) == (3, 2, len(result))
    assert erased.remarks == ("ROWS_BLANKED_IN_PLACE", "SHARED_STRINGS_BLANKED")
    before, after = cells_of(content), cells_of(result)
    for place, (value, kind, style) in before.items():
        assert after[place] == ((None, "n", style) if row_of(place[1]) == 3 else (value, kind, style))
    old, new = parts_of(content), parts_of(result)
    assert [name for name in old if old[name] != new[name]] == [SHEET, STRINGS]
    assert (naming(content), naming(result)) == ({"worksheet", "shared_strings"}, set())


def test_the_reader_sees_the_other_records_under_their_own_numbers(tmp_path: Path) -> None:
    before = table_of(read_bytes(tmp_path, workbook(), "drop.xlsx"))

    after = table_of(read_bytes(tmp_path, erase(tmp_path, workbook())[1], "drop.xlsx"))

    assert after.row_numbers.to_list() == [1, 3]
    assert after.frame.rows() == [before.frame.row(0), before.frame.row(2)]
    assert {(bad.row, bad.code) for bad in after.bad_rows} == {(2, "SHAPE_BLANK_RECORD")}


def test_erasing_twice_is_erasing_once(tmp_path: Path) -> None:
    once = erase(tmp_path, workbook())[1]

    erased, twice = erase(tmp_path, once)

    assert (erased.rows_before, erased.rows_after, erased.remarks) == (2, 2, ())
    assert parts_of(twice) == parts_of(once)


def test_order_dates_and_compression_of_the_container_stay(tmp_path: Path) -> None:
    def listed(content: bytes) -> list[tuple[object, ...]]:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return [
                (each.filename, each.date_time, each.compress_type, each.external_attr) for each in archive.infolist()
            ]

    assert listed(erase(tmp_path, workbook())[1]) == listed(workbook())


def hide_comment(_: xlsxwriter.Workbook, sheet: Any) -> None:
    sheet.write_comment("A3", "belt niet graag")
    sheet.write_comment("A2", f"zus van {NAME}")


def hide_filter(_: xlsxwriter.Workbook, sheet: Any) -> None:
    sheet.autofilter("A1:D4")
    sheet.filter_column_list(0, [NAME, "Jo Claes"])


def hide_chart(book: xlsxwriter.Workbook, sheet: Any) -> None:
    chart = book.add_chart({"type": "column"})
    chart.add_series({"categories": "=data!$A$2:$A$4", "values": "=data!$D$2:$D$4", "name": NAME})
    sheet.insert_chart("H2", chart)


def hide_formula(_: xlsxwriter.Workbook, sheet: Any) -> None:
    sheet.write_formula("F2", "=A3", None, NAME)


def hide_everything(book: xlsxwriter.Workbook, sheet: Any) -> None:
    for fill, _, _ in EDITED.values():
        fill(book, sheet)


EDITED: dict[str, tuple[Fill, str, str]] = {
    "comment": (hide_comment, "comments", "COMMENT_BLANKED"),
    "autofilter": (hide_filter, "worksheet", "FILTER_DROPPED"),
    "chart": (hide_chart, "chart", "CHART_CACHE_DROPPED"),
    "cached formula": (hide_formula, "worksheet", "FORMULA_CACHE_DROPPED"),
    "data validation": (
        lambda _, sheet: sheet.data_validation("G2:G9", {"validate": "list", "source": [NAME, "iemand"]}),
        "worksheet",
        "DATA_VALIDATION_DROPPED",
    ),
    "conditional format": (
        lambda _, sheet: sheet.conditional_format("A1:A9", {"type": "text", "criteria": "containing", "value": NAME}),
        "worksheet",
        "CONDITIONAL_FORMAT_DROPPED",
    ),
    "defined name": (lambda book, _: book.define_name("klant", f'="{NAME}"'), "workbook", "DEFINED_NAME_DROPPED"),
    "text box": (lambda _, sheet: sheet.insert_textbox("H9", f"bel {NAME} terug"), "drawing", "TEXT_BOX_BLANKED"),
    "properties": (lambda book, _: book.set_properties({"title": NAME, "comments": MAIL}), "properties",
                   "PROPERTIES_BLANKED"),
    "own properties": (lambda book, _: book.set_custom_property("klant", NAME), "properties", "PROPERTIES_BLANKED"),
    "header": (lambda _, sheet: sheet.set_header(f"&L{MAIL}"), "worksheet", "HEADER_FOOTER_BLANKED"),
    "hyperlink": (lambda _, sheet: sheet.write_url("C3", f"mailto:{MAIL}", string="mail"), "relations",
                  "HYPERLINK_DROPPED"),
}  # fmt: skip


@pytest.mark.parametrize("place", EDITED)
def test_a_hiding_place_with_a_rule_is_edited_and_says_so(tmp_path: Path, place: str) -> None:
    fill, kind, remark = EDITED[place]
    content = workbook(fill)

    erased, result = erase(tmp_path, content)

    assert kind in naming(content)
    assert naming(result) == set()
    assert remark in erased.remarks
    before, after = cells_of(content), cells_of(result)
    for key in before:
        if row_of(key[1]) != 3:
            assert after[key] == before[key]


@pytest.mark.parametrize("place", EDITED)
def test_nobody_named_leaves_a_hiding_place_alone(tmp_path: Path, place: str) -> None:
    content = workbook(EDITED[place][0])

    _, result = erase(tmp_path, content, records=[3], needles=["niemand"])

    kinds = {"worksheet", "shared_strings", "workbook", "chart"}
    old, new = parts_of(content), parts_of(result)
    assert {kind_of(name) for name in old if old[name] != new[name]} <= kinds
    assert naming(result) - {"chart"} >= naming(content) - {"chart"}


def test_all_hiding_places_together(tmp_path: Path) -> None:
    content = with_extras(workbook(hide_everything))

    erased, result = erase(tmp_path, content)

    assert len(naming(content)) >= 9
    assert naming(result) == set()
    assert {"THUMBNAIL_DROPPED", "CALC_CHAIN_DROPPED", "EXTERNAL_CACHE_BLANKED"} <= set(erased.remarks)
    assert not any("thumbnail" in name or "calcChain" in name for name in parts_of(result))
    assert b'fullCalcOnLoad="1"' in parts_of(result)[BOOK]
    for name, body in parts_of(result).items():
        if name.endswith((".xml", ".rels")):
            assert elements(body)
    openpyxl.load_workbook(io.BytesIO(result))


RELATION = '<Relationship Id="%s" Type="http://schemas.openxmlformats.org/%s" Target="%s"/></Relationships>'
CACHE = (
    '<externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><externalBook><sheetDataSet>'
    f'<sheetData sheetId="0"><row r="1"><cell r="A1" t="str"><v>{NAME}</v></cell></row></sheetData>'
    "</sheetDataSet></externalBook></externalLink>"
)


def related(content: bytes, rels: str, part: str, kind: str, target: str, body: bytes) -> bytes:
    relation = RELATION % ("rX" + kind[-4:], kind, target)
    return added(edited(content, rels, lambda xml: xml.replace(b"</Relationships>", relation.encode())), part, body)


def with_extras(content: bytes) -> bytes:
    """What no library writes: thumbnail, calculation chain, cache of another workbook."""
    office, package = "officeDocument/2006/relationships/", "package/2006/relationships/metadata/"
    rels = "xl/_rels/workbook.xml.rels"
    chain = (
        b'<calcChain xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><c r="F2" i="1"/></calcChain>'
    )
    content = related(
        content, "_rels/.rels", "docProps/thumbnail.jpeg", f"{package}thumbnail", "docProps/thumbnail.jpeg", b"\xff\xd8"
    )
    content = related(content, rels, "xl/calcChain.xml", f"{office}calcChain", "calcChain.xml", chain)
    return related(
        content, rels, "xl/externalLinks/externalLink1.xml", f"{office}externalLink",
        "externalLinks/externalLink1.xml", CACHE.encode(),
    )  # fmt: skip


def hidden_sheet(book: xlsxwriter.Workbook, _: Any) -> None:
    other = book.add_worksheet("kopie")
    other.write("A1", NAME)
    other.hide()


def number_on_another_sheet(book: xlsxwriter.Workbook, _: Any) -> None:
    book.add_worksheet("kopie").write("A1", int(PHONE))


def split_runs(book: xlsxwriter.Workbook, sheet: Any) -> None:
    sheet.write_rich_string("F4", "Jan-", book.add_format({"bold": True}), "Baptist", " Vandenputte")


def literal(_: xlsxwriter.Workbook, sheet: Any) -> None:
    sheet.write_formula("F4", f'=VLOOKUP("{NAME}",A1:D4,4)', None, 1)


XML = '<?xml version="1.0"?><a xmlns="urn:x">%s</a>'
RESIDUE: dict[str, tuple[bytes, str]] = {
    "shared string in use elsewhere": (workbook(hidden_sheet), "shared_strings"),
    "number on another sheet": (workbook(number_on_another_sheet), "worksheet"),
    "number with an exponent": (
        edited(
            workbook(number_on_another_sheet),
            "xl/worksheets/sheet2.xml",
            lambda xml: xml.replace(PHONE.encode(), b"3.2475998877E10"),
        ),
        "worksheet",
    ),
    "split rich text": (workbook(split_runs), "shared_strings"),
    "literal in a formula": (workbook(literal), "worksheet"),
    "own XML": (added(workbook(), "customXml/item1.xml", (XML % f"<b>{NAME}</b>").encode()), "custom_xml"),
    "references": (added(workbook(), "customXml/item1.xml", (XML % NAME.replace("J", "&#74;")).encode()), "custom_xml"),
    "attribute": (added(workbook(), "customXml/item1.xml", (XML % f'<b c="{MAIL.upper()}"/>').encode()), "custom_xml"),
    "UTF-16 part": (added(workbook(), "customXml/item1.xml", (XML % NAME).encode("utf-16")), "custom_xml"),
    "printer": (added(workbook(), "xl/printerSettings/printerSettings1.bin", NAME.encode("utf-16-le")), "other"),
    "name of a part": (added(workbook(), f"customXml/{PHONE}.xml", (XML % "").encode()), "container"),
    "name of a sheet": (workbook(lambda book, _: book.add_worksheet(PHONE)), "workbook"),
}


@pytest.mark.parametrize("place", RESIDUE)
def test_what_no_rule_can_edit_refuses_the_file_without_quoting_it(tmp_path: Path, place: str) -> None:
    content, kind = RESIDUE[place]

    with pytest.raises(EraseRefused) as refused:
        erase(tmp_path, content)

    assert str(refused.value).startswith(
        f"{EraseRefused.code} {EraseRefused.summary}; rule RESIDUE_IN_PART; part {kind}."
    )
    assert not any(needle in str(refused.value) for needle in NEEDLES)


@pytest.mark.parametrize("place", RESIDUE)
def test_control_without_needles_the_same_file_is_edited(tmp_path: Path, place: str) -> None:
    assert erase(tmp_path, RESIDUE[place][0], needles=())[0].rows_after == 2


def test_a_comment_in_the_archive_is_searched(tmp_path: Path) -> None:
    out = io.BytesIO(workbook())
    with zipfile.ZipFile(out, "a") as archive:
        archive.comment = f"voor {NAME}".encode()

    with pytest.raises(EraseRefused, match="part container"):
        erase(tmp_path, out.getvalue())


def in_sheet(old: str, new: str) -> bytes:
    changed = edited(workbook(), SHEET, lambda xml: xml.replace(old.encode(), new.encode()))
    assert changed != workbook()
    return changed


VALUE = '<c r="D3" s="1"><v>99.25</v></c>'
REFUSED: dict[str, bytes] = {
    "ENCRYPTED": bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600),
    "UNREADABLE_ARCHIVE": b"geen zip",
    "MACRO": added(workbook(), "xl/vbaProject.bin", b"x"),
    "SIGNED": added(workbook(), "_xmlsignatures/sig1.xml", b"<a/>"),
    "EMBEDDED_OBJECT": added(workbook(), "xl/embeddings/oleObject1.bin", b"x"),
    "PIVOT_CACHE": added(workbook(), "xl/pivotCache/pivotCacheDefinition1.xml", b"<a/>"),
    "IMAGE": added(workbook(), "xl/media/image1.png", b"x"),
    "XLSB": added(workbook(), "xl/workbook.bin", b"x"),
    "UNKNOWN_PART": added(workbook(), "xl/iets.bin", b"x"),
    "NO_WORKBOOK": added(b"PK\x05\x06" + bytes(18), "xl/a.xml", b"<a/>"),
    "SHARED_FORMULA": in_sheet(VALUE, '<c r="D3" s="1"><f t="shared" ref="D3:D4" si="0">1+1</f><v>2</v></c>'),
    "ARRAY_FORMULA": in_sheet(VALUE, '<c r="D3" s="1"><f t="array" ref="D3">1+1</f><v>2</v></c>'),
    "MERGED": in_sheet("</sheetData>", '</sheetData><mergeCells count="1"><mergeCell ref="E2:E3"/></mergeCells>'),
    "NAMESPACE": in_sheet(
        "http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://purl.oclc.org/ooxml/spreadsheetml/main"
    ),
    "XML_SHAPE": in_sheet("</sheetData>", "<!-- x --></sheetData>"),
}


@pytest.mark.parametrize("rule", REFUSED)
def test_a_file_that_cannot_be_edited_safely_is_refused(tmp_path: Path, rule: str) -> None:
    with pytest.raises(EraseRefused, match=f"rule {rule}[;.]"):
        erase(tmp_path, REFUSED[rule])


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_parts_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(EraseRefused, match="ARCHIVE_DUPLICATE_NAME"):
        erase(tmp_path, added(workbook(), SHEET, b"<worksheet/>"))


def test_a_formula_of_another_row_that_shares_with_the_row_keeps_working(tmp_path: Path) -> None:
    def share(xml: bytes) -> bytes:
        xml = xml.replace(
            b'<c r="D2" s="1"><v>10.5</v></c>', b'<c r="D2"><f t="shared" ref="D2:D3" si="0">1+1</f><v>2</v></c>'
        )
        return xml.replace(VALUE.encode(), b'<c r="D3"><f t="shared" si="0"/><v>2</v></c>')

    erased, result = erase(tmp_path, edited(workbook(), SHEET, share))

    assert "FORMULA_CACHE_DROPPED" in erased.remarks
    assert b'<c r="D2"><f t="shared" ref="D2:D3" si="0">1+1</f></c>' in parts_of(result)[SHEET]
    assert b'<c r="D3"/>' in parts_of(result)[SHEET]


def test_a_record_that_is_not_there_is_an_error_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(RecordsUnknown):
        erase(tmp_path, workbook(), records=[4])


def test_the_sheet_must_be_one(tmp_path: Path) -> None:
    two = workbook(lambda book, _: book.add_worksheet("meer").write("A1", "x"))

    with pytest.raises(EraseRefused, match="rule SHEET"):
        erase(tmp_path, two, sheet=None)
    with pytest.raises(EraseRefused, match="rule SHEET"):
        erase(tmp_path, two, sheet="weg")
    assert erase(tmp_path, workbook(), sheet=None)[0].rows_after == 2


def test_needles_show_nothing_of_themselves() -> None:
    assert NAME not in repr(Needles([NAME]))
    assert not Needles([""]).are_in(["iets"])
    assert Needles(["É"]).are_in(["cafe\u0301"])


def test_cells_side_by_side_are_not_read_as_one_text() -> None:
    rows = b"<worksheet><row><c><v>32475</v></c><c><v>998877</v></c></row></worksheet>"

    assert not Needles([PHONE]).are_in(parsed_texts(rows, "worksheet"))
    assert Needles([PHONE]).are_in(parsed_texts(rows.replace(b"</v></c><c><v>", b""), "worksheet"))


CELL = st.one_of(
    st.none(),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6),
    st.sampled_from(["_x000D_", "a\nb", "<v>", "</c>", "&amp;", '<c r="A1">', "=1", "1e5"]),
    st.integers(-(10**14), 10**14),
    st.floats(-1e9, 1e9, allow_nan=False).map(lambda value: float(f"{value:.15g}")),
    st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=6), st.booleans())
def test_other_rows_of_any_workbook_keep_value_type_and_style(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, lines: list[list[object]], is_openpyxl: bool
) -> None:
    content = by_openpyxl(lines) if is_openpyxl else by_xlsxwriter(lines)
    filled = [at for at, line in enumerate(lines, 1) if any(cell not in (None, "") for cell in line)]
    records = data.draw(st.lists(st.integers(1, max(filled)), unique=True)) if filled else []

    erased, result = erase(tmp_path_factory.mktemp("erase"), content, records, None, ())

    assert erased.rows_before - erased.rows_after == len(set(records) & set(filled))
    before, after = cells_of(content), cells_of(result)
    for place, cell in before.items():
        if row_of(place[1]) - 1 in records:
            assert (after[place][0], after[place][2]) == (None, cell[2])
        else:
            assert after[place] == cell


def by_xlsxwriter(lines: list[list[object]]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for at, line in enumerate([["aa", "bb", "cc"], *lines]):
            for column, cell in enumerate(line):
                write = sheet.write_string if isinstance(cell, str) else sheet.write
                write(at, column, cell)
    return out.getvalue()


def by_openpyxl(lines: list[list[object]]) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for line in [["aa", "bb", "cc"], *lines]:
        book.active.append(line)
    for row in book.active.iter_rows():
        for cell in row:
            if isinstance(cell.value, str):
                cell.data_type = "s"
    book.save(out)
    return out.getvalue()


EDITABLE_PARTS = re.compile(
    r"xl/worksheets/sheet\d+\.xml|xl/sharedStrings\.xml|xl/workbook\.xml|.*\.rels|\[Content_Types\]\.xml"
)


REAL = {
    "1904.xlsx": "1 -> 0",
    "big-texty-numbers.xlsx": "6 -> 5",
    "deaths.xlsx": "18 -> 17",
    "empty-sheets.xlsx": "record 1",
    "merged-cells.xlsx": "record 1",
    "multiline-headers.xlsx": "rule MERGED",
    "names-need-repair.xlsx": "2 -> 1",
    "persons-dmy-dates.xlsx": "9 -> 8",
    "scientific-notation.xlsx": "1 -> 0",
    "texty-dates.xlsx": "2 -> 1",
}
"""What erasing the first record of each real file does; two have none, one has a merged block over it."""


@pytest.mark.parametrize("name", REAL)
def test_a_real_file_keeps_every_other_cell_and_part(real_data: Path, tmp_path: Path, name: str) -> None:
    path = real_data / "xlsx" / name
    content, sheet = path.read_bytes(), widest_sheet(path)

    try:
        erased, result = erase(tmp_path, content, [1], sheet, ())
    except (EraseRefused, RecordsUnknown) as refused:
        outcome = str(refused.refs[0])
    else:
        outcome = f"{erased.rows_before} -> {erased.rows_after}"
        compare(path, content, result, sheet)

    assert outcome == REAL[name]


def compare(path: Path, content: bytes, result: bytes, sheet: str) -> None:
    """Only allowed parts changed, and only one row of one sheet lost its cells."""
    old, new = parts_of(content), parts_of(result)
    changed = {name for name in old if old[name] != new.get(name)}
    assert all(EDITABLE_PARTS.fullmatch(name) or "thumbnail" in name or "calcChain" in name for name in changed), path
    before, after = cells_of(content), cells_of(result)
    differing = {(place[0], row_of(place[1])) for place in before if before[place][:2] != after[place][:2]}
    assert len(differing) == 1 and {title for title, _ in differing} == {sheet}, path
    assert all(before[place][2] == after[place][2] for place in before)


def widest_sheet(path: Path) -> str:
    book = openpyxl.load_workbook(path)
    return str(max(book.worksheets, key=lambda sheet: sheet.max_row * sheet.max_column).title)


def test_hints_name_the_sheet_that_the_reader_reads(tmp_path: Path) -> None:
    content = workbook(lambda book, _: book.add_worksheet("meer").write_column(0, 0, ["x", "1", "2"]))

    result = erase(tmp_path, content, [1], "meer", ())[1]

    table = table_of(read_bytes(tmp_path, result, "drop.xlsx", FormatHints(sheet="meer")))
    assert (table.row_numbers.to_list(), table.frame.rows()) == ([2], [("2",)])
