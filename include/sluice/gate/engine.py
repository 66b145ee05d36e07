"""A Great Expectations engine whose metrics are all answered from one polars pass.

It is not a pandas engine, so a kind that is not on the closed list has no provider and fails, instead of falling
through to pandas. The metrics have no dependencies: all metrics of a suite arrive in one ``resolve_metrics``, which
runs the pass unless it is given one. No answer holds a value: the list of unexpected values is empty, and exceptions
have a fixed text.

Importing this module imports Great Expectations, which takes seconds; ``gx.py`` is the light entry to it. The approach
and its pitfalls were measured on Great Expectations 1.24; rerun tests/gate on an upgrade.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, wraps
from typing import Any, ClassVar, Literal, TypeAlias

import polars as pl
from great_expectations.core.batch import BatchData, BatchMarkers, LegacyBatchDefinition
from great_expectations.core.batch_spec import RuntimeDataBatchSpec
from great_expectations.core.id_dict import IDDict
from great_expectations.datasource.fluent.batch_identifier_util import make_batch_identifier
from great_expectations.datasource.fluent.batch_request import BatchRequest
from great_expectations.datasource.fluent.constants import _DATA_CONNECTOR_NAME
from great_expectations.datasource.fluent.interfaces import Batch, DataAsset, Datasource
from great_expectations.exceptions.exceptions import (
    BuildBatchRequestError,
    InvalidBatchRequestError,
    MetricResolutionError,
)
from great_expectations.execution_engine.execution_engine import ExecutionEngine
from great_expectations.expectations import registry
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.expectations.metrics.metric_provider import MetricProvider
from great_expectations.expectations.row_conditions import Condition
from great_expectations.validator.metric_configuration import MetricConfiguration

from sluice.errors import DocumentInvalid
from sluice.gate.conditions import read_condition
from sluice.gate.errors import OptionRefused
from sluice.gate.kinds import COUNT_METRICS, KINDS, ROW_METRICS, Kind, check_of
from sluice.gate.model import CONDITION, Check, PassResult, Rule, RuleOutcome, State
from sluice.gate.onepass import run_rules

COUNT, VALUES, INDEXES = "unexpected_count", "unexpected_values", "unexpected_index_list"
QUERY, FILTERED = "unexpected_index_query", "filtered_row_count"
_SUFFIXES = (COUNT, VALUES, INDEXES, QUERY, FILTERED)
_TABLE_METRICS = ("table.row_count", "table.columns", "table.column_count")
_NULLS, _EMPTY = ROW_METRICS["column_values.nonnull"].name, ROW_METRICS["column_values.null"].name
OBSERVED = "observed"
"""Suffix for a metric that is a number or share of cells."""

Request: TypeAlias = BatchRequest[Any]
AssetType: TypeAlias = type[DataAsset[Any, Any]]
EngineType: TypeAlias = "type[OnePassEngine]"

_UNANSWERED = "Sluice cannot compute this metric (SLU-439); no value is shown"


_made: ContextVar[dict[int, tuple[Any, Any]] | None] = ContextVar("_made", default=None)
"""Maps ids to (expectation, configuration) pairs, both ways. Holding both keeps their ids from being reused."""
_configuration: Any = Expectation.__dict__["configuration"]
_to_domain_obj: Any = ExpectationConfiguration.to_domain_obj


@contextmanager
def configurations_kept() -> Iterator[None]:
    """Within this context, an expectation and its configuration are built from each other only once.

    Great Expectations builds both again for each key of each metric: 1,500 times for 40 rules, which takes most of its
    time. Outside the context, and in other threads, nothing changes.
    """
    _hook_in()
    token = _made.set({})
    try:
        yield
    finally:
        _made.reset(token)


def _kept(one: Any, make: Callable[[Any], Any]) -> Any:
    made = _made.get()
    if made is None:
        return make(one)
    if id(one) not in made:
        other = make(one)
        made[id(one)], made[id(other)] = (one, other), (other, one)
    return made[id(one)][1]


def _kept_configuration(self: Expectation) -> Any:
    return _kept(self, _configuration.fget)


def _kept_expectation(self: ExpectationConfiguration) -> Any:
    return _kept(self, _to_domain_obj)


@cache
def _hook_in() -> None:
    """Let both classes of Great Expectations ask :func:`_kept`; once per process, before the first judgement."""
    type.__setattr__(Expectation, "configuration", property(_kept_configuration, doc=_configuration.__doc__))
    kept = wraps(_to_domain_obj)(_kept_expectation)
    setattr(ExpectationConfiguration, "to_domain_obj", kept)  # noqa: B010  # for mypy


class PassData(BatchData):
    """The data of a batch: a frame that the pass has yet to run on, or the result of a pass whose frame is gone."""

    def __init__(self, engine: "OnePassEngine", data: pl.DataFrame | PassResult) -> None:
        super().__init__(execution_engine=engine)
        self.frame = data if isinstance(data, pl.DataFrame) else None
        self.result = data if isinstance(data, PassResult) else None
        self.answers: dict[Check, RuleOutcome] = {}
        if self.result is not None:
            self.answers = {outcome.rule.check: outcome for outcome in self.result.outcomes}

    @property
    def counts(self) -> dict[tuple[str, tuple[str, ...]], RuleOutcome]:
        """Outcomes of kinds that count cells, by kind and columns; bounds are left out, being no part of the metric."""
        return {(check.kind, check.columns): each for check, each in self.answers.items() if KINDS[check.kind].counts}

    def ask(self, checks: Iterable[Check]) -> None:
        """Make sure each check has an answer; if there is a frame, all new checks are answered in one pass."""
        new = [check for check in checks if check not in self.answers]
        if self.frame is None or (self.result is not None and not new):
            return
        rules = [Rule(str(place), check, KINDS[check.kind].code) for place, check in enumerate(new)]
        self.result = run_rules(self.frame, rules)
        self.answers |= {outcome.rule.check: outcome for outcome in self.result.outcomes}


class OnePassEngine(ExecutionEngine[pl.Expr]):
    """Answers every metric of the closed list from one pass; any other has no provider."""

    calls = 0
    """How often metrics were resolved; a test asserts that it is once."""

    def get_batch_data_and_markers(self, batch_spec: Any) -> tuple[PassData, BatchMarkers]:
        """The frame or pass in the spec, which gets a word in its place: else the frame would be written as JSON."""
        data = PassData(self, batch_spec.batch_data)
        batch_spec.batch_data = "sluice"
        return data, BatchMarkers({"ge_load_time": "0"})

    def resolve_metrics(
        self,
        metrics_to_resolve: Iterable[MetricConfiguration],
        metrics: dict[Any, Any] | None = None,
        runtime_configuration: dict[str, Any] | None = None,
    ) -> dict[Any, Any]:
        """Answer all metrics of one round. Raises MetricResolutionError for one metric at a time."""
        asked = list(metrics_to_resolve)
        if not asked:
            return {}
        self.calls += 1
        data = self.batch_manager.active_batch_data
        if not isinstance(data, PassData):
            raise MetricResolutionError(message=_UNANSWERED, failed_metrics=asked)
        checks = {metric.id: _check(metric) for metric in asked if metric.metric_name not in _TABLE_METRICS}
        data.ask([check for check in checks.values() if isinstance(check, Check)])
        answers = {metric.id: _answer(metric, checks.get(metric.id), data) for metric in asked}
        for metric in asked:
            if answers[metric.id] is _UNANSWERED:
                raise MetricResolutionError(message=_UNANSWERED, failed_metrics=(metric,))
        return answers

    def resolve_metric_bundle(self, metric_fn_bundle: Any) -> dict[Any, Any]:
        """No metrics are bundled, as one round answers them all."""
        return {}

    # A condition is part of a metric's check and compiled with it, so Great Expectations never needs it as a clause.

    def _comparison_condition_to_filter_clause(self, condition: Any) -> pl.Expr:
        raise OptionRefused

    def _nullity_condition_to_filter_clause(self, condition: Any) -> pl.Expr:
        raise OptionRefused

    def _and_condition_to_filter_clause(self, condition: Any) -> pl.Expr:
        raise OptionRefused

    def _or_condition_to_filter_clause(self, condition: Any) -> pl.Expr:
        raise OptionRefused


def _check(metric: MetricConfiguration) -> Check | None:
    """The check a metric is about; None if its condition or options are refused."""
    kind, _ = _split(metric.metric_name)
    kwargs = {**metric.metric_domain_kwargs, **(metric.metric_value_kwargs or {})}
    condition = _condition(metric)
    if condition is not None:
        kwargs[CONDITION] = condition
    known = {option.name for option in kind.options} | {"column", "column_A", "column_B", "column_list", CONDITION}
    asked = {name: kwargs[name] for name in known & set(kwargs) if kwargs[name] is not None}
    try:
        return check_of(kind.name, asked | ({"min_value": 0} if kind.counts else {}))
    except DocumentInvalid:
        return None


def _condition(metric: MetricConfiguration) -> Any:
    """The condition of a metric, in the form a suite has it."""
    said = metric.metric_domain_kwargs.get(CONDITION)
    return said.dict() if isinstance(said, Condition) else said


def _split(metric_name: str) -> tuple[Kind, str]:
    if metric_name in COUNT_METRICS:
        return COUNT_METRICS[metric_name], OBSERVED
    base, _, suffix = metric_name.rpartition(".")
    return ROW_METRICS[base], suffix


def _answer(metric: MetricConfiguration, check: Check | None, data: PassData) -> Any:
    result = data.result
    if result is None:
        return _UNANSWERED
    if metric.metric_name in _TABLE_METRICS:
        columns = list(result.columns)
        rows = _rows(metric, data)
        return {"table.row_count": rows, "table.columns": columns}.get(metric.metric_name, len(columns))
    if check is None:
        return _UNANSWERED
    outcome = data.answers.get(check) or data.counts.get((check.kind, check.columns))
    suffix = _split(metric.metric_name)[1]
    if outcome is None:
        return _null_answer(check, suffix, data)
    return _UNANSWERED if outcome.state is not State.COUNTED else _of_outcome(outcome, suffix)


def _rows(metric: MetricConfiguration, data: PassData) -> Any:
    """The number of rows in the file, or of those that meet the metric's condition."""
    if metric.metric_domain_kwargs.get(CONDITION) is None:
        return data.result.rows if data.result is not None else _UNANSWERED
    try:
        condition = read_condition(_condition(metric))
    except ValueError:
        return _UNANSWERED
    found = (each.meant for check, each in data.answers.items() if check.condition == condition)
    whole = _UNANSWERED if data.result is None else data.result.rows
    return next((meant for meant in found if meant is not None), whole)


