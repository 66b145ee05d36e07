"""The second judge is Great Expectations itself, asked once, answering counts and nothing else."""

import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from importlib.metadata import version
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.gate.gx import MOST_INDEXES, agrees, combine_verdicts, great_expectations, quiet, suite_of, validate
from sluice.gate.judge import judge
from sluice.gate.kinds import check_of
from sluice.gate.model import Finding, PassResult, Rule, RuleOutcome, State, Thresholds, Tolerance
from sluice.gate.onepass import Pass, run_rules
from sluice.terms import Severity, Verdict

from .cases import GX_KINDS, kwargs, tables
from .pandas_judge import rules

pytestmark = pytest.mark.slow  # five seconds to import
CANARIES = ["Jan Peeters", "0475 12 34 56", "jan.peeters@example.be", "BE71 0961 2345 6769", "85.07.30-033.28"]
quick = settings(
    max_examples=20, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
all_kinds = st.tuples(*(kwargs(kind) for kind in GX_KINDS))


def a_rule(
    kind: str,
    rule_id: str = "",
    severity: Severity = Severity.ERROR,
    tolerance: Tolerance | None = None,
    **kwargs: object,
) -> Rule:
    return Rule(rule_id or kind, check_of(kind, kwargs), "VALUE_X", severity, tolerance)


def canary_rules() -> list[Rule]:
    """Every canary fails every rule; the last rule cannot be computed."""
    kinds: dict[str, dict[str, object]] = {
        "expect_column_values_to_be_null": {},
        "expect_column_values_to_be_unique": {},
        "expect_column_values_to_be_in_set": {"value_set": ["none"]},
        "expect_column_values_to_match_regex": {"regex": "^$"},
        "expect_column_values_to_match_strftime_format": {"strftime_format": "%Y"},
        "expect_column_value_lengths_to_equal": {"value": 0},
        "expect_column_values_to_be_between": {"min_value": 1},
    }
    return [a_rule(kind, column="who", **options) for kind, options in kinds.items()]


def canary_frame() -> pl.DataFrame:
    return pl.DataFrame({"who": CANARIES * 2})


@quick
@given(frame=tables(), drawn=all_kinds)
def test_it_agrees_with_the_pass_it_is_asked_about(frame: pl.DataFrame, drawn: tuple[dict[str, object], ...]) -> None:
    asked = rules([check_of(kind, said) for kind, said in zip(GX_KINDS, drawn, strict=True)])
    result = run_rules(frame, asked)
    assert agrees(validate(result, asked), result)


def test_it_judges_a_frame_as_it_judges_a_pass_over_it_and_dates_of_it():
    frame = pl.DataFrame({"a": ["x", "x", None], "n": [1, 2, 3]})
    asked = [
        a_rule("expect_column_values_to_be_unique", column="a"),
        a_rule("expect_column_values_to_be_between", column="n", max_value=2),
    ]
    outcome = validate(frame, asked)
    assert agrees(outcome, run_rules(frame, asked))
    assert [line.failing for line in outcome.lines] == [(0, 1), (2,)]
    days = pl.DataFrame({"d": [date(2024, 1, 1), date(2024, 3, 1), None]})
    moments = days.select(pl.col("d").cast(pl.Datetime("us")))
    by_day = a_rule("expect_column_values_to_be_between", column="d", min_value="2024-02-01")
    by_moment = a_rule("expect_column_values_to_be_between", column="d", min_value="2024-02-01T00:00:00")
    assert validate(days, [by_day]).lines[0].failing == (0,)
    assert validate(moments, [by_moment]).lines[0].failing == (0,)
    assert validate(moments, [by_day]).lines[0].raised
    assert validate(pl.DataFrame({"a": ["x"]}), []).version == version("great_expectations")


def test_a_file_that_fails_everywhere_is_compared_by_counts() -> None:
    asked = [a_rule("expect_column_values_to_not_be_null", column="a")]
    rows = MOST_INDEXES + 1
    result = run_rules(pl.DataFrame({"a": [None] * rows}, schema={"a": pl.String}), asked)
    outcome = validate(result, asked)
    assert (outcome.lines[0].unexpected_count, outcome.lines[0].failing) == (rows, None)
    assert agrees(outcome, result)


@pytest.mark.parametrize("change", ["a row less", "another row", "success", "a count"])
def test_a_pass_that_was_changed_afterwards_is_noticed(change: str) -> None:
    result = run_rules(pl.DataFrame({"a": ["x", "x", "y"]}), [a_rule("expect_column_values_to_be_unique", column="a")])
    outcome = validate(result, [each.rule for each in result.outcomes])
    (found,) = result.outcomes
    changed: dict[str, RuleOutcome] = {
        "a row less": replace(found, failing=pl.Series([0], dtype=pl.UInt32), unexpected_count=1),
        "another row": replace(found, failing=pl.Series([0, 2], dtype=pl.UInt32)),
        "success": replace(found, success=True),
        "a count": replace(found, unexpected_count=1),
    }
    other = replace(result, outcomes=(changed[change],))
    verdict = judge(result, [], Thresholds(1.0)).verdict
    assert not agrees(outcome, other)
    assert combine_verdicts(verdict, outcome, result) == verdict
    doubted = combine_verdicts(verdict, outcome, other)
    differ = Finding("UNREADABLE_JUDGES_DIFFER", "great_expectations", None, 1, stops=True)
    assert (doubted.verdict, doubted.reasons[0]) == (Verdict.UNDECIDED, differ)


def test_a_rule_that_one_judge_could_not_ask_is_noticed() -> None:
    result = run_rules(pl.DataFrame({"a": ["x", "y"]}), [a_rule("expect_column_values_to_be_unique", column="a")])
    outcome = validate(result, [each.rule for each in result.outcomes])
    [line], [found] = outcome.lines, result.outcomes
    raised, could_not = replace(outcome, lines=(replace(line, raised=True),)), replace(found, state=State.RAISED)
    assert not agrees(raised, result), "every count is the same"
    assert not agrees(outcome, replace(result, outcomes=(could_not,)))
    assert agrees(raised, replace(result, outcomes=(could_not,)))


def test_mostly_is_its_own_arithmetic_and_rules_on_missing_columns_are_left_out():
    tolerance = Tolerance("mostly", (0.5,), "share")
    rule = a_rule("expect_column_values_to_be_unique", tolerance=tolerance, column="a")
    frames = [pl.DataFrame({"a": ["x", "x", "y", last]}) for last in ("z", "y")]
    outcomes = [validate(run_rules(frame, [rule]), [rule]) for frame in frames]
    assert [outcome.lines[0].success for outcome in outcomes] == [True, False]
    asked = [
        a_rule("expect_column_values_to_be_unique", column="gone"),
        a_rule("expect_column_to_exist", column="gone"),
    ]
    result = run_rules(pl.DataFrame({"a": ["x"]}), asked)
    outcome = validate(result, asked)
    assert [line.place for line in outcome.lines] == [1]
    assert agrees(outcome, result)


def test_every_metric_of_a_suite_is_asked_for_in_one_call() -> None:
    batch = _batch(pl.DataFrame({"who": ["a", None], "b": ["x", "x"]}))
    asked = [
        *canary_rules()[:-1],
        a_rule("expect_table_row_count_to_equal", value=2),
        a_rule("expect_column_to_exist", column="b"),
    ]
    result = batch.validate(suite_of(enumerate(asked)))
    assert len(result.results) == len(asked)
    assert batch.data.execution_engine.calls == 1


def test_a_checkpoint_takes_a_polars_frame() -> None:
    gx = great_expectations()
    context = gx.get_context(mode="ephemeral")
    suite = context.suites.add(suite_of(enumerate([a_rule("expect_column_values_to_not_be_null", column="a")])))
    asset = context.data_sources.add_polars_once("once").add_frame_asset("frame")
    definition = asset.add_batch_definition_whole_frame("all")
    validation = context.validation_definitions.add(gx.ValidationDefinition(name="v", data=definition, suite=suite))
    checkpoint = context.checkpoints.add(gx.Checkpoint(name="c", validation_definitions=[validation]))
    good = checkpoint.run(batch_parameters={"dataframe": pl.DataFrame({"a": ["x"]})})
    bad = checkpoint.run(batch_parameters={"dataframe": pl.DataFrame({"a": [None]}, schema={"a": pl.String})})
    assert (good.success, bad.success) == (True, False)


@pytest.mark.parametrize("level", ["BOOLEAN_ONLY", "BASIC", "SUMMARY", "COMPLETE"])
def test_no_value_gets_into_a_result_of_great_expectations(level: str) -> None:
    batch = _batch(canary_frame())
    result = batch.validate(suite_of(enumerate(canary_rules())), result_format={"result_format": level})
    assert found_in(json.dumps(result.to_json_dict(), ensure_ascii=False) + str(result)) == []


def test_no_value_gets_into_anything_we_make(capfd, caplog):
    caplog.set_level(logging.DEBUG)
    result = run_rules(canary_frame(), canary_rules())
    outcome = validate(result, canary_rules())
    judgement = judge(result, [], Thresholds(1.0))
    printed = capfd.readouterr()
    everything = [repr(result), repr(outcome), repr(judgement), str(judgement.report.rows()), caplog.text, *printed]
    assert found_in("".join(everything)) == []
    assert printed == ("", "")


def test_the_pandas_engine_would_have_shown_them() -> None:
    context = great_expectations().get_context(mode="ephemeral")
    asset = context.data_sources.add_pandas("pandas").add_dataframe_asset("frame")
    batch = asset.get_batch(asset.build_batch_request({"dataframe": canary_frame().to_pandas()}))
    result = batch.validate(suite_of(enumerate(canary_rules())), result_format="COMPLETE")
    assert found_in(json.dumps(result.to_json_dict(), ensure_ascii=False)) == CANARIES


def test_a_rule_that_a_pass_was_not_asked_is_not_answered_from_it() -> None:
    result = run_rules(pl.DataFrame({"a": ["x", "x"]}), [a_rule("expect_column_values_to_be_unique", column="a")])
    other = a_rule("expect_column_values_to_be_in_set", column="a", value_set=["x"])
    [line] = validate(result, [other]).lines
    shortest = _batch(result).validate(suite_of(enumerate([other])), result_format={"result_format": "BOOLEAN_ONLY"})
    assert (line.raised, line.success, line.unexpected_count, line.failing) == (True, False, None, None)
    assert not shortest.success


def test_an_asset_takes_one_whole_frame_and_nothing_else() -> None:
    source = great_expectations().get_context(mode="ephemeral").data_sources.add_polars_once("once")
    from great_expectations.exceptions.exceptions import BuildBatchRequestError, InvalidBatchRequestError

    asset, other = source.add_frame_asset("frame"), source.add_frame_asset("other")
    whole = {"dataframe": pl.DataFrame({"a": ["x"]})}
    assert asset.get_batch_parameters_keys() == tuple(whole)
    assert asset.get_batch(asset.build_batch_request(whole)).data.frame is whole["dataframe"]
    for options in (None, {}, {"frame": whole["dataframe"]}, whole | {"more": 1}, {"dataframe": [["x"]]}):
        with pytest.raises(BuildBatchRequestError, match=r"exactly \{'dataframe': a polars frame\}"):
            asset.build_batch_request(options)
    for part in ({"batch_slice": "0:1"}, {"partitioner": object()}):
        with pytest.raises(BuildBatchRequestError, match=r"exactly \{'dataframe': a polars frame\}"):
            asset.build_batch_request(whole, **part)
    with pytest.raises(InvalidBatchRequestError, match="not one of this asset"):
        asset.get_batch(other.build_batch_request(whole))


def test_a_project_of_great_expectations_where_we_stand_is_left_alone(tmp_path, monkeypatch):
    with quiet():
        great_expectations().get_context(mode="file", project_root_dir=tmp_path)
    monkeypatch.chdir(tmp_path)
    project = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    asked = [a_rule("expect_column_values_to_not_be_null", column="a")]
    assert [validate(pl.DataFrame({"a": ["x"]}), asked).success for _ in range(2)] == [True, True]
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == project
    assert any(path.name == "great_expectations.yml" for path in project), "the control"


def test_a_condition_that_is_not_of_our_grammar_is_not_answered() -> None:
    gx = great_expectations()
    from great_expectations.expectations.row_conditions import Column

    frame = pl.DataFrame({"a": ["x", "y"], "b": ["1", "1"]})
    for condition, is_answered in ((Column("a") == "x", True), (Column("b") > 0, False), (Column("a") == 1, False)):
        asked = gx.expectations.ExpectColumnValuesToBeNull(column="a", row_condition=condition)
        result = _batch(frame).validate(asked)
        assert not result.success
        assert result.result.get("element_count") == (1 if is_answered else None)


def test_a_suite_with_a_condition_is_a_suite_of_great_expectations() -> None:
    """What a suite says is what their own engine is asked."""
    said = {"type": "comparison", "column": {"name": "b"}, "operator": "NOT_IN", "parameter": ["2", "3"]}
    where = {"type": "or", "conditions": [{"type": "and", "conditions": [said]}, said]}
    rule = a_rule("expect_column_values_to_not_be_null", column="a", row_condition=where)
    [expectation, lesser] = suite_of(enumerate([rule, replace(rule, severity=Severity.WARNING)])).expectations
    assert (expectation.severity, lesser.severity) == ("critical", "warning")
    assert expectation.row_condition.dict() == {"type": "or", "conditions": [said, said]}


def test_a_kind_that_is_not_listed_fails_and_does_not_fall_back_to_pandas() -> None:
    gx = great_expectations()
    result = _batch(pl.DataFrame({"a": ["1"]})).validate(
        gx.expectations.ExpectColumnValuesToBeOfType(column="a", type_="str")
    )
    assert not result.success


def test_threads_do_not_mix_their_files() -> None:
    wrong: list[int] = []

    def judge_one(size: int) -> None:
        asked = [a_rule("expect_column_values_to_be_null", column="a")]
        result = run_rules(pl.DataFrame({"a": ["x"] * size}), asked)
        if validate(result, asked).lines[0].unexpected_count != size:
            wrong.append(size)

    threads = [threading.Thread(target=judge_one, args=(size,)) for size in range(1, 17)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def _batch(frame: pl.DataFrame | PassResult) -> Any:
    context = great_expectations().get_context(mode="ephemeral")
    asset = context.data_sources.add_polars_once("once").add_frame_asset("frame")
    return asset.get_batch(asset.build_batch_request({"dataframe": frame}))


def found_in(text: str) -> list[str]:
    return [canary for canary in CANARIES if canary in text]


def test_great_expectations_keeps_a_configuration_in_our_judgement_only() -> None:
    great_expectations()
    from great_expectations.expectations.core import ExpectColumnValuesToNotBeNull

    from sluice.gate.engine import configurations_kept

    one, other = (ExpectColumnValuesToNotBeNull(column=name) for name in "ab")
    with configurations_kept():
        assert one.configuration is one.configuration
        assert one.configuration is not other.configuration and one.configuration.kwargs == {"column": "a"}
        assert one.configuration.to_domain_obj() is one
        with ThreadPoolExecutor(1) as beside:
            assert not beside.submit(lambda: one.configuration is one.configuration).result()
    assert one.configuration is not one.configuration
    assert one.configuration.to_domain_obj() is not one
    one.column = "c"
    assert one.configuration.kwargs == {"column": "c"}, "what others change of it is seen"


@pytest.mark.parametrize("left_out", [0, 1])
def test_both_judges_agree_on_a_file_with_a_record_that_is_no_row(left_out: int) -> None:
    frame = pl.DataFrame({"lead": ["a", "b", None]})
    asked = [
        a_rule("expect_table_row_count_to_equal", "rows", value=3 + left_out),
        a_rule("expect_column_values_to_not_be_null", "lead", column="lead"),
    ]
    whole = Pass(asked)
    whole.add(frame)
    result = whole.result(lambda rows: frame[rows], left_out)
    outcome = validate(result, asked)
    assert result.outcomes[0].success and agrees(outcome, result)
    assert [line.place for line in outcome.lines] == ([1] if left_out else [0, 1])
