"""Skeletons: what a file's columns seem to be, and nothing of what is in them."""

import csv
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.papers import a_contract, a_field
from sluice.agreement.codes import GAP_CODES
from sluice.agreement.contract.columns import strptime_format
from sluice.agreement.contract.guess import has_decimal_comma, profile_columns
from sluice.agreement.contract.infer import ColumnProfile, FileProfile, infer_contract, suggest_key
from sluice.agreement.folder.lint import lint_path
from sluice.agreement.model import FieldRole
from sluice.agreement.shape import OPEN
from sluice.exchange.infer import skeleton_of
from sluice.gate.contract_rules import rules_for
from sluice.gate.onepass import run_rules
from sluice.terms import Direction, Flow, Principal, Severity
from support.effort import effort

FILE = FileProfile(".csv", "csv", ";", "utf-8", False)
TODO = GAP_CODES | {"CON-027"}


def guess(*cells: str | None, name: str = "x", comma: bool = False) -> tuple[str, str | None]:
    (profile,) = profile_columns(pl.DataFrame({name: pl.Series(cells, dtype=pl.String)}), comma)
    return profile.logical_type, profile.date_format


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (("1", "-20", None), ("integer", None)),
        (("01", "2"), ("string", None)),
        (("1.5", "2"), ("number", None)),
        (("1,5", "2"), ("string", None)),
        (("2026-01-31",), ("date", "yyyy-MM-dd")),
        (("31/01/2026", "01/02/2026"), ("date", "dd/MM/yyyy")),
        (("01/31/2026",), ("date", "MM/dd/yyyy")),
        (("01/02/2026",), ("OPEN", "dd/MM/yyyy or MM/dd/yyyy")),
        (("31/02/2026",), ("string", None)),
        (("2026-01-31 10:00:00",), ("timestamp", "yyyy-MM-dd HH:mm:ss")),
        (("31/01/2026 10:00:00",), ("timestamp", "dd/MM/yyyy HH:mm:ss")),
        (("01/31/2026 10:00:00",), ("timestamp", "MM/dd/yyyy HH:mm:ss")),
        (("01/02/2026 10:00:00",), ("OPEN", "dd/MM/yyyy HH:mm:ss or MM/dd/yyyy HH:mm:ss")),
        ((None, None), ("string", None)),
        (("yes",), ("string", None)),
        (("12345678901234567890",), ("string", None)),
    ],
)
def test_a_type_is_guessed_only_when_it_fits_every_cell(cells: tuple[str, ...], kind: tuple[str, str | None]) -> None:
    assert guess(*cells) == kind


