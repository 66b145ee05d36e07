"""A receipt as PROV-O: made from what was signed, in terms that exist, and every entity hangs on its activity."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from documents.return_samples import BEFORE, CONTACTS, DELIVERED, RESULTS, a_dial_list, a_return, some_results
from documents.samples import EXCHANGE, a_record, a_refusal_without_paper, an_entry
from documents.test_receipt import payload_of
from handbook.lived_in import lived_in
from sluice.cli.receipt import app
from sluice.documents.prov import receipt_as_prov
from sluice.documents.receipt import Receipt, make_receipt, make_receipt_for_other
from sluice.documents.verify import open_receipt
from sluice.exchange.receipt import read_receipt
from sluice.keys import Keyring
from sluice.ledger.record import ExchangeRecord
from sluice.terms import Decision
from support.copies import Copies
from support.night import copied_night
from support.official import NoTerm, expand, iris

PROV, DPV = "http://www.w3.org/ns/prov#", "https://w3id.org/dpv#"
TERMS = {
    PROV: "Activity Entity Agent Organization Plan Association startedAtTime endedAtTime used generated wasGeneratedBy "
    "wasInformedBy wasAssociatedWith qualifiedAssociation agent hadRole hadPlan wasAttributedTo",
    "http://purl.org/dc/terms/": "identifier type format replaces subject title",
    "http://www.w3.org/ns/dcat#": "byteSize version",
    "http://spdx.org/rdf/terms#": "Checksum checksum algorithm checksumValue",
    DPV: "hasPurpose hasLegalBasis hasRecipient hasDataProcessor Recipient DataSubProcessor",
    "urn:sluice:receipt#": "decision reason",
}
"""Terms of PROV-O, DCMI Terms, DCAT 3, SPDX 2, DPV 2.3; the last line is ours."""
OFFICIAL = {vocabulary + name for vocabulary, names in TERMS.items() for name in names.split()}
RECORDS = {
    "arrival": a_record(),
    "accepted": a_record(Decision.ACCEPTED, reasons=()),
    "no paper": a_refusal_without_paper(),
    "return": a_return(),
    "refused return": a_return(Decision.REFUSED, sha256=None, inputs=(), columns=()),
    "results": some_results(),
    "dial list": a_dial_list(),
}
PRINCIPAL, CENTER = "urn:sluice:party:energy01", "urn:sluice:party:center"


def signed(record: ExchangeRecord, keyring: Keyring, is_for_other: bool = False) -> dict[str, Any]:
    make = make_receipt_for_other if is_for_other else make_receipt
    said: dict[str, Any] = payload_of(make(record, an_entry(record), keyring, "en").jws)
    return said


def graph(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {node["@id"]: node for node in expand(document)}


def refs(node: dict[str, Any], name: str) -> list[str]:
    return [each["@id"] for each in node.get(PROV + name, [])]


def wrong(document: dict[str, Any]) -> list[str]:
    """Terms that are nobody's, ids without a node, entities that are not in the lists of the activity."""
    nodes = graph(document)
    [activity] = [node for node in nodes.values() if node["@type"] == [f"{PROV}Activity"]]
    used, made = refs(activity, "used"), refs(activity, "generated")
    agents = [refs(each, "agent")[0] for each in activity[f"{PROV}qualifiedAssociation"]]
    attributed = [party for each in (*used, *made) for party in refs(nodes[each], "wasAttributedTo")]
    hanging = [*used, *made, *agents, *attributed, *refs(activity, "wasAssociatedWith")]
    return [
        *(set(iris(expand(document))) - OFFICIAL),
        *(each for each in hanging if each not in nodes),
        *(each for each in made if refs(nodes[each], "wasGeneratedBy") != [activity["@id"]]),
        *(each for each in used if activity["@id"] in refs(nodes[each], "wasGeneratedBy")),
        *set(used).intersection(made),
    ]


