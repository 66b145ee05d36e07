"""Export consent records as JSON-LD, with the field names of ISO/IEC TS 27560 and the terms of DPV. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from sluice.agreement.dpv import CONTACT_POINTS, GDPR
from sluice.agreement.model import Agreement
from sluice.rights.case.facts import consent_days
from sluice.subject.consent import STATUS, ConsentState
from sluice.subject.scope import CONSENT
from sluice.times import utc_text

SCHEMA_VERSION = "ISO/IEC TS 27560:2023"
DPV = "https://w3id.org/dpv#"
OURS = "urn:sluice:consent#"
IRI = "@id"
CONTEXT: Mapping[str, Any] = {
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
    "retention_period": f"{DPV}hasStorageCondition",
    "duration": {IRI: f"{DPV}hasDuration", "@type": "http://www.w3.org/2001/XMLSchema#duration"},
    "jurisdiction": f"{DPV}hasJurisdiction",
    "withdrawal_method": f"{DPV}hasRight",
    "is_exercised_at": f"{DPV}isExercisedAt",
    "pii_type": {IRI: f"{DPV}hasPersonalData", "@type": IRI},
    "channel": f"{OURS}channel",
    "collection_method": f"{DPV}hasIndicationMethod",
    "collected_by": f"{OURS}collectedBy",
    "event_time": "http://purl.org/dc/terms/date",
    "validity_duration": "http://purl.org/dc/terms/valid",
    "event_type": "http://purl.org/dc/terms/type",
    "event_state": {IRI: f"{DPV}hasConsentStatus", "@type": IRI},
    "consent_records": "@graph",
}
"""Every field has a term: of the DPV or Dublin Core, or of ours for the two that neither has (channel, collector)."""


def export_consents(
    records: pl.DataFrame, agreements: Sequence[Agreement], country: str, on: date, center_contact: str | None = None
) -> dict[str, Any]:
    """Return a JSON-LD document of these records, oldest first.

    agreements: those of the principal, at least one, the youngest last. A record is described by the one that has its
    purpose; if none has it any more, by the youngest.
    ``pii_principal_id`` is the keyed reference, so only somebody with the key can find the person. ``country``: where
    the records are kept. ``on``: Brussels date. ``center_contact``: the center's privacy desk, as a person reaches it.
    ``retention_period`` counts from the end of a record, as :func:`sluice.subject.consent.still_needed` does.
    """
    rows = records.sort("at", "record_id").iter_rows(named=True)
    by_purpose = {purpose.iri: each for each in agreements for purpose in each.purposes}
    described = ((row, by_purpose.get(row["purpose"], agreements[-1])) for row in rows)
    return {
        "@context": dict(CONTEXT),
        "consent_records": [
            _record(row, each, country, on, _withdrawal(each, center_contact)) for row, each in described
        ],
    }


def _withdrawal(agreement: Agreement, center_contact: str | None) -> dict[str, Any]:
    """Where a person withdraws (GDPR Art. 7(3)): at the principal and, if the agreement lets it, at the center."""
    center = center_contact if agreement.may_answer.get("A7-3") else None
    return {"@type": f"{GDPR}A7-3", "is_exercised_at": [each for each in (agreement.contact_email, center) if each]}


def _record(
    row: Mapping[str, Any], agreement: Agreement, country: str, on: date, withdrawal: Mapping[str, Any]
) -> dict[str, Any]:
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
        "retention_period": {"@type": f"{DPV}StorageDuration", "duration": f"P{consent_days(on)}D"},
        "jurisdiction": "EU",
        "withdrawal_method": withdrawal,
        "pii_type": [CONTACT_POINTS[row["channel"]]],
        "channel": row["channel"],
        "collection_method": row["method"],
        "collected_by": row["collected_by"],
        "event_time": utc_text(at),
        "validity_duration": until.isoformat() if until else None,
        "event_type": row["state"],
        "event_state": STATUS[ConsentState.EXPIRED if is_over else ConsentState(row["state"])],
    }
