"""Records of exchanges as the gate closes them: invented, complete, without a value of a person."""

import random
from datetime import UTC, datetime
from typing import Any

from sluice.ledger.model import Entry
from sluice.ledger.record import (
    ColumnLine,
    CopyLine,
    ExchangeRecord,
    How,
    HowLong,
    PurposeLine,
    ReasonLine,
    RightTreatment,
    RoleLine,
    What,
    Who,
    Why,
)
from sluice.terms import Decision, Direction, ExchangeId

EXCHANGE = "7b0d3f1e-5a52-4c7e-9a0e-2f5f0c3d8e11"
GDPR = "https://w3id.org/dpv/legal/eu/gdpr#"
PD = "https://w3id.org/dpv/pd#"
PURPOSE = PurposeLine(
    code="P-RENEW",
    iri="https://w3id.org/dpv#DirectMarketing",
    text={
        "nl": "Klanten bellen over de verlenging van hun contract.",
        "fr": "Appeler les clients au sujet du renouvellement de leur contrat.",
        "en": "Call subscribers about the renewal of their contract.",
    },
    legal_basis=f"{GDPR}A6-1-f",
    basis_holder="principal",
)
COLUMNS = (
    ("vendor_lead_code", "identity", "UID", "principal_customer_id"),
    ("phone_number", "contact_point", "TelephoneNumber", "phone_e164"),
    ("contract_end", "contract", "Transactional", None),
)
TWO_REASONS = (
    ReasonLine(code="VALUE_IDENTIFIER", rule="identifier.phone", column="phone_number", count=12, rows=(3, 17, 204)),
    ReasonLine(code="HEADER_PADDED", rule="format.header", column="contract_end", count=1, severity="warning"),
)
NO_PAPER = (ReasonLine(code="FORBIDDEN_NO_AGREEMENT", rule="paper.in_force", column=None, count=1),)


def many_reasons(number: int, seed: int = 1) -> tuple[ReasonLine, ...]:
    """Reasons of many kinds, some on a column whose name never ends."""
    dice = random.Random(seed)
    codes = ["VALUE_PATTERN", "VALUE_NULL", "DUPLICATE_VALUE", "SHAPE_TOO_FEW_CELLS", "TEXT_REPLACEMENT_CHARACTER"]
    columns = ["phone_number", "a_column_name_" * 14, None]
    return tuple(
        ReasonLine(
            code=dice.choice(codes),
            rule=f"renewal.rule_{index}",
            column=dice.choice(columns),
            count=dice.randint(20, 9000),
            rows=tuple(sorted(dice.sample(range(1, 99999), 20))),
        )
        for index in range(number)
    )


def a_record(
    decision: Decision = Decision.PARTLY_ACCEPTED,
    *,
    rows: tuple[int, int, int] = (41188, 41176, 12),
    reasons: tuple[ReasonLine, ...] = TWO_REASONS,
    exchange_id: str = EXCHANGE,
    subjects: int | None = 4087,
    held: dict[str, int] | None = None,
    airflow: dict[str, str] | None = None,
    **what: Any,
) -> ExchangeRecord:
    """A closed exchange under an agreement; ``what`` replaces parts of its second answer."""
    return ExchangeRecord(
        exchange_id=exchange_id,
        direction=Direction.INBOUND,
        flow="renewal",
        opened_at="2026-11-25T04:12:01.102Z",
        closed_at="2026-11-25T04:12:31.512Z",
        decision=decision,
        reason_code=reasons[0].code if reasons else None,
        rule_id=reasons[0].rule if reasons else None,
        reasons=reasons,
        why=Why(
            agreement_id="DPA-ENERGY01", agreement_version="3.0.0", agreement_sha256="aa" * 32, purposes=(PURPOSE,)
        ),
        what=What(**(_what(rows, subjects) | what)),
        how_long=HowLong(copies=_copies(decision, exchange_id, rows[1]), at_contract_end="delete within 30 days"),
        who=Who(
            principal="energy01",
            language="nl",
            sender="energy01",
            recipients=("center",),
            sub_processors=("Object Store BV",),
            countries=("BE", "NL"),
            roles=tuple(_role(group) for _, group, _, _ in COLUMNS),
        ),
        how=How(
            contract_id="energy01.inbound.renewal",
            contract_version="1.2.0",
            contract_sha256="bb" * 32,
            suites={"telemarketing": "cc" * 32},
            gate_counts={"PASSED": 21, "WARNED": 1, "REFUSED": 3, "UNDECIDED": 0},
            dialect={"delimiter": ";", "encoding": "utf-8"},
            lineage_run_id=exchange_id,
            airflow=airflow or {"dag_id": "inbound_energy01_renewal", "task_id": "drain", "run_id": "r1"},
        ),
        right_treatment=RightTreatment(held_back=held or {}),
    )


