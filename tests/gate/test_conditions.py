"""Which rows a rule is about: what may be said, and that a file is judged by it."""

import json

import polars as pl
import pytest
from hypothesis import given

from gate.cases import conditions
from gate.papers import a_contract, a_field
from sluice.agreement.model import QualityRule
from sluice.errors import DocumentInvalid
from sluice.gate.conditions import MOST, Term, columns_of, parse_condition, read_condition
from sluice.gate.contract_rules import rules_for
from sluice.gate.errors import ColumnUnknown, OptionInvalid, OptionRefused
from sluice.gate.gx import agrees, validate
from sluice.gate.judge import judge
from sluice.gate.kinds import check_of
from sluice.gate.model import Rule, Thresholds
from sluice.gate.onepass import run_rules
from sluice.gate.suites import read_suite
from sluice.terms import Severity, Verdict

NOT_NULL = "expect_column_values_to_not_be_null"
CLOSED = {"type": "comparison", "column": {"name": "status"}, "operator": "==", "parameter": "CLOSED"}
FILLED = {"type": "nullity", "column": {"name": "iban"}, "is_null": False}


@given(said=conditions())
def test_a_condition_is_read_into_one_form_that_says_the_same(said: dict[str, object]) -> None:
    text = read_condition(said)
    assert read_condition(json.loads(text)) == text
    assert set(columns_of(text)) <= {"a", "b", "s"} and all(parse_condition(text))


def test_what_it_means() -> None:
    either = {"type": "or", "conditions": [{"type": "and", "conditions": [CLOSED, FILLED]}, FILLED]}
    closed, filled = Term("status", ("CLOSED",), True), Term("iban", None, False)
    assert parse_condition(read_condition(either)) == ((closed, filled), (filled,))
    assert columns_of(read_condition(either)) == ("status", "iban")


@pytest.mark.parametrize(
    "said",
    [
        "",
        [],
        {},
        {"type": "and"},
        {"type": "and", "conditions": []},
        {"type": "or", "conditions": []},
        {"type": "and", "conditions": "x"},
        {"type": "and", "conditions": [{"type": "or", "conditions": [CLOSED]}]},
        {"type": "or", "conditions": [{"type": "or", "conditions": [CLOSED]}]},
        {"type": "or", "conditions": [CLOSED] * (MOST + 1)},
        {"type": "pass_through", "pass_through_filter": "__import__('os').system('id')"},
        {**CLOSED, "operator": "<"},
        {**CLOSED, "operator": ["=="]},
        {**CLOSED, "operator": "=="} | {"parameter": 1},
        {**CLOSED, "parameter": None},
        {**CLOSED, "parameter": ["CLOSED"]},
        {**CLOSED, "operator": "IN"},
        {**CLOSED, "operator": "IN", "parameter": ["a", 1]},
        {**CLOSED, "more": 1},
        {**CLOSED, "column": "status"},
        {**CLOSED, "column": {"name": ""}},
        {**CLOSED, "column": {"name": 1}},
        {**FILLED, "is_null": "no"},
    ],
    ids=str,
)
def test_nothing_else_is_a_condition(said: object) -> None:
    with pytest.raises(ValueError):
        read_condition(said)
    with pytest.raises(OptionRefused if isinstance(said, str) else OptionInvalid):
        check_of(NOT_NULL, {"column": "end", "row_condition": said})


def test_a_condition_of_a_rule_about_the_file_and_one_in_a_suite_that_is_none_are_refused_by_place(tmp_path):
    with pytest.raises(OptionRefused):
        check_of("expect_table_row_count_to_equal", {"value": 1, "row_condition": CLOSED})
    bad = {"type": NOT_NULL, "kwargs": {"column": "end", "row_condition": {**CLOSED, "operator": ">"}}}
    with pytest.raises(DocumentInvalid, match=r"expectation 1; kind .*; option row_condition"):
        read_suite(json.dumps({"name": "calls", "expectations": [bad]}).encode(), "calls.json")


