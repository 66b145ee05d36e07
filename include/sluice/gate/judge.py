"""Turn findings and thresholds into one verdict and a split of the rows. Pure.

A row that fails an error rule is refused; the others go on. A tolerance is the rule's limit for the file. The whole
file is refused if too many rows are, if an error rule about the file fails, or if an error rule exceeds its limit.
Without any rule, or with a rule that could not be computed, the verdict is UNDECIDED.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import polars as pl

from sluice.errors import GateFailed, Ref, at_place
from sluice.gate.kinds import KINDS
from sluice.gate.model import (
    ROWS_SHOWN,
    Finding,
    GateVerdict,
    Judgement,
    PassResult,
    RowFinding,
    RuleOutcome,
    State,
    Thresholds,
    Tolerance,
)
from sluice.terms import Severity, Verdict

RANK: dict[Verdict, int] = {Verdict.PASSED: 0, Verdict.WARNED: 1, Verdict.UNDECIDED: 2, Verdict.REFUSED: 3}
"""Verdicts from best to worst. REFUSED outranks UNDECIDED: a known fault weighs more than an open question."""

TOO_MANY_REFUSED = "LIMIT_REFUSED_SHARE"
NO_RULES = "LIMIT_NO_RULES"
NOT_COMPUTED = "UNREADABLE_RULE"
JUDGES_DIFFER = "UNREADABLE_JUDGES_DIFFER"

REPORT = {"row": pl.UInt32, "rule": pl.String, "code": pl.String, "column": pl.String, "severity": pl.String}
"""Columns of the report of every failing row; ``row`` is a row number."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """One reason, with the verdict it would give on its own."""

    finding: Finding
    verdict: Verdict


def judge(result: PassResult, extra: Sequence[RowFinding], thresholds: Thresholds) -> Judgement:
    """The verdict on a file, which rows it refuses, and every failing row.

    ``extra``: rows that other steps found wrong; those not in the frame still count as rows of the file.
    Raises GateFailed if one of them is no row of this file.
    """
    numbers = _row_numbers(result.rows, extra)
    rows_in = result.rows + len({finding.row for finding in extra if not finding.in_frame})
    report = _report(result, extra, numbers)
    refusing = report["row"].filter(report["severity"] == Severity.ERROR.value).unique().sort()
    of_rules = dict(_of_rules(result, numbers))
    told = (each for place, one in of_rules.items() for each in _by_column(one, result.outcomes[place].positions))
    weighed = [*told, *_of_extra(extra), *_of_file(result, len(refusing), rows_in, thresholds)]
    counted = [place for place, outcome in enumerate(result.outcomes) if outcome.state is not State.ABSENT]
    words = Counter(_word(of_rules.get(place)) for place in counted)
    verdict = _verdict(weighed, rows_in, len(refusing), words)
    refused = numbers.is_in(refusing.implode()).arg_true().cast(pl.UInt32)
    return Judgement(verdict, refused, report)


def as_undecided(verdict: GateVerdict, *findings: Finding) -> GateVerdict:
    """The verdict made UNDECIDED, with these findings added; a refusal stays a refusal. Accepts no row."""
    worse = RANK[verdict.verdict] > RANK[Verdict.UNDECIDED]
    return replace(
        verdict,
        verdict=verdict.verdict if worse else Verdict.UNDECIDED,
        rows_accepted=0,
        rows_refused=verdict.rows_in,
        reasons=_ordered((*verdict.reasons, *findings)),
    )


def with_warnings(verdict: GateVerdict, warnings: Iterable[Finding]) -> GateVerdict:
    """The verdict with warnings added that the sender of the file should know; PASSED becomes WARNED."""
    reasons = _ordered((*verdict.reasons, *warnings))
    passed = verdict.verdict is Verdict.PASSED
    return replace(verdict, verdict=Verdict.WARNED if passed and reasons else verdict.verdict, reasons=reasons)


def _row_numbers(rows: int, extra: Sequence[RowFinding]) -> pl.Series:
    """The row number of each index in the frame: all records of the file but those that the reader left out."""
    left_out = {finding.row for finding in extra if not finding.in_frame}
    rows_in = rows + len(left_out)
    stray = [finding.row for finding in extra if not 1 <= finding.row <= rows_in]
    if stray:
        raise GateFailed(Ref("row", stray[0]), Ref("rows in the file", rows_in))
    every = pl.int_range(1, rows_in + 1, dtype=pl.UInt32, eager=True)
    return every.filter(~every.is_in(pl.Series(sorted(left_out), dtype=pl.UInt32).implode()))


def _report(result: PassResult, extra: Sequence[RowFinding], numbers: pl.Series) -> pl.DataFrame:
    """Every failing row, ordered by row number.

    Lines are sorted as numbers and get their texts afterwards: with millions of lines the texts take most memory.
    """
    words: dict[tuple[str, str, str | None, str], int] = {}
    lines: list[pl.DataFrame] = []
    for outcome in result.outcomes:
        rule = outcome.rule
        said = words.setdefault((rule.id, rule.code, rule.check.column, rule.severity.value), len(words))
        lines.append(_lines(_failing_rows(outcome, numbers), said))
    found = [(each.rule, each.code, each.column, each.severity.value) for each in extra]
    said_of = [words.setdefault(each, len(words)) for each in found]
    schema = {"row": pl.UInt32, "said": pl.UInt32}
    lines.append(pl.DataFrame({"row": [each.row for each in extra], "said": said_of}, schema))
    ordered = pl.concat(lines).sort("row", maintain_order=True)
    texts = pl.DataFrame(list(words), schema=dict(list(REPORT.items())[1:]), orient="row")
    return pl.DataFrame([ordered["row"], *(text.gather(ordered["said"]) for text in texts)])


def _lines(rows: pl.Series, said: int) -> pl.DataFrame:
    return rows.alias("row").to_frame().with_columns(said=pl.lit(said, pl.UInt32))


def _failing_rows(outcome: RuleOutcome, numbers: pl.Series, most: int | None = None) -> pl.Series:
    if outcome.failing is None:
        return pl.Series(dtype=pl.UInt32)
    return numbers.gather(outcome.failing if most is None else outcome.failing.head(most))


def _of_rules(result: PassResult, numbers: pl.Series) -> Iterator[tuple[int, Weighed]]:
    """Reasons that the rules give, each with the place of its outcome."""
    exceeded = _exceeded(result)
    for place, outcome in enumerate(result.outcomes):
        rule = outcome.rule
        if outcome.state is State.RAISED:
            finding = Finding(NOT_COMPUTED, rule.id, rule.check.column, 1, stops=True)
            yield place, Weighed(finding, Verdict.UNDECIDED)
        elif outcome.unexpected_count and _matters(outcome, exceeded):
            stops = _stops(outcome, exceeded)
            verdict = Verdict.REFUSED if stops else Verdict.WARNED
            yield place, Weighed(_finding(outcome, numbers, stops=stops), verdict)


def _matters(outcome: RuleOutcome, exceeded: set[str]) -> bool:
    """Whether an outcome is worth reporting; a warning within its agreed tolerance is not."""
    rule = outcome.rule
    return rule.severity is Severity.ERROR or rule.tolerance is None or rule.id in exceeded


def _stops(outcome: RuleOutcome, exceeded: set[str]) -> bool:
    """Whether an outcome stops the file: an error rule about the file does, one about rows if it exceeds its limit."""
    rule = outcome.rule
    about_rows = KINDS[rule.check.kind].rows
    return rule.severity is Severity.ERROR and (rule.id in exceeded or not about_rows)


def _exceeded(result: PassResult) -> set[str]:
    """Ids of rules that exceed their limit for the file; rules with one id share one limit."""
    limited: dict[str, list[RuleOutcome]] = defaultdict(list)
    for outcome in result.outcomes:
        if outcome.rule.tolerance is not None and outcome.state is State.COUNTED:
            limited[outcome.rule.id].append(outcome)
    return {rule for rule, outcomes in limited.items() if not _holds(outcomes, result.rows)}


def _holds(outcomes: Sequence[RuleOutcome], rows: int) -> bool:
    tolerance = outcomes[0].rule.tolerance
    if tolerance is None or tolerance.operator == "mostly":
        return all(outcome.success for outcome in outcomes)
    return is_within(_failing_count(outcomes), rows, tolerance)


def _failing_count(outcomes: Sequence[RuleOutcome]) -> int:
    """How many rows fail any of these; a row that fails several (a list and a pattern, say) counts once."""
    if len(outcomes) == 1:
        return outcomes[0].unexpected_count
    return pl.concat([outcome.failing for outcome in outcomes if outcome.failing is not None]).n_unique()


def is_within(count: int, rows: int, tolerance: Tolerance) -> bool:
    """Whether ``count`` failing rows of ``rows`` are within an ODCS operator (ODCS 3.1, quality)."""
    observed = float(count)
    if tolerance.unit == "percent":
        observed = 100.0 * count / rows if rows else 0.0
    limit = tolerance.threshold
    return {
        "mustBe": lambda: observed == limit[0],
        "mustBeLessThan": lambda: observed < limit[0],
        "mustBeLessOrEqualTo": lambda: observed <= limit[0],
        "mustBeBetween": lambda: limit[0] <= observed <= limit[-1],
    }[tolerance.operator]()


def _finding(outcome: RuleOutcome, numbers: pl.Series, *, stops: bool) -> Finding:
    rule = outcome.rule
    rows = tuple(_failing_rows(outcome, numbers, ROWS_SHOWN))
    return Finding(rule.code, rule.id, rule.check.column, outcome.unexpected_count, rows, rule.severity, stops)


def _by_column(weighed: Weighed, positions: Sequence[int]) -> Iterator[Weighed]:
    """Yield a reason about columns known by their position as one for each that is shown, and one for the rest.

    The rest is what was counted in columns that are not shown, or are not in the file.
    """
    shown = positions[:ROWS_SHOWN] if weighed.finding.column is None else ()
    for place in shown:
        yield replace(weighed, finding=replace(weighed.finding, column=at_place(place), count=1))
    if rest := weighed.finding.count - len(shown):
        yield replace(weighed, finding=replace(weighed.finding, count=rest))


def _of_extra(extra: Sequence[RowFinding]) -> Iterable[Weighed]:
    groups: dict[tuple[str, str, str | None, Severity], set[int]] = defaultdict(set)
    for found in extra:
        groups[found.code, found.rule, found.column, found.severity].add(found.row)
    for (code, rule, column, severity), rows in groups.items():
        finding = Finding(code, rule, column, len(rows), tuple(sorted(rows)[:ROWS_SHOWN]), severity)
        yield Weighed(finding, Verdict.WARNED)


def _of_file(result: PassResult, refused: int, rows_in: int, thresholds: Thresholds) -> Iterable[Weighed]:
    if all(outcome.state is State.ABSENT for outcome in result.outcomes):
        yield Weighed(Finding(NO_RULES, "rules", None, 1, stops=True), Verdict.UNDECIDED)
    if refused > Fraction(str(thresholds.max_refused_share)) * rows_in:  # 0.29 of 100 rows are 29, in floats 28.99…
        yield Weighed(Finding(TOO_MANY_REFUSED, "maxRefusedShare", None, refused, stops=True), Verdict.REFUSED)


def _word(weighed: Weighed | None) -> Verdict:
    return Verdict.PASSED if weighed is None else weighed.verdict


def _verdict(weighed: Sequence[Weighed], rows_in: int, refused: int, words: Counter[Verdict]) -> GateVerdict:
    worst = max((each.verdict for each in weighed), key=RANK.__getitem__, default=Verdict.PASSED)
    if worst in (Verdict.REFUSED, Verdict.UNDECIDED):
        refused = rows_in
    return GateVerdict(
        verdict=worst,
        rows_in=rows_in,
        rows_accepted=rows_in - refused,
        rows_refused=refused,
        reasons=_ordered(each.finding for each in weighed),
        gate_counts={word.value: words[word] for word in Verdict},
    )


def _ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Order findings: those that stop the file, then errors, then warnings; the most frequent first in each."""
    return tuple(sorted(findings, key=_place))


def _place(finding: Finding) -> tuple[bool, bool, int, str, str, str]:
    warning = finding.severity is Severity.WARNING
    return (not finding.stops, warning, -finding.count, finding.code, finding.rule, finding.column or "")
