"""Rules and suites of papers, as activation and the linter ask them: of which contracts, and where it is said."""

import json
from pathlib import Path

import pytest

from agreement.papers import CONTRACT_NAME, write_folder
from sluice.gate.lint import check_rules, lint_whole

SUITE = "campaign_contacts"


@pytest.fixture
def contract(tmp_path: Path) -> Path:
    write_folder(tmp_path / "principals")
    [path] = (tmp_path / "principals").rglob(CONTRACT_NAME)
    return path


def line_of(contract: Path, text: str) -> int:
    return next(number for number, line in enumerate(contract.read_text().splitlines(), 1) if text in line)


def test_a_suite_that_is_not_there_is_named_with_its_line_and_place(contract: Path, tmp_path: Path) -> None:
    [found] = check_rules(contract.parent, tmp_path / "none")
    assert (found.path, found.line, found.code) == (str(contract), line_of(contract, SUITE), "CON-085")
    assert f".value[0] - {SUITE}. Cure:" in found.message and "customProperties" in found.message


def test_of_two_suites_the_one_that_is_not_there_is_named_on_its_own_line(contract: Path, tmp_path: Path) -> None:
    paper = contract.read_text(encoding="utf-8")
    contract.write_text(paper.replace(f"[{SUITE}]", f"[{SUITE},\n    nowhere]"), encoding="utf-8")
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / f"{SUITE}.json").write_text(f'{{"name": "{SUITE}", "expectations": []}}', encoding="utf-8")
    [found] = check_rules(contract.parent, tmp_path / "suites")
    assert (found.line, found.code) == (line_of(contract, "nowhere]"), "CON-085")
    assert ".value[1] - nowhere. Cure:" in found.message


@pytest.mark.parametrize(("status", "by_activation", "by_linter"), [
    ("active", 1, 1), ("deprecated", 1, 1), ("proposed", 0, 1), ("draft", 0, 1), ("retired", 0, 0),
])  # fmt: skip
def test_who_asks_decides_of_which_contracts(contract, tmp_path, status, by_activation, by_linter):
    contract.write_text(contract.read_text().replace("status: active", f"status: {status}"))
    told = [problem.code for problem in lint_whole(contract, "CON", tmp_path / "none")].count("CON-085")
    assert (len(check_rules(contract.parent, tmp_path / "none")), told) == (by_activation, by_linter)


def test_every_mistake_of_a_suite_is_a_problem_of_its_own(contract: Path, tmp_path: Path) -> None:
    (tmp_path / "suites").mkdir()
    wrong = [
        {"type": "expect_column_values_to_be_nul", "kwargs": {"column": "phone"}},
        {"type": "expect_column_values_to_be_between", "kwargs": {"column": "phone", "min_value": 1}},
        {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "phoen"}},
    ]
    suite = tmp_path / "suites" / f"{SUITE}.json"
    suite.write_text(json.dumps({"name": SUITE, "expectations": wrong[1:]}), encoding="utf-8")
    found = check_rules(contract.parent, tmp_path / "suites")
    assert [message.message.partition(" - ")[2][:7] for message in found] == ["SLU-435", "SLU-437"]
    assert {(each.path, each.line, each.code) for each in found} == {
        (str(contract), line_of(contract, SUITE), "CON-084")
    }
    suite.write_text(json.dumps({"name": SUITE, "expectations": wrong[:1] * 2}), encoding="utf-8")
    assert [f"expectation {number}" in each.message for number, each in
            enumerate(check_rules(contract.parent, tmp_path / "suites"), 1)] == [True, True]  # fmt: skip
