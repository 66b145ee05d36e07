"""The signed certificate of an erasure at one principal, which is not issued while a residue is left.

It is a pure function of the ledger entry of the last second scan, and its PDFs are functions of it alone. A
principal's certificate names only that principal's parts of the case, so that two principals cannot find out that
they know the same person.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import rfc8785

from sluice.documents.words import LANGUAGES
from sluice.errors import Exit, Ref, SluiceError
from sluice.exchange.house import House
from sluice.ledger.sign import as_it_stands, sign, split_flattened
from sluice.media_types import JOSE_JSON, PDF
from sluice.rights.case import store
from sluice.rights.case.guards import check_language
from sluice.rights.case.model import Case, CaseId
from sluice.rights.copies.scope import has_decided
from sluice.rights.erasure.census import find_unknown
from sluice.rights.erasure.certificate_check import FORMAT, TYPE
from sluice.rights.erasure.certificate_page import LIMITS, make_certificate_pdf
from sluice.rights.erasure.scan_store import Scan, find_last_scans


class NotProven(SluiceError):
    code: ClassVar[str] = "SLU-554"
    summary: ClassVar[str] = "the erasure of this case is not proven"
    cure: ClassVar[str] = (
        "`sluice erase run` again: nothing is certified while something is found or cannot be read (`sluice erase "
        "verify` lists where), or lies where nobody looks (`sluice erase preflight` names it)"
    )
    exit: ClassVar[Exit] = Exit.REFUSED


@dataclass(frozen=True, slots=True)
class Certificate:
    """One signed certificate, and where it was put."""

    principal: str
    bucket: str
    key: str
    jws: bytes

    def pdf_key(self, language: str) -> str:
        """Return where the PDF of this certificate in a language is."""
        return f"{self.key.removesuffix('.json')}.{language}.pdf"


def issue(house: House, case_id: CaseId, only: Collection[str] | None = None) -> tuple[Certificate, ...]:
    """Sign and store a certificate for every principal where an erasure was decided, or for those in ``only``.

    The same scan always gives the same bytes. Raises NotProven if there was no second scan, the last one was not clean,
    or there is a place that no scan searches.
    """
    case = store.get_case(house.conn, case_id)
    scans = find_last_scans(house.conn, case_id)
    decided = {part.principal for part in case.sub_cases if part.agreement_id is not None and has_decided(part)}
    wanted = sorted(decided if only is None else decided & set(only))
    return issue_of(house, case_id, [scans.get(name) for name in wanted])


def issue_of(house: House, case_id: CaseId, scans: Sequence[Scan | None]) -> tuple[Certificate, ...]:
    """Sign and store a certificate of every one of these last second scans.

    Raises NotProven if there are none, one is missing or not clean, or there is a place that no scan searches.
    """
    clean = [scan for scan in scans if scan is not None and scan.is_clean]
    if len(clean) < len(scans) or not scans:
        raise NotProven(Ref("case", case_id), Ref("principals not clean", len(scans) - len(clean)))
    if unknown := find_unknown(house.settings, house.conn, house.objects):
        raise NotProven(Ref("case", case_id), Ref("unknown places", len(unknown)))
    case = store.get_case(house.conn, case_id)
    return tuple(_issued(house, case, scan) for scan in clean)


def key_of(case_id: CaseId, principal: str, entry_hash: str) -> str:
    """Return where the certificate of a second scan is put when it is issued."""
    return f"certificates/{case_id}/{principal}.{entry_hash[:16]}.json"


def _issued(house: House, case: Case, scan: Scan) -> Certificate:
    done, entry_hash = scan.done, scan.entry_hash
    payload = rfc8785.dumps(_document(case, scan))
    jws = sign(payload, house.keyring.signing, TYPE).flattened
    bucket, key = house.settings.bucket_evidence, key_of(case.case_id, done.principal, entry_hash)
    house.objects.put_once(bucket, key, jws, JOSE_JSON)
    notice = f"{done.principal}/notices/erasure-certificate.{entry_hash[:16]}.json"
    house.objects.put_once(house.settings.bucket_exchange, notice, jws, JOSE_JSON)
    issued = Certificate(done.principal, bucket, key, jws)
    for language in LANGUAGES:
        _give_pdf(house, issued, language)
    return issued


def _document(case: Case, scan: Scan) -> dict[str, Any]:
    """Return what is signed. An entry always gives the same bytes, so no key may change."""
    done = scan.done
    document: dict[str, Any] = {
        "format": FORMAT,
        "parts": [part.sub_case_id for part in case.sub_cases if part.principal == done.principal],
        "principal": done.principal,
        "done_at": done.done_at,
        "stores": [line.model_dump(mode="json") for line in done.stores],
        "objects_scanned": done.objects_scanned,
        "residual": done.residual,
        "sealed_to_recipient": done.sealed,
        "shared_with_others": done.shared,
        "not_covered": list(LIMITS),
        "too_short_to_look_for": done.short,
        "exceptions": [each.model_dump(mode="json") for each in done.exceptions],
        "grounds": [each.model_dump(mode="json") for each in done.grounds],
        "ledger": {"entry_hash": scan.entry_hash},
    }
    if done.kept:
        document["kept_by_decision"] = done.kept
    return document


def _give_pdf(house: House, issued: Certificate, language: str) -> None:
    """Put the PDF beside the JWS unless it is there. A PDF in a newer layout does not replace it."""
    key = issued.pdf_key(language)
    if house.objects.head(issued.bucket, key) is None:
        house.objects.put_converging(issued.bucket, key, make_certificate_pdf(issued.jws, language), PDF)


def open_pdf(house: House, issued: Certificate, language: str) -> bytes:
    """Return the PDF of a certificate as it was stored. Raises NotFound, UsageError."""
    return house.objects.read(issued.bucket, issued.pdf_key(check_language(language)))


def stores_in(certificates: Sequence[Certificate]) -> list[dict[str, object]]:
    """Return the store lines of all certificates, as they were signed."""
    said = [as_it_stands(split_flattened(each.jws))[1] for each in certificates]
    return [{"principal": one["principal"], **line} for one in said for line in one["stores"]]
