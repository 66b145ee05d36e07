"""Frozen types of the gate: rules, what one pass over a file found, and the verdict. None holds a cell value.

Rows are counted in two ways that are never mixed: an *index* is a position in the frame, from 0; a *row number* is
the number of the record in the file, from 1, and is what people are shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from sluice.gate.conditions import columns_of
from sluice.terms import Severity, Verdict

if TYPE_CHECKING:
    import polars as pl

Scalar: TypeAlias = str | int | float | bool | None
OptionValue: TypeAlias = Scalar | tuple[Scalar, ...]

CONDITION = "row_condition"
"""The option of every row kind that says which rows it is about."""
ROWS_SHOWN = 20
"""The most row numbers that one reason shows."""


class Source(StrEnum):
    """Who asked for a rule: the contract's columns, its quality entries, or a suite."""

    SCHEMA = "schema"
    CONTRACT = "contract"
    SUITE = "suite"


class ValueType(StrEnum):
    """Types that a contract can give to text, so that ranges have a meaning."""

    NUMBER = "number"
    INTEGER = "integer"
    DATE = "date"
    TIMESTAMP = "timestamp"


@dataclass(frozen=True, slots=True)
class ColumnType:
    """How the text of a column becomes a value. ``date_format`` is a strptime format, for dates and timestamps."""

    value: ValueType
    decimal_comma: bool = False
    date_format: str | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One question about the data: a kind of the closed list, its columns, its options.

    Two checks are equal if Great Expectations would compute the same for both. ``types`` has one entry per column
    (None: the text as it is); types follow from the contract, so they are not compared.
    """

    kind: str
    columns: tuple[str, ...]
    options: tuple[tuple[str, OptionValue], ...] = ()
    types: tuple[ColumnType | None, ...] = field(default=(), compare=False)

    def option(self, name: str) -> OptionValue:
        """The value of an option; None if the check has no such option."""
        return dict(self.options).get(name)

    @property
    def column(self) -> str | None:
        """The column that a reason names; None if the check is about several columns or the table."""
        return self.columns[0] if len(self.columns) == 1 else None

    @property
    def condition(self) -> str | None:
        """The condition that selects its rows, as ``conditions.read_condition`` writes it; None for all rows."""
        said = self.option(CONDITION)
        return said if isinstance(said, str) else None

    @property
    def needed(self) -> frozenset[str]:
        """Every column that Great Expectations needs for an answer.

        Our own pass treats a column that is missing from the file as empty when it evaluates a condition, so that
        nobody can switch a rule off by leaving the column out.
        """
        return frozenset(self.columns) | (frozenset(columns_of(self.condition)) if self.condition else frozenset())


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How many failing rows a *file* may have: ODCS operator, threshold and unit, or GX ``mostly``.

    ``operator`` is ``mustBeLessThan``, ``mustBeLessOrEqualTo``, ``mustBeBetween`` or ``mustBe``, with ``unit`` rows
    or percent (of all rows of the file); or it is ``mostly``, with a share of the values that the rule checks.
    """

    operator: str
    threshold: tuple[float, ...]
    unit: str = "rows"


@dataclass(frozen=True, slots=True)
class Rule:
    """A check with its consequence. Rules with one ``id`` share one tolerance.

    A rule decides row by row; a tolerance adds a limit for the whole file.
    """

    id: str
    check: Check
    code: str
    severity: Severity = Severity.ERROR
    tolerance: Tolerance | None = None
    source: Source = Source.SUITE

    @property
    def mostly(self) -> float:
        """The ``mostly`` to give Great Expectations; 1 where the limit is an ODCS operator."""
        if self.tolerance is not None and self.tolerance.operator == "mostly":
            return self.tolerance.threshold[0]
        return 1.0


class State(StrEnum):
    """What became of a rule: it was counted, its column is not in the file, or it could not be computed."""

    COUNTED = "counted"
    ABSENT = "absent"
    RAISED = "raised"


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """What one pass found for one rule.

    ``domain_count``: rows that the rule checks (most kinds leave NULLs out). ``failing``: indexes of the rows that
    fail, UInt32, ascending; None for rules about the table. ``success``: as Great Expectations computes it,
    ``mostly`` included. ``observed``: a number or share (of rows, columns, cells), never a name or a value.
    ``positions``: columns of the file that a header rule points at, 1 = first. ``meant``: how many rows meet the
    condition of the rule; None if it has no condition.
    """

    rule: Rule
    state: State = State.COUNTED
    domain_count: int = 0
    unexpected_count: int = 0
    success: bool = True
    observed: float | None = None
    positions: tuple[int, ...] = ()
    meant: int | None = None
    failing: "pl.Series | None" = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class PassResult:
    """Everything one pass over a file found; nothing else leaves the judging process.

    ``columns``: the header; a name that the contract does not declare is text of the file, and shown as
    ``#<position>``. ``null_counts``: NULLs per column that a rule checks. ``left_out``: records that the reader could
    not make into rows; only rules about the number of rows count them.
    """

    rows: int
    columns: tuple[str, ...]
    outcomes: tuple[RuleOutcome, ...]
    null_counts: tuple[tuple[str, int], ...] = ()
    left_out: int = 0

    def nulls(self, column: str) -> int | None:
        """How many NULLs a column has; None for a column that no rule checks."""
        return dict(self.null_counts).get(column)


@dataclass(frozen=True, slots=True)
class RowFinding:
    """A row that another step found wrong: the format reader or the identifier rules.

    ``row`` is a row number. ``in_frame`` is False if the reader could not put the record in the frame.
    """

    row: int
    rule: str
    code: str
    column: str | None = None
    severity: Severity = Severity.ERROR
    in_frame: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason of a verdict, with its count and at most :data:`ROWS_SHOWN` row numbers.

    ``stops``: it stops the whole file. ``readings``: if a file can be read in more than one way, each way in words.
    """

    code: str
    rule: str
    column: str | None
    count: int
    rows: tuple[int, ...] = ()
    severity: Severity = Severity.ERROR
    stops: bool = False
    readings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Limits for the whole file. ``max_refused_share``: refused rows / rows in, above which the file is refused."""

    max_refused_share: float


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """The gate's verdict on a file. Always ``rows_in = rows_accepted + rows_refused``.

    REFUSED and UNDECIDED accept no row. ``gate_counts``: number of rules per verdict word.
    """

    verdict: Verdict
    rows_in: int
    rows_accepted: int
    rows_refused: int
    reasons: tuple[Finding, ...]
    gate_counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict, with the split of rows behind it.

    ``refused``: indexes (UInt32, ascending) of the rows that an error rule refuses. ``report``: every failing row, not
    a sample, with columns row (a row number), rule, code, column and severity.
    """

    verdict: GateVerdict
    refused: "pl.Series" = field(compare=False, repr=False)
    report: "pl.DataFrame" = field(compare=False, repr=False)
