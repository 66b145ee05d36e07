"""Compose an event from the standard classes and our facets. Importing this loads openlineage-python (0.7 s).

No value, sample, statement or stack trace can get into an event: every part is a code, a count, a hash,
a column of the contract or an object key, and :mod:`sluice.lineage.check` refuses anything else.
"""

import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from enum import Enum
from importlib.metadata import version
from typing import Any

import attrs
from openlineage.client.generated.base import (
    EventType,
    InputDataset,
    Job,
    OutputDataset,
    Run,
    RunEvent,
    RunFacet,
)
from openlineage.client.generated.job_type_job import JobTypeJobFacet
from openlineage.client.generated.nominal_time_run import NominalTimeRunFacet
from openlineage.client.generated.ownership_job import Owner, OwnershipJobFacet
from openlineage.client.generated.parent_run import Job as ParentJob
from openlineage.client.generated.parent_run import ParentRunFacet, Root, RootJob, RootRun
from openlineage.client.generated.parent_run import Run as ParentRun
from openlineage.client.generated.processing_engine_run import ProcessingEngineRunFacet
from openlineage.client.generated.tags_run import TagsRunFacet, TagsRunFacetFields

from sluice.ledger.opened import OpenedRecord
from sluice.ledger.record import ExchangeRecord, is_dial_key
from sluice.lineage.datasets import changed_output, input_of, opened_input, outputs_of
from sluice.lineage.graph import MADE_WAYS, is_made
from sluice.lineage.model import ChangedCopy
from sluice.lineage.ours import REASONS_HELD, exchange_facet
from sluice.lineage.returned import return_inputs, return_outputs, return_target
from sluice.terms import Decision, Direction
from sluice.times import utc_text

PRODUCER = f"https://sluice.example/releases/{version('sluice')}"
OUTCOME = {
    Decision.ACCEPTED: EventType.COMPLETE,
    Decision.PARTLY_ACCEPTED: EventType.COMPLETE,
    Decision.REFUSED: EventType.FAIL,
    Decision.UNDECIDED: EventType.FAIL,
}


def compose_start(opened: OpenedRecord, environment: str) -> str:
    """See :func:`sluice.lineage.events.start_event`."""
    tags = {"principal": opened.principal, "direction": opened.direction.value}
    if opened.agreement_id:
        tags["agreement"] = f"{opened.agreement_id}@{opened.agreement_version}"
    facets: dict[str, RunFacet] = {
        "nominalTime": NominalTimeRunFacet(nominalStartTime=opened.opened_at),
        "processing_engine": _engine(),
        "tags": _tags(tags),
    }
    nothing_arrives = opened.direction in MADE_WAYS or is_dial_key(opened.direction, opened.key)
    return _write(
        RunEvent(
            eventTime=opened.opened_at,
            producer=PRODUCER,
            eventType=EventType.START,
            run=Run(runId=opened.exchange_id, facets=facets),
            job=_job(environment, f"{opened.principal}.{opened.direction}.{opened.flow}"),
            inputs=[] if nothing_arrives else [opened_input(opened)],
            outputs=[return_target(opened)] if nothing_arrives else [],
        )
    )


def compose_closed(record: ExchangeRecord, entry_hash: str, environment: str) -> str:
    """See :func:`sluice.lineage.events.closed_event`."""
    inputs, outputs = _datasets(record)
    return _write(
        RunEvent(
            eventTime=record.closed_at,
            producer=PRODUCER,
            eventType=OUTCOME[record.decision],
            run=Run(runId=record.exchange_id, facets=_run_facets(record, entry_hash)),
            job=_job(environment, f"{record.who.principal}.{record.direction}.{record.flow}"),
            inputs=inputs,
            outputs=outputs,
        )
    )


def compose_changed(
    record: ExchangeRecord, changed: Iterable[ChangedCopy], changed_at: datetime, environment: str
) -> str:
    """See :func:`sluice.lineage.events.changed_event`."""
    tags = {"principal": record.who.principal, "direction": record.direction.value}
    return _write(
        RunEvent(
            eventTime=utc_text(changed_at),
            producer=PRODUCER,
            eventType=EventType.OTHER,
            run=Run(runId=record.exchange_id, facets={"processing_engine": _engine(), "tags": _tags(tags)}),
            job=_job(environment, f"{record.who.principal}.{record.direction}.{record.flow}"),
            inputs=[],
            outputs=[changed_output(copy) for copy in changed],
        )
    )


