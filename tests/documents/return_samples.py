"""Records of a return and of our agents' results: invented, complete, without a value of a person."""

from typing import Any

from documents.samples import EXCHANGE, GDPR, PD, a_record
from sluice.agreement.roles.profiles import PROFILES
from sluice.ledger.record import (
    ColumnLine,
    CopyLine,
    ExchangeRecord,
    InputLine,
    ReasonLine,
    RoleLine,
    Screening,
)
from sluice.terms import Decision, Direction, RoleProfile, ScreenClass

BEFORE = "1d9a7c1e-0f4e-4b5c-8d1c-6a2f6f0a9b77"
CONTACTS, RESULTS, MORE_RESULTS = (f"c0ffee0{n}-5a52-4c7e-9a0e-2f5f0c3d8e11" for n in (1, 2, 3))
DELIVERED = "energy01/outbound/renewal_results/renewal_results_2026-11-24_2.csv"
WARNINGS = (
    "SEED_OWNER_NO_SIGN_OFF: contestable under EDPB 07/2020, and nobody signed it off",
    "SEED_OWNER_NO_REVERSE_ART28: no agreement makes the principal processor of this part",
)
COLUMNS = (
    ("customer_number", "identity", "UID", "provided", "PRINCIPAL_CONTROLLER", "contacts.customer_number"),
    ("phone", "contact_point", "TelephoneNumber", "provided", "PRINCIPAL_CONTROLLER", "contacts.phone"),
    ("contacted_at", "call_event", "CallLog", "observed", "SEED_OWNER", "results.started_at"),
    ("attempts", "call_event", "CallLog", "observed", "SEED_OWNER", "results.attempts"),
    ("disposition", "disposition", "Interaction", "agent_made", "SEED_OWNER", "results.disposition"),
    ("note", "note_free_text", "Interaction", "agent_made", "SEED_OWNER", "results.note"),
    ("recording_ref", "recording_ref", "VoiceCommunicationRecording", "observed", "SEED_OWNER",
        "results.recording_ref"),
    ("agent", "agent_ref", "UID", "agent_made", "INDEPENDENT", "results.agent"),
    ("talk_seconds", "handling_times", "CallLog", "observed", "STAFF", "results.talk_seconds"),
)  # fmt: skip
HELD = {
    "STAFF_EXAM_BELOW_MINIMUM": 14,
    "RESULT_UNKNOWN_RECORD": 6,
    "RESULT_OTHER_PERSON": 2,
    "AGENT_UNKNOWN": 1,
}
SCREENING = Screening(
    tables_version="2026-11-25",
    screened_for=tuple(word.value for word in ScreenClass),
    notes=2_310,
    found={"health": 4, "iban": 2, "phone": 11},
    masked=12,
    sampled=46,
)

HOW = {"screening": SCREENING, "suites": {}}


def a_return(
    decision: Decision = Decision.PARTLY_ACCEPTED,
    *,
    held: dict[str, int] | None = None,
    reasons: tuple[ReasonLine, ...] = (),
    rows: tuple[int, int, int] | None = None,
    warnings: tuple[str, ...] = WARNINGS,
    **what: Any,
) -> ExchangeRecord:
    """A return of the contacts of 24 November. ``rows``: in, sent, refused; the rest is held."""
    held = HELD if held is None else held
    rows = rows or (4087 + sum(held.values()), 4087, 0)
    columns = tuple(_column(*column) for column in COLUMNS)
    record = a_record(decision, rows=rows, reasons=reasons, held=held, airflow={})
    parts = {
        "key": DELIVERED,
        "version_id": "inputs-2f0753cae9b8932d96b8baf93a081d48",
        "rows_held": sum(held.values()),
        "columns": columns,
        "inputs": INPUTS,
        "supersedes": BEFORE,
    }
    sent = decision in (Decision.ACCEPTED, Decision.PARTLY_ACCEPTED)
    return record.model_copy(
        update={
            "direction": Direction.OUTBOUND_RETURN,
            "flow": "renewal_results",
            "what": record.what.model_copy(update=parts | what),
            "how_long": record.how_long.model_copy(update={"copies": _copies(rows[1]) if sent else _copies(0)[2:]}),
            "who": record.who.model_copy(
                update={
                    "sender": "center",
                    "recipients": ("energy01",),
                    "roles": _roles(columns),
                    "role_warnings": warnings,
                }
            ),
            "how": record.how.model_copy(update=HOW | {"contract_id": "energy01.outbound_return.renewal_results"}),
            "right_treatment": record.right_treatment.model_copy(
                update={"withheld": {"recording_ref": 31} if sent else {}}
            ),
        }
    )


