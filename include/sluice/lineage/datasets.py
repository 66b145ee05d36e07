"""Describe the file that came in, and its copies, as OpenLineage datasets."""

from openlineage.client.generated.base import DatasetFacet, InputDataset, InputDatasetFacet, OutputDataset
from openlineage.client.generated.column_lineage_dataset import (
    ColumnLineageDatasetFacet,
    Fields,
    InputField,
    Transformation,
)
from openlineage.client.generated.data_quality_assertions_dataset import (
    Assertion,
    DataQualityAssertionsDatasetFacet,
)
from openlineage.client.generated.dataset_version_dataset import DatasetVersionDatasetFacet
from openlineage.client.generated.datasource_dataset import DatasourceDatasetFacet
from openlineage.client.generated.input_statistics_input_dataset import InputStatisticsInputDatasetFacet
from openlineage.client.generated.lifecycle_state_change_dataset import (
    LifecycleStateChange,
    LifecycleStateChangeDatasetFacet,
)
from openlineage.client.generated.output_statistics_output_dataset import OutputStatisticsOutputDatasetFacet
from openlineage.client.generated.schema_dataset import SchemaDatasetFacet, SchemaDatasetFacetFields
from openlineage.client.generated.storage_dataset import StorageDatasetFacet

from sluice.lake_columns import REF, ref_of
from sluice.ledger.copy_kinds import ARRIVED, LAKE, REFUSED_FILE
from sluice.ledger.opened import OpenedRecord
from sluice.ledger.record import ColumnLine, CopyLine, ExchangeRecord, ReasonLine
from sluice.lineage.model import ChangedCopy
from sluice.lineage.ours import output_count_facet, roles_facet, safeguards_facet, subject_count_facet
from sluice.terms import Direction

SAME = Transformation(type="DIRECT", subtype="IDENTITY", masking=False)
MAPPED = Transformation(
    type="DIRECT", subtype="TRANSFORMATION", description="mapping of the platform's columns", masking=False
)
KEYED = Transformation(
    type="DIRECT", subtype="TRANSFORMATION", description="keyed HMAC of the normalised identifier", masking=True
)

SEVERITY = {"error": "error", "warning": "warn"}


def opened_input(opened: OpenedRecord) -> InputDataset:
    """The file version, with what is known before it is read."""
    return InputDataset(
        namespace=f"s3://{opened.bucket}",
        name=opened.key,
        facets=place_of(opened.bucket, opened.version_id, None),
        inputFacets={"inputStatistics": InputStatisticsInputDatasetFacet(size=opened.size_bytes, fileCount=1)},
    )


def input_of(record: ExchangeRecord) -> InputDataset:
    """The file version with its columns, roles, safeguards, counts and failed rules."""
    what = record.what
    declared = declared_columns(record)
    facets: dict[str, DatasetFacet | None] = {
        **place_of(what.bucket, what.version_id, what.format),
        "schema": schema_of(declared),
        "sluice_roles": roles_facet(record),
        "sluice_safeguards": safeguards_facet(record, ARRIVED, REFUSED_FILE),
    }
    counts: dict[str, InputDatasetFacet | None] = {
        "inputStatistics": InputStatisticsInputDatasetFacet(rowCount=what.rows_in, size=what.size_bytes, fileCount=1),
        "dataQualityAssertions": _assertions(record),
        "sluice_subjectCount": subject_count_facet(record),
    }
    return InputDataset(
        namespace=f"s3://{what.bucket}",
        name=what.key,
        facets={name: facet for name, facet in facets.items() if facet is not None},
        inputFacets={name: facet for name, facet in counts.items() if facet is not None},
    )


def outputs_of(record: ExchangeRecord, source: InputDataset) -> list[OutputDataset]:
    """Every copy made by this exchange, except the file as it arrived, which is the input."""
    return [_output(record, copy, source) for copy in record.how_long.copies if copy.kind != ARRIVED]


def declared_columns(record: ExchangeRecord) -> list[ColumnLine]:
    """The columns that the contract names. Any other header is text from the file, which stays out of events."""
    return [column for column in record.what.columns if column.field_group]


def schema_of(columns: list[ColumnLine]) -> SchemaDatasetFacet | None:
    """Column names and types; None when there are none."""
    fields = [SchemaDatasetFacetFields(name=column.name, type=column.logical_type) for column in columns]
    return SchemaDatasetFacet(fields=fields) if fields else None