def _null_answer(check: Check, suffix: str, data: PassData) -> Any:
    """Answer how many NULLs a column has, among the rows that the condition selects.

    Every column kind asks Great Expectations for this, even if no rule is about NULLs.
    """
    if check.kind != _NULLS or suffix != COUNT or data.result is None:
        return _UNANSWERED
    if check.condition is not None:
        beside = (each for one, each in data.answers.items() if _is_beside(one, check))
        of = data.result.rows
        return next(((of if each.meant is None else each.meant) - each.domain_count for each in beside), _UNANSWERED)
    nulls = data.result.nulls(check.columns[0])
    return _UNANSWERED if nulls is None else nulls


def _is_beside(one: Check, nulls: Check) -> bool:
    """Whether ``one`` has the columns and condition of ``nulls``, and leaves out exactly the NULLs."""
    asks_all = one.kind in (_NULLS, _EMPTY)
    return one.columns == nulls.columns and one.condition == nulls.condition and not asks_all


def _of_outcome(outcome: RuleOutcome, suffix: str) -> Any:
    if suffix == INDEXES:
        return outcome.failing.to_list() if outcome.failing is not None else []
    numbers: Mapping[str, Any] = {
        COUNT: outcome.unexpected_count,
        FILTERED: outcome.domain_count,
        VALUES: [],
        QUERY: None,
        OBSERVED: outcome.observed,
    }
    return numbers[suffix]


