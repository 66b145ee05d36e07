"""Every place of a workbook that can name a person: edited by a rule that says so, or the file refused."""

import io
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from lake.workbooks import (
    BOOK,
    MAIL,
    NAME,
    NEEDLES,
    PHONE,
    SHEET,
    STRINGS,
    Fill,
    added,
    cells_of,
    edited,
    erase,
    naming,
    parts_of,
    row_of,
    workbook,
)
from sluice.lake.erase.model import EraseRefused, RecordsUnknown
from sluice.lake.erase.xlsx_package import elements, kind_of
from sluice.lake.erase.xlsx_texts import Needles, parsed_texts
from support.effort import effort

pytestmark = pytest.mark.slow


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
def test_a_hiding_place_with_a_rule_is_edited_and_says_so_and_left_alone_where_nobody_is_named(
    tmp_path: Path, place: str
) -> None:
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


def test_a_threaded_comment_on_the_row_loses_its_text_and_one_elsewhere_keeps_it(tmp_path: Path) -> None:
    def thread(cell: str, text: str) -> str:
        return f'<threadedComment ref="{cell}" personId="p" id="{cell}"><text>{text}</text></threadedComment>'

    comments = (
        f'<ThreadedComments xmlns="urn:t">{thread("A3", "belt niet graag")}{thread("A2", "ok")}</ThreadedComments>'
    )
    content = added(
        workbook(),
        "xl/worksheets/_rels/sheet1.xml.rels",
        b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"></Relationships>',
    )
    kind, part = "x/threadedComment", "threadedComments/threadedComment1.xml"
    content = related(
        content, "xl/worksheets/_rels/sheet1.xml.rels", f"xl/{part}", kind, f"../{part}", comments.encode()
    )
    erased, result = erase(tmp_path, content)
    assert "COMMENT_BLANKED" in erased.remarks
    assert parts_of(result)[f"xl/{part}"].decode() == comments.replace("belt niet graag", "")


def test_a_shared_string_that_no_cell_uses_is_blanked_when_it_names_the_person(tmp_path: Path) -> None:
    orphan = f"<si><t>oud: {NAME}</t></si><si><t>oud</t></si></sst>".encode()
    content = edited(workbook(), STRINGS, lambda xml: xml.replace(b"</sst>", orphan))
    _, result = erase(tmp_path, content)
    assert parts_of(result)[STRINGS].endswith(b"<si><t/></si><si><t>oud</t></si></sst>")


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
    assert erase(tmp_path, content, needles=())[0].rows_after == 2, "control: without needles it is edited"


def test_a_comment_in_the_archive_is_searched(tmp_path: Path) -> None:
    out = io.BytesIO(workbook())
    with zipfile.ZipFile(out, "a") as archive:
        archive.comment = f"voor {NAME}".encode()
    with pytest.raises(EraseRefused, match="part container"):
        erase(tmp_path, out.getvalue())


def test_needles_show_nothing_of_themselves_and_cells_side_by_side_are_not_read_as_one_text():
    assert NAME not in repr(Needles([NAME]))
    assert not Needles([""]).are_in(["iets"])
    assert Needles(["É"]).are_in(["cafe\u0301"])
    rows = b"<worksheet><row><c><v>32475</v></c><c><v>998877</v></c></row></worksheet>"
    assert not Needles([PHONE]).are_in(parsed_texts(rows, "worksheet"))
    assert Needles([PHONE]).are_in(parsed_texts(rows.replace(b"</v></c><c><v>", b""), "worksheet"))


@pytest.mark.parametrize(("value", "is_found"), [("0012345678", True), ("00012345679", False), ("0001234567", False)])
def test_a_number_is_found_without_the_zeros_of_a_format(value: str, is_found: bool) -> None:
    assert Needles([value]).are_in(["12345678"]) is is_found


DAMAGED = [SHEET, BOOK, STRINGS, "xl/_rels/workbook.xml.rels", "xl/worksheets/_rels/sheet1.xml.rels",
           "[Content_Types].xml", "xl/comments1.xml", "xl/charts/chart1.xml"]  # fmt: skip
RICH = workbook(hide_everything)


@settings(max_examples=effort(25, 100), deadline=None)
@given(st.sampled_from(DAMAGED), st.integers(0, 5000), st.binary(max_size=4), st.integers(0, 9))
def test_a_damaged_workbook_is_edited_and_proven_or_refused(tmp_path_factory, part, at, new, gone):
    content = edited(RICH, part, lambda xml: xml[: at % len(xml)] + new + xml[at % len(xml) + gone :])
    try:
        _, result = erase(tmp_path_factory.mktemp("erase"), content)
    except (EraseRefused, RecordsUnknown):
        return
    assert naming(result) == set()
