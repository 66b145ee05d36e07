"""Contracts for the gate's tests, as short as a contract can be."""

from sluice.agreement.model import DataContract, FieldRole, FileFormat, QualityRule
from sluice.terms import DataOrigin, Direction, FieldGroup, Flow, Principal, RoleProfile, Severity, Sha256, SubjectKind

KIND = "expect_column_values_to_"


def a_field(name: str, logical_type: str = "string", **said: object) -> FieldRole:
    """A column with every role it needs; ``said`` overrides."""
    known: dict[str, object] = {
        "name": name,
        "group": FieldGroup.CONTRACT,
        "category": "https://w3id.org/dpv/pd#Transactional",
        "origin": DataOrigin.PROVIDED,
        "role_profile": RoleProfile.PRINCIPAL_CONTROLLER,
        "purpose_iris": ("https://w3id.org/dpv#DirectMarketing",),
        "legal_basis": "https://w3id.org/dpv/legal/eu/gdpr#A6-1-f",
        "basis_holder": "principal",
        "retention_rule": "RET-01",
        "automated": True,
        "portable": False,
        "subject_key": None,
        "art9_condition": None,
        "logical_type": logical_type,
        "date_format": None,
        "required": False,
        "unique": False,
    }
    return FieldRole(**(known | said))  # type: ignore[arg-type]  # a builder


def a_key(name: str = "lead") -> FieldRole:
    """The column that finds the person."""
    return a_field(name, required=True, subject_key=SubjectKind.PRINCIPAL_CUSTOMER_ID)


def an_entry(rule_id: str, metric: str | None = None, column: str | None = None, **said: object) -> QualityRule:
    """A quality entry; ``mustBe: 0`` unless ``said``."""
    known: dict[str, object] = {
        "id": rule_id,
        "column": column,
        "metric": metric,
        "arguments": {},
        "operator": "mustBe",
        "threshold": (0.0,),
        "unit": "rows",
        "severity": Severity.ERROR,
        "expectation": None,
    }
    return QualityRule(**(known | said))  # type: ignore[arg-type]  # a builder


def a_contract(*fields: FieldRole, quality: tuple[QualityRule, ...] = (), comma: bool = False) -> DataContract:
    """A contract of those columns."""
    return DataContract(
        contract_id="water01.inbound.leads",
        version="1.0.0",
        status="active",
        principal=Principal("water01"),
        direction=Direction.INBOUND,
        flow=Flow("leads"),
        agreement_id="DPA-WATER01",
        agreement_version="1.0.0",
        file_format=FileFormat("csv", ";", None, comma, None, "BE", None, "*.csv"),
        fields=fields,
        quality=quality,
        suites=(),
        max_refused_share=0.1,
        sha256=Sha256("0" * 64),
        path="leads.odcs.yaml",
    )


def custom(kind: str, column: str, **kwargs: object) -> QualityRule:
    """An entry in Great Expectations' own words."""
    said = {"type": f"{KIND}{kind}", "kwargs": {"column": column} | kwargs}
    return an_entry("q", operator=None, threshold=(), expectation=said)