def test_identifiers_stay_text_and_a_decimal_comma_is_a_matter_of_the_whole_file():
    assert guess("475123456", "475123457", name="phone_number") == ("string", None)
    comma = pl.DataFrame({"a": ["1,5", "2"], "b": ["x", "y"]})
    assert has_decimal_comma(comma)
    assert not has_decimal_comma(comma.with_columns(c=pl.Series(["1.5", "2.5"])))
    assert guess("1,5", comma=True) == ("number", None)
    assert has_decimal_comma(pl.DataFrame({"a": ["1.250"]}), "xlsx") is False
    assert has_decimal_comma(pl.DataFrame({"a": ["62,271"]}), "xlsx") is None
    frame = pl.DataFrame({"a": ["1", "2"], "b": ["1", None], "c": ["1", "1"]})
    assert [(c.required, c.unique) for c in profile_columns(frame, False)] == [
        (True, True), (False, True), (True, False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("columns", "comma"),
    [
        ({"a": ["62,271", "40"]}, None),
        ({"a": ["1.250", "890"]}, None),
        ({"a": ["62,271"], "b": ["1.250"]}, None),
        ({"a": ["62,271", "4000"]}, True),
        ({"a": ["62,271", "0,125"]}, True),
        ({"a": ["62,271"], "b": ["1,5"]}, True),
        ({"a": ["1.250"], "b": ["1,5"]}, True),
        ({"a": ["62,271"], "b": ["1.5"]}, False),
        ({"a": ["1.250", "1.5"]}, False),
        ({"phone_number": ["62,271"]}, False),
        ({"a": ["890"]}, False),
    ],
)
def test_a_mark_that_may_divide_thousands_is_left_open(columns: dict[str, list[str]], comma: bool | None) -> None:
    frame = pl.concat([pl.DataFrame({name: cells}) for name, cells in columns.items()], how="horizontal")
    assert has_decimal_comma(frame) is comma


def test_numbers_that_read_both_ways_are_gaps_of_the_skeleton(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": ["62,271"], "b": ["890"], "c": ["x"]})
    text = infer_contract(profile_columns(frame, None), FileProfile(".csv", "csv", ";", "utf-8", None))
    path = tmp_path / "some_flow.inbound.odcs.yaml"
    path.write_text(text, encoding="utf-8")
    document = yaml.safe_load(text)
    assert {"property": "decimalComma", "value": "OPEN"} in document["servers"][0]["customProperties"]
    kinds = [column["logicalType"] for column in document["schema"][0]["properties"]]
    assert kinds == ["OPEN", "integer", "string"]
    open_lines = {place for place, line in enumerate(text.splitlines(), 1) if "1,234" in line}
    assert open_lines <= {problem.line for problem in lint_path(path) if problem.severity is Severity.ERROR}


@pytest.mark.parametrize(
    ("direction", "place", "missing"),
    [
        ("inbound", "s3://exchange/gas01/inbound/calls/*.csv", set()),
        ("internal", "s3://internal/gas01/internal/calls/*.csv", {"resultMapping"}),
        ("outbound_return", "s3://exchange/gas01/outbound/calls/*.csv", {"contactsFlow", "resultsFlow", "recordId"}),
    ],
)
def test_a_skeleton_names_the_place_that_is_looked_at_and_what_its_direction_needs(tmp_path, direction, place, missing):
    file = FileProfile(".csv", "csv", ";", "utf-8", False)
    columns = profile_columns(pl.DataFrame({"a": ["x"]}), False)
    text = infer_contract(columns, file, Principal("gas01"), Flow("calls"), Direction(direction))
    path = tmp_path / f"calls.{direction}.odcs.yaml"
    path.write_text(text, encoding="utf-8")
    document = yaml.safe_load(text)
    assert document["servers"][0]["location"] == place
    left = {entry["property"] for entry in document["customProperties"] if entry["value"] == "OPEN"}
    assert left & {"resultMapping", "contactsFlow", "resultsFlow", "recordId"} == missing
    assert {"CON-032", "CON-035", "CON-051"}.isdisjoint(problem.code for problem in lint_path(path))


def test_thousands_of_a_real_file_are_not_taken_for_decimals(real_data: Path) -> None:
    """NHS statistics: `62,271` admissions are no 62.271."""
    assert "{property: decimalComma, value: OPEN}" in skeleton_of(real_data / "csv/utf-16le-nhs.csv", "nhs", "mha").text
    invoices = skeleton_of(real_data / "subscribers/chinook-invoice.csv", "chinook", "invoices")
    assert "{property: decimalComma, value: false}" in invoices.text


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("PHONE", "phone_e164"), ("gsm nummer", "phone_e164"), ("e-mail", "email"),
        ("customerID", "principal_customer_id"),
        ("klantnummer", "principal_customer_id"), ("klant_nr", "principal_customer_id"),
        ("Numéro de client", "principal_customer_id"), ("N° client", "principal_customer_id"),
        ("numero_client", "principal_customer_id"), ("rijksregisternummer", "national_number"),
        ("Telefoonnummer", "phone_e164"), ("tel_nr", "phone_e164"), ("Tel.", "phone_e164"), ("Mobiel", "phone_e164"),
        ("mobile", "phone_e164"), ("KlantTel", "phone_e164"), ("contactnummer", "phone_e164"),
        ("Téléphone", "phone_e164"), ("IBAN", "iban"), ("city", None), ("hotel", None), ("mobility", None),
        ("telling", None), ("contractnummer", None), ("Tél.", "phone_e164"),
    ],
)  # fmt: skip
def test_keys_are_suggested_by_name_only(name: str, kind: str | None) -> None:
    assert suggest_key(name) == kind


def test_a_key_without_a_value_twice_has_its_rule_at_hand_and_another_has_not() -> None:
    """What is commented out is YAML at its place: without the sign it is the rule."""
    for unique in (True, False):
        text = infer_contract([ColumnProfile("customer_id", "string", None, True, unique)], FILE)
        assert ("        # unique: true   #" in text) is unique
        [column] = yaml.safe_load(text.replace("# unique", "unique"))["schema"][0]["properties"]
        assert column.get("unique", False) is unique


