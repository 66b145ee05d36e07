"""Rules, what one pass over a file found, and the verdict: frozen, countable, without a cell value.

Two ways of counting rows, never mixed: an *index* is the position in the frame, 0 first; a *row
number* is the number of the record in the file, 1 first, and is what people are shown.
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
"""Most row numbers in one reason (refusal contract, security.md 2)."""


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
    """How the text of a column becomes a value. ``date_format``: strptime, for dates and timestamps."""

    value: ValueType
    decimal_comma: bool = False
    date_format: str | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One question about the data: a kind of the closed list, its columns, its options.

    Two checks are equal if Great Expectations would compute the same; ``types`` (one per column,
    None = as it is) follow from the contract and take no part in that.
    """

    kind: str
    columns: tuple[str, ...]
    options: tuple[tuple[str, OptionValue], ...] = ()
    types: tuple[ColumnType | None, ...] = field(default=(), compare=False)

    def option(self, name: str) -> OptionValue:
        """The value of an option; None if the check has none of that name."""
        return dict(self.options).get(name)

    @property
    def column(self) -> str | None:
        """The column a reason names; None when the question is about several or the table."""
        return self.columns[0] if len(self.columns) == 1 else None

    @property
    def condition(self) -> str | None:
        """Which rows it is about, as ``conditions.read_condition`` writes it; None: all."""
        said = self.option(CONDITION)
        return said if isinstance(said, str) else None

    @property
    def needed(self) -> frozenset[str]:
        """Every column that Great Expectations needs for an answer; a condition of ours takes one that is not there as
        empty, so that nobody switches a rule off by leaving it out."""
        return frozenset(self.columns) | (frozenset(columns_of(self.condition)) if self.condition else frozenset())


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How many failing rows a *file* may have: ODCS operator, threshold and unit, or GX ``mostly``.

    ``operator``: ``mustBeLessThan``, ``mustBeLessOrEqualTo``, ``mustBeBetween``, ``mustBe`` with
    ``unit`` rows or percent (of all rows of the file), or ``mostly`` with a share of the values asked.
    """

    operator: str
    threshold: tuple[float, ...]
    unit: str = "rows"


@dataclass(frozen=True, slots=True)
class Rule:
    """A check with its consequence. Rules with one ``id`` share one tolerance.

    Without a tolerance the rule decides row by row; with one it has a limit for the file as well.
    """

    id: str
    check: Check
    code: str
    severity: Severity = Severity.ERROR
    tolerance: Tolerance | None = None
    source: Source = Source.SUITE

    @property
    def mostly(self) -> float:
        """The share that Great Expectations must ask for; 1 where the limit is an ODCS operator."""
        if self.tolerance is not None and self.tolerance.operator == "mostly":
            return self.tolerance.threshold[0]
        return 1.0


class State(StrEnum):
    """What came of a rule: counted; its column is not in the file; it could not be computed."""

    COUNTED = "counted"
    ABSENT = "absent"
    RAISED = "raised"


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """What one pass found for one rule.

    ``domain_count``: rows the rule asks about (NULLs are mostly left out). ``failing``: their
    indexes, UInt32, ascending; None for rules about the table. ``success``: as Great Expectations
    has it, ``mostly`` included. ``observed``: a number or share (of rows, columns, cells), never a name or a value.
    ``positions``: columns of the file meant by a header rule, 1 = first. ``meant``: rows for which the
    condition of the rule holds; None: it has none.
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
    """Everything one pass over a frame found; all that leaves the judging process.

    ``columns``: names of the header; one that the contract does not declare is ``#<position>``,
    because it is text of the file. ``null_counts``: per column that a rule asks about. ``left_out``: records of the
    file that are no rows; only a rule about the number of rows counts them.
    """

    rows: int
    columns: tuple[str, ...]
    outcomes: tuple[RuleOutcome, ...]
    null_counts: tuple[tuple[str, int], ...] = ()
    left_out: int = 0

    def nulls(self, column: str) -> int | None:
        """NULLs of a column some rule asked about; None for any other."""
        return dict(self.null_counts).get(column)


@dataclass(frozen=True, slots=True)
class RowFinding:
    """A row that somebody else found wrong: the format reader, the identifier rules.

    ``row``: row number. ``in_frame``: False if the reader could not put the record in the frame.
    """

    row: int
    rule: str
    code: str
    column: str | None = None
    severity: Severity = Severity.ERROR
    in_frame: bool = True


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason: how often, and at most :data:`ROWS_SHOWN` row numbers. ``stops``: the whole file.

    ``readings``: where a file can be read in more than one way, each of them in words.
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
    """``max_refused_share``: refused rows / rows in, above which the whole file is refused."""

    max_refused_share: float


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """What the gate says of a file: ``rows_in = rows_accepted + rows_refused``, always.

    REFUSED and UNDECIDED accept no row. ``gate_counts``: rules per verdict word.
    """

    verdict: Verdict
    rows_in: int
    rows_accepted: int
    rows_refused: int
    reasons: tuple[Finding, ...]
    gate_counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict with the row split behind it.

    ``refused``: indexes (UInt32, ascending) of the rows that some error rule refuses. ``report``:
    every failing row, not a sample (row, rule, code, column, severity; row = row number).
    """

    verdict: GateVerdict
    refused: "pl.Series" = field(compare=False, repr=False)
    report: "pl.DataFrame" = field(compare=False, repr=False)
