"""Export consent records as JSON-LD, with the field names of ISO/IEC TS 27560 and the terms of DPV. Pure."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from sluice.agreement.model import Agreement
from sluice.subject.consent import STATUS, ConsentState
from sluice.subject.scope import CONSENT
from sluice.times import utc_text

SCHEMA_VERSION = "ISO/IEC TS 27560:2023"
DPV = "https://w3id.org/dpv#"
IRI = "@id"
CONTEXT: Mapping[str, Any] = {
    "@vocab": "urn:sluice:consent#",
    "schema_version": "http://purl.org/dc/terms/conformsTo",
    "record_id": "http://purl.org/dc/terms/identifier",
    "pii_principal_id": f"{DPV}hasDataSubject",
    "privacy_notice": f"{DPV}hasNotice",
    "language": "http://purl.org/dc/terms/language",
    "purpose": {IRI: f"{DPV}hasPurpose", "@type": IRI},
    "lawful_basis": {IRI: f"{DPV}hasLegalBasis", "@type": IRI},
    "pii_controllers": f"{DPV}hasDataController",
    "recipient_third_parties": f"{DPV}hasRecipient",
    "storage_locations": f"{DPV}hasLocation",
    "jurisdiction": f"{DPV}hasJurisdiction",
    "pii_type": {IRI: f"{DPV}hasPersonalData", "@type": IRI},
    "event_time": "http://purl.org/dc/terms/date",
    "validity_duration": f"{DPV}hasDuration",
    "event_state": {IRI: f"{DPV}hasConsentStatus", "@type": IRI},
    "consent_records": "@graph",
}


def export_consents(records: pl.DataFrame, agreement: Agreement, country: str, on: date) -> dict[str, Any]:
    """Return a JSON-LD document of these records, oldest first.

    Fields for which DPV has no term use a vocabulary of our own. ``pii_principal_id`` is the keyed reference, so only
    somebody with the key can find the person. ``country``: where the records are kept. ``on``: Brussels date.
    """
    rows = records.sort("at", "record_id").iter_rows(named=True)
    return {"@context": dict(CONTEXT), "consent_records": [_record(row, agreement, country, on) for row in rows]}


def _record(row: Mapping[str, Any], agreement: Agreement, country: str, on: date) -> dict[str, Any]:
    at, until = row["at"], row["until"]
    is_over = row["state"] == ConsentState.GIVEN.value and until is not None and until < on
    return {
        "@type": f"{DPV}ConsentRecord",
        "schema_version": SCHEMA_VERSION,
        "record_id": row["record_id"],
        "pii_principal_id": row["ref"],
        "privacy_notice": row["notice"],
        "language": agreement.language,
        "purpose": row["purpose"],
        "lawful_basis": CONSENT,
        "pii_controllers": [agreement.principal_name],
        "recipient_third_parties": list(agreement.recipients),
        "storage_locations": [country],
        "retention_period": None,
        "jurisdiction": "EU",
        "withdrawal_method": row["channel"],
        "pii_type": list(agreement.data_categories),
        "channel": row["channel"],
        "collection_method": row["method"],
        "collected_by": row["collected_by"],
        "event_time": utc_text(at),
        "validity_duration": until.isoformat() if until else None,
        "event_type": row["state"],
        "event_state": STATUS[ConsentState.EXPIRED if is_over else ConsentState(row["state"])],
    }
