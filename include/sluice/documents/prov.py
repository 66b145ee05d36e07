"""A receipt as provenance: PROV-O (W3C) in JSON-LD, made from what was signed and from nothing else. Pure.

The exchange is the prov:Activity, files and papers are prov:Entity, the parties prov:Agent. It is a view: proof is the
signed receipt alone.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from sluice.ledger.record import is_dial_key
from sluice.terms import ARRIVING, Direction

DPV = "https://w3id.org/dpv#"
CONTEXT: Mapping[str, str] = {
    "prov": "http://www.w3.org/ns/prov#",
    "dct": "http://purl.org/dc/terms/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "spdx": "http://spdx.org/rdf/terms#",
    "dpv": DPV,
    "sluice": "urn:sluice:receipt#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
"""Ours are two: ``sluice:decision`` and ``sluice:reason``."""
Said = Mapping[str, Any]
Node = dict[str, Any]

_PARTIES: Mapping[str, tuple[str, ...]] = {"both": ("principal", "center"), "joint": ("principal", "center"), "-": ()}
"""Words of the role profiles (docs/explanation/roles.md) that name no single party."""
_INPUT_OF: Mapping[str, str] = {"contacts": "principal"}
"""By whom an input was supplied, by its kind; any other one was made by the center."""


def receipt_as_prov(said: Said) -> Node:
    """The JSON-LD document of a receipt's payload, of this format or of the shorter one for a next controller."""
    is_arrival = said["direction"] in ARRIVING and not is_dial_key(Direction(said["direction"]), said["file"]["key"])
    used, made = _files(said, is_arrival)
    nodes = (_activity(said, used, made), *used, *made, *_papers(said), *_agents(said))
    return {"@context": dict(CONTEXT), "@graph": list(nodes)}


def _activity(said: Said, used: list[Node], made: list[Node]) -> Node:
    purposes = said.get("purposes", ())
    reason = {"sluice:reason": said["reason_code"]} if said["reason_code"] else {}
    replaced = {"dct:replaces": {"@id": _exchange(said["supersedes"])}} if said.get("supersedes") else {}
    return {
        "@id": _exchange(said["exchange"]),
        "@type": "prov:Activity",
        "dct:identifier": said["exchange"],
        "dct:type": said["direction"],
        "prov:startedAtTime": _moment(said["opened_at"]),
        "prov:endedAtTime": _moment(said["closed_at"]),
        "sluice:decision": said["decision"],
        **reason,
        **replaced,
        "prov:used": _refs(used),
        "prov:generated": _refs(made),
        "prov:wasInformedBy": [{"@id": _exchange(each)} for each in sorted({i["exchange_id"] for i in _inputs(said)})],
        "prov:wasAssociatedWith": _refs(_agents(said)),
        "prov:qualifiedAssociation": list(_associations(said)),
        "dpv:hasPurpose": [{"@id": iri} for iri in sorted({each["iri"] for each in purposes})],
        "dpv:hasLegalBasis": [{"@id": iri} for iri in sorted({each["legal_basis"] for each in purposes})],
        "dpv:hasRecipient": [_known_as(name, "Recipient") for name in said.get("recipients", ())],
        "dpv:hasDataProcessor": [_known_as(name, "DataSubProcessor") for name in said.get("sub_processors", ())],
    }


def _files(said: Said, is_arrival: bool) -> tuple[list[Node], list[Node]]:
    """The entities that the exchange used, and those that it made.

    What arrived was there before, so its own copy is no other entity. A file that goes out is one with the copy that
    lies in its place; one that was refused was never made.
    """
    file, copies = said["file"], list(said.get("copies", ()))
    in_place = [copy for copy in copies if (copy["bucket"], copy["key"]) == (file["bucket"], file["key"])]
    kept = [copy for copy in copies if not is_arrival or copy not in in_place]
    used = [_entity(each) | _input(said, each) for each in _inputs(said)]
    if is_arrival:
        supplier = "principal" if said["direction"] == Direction.INBOUND else "center"
        sha256 = file["sha256"] or next((copy["sha256"] for copy in in_place), None)  # a file that was never read
        used.insert(0, _entity({**file, "sha256": sha256}) | {"prov:wasAttributedTo": {"@id": _party(said, supplier)}})
    elif file["sha256"] and not in_place:
        kept.insert(0, {**file, "version_id": None})  # what a receipt calls so was there before the file was put
    return used, [_entity(each) | _made(said) for each in kept]


