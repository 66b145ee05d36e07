"""Encrypt with OpenPGP to one pinned certificate, and to nothing that merely looks like it.

The library silently encrypts to revoked and expired certificates, so everything is checked here
first. There is no key server and no keyring: the certificate and its whole fingerprint come with the
agreement. Encrypting the same file again gives other bytes (RFC 9580 wants a fresh session key), so
what was delivered must be kept, not made again. The file is streamed; memory does not grow with it.
"""

import re
import warnings
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from sluice.errors import Exit, Ref, SluiceError

if TYPE_CHECKING:
    from pysequoia import Cert
    from pysequoia.packet import Packet

_FINGERPRINT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
"""Fingerprints of version 4 and version 6 keys. A short key id can be forged, so it cannot serve as a pin."""


class CertificateRefused(SluiceError):
    """Nothing may be encrypted to this certificate; the rule says why."""

    code: ClassVar[str] = "SLU-426"
    summary: ClassVar[str] = "the recipient's OpenPGP certificate cannot be used"
    cure: ClassVar[str] = "ask the principal for its public certificate and compare the whole fingerprint by phone"
    exit: ClassVar[Exit] = Exit.REFUSED


class EncryptionFailed(SluiceError):
    """The certificate is sound, but the file could not be encrypted."""

    code: ClassVar[str] = "SLU-427"
    summary: ClassVar[str] = "a file could not be encrypted"
    cure: ClassVar[str] = "check disk and rights of the working folder, then run the exchange again"


@dataclass(frozen=True, slots=True, eq=False)
class _Key:
    """A primary key or subkey with the packets that belong to it."""

    packets: tuple["Packet", ...]

    @property
    def kind(self) -> str:
        return str(self.packets[0].tag).rpartition(".")[2]

    @property
    def names(self) -> set[str]:
        """The whole fingerprint and the short id; a signature may bear either."""
        return {name.lower() for name in (self.packets[0].fingerprint, self.packets[0].key_id) if name}

    @property
    def encrypts(self) -> bool:
        flags = [packet.key_flags for packet in self.packets if packet.key_flags is not None]
        return any(flag.transport_encryption or flag.storage_encryption for flag in flags)

    @property
    def is_revoked(self) -> bool:
        kinds = (str(packet.signature_type) for packet in self.packets if packet.signature_type is not None)
        return any("Revocation" in kind for kind in kinds)

    def is_expired(self, at: datetime) -> bool:
        """Whether the key has expired at a moment.

        The newest self-signature says for how long it is valid; the period counts from the key's creation."""
        created = self.packets[0].key_created
        signed = [packet for packet in self.packets[1:] if packet.key_flags is not None and packet.signature_created]
        newest = max(signed, key=lambda packet: packet.signature_created or at, default=None)
        period: timedelta | None = newest.key_validity_period if newest else None
        return bool(created and period and created + period <= at)


def encrypt_to(source: Path, target: Path, cert: bytes, fingerprint: str, *, at: datetime) -> None:
    """Encrypt ``source`` to the pinned certificate; ``target`` (binary) appears whole or not at all.

    fingerprint: all 40 or 64 hexadecimal digits, spaces allowed; at: now, with zone. Raises
    CertificateRefused, EncryptionFailed."""
    import pysequoia

    recipient = usable_certificate(cert, fingerprint, at=at)
    draft = target.with_name(f".{target.name}.part")
    try:
        pysequoia.encrypt_file(str(source), str(draft), recipients=[recipient], armor=False)
        draft.replace(target)
        return
    except (RuntimeError, OSError):
        pass
    finally:
        draft.unlink(missing_ok=True)
    raise EncryptionFailed(Ref("certificate", recipient.fingerprint))


def usable_certificate(cert: bytes, fingerprint: str, *, at: datetime) -> "Cert":
    """The only certificate in ``cert``, reduced to the encryption subkeys that are valid at that moment.

    Raises CertificateRefused with the rule that it breaks."""
    from pysequoia import Cert

    found = find_certificate(cert, fingerprint)
    keys = _keys(_packets(cert))
    if found.expiration is not None and found.expiration <= at:
        raise _refused("pgp.expired")
    live = [key for key in keys[1:] if key.encrypts and not key.is_revoked and not key.is_expired(at)]
    if not live:
        raise _refused("pgp.no_encryption_subkey")
    return Cert.from_packets([packet for key in (keys[0], *live) for packet in key.packets])


def find_certificate(cert: bytes, fingerprint: str) -> "Cert":
    """The only certificate in ``cert``, if it is the pinned one, public and not revoked.

    Its expiry is not checked, because a signature is checked against the moment when it was made.
    Raises CertificateRefused with the rule that it breaks."""
    pinned = re.sub(r"\s", "", fingerprint).lower()
    if not _FINGERPRINT.fullmatch(pinned):
        raise _refused("pgp.pin")
    if any(key.kind.startswith("Secret") for key in _keys(_packets(cert))):
        raise _refused("pgp.secret_key")
    found = _parsed(cert)
    if found.fingerprint.lower() != pinned:
        raise _refused("pgp.fingerprint")
    if found.is_revoked:
        raise _refused("pgp.revoked")
    return found


def key_ids(cert: "Cert") -> set[str]:
    """The whole fingerprint and the short id of every key of a certificate; a signature may bear either."""
    return {name for key in _keys(_packets(bytes(cert))) for name in key.names}


def is_ended(cert: "Cert", names: Collection[str], at: datetime) -> bool:
    """Whether a certificate, or a key of it that bears one of these names (as in :func:`key_ids`), ended by a moment.

    What was signed before counts all the same; what was signed afterwards does not."""
    if cert.expiration is not None and cert.expiration <= at:
        return True
    return any(key.is_expired(at) for key in _keys(_packets(bytes(cert))) if key.names & set(names))


def _refused(rule: str) -> CertificateRefused:
    return CertificateRefused(Ref("rule", rule))


def _packets(cert: bytes) -> list["Packet"]:
    from pysequoia.packet import PacketPile

    try:
        packets = list(PacketPile.from_bytes(cert))
    except RuntimeError:
        packets = []
    kind = str(packets[0].tag).rpartition(".")[2] if packets else ""
    if kind not in ("PublicKey", "SecretKey"):
        raise _refused("pgp.no_certificate")
    return packets


def _keys(packets: Iterable["Packet"]) -> list[_Key]:
    """The primary key first (with user ids and their signatures), then each subkey."""
    groups: list[list[Packet]] = []
    for packet in packets:
        if str(packet.tag).rpartition(".")[2] in ("PublicKey", "SecretKey", "PublicSubkey", "SecretSubkey"):
            groups.append([])
        groups[-1].append(packet)
    return [_Key(tuple(group)) for group in groups]


def _parsed(cert: bytes) -> "Cert":
    from pysequoia import Cert

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            found = Cert.split_bytes(cert)
    except RuntimeError:
        found = []
    if len(found) != 1:
        raise _refused("pgp.no_certificate" if not found else "pgp.several_certificates")
    return found[0]
