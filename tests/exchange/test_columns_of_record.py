"""The record says of each column what it is for, on which basis and how sensitive it is."""

from dataclasses import replace
from pathlib import Path

from gate.papers import a_field
from sluice.settings import Settings
from support.desk import ENERGY, open_desk
from support.night import AT_ONCE, Call, change, open_night, with_papers

CAMPAIGN = "renewal_campaign.inbound.odcs.yaml"
LINE = "          - {property: "
CARE = "https://w3id.org/dpv#CustomerCare"
A6_1_B, A6_1_F = (f"https://w3id.org/dpv/legal/eu/gdpr#A6-1-{letter}" for letter in "bf")


def test_columns_under_two_bases_keep_their_own(store_settings: Settings, tmp_path: Path) -> None:
    settings = with_papers(store_settings, tmp_path)
    contract, purchase = settings.principals_dir / ENERGY[0] / CAMPAIGN, "https://w3id.org/dpv/pd#Purchase"
    said = f'{LINE}dataCategory, value: "{purchase}"}}\n'
    change(contract, said, f'{said}{LINE}purposeIris, value: ["{CARE}"]}}\n{LINE}legalBasis, value: "{A6_1_B}"}}\n')
    change(contract, "classification: confidential", "classification: restricted")
    with open_desk(settings, tmp_path) as desk:
        dropped = desk.drop(desk.campaign(20)[0])
        desk.work()
        record = desk.shown(dropped).record

    assert record is not None
    codes = {purpose.code: purpose.iri for purpose in record.why.purposes}
    bought = [line for line in record.what.columns if line.category == purchase]
    others = [line for line in record.what.columns if line.category != purchase]
    assert bought and {(line.legal_basis, codes[code]) for line in bought for code in line.purposes} == {(A6_1_B, CARE)}
    assert {line.legal_basis for line in others} == {A6_1_F} and CARE not in {
        codes[code] for line in others for code in line.purposes
    }
    assert {line.sensitivity for line in record.what.columns} == {"restricted"}, "as the contract says"
    assert "date" in {line.logical_type for line in record.what.columns}


def test_a_return_says_it_of_each_column_too(store_settings: Settings, tmp_path: Path) -> None:
    with open_night(with_papers(store_settings, tmp_path, AT_ONCE), tmp_path) as night:
        night.called(*(Call(f"c{number}", *person) for number, person in enumerate(night.people(12))))
        night.make()
        record = night.record(night.returns()[0])

    codes = {purpose.code for purpose in record.why.purposes}
    assert all(line.sensitivity and set(line.purposes) <= codes for line in record.what.columns)
    assert {code for line in record.what.columns for code in line.purposes} == codes


def test_art_9_outweighs_what_the_contract_says_and_silence_is_not_public() -> None:
    said = a_field("note", classification="public")

    assert said.sensitivity == "public"
    assert replace(said, art9_condition="https://w3id.org/dpv/legal/eu/gdpr#A9-2-a").sensitivity == "special_category"
    assert replace(said, classification=None).sensitivity == "confidential"
