"""A data contract as a record for data catalogues: DCAT 3 (W3C) in JSON-LD, with the terms of the DPV. Pure.

The contract is a dcat:Dataset and each form in which its file may come is a dcat:Distribution. It is export only:
nothing is read from such a document.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sluice.agreement import dpv
from sluice.agreement.contract.columns import custom
from sluice.agreement.document import Document
from sluice.agreement.model import Agreement, DataContract, FieldRole, PgpKey
from sluice.media_types import CSV, JSON, NDJSON, PARQUET, XLSX, ZIP
from sluice.terms import Direction

CONTEXT: Mapping[str, str] = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "dpv": dpv.DPV,
    "foaf": "http://xmlns.com/foaf/0.1/",
    "csvw": "http://www.w3.org/ns/csvw#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
MEDIA = "https://www.iana.org/assignments/media-types/"
"""IANA's own IRIs, to which DCAT 3 refers for dcat:mediaType (6.8.10)."""
MEDIA_TYPES = {
    "csv": CSV,
    "tsv": "text/tab-separated-values",
    "xlsx": XLSX,
    "json": JSON,
    "ndjson": NDJSON,
    "parquet": PARQUET,
}
GZIP = "application/gzip"
DATATYPES = {"timestamp": "dateTime", "number": "decimal"}
"""Built-in datatypes of CSV on the Web, where they are called otherwise than the ODCS logicalType."""


@dataclass(frozen=True, slots=True)
class About:
    """What a contract says of itself in words: ``name``, ``description`` and ``domain`` of ODCS.

    ``folder``: the S3 prefix in which its files lie. ``subjects``: DPV IRIs of the categories of persons.
    """

    api_version: str
    title: str
    description: str
    domain: str | None
    folder: str
    subjects: tuple[str, ...]


def read_about(document: Document) -> About:
    """The words of a contract that loads; its id is the title if it has no name."""
    root = document.root
    lines = (root["description"][key].text for key in ("purpose", "usage", "limitations"))
    columns = [column for table in root["schema"] for column in table["properties"]]
    said = [custom(spot).get("subjectCategory") for spot in (root, *columns)]
    location = str(next(iter(root["servers"]))["location"].value)
    return About(
        api_version=str(root["apiVersion"].value),
        title=root["name"].text or str(root["id"].value),
        description="\n".join(line for line in lines if line),
        domain=root["domain"].text,
        folder=location.rpartition("/")[0] + "/",
        subjects=tuple(sorted({str(spot.value) for spot in said if spot is not None and spot.is_given})),
    )


def contract_as_dcat(contract: DataContract, agreement: Agreement, about: About) -> dict[str, Any]:
    """The contract as a JSON-LD document; ``agreement``: the version that it names."""
    schema = f"{_name(contract)}:schema"
    columns = [_column(field) for field in contract.fields]
    tables = {"@id": schema, "@type": "csvw:Schema", "csvw:column": {"@list": columns}}
    return {"@context": dict(CONTEXT), "@graph": [_dataset(contract, agreement, about, schema), tables]}


def _name(contract: DataContract) -> str:
    return f"urn:sluice:contract:{contract.contract_id}:{contract.version}"


def _dataset(contract: DataContract, agreement: Agreement, about: About, schema: str) -> dict[str, Any]:
    personal = [field for field in contract.fields if field.category != dpv.NON_PERSONAL]
    odcs = f"https://bitol-io.github.io/open-data-contract-standard/{about.api_version}/"
    known = {
        "dct:description": about.description or None,
        "dcat:keyword": about.domain,
        "dct:issued": _day(contract.valid_from.isoformat()) if contract.valid_from else None,
        "dpv:hasDataSubject": _refs(about.subjects) or None,
    }
    return {
        "@id": _name(contract),
        "@type": "dcat:Dataset",
        "dct:identifier": contract.contract_id,
        "dct:title": about.title,
        "dct:publisher": {
            "@id": f"urn:sluice:party:{contract.principal}",
            "@type": "foaf:Agent",
            "foaf:name": agreement.principal_name,
        },
        "dct:conformsTo": {"@id": odcs},
        "dcat:version": contract.version,
        "dcat:isVersionOf": {"@id": f"urn:sluice:contract:{contract.contract_id}"},
        "dct:valid": {"@value": _period(contract, agreement), "@type": "dct:Period"},
        **{name: value for name, value in known.items() if value is not None},
        "dpv:hasPurpose": _refs(iri for field in contract.fields for iri in field.purpose_iris),
        "dpv:hasLegalBasis": _refs(field.legal_basis for field in contract.fields),
        "dpv:hasPersonalData": _refs(field.category for field in personal),
        "dcat:distribution": list(_distributions(contract, agreement, about, schema)),
    }


