"""Judges with one mistake each: the equality test must find every one of them."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import polars as pl

from sluice.gate.conditions import Term, parse_condition, read_condition
from sluice.gate.conditions import _said as said_of
from sluice.gate.model import CONDITION, Check, PassResult, Rule, RuleOutcome
from sluice.gate.onepass import run_rules

Judge = Callable[[pl.DataFrame, Sequence[Rule]], PassResult]
Mask = Callable[[pl.DataFrame, Check], pl.Series]
Change = Callable[[Check], Check]

BROKEN: dict[str, tuple[str, Judge]] = {}
"""Expectation type and judge, by what is wrong with it."""

VALUES = "expect_column_values_to_"
PAIR = "expect_column_pair_values_"
LENGTH = "expect_column_value_lengths_to_"


def fails_where(kind: str) -> Callable[[Mask], Mask]:
    """A mistake in which rows fail: the real judge, but for the rows that the mask says."""

    def register(mask: Mask) -> Mask:
        def judge(frame: pl.DataFrame, rules: Sequence[Rule]) -> PassResult:
            result = run_rules(frame, rules)
            return replace(result, outcomes=tuple(_instead(frame, outcome, mask) for outcome in result.outcomes))

        BROKEN[mask.__name__] = (kind, judge)
        return mask

    return register


def understands(kind: str) -> Callable[[Change], Change]:
    """A mistake in what was asked: the real judge, asked another question."""

    def register(change: Change) -> Change:
        def judge(frame: pl.DataFrame, rules: Sequence[Rule]) -> PassResult:
            return run_rules(frame, [replace(rule, check=change(rule.check)) for rule in rules])

        BROKEN[f"{change.__name__} ({kind})"] = (kind, judge)
        return change

    return register


def _instead(frame: pl.DataFrame, outcome: RuleOutcome, mask: Mask) -> RuleOutcome:
    if outcome.failing is None:
        return outcome
    failing = mask(frame, outcome.rule.check).fill_null(False).arg_true().cast(pl.UInt32)
    return replace(outcome, failing=failing, unexpected_count=len(failing), success=failing.is_empty())


def _cells(frame: pl.DataFrame, check: Check) -> pl.Series:
    return frame[check.columns[0]]


def _members(check: Check) -> list[object]:
    members = check.option("value_set")
    return list(members) if isinstance(members, tuple) else []


def _where(cells: pl.Series, test: Callable[[str], object]) -> pl.Series:
    return pl.Series([None if cell is None else bool(test(cell)) for cell in cells], dtype=pl.Boolean)


@fails_where(f"{VALUES}not_be_null")
def empty_text_is_null(frame: pl.DataFrame, check: Check) -> pl.Series:
    return _cells(frame, check).fill_null("") == ""


@fails_where(f"{VALUES}be_in_set")
def null_is_in_no_set(frame: pl.DataFrame, check: Check) -> pl.Series:
    return _where(_cells(frame, check), lambda cell: cell not in _members(check)).fill_null(True)


@fails_where(f"{VALUES}be_unique")
def the_first_copy_is_unique(frame: pl.DataFrame, check: Check) -> pl.Series:
    cells = _cells(frame, check)
    return cells.is_duplicated() & ~cells.is_first_distinct() & cells.is_not_null()


@fails_where(f"{VALUES}be_unique")
def null_is_a_duplicate(frame: pl.DataFrame, check: Check) -> pl.Series:
    return _cells(frame, check).is_duplicated()


@fails_where(f"{VALUES}match_regex")
def regex_as_rust_has_it(frame: pl.DataFrame, check: Check) -> pl.Series:
    try:
        return ~_cells(frame, check).str.contains(str(check.option("regex")))
    except pl.exceptions.ComputeError:
        return pl.Series([False] * frame.height, dtype=pl.Boolean)


@fails_where(f"{LENGTH}equal")
def length_is_in_bytes(frame: pl.DataFrame, check: Check) -> pl.Series:
    return _where(_cells(frame, check), lambda cell: len(cell.encode()) != check.option("value"))


@fails_where(f"{VALUES}match_strftime_format")
def dates_as_polars_has_them(frame: pl.DataFrame, check: Check) -> pl.Series:
    cells = _cells(frame, check)
    try:
        moments = cells.str.to_datetime(str(check.option("strftime_format")), strict=False)
    except pl.exceptions.ComputeError:  # an hour without its minutes
        return cells.is_not_null()
    return moments.is_null() & cells.is_not_null()


@understands(f"{LENGTH}be_between")
@understands(f"{VALUES}be_between")
@understands("expect_table_row_count_to_be_between")
def strictness_is_turned(check: Check) -> Check:
    turned = tuple((name, not value if name == "strict_max" else value) for name, value in check.options)
    return replace(check, options=turned)


@understands(f"{VALUES}be_in_set")
@understands(f"{VALUES}be_between")
@understands(f"{PAIR}a_to_be_greater_than_b")
def values_are_text(check: Check) -> Check:
    return replace(check, types=())


@understands(f"{PAIR}a_to_be_greater_than_b")
@understands(f"{PAIR}to_be_equal")
@understands("expect_compound_columns_to_be_unique")
def others_are_left_out(check: Check) -> Check:
    words = {
        "both_values_are_missing": "either_value_is_missing",
        "either_value_is_missing": "neither",
        "neither": "both_values_are_missing",
        "all_values_are_missing": "never",
        "any_value_is_missing": "all_values_are_missing",
        "never": "any_value_is_missing",
    }
    return replace(check, options=tuple((name, words.get(str(value), value)) for name, value in check.options))


@understands(f"{VALUES}not_be_null")
@understands(f"{VALUES}be_unique")
@understands(f"{PAIR}to_be_equal")
def every_row_is_meant(check: Check) -> Check:
    return replace(check, options=tuple((name, value) for name, value in check.options if name != CONDITION))


@understands(f"{VALUES}be_null")
def what_is_empty_differs_from_nothing(check: Check) -> Check:
    """As SQL has it; pandas, and so Great Expectations, says that it differs."""
    if check.condition is None:
        return check
    terms = [
        [term, Term(term.column, None, False)] if term.texts is not None and not term.holds else [term]
        for group in parse_condition(check.condition)
        for term in group
    ]
    if len(parse_condition(check.condition)) > 1:
        return check
    said = {"type": "and", "conditions": [said_of(term) for group in terms for term in group]}
    options = tuple((name, read_condition(said) if name == CONDITION else value) for name, value in check.options)
    return replace(check, options=options)


@understands("expect_column_unique_value_count_to_be_between")
@understands("expect_column_proportion_of_unique_values_to_be_between")
@understands("expect_column_proportion_of_non_null_values_to_be_between")
def bounds_are_never_met(check: Check) -> Check:
    return replace(check, options=tuple((name, name.startswith("strict") or value) for name, value in check.options))


def a_row_is_lost(frame: pl.DataFrame, rules: Sequence[Rule]) -> PassResult:
    return run_rules(frame.head(frame.height - 1) if frame.height else frame, rules)


BROKEN["a row is lost"] = (f"{VALUES}not_be_null", a_row_is_lost)
BROKEN["a row is not counted"] = ("expect_table_row_count_to_equal", a_row_is_lost)
