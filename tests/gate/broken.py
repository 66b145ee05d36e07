"""Judges with one mistake each: the equality test must find every one of them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import polars as pl

from sluice.gate.model import Check, PassResult, Rule, RuleOutcome
from sluice.gate.onepass import run_rules

Judge = Callable[[pl.DataFrame, Sequence[Rule]], PassResult]
Mask = Callable[[pl.DataFrame, Check], pl.Series]


def _with(mask: Mask) -> Judge:
    """The real judge, but for the failing rows, which ``mask`` says."""

    def judge(frame: pl.DataFrame, rules: Sequence[Rule]) -> PassResult:
        result = run_rules(frame, rules)
        return replace(result, outcomes=tuple(_instead(frame, outcome, mask) for outcome in result.outcomes))

    return judge


def _instead(frame: pl.DataFrame, outcome: RuleOutcome, mask: Mask) -> RuleOutcome:
    if outcome.failing is None:
        return outcome
    failing = mask(frame, outcome.rule.check).fill_null(False).arg_true().cast(pl.UInt32)
    return replace(outcome, failing=failing, unexpected_count=len(failing), success=failing.is_empty())


def _column(frame: pl.DataFrame, check: Check) -> pl.Series:
    return frame[check.columns[0]]


def _by(text: pl.Series, test: Callable[[str], bool]) -> pl.Series:
    return pl.Series([None if value is None else test(value) for value in text], dtype=pl.Boolean)


def _rust_regex(frame: pl.DataFrame, check: Check) -> pl.Series:
    try:
        return ~_column(frame, check).str.contains(str(check.option("regex")))
    except pl.exceptions.ComputeError:
        return pl.Series([False] * frame.height, dtype=pl.Boolean)


def _flip_strict(frame: pl.DataFrame, rules: Sequence[Rule]) -> PassResult:
    def flipped(rule: Rule) -> Rule:
        options = tuple((name, not value if name == "strict_max" else value) for name, value in rule.check.options)
        return replace(rule, check=replace(rule.check, options=options))

    return run_rules(frame, [flipped(rule) for rule in rules])


def _untyped(frame: pl.DataFrame, rules: Sequence[Rule]) -> PassResult:
    return run_rules(frame, [replace(rule, check=replace(rule.check, types=())) for rule in rules])


def _one_row_less(frame: pl.DataFrame, rules: Sequence[Rule]) -> PassResult:
    return run_rules(frame.head(frame.height - 1) if frame.height else frame, rules)


def _other_skip(frame: pl.DataFrame, rules: Sequence[Rule]) -> PassResult:
    words = {
        "both_values_are_missing": "either_value_is_missing",
        "either_value_is_missing": "neither",
        "neither": "both_values_are_missing",
        "all_values_are_missing": "never",
        "any_value_is_missing": "all_values_are_missing",
        "never": "any_value_is_missing",
    }

    def other(rule: Rule) -> Rule:
        options = tuple((name, words.get(str(value), value)) for name, value in rule.check.options)
        return replace(rule, check=replace(rule.check, options=options))

    return run_rules(frame, [other(rule) for rule in rules])


def _first_of_each(frame: pl.DataFrame, check: Check) -> pl.Series:
    values = _column(frame, check)
    return values.is_duplicated() & ~values.is_first_distinct() & values.is_not_null()


_V, _P = "expect_column_values_to_", "expect_column_pair_values_"
_LENGTH = "expect_column_value_lengths_to_equal"

BROKEN: dict[str, tuple[str, Judge]] = {
    "NULL is a member of no set": (f"{_V}be_in_set", _with(lambda f, c: ~_column(f, c).is_in(list(c.option("value_set") or ())).fill_null(False))),
    "a set of numbers meets text": (f"{_V}be_in_set", _untyped),
    "NULL is in the set": (f"{_V}not_be_in_set", _with(lambda f, c: _column(f, c).is_null())),
    "empty text is NULL": (f"{_V}not_be_null", _with(lambda f, c: _column(f, c).fill_null("") == "")),
    "empty text is no value": (f"{_V}be_null", _with(lambda f, c: _column(f, c).fill_null("") != "")),
    "the first copy is unique": (f"{_V}be_unique", _with(_first_of_each)),
    "NULL is a duplicate": (f"{_V}be_unique", _with(lambda f, c: _column(f, c).is_duplicated())),
    "case does not matter": (f"{_V}be_unique", _with(lambda f, c: _column(f, c).str.to_lowercase().is_duplicated() & _column(f, c).is_not_null())),
    "regex as Rust has it": (f"{_V}match_regex", _with(_rust_regex)),
    "regex is anchored": (f"{_V}match_regex", _with(lambda f, c: ~_by(_column(f, c), lambda text: bool(re.match(str(c.option("regex")), text))))),
    "regex must cover all": (f"{_V}not_match_regex", _with(lambda f, c: _by(_column(f, c), lambda text: bool(re.fullmatch(str(c.option("regex")), text))))),
    "only the first pattern counts": (f"{_V}match_regex_list", _with(lambda f, c: ~_by(_column(f, c), lambda text: bool(re.search((c.option("regex_list") or ("",))[0], text))))),
    "length in bytes": (_LENGTH, _with(lambda f, c: _column(f, c).str.len_bytes() != c.option("value"))),
    "length after trimming": (_LENGTH, _with(lambda f, c: _column(f, c).str.strip_chars().str.len_chars() != c.option("value"))),
    "length strictness is turned": ("expect_column_value_lengths_to_be_between", _flip_strict),
    "range strictness is turned": (f"{_V}be_between", _flip_strict),
    "range over text": (f"{_V}be_between", _untyped),
    "dates as polars has them": (f"{_V}match_strftime_format", _with(lambda f, c: _column(f, c).str.to_datetime(str(c.option("strftime_format")), strict=False).is_null() & _column(f, c).is_not_null())),
    "pairs of numbers as text": (f"{_P}a_to_be_greater_than_b", _untyped),
    "other pairs are left out": (f"{_P}a_to_be_greater_than_b", _other_skip),
    "other equal pairs are left out": (f"{_P}to_be_equal", _other_skip),
    "other keys are left out": ("expect_compound_columns_to_be_unique", _other_skip),
    "row counts are off by one": ("expect_table_row_count_to_equal", _one_row_less),
    "row count strictness is turned": ("expect_table_row_count_to_be_between", _flip_strict),
    "rows are off by one": (f"{_V}not_be_null", _one_row_less),
}  # fmt: skip
