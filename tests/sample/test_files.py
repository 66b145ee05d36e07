"""Sample files: the same seed gives the same bytes, and the faults are where the plan says."""

import csv
import re
from collections import Counter
from datetime import date, datetime
from pathlib import Path

import phonenumbers
import polars as pl
import pytest

from sample.workbooks import write_campaign_workbook
from sluice.lake.read.reader import read_table
from sluice.lake.table import Table
from sluice.sample.draw import table
from sluice.sample.faults import BAD_VALUES, Fault, FaultPlan, SamplePlanInvalid
from sluice.sample.files import (
    CHURN,
    INTERNATIONAL,
    PRODUCTS,
    WRITTEN_ON,
    FileDialect,
    write_campaign,
    write_subscribers,
)
from sluice.subject.model import NoRef
from sluice.subject.normalise import normalise
from sluice.terms import SubjectKind

PLAN = FaultPlan(3, 4, 5, 6, 7, 2)
ROWS = 3000
Record = dict[str, str]


def read(path: Path, delimiter: str = ";") -> list[Record]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter, restkey="surplus"))


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> list[Record]:
    path = tmp_path_factory.mktemp("sample") / "campaign.csv"
    write_campaign(path, ROWS, seed=11)
    return read(path)


@pytest.fixture(scope="module")
def subscribers(tmp_path_factory: pytest.TempPathFactory) -> list[Record]:
    path = tmp_path_factory.mktemp("sample") / "subscribers.csv"
    write_subscribers(path, ROWS, seed=11)
    return read(path, ",")


@pytest.mark.parametrize("write", [write_campaign, write_subscribers])
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(write, tmp_path):
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        write(tmp_path / name, 200, seed)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").read_bytes() != (tmp_path / "c").read_bytes()


def test_columns_emails_places_dates_and_amounts_are_as_the_dialect_says(campaign, subscribers):
    for records, key in ((campaign, "customer_number"), (subscribers, "customer_id")):
        assert len(records[0]) == 20
        assert len({record[key] for record in records}) == ROWS
    emails = [record["email"] for record in campaign + subscribers if record["email"]]
    assert all(email.endswith(".example") and normalise(SubjectKind.EMAIL, email).value == email for email in emails)
    known = set(table("places").select("postal_code", "city").iter_rows())
    assert {(record["postal_code"], record["city"]) for record in campaign} <= known
    for record in campaign:
        assert re.fullmatch(r"\d+,\d\d", record["monthly_amount"])
        assert 18 <= (WRITTEN_ON - day(record["birth_date"])).days / 365.25 < 97
        assert 0 < (day(record["contract_end_date"]) - WRITTEN_ON).days < 180
    assert all(re.fullmatch(r"\d+\.\d\d", record["monthly_charges"]) for record in subscribers)
    assert {record["tenure"] == "0" for record in subscribers if not record["total_charges"]} == {True}
    notes = {record["note"] for record in campaign}
    assert all(any(mark in note for note in notes) for mark in ('"', ";", "\n", "é", "Liefst na 18u bellen"))


@pytest.mark.slow
def test_every_telephone_number_is_valid_in_belgium_and_written_in_many_ways(campaign, subscribers):
    phones = [record["phone"] for record in campaign + subscribers]
    shapes = {re.sub("[0-9]", "9", phone) for phone in phones}
    assert all(normalise(SubjectKind.PHONE, phone).value for phone in phones)
    assert len(shapes) > 15
    kinds = Counter(
        phonenumbers.number_type(phonenumbers.parse(normalise(SubjectKind.PHONE, phone).value or ""))
        for phone in phones
    )
    assert set(kinds) == {phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE}


def day(text: str) -> date:
    return datetime.strptime(text, "%d/%m/%Y").date()


