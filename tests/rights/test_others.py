"""The tests' own comparison of files sees whatever happened to others, in every format."""

import io
from collections.abc import Callable

import openpyxl
import polars as pl
import pytest

from rights.others import compare
from rights.people import as_csv, as_json, as_ndjson, as_xlsx, contact_rows, draw_people
from rights.residue import Searcher

PEOPLE = draw_people(6)
ROWS = contact_rows(PEOPLE)
GONE = Searcher([PEOPLE[2].values])


def as_parquet(rows: pl.DataFrame) -> bytes:
    target = io.BytesIO()
    rows.write_parquet(target)
    return target.getvalue()


def as_wide(rows: pl.DataFrame) -> bytes:
    return as_csv(rows, encoding="utf-16")


def changed(at: tuple[int, int], value: object) -> bytes:
    """The workbook with the row of who left blank, and one more cell set."""
    book = openpyxl.load_workbook(io.BytesIO(as_xlsx(ROWS)))
    for cell in book.active[4]:
        cell.value = None
    book.active.cell(*at).value = value
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


FORMS: dict[str, tuple[Callable[[pl.DataFrame], bytes], Callable[[pl.DataFrame], bytes]]] = {
    "a.csv": (as_csv, as_csv),
    "wide.csv": (as_wide, as_wide),
    "a.ndjson": (as_ndjson, as_ndjson),
    "a.json": (as_json, as_json),
    "a.parquet": (as_parquet, as_parquet),
}


@pytest.mark.parametrize("name", FORMS)
def test_only_the_file_without_who_left_and_nothing_else_is_the_same(name: str) -> None:
    before, after = FORMS[name]
    kept = ROWS.filter(pl.col("customer_number") != PEOPLE[2].record)

    def is_same(rows: pl.DataFrame) -> bool:
        return compare(name, before(ROWS), after(rows), lambda record: bool(GONE.owners_in(record))).is_same

    assert is_same(kept)
    assert not is_same(ROWS), "who had to leave is there"
    assert not is_same(kept.head(4)), "somebody else left too"
    assert not is_same(kept.with_columns(city=pl.lit("Elders"))), "a cell of somebody else changed"
    assert not is_same(kept.reverse()), "the order changed"


def test_a_workbook_is_the_same_only_when_every_cell_of_others_is() -> None:
    book = openpyxl.load_workbook(io.BytesIO(as_xlsx(ROWS)))
    resaved = io.BytesIO()
    book.save(resaved)  # the same writer on both sides, so that only cells differ

    def is_same(after: bytes) -> bool:
        return compare("a.xlsx", resaved.getvalue(), after, lambda record: bool(GONE.owners_in(record))).is_same

    assert is_same(changed((1, 1), "customer_number"))
    assert not is_same(changed((4, 2), "nog hier")), "the row of who left is not blank"
    assert not is_same(changed((2, 2), "Elders")), "a cell of somebody else changed"
    assert not is_same(changed((2, 18), str(book.active.cell(2, 18).value))), "a number became text"
