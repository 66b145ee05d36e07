"""A later contract writes dates and numbers otherwise: a list says in its spelling what the older files said."""

from datetime import date

import polars as pl
import pytest

from dial.lists import CAMPAIGN, ENERGY01, ask, listed, next_version, numbers
from sluice.dial.read import view_rows
from support.desk import Desk

pytestmark = pytest.mark.stores
COLUMN = "contract_end_date\n        logicalType: date\n        logicalTypeOptions: {{format: {}}}"
MONTH_FIRST = (COLUMN.format("dd/MM/yyyy"), COLUMN.format("MM/dd/yyyy"))
ABROAD = ("{property: region, value: BE}", "{property: region, value: NL}")
POINTS = ("{property: decimalComma, value: true}", "{property: decimalComma, value: false}")
PHONE = "name: phone\n        logicalType: string\n        required: {}"
OPTIONAL = (PHONE.format("true"), PHONE.format("false"))
ENDS = date(2027, 4, 3)


def test_a_telephone_stays_the_number_that_it_was_for_the_call_and_for_who_may_not_be_called(papers_desk: Desk) -> None:
    desk = papers_desk
    path, _ = desk.campaign(8)
    people = pl.read_csv(path, separator=";", infer_schema=False).with_row_index()
    people = people.with_columns(phone=pl.format("047512340{}", "index"), opt_in_phone=pl.lit("Y")).drop("index")
    desk.drop(people.write_csv(separator=";").encode(), "first.csv")
    desk.work()
    registered, *others = sorted(listed(desk, ask(desk))["phone"])
    numbers(desk, f"+32{registered[1:]}")
    assert sorted(listed(desk, ask(desk))["phone"]) == others != [], "control: as they came under their own contract"

    next_version(desk, ABROAD)

    assert sorted(listed(desk, ask(desk))["phone"]) == [f"0032{phone[1:]}" for phone in others]


def test_what_was_no_number_in_its_own_country_is_not_dialled_in_another(papers_desk: Desk) -> None:
    """0612345678 is nobody's in Belgium; in the Netherlands it is somebody's, who never said yes."""
    desk = papers_desk
    next_version(desk, OPTIONAL)
    path, _ = desk.campaign(4)
    people = pl.read_csv(path, separator=";", infer_schema=False).with_row_index()
    cells = ["0612345678", "0475123401", "0475123402", "0475123403"]
    people = people.with_columns(phone=pl.Series(cells), opt_in_phone=pl.lit("Y")).drop("index")
    desk.drop(people.write_csv(separator=";").encode(), "first.csv")
    desk.work()
    assert sorted(listed(desk, ask(desk))["phone"]) == cells[1:], "control: nor in its own"

    next_version(desk, OPTIONAL, ABROAD, version="1.2.0")

    assert sorted(listed(desk, ask(desk))["phone"]) == [f"0032{phone[1:]}" for phone in cells[1:]]


def test_a_day_and_an_amount_stay_what_they_were(papers_desk: Desk) -> None:
    desk = papers_desk
    path, _ = desk.campaign(8)
    people = pl.read_csv(path, separator=";", infer_schema=False)
    people = people.with_columns(contract_end_date=pl.lit("03/04/2027"), monthly_amount=pl.lit("62,271"))
    desk.drop(people.write_csv(separator=";").encode(), "first.csv")
    desk.work()
    before = listed(desk, ask(desk))
    assert set(before["contract_end_date"]) == {"03/04/2027"}, "control: under its own contract each cell is as it came"

    next_version(desk, MONTH_FIRST, POINTS)

    after = listed(desk, ask(desk))
    told = ("contract_end_date", "monthly_amount")
    assert set(after.select(told).rows()) == {("04/03/2027", "62.271")}
    assert set(listed(desk, ask(desk, form="parquet"))["contract_end_date"]) == {ENDS}
    assert after.drop(told).equals(before.drop(told)), "nothing else is written anew"
    seen = view_rows(desk.house, ENERGY01, CAMPAIGN)
    assert set(seen["contract_end_date"]) == {"04/03/2027"} and set(seen["monthly_amount"]) == {"62.271"}
