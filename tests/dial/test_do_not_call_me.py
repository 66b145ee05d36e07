"""A number on the Do-Not-Call-Me list is not called, and the list must be young."""

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from dial.lists import CONTRACT, ask, contacts, listed, now, numbers, record, today
from sluice.dial.dncm import import_numbers
from sluice.dial.model import DialRefused
from sluice.settings import Settings
from sluice.subject.columns import normalise_column
from sluice.terms import SubjectKind
from support.desk import Desk, open_desk
from support.night import Edit, with_papers


def test_phone_marketing_needs_a_number_list_of_five_days_at_most_and_goes_when_that_is_too_old(desk: Desk) -> None:
    contacts(desk, 5)
    for days in (None, 6):
        if days is not None:
            numbers(desk, days_ago=days)
        with pytest.raises(DialRefused, match="STALE_DNCM_LIST"):
            ask(desk)
    for days in (5, 3, 0):
        numbers(desk, days_ago=days)
        done = ask(desk)
        assert done.rows_in == 5
        last = {copy.kind: copy.delete_after for copy in record(desk, done).how_long.copies}
        assert last == dict.fromkeys(("dial.kept", "index"), str(today() + timedelta(days=5 - days)))

    path = desk.folder / "other.txt"
    path.write_text("+32470999998\n")
    imports = "select 1 from ledger.entry where kind = 'dncm.imported'"
    before = len(desk.sql(imports))
    dates = [
        import_numbers(desk.house, path, today() - timedelta(days=days), "anna", now()).found.dated_on
        for days in (9, 1, 4, 1)
    ]
    assert dates == [today() - timedelta(days=days) for days in (9, 1, 1, 1)], "as young as that and never older"
    assert len(desk.sql(imports)) == before + 2, "each that is younger"


def test_a_number_on_the_list_is_not_called_in_any_spelling_and_the_list_holds_no_number(desk: Desk) -> None:
    people = contacts(desk)
    yes = people.filter(pl.col("opt_in_phone") == "Y")
    digits = normalise_column(yes["phone"], SubjectKind.PHONE).values.str.strip_prefix("+32")
    numbers(desk, *(f"0032{number}" for number in digits.head(7)))

    done = ask(desk)

    assert done.left_out["do_not_call_me"] == 7
    assert listed(desk, done)["customer_number"].to_list() == yes["customer_number"].slice(7).to_list()
    stored = b"".join(
        desk.house.objects.read(item.bucket, item.key)
        for item in desk.objects(desk.settings.bucket_lake)
        if item.key.startswith("_dncm/")
    )
    assert not [number for number in digits.head(7) if number.encode() in stored]


def test_every_telephone_number_of_a_row_is_looked_up(store_settings: Settings, tmp_path: Path) -> None:
    column = "      - name: email\n"
    second = """      - name: mobile
        logicalType: string
        required: false
        classification: confidential
        customProperties:
          - {property: fieldGroup, value: contact_point}
          - {property: dataCategory, value: "https://w3id.org/dpv/pd#TelephoneNumber"}
          - {property: subjectKey, value: phone_e164}
"""
    settings = with_papers(store_settings, tmp_path, Edit(CONTRACT, column, second + column))
    with open_desk(settings, tmp_path) as desk:
        path, _ = desk.campaign(6)
        people = pl.read_csv(path, separator=";", infer_schema=False)
        mobiles = [f"0471 00 00 0{number}" for number in range(6)]
        place = people.columns.index("email")
        wider = people.with_columns(opt_in_phone=pl.lit("Y")).insert_column(place, pl.Series("mobile", mobiles))
        desk.drop(wider.write_csv(separator=";").encode())
        desk.work()
        numbers(desk, "+32471000002")

        done = ask(desk)

        assert done.left_out == {"do_not_call_me": 1}
        assert people["customer_number"][2] not in listed(desk, done)["customer_number"].to_list()