def copy_output(copy: CopyLine) -> OutputDataset:
    """A copy as a dataset: its place and its size."""
    statistics = OutputStatisticsOutputDatasetFacet(rowCount=copy.rows, size=copy.size_bytes, fileCount=1)
    return OutputDataset(
        namespace=f"s3://{copy.bucket}",
        name=copy.key,
        facets=place_of(copy.bucket, copy.version_id, copy.key.rpartition(".")[2]),
        outputFacets={"outputStatistics": statistics},
    )


def changed_output(copy: ChangedCopy) -> OutputDataset:
    """A copy that is gone, or that an erasure edited: in the version that is there now."""
    state = LifecycleStateChange.DROP if copy.is_gone else LifecycleStateChange.OVERWRITE
    facets = place_of(copy.bucket, copy.version_id, copy.key.rpartition(".")[2])
    change = LifecycleStateChangeDatasetFacet(lifecycleStateChange=state)
    return OutputDataset(
        namespace=f"s3://{copy.bucket}", name=copy.key, facets={**facets, "lifecycleStateChange": change}
    )


def _output(record: ExchangeRecord, copy: CopyLine, source: InputDataset) -> OutputDataset:
    made = copy_output(copy)
    if copy.kind != LAKE:
        return made
    columns = declared_columns(record)
    lineage = _mapped_lineage if record.direction is Direction.INTERNAL else _column_lineage
    facets: dict[str, DatasetFacet | None] = {
        **(made.facets or {}),
        "schema": schema_of(columns),
        "columnLineage": lineage(columns, source) if columns else None,
        "sluice_roles": roles_facet(record),
        "sluice_safeguards": safeguards_facet(record, LAKE),
    }
    made.facets = {name: facet for name, facet in facets.items() if facet is not None}
    if counts := output_count_facet(record):
        made.outputFacets = {**(made.outputFacets or {}), "sluice_subjectCount": counts}
    return made


def place_of(bucket: str, version_id: str | None, file_format: str | None) -> dict[str, DatasetFacet]:
    """The facets for the place of an object."""
    facets: dict[str, DatasetFacet] = {
        "dataSource": DatasourceDatasetFacet(name=f"s3://{bucket}", uri=f"s3://{bucket}"),
        "storage": StorageDatasetFacet(storageLayer="s3", fileFormat=file_format),
    }
    if version_id:
        facets["version"] = DatasetVersionDatasetFacet(datasetVersion=version_id)
    return facets


def _assertions(record: ExchangeRecord) -> DataQualityAssertionsDatasetFacet | None:
    if not record.reasons:
        return None
    declared = {column.name for column in declared_columns(record)}
    return DataQualityAssertionsDatasetFacet(assertions=[_assertion(line, declared) for line in record.reasons])


def _assertion(line: ReasonLine, declared: set[str]) -> Assertion:
    return Assertion(
        name=line.rule,
        assertion=line.code,
        success=False,
        column=line.column if line.column in declared else None,
        severity=SEVERITY.get(line.severity, "error"),
        actual=str(line.count),
    )


def _column_lineage(columns: list[ColumnLine], source: InputDataset) -> ColumnLineageDatasetFacet:
    """Each column comes from the one of the same name; keyed references come from their identifiers, masked."""
    fields = {column.name: Fields(inputFields=[_from(source, column, SAME)]) for column in columns}
    return ColumnLineageDatasetFacet(fields=fields | _references(columns, source))


def _mapped_lineage(columns: list[ColumnLine], source: InputDataset) -> ColumnLineageDatasetFacet:
    """Lineage of a platform's export, whose columns become ours by a mapping that the record does not repeat.

    So its columns are given as sources of the dataset as a whole; only references name the column that they come from.
    """
    return ColumnLineageDatasetFacet(
        fields=_references(columns, source), dataset=[_from(source, column, MAPPED) for column in columns]
    )


def _references(columns: list[ColumnLine], source: InputDataset) -> dict[str, Fields]:
    identifiers = [column for column in columns if column.subject_key]
    each = {ref_of(column.name): [column] for column in identifiers}
    every = each | ({REF: identifiers} if identifiers else {})
    return {
        name: Fields(inputFields=[_from(source, column, KEYED) for column in parts]) for name, parts in every.items()
    }


def _from(source: InputDataset, column: ColumnLine, how: Transformation) -> InputField:
    return InputField(namespace=source.namespace, name=source.name, field=column.name, transformations=[how])
