"""A contract as DCAT 3: every contract of the sample, in terms of the vocabularies, with what it says."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from agreement.papers import AGREEMENT, CONTRACT, CONTRACT_NAME, PRINCIPALS, write_folder
from sluice.agreement import dpv
from sluice.agreement.contract.dcat import contract_as_dcat, read_about
from sluice.agreement.document import read_document
from sluice.agreement.folder.export import export_dcat
from sluice.agreement.folder.load import load_agreement, load_contract
from sluice.agreement.model import ArrivalRules, PgpKey
from sluice.cli.contract import app
from support.official import NoTerm, expand, iris

DCAT, DCT, CSVW = "http://www.w3.org/ns/dcat#", "http://purl.org/dc/terms/", "http://www.w3.org/ns/csvw#"
TERMS = {
    DCAT: "Dataset Distribution distribution version isVersionOf keyword accessURL mediaType compressFormat",
    DCT: "identifier title description publisher conformsTo valid issued",
    dpv.DPV: "hasPurpose hasLegalBasis hasPersonalData hasDataSubject",
    CSVW: "Schema Column tableSchema column title datatype base required",
    "http://xmlns.com/foaf/0.1/": "Agent name",
}
"""Terms of the vocabularies themselves: DCAT 3, DCMI Terms, DPV 2.3, CSV on the Web, FOAF."""
OFFICIAL = {vocabulary + name for vocabulary, names in TERMS.items() for name in names.split()}
MANDATORY = {f"{DCT}title", f"{DCT}description", f"{DCT}publisher", f"{DCT}identifier", f"{DCT}conformsTo",
             f"{DCAT}version", f"{DCAT}distribution", f"{dpv.DPV}hasPurpose", f"{dpv.DPV}hasLegalBasis"}  # fmt: skip
KEY = PgpKey("key.asc", "A" * 40)
CONTRACTS = sorted(PRINCIPALS.glob("*/*.odcs.yaml"))


def unknown(document: dict[str, Any]) -> set[str]:
    return set(iris(expand(document))) - OFFICIAL


def dataset(document: dict[str, Any]) -> dict[str, Any]:
    return next(node for node in expand(document) if node["@type"] == [f"{DCAT}Dataset"])


def refs(values: list[dict[str, str]]) -> list[str]:
    return [each["@id"] for each in values]


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda path: path.name)
def test_every_contract_of_the_sample_is_a_dataset(path: Path) -> None:
    document, contract = export_dcat(path), load_contract(path)
    found = dataset(document)
    assert unknown(document) == set()
    assert set(found) >= MANDATORY
    assert found["@id"] == f"urn:sluice:contract:{contract.contract_id}:{contract.version}"
    assert refs(found[f"{dpv.DPV}hasPurpose"]) == sorted({iri for each in contract.fields for iri in each.purpose_iris})
    assert set(refs(found[f"{dpv.DPV}hasPurpose"])) <= dpv.PURPOSES
    assert set(refs(found[f"{dpv.DPV}hasLegalBasis"])) <= dpv.LEGAL_BASES
    assert set(refs(found[f"{dpv.DPV}hasPersonalData"])) <= dpv.DATA_CATEGORIES
    [schema] = [node for node in expand(document) if node["@type"] == [f"{CSVW}Schema"]]
    [columns] = schema[f"{CSVW}column"]
    assert [column[f"{CSVW}title"][0]["@value"] for column in columns["@list"]] == [e.name for e in contract.fields]
    assert all(refs(each[f"{CSVW}tableSchema"]) == [schema["@id"]] for each in found[f"{DCAT}distribution"])
    json.dumps(document)


def test_what_comes_in_may_be_packed_and_what_goes_out_is_not() -> None:
    assert len(CONTRACTS) > 5
    packed = {
        path.name.split(".")[1]: [
            each.get(f"{DCAT}compressFormat", [{"@id": ""}])[0]["@id"].rpartition("/")[2]
            for each in dataset(export_dcat(path))[f"{DCAT}distribution"]
        ]
        for path in CONTRACTS
    }
    assert packed == {"inbound": ["", "gzip", "zip"], "internal": ["", "gzip", "zip"], "outbound_return": [""]}


def test_days_and_publisher_are_those_of_the_papers(tmp_path: Path) -> None:
    plain = dataset(export_dcat(write_folder(tmp_path / "a") / CONTRACT_NAME))
    assert f"{DCT}issued" not in plain
    assert plain[f"{DCT}valid"][0]["@value"] == "start=2026-01-01; scheme=W3C-DTF;"
    first = "  - {property: principal, value: energy01}\n"
    dated = CONTRACT.replace(first, f"{first}  - {{property: validFrom, value: 2026-03-01}}\n", 1)
    ending = AGREEMENT.replace("validTo: null", "validTo: 2026-12-31", 1)
    found = dataset(export_dcat(write_folder(tmp_path / "b", ending, dated) / CONTRACT_NAME))
    assert found[f"{DCT}issued"][0]["@value"] == "2026-03-01"
    assert found[f"{DCT}valid"][0]["@value"] == "start=2026-03-01; end=2026-12-31; scheme=W3C-DTF;"
    [publisher] = found[f"{DCT}publisher"]
    assert publisher["@id"] == "urn:sluice:party:energy01"


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        (ArrivalRules(), None),
        (ArrivalRules(KEY), f"Must be signed with OpenPGP; its signature is by {KEY.fingerprint}"),
        (ArrivalRules(KEY, must_be_encrypted=True), "Must be signed and encrypted with OpenPGP"),
        (ArrivalRules(KEY, must_be_signed=False), "May come with OpenPGP"),
    ],
)
def test_each_form_says_what_is_agreed_about_openpgp(rules: ArrivalRules, said: str | None) -> None:
    path = PRINCIPALS / "energy01" / CONTRACT_NAME
    agreement = load_agreement(path.parent / "agreement-3.0.0.yaml")
    about = read_about(read_document(path))
    document = contract_as_dcat(load_contract(path, agreement), replace(agreement, arrival=rules), about)
    told = [each.get(f"{DCT}description") for each in dataset(document)[f"{DCAT}distribution"]]
    assert len(told) == 3 and len({json.dumps(each) for each in told}) == 1
    assert (told[0] is None) if said is None else told[0][0]["@value"].startswith(said)


def test_a_term_that_is_missing_or_invented_is_seen() -> None:
    """The control of the tests above."""
    document = export_dcat(CONTRACTS[0])
    for prefix in ("dcat", "dct", "dpv", "csvw", "foaf"):
        context = {name: iri for name, iri in document["@context"].items() if name != prefix}
        with pytest.raises(NoTerm):
            expand({**document, "@context": context})
    document["@graph"][0]["dcat:mediatype"] = "text/csv"
    assert unknown(document) == {f"{DCAT}mediatype"}


def test_the_command_writes_it_and_refuses_what_does_not_load(tmp_path: Path) -> None:
    said = ("export", str(CONTRACTS[0]), "--to", "dcat")
    shown = CliRunner().invoke(app, said)
    assert json.loads(shown.stdout) == export_dcat(CONTRACTS[0]) and shown.exit_code == 0
    assert json.loads(CliRunner().invoke(app, [*said, "--format", "json"]).stdout) == export_dcat(CONTRACTS[0])
    gap = write_folder(tmp_path, contract=CONTRACT.replace("value: contact_point}", "value: OPEN}", 1)) / CONTRACT_NAME
    for path in (gap, gap.parent / "agreement-3.0.0.yaml"):
        failed = CliRunner().invoke(app, ["export", str(path)])
        assert failed.exit_code == 1 and getattr(failed.exception, "code", "SLU-441") == "SLU-441"
