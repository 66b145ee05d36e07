"""Check an event before it is sent: no unknown key or facet, and the exact URL of every schema.

Standard parts are read back into the classes of openlineage-python, which are generated from the
official schemas; a key that a class does not have fails the check. Our own facets are checked against
our JSON Schemas. (The tests validate the same events against the official schemas.)
"""

import json
from enum import Enum
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

import attrs

from sluice.errors import Ref
from sluice.lineage.model import EventInvalid

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

CORE = "https://openlineage.io/spec/2-0-2/OpenLineage.json"
SCHEMAS = Path(__file__).parent / "facets"
BASES = ("RunFacet", "JobFacet", "DatasetFacet", "InputDatasetFacet", "OutputDatasetFacet")
PLACES = {
    ("run", "facets"): "run",
    ("job", "facets"): "job",
    ("inputs", "facets"): "dataset",
    ("outputs", "facets"): "dataset",
    ("inputs", "inputFacets"): "input",
    ("outputs", "outputFacets"): "output",
}


def check_event(event: str) -> None:
    """Check that an event may be sent. Raises EventInvalid, naming the place of the fault."""
    from openlineage.client.generated.base import RunEvent

    try:
        document = json.loads(event)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise EventInvalid(Ref("at", "the whole event"))
    for (holder, name), place in PLACES.items():
        parts = document.get(holder) or {}
        for part in parts if isinstance(parts, list) else [parts]:
            _check_facets(part.pop(name, {}) if isinstance(part, dict) else {}, place)
    if document.get("schemaURL") != RunEvent._get_schema():
        raise EventInvalid(Ref("at", "schemaURL"))
    _read_back(document, RunEvent, "event")


def _check_facets(facets: Any, place: str) -> None:
    standard = _standard_facets()[place]
    for key, facet in facets.items():
        where = f"{place} facet {key}"
        if key in standard:
            expected = frozenset({standard[key]._get_schema()})
        elif key in _our_facets()[place]:
            expected = _schemas_of(_our_facets()[place][key].__name__)
        else:
            raise EventInvalid(Ref("at", where), Ref("reason", "unknown facet"))
        if not isinstance(facet, dict) or facet.get("_schemaURL") not in expected:
            raise EventInvalid(Ref("at", where), Ref("reason", "another schema URL"))
        if not str(facet.get("_producer", "")).startswith("https://"):
            raise EventInvalid(Ref("at", where), Ref("reason", "no producer"))
        if key in standard:
            _read_back(facet, standard[key], where)
        else:
            _check_ours(facet, facet["_schemaURL"], where)


def _read_back(value: Any, kind: Any, where: str) -> Any:
    """Turn ``value`` into an instance of ``kind``; the class must have every key. Raises EventInvalid."""
    if get_origin(kind) in (Union, UnionType):
        kind = next(option for option in get_args(kind) if option is not NoneType)
    if get_origin(kind) is list:
        _must_be(value, list, where)
        return [_read_back(item, get_args(kind)[0], f"{where}[{index}]") for index, item in enumerate(value)]
    if get_origin(kind) is dict:
        _must_be(value, dict, where)
        return {key: _read_back(item, get_args(kind)[1], f"{where}.*") for key, item in value.items()}
    if attrs.has(kind):
        return _read_object(value, kind, where)
    if isinstance(kind, type) and issubclass(kind, Enum):
        _must_be(value, str, where)
        if value not in {member.value for member in kind}:
            raise EventInvalid(Ref("at", where))
        return kind(value)
    _must_be(value, kind, where)
    return value


def _read_object(value: Any, kind: Any, where: str) -> Any:
    _must_be(value, dict, where)
    fields = {field.name: field for field in attrs.fields(attrs.resolve_types(kind))}
    if unknown := sorted(set(value) - set(fields)):
        raise EventInvalid(Ref("at", where), Ref("unknown keys", len(unknown)))
    parts = {
        fields[key].alias: _read_back(item, fields[key].type, f"{where}.{key}")
        for key, item in value.items()
        if fields[key].init
    }
    try:
        return kind(**parts)
    except (TypeError, ValueError):
        pass
    raise EventInvalid(Ref("at", where), Ref("reason", "a part is missing or malformed"))


def _must_be(value: Any, kind: type, where: str) -> None:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise EventInvalid(Ref("at", where), Ref("reason", "wrong type"))


def _check_ours(facet: dict[str, Any], url: str, where: str) -> None:
    error = next(_our_schema(url).iter_errors(facet), None)
    if error is not None:
        path = ".".join(str(step) for step in error.absolute_path)
        raise EventInvalid(Ref("at", f"{where}.{path}" if path else where), Ref("rule", str(error.validator)))


@cache
def _our_schema(url: str) -> "Draft202012Validator":
    from jsonschema import Draft202012Validator
    from referencing import Registry, Resource

    documents = [json.loads(path.read_text(encoding="utf-8")) for path in SCHEMAS.glob("*/*.json")]
    core = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": CORE,
        "$defs": {base: {"type": "object", "required": ["_producer", "_schemaURL"]} for base in BASES},
    }
    registry: Registry[Any] = Registry().with_resources(
        (document["$id"], Resource.from_contents(document)) for document in (core, *documents)
    )
    return Draft202012Validator({"$ref": url}, registry=registry, format_checker=Draft202012Validator.FORMAT_CHECKER)


@cache
def _schemas_of(name: str) -> frozenset[str]:
    """The URLs of all versions of the schema of one of our facets."""
    from sluice.lineage.facets import schema_url

    return frozenset(schema_url(name, path.parent.name) for path in SCHEMAS.glob(f"*/{name}.json"))


@cache
def _our_facets() -> dict[str, dict[str, Any]]:
    from sluice.lineage.facets import OURS

    return OURS


@cache
def _standard_facets() -> dict[str, dict[str, Any]]:
    """The standard facets that we send, by place; any other counts as unknown."""
    from openlineage.client.generated import (
        column_lineage_dataset,
        data_quality_assertions_dataset,
        dataset_version_dataset,
        datasource_dataset,
        input_statistics_input_dataset,
        job_type_job,
        lifecycle_state_change_dataset,
        nominal_time_run,
        output_statistics_output_dataset,
        ownership_job,
        parent_run,
        processing_engine_run,
        schema_dataset,
        storage_dataset,
        tags_run,
    )

    return {
        "run": {
            "nominalTime": nominal_time_run.NominalTimeRunFacet,
            "parent": parent_run.ParentRunFacet,
            "processing_engine": processing_engine_run.ProcessingEngineRunFacet,
            "tags": tags_run.TagsRunFacet,
        },
        "job": {"jobType": job_type_job.JobTypeJobFacet, "ownership": ownership_job.OwnershipJobFacet},
        "dataset": {
            "schema": schema_dataset.SchemaDatasetFacet,
            "dataSource": datasource_dataset.DatasourceDatasetFacet,
            "storage": storage_dataset.StorageDatasetFacet,
            "version": dataset_version_dataset.DatasetVersionDatasetFacet,
            "columnLineage": column_lineage_dataset.ColumnLineageDatasetFacet,
            "lifecycleStateChange": lifecycle_state_change_dataset.LifecycleStateChangeDatasetFacet,
        },
        "input": {
            "inputStatistics": input_statistics_input_dataset.InputStatisticsInputDatasetFacet,
            "dataQualityAssertions": data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet,
        },
        "output": {"outputStatistics": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet},
    }