@pytest.mark.parametrize("name", RECORDS)
def test_every_kind_of_receipt_is_whole_provenance_in_terms_that_exist(name: str, keyring: Keyring) -> None:
    said = signed(RECORDS[name], keyring)
    document = receipt_as_prov(said)

    assert wrong(document) == []
    activity = graph(document)[f"urn:uuid:{said['exchange']}"]
    times = [activity[f"{PROV}{end}AtTime"][0] for end in ("started", "ended")]
    assert [each["@value"] for each in times] == [said["opened_at"], said["closed_at"]]
    assert [each["@type"] for each in times] == [["http://www.w3.org/2001/XMLSchema#dateTime"]] * 2
    assert set(refs(activity, "wasAssociatedWith")) >= {PRINCIPAL, CENTER}
    hashes = {each["sha256"] for each in (said["file"], *said["copies"], *said["inputs"]) if each["sha256"]}
    assert {each for each in hashes if each not in json.dumps(document)} == set()
    named = [activity.get(f"{DPV}{term}", []) for term in ("hasRecipient", "hasDataProcessor")]
    names = [[each["http://purl.org/dc/terms/title"][0]["@value"] for each in parties] for parties in named]
    assert names == [said["recipients"], said["sub_processors"]]


def test_what_arrived_was_used_and_what_is_left_of_it_was_made(keyring: Keyring) -> None:
    nodes = graph(receipt_as_prov(signed(a_record(), keyring)))
    activity = nodes[f"urn:uuid:{EXCHANGE}"]

    [came] = refs(activity, "used")
    assert came == "s3://exchange/energy01/inbound/renewal/2026-11-25.csv?versionId=3sL4kqtJlcpXroDTDmJ"
    assert refs(nodes[came], "wasAttributedTo") == [PRINCIPAL]
    [checksum] = nodes[came]["http://spdx.org/rdf/terms#checksum"]
    assert checksum["http://spdx.org/rdf/terms#checksumValue"][0]["@value"] == "9f" * 32
    made = refs(activity, "generated")
    assert [each.partition("/")[2].rpartition("/")[2].partition("?")[0] for each in made] == [
        "part-0.parquet", "refused_rows.age", "findings.csv",
    ]  # fmt: skip
    assert {party for each in made for party in refs(nodes[each], "wasAttributedTo")} == {CENTER}
    roles = {(refs(each, "agent")[0], refs(each, "hadRole")[0]) for each in activity[f"{PROV}qualifiedAssociation"]}
    assert roles == {(PRINCIPAL, f"{DPV}DataController"), (CENTER, f"{DPV}DataProcessor")}
    plans = refs(activity[f"{PROV}qualifiedAssociation"][0], "hadPlan")
    assert plans == ["urn:sluice:agreement:DPA-ENERGY01:3.0.0", "urn:sluice:contract:energy01.inbound.renewal:1.2.0"]


def test_a_return_used_its_inputs_and_says_who_is_controller_of_what(keyring: Keyring) -> None:
    nodes = graph(receipt_as_prov(signed(a_return(), keyring)))
    activity = nodes[f"urn:uuid:{EXCHANGE}"]

    by = {
        refs(nodes[each], "wasGeneratedBy")[0]: refs(nodes[each], "wasAttributedTo") for each in refs(activity, "used")
    }
    assert by[f"urn:uuid:{CONTACTS}"] == [PRINCIPAL] and by[f"urn:uuid:{RESULTS}"] == [CENTER]
    assert set(refs(activity, "wasInformedBy")) == set(by)
    assert activity["http://purl.org/dc/terms/replaces"] == [{"@id": f"urn:uuid:{BEFORE}"}]
    made = [each for each in refs(activity, "generated") if "renewal_results_2026-11-24_2.csv" in each]
    assert [each.rpartition("?")[2] for each in made] == [f"s3://exchange/{DELIVERED}", "versionId=v-return"]

    delivered = (
        a_return()
        .how_long.copies[0]
        .model_copy(update={"kind": "delivered", "bucket": "exchange", "key": DELIVERED, "version_id": "v-delivered"})
    )
    record = a_return()
    copies = (delivered, *record.how_long.copies)
    record = record.model_copy(update={"how_long": record.how_long.model_copy(update={"copies": copies})})
    document = receipt_as_prov(signed(record, keyring))
    assert [each for each in graph(document) if DELIVERED in each] == [
        f"s3://exchange/{DELIVERED}?versionId=v-delivered"
    ], "one file is one entity"
    roles = {
        (refs(each, "agent")[0].rpartition(":")[2], refs(each, "hadRole")[0].rpartition("#")[2]): {
            value["@value"] for value in each["http://purl.org/dc/terms/subject"]
        }
        for each in activity[f"{PROV}qualifiedAssociation"]
    }
    assert "disposition" in roles["center", "DataController"] and "identity" in roles["energy01", "DataController"]
    assert roles["vendor", "DataProcessor"] == {"handling_times"}
    assert "agent_ref" in roles["center", "DataController"] & roles["energy01", "DataController"], "INDEPENDENT: both"


