"""One polars select answers every rule of a file: how many rows it asked, and which ones failed.

The select returns one row: per check a count and the list of failing indexes, so memory grows with
what is wrong, not with rules times rows. Uniqueness goes by 64-bit hash; a hash is not an identity,
so its candidates are confirmed on the values.
"""

from collections.abc import Mapping, Sequence

import polars as pl

from sluice.gate.compile import Compiled, View, compile_check
from sluice.gate.errors import CheckUnsupported
from sluice.gate.header import header_outcome, visible_header
from sluice.gate.kinds import KINDS
from sluice.gate.model import Check, PassResult, Rule, RuleOutcome, State

Answer = tuple[int, pl.Series]
"""Rows asked, and the indexes that failed."""


def run_rules(frame: pl.DataFrame, rules: Sequence[Rule]) -> PassResult:
    """Ask ``frame`` (every column as the file has it) all ``rules``; the outcomes keep their order.

    A rule on a column that is not there is ABSENT, one that cannot be computed is RAISED; neither
    disturbs another rule. Nothing in the result quotes a cell.
    """
    checks = dict.fromkeys(rule.check for rule in rules if KINDS[rule.check.kind].rows)
    answers = _select(frame, [check for check in checks if set(check.columns) <= set(frame.columns)])
    outcomes = tuple(_outcome(rule, frame, answers) for rule in rules)
    return PassResult(frame.height, visible_header(frame.columns, rules), outcomes, _null_counts(frame, rules))


def _select(frame: pl.DataFrame, checks: Sequence[Check]) -> Mapping[Check, Answer]:
    """All checks in one select; should that raise, one by one, so that only the guilty go without."""
    try:
        return _answers(frame, checks)
    except pl.exceptions.PolarsError:
        pass
    answers: dict[Check, Answer] = {}
    for check in checks:
        try:
            answers |= _answers(frame, [check])
        except pl.exceptions.PolarsError:
            continue
    return answers


def _answers(frame: pl.DataFrame, checks: Sequence[Check]) -> dict[Check, Answer]:
    view = View(frame)
    plans = {check: plan for check in checks if (plan := _compile(check, view)) is not None}
    if not plans:
        return {}
    cells = view.frame()
    asked = [plan.domain.sum().alias(f"asked {place}") for place, plan in enumerate(plans.values())]
    failing = [_failing(plan).alias(f"failing {place}") for place, plan in enumerate(plans.values())]
    row = cells.select(*asked, *failing)
    return {
        check: (int(row[f"asked {place}"][0]), confirmed(cells, plan, row[f"failing {place}"][0]))
        for place, (check, plan) in enumerate(plans.items())
    }


def _compile(check: Check, view: View) -> Compiled | None:
    try:
        return compile_check(check, view)
    except CheckUnsupported:
        return None


def _failing(plan: Compiled) -> pl.Expr:
    """The indexes that fail, as one list."""
    return (plan.domain & ~plan.ok).fill_null(False).arg_true().implode()


def confirmed(cells: pl.DataFrame, plan: Compiled, failing: pl.Series) -> pl.Series:
    """Of rows whose hashes are equal, those whose values are."""
    if not plan.confirm or failing.is_empty():
        return failing
    keys = cells.select(key.gather(failing).alias(str(place)) for place, key in enumerate(plan.confirm))
    return failing.filter(keys.is_duplicated())


def _outcome(rule: Rule, frame: pl.DataFrame, answers: Mapping[Check, Answer]) -> RuleOutcome:
    if not KINDS[rule.check.kind].rows:
        return header_outcome(rule, frame.height, frame.columns)
    if not set(rule.check.columns) <= set(frame.columns):
        return RuleOutcome(rule, State.ABSENT)
    if rule.check not in answers:
        return _without_values(rule, frame)
    asked, failing = answers[rule.check]
    success = _succeeds(asked, len(failing), rule.mostly)
    return RuleOutcome(rule, State.COUNTED, asked, len(failing), success, failing=failing)


def _without_values(rule: Rule, frame: pl.DataFrame) -> RuleOutcome:
    """A column without any value answers every kind; only with values does the type matter."""
    column = rule.check.column
    if column is not None and frame[column].null_count() == frame.height:
        return RuleOutcome(rule, failing=pl.Series(dtype=pl.UInt32))
    return RuleOutcome(rule, State.RAISED, success=False)


def _succeeds(asked: int, failed: int, mostly: float) -> bool:
    """Great Expectations' own arithmetic: nothing asked is nothing wrong."""
    return asked == 0 or (float(asked) - float(failed)) / float(asked) >= mostly


def _null_counts(frame: pl.DataFrame, rules: Sequence[Rule]) -> tuple[tuple[str, int], ...]:
    named = {name: None for rule in rules for name in rule.check.columns if name in frame.columns}
    return tuple((name, _nulls(frame[name])) for name in named)


def _nulls(column: pl.Series) -> int:
    """NaN in a float column is NULL, as in pandas."""
    return int(column.null_count() + (column.is_nan().sum() if column.dtype.is_float() else 0))
