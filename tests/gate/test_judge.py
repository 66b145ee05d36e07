"""The verdict: arithmetic that always adds up, and findings that never make it better."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from sluice.errors import GateFailed
from sluice.gate.judge import RANK, as_undecided, is_within, judge
from sluice.gate.kinds import KINDS, check_of, declared_columns
from sluice.gate.model import (
    ROWS_SHOWN,
    Finding,
    Judgement,
    PassResult,
    RowFinding,
    Rule,
    RuleOutcome,
    State,
    Thresholds,
    Tolerance,
)
from sluice.gate.onepass import run_rules
from sluice.terms import Severity, Verdict
from support.effort import effort

pytestmark = pytest.mark.slow

File = tuple[PassResult, list[RowFinding], Thresholds]
UNIQUE = "expect_column_values_to_be_unique"
NOT_NULL = "expect_column_values_to_not_be_null"
ROWS = "expect_table_row_count_to_be_between"
LENIENT = Thresholds(1.0)
NONE = "mustBeLessOrEqualTo"
quick = settings(
    max_examples=effort(100, 200),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def a_rule(
    kind: str = NOT_NULL, severity: Severity = Severity.ERROR, tolerance: Tolerance | None = None, **kwargs: object
) -> Rule:
    if kind not in (ROWS,):
        kwargs = {"column": "lead"} | kwargs
    return Rule(kind, check_of(kind, kwargs), KINDS[kind].code, severity, tolerance)


def judged(values: list[str | None], *rules: Rule, extra: tuple[RowFinding, ...] = (), limit: float = 1.0) -> Judgement:
    frame = pl.DataFrame({"lead": values}, schema={"lead": pl.String})
    return judge(run_rules(frame, rules), extra, Thresholds(limit))


def test_a_row_that_fails_an_error_rule_is_refused_the_others_go_on_and_a_warning_refuses_nothing():
    verdict = judged(["a", "b"], a_rule()).verdict
    assert (verdict.verdict, verdict.rows_in, verdict.rows_accepted, verdict.reasons) == (Verdict.PASSED, 2, 2, ())
    assert verdict.gate_counts == {"PASSED": 1, "WARNED": 0, "REFUSED": 0, "UNDECIDED": 0}
    judgement = judged(["a", None, "c"], a_rule())
    assert judgement.refused.to_list() == [1]
    assert judgement.verdict.verdict is Verdict.WARNED
    assert (judgement.verdict.rows_accepted, judgement.verdict.rows_refused) == (2, 1)
    assert judgement.verdict.reasons == (Finding("VALUE_NULL", NOT_NULL, "lead", 1, (2,)),)
    judgement = judged(["a", None], a_rule(severity=Severity.WARNING))
    assert (judgement.verdict.verdict, judgement.verdict.rows_refused) == (Verdict.WARNED, 0)
    assert judgement.refused.is_empty()


def test_too_large_a_share_of_refused_rows_refuses_the_file_and_exactly_the_limit_does_not():
    within = judged(["a"] * 9 + [None], a_rule(), limit=0.1).verdict
    above = judged(["a"] * 8 + [None] * 2, a_rule(), limit=0.1).verdict
    assert (within.verdict, within.rows_accepted) == (Verdict.WARNED, 9)
    assert (above.verdict, above.rows_accepted, above.rows_refused) == (Verdict.REFUSED, 0, 10)
    assert above.reasons[0] == Finding("LIMIT_REFUSED_SHARE", "maxRefusedShare", None, 2, stops=True)
    assert 0.29 * 100 < 29
    for tens in range(1, 100):
        for rows in effort((100,), (100, 200, 300)):
            gone = tens * rows // 100
            values: list[str | None] = [None] * gone + ["a"] * (rows - gone)
            assert judged(values, a_rule(), limit=tens / 100).verdict.verdict is Verdict.WARNED, (tens, rows)
            values[-1] = None
            assert judged(values, a_rule(), limit=tens / 100).verdict.verdict is Verdict.REFUSED, (tens, rows)


@pytest.mark.parametrize(
    ("severity", "limit", "verdict", "refused"),
    [
        (Severity.ERROR, 2, Verdict.WARNED, 2),
        (Severity.ERROR, 1, Verdict.REFUSED, 4),
        (Severity.WARNING, 2, Verdict.PASSED, 0),
        (Severity.WARNING, 1, Verdict.WARNED, 0),
    ],
)
def test_a_tolerance_is_the_limit_for_the_file(severity: Severity, limit: int, verdict: Verdict, refused: int) -> None:
    found = judged(["a", "b", None, None], a_rule(severity=severity, tolerance=Tolerance(NONE, (limit,)))).verdict
    assert (found.verdict, found.rows_refused) == (verdict, refused)


def test_mostly_is_a_share_of_the_values_asked_and_rules_with_one_id_share_one_tolerance():
    rule = a_rule(UNIQUE, tolerance=Tolerance("mostly", (0.5,), "share"))
    assert judged(["a", "a", "b", "c", None], rule).verdict.verdict is Verdict.WARNED
    assert judged(["a", "a", "b", None, None], rule).verdict.verdict is Verdict.REFUSED
    placeholder = check_of("expect_column_values_to_not_be_in_set", {"column": "lead", "value_set": ["n/a"]})
    tolerance = Tolerance(NONE, (1,))
    missing = a_rule(tolerance=tolerance)
    named = replace(missing, check=placeholder, code="VALUE_IN_SET")
    assert judged(["a", None], missing, named).verdict.verdict is Verdict.WARNED
    assert judged(["n/a", None], missing, named).verdict.verdict is Verdict.REFUSED


@pytest.mark.parametrize(("bad", "verdict"), [(["XX"] * 4, Verdict.WARNED), (["XX"] * 3 + ["zz"] * 3, Verdict.REFUSED)])
def test_a_row_that_fails_two_rules_with_one_id_counts_once(bad: list[str], verdict: Verdict) -> None:
    """``invalidValues`` with a list and a pattern: XX is outside both, zz outside the list only."""
    tolerance = Tolerance(NONE, (5,), "percent")
    listed = a_rule("expect_column_values_to_be_in_set", tolerance=tolerance, value_set=["nl", "fr"])
    formed = check_of("expect_column_values_to_match_regex", {"column": "lead", "regex": "^[a-z]{2}$"})
    shaped = replace(listed, check=formed, code="VALUE_PATTERN")
    found = judged([*bad, *["nl"] * (100 - len(bad))], listed, shaped).verdict
    assert found.verdict is verdict


def test_a_failed_rule_about_the_file_refuses_it_and_none_or_one_that_raised_is_no_verdict():
    verdict = judged(["a"], a_rule(ROWS, min_value=2)).verdict
    assert (verdict.verdict, verdict.rows_accepted, verdict.reasons[0].code) == (Verdict.REFUSED, 0, "SHAPE_ROW_COUNT")
    verdict = judged(["a"]).verdict
    assert (verdict.verdict, verdict.rows_accepted) == (Verdict.UNDECIDED, 0)
    assert verdict.reasons == (Finding("LIMIT_NO_RULES", "rules", None, 1, stops=True),)
    verdict = judged(["a"], a_rule("expect_column_values_to_be_between", min_value=1), a_rule()).verdict
    assert (verdict.verdict, verdict.rows_refused) == (Verdict.UNDECIDED, 1)
    between = "expect_column_values_to_be_between"
    assert verdict.reasons == (Finding("UNREADABLE_RULE", between, "lead", 1, stops=True),)
    raised = a_rule("expect_column_values_to_be_between", min_value=1)
    assert judged(["a"], raised, a_rule(ROWS, min_value=2)).verdict.verdict is Verdict.REFUSED


def test_each_rule_that_was_asked_counts_by_the_verdict_it_alone_would_give() -> None:
    rules = {
        Verdict.PASSED: a_rule("expect_column_values_to_be_null", Severity.WARNING, Tolerance(NONE, (3,))),
        Verdict.WARNED: a_rule(),
        Verdict.REFUSED: a_rule(ROWS, min_value=9),
        Verdict.UNDECIDED: a_rule("expect_column_values_to_be_between", min_value=1),
    }
    asked = {verdict: judged(["a", "b", None], rule, a_rule(column="gone")) for verdict, rule in rules.items()}
    together = judged(["a", "b", None], *rules.values(), a_rule(column="gone")).verdict
    none = {word.value: 0 for word in Verdict}
    assert {verdict: each.verdict.gate_counts for verdict, each in asked.items()} == {
        verdict: none | {verdict.value: 1} for verdict in rules
    }
    assert together.gate_counts == dict.fromkeys(none, 1)


def test_what_stops_the_file_is_told_first_then_errors_then_warnings_and_the_most_frequent_first() -> None:
    warned = [RowFinding(row, "w", "VALUE_W", "lead", Severity.WARNING) for row in (1, 2, 3)]
    once = [RowFinding(1, *said) for said in (("b", "VALUE_B", "y"), ("b", "VALUE_B", "x"), ("a", "VALUE_B", "z"))]
    often = [RowFinding(row, "c", "VALUE_C") for row in (1, 2)]
    verdict = judged(["a"] * 3, a_rule(ROWS, min_value=9), extra=(*warned, *once, *often)).verdict
    assert [(each.code, each.rule, each.column) for each in verdict.reasons] == [
        ("SHAPE_ROW_COUNT", ROWS, None),
        ("VALUE_C", "c", None),
        ("VALUE_B", "a", "z"),
        ("VALUE_B", "b", "x"),
        ("VALUE_B", "b", "y"),
        ("VALUE_W", "w", "lead"),
    ]


def test_what_somebody_else_found_of_rows_is_a_reason_for_each_column() -> None:
    found = [RowFinding(row, "phone.valid", "VALUE_PHONE", "phone", Severity.WARNING) for row in range(30, 0, -1)]
    more = RowFinding(2, "phone.valid", "VALUE_PHONE", "mobile", Severity.WARNING)
    verdict = judged(["a"] * 30, a_rule(), extra=(*found, more)).verdict
    warned = {"severity": Severity.WARNING}
    assert verdict.reasons == (
        Finding("VALUE_PHONE", "phone.valid", "phone", 30, tuple(range(1, 21)), **warned),
        Finding("VALUE_PHONE", "phone.valid", "mobile", 1, (2,), **warned),
    )


def test_undeclared_columns_stop_the_file_and_are_named_by_their_place_as_many_as_are_shown_of_any_reason():
    rule = Rule("columns.declared", declared_columns(("lead",)), "HEADER_UNDECLARED_COLUMN")
    result = run_rules(pl.DataFrame({"lead": ["a"], "Jan Peeters": ["b"]}), [rule])
    verdict = judge(result, [], LENIENT).verdict
    assert verdict.verdict is Verdict.REFUSED
    assert verdict.reasons == (Finding("HEADER_UNDECLARED_COLUMN", "columns.declared", "#2", 1, stops=True),)
    rule = Rule("columns.declared", declared_columns(("lead",)), "HEADER_UNDECLARED_COLUMN")
    few, many = (pl.DataFrame({name: ["a"] for name in ("lead", *map(str, range(n)))}) for n in (2, ROWS_SHOWN + 3))
    verdict = judge(run_rules(few, [rule]), [], LENIENT).verdict
    more = judge(run_rules(many, [rule]), [], LENIENT).verdict
    assert [(each.column, each.count) for each in verdict.reasons] == [("#2", 1), ("#3", 1)]
    assert verdict.gate_counts["REFUSED"] == 1, "it is one rule"
    assert len(more.reasons) == ROWS_SHOWN + 1 and sum(each.count for each in more.reasons) == ROWS_SHOWN + 3
    assert [(each.column, each.count) for each in more.reasons if each.count > 1] == [(None, 3)]
    check = check_of("expect_table_columns_to_match_set", {"column_set": ["lead", "phone"]})
    result = run_rules(pl.DataFrame({"lead": ["a"], "other": ["b"]}), [Rule("columns", check, "HEADER_COLUMN_SET")])
    told = {(each.column, each.count) for each in judge(result, [], LENIENT).verdict.reasons}
    assert told == {("#2", 1), (None, 1)}


def test_rows_the_reader_left_out_shift_the_numbers_and_the_report_holds_every_row_the_reason_twenty():
    ragged = RowFinding(2, "ragged", "SHAPE_RAGGED_ROW", in_frame=False)
    judgement = judged(["a", None, "c"], a_rule(), extra=(ragged,))
    assert (judgement.verdict.rows_in, judgement.verdict.rows_refused) == (4, 2)
    assert judgement.refused.to_list() == [1]
    assert judgement.report.rows() == [
        (2, "ragged", "SHAPE_RAGGED_ROW", None, "error"),
        (3, NOT_NULL, "VALUE_NULL", "lead", "error"),
    ]
    judgement = judged([None] * 100, a_rule())
    assert judgement.report.height == 100
    assert judgement.verdict.reasons[-1].rows == tuple(range(1, 21))


@pytest.mark.parametrize("row", [0, 2])
def test_a_row_that_is_none_of_the_file_is_an_error(row: int) -> None:
    with pytest.raises(GateFailed, match=rf"; row {row}; rows in the file 1\."):
        judged(["a"], a_rule(), extra=(RowFinding(row, "phone", "VALUE_PHONE"),))


def test_undecided_never_turns_a_refusal_into_a_doubt() -> None:
    doubt = Finding("UNREADABLE_JUDGES_DIFFER", "great_expectations", None, 1, stops=True)
    accepted, refused = judged(["a"], a_rule()).verdict, judged(["a"], a_rule(ROWS, min_value=2)).verdict
    assert (as_undecided(accepted, doubt).verdict, as_undecided(accepted, doubt).rows_accepted) == (
        Verdict.UNDECIDED,
        0,
    )
    assert as_undecided(refused, doubt).verdict is Verdict.REFUSED
    assert (accepted.rows_refused, as_undecided(accepted, doubt).rows_refused) == (0, 1), (
        "every row is in one of the two"
    )


@pytest.mark.parametrize(
    ("count", "rows", "tolerance", "within"),
    [
        (0, 0, Tolerance("mustBeLessThan", (1,), "percent"), True),
        (1, 100, Tolerance("mustBeLessThan", (1,), "percent"), False),
        (1, 101, Tolerance("mustBeLessThan", (1,), "percent"), True),
        (5, 9, Tolerance("mustBeLessOrEqualTo", (5,)), True),
        (6, 9, Tolerance("mustBeLessOrEqualTo", (5,)), False),
        (6, 9, Tolerance("mustBeBetween", (0, 5)), False),
        (5, 9, Tolerance("mustBeBetween", (2, 5)), True),
        (2, 9, Tolerance("mustBeBetween", (2, 5)), True),
        (1, 9, Tolerance("mustBeBetween", (2, 5)), False),
        (1, 9, Tolerance("mustBe", (0,)), False),
        (1, 0, Tolerance("mustBe", (0,), "percent"), True),
        (0, 9, Tolerance("mustBe", (0,)), True),
    ],
)
def test_an_odcs_operator_is_judged_as_written(count: int, rows: int, tolerance: Tolerance, within: bool) -> None:
    assert is_within(count, rows, tolerance) is within


@st.composite
def outcomes(draw: st.DrawFn, rows: int) -> RuleOutcome:
    severity = draw(st.sampled_from(Severity))
    state = draw(st.sampled_from([State.COUNTED] * 5 + [State.ABSENT, State.RAISED]))
    if state is not State.COUNTED or draw(st.booleans()):
        failed = draw(st.integers(0, 1)) if state is State.COUNTED else 0
        return RuleOutcome(a_rule(ROWS, severity, min_value=1), state, unexpected_count=failed, success=not failed)
    limits = st.builds(Tolerance, st.just(NONE), st.tuples(st.integers(0, 5)), st.sampled_from(["rows", "percent"]))
    rule = a_rule(draw(st.sampled_from([NOT_NULL, UNIQUE])), severity, draw(st.none() | limits))
    failing = pl.Series(sorted(draw(st.sets(st.integers(0, rows - 1)))), dtype=pl.UInt32)
    return RuleOutcome(rule, state, rows, len(failing), failing.is_empty(), failing=failing)


@st.composite
def findings(draw: st.DrawFn, rows: int) -> list[RowFinding]:
    absent = draw(st.sets(st.integers(1, 3)))
    rows_in = rows + len(absent)
    left_out = [
        RowFinding(row, "ragged", "SHAPE_RAGGED_ROW", in_frame=False) for row in sorted(absent) if row <= rows_in
    ]
    numbers = st.integers(1, max(1, rows))
    seen = st.builds(
        RowFinding, numbers, st.just("phone"), st.just("VALUE_PHONE"), st.just("phone"), st.sampled_from(Severity)
    )
    return left_out + (draw(st.lists(seen, max_size=5)) if rows else [])


@st.composite
def files(draw: st.DrawFn) -> File:
    rows = draw(st.integers(3, 8))
    drawn = draw(st.lists(outcomes(rows), max_size=4))
    result = PassResult(rows, ("lead",), tuple(drawn))
    return result, draw(findings(rows)), Thresholds(draw(st.sampled_from([0.0, 0.1, 0.5, 1.0])))


@quick
@given(file=files())
def test_rows_in_are_rows_accepted_and_rows_refused_always(file: File) -> None:
    result, extra, thresholds = file
    judgement = judge(result, extra, thresholds)
    verdict = judgement.verdict
    assert verdict.rows_in == verdict.rows_accepted + verdict.rows_refused
    assert min(verdict.rows_accepted, verdict.rows_refused) >= 0
    left_out = len({found.row for found in extra if not found.in_frame})
    if verdict.verdict in (Verdict.PASSED, Verdict.WARNED):
        assert verdict.rows_refused == len(judgement.refused) + left_out
    else:
        assert verdict.rows_accepted == 0
    assert (verdict.verdict is Verdict.PASSED) == (not verdict.reasons)
    assert all(len(reason.rows) <= 20 for reason in verdict.reasons)


@dataclass(frozen=True)
class More:
    """A file, and the same file with more found in it."""

    before: File
    after: File


@st.composite
def more(draw: st.DrawFn) -> More:
    result, extra, thresholds = draw(files())
    left_out = {found.row for found in extra if not found.in_frame}
    found = [each for each in draw(findings(result.rows)) if each.in_frame or each.row in left_out]
    asked = any(outcome.state is not State.ABSENT for outcome in result.outcomes)
    outcomes_after = (*result.outcomes, draw(outcomes(result.rows))) if asked else result.outcomes
    return More((result, extra, thresholds), (replace(result, outcomes=outcomes_after), [*extra, *found], thresholds))


def gets_better(judge_file: Callable[..., Judgement], case: More) -> bool:
    before, after = (RANK[judge_file(*file).verdict.verdict] for file in (case.before, case.after))
    return after < before


@quick
@given(case=more())
def test_another_finding_never_makes_the_verdict_better(case: More) -> None:
    assert not gets_better(judge, case)


def test_a_judge_that_gives_up_on_many_findings_would_be_caught() -> None:
    def forgetful(result: PassResult, extra: list[RowFinding], thresholds: Thresholds) -> Judgement:
        return judge(replace(result, outcomes=result.outcomes[-3:]), extra, thresholds)

    assert find(
        more(),
        lambda case: gets_better(forgetful, case),
        settings=settings(quick, max_examples=2_000, phases=[Phase.generate]),
    )