def test_the_rows_for_which_it_holds_are_judged_and_the_others_are_not() -> None:
    unique, apart = "expect_column_values_to_be_unique", {**CLOSED, "operator": "!="}
    few = {"type": "expect_column_unique_value_count_to_be_between", "kwargs": {"column": "status", "max_value": 2}}
    asked = [
        {"type": NOT_NULL, "kwargs": {"column": "end", "row_condition": CLOSED}, "meta": {"rule": "closed"}},
        {"type": unique, "kwargs": {"column": "end", "row_condition": apart}, "meta": {"rule": "apart"}},
        few | {"severity": "warning"},
    ]
    said = {"name": "calls", "expectations": asked}
    rules = read_suite(json.dumps(said).encode(), "calls.json").rules
    frame = pl.DataFrame(
        {"status": ["CLOSED", "CLOSED", "OPEN", None, "NEW", "CLOSED"], "end": [None, "x", "x", "x", None, "x"]}
    )
    verdict = judge(run_rules(frame, rules), [], Thresholds(1.0)).verdict

    assert verdict.verdict is Verdict.WARNED
    assert {(each.rule, each.code, each.rows) for each in verdict.reasons} == {
        ("calls.closed", "VALUE_NULL", (1,)),
        ("calls.apart", "DUPLICATE_VALUE", (3, 4)),
        ("calls.3", "SHAPE_DISTINCT_COUNT", ()),
    }
    assert [each.meant for each in run_rules(frame, rules).outcomes] == [3, 3, None]


IS_EMPTY = {"type": "nullity", "column": {"name": "status"}, "is_null": True}
IS_FULL = {**IS_EMPTY, "is_null": False}
NOT_CLOSED = {**CLOSED, "operator": "!="}


@pytest.mark.parametrize(("condition", "meant"), [(CLOSED, 0), (NOT_CLOSED, 2), (IS_EMPTY, 2), (IS_FULL, 0)])
def test_a_column_that_the_file_lacks_is_as_an_empty_one_so_nobody_switches_a_rule_off(condition, meant):
    rule = Rule("end.full", check_of(NOT_NULL, {"column": "end", "row_condition": condition}), "VALUE_NULL")
    frame = pl.DataFrame({"end": [None, "x"], "status": [None, None]}, schema={"end": pl.String, "status": pl.String})
    empty, without = (run_rules(each, [rule]).outcomes[0] for each in (frame, frame.drop("status")))
    assert (without.state, without.meant, without.domain_count) == ("counted", meant, meant)
    assert without.failing is not None and empty.failing is not None
    assert (without, without.failing.to_list()) == (empty, empty.failing.to_list())


@pytest.mark.slow
def test_a_file_that_lacks_the_column_of_a_condition_is_undecided_by_no_second_judge() -> None:
    rule = Rule("end.full", check_of(NOT_NULL, {"column": "end", "row_condition": IS_EMPTY}), "VALUE_NULL")
    result = run_rules(pl.DataFrame({"end": [None, "x"]}, schema={"end": pl.String}), [rule])
    assert agrees(validate(result, [rule]), result)


def test_a_column_that_only_a_condition_names_has_to_be_in_the_contract() -> None:
    entry = QualityRule(
        id="end.closed", column="end", metric=None, arguments={}, operator=None, threshold=(), unit="rows",
        severity=Severity.ERROR, expectation={"type": NOT_NULL, "kwargs": {"row_condition": CLOSED}},
    )  # fmt: skip
    known = a_contract(a_field("end"), a_field("status"), quality=(entry,))
    [rule] = [each for each in rules_for(known, ()) if each.id == "end.closed"]
    assert rule.check.needed == {"end", "status"}
    with pytest.raises(ColumnUnknown, match="column status"):
        rules_for(a_contract(a_field("end"), quality=(entry,)), ())


def test_the_same_rule_with_another_condition_is_another_question() -> None:
    frame = pl.DataFrame({"status": ["CLOSED", "OPEN"], "end": [None, None]}, schema_overrides={"end": pl.String})
    asked = [
        Rule(
            str(place), check_of(NOT_NULL, {"column": "end"} | ({"row_condition": each} if each else {})), "VALUE_NULL"
        )
        for place, each in enumerate((None, CLOSED, {**CLOSED, "parameter": "OPEN"}, {**CLOSED, "parameter": "X"}))
    ]
    found = run_rules(frame, asked).outcomes
    assert [each.failing.to_list() for each in found if each.failing is not None] == [[0, 1], [0], [1], []]
    assert [each.meant for each in found] == [None, 1, 1, 0]
