"""What crosses the border of the judging process arrives as it left, without a cell in it."""

import json

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.gate.errors import PassUnreadable
from sluice.gate.kinds import check_of
from sluice.gate.model import Check
from sluice.gate.onepass import run_rules
from sluice.gate.wire import failing_table, from_json, to_json

from .cases import GX_KINDS, Case, cases
from .pandas_judge import rules, said_by_us

quick = settings(
    max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
any_case = st.sampled_from(GX_KINDS).flatmap(cases)


@quick
@given(case=any_case)
def test_a_pass_arrives_as_it_left(case: Case) -> None:
    left = run_rules(case.frame, rules([case.check]))

    arrived = from_json(to_json(left), failing_table(left))

    assert arrived == left
    assert said_by_us(arrived) == said_by_us(left)
    assert arrived.outcomes[0].rule.check.types == left.outcomes[0].rule.check.types


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
