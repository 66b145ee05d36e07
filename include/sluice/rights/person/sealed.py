"""Requests sealed in the vault and nowhere else, and the encryption of whatever belongs to a case.

The sealed envelope is the record of the request and is written before anything else. Opening a case is a
function of it, so a rerun finishes from it what a dead worker left.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from uuid import UUID, uuid5

from sluice.errors import NotFound, Ref, StoreConflict
from sluice.exchange.house import House
from sluice.keys import Keyring
from sluice.lake.s3.objects import StoredObject
from sluice.media_types import OCTETS
from sluice.rights.case.errors import SubjectUnreadable
from sluice.rights.case.model import CaseId
from sluice.rights.person.envelope import Envelope, read_envelope, write_envelope
from sluice.terms import Principal, Sha256

PREFIX = "_cases/"
NUMBER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""A case's number, as keys have it."""
KEY_OWNER = Principal("_cases")
"""Begins with ``_``, which the code of a principal cannot."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """An envelope and where it lies. ``sha256`` is that of the sealed bytes."""

    envelope: Envelope
    bucket: str
    key: str
    sha256: Sha256


def subject_key(case_id: CaseId) -> str:
    """The key in the vault of the sealed envelope of a case."""
    return f"{PREFIX}{case_id}/subject.age"


def seal(house: House, envelope: Envelope, key: str | None = None) -> Sealed:
    """Put the envelope into the vault, once. If one is there already, return that one.

    ``key``: where the envelope with a confirmed person goes, beside the one with what was asked. Raises
    SubjectUnreadable.
    """
    key = key or subject_key(envelope.case_id)
    try:
        stored = house.objects.put_once(
            house.settings.bucket_vault, key, encrypt(house.keyring, write_envelope(envelope)), OCTETS
        )
    except StoreConflict:
        return open_sealed(house, key)
    return Sealed(envelope, stored.bucket, key, _known(stored))


def open_sealed(house: House, key: str) -> Sealed:
    """Open the envelope under a key of the vault. Raises NotFound, SubjectUnreadable."""
    bucket = house.settings.bucket_vault
    content = house.objects.read(bucket, key)
    return Sealed(
        read_envelope(decrypt(house.keyring, content)), bucket, key, Sha256(hashlib.sha256(content).hexdigest())
    )


def find_sealed(house: House, key: str) -> Sealed | None:
    """Like :func:`open_sealed`, but None once the identifiers were removed."""
    try:
        return open_sealed(house, key)
    except NotFound:
        return None


def list_sealed(house: House) -> list[tuple[CaseId, str]]:
    """Case number and key of every envelope in the vault.

    What lies under no case's number was not put there by us and is no envelope; the census names it (``erasure``).
    """
    found = {item.key for item in house.objects.list_versions(house.settings.bucket_vault, PREFIX)}
    cases = {CaseId(number) for number in (key.split("/")[1] for key in found) if NUMBER.fullmatch(number)}
    return sorted((case_id, key) for case_id in cases if (key := subject_key(case_id)) in found)


def _known(stored: StoredObject) -> Sha256:
    assert stored.sha256 is not None  # we wrote it
    return stored.sha256


def case_id_of(keyring: Keyring, request_id: UUID) -> CaseId:
    """The case number for a client's own request number (RFC 9562, 5.5).

    It is always the same for that number, and no outsider can compute it.
    """
    secret = keyring.quarantine_identity(KEY_OWNER).encode()
    space = UUID(bytes=hmac.digest(secret, b"numbers of requests", "sha256")[:16])
    return CaseId(str(uuid5(space, str(request_id))))


def encrypt(keyring: Keyring, content: bytes) -> bytes:
    """Seal something that belongs to a case. Only the center's own key opens it."""
    import pyrage

    identity = pyrage.x25519.Identity.from_str(keyring.quarantine_identity(KEY_OWNER))
    sealed: bytes = pyrage.encrypt(content, [identity.to_public()])
    return sealed


def decrypt(keyring: Keyring, content: bytes) -> bytes:
    """Open what :func:`encrypt` sealed. Raises SubjectUnreadable."""
    import pyrage

    identity = pyrage.x25519.Identity.from_str(keyring.quarantine_identity(KEY_OWNER))
    try:
        opened: bytes = pyrage.decrypt(content, [identity])
        return opened
    except pyrage.DecryptError:
        pass
    raise SubjectUnreadable(Ref("reason", "wrong key or changed bytes"))
