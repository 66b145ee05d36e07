"""Describe a return as OpenLineage datasets: its lake objects and the file made of them, column by column.

Every column traces to a column of the principal's contacts (*echoed*) or of our agents' results
(*added by our staff*). The delivered file is identified by its content, not by a version id of the
store, because delivering it again gives the same bytes.
"""

from collections.abc import Iterable

from openlineage.client.generated.base import DatasetFacet, InputDataset, OutputDataset
from openlineage.client.generated.column_lineage_dataset import (
    ColumnLineageDatasetFacet,
    Fields,
    InputField,
    Transformation,
)
from openlineage.client.generated.dataset_version_dataset import DatasetVersionDatasetFacet
from openlineage.client.generated.input_statistics_input_dataset import InputStatisticsInputDatasetFacet
from openlineage.client.generated.output_statistics_output_dataset import OutputStatisticsOutputDatasetFacet

from sluice.ledger.opened import OpenedRecord
from sluice.ledger.record import ColumnLine, CopyLine, ExchangeRecord, InputLine
from sluice.lineage.datasets import copy_output, declared_columns, place_of, schema_of
from sluice.lineage.graph import GIVEN
from sluice.lineage.model import ADDED, ECHOED, side_of
from sluice.lineage.ours import output_count_facet, roles_facet, safeguards_facet
from sluice.terms import FieldGroup, RoleProfile

COUNTED = {"results.attempts": "contact_id"}
"""Columns that count a column of the results, per record -> the column that is counted."""
DESCRIBED = {"contacts": ECHOED, "results": ADDED}


def return_target(opened: OpenedRecord) -> OutputDataset:
    """The file to be made, known only by its place."""
    return OutputDataset(namespace=f"s3://{opened.bucket}", name=opened.key, facets=place_of(opened.bucket, None, None))


def return_inputs(record: ExchangeRecord) -> list[InputDataset]:
    """The objects of which a return is made, or whose held rows come back, each pinned to its version."""
    return [
        InputDataset(
            namespace=f"s3://{each.bucket}",
            name=each.key,
            facets=place_of(each.bucket, each.version_id, each.key.rpartition(".")[2]),
            inputFacets={"inputStatistics": InputStatisticsInputDatasetFacet(fileCount=1)},
        )
        for each in record.what.inputs
    ]


def return_outputs(record: ExchangeRecord) -> list[OutputDataset]:
    """The file that the principal gets, if any, then every copy that stays here."""
    copies = record.how_long.copies
    sent = [_delivered(record, copy) for copy in copies if copy.kind in GIVEN]
    return [*sent, *(copy_output(copy) for copy in copies)]


def _delivered(record: ExchangeRecord, copy: CopyLine) -> OutputDataset:
    what, columns = record.what, declared_columns(record)
    facets: dict[str, DatasetFacet | None] = {
        **place_of(what.bucket, None, what.format),
        "version": DatasetVersionDatasetFacet(datasetVersion=f"sha256:{copy.sha256}"),
        "schema": schema_of(columns),
        "columnLineage": _column_lineage(columns, what.inputs),
        "sluice_roles": roles_facet(record),
        "sluice_safeguards": safeguards_facet(record, copy.kind),
    }
    counts = output_count_facet(record)
    statistics = OutputStatisticsOutputDatasetFacet(rowCount=copy.rows, size=copy.size_bytes, fileCount=1)
    return OutputDataset(
        namespace=f"s3://{what.bucket}",
        name=what.key,
        facets={name: facet for name, facet in facets.items() if facet is not None},
        outputFacets={"outputStatistics": statistics} | ({"sluice_subjectCount": counts} if counts else {}),
    )


def _column_lineage(columns: Iterable[ColumnLine], inputs: Iterable[InputLine]) -> ColumnLineageDatasetFacet:
    lines = list(inputs)
    fields = {column.name: Fields(inputFields=_sources(column, lines)) for column in columns}
    return ColumnLineageDatasetFacet(fields=fields)


def _sources(column: ColumnLine, inputs: Iterable[InputLine]) -> list[InputField]:
    """The source column in every input of its side, because rows may come from different files."""
    side, name = side_of(column.source)
    field, how = COUNTED.get(f"{side}.{name}", name), _transformation(column, side)
    return [
        InputField(namespace=f"s3://{each.bucket}", name=each.key, field=field, transformations=[how])
        for each in inputs
        if each.kind == side
    ]


def _transformation(column: ColumnLine, side: str) -> Transformation:
    said = DESCRIBED.get(side)
    if column.source in COUNTED:
        return Transformation(type="DIRECT", subtype="AGGREGATION", description=f"{said}: counted", masking=False)
    if column.field_group == FieldGroup.AGENT_REF and column.role_profile == RoleProfile.INDEPENDENT:
        pseudonym = f"{said}: keyed reference of the agent"
        return Transformation(type="DIRECT", subtype="TRANSFORMATION", description=pseudonym, masking=True)
    return Transformation(type="DIRECT", subtype="IDENTITY", description=said, masking=False)