@pytest.mark.slow
@settings(deadline=None)
@given(
    st.lists(
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=30).filter(str.strip),
        min_size=1,
        max_size=8,
        unique=True,
    ),
    st.sampled_from([";", ",", "\t", "|", None]),
)
def test_any_column_names_make_a_skeleton_that_reads_back(names: list[str], delimiter: str | None) -> None:
    columns = [ColumnProfile(name, "string", None, True, False) for name in names]
    text = infer_contract(columns, FileProfile(".csv", "csv", delimiter, None, False))
    document = yaml.safe_load(text)
    assert [column["name"] for column in document["schema"][0]["properties"]] == names


@pytest.mark.parametrize("file", ["campaign/bank-additional.csv", "subscribers/telco-customer-churn.csv"])
def test_the_skeleton_of_a_real_file_has_gaps_and_nothing_else(real_data: Path, tmp_path: Path, file: str) -> None:
    with (real_data / file).open(encoding="utf-8", newline="") as opened:
        rows = list(csv.reader(opened, delimiter=";" if "bank" in file else ","))
    frame = pl.DataFrame({name: [row[at] or None for row in rows[1:]] for at, name in enumerate(rows[0])})
    path = tmp_path / "some_flow.inbound.odcs.yaml"
    path.write_text(infer_contract(profile_columns(frame, False), FILE), encoding="utf-8")
    errors = [problem for problem in lint_path(path) if problem.severity is Severity.ERROR]
    assert len(errors) >= 2 * len(rows[0])
    assert {problem.code for problem in errors} <= TODO
    cells = {cell for row in rows[1:200] for cell in row if len(cell) > 8}
    assert not [cell for cell in cells if cell in path.read_text(encoding="utf-8")]


SPELLINGS = (
    "%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y%m%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
)  # fmt: skip
ODD = (
    "0000-01-01", "2026-02-30", "٢٠٢٦-01-01", "2026-01-01 23:59:60", "2026-01-01 24:00:00", "01/02/0000", "-0", "007",
    "١٢", "1." + "3" * 40, "1,5", "1.5", "1.5\n", "12\n", "1e3", "123456789012345", "1234567890123456",
)  # fmt: skip
dates = st.tuples(st.datetimes(datetime(1, 1, 1)), st.sampled_from(SPELLINGS)).map(lambda one: one[0].strftime(one[1]))
numbers = st.one_of(
    st.integers(-(10**16), 10**16).map(str),
    st.decimals(-1000, 1000, places=2).map(str),
    st.decimals(-1000, 1000, places=2).map(lambda one: str(one).replace(".", ",")),
)
cells = st.one_of(
    *(st.lists(st.none() | st.datetimes(datetime(1, 1, 1)).map(lambda one, form=form: one.strftime(form)), max_size=5)
      for form in SPELLINGS),
    st.lists(st.none() | numbers | st.sampled_from(ODD) | dates, max_size=3),
    st.sampled_from(ODD).map(lambda one: [one]),
)  # fmt: skip


@settings(max_examples=effort(120, 400), deadline=None)
@given(cells, st.booleans())
def test_what_is_proposed_for_a_column_takes_every_cell_of_it(cells: list[str | None], comma: bool) -> None:
    frame = pl.DataFrame({"x": cells}, schema={"x": pl.String})
    [profile] = profile_columns(frame, comma)
    for field in fields_of(profile):
        result = run_rules(frame, rules_for(a_contract(field, comma=comma), ()))
        wrong = {each.rule.id for each in result.outcomes if each.failing is not None and len(each.failing)}
        assert not wrong, (profile.logical_type, profile.date_format)


def fields_of(profile: ColumnProfile) -> list[FieldRole]:
    """As a person would declare it: both ways, where the date is left open."""
    kind = "date" if profile.logical_type == OPEN else profile.logical_type
    patterns = profile.date_format.split(" or ") if profile.date_format else [None]
    return [
        a_field(profile.name, kind, date_format=strptime_format(each) if each else None, required=profile.required)
        for each in patterns
    ]
