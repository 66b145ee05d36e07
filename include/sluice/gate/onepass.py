"""One polars select answers every rule about a part of a file: how many rows it checked, and which ones failed.

The select returns one row, with a count and the list of failing indexes per check, so memory grows with the number of
failures, not with rules times rows. Repeated keys are known only after the last part: until then four bytes of a hash
of each key are kept, unless a rule of one of its columns keeps them. Different keys can share a hash, so rows with
equal hashes are confirmed on their values.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import accumulate

import numpy as np
import numpy.typing as npt
import polars as pl

from sluice.gate.column_types import format_of
from sluice.gate.compile import Compiled, Keys, Repeated, View, compile_check
from sluice.gate.errors import CheckUnsupported
from sluice.gate.header import column_outcome, header_outcome, newest_outcome, visible_header
from sluice.gate.kinds import COMPOUND, COUNT_METRICS, KINDS, NEWEST, UNIQUE
from sluice.gate.model import Check, PassResult, Rule, RuleOutcome, State
from sluice.times import BRUSSELS, ZONE

Hashes = npt.NDArray[np.uint32]
"""Hashes of keys. Of 10,000,000 different keys, one in 400 shares another's hash and is confirmed for nothing."""
RowsOf = Callable[[pl.Series], pl.DataFrame]
"""Reads rows of the file again, by ascending indexes."""
ASKED = "asked"
"""Name of the column, beside keys, that says whether a check is about a row."""
CONFIRMED_AT_ONCE = 100_000
"""How many rows with equal hashes are read at a time; only their keys are kept."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """The answer to one check on one part of a file.

    ``asked``: number of rows checked. ``rows``: those that failed; for a check on repetition the rows that were
    checked, with their ``hashes``, unless another check finds them.
    """

    asked: int
    meant: int
    rows: pl.Series | None
    """Indexes in the part; None for every row."""
    hashes: Hashes | None = None


class Pass:
    """One pass over a file in parts: ``add`` each part in order, then call ``result`` once."""

    def __init__(self, rules: Sequence[Rule], arrived_at: datetime | None = None, keys: Keys | None = None) -> None:
        """``arrived_at`` is aware; None means now. Rules about keys of other datasets look them up in ``keys``.

        Without ``keys`` those rules are RAISED.
        """
        self._rules = rules
        self._keys = keys
        self._moment = (arrived_at or datetime.now(UTC)).astimezone(BRUSSELS).replace(tzinfo=None)
        self._newest: dict[Check, datetime] = {}
        self._heights: list[int] = []
        self._columns: tuple[str, ...] = ()
        self._nulls: dict[str, int] = defaultdict(int)
        self._empty: dict[str, int] = defaultdict(int)
        self._answers: dict[Check, list[_Answer | None]] = defaultdict(list)
        self._distinct: dict[str, pl.Series] = {}
        """The distinct values of each column whose values are counted."""

    def add(self, frame: pl.DataFrame, excused: pl.Series | None = None) -> None:
        """Run all rules on the next part, which has every column of the file. All parts have the same columns.

        ``excused``: a Boolean per row; rules about keys of other datasets skip the rows that are True.
        """
        self._columns = tuple(frame.columns)
        self._heights.append(frame.height)
        checks = [check for check in _row_checks(self._rules) if {*check.columns} <= {*frame.columns}]
        answers = _select(lambda: View(frame, self._keys, excused), frame.height, checks, _leaders(checks))
        for check in checks:
            self._answers[check].append(answers.get(check))
        for name in {name: None for rule in self._rules for name in rule.check.columns if name in frame.columns}:
            self._nulls[name] += _nulls(frame[name])
            self._empty[name] += frame[name].null_count()
        for name in _counted_columns(self._rules, frame.columns):
            self._distinct[name] = pl.concat([self._distinct.get(name, frame[name].clear()), frame[name]]).unique()
        for check in _newest_checks(self._rules, frame.columns):
            if (newest := _newest(frame, check, self._moment)) is not None:
                self._newest[check] = max(newest, self._newest.get(check, newest))

    def result(self, rows_of: RowsOf, left_out: int = 0) -> PassResult:
        """The outcomes, in the order of the rules. ``left_out``: how many records the reader could not make into rows.

        A rule on a missing column is ABSENT, one that cannot be computed is RAISED; neither affects other rules.
        Nothing in the result quotes a cell.
        """
        height, starts = sum(self._heights), [0, *accumulate(self._heights)]
        answered = {check: parts for check, each in self._answers.items() if (parts := _all_of(each)) is not None}
        meant = {
            check.condition: sum(each.meant for each in parts) for check, parts in answered.items() if check.condition
        }
        counted = _counted(answered, _leaders([*self._answers]), starts, rows_of)
        self._answers.clear()
        found = (self._outcome(rule, height, left_out, counted) for rule in self._rules)
        outcomes = tuple(replace(each, meant=meant.get(each.rule.check.condition or "")) for each in found)
        columns = visible_header(self._columns, self._rules)
        return PassResult(height, columns, outcomes, tuple(self._nulls.items()), left_out)

    def _outcome(
        self, rule: Rule, height: int, left_out: int, counted: Mapping[Check, tuple[int, pl.Series]]
    ) -> RuleOutcome:
        kind = KINDS[rule.check.kind]
        if not kind.sees_cells:
            return header_outcome(rule, height + left_out, self._columns)
        if not {*rule.check.columns} <= {*self._columns}:
            return RuleOutcome(rule, State.ABSENT)
        if kind.name == NEWEST:
            return newest_outcome(rule, height, self._moment, self._newest.get(rule.check))
        if kind.counts:
            return column_outcome(rule, height, *self._filled(rule.check.columns[0], height))
        if rule.check not in counted:
            return self._without_values(rule, height)
        asked, failing = counted[rule.check]
        success = _succeeds(asked, len(failing), rule.mostly)
        return RuleOutcome(rule, State.COUNTED, asked, len(failing), success, failing=failing)

    def _filled(self, name: str, height: int) -> tuple[int, int]:
        """How many cells of a column have a value, and how many distinct values there are."""
        distinct = self._distinct[name].drop_nulls()
        return height - self._nulls[name], len(distinct.drop_nans() if distinct.dtype.is_float() else distinct)

    def _without_values(self, rule: Rule, height: int) -> RuleOutcome:
        """The outcome of a rule that could not be computed.

        In a column without any value nothing fails, whatever the kind: a type only matters where there are values.
        """
        column = rule.check.column
        if column is not None and self._empty[column] == height:
            return RuleOutcome(rule, failing=pl.Series(dtype=pl.UInt32))
        return RuleOutcome(rule, State.RAISED, success=False)


def run_rules(frame: pl.DataFrame, rules: Sequence[Rule]) -> PassResult:
    """A :class:`Pass` over a file that is one frame."""
    whole = Pass(rules)
    whole.add(frame)
    return whole.result(lambda rows: frame[rows])


def _all_of(answers: Sequence[_Answer | None]) -> list[_Answer] | None:
    """The answers of all parts; None if one is missing."""
    found = [each for each in answers if each is not None]
    return found if len(found) == len(answers) else None


def _row_checks(rules: Sequence[Rule]) -> Sequence[Check]:
    """The checks that decide row by row; each once, however many rules share it."""
    return list(dict.fromkeys(rule.check for rule in rules if KINDS[rule.check.kind].rows))


def _counted_columns(rules: Sequence[Rule], there: Sequence[str]) -> set[str]:
    """Columns whose distinct values are counted."""
    kinds = {kind.name for kind in COUNT_METRICS.values()}
    return {rule.check.columns[0] for rule in rules if rule.check.kind in kinds} & set(there)


def _newest_checks(rules: Sequence[Rule], there: Sequence[str]) -> set[Check]:
    return {rule.check for rule in rules if rule.check.kind == NEWEST and rule.check.columns[0] in there}


def _newest(frame: pl.DataFrame, check: Check, moment: datetime) -> datetime | None:
    """The newest value of a column that does not lie in the future: a future one would make any file look new.

    Values are Belgian local time, unless the format ends in Z, which means UTC (ISO 8601).
    """
    [name], [column_type] = check.columns, check.types
    assert column_type is not None  # the contract asks for a date or a timestamp
    view = View(frame)
    value = view.value(name, column_type).expr.cast(pl.Datetime("us"))
    if format_of(column_type).endswith("Z"):
        value = value.dt.replace_time_zone("UTC").dt.convert_time_zone(ZONE).dt.replace_time_zone(None)
    found = view.frame().select(value.filter(value <= moment).max()).item()
    return found if isinstance(found, datetime) else None


def _leaders(checks: Sequence[Check]) -> Mapping[Check, Check]:
    """For checks on several columns together, one on a column of theirs: what repeats in all of them repeats in it.

    So of them only those rows need a hash that have no value in that column.
    """
    of_one = {check.columns[0]: check for check in checks if check.kind == UNIQUE and check.condition is None}
    wide = (check for check in checks if check.kind == COMPOUND)
    return {check: of_one[name] for check in wide for name in check.columns if name in of_one}


def _select(
    view: Callable[[], View], height: int, checks: Sequence[Check], leaders: Mapping[Check, Check]
) -> Mapping[Check, _Answer]:
    """Answer all checks in one select; if that raises, one by one, so that only the faulty ones get no answer."""
    try:
        return _answers(view(), height, checks, leaders)
    except pl.exceptions.PolarsError:
        pass
    answers: dict[Check, _Answer] = {}
    for check in checks:
        try:
            answers |= _answers(view(), height, [check], leaders)
        except pl.exceptions.PolarsError:
            continue
    return answers


def _answers(view: View, height: int, checks: Sequence[Check], leaders: Mapping[Check, Check]) -> dict[Check, _Answer]:
    plans = {check: plan for check in checks if (plan := _compile(check, view)) is not None}
    if not plans:
        return {}
    asked = [
        expr
        for place, (check, plan) in enumerate(plans.items())
        for expr in (*_sums(plan, place), *_lists(_led(plan, leaders.get(check), view), place))
    ]
    row = view.frame().select(asked)
    return {check: _answer(row, plan, place, height) for place, (check, plan) in enumerate(plans.items())}


def _led(plan: Compiled | Repeated, leader: Check | None, view: View) -> Compiled | Repeated:
    """The plan for those rows only whose candidates another check does not find."""
    return plan if leader is None else replace(plan, domain=plan.domain & ~view.cell(leader.columns[0]).present)


def _compile(check: Check, view: View) -> Compiled | Repeated | None:
    try:
        return compile_check(check, view)
    except CheckUnsupported:
        return None


def _sums(plan: Compiled | Repeated, place: int) -> tuple[pl.Expr, pl.Expr]:
    meant = pl.len() if plan.meant is None else plan.meant.sum()
    return plan.domain.sum().alias(f"asked {place}"), meant.alias(f"meant {place}")


def _lists(plan: Compiled | Repeated, place: int) -> tuple[pl.Expr, ...]:
    """Expressions for the indexes that fail; for a check on repetition, the indexes checked and a hash of each."""
    if isinstance(plan, Compiled):
        return ((plan.domain & ~plan.ok).fill_null(False).arg_true().implode().alias(f"rows {place}"),)
    hashes = plan.hashed.implode().alias(f"hashes {place}")
    return plan.domain.arg_true().implode().alias(f"rows {place}"), hashes


def _answer(row: pl.DataFrame, plan: Compiled | Repeated, place: int, height: int) -> _Answer:
    asked, meant, rows = (row[f"{name} {place}"][0] for name in ("asked", "meant", "rows"))
    if isinstance(plan, Compiled):
        return _Answer(asked, meant, rows)
    hashes = row[f"hashes {place}"][0].to_numpy().astype(np.uint32)
    return _Answer(asked, meant, None if len(hashes) == height else rows, hashes)


def _counted(
    answered: Mapping[Check, Sequence[_Answer]],
    leaders: Mapping[Check, Check],
    starts: Sequence[int],
    rows_of: RowsOf,
) -> dict[Check, tuple[int, pl.Series]]:
    """How many rows each check was asked about, and which fail, by their indexes in the file.

    Without the check that finds its candidates, a check is not counted.
    """
    hashed = {check: parts for check, parts in answered.items() if parts[0].hashes is not None}
    repeating = {check: _in_file(_repeating(parts), starts) for check, parts in hashed.items()}
    counted = {}
    for check, parts in answered.items():
        leader = leaders.get(check, check)
        if leader not in answered:
            continue
        if check in repeating:
            failing = _repeated(check, _candidates(check, repeating[check], repeating[leader], rows_of), rows_of)
        else:
            failing = _in_file([each.rows for each in parts], starts)
        counted[check] = sum(each.asked for each in parts), failing
    return counted


def _candidates(check: Check, own: pl.Series, led: pl.Series, rows_of: RowsOf) -> pl.Series:
    """The rows whose keys may occur more than once, of those that a check and the one that leads it know.

    If these are many, as where one number stands in a whole column, only those whose hash repeats: fewer values wait.
    """
    both = pl.concat([own, led]).unique().sort()
    if len(both) <= max(len(own), CONFIRMED_AT_ONCE):
        return both
    found = []
    for rows, view, plan in _read_again(check, both, rows_of):
        asked, hashes = (view.frame().select(each).to_series() for each in (plan.domain, plan.hashed))
        found.append(_Answer(len(hashes), 0, rows.filter(asked), hashes.to_numpy().astype(np.uint32)))
    return pl.concat(_repeating(found))


def _repeated(check: Check, candidates: pl.Series, rows_of: RowsOf) -> pl.Series:
    """Of the rows whose keys may occur more than once in the file, by their indexes, those that fail a check."""
    if candidates.is_empty():
        return candidates
    keys = _keys_of(check, candidates, rows_of)
    asked = keys.drop_in_place(ASKED)
    return candidates.filter(asked).filter(keys.filter(asked).is_duplicated())


def _repeating(found: Sequence[_Answer]) -> list[pl.Series]:
    """The rows of each part whose hash occurs more than once in the file.

    Sorting a million hashes with numpy takes a fifth of the time that a hash table of them takes.
    """
    ascending = np.concatenate([each.hashes for each in found if each.hashes is not None])
    ascending.sort()
    again = pl.Series(ascending[1:][ascending[1:] == ascending[:-1]]).unique().implode()
    masks = (pl.Series(each.hashes).is_in(again) for each in found)
    return [
        mask.arg_true() if each.rows is None else each.rows.filter(mask)
        for each, mask in zip(found, masks, strict=True)
    ]


def _keys_of(check: Check, rows: pl.Series, rows_of: RowsOf) -> pl.DataFrame:
    """The key values of these rows, for comparing them with each other, and whether the check is about a row."""
    keys = []
    for _, view, plan in _read_again(check, rows, rows_of):
        named = {str(place): key for place, key in enumerate(plan.keys)} | {ASKED: plan.domain}
        keys.append(view.frame().select(**named))
    return pl.concat(keys)


def _read_again(check: Check, rows: pl.Series, rows_of: RowsOf) -> Iterator[tuple[pl.Series, View, Repeated]]:
    """Yield some rows at a time, by their indexes, with the check compiled for them."""
    for start in range(0, len(rows), CONFIRMED_AT_ONCE):
        some = rows.slice(start, CONFIRMED_AT_ONCE)
        view = View(rows_of(some))
        plan = compile_check(check, view)
        assert isinstance(plan, Repeated)
        yield some, view, plan


def _in_file(rows: Sequence[pl.Series | None], starts: Sequence[int]) -> pl.Series:
    """Turn indexes in parts into indexes in the file."""
    shifted = [each.cast(pl.UInt32) + start for each, start in zip(rows, starts, strict=False) if each is not None]
    return pl.concat([pl.Series(dtype=pl.UInt32), *shifted])


def _succeeds(asked: int, failed: int, mostly: float) -> bool:
    """Whether a rule succeeds, in Great Expectations' own arithmetic: with no rows to check, it does."""
    return asked == 0 or (float(asked) - float(failed)) / float(asked) >= mostly


def _nulls(column: pl.Series) -> int:
    """How many NULLs a column has. NaN in a float column counts as NULL, as in pandas."""
    return int(column.null_count() + (column.is_nan().sum() if column.dtype.is_float() else 0))
