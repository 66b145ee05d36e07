"""Our own OpenLineage facets as classes, beside the standard ones of openlineage-python.

Their JSON Schemas are in ``facets/``, a folder for each version. 1-0-1 also takes small letters in the names of
agreements, instructions and retention rules; only a facet with such a name says that version, so that whoever knows
1-0-0 alone gets what they got before.
"""

from collections.abc import Iterable
from typing import Any, ClassVar

import attrs
from openlineage.client.generated.base import DatasetFacet, InputDatasetFacet, OutputDatasetFacet, RunFacet

BASE = "https://sluice.example/spec/facets"
FIRST, WITH_SMALL_LETTERS = "1-0-0", "1-0-1"
SUBJECT_FLOOR = 10
"""An event gives no count of fewer distinct persons than this, because a small number can point at one of them."""


def schema_url(name: str, version: str = FIRST) -> str:
    """The URL of the schema of one of our facets, including the definition inside it."""
    return f"{BASE}/{version}/{name}.json#/$defs/{name}"


def schema_for(facet: RunFacet | DatasetFacet, names: Iterable[str | None]) -> str:
    """The URL of the first version of a facet's schema that takes these names."""
    is_first = all(name is None or name == name.upper() for name in names)
    return schema_url(type(facet).__name__, FIRST if is_first else WITH_SMALL_LETTERS)


@attrs.define(kw_only=True)
class SluiceExchangeRunFacet(RunFacet):
    """Why and under which agreement and contract one file crossed, and what was decided."""

    exchangeId: str
    direction: str
    principal: str
    purposeIris: list[str]
    legalBasis: str
    basisHolder: str
    agreementId: str
    agreementVersion: str
    contractId: str
    contractVersion: str
    decision: str
    instructionRef: str | None = None
    reasonCode: str | None = None
    ruleId: str | None = None
    gateCounts: dict[str, int] | None = None
    ledgerEntryHash: str | None = None

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self._schemaURL = schema_for(self, (self.agreementId, self.instructionRef))

    @staticmethod
    def _get_schema() -> str:
        return schema_url("SluiceExchangeRunFacet")


@attrs.define(kw_only=True)
class FieldGroupRole:
    """The role profile of one field group."""

    fieldGroup: str
    roleProfile: str
    controller: str
    processor: str
    ownerLabel: str
    basisHolder: str
    legalBasis: str
    purposeIris: list[str]
    retentionRule: str | None = None


@attrs.define(kw_only=True)
class SluiceRolesDatasetFacet(DatasetFacet):
    """The role profile of each field group of a dataset."""

    principal: str
    agreementId: str
    agreementVersion: str
    fieldGroups: list[FieldGroupRole]

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        rules = (group.retentionRule for group in self.fieldGroups)
        self._schemaURL = schema_for(self, (self.agreementId, *rules))

    @staticmethod
    def _get_schema() -> str:
        return schema_url("SluiceRolesDatasetFacet")


@attrs.define(kw_only=True)
class SluiceSafeguardsDatasetFacet(DatasetFacet):
    """Categories, retention and countries of a dataset."""

    dataCategories: list[str]
    specialCategories: bool
    retentionRule: str
    countries: list[str]
    deleteAfter: str | None = None

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self._schemaURL = schema_for(self, [self.retentionRule])

    @staticmethod
    def _get_schema() -> str:
        return schema_url("SluiceSafeguardsDatasetFacet")


@attrs.define(kw_only=True)
class DistinctSubjects:
    """The number of distinct persons; null below the floor."""

    NULLABLE: ClassVar[dict[str, bool]] = {"nullable": True}

    count: int | None = attrs.field(metadata=NULLABLE)
    floor: int
    belowFloor: bool

    @classmethod
    def of(cls, number: int) -> "DistinctSubjects":
        below = number < SUBJECT_FLOOR
        return cls(count=None if below else number, floor=SUBJECT_FLOOR, belowFloor=below)


@attrs.define(kw_only=True)
class SluiceSubjectCountInputDatasetFacet(InputDatasetFacet):
    """How many rows and persons came in, and how many rows were kept out, by reason."""

    rows: int
    rowsAccepted: int
    rowsRefused: int
    distinctSubjects: DistinctSubjects
    heldBack: dict[str, int] | None = None

    @staticmethod
    def _get_schema() -> str:
        return schema_url("SluiceSubjectCountInputDatasetFacet")


@attrs.define(kw_only=True)
class SluiceSubjectCountOutputDatasetFacet(OutputDatasetFacet):
    """How many rows were written, and of how many persons, as counted where they came in."""

    rows: int
    rowsAccepted: int
    rowsRefused: int
    distinctSubjects: DistinctSubjects

    @staticmethod
    def _get_schema() -> str:
        return schema_url("SluiceSubjectCountOutputDatasetFacet")


OURS: dict[str, dict[str, Any]] = {
    "run": {"sluice_exchange": SluiceExchangeRunFacet},
    "job": {},
    "dataset": {"sluice_roles": SluiceRolesDatasetFacet, "sluice_safeguards": SluiceSafeguardsDatasetFacet},
    "input": {"sluice_subjectCount": SluiceSubjectCountInputDatasetFacet},
    "output": {"sluice_subjectCount": SluiceSubjectCountOutputDatasetFacet},
}
"""Our facets, by the part of an event in which each may be."""
