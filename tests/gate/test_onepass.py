"""One pass answers every rule, and a rule that cannot be answered disturbs no other."""

from unittest.mock import patch

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.gate.compile import Repeated, View
from sluice.gate.kinds import COMPOUND, UNIQUE, check_of, declared_columns
from sluice.gate.model import ColumnType, PassResult, Rule, State, ValueType
from sluice.gate.onepass import Pass, run_rules

NOT_NULL = "expect_column_values_to_not_be_null"
BETWEEN = "expect_column_values_to_be_between"
DECLARED = Rule("columns.declared", declared_columns(("lead", "phone")), "HEADER_UNDECLARED_COLUMN")


def a_rule(kind: str, **kwargs: object) -> Rule:
    return Rule(kind, check_of(kind, kwargs), "VALUE_X")


def failing(result: PassResult, place: int = 0) -> list[int]:
    series = result.outcomes[place].failing
    assert series is not None
    return series.to_list()


def test_every_copy_of_a_repeated_value_fails_and_each_of_two_rules_with_one_check_is_answered():
    result = run_rules(pl.DataFrame({"lead": ["a", "b", "a", None, None]}), [a_rule(UNIQUE, column="lead")])
    assert failing(result) == [0, 2]
    assert result.outcomes[0].domain_count == 3
    twice = [a_rule(UNIQUE, column="lead"), a_rule(UNIQUE, column="lead")]
    result = run_rules(pl.DataFrame({"lead": ["a", "a"]}), twice)
    assert [failing(result, 0), failing(result, 1)] == [[0, 1], [0, 1]]


def test_equal_hashes_of_different_values_are_no_duplicates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Repeated, "hashed", property(lambda self: self.keys[0].filter(self.domain).hash() * 0))
    assert failing(run_rules(pl.DataFrame({"lead": ["a", "b", "a", "c"]}), [a_rule(UNIQUE, column="lead")])) == [0, 2]


B_FILLED = {"type": "nullity", "column": {"name": "b"}, "is_null": False}
A_IS_A = {"type": "comparison", "column": {"name": "a"}, "operator": "==", "parameter": "a"}
CELLS = st.sampled_from(["a", "b", "c", "", None])


@given(
    rows=st.lists(st.tuples(CELLS, CELLS), max_size=12),
    cut=st.integers(0, 12),
    at_once=st.sampled_from([2, 100]),
    ignored=st.sampled_from(["all_values_are_missing", "any_value_is_missing", "never"]),
    condition=st.sampled_from([None, B_FILLED, A_IS_A]),
)
def test_rows_that_repeat_in_two_columns_are_the_same_if_one_of_them_must_be_unique(
    rows, cut, at_once, ignored, condition
):
    said = {"column_list": ["a", "b"], "ignore_row_if": ignored, "row_condition": condition}
    wide, frame = a_rule(COMPOUND, **said), pl.DataFrame(rows, {"a": pl.String, "b": pl.String}, orient="row")
    results = []
    for rules in ([wide], [wide, a_rule(UNIQUE, column="a")]):
        whole = Pass(rules)
        for part in (frame[:cut], frame[cut:]):
            whole.add(part)
        with patch("sluice.gate.onepass.CONFIRMED_AT_ONCE", at_once):
            results.append(whole.result(lambda found: frame[found]))
    alone, beside = (result.outcomes[0] for result in results)
    assert failing(results[0]) == failing(results[1])
    assert (alone.state, alone.domain_count, alone.meant) == (beside.state, beside.domain_count, beside.meant)


def test_what_is_seen_in_a_text_and_the_value_made_of_it_are_computed_once() -> None:
    view = View(pl.DataFrame({"born": ["01/02/1990"]}))
    form = ColumnType(ValueType.DATE, date_format="%d/%m/%Y")
    asked = [view.value("born", form).expr, view.value("born", form).expr, view.moment("born", "%d/%m/%Y")]
    assert all(expr.meta.is_column() for expr in asked)
    assert view.frame().width == 1 + len({"digits", "moment", "day"})


