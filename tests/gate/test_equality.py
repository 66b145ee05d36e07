"""The one pass equals Great Expectations' own pandas engine, row for row, kind by kind."""

import os
from collections.abc import Callable, Sequence

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from sluice.gate.model import PassResult, Rule
from sluice.gate.onepass import run_rules

from .broken import BROKEN
from .cases import GX_KINDS, Case, cases
from .pandas_judge import rules, said_by_pandas, said_by_us

EXAMPLES = 500 if os.environ.get("SLUICE_LONG") else 20
"""Per kind: 21 kinds make 10,500 tables in the long run, 420 in the short one."""

Judge = Callable[[pl.DataFrame, Sequence[Rule]], PassResult]
property_settings = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


def differs(case: Case, judge: Judge) -> bool:
    """Whether a judge and Great Expectations on pandas disagree about a case."""
    ours = said_by_us(judge(case.frame, rules([case.check])))
    return ours != said_by_pandas(case.frame, [case.check], case.types)


@pytest.mark.parametrize("kind", GX_KINDS)
def test_one_pass_equals_great_expectations_on_pandas(kind: str) -> None:
    @property_settings
    @given(case=cases(kind))
    def holds(case: Case) -> None:
        assert said_by_us(run_rules(case.frame, rules([case.check]))) == said_by_pandas(
            case.frame, [case.check], case.types
        )

    holds()


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_a_judge_broken_on_purpose_is_caught(name: str) -> None:
    kind, judge = BROKEN[name]
    search = settings(
        max_examples=300, deadline=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck), database=None,
    )  # fmt: skip
    assert find(cases(kind), lambda case: differs(case, judge), settings=search)


def test_a_hundred_rules_in_one_pass_answer_as_each_would_alone() -> None:
    @settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def holds(data: st.DataObject) -> None:
        drawn = [data.draw(cases(kind)) for kind in GX_KINDS * 5]
        checks = [case.check for case in drawn]
        together = said_by_us(run_rules(drawn[0].frame, rules(checks)))
        alone = [said_by_us(run_rules(drawn[0].frame, rules([check])))[0] for check in checks]
        assert len(checks) > 100
        assert together == alone

    holds()
