"""What crosses the border of the judging process arrives as it left, without a cell in it."""

import json
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.gate.errors import PassUnreadable
from sluice.gate.kinds import check_of
from sluice.gate.model import Check, ColumnType, PassResult, Rule, RuleOutcome, Source, State, Tolerance, ValueType
from sluice.gate.onepass import run_rules
from sluice.gate.wire import failing_table, from_json, to_json
from sluice.terms import Severity

from .cases import GX_KINDS, Case, cases
from .pandas_judge import rules, said_by_us

quick = settings(
    max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
any_case = st.sampled_from(GX_KINDS).flatmap(cases)


@pytest.mark.slow
@quick
@given(case=any_case)
def test_a_pass_arrives_as_it_left(case: Case) -> None:
    left = run_rules(case.frame, rules([case.check]))
    arrived = from_json(to_json(left), failing_table(left))
    assert arrived == left
    assert said_by_us(arrived) == said_by_us(left)
    assert arrived.outcomes[0].rule.check.types == left.outcomes[0].rule.check.types


def test_a_pass_without_any_failing_row_leaves_a_table_of_the_same_columns() -> None:
    none, some = (
        failing_table(run_rules(frame, rules([check_of("expect_column_values_to_be_unique", {"column": "a"})])))
        for frame in (pl.DataFrame({"b": ["x"]}), pl.DataFrame({"a": ["x", "x"]}))
    )
    assert (none.schema, none.height, some.height) == (some.schema, 0, 2)


def test_a_rule_arrives_with_its_consequence_and_its_types() -> None:
    comma, day = ColumnType(ValueType.NUMBER, decimal_comma=True), ColumnType(ValueType.DATE, date_format="%d.%m.%y")
    options = {"column_A": "a", "column_B": "b", "or_equal": True}
    check = check_of("expect_column_pair_values_a_to_be_greater_than_b", options)
    sets = check_of("expect_column_values_to_be_in_set", {"column": "a", "value_set": [1, 2]})
    left = [
        Rule("r1", replace(check, types=(comma, None)), "CODE_A", Severity.WARNING, None, Source.SCHEMA),
        Rule("r2", replace(check, types=(day, day)), "CODE_B", tolerance=Tolerance("mostly", (0.95,))),
        Rule("r3", sets, "CODE_C", Severity.ERROR, Tolerance("mustBeBetween", (1, 2.5), "percent"), Source.CONTRACT),
    ]
    sent = PassResult(
        7, ("a", "#2"), tuple(RuleOutcome(rule, State.RAISED, positions=(2, 3)) for rule in left), left_out=2
    )
    arrived = from_json(to_json(sent), failing_table(sent))
    assert arrived == sent
    assert [each.rule for each in arrived.outcomes] == left
    assert [each.rule.check.types for each in arrived.outcomes] == [(comma, None), (day, day), sets.types]


def test_a_pass_that_was_cut_is_not_believed() -> None:
    case = pl.DataFrame({"a": ["x", "x"]})
    result = run_rules(case, rules([_unique()]))
    text, table = to_json(result), failing_table(result)
    for broken, rows in [(text[:-1], table), (text, table.head(1)), ("[]", table), (json.dumps({"rows": 1}), table)]:
        with pytest.raises(PassUnreadable) as refused:
            from_json(broken, rows)
        assert refused.value.code == "SLU-438"


def test_only_counts_and_the_words_of_the_paper_cross() -> None:
    canary = "Jan Peeters 0475 12 34 56"
    result = run_rules(pl.DataFrame({"a": [canary, canary]}), rules([_unique()]))
    assert canary not in to_json(result)
    assert failing_table(result).schema == {"outcome": pl.UInt32, "index": pl.UInt32}


def _unique() -> Check:
    return check_of("expect_column_values_to_be_unique", {"column": "a"})
