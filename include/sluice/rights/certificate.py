"""The certificate of an erasure: signed, per principal, and not issued while one residue is left.

It is a pure function of the ledger entry of the last second scan. A principal's own certificate names
its parts of the case only, so that two principals cannot tell that they know the same person.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar

import rfc8785

from sluice.errors import Exit, Ref, SluiceError
from sluice.exchange.house import House
from sluice.ledger.erased import ErasureDone
from sluice.ledger.model import EntryKind
from sluice.ledger.sign import open_signed, read_public, sign, split_flattened
from sluice.rights import store
from sluice.rights.census import find_unknown
from sluice.rights.erase_scope import has_decided
from sluice.rights.model import Case, CaseId

TYPE, FORMAT = "sluice-erasure-certificate+jws", "sluice-erasure-certificate-1"
JOSE = "application/jose+json"
LIMITS = (
    "files that were handed over and copied by their recipient",
    "files sealed to their recipient, of which the index of their rows says that the person is not in them",
    "the notice that names the person to a recipient, until it says that it is done",
    "backups of the database and of the object store, until their dated expiry",
)
"""What no scan of ours can see, said in every certificate."""


class NotProven(SluiceError):
    code: ClassVar[str] = "SLU-554"
    summary: ClassVar[str] = "the erasure of this case is not proven"
    cure: ClassVar[str] = (
        "`sluice erase run` again: nothing is certified while something is found, cannot be read, or lies where "
        "nobody looks (`sluice erase preflight` names it)"
    )
    exit: ClassVar[Exit] = Exit.REFUSED


@dataclass(frozen=True, slots=True)
class Certificate:
    """One signed certificate and where it was put."""

    principal: str
    bucket: str
    key: str
    jws: bytes


def issue(house: House, case_id: CaseId, only: Collection[str] | None = None) -> tuple[Certificate, ...]:
    """Sign and store a certificate for every principal where erasure was decided, or ``only`` for some of them.

    The same scan again gives the same bytes. Raises NotProven when there was no second scan, the last one was
    not clean, or there is a place that no scan looks through.
    """
    case = store.get_case(house.conn, case_id)
    scans = last_scans(house, case_id)
    decided = {part.principal for part in case.sub_cases if part.agreement_id is not None and has_decided(part)}
    wanted = sorted(decided if only is None else decided & set(only))
    missing = [name for name in wanted if name not in scans or not is_clean(scans[name][0])]
    if missing or not wanted:
        raise NotProven(Ref("case", case_id), Ref("principals not clean", len(missing)))
    if unknown := find_unknown(house.settings, house.conn, house.objects):
        raise NotProven(Ref("case", case_id), Ref("unknown places", len(unknown)))
    return tuple(_issued(house, case, *scans[name]) for name in wanted)


def is_clean(done: ErasureDone) -> bool:
    """Whether the second scan read everything and found nothing."""
    return done.residual == 0 and done.doubts == 0


def last_scans(house: House, case_id: CaseId) -> dict[str, tuple[ErasureDone, str]]:
    """The last second scan of a case per principal, with the hash of its ledger entry."""
    rows = house.conn.execute(
        """select body, hash from ledger.entry
           where kind = %s and convert_from(body, 'UTF8')::json ->> 'case_id' = %s order by appended_at, chain, seq""",
        (EntryKind.ERASURE_DONE.value, case_id),
    ).fetchall()
    read = ((ErasureDone.model_validate_json(row["body"]), bytes(row["hash"]).hex()) for row in rows)
    return {done.principal: (done, entry_hash) for done, entry_hash in read}


def _issued(house: House, case: Case, done: ErasureDone, entry_hash: str) -> Certificate:
    payload = rfc8785.dumps(
        {
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
            "ledger": {"entry_hash": entry_hash},
        }
    )
    jws = sign(payload, house.keyring.signing, TYPE).flattened
    bucket, key = house.settings.bucket_evidence, f"certificates/{case.case_id}/{done.principal}.{entry_hash[:16]}.json"
    house.objects.put_once(bucket, key, jws, JOSE)
    notice = f"{done.principal}/notices/erasure-certificate.{entry_hash[:16]}.json"
    house.objects.put_once(house.settings.bucket_exchange, notice, jws, JOSE)
    return Certificate(done.principal, bucket, key, jws)


def verify_certificate(jws: bytes, public_pem: bytes) -> dict[str, object]:
    """What a certificate says, if this key signed exactly that. Raises SignatureInvalid, PublicKeyInvalid."""
    return dict(open_signed(split_flattened(jws), read_public(public_pem), TYPE))


def stores_in(certificates: Sequence[Certificate]) -> list[dict[str, object]]:
    """The lines of all certificates, as they were signed."""
    import base64

    lines: list[dict[str, object]] = []
    for each in certificates:
        payload = json.loads(each.jws)["payload"]
        said = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        lines += [{"principal": said["principal"], **line} for line in said["stores"]]
    return lines