class _Answered(MetricProvider):
    """Provider of every metric of the closed list. Without dependencies, all are resolved in one round."""

    @classmethod
    def get_evaluation_dependencies(
        cls,
        metric: MetricConfiguration,
        configuration: Any = None,
        execution_engine: Any = None,
        runtime_configuration: dict[str, Any] | None = None,
    ) -> dict[str, MetricConfiguration]:
        return {}


def _never_called(**_: Any) -> None:
    """A provider function, because the registry requires one; ``resolve_metrics`` answers without calling it."""


def _register() -> None:
    names = [f"{metric}.{suffix}" for metric in ROW_METRICS for suffix in _SUFFIXES]
    for name in (*names, *COUNT_METRICS, *_TABLE_METRICS):
        known = registry._registered_metrics.get(name)
        if known is not None:
            registry.register_metric(
                metric_name=name,
                metric_domain_keys=known["metric_domain_keys"],
                metric_value_keys=known["metric_value_keys"],
                execution_engine=OnePassEngine,
                metric_class=_Answered,
                metric_provider=_never_called,
            )


class FrameAsset(DataAsset[Any, Any]):
    """One frame (or one pass), given as the batch parameter ``dataframe``."""

    type: Literal["polars_frame"] = "polars_frame"

    def test_connection(self) -> None:
        """There is nothing to connect to."""

    def get_batch_parameters_keys(self, partitioner: Any = None) -> tuple[str, ...]:
        """The one parameter."""
        return ("dataframe",)

    def build_batch_request(self, options: Any = None, batch_slice: Any = None, partitioner: Any = None) -> Request:
        """A request for one frame; slices and partitions are refused."""
        if batch_slice is not None or partitioner is not None or not _is_frame(options):
            raise BuildBatchRequestError(message="options must be exactly {'dataframe': a polars frame}")
        return BatchRequest(datasource_name=self.datasource.name, data_asset_name=self.name, options=options)

    def get_batch_identifiers_list(self, batch_request: Request) -> list[dict[str, Any]]:
        """One batch."""
        return [IDDict(batch_request.options)]

    def get_batch(self, batch_request: Request) -> Batch:
        """The batch around the frame."""
        self._validate_batch_request(batch_request)
        spec = RuntimeDataBatchSpec(batch_data=batch_request.options["dataframe"])
        data, markers = self.datasource.get_execution_engine().get_batch_data_and_markers(batch_spec=spec)
        definition = LegacyBatchDefinition(
            datasource_name=self.datasource.name,
            data_connector_name=_DATA_CONNECTOR_NAME,
            data_asset_name=self.name,
            batch_identifiers=make_batch_identifier({}),
        )
        return Batch(
            datasource=self.datasource,
            data_asset=self,
            batch_request=batch_request,
            data=data,
            batch_markers=markers,
            batch_spec=spec,
            batch_definition=definition,
        )

    def add_batch_definition_whole_frame(self, name: str) -> Any:
        """A definition of the whole frame, for ``ValidationDefinition`` and ``Checkpoint``."""
        return self.add_batch_definition(name=name, partitioner=None)

    def _validate_batch_request(self, batch_request: Request) -> None:
        mine = batch_request.datasource_name == self.datasource.name and batch_request.data_asset_name == self.name
        if not mine or not _is_frame(batch_request.options):
            raise InvalidBatchRequestError("the batch request is not one of this asset")


def _is_frame(options: Any) -> bool:
    return (
        isinstance(options, dict)
        and set(options) == {"dataframe"}
        and isinstance(options["dataframe"], pl.DataFrame | PassResult)
    )


class OnePassDatasource(Datasource[Any, Any]):
    """``context.data_sources.add_polars_once(name)``: polars frames, judged in one pass."""

    asset_types: ClassVar[list[AssetType]] = [FrameAsset]
    type: Literal["polars_once"] = "polars_once"
    assets: list[FrameAsset] = []  # noqa: RUF012  # a pydantic field, copied per source

    @property
    def execution_engine_type(self) -> EngineType:
        """The engine of this source."""
        return OnePassEngine

    def test_connection(self, test_assets: bool = True) -> None:
        """There is nothing to connect to."""

    def add_frame_asset(self, name: str) -> FrameAsset:
        """An asset that takes one frame per batch request."""
        asset = FrameAsset(name=name)
        self._add_asset(asset)
        return asset


_register()
