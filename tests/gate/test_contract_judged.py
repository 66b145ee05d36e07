"""What the rules of a contract find in a file: cells of another type or format, columns that are missing or unknown."""

from pathlib import Path

import polars as pl
import pytest

from agreement.papers import CONTRACT, CONTRACT_NAME, write_folder
from sluice.agreement.folder.load import load_contract
from sluice.agreement.model import FieldRole, QualityRule
from sluice.gate.contract_rules import rules_for, thresholds_of
from sluice.gate.judge import judge
from sluice.gate.model import GateVerdict
from sluice.gate.onepass import run_rules
from sluice.settings import get_home
from sluice.terms import Severity, SubjectKind, Verdict

from .papers import a_contract, a_field, a_key, custom


def verdict_of(
    rows: dict[str, list[str | None]], *fields: FieldRole, quality: tuple[QualityRule, ...] = (), **said: bool
) -> GateVerdict:
    contract = a_contract(*fields, quality=quality, **said)
    frame = pl.DataFrame(rows, schema=dict.fromkeys(rows, pl.String))
    return judge(run_rules(frame, rules_for(contract, ())), [], thresholds_of(contract)).verdict


def test_a_clean_file_passes_and_columns_that_are_missing_or_without_a_role_stop_it_if_they_must():
    rows = {"lead": ["1", "2"], "amount": ["1,5", None], "day": ["29/02/2024", "1/3/2024"]}
    fields = (a_key(), a_field("amount", "number"), a_field("day", "date", date_format="%d/%m/%Y"))
    assert verdict_of(rows, *fields, comma=True).verdict is Verdict.PASSED
    needed = verdict_of({"phone": ["1"]}, a_key(), a_field("phone"))
    optional = verdict_of({"lead": ["1"]}, a_key(), a_field("phone"))
    undeclared = verdict_of({"lead": ["1"], "shoe size": ["44"]}, a_key())
    assert [(each.verdict, each.reasons[0].code, each.reasons[0].column) for each in (needed, undeclared)] == [
        (Verdict.REFUSED, "HEADER_MISSING_COLUMN", "lead"),
        (Verdict.REFUSED, "HEADER_UNDECLARED_COLUMN", "#2"),
    ]
    told = (optional.verdict, optional.rows_accepted, optional.reasons[0].severity)
    assert told == (Verdict.WARNED, 1, Severity.WARNING)
    assert verdict_of({"lead": []}, a_key()).reasons[0].code == "SHAPE_ROW_COUNT", "an empty file is shown"


@pytest.mark.parametrize(
    ("logical_type", "cell", "code"),
    [
        ("number", "1.5", "VALUE_NUMBER"),
        ("integer", "1,0", "VALUE_NUMBER"),
        ("integer", "12345678901234567890", "VALUE_NUMBER"),
        ("date", "31/02/2024", "VALUE_DATE"),
        ("timestamp", "2024-01-01", "VALUE_DATE"),
        ("time", "25:00:00", "VALUE_TIME"),
        ("boolean", "maybe", "VALUE_BOOLEAN"),
    ],
)
def test_a_cell_that_is_not_of_its_type_is_refused(logical_type: str, cell: str, code: str) -> None:
    rows = {"lead": [str(place) for place in range(20)], "x": [cell, *[None] * 19]}
    verdict = verdict_of(rows, a_key(), a_field("x", logical_type), comma=True)
    assert (verdict.rows_refused, verdict.reasons[0].code, verdict.reasons[0].rule) == (1, code, "x.type")


@pytest.mark.parametrize(
    ("logical_type", "said", "server", "asked"),
    [
        ("time", "        logicalTypeOptions: {format: HH:mm}\n", "%d/%m/%Y", "%H:%M"),
        ("time", "", "%d/%m/%Y", "%H:%M:%S"),
        ("timestamp", "", "%d/%m/%Y", "%Y-%m-%dT%H:%M:%S"),
        ("timestamp", "", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M"),
        ("timestamp", "        logicalTypeOptions: {format: dd/MM/yyyy HH:mm}\n", "%d/%m/%Y", "%d/%m/%Y %H:%M"),
        ("date", "", "%d/%m/%Y", "%d/%m/%Y"),
    ],
)
def test_a_column_is_asked_the_format_that_its_paper_says(tmp_path, logical_type, said, server, asked):
    dated = "logicalType: date\n        logicalTypeOptions: {format: dd/MM/yyyy}\n"
    assert dated in CONTRACT and "%d/%m/%Y" in CONTRACT, "the control: the paper has what is changed"
    text = CONTRACT.replace(dated, f"logicalType: {logical_type}\n{said}").replace('"%d/%m/%Y"', f'"{server}"')
    contract = load_contract(write_folder(tmp_path, contract=text) / CONTRACT_NAME)
    (rule,) = (rule for rule in rules_for(contract, ()) if rule.id == "contract_end_date.type")
    assert rule.check.option("strftime_format") == asked


def test_a_cell_without_a_value_fails_its_type_and_not_the_range() -> None:
    between = custom("be_between", "x", min_value=2)
    rows = {"lead": [str(place) for place in range(20)], "x": ["junk", "1", *["2"] * 18]}
    verdict = verdict_of(rows, a_key(), a_field("x", "integer"), quality=(between,))
    assert [(reason.code, reason.rows) for reason in verdict.reasons] == [("VALUE_NUMBER", (1,)), ("VALUE_RANGE", (2,))]


def test_of_the_columns_that_find_a_person_the_first_has_to_be_there() -> None:
    optional = {"required": False, "subject_key": SubjectKind.PRINCIPAL_CUSTOMER_ID}
    fields = (a_field("lead", **optional), a_field("second", **optional), a_field("third"))
    severities = {rule.id: rule.severity for rule in rules_for(a_contract(*fields), ())}
    assert severities["lead.present"] is Severity.ERROR
    assert {severities["second.present"], severities["third.present"]} == {Severity.WARNING}


def test_the_real_campaign_file_passes_its_contract(real_data: Path) -> None:
    contract = load_contract(get_home() / "include" / "principals" / "bank01" / "bank_telemarketing.inbound.odcs.yaml")
    frame = pl.read_csv(real_data / "campaign" / "bank-additional-full.csv", separator=";", infer_schema=False)
    verdict = judge(run_rules(frame, rules_for(contract, ())), [], thresholds_of(contract)).verdict
    assert (verdict.verdict, verdict.rows_accepted) == (Verdict.PASSED, 41_188)