def test_a_return_that_was_refused_made_no_file_and_a_joint_role_is_one_of_both(keyring: Keyring) -> None:
    refused = graph(receipt_as_prov(signed(RECORDS["refused return"], keyring)))[f"urn:uuid:{EXCHANGE}"]
    assert [each for each in refs(refused, "generated") if ".csv" in each and "outbound" in each] == []

    said = signed(a_record(), keyring)
    said["roles"][0] |= {"controller": "joint", "processor": "-"}
    activity = graph(receipt_as_prov(said))[f"urn:uuid:{EXCHANGE}"]
    joint = [
        each
        for each in activity[f"{PROV}qualifiedAssociation"]
        if refs(each, "hadRole") == [f"{DPV}JointDataControllers"]
    ]
    assert sorted(refs(each, "agent")[0] for each in joint) == [CENTER, PRINCIPAL]


def test_the_receipt_for_a_next_controller_tells_nothing_that_it_left_out(keyring: Keyring) -> None:
    document = receipt_as_prov(signed(a_return(), keyring, is_for_other=True))
    assert wrong(document) == []
    assert CONTACTS not in json.dumps(document) and "urn:sluice:agreement" not in json.dumps(document)
    assert CONTACTS in json.dumps(receipt_as_prov(signed(a_return(), keyring))), "control"


@pytest.mark.slow
def test_every_receipt_of_an_installation_is_whole_provenance(copies: Copies, tmp_path: Path) -> None:
    with copied_night(copies, tmp_path, fill=lived_in) as night:
        house, public = night.desk.house, night.desk.house.keyring.public_pem
        found = {}
        for line in night.desk.lines():
            if line.receipt_at is not None:
                jws = read_receipt(night.desk.settings, house.conn, house.objects, str(line.id), "json")
                found[str(line.direction), str(line.id)] = receipt_as_prov(open_receipt(jws, public))

    assert {direction for direction, _ in found} >= {"inbound", "internal", "outbound_return"}
    assert {name: wrong(each) for name, each in found.items() if wrong(each)} == {}
    parties = {each for document in found.values() for each in graph(document) if each.startswith("urn:sluice:party")}
    assert parties <= {PRINCIPAL, CENTER, "urn:sluice:party:telecom01", "urn:sluice:party:vendor"}


def test_a_term_that_is_missing_or_invented_and_a_loose_end_are_seen(keyring: Keyring) -> None:
    """The control of the tests above."""
    document = receipt_as_prov(signed(a_record(), keyring))
    for prefix in ("prov", "dct", "dcat", "spdx", "dpv", "sluice"):
        context = {name: iri for name, iri in document["@context"].items() if name != prefix}
        with pytest.raises(NoTerm):
            expand({**document, "@context": context})
    activity, came = document["@graph"][:2]
    assert wrong(document) == []
    came["prov:wasGeneratedBy"] = {"@id": activity["@id"]}
    assert wrong(document) == [came["@id"]]
    activity["prov:usedd"] = activity["prov:used"]
    assert f"{PROV}usedd" in wrong(document)


def test_the_command_shows_only_a_receipt_that_holds(tmp_path: Path, receipt: Receipt, keyring: Keyring) -> None:
    (tmp_path / "key.pem").write_bytes(keyring.public_pem)
    (tmp_path / "good.json").write_bytes(receipt.jws)
    (tmp_path / "bad.json").write_bytes(receipt.jws.replace(b'"signature":"', b'"signature":"A'))

    def run(name: str, *more: str) -> Any:
        said = ["export", str(tmp_path / name), "--key", str(tmp_path / "key.pem"), "--to", "prov", *more]
        return CliRunner().invoke(app, said)

    shown = run("good.json")
    assert (
        json.loads(shown.stdout)
        == receipt_as_prov(payload_of(receipt.jws))
        == json.loads(run("good.json", "--format", "json").stdout)
    )
    failed = [run(name) for name in ("bad.json", "absent.json")]
    assert [getattr(each.exception, "code", None) for each in failed] == ["SLU-453", "SLU-305"]
    assert all(each.stdout == "" for each in failed)
