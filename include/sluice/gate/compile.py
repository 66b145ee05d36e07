"""Compile each kind of the closed list into two polars expressions: which rows it checks, and what must hold there.

The results are exactly those of Great Expectations' pandas engine (measured, and proven by a property test per kind):
NULL is left out, ``unique`` marks every copy, lengths are code points, text compares by code point, a pair with one
NULL fails. A row fails where ``domain & ~ok``. Repeated values only show once the whole file was seen.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import reduce
from itertools import combinations
from operator import and_, or_, xor
from typing import TypeAlias

import polars as pl

from sluice.gate.column_types import NUMBERS, format_of, sees_values, spelling_of
from sluice.gate.conditions import Term, parse_condition
from sluice.gate.errors import CheckUnsupported
from sluice.gate.kinds import COMPOUND, KNOWN, UNIQUE
from sluice.gate.model import Check, ColumnType, ValueType
from sluice.gate.regex import search
from sluice.gate.typed import number_of, parsed

DTYPES: Mapping[ValueType, pl.DataType] = {
    ValueType.INTEGER: pl.Int64(),
    ValueType.NUMBER: pl.Float64(),
    ValueType.DATE: pl.Date(),
    ValueType.TIMESTAMP: pl.Datetime("us"),
}
STRFTIME = "expect_column_values_to_match_strftime_format"
MATCH = "expect_column_values_to_match_regex"
FEW = 8
"""Most members of a set that a text is compared with one by one."""
EVERY_ROW = pl.repeat(True, pl.len(), dtype=pl.Boolean)
EXCUSED = "excused"
Keys: TypeAlias = Mapping[str, pl.Series]
"""The distinct values of columns of other datasets, as text, by the name that a check uses for the dataset."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A check as expressions. ``domain``: the rows it checks; ``ok``: what must hold there.

    ``meant``: the rows that meet its condition; None if it has no condition.
    """

    domain: pl.Expr
    ok: pl.Expr
    meant: pl.Expr | None = None


@dataclass(frozen=True, slots=True)
class Repeated:
    """A check on repetition. Of the rows in ``domain``, those fail whose ``keys`` occur again anywhere in the file."""

    domain: pl.Expr
    keys: tuple[pl.Expr, ...]
    meant: pl.Expr | None = None

    @property
    def hashed(self) -> pl.Expr:
        """One number for each row in ``domain``; rows with equal numbers are candidates that must be confirmed."""
        return reduce(xor, (key.filter(self.domain).hash(place) for place, key in enumerate(self.keys)))


@dataclass(frozen=True, slots=True)
class Operand:
    """A column as a check sees it: the cell as written, or the value the contract gives it."""

    expr: pl.Expr
    dtype: pl.DataType

    @property
    def present(self) -> pl.Expr:
        """Whether a cell has a value. NaN in a float column counts as NULL, as in pandas."""
        return self.expr.is_not_null() & self.expr.is_not_nan() if self.dtype.is_float() else self.expr.is_not_null()

    @property
    def key(self) -> pl.Expr:
        """The value in a form that is the same for equal values: -0.0 becomes 0.0, and NaN becomes NULL."""
        return (self.expr + 0.0).fill_nan(None) if self.dtype.is_float() else self.expr


class View:
    """A frame as expressions see it: columns named by position, and text turned into values only once.

    Header names stay out of expressions, because polars would take a name like ``^...$`` for a pattern.
    """

    def __init__(self, frame: pl.DataFrame, keys: Keys | None = None, excused: pl.Series | None = None) -> None:
        """``excused``: a Boolean per row; rules about keys of other datasets skip the rows that are True."""
        self.keys = keys or {}
        self._cells = frame.clone()
        self._cells.columns = [f"cell {place}" for place in range(frame.width)]
        self._dtypes = dict(zip(frame.columns, self._cells.schema.items(), strict=True))
        self._seen: dict[Hashable, pl.Expr] = {}
        self._values: dict[Hashable, pl.Expr] = {}
        """What is computed once: what is seen in texts, then the values that are made of it."""
        self.is_asked = EVERY_ROW if excused is None else ~pl.col(EXCUSED)
        if excused is not None:
            self._cells = self._cells.with_columns(excused.alias(EXCUSED))

    def cell(self, name: str) -> Operand:
        """A column as it is in the frame; a missing one has only empty cells."""
        if name not in self._dtypes:
            return Operand(pl.repeat(None, pl.len(), dtype=pl.String), pl.String())
        alias, dtype = self._dtypes[name]
        return Operand(pl.col(alias), dtype)

    def value(self, name: str, column_type: ColumnType) -> Operand:
        """The typed values of a text column, NULL where a text is none; a column that is not text stays as it is."""
        if self.cell(name).dtype != pl.String:
            return self.cell(name)
        spelled = self.found(name, spelling_of(column_type))
        if column_type.value in NUMBERS:
            made = number_of(pl.when(spelled).then(self.cell(name).expr), column_type)
        else:
            moment: pl.Expr = pl.when(spelled).then(self.moment(name, format_of(column_type)))
            made = moment.dt.date() if column_type.value is ValueType.DATE else moment
        return Operand(_once(self._values, "value", (name, column_type), made), DTYPES[column_type.value])

    def moment(self, name: str, strftime_format: str) -> pl.Expr:
        """Datetimes of a text column, NULL where strptime does not accept the text."""
        made = parsed(self.cell(name).expr, strftime_format)
        return _once(self._seen, "seen", ("moment", name, strftime_format), made)

    def found(self, name: str, pattern: str) -> pl.Expr:
        """Whether ``re.search`` finds a pattern in each cell of a text column; NULL for NULL."""
        return _once(self._seen, "seen", ("found", name, pattern), search(self.cell(name).expr, pattern))

    def frame(self) -> pl.DataFrame:
        """The frame with its cells and everything else that was asked for, each computed once."""
        return self._cells.with_columns(self._seen.values()).with_columns(self._values.values())


def _once(made: dict[Hashable, pl.Expr], kind: str, key: Hashable, expr: pl.Expr) -> pl.Expr:
    """Return the column in which an expression will have been computed."""
    return pl.col(made.setdefault(key, expr.alias(f"{kind} {len(made)}")).meta.output_name())


def compile_check(check: Check, view: View) -> Compiled | Repeated:
    """The expressions of a row check on a view of a frame.

    Raises CheckUnsupported if the kind has no meaning for the type of a column.
    """
    plan = _plan(check, view)
    if check.condition is None:
        return plan
    meant = _meant(check.condition, view)
    return replace(plan, domain=plan.domain & meant, meant=meant)


def _plan(check: Check, view: View) -> Compiled | Repeated:
    if check.kind == STRFTIME:
        return _strftime(check, view)
    if check.kind == MATCH:
        return _match(check, view)
    if check.kind == KNOWN:
        return _known(check, view)
    return _COMPILERS[check.kind](check, [_operand(check, place, view) for place in range(len(check.columns))])


def _meant(condition: str, view: View) -> pl.Expr:
    """The rows for which a condition holds."""
    groups = (reduce(and_, (_term(term, view) for term in group)) for group in parse_condition(condition))
    return reduce(or_, groups)


def _term(term: Term, view: View) -> pl.Expr:
    cell = view.cell(term.column)
    if term.texts is None:
        return ~cell.present if term.holds else cell.present
    found = _is_one_of(_text(cell), term.texts).fill_null(False)
    return found if term.holds else ~found


def _operand(check: Check, place: int, view: View) -> Operand:
    name = check.columns[place]
    column_type = check.types[place] if check.types else None
    return view.cell(name) if column_type is None or not sees_values(check) else view.value(name, column_type)


def _not_null(_: Check, operands: list[Operand]) -> Compiled:
    return Compiled(EVERY_ROW, operands[0].present)


def _null(_: Check, operands: list[Operand]) -> Compiled:
    return Compiled(EVERY_ROW, ~operands[0].present)


def _unique(_: Check, operands: list[Operand]) -> Repeated:
    operand = operands[0]
    return Repeated(operand.present, (operand.key,))


def _compound(check: Check, operands: list[Operand]) -> Repeated:
    keys = tuple(operand.key for operand in operands)
    return Repeated(_key_domain(check, operands), keys)


def _within_record(check: Check, operands: list[Operand]) -> Compiled:
    """No two cells of a row are equal; two empty cells count as equal."""
    texts = [_text(operand) for operand in operands]
    apart = [one.ne_missing(other) for one, other in combinations(texts, 2)]
    return Compiled(_key_domain(check, operands), reduce(and_, apart))


def _key_domain(check: Check, operands: list[Operand]) -> pl.Expr:
    present = [operand.present for operand in operands]
    return {
        "all_values_are_missing": reduce(or_, present),
        "any_value_is_missing": reduce(and_, present),
        "never": EVERY_ROW,
    }[str(check.option("ignore_row_if"))]


def _in_set(check: Check, operands: list[Operand]) -> Compiled:
    return Compiled(operands[0].present, _member(check, operands[0]))


def _not_in_set(check: Check, operands: list[Operand]) -> Compiled:
    return Compiled(operands[0].present, ~_member(check, operands[0]))


def _member(check: Check, operand: Operand) -> pl.Expr:
    """Whether a cell is in the set. Types count: 3 does not match "3", so a set of the other type has no member."""
    members = check.option("value_set")
    assert isinstance(members, tuple)
    texts = bool(members) and isinstance(members[0], str)
    if operand.dtype == pl.Null or not members:
        return pl.lit(False)
    if operand.dtype != pl.String and not operand.dtype.is_numeric():
        raise CheckUnsupported
    if texts != (operand.dtype == pl.String):
        return pl.lit(False)
    if texts:
        return _is_one_of(operand.expr, tuple(map(str, members)))
    dtype = _number_type(operand, members)
    return operand.expr.cast(dtype, strict=False).is_in(pl.Series(members, dtype=dtype).implode())


def _is_one_of(text: pl.Expr, members: Sequence[str]) -> pl.Expr:
    """Whether a text is among these. To compare it with each of a few takes half the time that a hash takes."""
    if 0 < len(members) <= FEW:
        return reduce(or_, (text == member for member in members))
    return text.is_in(pl.Series(members, dtype=pl.String).implode())


def _number_type(operand: Operand, members: tuple[object, ...]) -> pl.DataType:
    """The type to compare numbers in: integers if all are integers, as a float loses digits above 2^53."""
    return (
        pl.Int64()
        if operand.dtype.is_integer() and all(isinstance(member, int) for member in members)
        else pl.Float64()
    )


def _not_match(check: Check, operands: list[Operand]) -> Compiled:
    return Compiled(operands[0].present, ~search(_text(operands[0]), str(check.option("regex"))))


def _match_list(check: Check, operands: list[Operand]) -> Compiled:
    patterns = check.option("regex_list")
    assert isinstance(patterns, tuple)
    found = [search(_text(operands[0]), str(pattern)) for pattern in patterns]
    return Compiled(operands[0].present, reduce(and_ if check.option("match_on") == "all" else or_, found))


def _match_none(check: Check, operands: list[Operand]) -> Compiled:
    patterns = check.option("regex_list")
    assert isinstance(patterns, tuple)
    found = [search(_text(operands[0]), str(pattern)) for pattern in patterns]
    return Compiled(operands[0].present, ~reduce(or_, found))


def _length_between(check: Check, operands: list[Operand]) -> Compiled:
    return Compiled(operands[0].present, _within(check, _text(operands[0]).str.len_chars().cast(pl.Int64)))


def _length_equal(check: Check, operands: list[Operand]) -> Compiled:
    return Compiled(operands[0].present, _text(operands[0]).str.len_chars().eq(check.option("value")))


def _between(check: Check, operands: list[Operand]) -> Compiled:
    operand = operands[0]
    bound = next(value for name, value in check.options if name in ("min_value", "max_value") and value is not None)
    if operand.dtype == pl.Null:
        return Compiled(operand.present, pl.lit(True))
    if isinstance(bound, str):
        right = operand.dtype == pl.Date if len(bound) == 10 else isinstance(operand.dtype, pl.Datetime)
    else:
        right = operand.dtype.is_numeric()
    if not right:
        raise CheckUnsupported
    return Compiled(operand.present, _within(check, operand.expr))


def _within(check: Check, value: pl.Expr) -> pl.Expr:
    low, high = _literal(check.option("min_value")), _literal(check.option("max_value"))
    ends = []
    if low is not None:
        ends.append(value > low if check.option("strict_min") else value >= low)
    if high is not None:
        ends.append(value < high if check.option("strict_max") else value <= high)
    return reduce(and_, ends)


def _literal(bound: object) -> int | float | date | datetime | None:
    """A bound as a Python value. Whole bounds become integers, as a float loses digits above 2^53."""
    if isinstance(bound, str):
        return date.fromisoformat(bound) if len(bound) == 10 else datetime.fromisoformat(bound)
    if isinstance(bound, float) and bound.is_integer() and abs(bound) < 2**63:
        return int(bound)
    return bound if isinstance(bound, int | float) else None


def _strftime(check: Check, view: View) -> Compiled:
    operand = view.cell(check.columns[0])
    _text(operand)
    if operand.dtype == pl.Null:
        return Compiled(operand.present, pl.lit(True))
    return Compiled(operand.present, view.moment(check.columns[0], str(check.option("strftime_format"))).is_not_null())


def _match(check: Check, view: View) -> Compiled:
    operand, pattern = view.cell(check.columns[0]), str(check.option("regex"))
    text = _text(operand)
    found = search(text, pattern) if operand.dtype == pl.Null else view.found(check.columns[0], pattern)
    return Compiled(operand.present, found)


def _known(check: Check, view: View) -> Compiled:
    """Whether a cell is a known key. Cells are compared as written: a key is a name, even if it is all digits."""
    operand, keys = view.cell(check.columns[0]), view.keys.get(str(check.option("dataset")))
    if keys is None:
        raise CheckUnsupported
    return Compiled(operand.present & view.is_asked, _text(operand).is_in(keys.implode()))


def _a_greater(check: Check, operands: list[Operand]) -> Compiled:
    a, b = _pair(operands)
    holds = a.expr >= b.expr if check.option("or_equal") else a.expr > b.expr
    return Compiled(_pair_domain(check, a, b), (holds & a.present & b.present).fill_null(False))


def _equal(check: Check, operands: list[Operand]) -> Compiled:
    a, b = _pair(operands)
    return Compiled(_pair_domain(check, a, b), ((a.expr == b.expr) & a.present & b.present).fill_null(False))


def _pair(operands: list[Operand]) -> tuple[Operand, Operand]:
    a, b = operands
    null = pl.Null in (a.dtype, b.dtype)
    alike = a.dtype == b.dtype or (a.dtype.is_numeric() and b.dtype.is_numeric())
    if not (null or alike):
        raise CheckUnsupported
    return a, b


def _pair_domain(check: Check, a: Operand, b: Operand) -> pl.Expr:
    return {
        "both_values_are_missing": a.present | b.present,
        "either_value_is_missing": a.present & b.present,
        "neither": EVERY_ROW,
    }[str(check.option("ignore_row_if"))]


def _text(operand: Operand) -> pl.Expr:
    if operand.dtype == pl.Null:
        return operand.expr.cast(pl.String)
    if operand.dtype != pl.String:
        raise CheckUnsupported
    return operand.expr


_COMPILERS: Mapping[str, Callable[[Check, list[Operand]], Compiled | Repeated]] = {
    "expect_column_values_to_not_be_null": _not_null,
    "expect_column_values_to_be_null": _null,
    UNIQUE: _unique,
    "expect_column_values_to_be_in_set": _in_set,
    "expect_column_values_to_not_be_in_set": _not_in_set,
    "expect_column_values_to_not_match_regex": _not_match,
    "expect_column_values_to_match_regex_list": _match_list,
    "expect_column_values_to_not_match_regex_list": _match_none,
    "expect_column_value_lengths_to_be_between": _length_between,
    "expect_column_value_lengths_to_equal": _length_equal,
    "expect_column_values_to_be_between": _between,
    "expect_column_pair_values_a_to_be_greater_than_b": _a_greater,
    "expect_column_pair_values_to_be_equal": _equal,
    "expect_select_column_values_to_be_unique_within_record": _within_record,
    COMPOUND: _compound,
}