@pytest.mark.parametrize(("said", "rows"), [({"match_on": "any"}, [3]), ({}, [3]), ({"match_on": "all"}, [1, 2, 3])])
def test_of_a_list_of_patterns_a_cell_has_to_match_one_or_all(said: dict[str, object], rows: list[int]) -> None:
    rule = a_rule("expect_column_values_to_match_regex_list", column="lead", regex_list=["a", "b"], **said)
    assert failing(run_rules(pl.DataFrame({"lead": ["ab", "a", "b", "c", None]}), [rule])) == rows


@pytest.mark.parametrize(("cell", "members"), [("a", []), (1, []), ("1", [1]), (1, ["1"]), ("a", ["b"]), (1, [2])])
def test_a_cell_is_in_no_set_that_is_empty_or_of_another_type(cell: object, members: list[object]) -> None:
    rules = [a_rule(f"expect_column_values_to_{be}_in_set", column="x", value_set=members) for be in ("be", "not_be")]
    result = run_rules(pl.DataFrame({"x": [cell, None]}), rules)
    assert (failing(result, 0), failing(result, 1)) == ([0], [])


def test_a_rule_on_a_column_that_is_not_there_is_absent_and_a_range_on_text_is_raised():
    counts = a_rule("expect_column_unique_value_count_to_be_between", column="phone", max_value=1)
    rules = [a_rule(NOT_NULL, column="phone"), counts, a_rule(NOT_NULL, column="lead")]
    result = run_rules(pl.DataFrame({"lead": ["a"]}), rules)
    assert [outcome.state for outcome in result.outcomes] == [State.ABSENT, State.ABSENT, State.COUNTED]
    rules = [a_rule(BETWEEN, column="lead", min_value=1), a_rule(UNIQUE, column="lead")]
    result = run_rules(pl.DataFrame({"lead": ["a", "a"]}), rules)
    assert [outcome.state for outcome in result.outcomes] == [State.RAISED, State.COUNTED]
    assert failing(result, 1) == [0, 1]


@pytest.mark.parametrize("rows", [[], [None, None]])
def test_nothing_to_ask_is_nothing_wrong(rows: list[None]) -> None:
    frame = pl.DataFrame({"lead": rows}, schema={"lead": pl.String})
    result = run_rules(frame, [a_rule(BETWEEN, column="lead", min_value=1), a_rule(UNIQUE, column="lead")])
    assert all(outcome.success and not outcome.unexpected_count for outcome in result.outcomes)
    assert [each.failing.dtype for each in result.outcomes if each.failing is not None] == [pl.UInt32] * 2


@pytest.mark.parametrize(
    ("parts", "state"),
    [([[None], [None]], State.COUNTED), ([["a"], [None]], State.RAISED), ([[None], ["a"]], State.RAISED)],
)
def test_a_column_answers_every_kind_if_no_part_of_the_file_has_a_value(parts, state):
    whole = Pass([a_rule(BETWEEN, column="lead", min_value=1)])
    for cells in parts:
        whole.add(pl.DataFrame({"lead": cells}, schema={"lead": pl.String}))
    assert whole.result(lambda rows: pl.DataFrame()).outcomes[0].state is state


@pytest.mark.parametrize("kind", ["a_to_be_greater_than_b", "to_be_equal"])
@pytest.mark.parametrize(("b", "state"), [(["1"], State.RAISED), ([1.0], State.COUNTED), ([None], State.COUNTED)])
def test_a_pair_is_compared_where_both_are_text_or_both_numbers(kind: str, b: list[object], state: State) -> None:
    rule = a_rule(f"expect_column_pair_values_{kind}", column_A="a", column_B="b")
    (found,) = run_rules(pl.DataFrame({"a": [1], "b": b}), [rule]).outcomes
    assert found.state is state


