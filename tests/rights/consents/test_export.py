"""Consent records as ISO/IEC TS 27560 in JSON-LD: every field says what the standard means, in a term that exists."""

import csv
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from sluice.agreement import dpv
from sluice.agreement.clauses.shape import CHANNEL
from sluice.agreement.folder.load import load_agreement
from sluice.agreement.model import Agreement
from sluice.rights.case.facts import consent_days
from sluice.rights.consents.export import CONTEXT, export_consents
from sluice.subject.consent import SCHEMA, still_needed
from support.official import NoTerm, expand, iris

PAPERS = Path(__file__).resolve().parents[3] / "include" / "principals" / "energy01"
AGREEMENT = load_agreement(PAPERS / "agreement-3.0.0.yaml")
TODAY = date(2026, 11, 26)
DESK = "privacy@center.example"
OURS = {"urn:sluice:consent#channel", "urn:sluice:consent#collectedBy"}
DUBLIN = {
    f"http://purl.org/dc/terms/{name}" for name in ("conformsTo", "identifier", "language", "date", "type", "valid")
}
OF_DPV = {"hasConsentStatus", "hasNotice", "hasLocation", "hasStorageCondition", "hasDuration", "hasJurisdiction",
          "ConsentRecord", "StorageDuration"}  # fmt: skip
"""Terms of DPV 2.3 that are not in the subset."""


def records(channel: str = "voice", at: datetime = datetime(2026, 11, 1, tzinfo=UTC)) -> pl.DataFrame:
    row = {"ref": "r", "purpose": dpv.DPV + "DirectMarketing", "channel": channel, "state": "withdrawn", "at": at,
           "until": None, "method": "call", "notice": "W-7", "collected_by": "center", "record_id": "1"}  # fmt: skip
    return pl.DataFrame([row], schema=SCHEMA)


def exported(channel: str = "voice", **agreed: Any) -> dict[str, Any]:
    document = export_consents(records(channel), [replace(AGREEMENT, **agreed)], "BE", TODAY, DESK)
    [record] = document["consent_records"]
    return dict(record)


def test_a_record_says_for_how_long_it_is_kept_as_retention_keeps_it() -> None:
    said = exported()["retention_period"]["duration"]
    assert said == "P1096D"

    days = timedelta(days=int(said.strip("PD")))
    kept = records(at=datetime(2026, 11, 26, 12, tzinfo=UTC) - days)
    assert still_needed(kept, TODAY, consent_days(TODAY)).height == 1
    assert still_needed(kept, TODAY + timedelta(days=1), consent_days(TODAY)).height == 0, "control: a day later"


def test_a_consent_is_withdrawn_with_somebody_and_not_over_the_channel_it_is_about() -> None:
    assert AGREEMENT.may_answer["A7-3"]
    assert exported()["withdrawal_method"]["is_exercised_at"] == ["privacy@energy01.example", DESK]
    only_principal = exported(may_answer=AGREEMENT.may_answer | {"A7-3": False})
    assert only_principal["withdrawal_method"]["is_exercised_at"] == ["privacy@energy01.example"]
    assert exported(contact_email=None)["withdrawal_method"]["is_exercised_at"] == [DESK]


def test_a_record_is_described_by_the_agreement_that_has_its_purpose() -> None:
    [first, *_] = AGREEMENT.purposes
    marketing = replace(AGREEMENT, purposes=(replace(first, iri=dpv.DPV + "DirectMarketing"),), recipients=("CRM",))
    others = replace(AGREEMENT, purposes=(), recipients=("others",), contact_email="others@energy01.example")

    def recipients(*agreements: Agreement) -> list[str]:
        [record] = export_consents(records(), agreements, "BE", TODAY)["consent_records"]
        assert record["withdrawal_method"]["is_exercised_at"] == [
            each.contact_email for each in agreements if list(each.recipients) == record["recipient_third_parties"]
        ]
        return list(record["recipient_third_parties"])

    assert recipients(marketing, others) == recipients(others, marketing) == ["CRM"]
    assert recipients(replace(marketing, purposes=()), others) == ["others"], "none has it any more: the youngest"


@pytest.mark.parametrize(
    ("channel", "category"),
    [("voice", "TelephoneNumber"), ("sms", "TelephoneNumber"), ("robocall", "TelephoneNumber"),
     ("email", "EmailAddress"), ("letter", "PhysicalAddress"), ("chat", "Contact"), ("push", "Contact")],
)  # fmt: skip
def test_a_consent_is_about_the_contact_point_of_its_channel_only(channel: str, category: str) -> None:
    assert exported(channel)["pii_type"] == [dpv.PD + category]
    assert set(dpv.CONTACT_POINTS) == set(CHANNEL.words), "each channel that an agreement can name"


def test_every_field_has_a_term_that_exists(schemas: Path) -> None:
    document = export_consents(records(), [AGREEMENT], "BE", TODAY, DESK)
    with (schemas / "dpv" / "dpv-2.3-subset.csv").open(encoding="utf-8", newline="") as file:
        known = {row["iri"] for row in csv.DictReader(file)} | {dpv.DPV + name for name in OF_DPV}

    found = set(iris(expand(document)))
    assert found <= known | DUBLIN | OURS
    [node] = expand(document)
    assert node[dpv.DPV + "hasStorageCondition"][0][dpv.DPV + "hasDuration"][0]["@value"] == "P1096D"
    assert node[dpv.DPV + "hasRight"][0]["@type"] == [dpv.GDPR + "A7-3"]
    for term in set(CONTEXT) & set(document["consent_records"][0]):
        with pytest.raises(NoTerm, match=term):
            expand({**document, "@context": {key: value for key, value in CONTEXT.items() if key != term}})
