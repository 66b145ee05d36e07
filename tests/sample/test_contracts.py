"""The sample files are what the contracts of the two sample principals describe, faults excepted.

Reads the contracts with a few lines of its own, so that a fault of the gate does not hide here.
"""

import csv
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from sluice.sample.faults import Fault, FaultPlan, Planted
from sluice.sample.files import write_campaign, write_subscribers
from sluice.settings import get_settings
from sluice.subject.model import NoRef
from sluice.subject.normalise import normalise
from sluice.terms import SubjectKind
from support.effort import chosen, effort

Write = Callable[..., Planted]
Record = dict[str, str]


@dataclass(frozen=True)
class Sample:
    """A principal's contract beside the writer that makes its files."""

    contract: str
    write: Write
    plan: FaultPlan

    def columns(self) -> list[dict[str, Any]]:
        text = (get_settings().principals_dir / self.contract).read_text(encoding="utf-8")
        found: list[dict[str, Any]] = yaml.safe_load(text)["schema"][0]["properties"]
        return found


CAMPAIGN = Sample("energy01/renewal_campaign.inbound.odcs.yaml", write_campaign, FaultPlan(9, 12, 12, 5, 8, 2))
SUBSCRIBERS = Sample("telecom01/subscriber_base.inbound.odcs.yaml", write_subscribers, FaultPlan(9, 12, 0, 5, 8, 2))
BOTH = pytest.mark.parametrize("sample", [CAMPAIGN, SUBSCRIBERS], ids=["campaign", "subscribers"])


def read(path: Path) -> tuple[list[str], list[Record]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter=";" if ";" in file.readline() else ",", restkey="surplus")
        file.seek(0)
        return list(rows.fieldnames or []), list(rows)


def broken_rows(records: list[Record], columns: list[dict[str, Any]]) -> set[int]:
    """Rows that a required, unique, date, code or pattern rule of severity error refuses; and ragged rows."""
    repeated = {
        column["name"]: {value for value, count in Counter(r[column["name"]] for r in records).items() if count > 1}
        for column in columns
        if column.get("unique")
    }
    return {
        number
        for number, record in enumerate(records, start=1)
        if None in record.values()
        or "surplus" in record
        or any(is_broken(record[column["name"]], column) for column in columns)
        or any(record[name] in values for name, values in repeated.items())
    }


def is_broken(value: str, column: dict[str, Any]) -> bool:
    if not value:
        return bool(column.get("required"))
    if column["logicalType"] == "date" and not is_day(value):
        return True
    if (kind := subject_key(column)) and normalise(kind, value).reason is NoRef.INVALID:
        return True
    return any(not fits(value, rule["arguments"]) for rule in column.get("quality", []) if is_refusing(rule))


def subject_key(column: dict[str, Any]) -> SubjectKind | None:
    named = {entry["property"]: entry["value"] for entry in column["customProperties"]}
    return SubjectKind(named["subjectKey"]) if "subjectKey" in named else None


def is_refusing(rule: dict[str, Any]) -> bool:
    return rule.get("metric") == "invalidValues" and rule["severity"] == "error"


def fits(value: str, arguments: dict[str, Any]) -> bool:
    return (
        value in arguments["validValues"] if "validValues" in arguments else bool(re.match(arguments["pattern"], value))
    )


def is_day(text: str) -> bool:
    try:
        return bool(datetime.strptime(text, "%d/%m/%Y"))
    except ValueError:
        return False


@pytest.mark.slow
@BOTH
def test_without_faults_every_row_keeps_every_rule_even_those_that_only_warn(sample, tmp_path):
    sample.write(tmp_path / "a.csv", effort(1000, 5000), 21)
    names, records = read(tmp_path / "a.csv")
    columns = sample.columns()
    assert names == [column["name"] for column in columns]
    assert broken_rows(records, columns) == set()
    for column in columns:
        for rule in column.get("quality", []):
            if rule.get("metric") == "invalidValues":
                assert all(
                    fits(record[column["name"]], rule["arguments"]) for record in records if record[column["name"]]
                )


@BOTH
@pytest.mark.parametrize("seed", chosen([1, 2, 3], 2))
def test_with_faults_the_contract_refuses_exactly_the_planted_rows(sample, seed, tmp_path):
    planted = sample.write(tmp_path / "a.csv", 2000, seed, faults=sample.plan)
    assert broken_rows(read(tmp_path / "a.csv")[1], sample.columns()) == planted.all_rows
    assert len(planted.rows(Fault.DUPLICATE_KEY)) == 10