def test_shares_follow_the_real_files(campaign, subscribers):
    assert {record["product"] for record in campaign} == set(PRODUCTS)
    assert share(campaign, "last_contact_result", "nonexistent") == pytest.approx(0.863, abs=0.03)
    assert share(campaign, "attempts", "1") == pytest.approx(0.43, abs=0.04)
    assert share(subscribers, "contract", "Month-to-month") == pytest.approx(0.55, abs=0.04)
    assert share(subscribers, "churn", "Yes") == pytest.approx(0.265, abs=0.03)
    assert len(CHURN) == 3


def share(records: list[Record], column: str, value: str) -> float:
    return sum(record[column] == value for record in records) / len(records)


def test_every_planned_fault_is_in_its_row_and_no_other_row_has_one(tmp_path):
    planted = write_campaign(tmp_path / "a.csv", 500, seed=3, faults=PLAN)
    records = read(tmp_path / "a.csv")
    keys = Counter(record["customer_number"] for record in records)
    found = {
        Fault.MISSING_REQUIRED: rows_where(records, lambda r: not r["last_name"]),
        Fault.BAD_PHONE: rows_where(
            records, lambda r: normalise(SubjectKind.PHONE, r["phone"]).reason is NoRef.INVALID
        ),
        Fault.BAD_DATE: rows_where(records, lambda r: not is_day(r["contract_end_date"])),
        Fault.DUPLICATE_KEY: rows_where(records, lambda r: keys[r["customer_number"]] > 1),
        Fault.WRONG_CODE: rows_where(records, lambda r: r["product"] not in PRODUCTS),
        Fault.RAGGED_ROW: rows_where(records, lambda r: "surplus" in r or r["note"] is None),
    }
    assert {fault: planted.rows(fault) for fault in Fault} == found
    assert [len(rows) for rows in found.values()] == [3, 4, 5, 12, 7, 2]
    assert len(planted.all_rows) == 33


def rows_where(records, holds) -> tuple[int, ...]:
    return tuple(number for number, record in enumerate(records, start=1) if holds(record))


def is_day(text: str) -> bool:
    try:
        return bool(datetime.strptime(text, "%d/%m/%Y"))
    except ValueError:
        return False


def test_faults_that_do_not_fit_are_refused_and_every_bad_telephone_number_is_a_finding(tmp_path):
    with pytest.raises(SamplePlanInvalid, match="rows 10"):
        write_campaign(tmp_path / "a", 10, seed=1, faults=FaultPlan(bad_phone=11))
    with pytest.raises(SamplePlanInvalid, match="bad_date"):
        write_subscribers(tmp_path / "b", 10, seed=1, faults=FaultPlan(bad_date=1))
    reasons = {normalise(SubjectKind.PHONE, value).reason for value in BAD_VALUES[Fault.BAD_PHONE]}
    assert reasons == {NoRef.INVALID}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_every_encoding_holds_the_same_text(encoding, tmp_path):
    write_campaign(tmp_path / "plain", 50, seed=2, faults=FaultPlan(ragged_row=3))
    write_campaign(tmp_path / "other", 50, 2, FileDialect(encoding=encoding), faults=FaultPlan(ragged_row=3))
    assert (tmp_path / "other").read_bytes().decode(encoding) == (tmp_path / "plain").read_bytes().decode()


def test_a_file_of_no_rows_is_its_header_and_one_of_many_reads_back_with_polars(tmp_path):
    write_subscribers(tmp_path / "a", 0, seed=1)
    assert (tmp_path / "a").read_text().count("\n") == 1
    write_campaign(tmp_path / "a", 1000, 4, INTERNATIONAL)
    assert pl.read_csv(tmp_path / "a", infer_schema=False).shape == (1000, 20)


def test_the_workbook_of_a_seed_holds_the_same_cells(tmp_path):
    cells = write_campaign_workbook(tmp_path / "a.xlsx", 60, seed=5)
    table = read_table(tmp_path / "a.xlsx", file_name="a.xlsx")
    assert isinstance(table, Table) and table.frame.fill_null("").equals(cells)