def _period(contract: DataContract, agreement: Agreement) -> str:
    """The days on which both papers hold, in the DCMI Period Encoding Scheme; without an end while there is none."""
    first = max(contract.valid_from or agreement.valid_from, agreement.valid_from)
    end = f"end={agreement.valid_to.isoformat()}; " if agreement.valid_to else ""
    return f"start={first.isoformat()}; {end}scheme=W3C-DTF;"


def _distributions(contract: DataContract, agreement: Agreement, about: About, schema: str) -> Iterator[dict[str, Any]]:
    """Yield each form in which the file may come: as it is and, of what comes in, in gzip or a zip of one file too."""
    packed = () if contract.direction is Direction.OUTBOUND_RETURN else (("gzip", GZIP), ("zip", ZIP))
    sealed = _sealed(contract, agreement)
    plain = {
        "@type": "dcat:Distribution",
        "dct:title": f"{about.title} ({contract.file_format.format})",
        "dcat:accessURL": {"@id": about.folder},
        "dcat:mediaType": {"@id": MEDIA + MEDIA_TYPES[contract.file_format.format]},
        "csvw:tableSchema": {"@id": schema},
        **({"dct:description": sealed} if sealed else {}),
    }
    yield {"@id": f"{_name(contract)}:{contract.file_format.format}", **plain}
    for name, media_type in packed:
        title = f"{about.title} ({contract.file_format.format}, {name})"
        more = {"dct:title": title, "dcat:compressFormat": {"@id": MEDIA + media_type}}
        yield {"@id": f"{_name(contract)}:{contract.file_format.format}.{name}", **plain, **more}


def _sealed(contract: DataContract, agreement: Agreement) -> str | None:
    """What is agreed about OpenPGP, in English; None if nothing is. DCAT has no term for encryption."""
    if contract.direction is Direction.OUTBOUND_RETURN:
        return _to_key("Encrypted with OpenPGP to", agreement.delivery.pgp)
    if contract.direction is not Direction.INBOUND or agreement.arrival.pgp is None:
        return None
    rules = agreement.arrival
    asked = (("signed", rules.must_be_signed), ("encrypted", rules.must_be_encrypted))
    must = " and ".join(word for word, is_asked in asked if is_asked)
    return _to_key(f"{f'Must be {must}' if must else 'May come'} with OpenPGP; its signature is by", rules.pgp)


def _to_key(words: str, key: PgpKey | None) -> str | None:
    return f"{words} {key.fingerprint}" if key else None


def _column(field: FieldRole) -> dict[str, Any]:
    is_personal = field.category != dpv.NON_PERSONAL
    return {
        "@type": "csvw:Column",
        "csvw:title": field.name,
        "csvw:datatype": {"csvw:base": DATATYPES.get(field.logical_type, field.logical_type)},
        "csvw:required": field.required,
        **({"dpv:hasPersonalData": {"@id": field.category}} if is_personal else {}),
        "dpv:hasPurpose": _refs(field.purpose_iris),
        "dpv:hasLegalBasis": {"@id": field.legal_basis},
    }


def _refs(names: Iterable[str]) -> list[dict[str, str]]:
    return [{"@id": name} for name in sorted(set(names))]


def _day(day: str) -> dict[str, str]:
    return {"@value": day, "@type": "xsd:date"}