def _datasets(record: ExchangeRecord) -> tuple[list[InputDataset], list[OutputDataset]]:
    """The inputs and outputs of an exchange."""
    if is_made(record):
        return return_inputs(record), return_outputs(record)
    source = input_of(record)
    return [source, *return_inputs(record)], outputs_of(record, source)


def _run_facets(record: ExchangeRecord, entry_hash: str) -> dict[str, RunFacet]:
    tags = {"principal": record.who.principal, "direction": record.direction.value, "decision": record.decision.value}
    if record.reason_code:
        tags["reason"] = record.reason_code
    tags |= _counted_tags(record)
    facets: dict[str, RunFacet | None] = {
        "nominalTime": NominalTimeRunFacet(nominalStartTime=record.opened_at, nominalEndTime=record.closed_at),
        "processing_engine": _engine(),
        "parent": _parent(record.how.airflow),
        "sluice_exchange": exchange_facet(record, entry_hash),
        "tags": _tags(tags),
    }
    return {name: facet for name, facet in facets.items() if facet is not None}


def _counted_tags(record: ExchangeRecord) -> dict[str, str]:
    """Counts for which the facets of 1-0-0 have no field, as tags.

    These are rows held for other reasons than a right; for a return or dial list, all held rows and reasons.
    """
    treatment, supersedes = record.right_treatment, record.what.supersedes
    is_return = record.direction is Direction.OUTBOUND_RETURN or record.is_dial_list
    held = {code: count for code, count in treatment.held_back.items() if is_return or code not in REASONS_HELD}
    counts = Counter({f"held.{code}": count for code, count in held.items()})
    counts.update({f"withheld.{column}": count for column, count in treatment.withheld.items()})
    for line in record.reasons if is_return else ():
        counts[f"{line.severity}.{line.code}"] += line.count
    return {key: str(count) for key, count in counts.items()} | ({"supersedes": supersedes} if supersedes else {})


def _job(environment: str, name: str) -> Job:
    return Job(
        namespace=f"sluice-{environment}",
        name=name,
        facets={
            "jobType": JobTypeJobFacet(processingType="BATCH", integration="SLUICE", jobType="EXCHANGE"),
            "ownership": OwnershipJobFacet(owners=[Owner(name="team:data-exchange", type="MAINTAINER")]),
        },
    )


def _engine() -> ProcessingEngineRunFacet:
    return ProcessingEngineRunFacet(name="Sluice", version=version("sluice"))


def _tags(tags: dict[str, str]) -> TagsRunFacet:
    return TagsRunFacet(
        tags=[TagsRunFacetFields(key=f"sluice.{key}", value=value, source="SLUICE") for key, value in tags.items()]
    )


def _parent(airflow: dict[str, str]) -> ParentRunFacet | None:
    """The task run and DAG run as parents, if the record holds the ids that Airflow's provider gives them."""
    run, root = airflow.get("lineage_run_id"), airflow.get("lineage_root_run_id")
    namespace, dag, task = airflow.get("lineage_namespace"), airflow.get("dag_id"), airflow.get("task_id")
    if not (run and root and namespace and dag and task):
        return None
    return ParentRunFacet(
        run=ParentRun(runId=run),
        job=ParentJob(namespace=namespace, name=f"{dag}.{task}"),
        root=Root(run=RootRun(runId=root), job=RootJob(namespace=namespace, name=dag)),
    )


def _write(event: RunEvent) -> str:
    plain = {"inputs": []} | attrs.asdict(event, filter=_is_said, value_serializer=_plain)
    for place in _facets_of(plain):
        for facet in place.values():
            facet["_producer"] = PRODUCER
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _facets_of(plain: dict[str, Any]) -> list[dict[str, Any]]:
    datasets = [*plain["inputs"], *plain.get("outputs", ())]
    names = ("facets", "inputFacets", "outputFacets")
    return [holder[name] for holder in (plain["run"], plain["job"], *datasets) for name in names if name in holder]


def _is_said(attribute: "attrs.Attribute[Any]", value: Any) -> bool:
    """Whether to write an attribute: it has a value, or its schema requires it, be it null or empty."""
    is_required = attribute.default is attrs.NOTHING or attribute.metadata.get("nullable", False)
    return is_required or (value is not None and value != {} and value != [])


def _plain(_: Any, __: Any, value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value