def _inputs(said: Said) -> list[Said]:
    return list(said.get("inputs", ()))


def _input(said: Said, line: Said) -> Node:
    supplier = _party(said, _INPUT_OF.get(line["kind"], "center"))
    return {
        "prov:wasGeneratedBy": {"@id": _exchange(line["exchange_id"])},
        "prov:wasAttributedTo": {"@id": supplier},
    }


def _made(said: Said) -> Node:
    return {
        "prov:wasGeneratedBy": {"@id": _exchange(said["exchange"])},
        "prov:wasAttributedTo": {"@id": _party(said, "center")},
    }


def _entity(line: Said) -> Node:
    """A file by its place and version in S3, with its SHA-256; ``line``: a file, an input or a copy of the receipt."""
    version = f"?versionId={quote(line['version_id'], safe='')}" if line["version_id"] else ""
    size = line.get("bytes", line.get("size_bytes"))
    optional = {
        "dct:type": line.get("kind"),
        "dct:format": line.get("format"),
        "dcat:byteSize": {"@value": str(size), "@type": "xsd:nonNegativeInteger"} if size is not None else None,
        "spdx:checksum": _checksum(line["sha256"]) if line["sha256"] else None,
    }
    return {
        "@id": f"s3://{line['bucket']}/{quote(line['key'])}{version}",
        "@type": "prov:Entity",
        **{name: value for name, value in optional.items() if value is not None},
    }


def _papers(said: Said) -> Iterator[Node]:
    """The agreement and the contract that the exchange followed, as plans."""
    for kind in ("agreement", "contract"):
        paper = said.get(kind) or {}
        if paper.get("id"):
            checksum = {"spdx:checksum": _checksum(paper["sha256"])} if paper["sha256"] else {}
            yield {
                "@id": _plan(kind, paper),
                "@type": ["prov:Entity", "prov:Plan"],
                "dct:identifier": paper["id"],
                "dcat:version": paper["version"],
                **checksum,
            }


def _associations(said: Said) -> Iterator[Node]:
    """One for each party and role that it has, with the groups of columns for which it has it."""
    groups: dict[tuple[str, str], set[str]] = {}
    for line in said.get("roles", ()):
        for word, role in (("controller", "DataController"), ("processor", "DataProcessor")):
            name = "JointDataControllers" if line[word] == "joint" else role
            for party in _PARTIES.get(line[word], (line[word],)):
                groups.setdefault((_party(said, party), f"dpv:{name}"), set()).add(line["field_group"])
    plans = [{"@id": each["@id"]} for each in _papers(said)]
    for (party, role), named in sorted(groups.items()):
        yield {
            "@type": "prov:Association",
            "prov:agent": {"@id": party},
            "prov:hadRole": {"@id": role},
            "prov:hadPlan": plans,
            "dct:subject": sorted(named),
        }


def _agents(said: Said) -> list[Node]:
    """The principal, the center, and whoever else has a role."""
    named = {each["prov:agent"]["@id"] for each in _associations(said)}
    both = {_party(said, "principal"), _party(said, "center")}
    return [{"@id": party, "@type": ["prov:Agent", "prov:Organization"]} for party in sorted(named | both)]


def _party(said: Said, word: str) -> str:
    return f"urn:sluice:party:{quote(said['principal'] if word == 'principal' else word)}"


def _known_as(name: str, role: str) -> Node:
    """A party that a receipt knows by its name alone."""
    return {"@type": f"dpv:{role}", "dct:title": name}


def _exchange(exchange_id: str) -> str:
    return f"urn:uuid:{exchange_id}"


def _plan(kind: str, paper: Said) -> str:
    return f"urn:sluice:{kind}:{quote(paper['id'])}:{quote(paper['version'])}"


def _checksum(sha256: str) -> Node:
    return {
        "@type": "spdx:Checksum",
        "spdx:algorithm": {"@id": "spdx:checksumAlgorithm_sha256"},
        "spdx:checksumValue": {"@value": sha256, "@type": "xsd:hexBinary"},
    }


def _moment(text: str) -> Node:
    return {"@value": text, "@type": "xsd:dateTime"}


def _refs(nodes: list[Node]) -> list[Node]:
    return [{"@id": node["@id"]} for node in nodes]