def some_results() -> ExchangeRecord:
    """A platform's export of one night: notes masked, notes held for a person to read, notes sampled."""
    reasons = (
        ReasonLine(code="VALUE_TIMESTAMP", rule="result.started_at", column="TIMESTAMP", count=3, rows=(7, 90, 412)),
        ReasonLine(
            code="TEXT_PHONE_MASKED", rule="free_text.phone", column="note", count=11, rows=(3, 8), severity="warning"
        ),
        ReasonLine(
            code="TEXT_IBAN_MASKED", rule="free_text.iban", column="note", count=2, rows=(21, 60), severity="warning"
        ),
        ReasonLine(code="TEXT_SAMPLE", rule="free_text.sample", column="note", count=46, rows=(5,), severity="warning"),
    )
    held = {"TEXT_HEALTH_REVIEW": 4, "TEXT_INSULT_REVIEW": 1}
    record = a_record(rows=(2400, 2392, 3), reasons=reasons, held=held, key="energy01/internal/renewal_results/log.csv")
    columns = tuple(_arrived(*column) for column in COLUMNS)
    return record.model_copy(
        update={
            "direction": Direction.INTERNAL,
            "flow": "renewal_results",
            "what": record.what.model_copy(update={"bucket": "internal", "rows_held": 5, "columns": columns}),
            "who": record.who.model_copy(
                update={"sender": "center", "roles": _roles(columns), "role_warnings": WARNINGS}
            ),
            "how": record.how.model_copy(update=HOW | {"contract_id": "energy01.internal.renewal_results"}),
        }
    )


def _column(name: str, group: str, category: str, origin: str, profile: str, source: str) -> ColumnLine:
    row = PROFILES[RoleProfile(profile)]
    return _arrived(name, group, category, origin, profile, source).model_copy(
        update={
            "controller": row.controller,
            "processor": row.processor,
            "owner_label": row.owner_label,
            "basis_holder": row.basis_holder,
            "legal_basis": f"{GDPR}A6-1-f",
            "source": source,
        }
    )


def _arrived(name: str, group: str, category: str, origin: str, profile: str, source: str) -> ColumnLine:
    keys = {"customer_number": "principal_customer_id"}
    return ColumnLine(
        name=name,
        field_group=group,
        category=PD + category,
        origin=origin,
        role_profile=profile,
        retention_rule="RET-01",
        subject_key=keys.get(name),
    )


def _roles(columns: tuple[ColumnLine, ...]) -> tuple[RoleLine, ...]:
    profiles = {str(column.field_group): RoleProfile(str(column.role_profile)) for column in columns}
    return tuple(
        RoleLine(
            field_group=group,
            role_profile=profile.value,
            controller=PROFILES[profile].controller,
            processor=PROFILES[profile].processor,
            owner_label=PROFILES[profile].owner_label,
            basis_holder=PROFILES[profile].basis_holder,
        )
        for group, profile in profiles.items()
    )


def _input(kind: str, exchange: str, flow: str) -> InputLine:
    return InputLine(
        exchange_id=exchange,
        kind=kind,
        bucket="lake",
        key=f"energy01/{flow}/exchange={exchange}/part-0.parquet",
        version_id=f"v-{exchange[:8]}",
        sha256=f"{exchange[:8]}" * 8,
    )


INPUTS = (
    _input("contacts", CONTACTS, "renewal_campaign"),
    _input("results", RESULTS, "renewal_results"),
    _input("results", MORE_RESULTS, "renewal_results"),
)


def _copies(rows: int) -> tuple[CopyLine, ...]:
    place = f"energy01/renewal_results/exchange={EXCHANGE}"
    copies = (
        ("return", "lake", f"_returns/{place}/{DELIVERED.rpartition('/')[2]}", "RET-REC", rows),
        ("index", "lake", f"_subject_index/energy01/exchange={EXCHANGE}.parquet", "RET-REC", None),
        ("held", "vault", f"{place}/held.csv", "quarantine", 23),
    )
    return tuple(
        CopyLine(
            kind=kind,
            bucket=bucket,
            key=key,
            version_id=f"v-{kind}",
            sha256="9f" * 32 if kind == "return" else "5e" * 32,
            size_bytes=148_112,
            rows=count,
            retention_rule=rule,
            delete_after="2026-12-24",
        )
        for kind, bucket, key, rule, count in copies
    )


def a_dial_list() -> ExchangeRecord:
    """What agents were given to call: three rows of ten, the others left off for reasons of their own."""
    held = {"OPTED_OUT": 4, "OLDER_ROW": 2, "objected": 1}
    record = some_results()
    key = "energy01/dial/renewal_campaign/2026-11-25.csv"
    what = record.what.model_copy(update={"key": key, "rows_in": 10, "rows_accepted": 3, "rows_refused": 0})
    rights = record.right_treatment.model_copy(update={"held_back": held})
    return record.model_copy(update={"what": what, "right_treatment": rights, "reasons": ()})