def a_refusal_without_paper() -> ExchangeRecord:
    """A file of a principal who has no agreement: recorded, refused, never read."""
    record = a_record(
        Decision.REFUSED, rows=(0, 0, 0), reasons=NO_PAPER, subjects=None, sha256=None, columns=(), format=None
    )
    return record.model_copy(
        update={
            "why": Why(agreement_id=None, agreement_version=None, agreement_sha256=None, purposes=()),
            "who": record.who.model_copy(update={"roles": (), "sub_processors": ()}),
            "how": record.how.model_copy(
                update={"contract_id": None, "contract_version": None, "contract_sha256": None, "suites": {}}
            ),
            "how_long": HowLong(copies=record.how_long.copies[:1], at_contract_end=None),
        }
    )


def an_entry(record: ExchangeRecord, seq: int = 4711) -> Entry:
    """The ledger entry of a record."""
    return Entry(
        chain="DPA-ENERGY01",
        seq=seq,
        kind="exchange.closed",
        exchange_id=ExchangeId(record.exchange_id),
        hash=bytes.fromhex("d1" * 32),
        prev_hash=bytes(32),
        body=b"{}",
        appended_at=datetime(2026, 11, 25, 4, 12, 31, tzinfo=UTC),
        is_new=True,
    )


def _what(rows: tuple[int, int, int], subjects: int | None) -> dict[str, Any]:
    return {
        "bucket": "exchange",
        "key": "energy01/inbound/renewal/2026-11-25.csv",
        "version_id": "3sL4kqtJlcpXroDTDmJ",
        "sha256": "9f" * 32,
        "size_bytes": 583898,
        "format": "csv",
        "rows_in": rows[0],
        "rows_accepted": rows[1],
        "rows_refused": rows[2],
        "columns": tuple(
            ColumnLine(
                name=name,
                field_group=group,
                category=PD + category,
                origin="provided",
                role_profile="PRINCIPAL_CONTROLLER",
                retention_rule="RET-01",
                subject_key=key,
            )
            for name, group, category, key in COLUMNS
        ),
        "distinct_subjects": subjects,
        "special_categories": False,
    }


def _role(group: str) -> RoleLine:
    return RoleLine(
        field_group=group,
        role_profile="PRINCIPAL_CONTROLLER",
        controller="principal",
        processor="center",
        owner_label="principal",
        basis_holder="principal",
    )


def _copies(decision: Decision, exchange_id: str, accepted: int) -> tuple[CopyLine, ...]:
    def copy(kind: str, bucket: str, key: str, rule: str, day: str | None, rows: int | None = None) -> CopyLine:
        return CopyLine(
            kind=kind,
            bucket=bucket,
            key=key,
            version_id=f"v-{kind}",
            sha256="ab" * 32,
            size_bytes=1000,
            rows=rows,
            retention_rule=rule,
            delete_after=day,
        )

    place = f"energy01/renewal/exchange={exchange_id}"
    copies = [copy("arrived", "exchange", "energy01/inbound/renewal/2026-11-25.csv", "arrived", "2026-12-25")]
    if decision in (Decision.ACCEPTED, Decision.PARTLY_ACCEPTED):
        copies.append(copy("lake", "lake", f"{place}/part-0.parquet", "RET-01", "2027-02-23", accepted))
    if decision is Decision.PARTLY_ACCEPTED:
        copies.append(copy("quarantine.rows", "vault", f"{place}/refused_rows.age", "quarantine", "2026-12-25"))
    return (*copies, copy("findings", "vault", f"{place}/findings.csv", "quarantine", None))
