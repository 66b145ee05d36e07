"""A formula is seen, and erased, in every spelling."""

import re
from pathlib import Path

import pytest

from lake.reading import read_bytes, refusal_of
from lake.sheets import in_sheet
from lake.spelt import LAST_CELL, MAIN, by_openpyxl, code_of
from lake.workbooks import SHEET, edited, erase
from lake.workbooks import workbook as persons
from sluice.lake.erase.model import EraseRefused

pytestmark = pytest.mark.slow
FORMULAS = (b"<f\t>%s</f>", b"<f\r>%s</f>", b"<f\n>%s</f>", b'<a-b:f xmlns:a-b="' + MAIN + b'">%s</a-b:f>')


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_is_one_in_every_spelling(tmp_path: Path, formula: bytes) -> None:
    content = in_sheet(LAST_CELL, b'<c r="B3" t="str">' + formula % b'"J"' + b"<v>Jo</v></c>")

    assert by_openpyxl(content)[2][1] == '="J"'
    refusal = refusal_of(read_bytes(tmp_path, content, "drop.xlsx"))
    assert (refusal.code, refusal.rows) == ("ACTIVE_FORMULA", (2,))


def test_formulas_outside_the_cells_are_formulas(tmp_path: Path) -> None:
    rule = b'<extLst><ext><a-b:f xmlns:a-b="urn:x">A1</a-b:f></ext></extLst></worksheet>'

    assert code_of(tmp_path, in_sheet(b"</worksheet>", rule)) == "ACTIVE_FORMULA"


@pytest.mark.parametrize("formula", FORMULAS)
def test_an_erasure_leaves_no_result_of_a_formula_in_any_spelling(tmp_path: Path, formula: bytes) -> None:
    """The second letter of the name is too little to search for."""
    quoting = b'<c r="B2" t="str">' + formula % b"MID(A3,2,1)" + b"<v>a</v></c>"
    content = edited(persons(), SHEET, lambda xml: re.sub(rb'<c r="B2".*?</c>', quoting, xml))

    try:
        _, left = erase(tmp_path, content)
    except EraseRefused as refused:
        assert (str(refused).count("PROOF"), formula[:3]) == (1, b"<a-")
    else:
        assert b"<v>a</v>" not in left
        assert "FORMULA_CACHE_DROPPED" in erase(tmp_path, content)[0].remarks
