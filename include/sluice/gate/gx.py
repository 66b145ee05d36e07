"""The second judge: Great Expectations itself, on record, over the counts of the one pass.

``validate`` runs the real ``batch.validate(suite)``. An allow-list reduces its result to counts, because results of
Great Expectations hold values and sets, which we do not keep as evidence.
"""

import logging
import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sluice.gate.judge import JUDGES_DIFFER, as_undecided
from sluice.gate.kinds import KINDS, kwargs_of
from sluice.gate.model import Finding, GateVerdict, PassResult, Rule, RuleOutcome, State
from sluice.terms import Severity

if TYPE_CHECKING:
    import polars as pl
    from great_expectations import ExpectationSuite
    from great_expectations.core import ExpectationSuiteValidationResult

MOST_INDEXES = 200_000
"""With more failing indexes than this, ask Great Expectations for counts only: it keeps indexes in Python lists."""

_SEVERITY = {Severity.ERROR: "critical", Severity.WARNING: "warning"}
_MARK = "sluice_rule"
_LOUD = ("great_expectations", "great_expectations.data_context.types.base")
"""Loggers to silence. The second sets its own level, so silencing the first is not enough."""


@dataclass(frozen=True, slots=True)
class GxLine:
    """One expectation as Great Expectations judged it, in counts only. ``place``: the position of its rule."""

    place: int
    success: bool
    raised: bool
    element_count: int | None
    unexpected_count: int | None
    failing: tuple[int, ...] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class GxOutcome:
    """The judgement of Great Expectations on a set of rules, with the ``version`` of Great Expectations."""

    success: bool
    lines: tuple[GxLine, ...]
    version: str


def validate(data: "PassResult | pl.DataFrame", rules: Sequence[Rule]) -> GxOutcome:
    """Let Great Expectations judge ``data`` by ``rules``, through :class:`OnePassEngine`.

    Checks that Great Expectations does not have and rules on columns that the file lacks are left out; only the gate
    judges those. Takes seconds in a process that has not imported Great Expectations yet.
    """
    asked = [(place, rule) for place, rule in enumerate(rules) if _is_asked(rule, data)]
    with quiet():
        result = _run(data, suite_of(asked), _result_format(data))
    lines = tuple(sorted((_line(each) for each in result.results), key=lambda line: line.place))
    return GxOutcome(bool(result.success), lines, str(result.meta["great_expectations_version"]))


def agrees(outcome: GxOutcome, result: PassResult) -> bool:
    """Whether both judges came to the same result for every rule that both judged."""
    lines = {line.place: line for line in outcome.lines}
    asked = {place for place, each in enumerate(result.outcomes) if _is_asked(each.rule, result)}
    return set(lines) == asked and all(_same(lines[place], result.outcomes[place], result.rows) for place in asked)


def combine_verdicts(verdict: GateVerdict, outcome: GxOutcome, result: PassResult) -> GateVerdict:
    """The verdict if both judges agree; UNDECIDED if they do not."""
    if agrees(outcome, result):
        return verdict
    return as_undecided(verdict, Finding(JUDGES_DIFFER, "great_expectations", None, 1, stops=True))


def _is_asked(rule: Rule, data: "PassResult | pl.DataFrame") -> bool:
    """Whether Great Expectations can judge this rule.

    It sees only the rows of the frame. If the reader left records out, it cannot judge a rule on the number of rows.
    """
    kind = KINDS[rule.check.kind]
    if kind.metric == "table.row_count" and isinstance(data, PassResult) and data.left_out:
        return False
    return not kind.outside and (not kind.sees_cells or rule.check.needed <= set(data.columns))


def _same(line: GxLine, outcome: RuleOutcome, rows: int) -> bool:
    if outcome.state is State.RAISED or line.raised:
        return line.raised and outcome.state is State.RAISED
    if line.success != outcome.success:
        return False
    if not KINDS[outcome.rule.check.kind].rows:
        return True
    meant = rows if outcome.meant is None else outcome.meant
    counted = (line.element_count, line.unexpected_count) == (meant, outcome.unexpected_count)
    indexes = outcome.failing.to_list() if line.failing is not None and outcome.failing is not None else None
    return counted and (line.failing is None or list(line.failing) == indexes)


def _result_format(data: "PassResult | pl.DataFrame") -> dict[str, Any]:
    """The result format for Great Expectations: counts and failing indexes, never values."""
    many = isinstance(data, PassResult) and sum(each.unexpected_count for each in data.outcomes) > MOST_INDEXES
    return {
        "result_format": "BASIC" if many else "COMPLETE",
        "exclude_unexpected_values": True,
        "partial_unexpected_count": 0,
    }


def suite_of(placed: Iterable[tuple[int, Rule]]) -> "ExpectationSuite":
    """The rules as a suite of Great Expectations; the meta of each expectation holds the place given with its rule."""
    great_expectations()
    from great_expectations import ExpectationSuite
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.expectations.metadata_types import FailureSeverity

    expectations = [
        ExpectationConfiguration(
            type=rule.check.kind,
            kwargs=kwargs_of(rule.check) | ({"mostly": rule.mostly} if KINDS[rule.check.kind].rows else {}),
            meta={_MARK: place},
            severity=FailureSeverity(_SEVERITY[rule.severity]),
        ).to_domain_obj()
        for place, rule in placed
    ]
    return ExpectationSuite(name="gate", expectations=expectations)


def _run(data: Any, suite: "ExpectationSuite", result_format: dict[str, Any]) -> "ExpectationSuiteValidationResult":
    """Validate in a context, source and asset made for this call: sharing them would mix batches between threads."""
    from great_expectations.data_context.types.base import ProgressBarsConfig

    from sluice.gate.engine import configurations_kept

    context = great_expectations().get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_polars_once("gate").add_frame_asset("file")
    batch = asset.get_batch(asset.build_batch_request({"dataframe": data}))
    with configurations_kept():
        result: ExpectationSuiteValidationResult = batch.validate(suite, result_format=result_format)
    return result


def _line(each: Any) -> GxLine:
    """Reduce a result to the allow-list: place, success, counts, indexes. Nothing else in it is looked at."""
    found = each.result
    failing = found.get("unexpected_index_list")
    return GxLine(
        place=int(each.expectation_config.meta[_MARK]),
        success=bool(each.success),
        raised=_raised(each.exception_info),
        element_count=found.get("element_count"),
        unexpected_count=found.get("unexpected_count"),
        failing=None if failing is None else tuple(int(index) for index in failing),
    )


def _raised(info: Any) -> bool:
    """Whether an expectation raised. ``exception_info`` is a flat dict, or a dict of those keyed by metric."""
    parts = [info] if "raised_exception" in info else list(info.values())
    return any(part.get("raised_exception") for part in parts)


def great_expectations() -> Any:
    """The package with the ``polars_once`` source registered, imported without its warnings or network."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    with quiet():
        import great_expectations

        import sluice.gate.engine  # noqa: F401  # registers the engine and its source

    return great_expectations


@contextmanager
def quiet() -> Iterator[None]:
    """Silence warnings and logs that Great Expectations writes to stderr; everything that matters is in its result."""
    levels = {logger: logger.level for logger in map(logging.getLogger, _LOUD)}
    for logger in levels:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in levels.items():
            logger.setLevel(level)