@pytest.mark.parametrize(
    ("kind", "said", "wrong", "observed", "positions"),
    [
        ("expect_table_row_count_to_equal", {"value": 2}, 0, 2, ()),
        ("expect_table_row_count_to_equal", {"value": 3}, 1, 2, ()),
        ("expect_table_row_count_to_be_between", {"min_value": 2, "max_value": 2}, 0, 2, ()),
        ("expect_table_row_count_to_be_between", {"min_value": 2, "strict_min": True}, 1, 2, ()),
        ("expect_table_row_count_to_be_between", {"max_value": 2, "strict_max": True}, 1, 2, ()),
        ("expect_table_column_count_to_equal", {"value": 3}, 0, 3, ()),
        ("expect_table_column_count_to_equal", {"value": 2}, 1, 3, ()),
        ("expect_column_to_exist", {"column": "b"}, 0, None, ()),
        ("expect_column_to_exist", {"column": "x"}, 1, None, ()),
        ("expect_column_to_exist", {"column": "b", "column_index": 1}, 0, None, ()),
        ("expect_column_to_exist", {"column": "b", "column_index": 2}, 1, None, ()),
        ("expect_column_to_exist", {"column": "b", "column_index": 3}, 1, None, ()),
        ("expect_table_columns_to_match_ordered_list", {"column_list": ["a", "b", "c"]}, 0, None, ()),
        ("expect_table_columns_to_match_ordered_list", {"column_list": ["b", "a"]}, 3, None, (1, 2, 3)),
        ("expect_table_columns_to_match_set", {"column_set": ["c", "a"], "exact_match": True}, 1, None, (2,)),
        ("expect_table_columns_to_match_set", {"column_set": ["c", "a"], "exact_match": False}, 0, None, ()),
        ("expect_table_columns_to_match_set", {"column_set": ["c", "x", "y"], "exact_match": False}, 2, None, ()),
        ("expect_table_columns_to_match_set", {"column_set": ["c", "x"], "exact_match": True}, 3, None, (1, 2)),
    ],
)
def test_a_rule_about_the_table_counts_what_is_missing_or_too_much(kind, said, wrong, observed, positions):
    (found,) = run_rules(
        pl.DataFrame({"a": ["1", "2"], "b": ["1", "2"], "c": ["1", "2"]}), [a_rule(kind, **said)]
    ).outcomes
    assert (found.unexpected_count, found.success, found.observed) == (wrong, wrong == 0, observed)
    assert (found.positions, found.failing, found.state) == (positions, None, State.COUNTED)


def test_an_undeclared_column_is_known_by_its_place_only_and_one_that_looks_like_a_pattern_is_a_name():
    result = run_rules(pl.DataFrame({"lead": ["a"], "Jan Peeters 0475": ["b"], "phone": ["c"]}), [DECLARED])
    assert result.columns == ("lead", "#2", "phone")
    assert result.outcomes[0].positions == (2,)
    assert "Peeters" not in repr(result)
    frame = pl.DataFrame({"^.*$": ["a", "a"], "lead": ["x", "y"]})
    result = run_rules(frame, [a_rule(UNIQUE, column="^.*$"), a_rule(UNIQUE, column="lead")])
    assert (failing(result, 0), failing(result, 1)) == ([0, 1], [])


def test_not_a_number_is_null_minus_zero_is_zero_and_large_whole_numbers_compare_exactly():
    frame = pl.DataFrame({"amount": [0.0, -0.0, float("nan"), float("nan"), None]})
    result = run_rules(frame, [a_rule(UNIQUE, column="amount"), a_rule(NOT_NULL, column="amount")])
    assert (failing(result, 0), failing(result, 1)) == ([0, 1], [2, 3, 4])
    assert result.nulls("amount") == 3
    frame = pl.DataFrame({"n": [2**53, 2**53 + 1]})
    result = run_rules(frame, [a_rule(BETWEEN, column="n", max_value=2**53)])
    assert failing(result) == [1]
