"""The one pass equals Great Expectations' own pandas engine, row for row, kind by kind."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from sluice.gate.kinds import check_of, typed
from sluice.gate.model import PassResult, Rule
from sluice.gate.onepass import Pass, run_rules
from support.effort import chosen, effort

from .broken import BROKEN
from .cases import DATES, FORMATS, GX_KINDS, NUMBERS, PATTERNS, TEXTS, TYPES, Case, cases, kwargs, tables
from .pandas_judge import rules, said_by_pandas, said_by_us

EXAMPLES = effort(20, 500)
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

pytestmark = pytest.mark.slow


def differs(case: Case, judge: Judge) -> bool:
    """Whether a judge and Great Expectations on pandas disagree about a case."""
    ours = said_by_us(judge(case.frame, rules([case.check])))
    return ours != said_by_pandas(case.frame, [case.check], case.types)


@settings(property_settings, max_examples=effort(12, 400))
@given(frame=tables(), drawn=st.tuples(*(kwargs(kind) for kind in GX_KINDS)))
def test_one_pass_equals_great_expectations_on_pandas(frame, drawn):
    checks = [typed(check_of(kind, said), TYPES) for kind, said in zip(GX_KINDS, drawn, strict=True)]
    assert said_by_us(run_rules(frame, rules(checks))) == said_by_pandas(frame, checks, TYPES)


@pytest.mark.long
@pytest.mark.parametrize("kind", GX_KINDS)
def test_one_pass_equals_great_expectations_on_pandas_kind_by_kind(kind: str) -> None:
    @property_settings
    @given(case=cases(kind))
    def holds(case: Case) -> None:
        assert not differs(case, run_rules)

    holds()


@pytest.mark.parametrize("kind", GX_KINDS)
def test_a_file_in_parts_is_answered_as_one(kind: str) -> None:
    """Of frames with what the reader never gives too, but for columns of which some part has no type at all."""

    @property_settings
    @given(case=cases(kind), cuts=st.lists(st.integers(0, 12), max_size=4))
    def holds(case: Case, cuts: list[int]) -> None:
        asked, edges = rules([case.check]), [0, *sorted(cuts), max(case.frame.height, *cuts, 0)]
        assert in_parts(case.frame, asked, edges) == run_rules(case.frame, asked)

    holds()


def test_a_judge_of_parts_that_forgets_the_other_parts_is_caught() -> None:
    asked = rules([check_of("expect_column_values_to_be_unique", {"column": "a"})])
    frame = pl.DataFrame({"a": ["x", "y", "x"]})
    alone = [run_rules(part, asked).outcomes[0].unexpected_count for part in (frame[:2], frame[2:])]
    assert alone == [0, 0] and in_parts(frame, asked, [0, 2, 3]).outcomes[0].unexpected_count == 2


def in_parts(frame: pl.DataFrame, asked: Sequence[Rule], edges: Sequence[int]) -> PassResult:
    whole = Pass(asked)
    for start, stop in pairwise(edges):
        whole.add(frame.slice(start, stop - start))
    return whole.result(lambda rows: frame[rows])


@pytest.mark.parametrize("name", chosen(sorted(BROKEN), 5))
def test_a_judge_broken_on_purpose_is_caught(name: str) -> None:
    kind, judge = BROKEN[name]

    def caught(case: Case) -> bool:
        """Great Expectations is only asked where the broken judge says something else than the real one."""
        asked = rules([case.check])
        same = said_by_us(judge(case.frame, asked)) == said_by_us(run_rules(case.frame, asked))
        return not same and differs(case, judge)

    search = settings(
        max_examples=2_000,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    assert find(cases(kind), caught, settings=search)


def test_more_than_sixty_three_rules_in_one_pass_answer_as_each_would_alone() -> None:
    frame = pl.DataFrame({"a": TEXTS * 3, "b": [*TEXTS, *DATES, *TEXTS, *NUMBERS][: 3 * len(TEXTS)]})
    kinds = ("match_regex", "not_match_regex")
    regexes = [(f"expect_column_values_to_{kind}", {"regex": pattern}) for kind in kinds for pattern in PATTERNS]
    others = [("expect_column_value_lengths_to_equal", {"value": length}) for length in range(6)]
    others += [("expect_column_values_to_match_strftime_format", {"strftime_format": given}) for given in FORMATS]
    others += [(f"expect_column_values_to_{kind}", {}) for kind in ("be_unique", "be_null", "not_be_null")]
    checks = [check_of(kind, {"column": name} | options) for kind, options in regexes + others for name in ("a", "b")]
    together = said_by_us(run_rules(frame, rules(checks)))
    assert len(checks) > 150
    assert together == [said_by_us(run_rules(frame, rules([check])))[0] for check in checks]
