"""Open OpenPGP files that arrive: decrypt with the center's key for the principal, verify with the pinned certificate.

A file must hold one message and nothing else. The library verifies, but its errors have no types. Which refusal an
error means is therefore told from the certificates that it asked for and from the first words of its message, which a
test pins.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sluice.lake.read.pgp import CertificateRefused, find_certificate, is_ended, key_ids
from sluice.lake.read.sniff import begins_encrypted, has_more_than_armour
from sluice.lake.table import FileLimits, FormatRefusal

if TYPE_CHECKING:
    from pysequoia import Cert, Tsk

_RULE = "format.pgp"
_NO_KEY, _NO_SIGNATURE = "No key to decrypt", "Signature verification failed"
_COMPRESSED = "Unexpected message structure"
"""For a message with one signature this only means a compressed packet, which GnuPG makes by default."""


@dataclass(frozen=True, slots=True)
class PgpKeys:
    """The keys that open the files of one principal.

    ``secret``: the center's key, armoured; it is passed through a pipe only. ``certificate``: the one that the
    agreement pins by its whole ``fingerprint``, armoured; None when the agreement has no encrypted files.
    """

    secret: str
    certificate: str | None
    fingerprint: str | None
    must_be_signed: bool = True
    must_be_encrypted: bool = False


@dataclass(frozen=True, slots=True)
class Opened:
    """An opened message: fingerprints of the key that it was encrypted to, and of the key that signed it, if any."""

    encrypted_to: str
    signed_by: str | None


@dataclass(slots=True)
class _Signers:
    """The library's callback for the certificates of signers: returns the pinned one and records who signed."""

    pinned: "Cert"
    asked: set[str] = field(default_factory=set)

    def __call__(self, names: list[str]) -> list["Cert"]:
        self.asked.update(name.lower() for name in names)
        return [self.pinned]


def armoured(certificate: bytes) -> str:
    """A certificate as ASCII armour. Bytes that are no certificate still give one that is refused later."""
    from pysequoia import ArmorKind, armor

    if certificate.startswith(b"-----BEGIN"):
        return certificate.decode("ascii", "replace")
    return armor(certificate, ArmorKind.PublicKey)


def public_part(secret: str) -> tuple[str, str]:
    """The public certificate of an armoured secret key, armoured, and its whole fingerprint."""
    from pysequoia import Tsk

    certificate = Tsk.from_bytes(secret.encode()).extract_certificate()
    return str(certificate), certificate.fingerprint


def open_message(source: Path, target: Path, keys: PgpKeys, limits: FileLimits) -> Opened | FormatRefusal:
    """Decrypt a message to ``target``, or say why that is impossible; then there is no ``target``. Raises OSError."""
    if keys.certificate is None or keys.fingerprint is None:
        return FormatRefusal("FORBIDDEN_PGP_NOT_AGREED", _RULE)
    try:
        pinned = find_certificate(keys.certificate.encode(), keys.fingerprint)
    except CertificateRefused:
        return FormatRefusal("FORBIDDEN_PGP_KEY", _RULE)
    found = _opened(source, target, keys, pinned)
    if isinstance(found, Opened) and target.stat().st_size > limits.unpacked_bytes(source.stat().st_size):
        found = FormatRefusal(limits.swollen(source.stat().st_size), _RULE)
    if isinstance(found, FormatRefusal):
        target.unlink(missing_ok=True)
    return found


def _opened(source: Path, target: Path, keys: PgpKeys, pinned: "Cert") -> Opened | FormatRefusal:
    from pysequoia import Tsk

    if not begins_encrypted(source):
        return FormatRefusal("FORBIDDEN_PGP_NOT_ENCRYPTED", _RULE)
    if has_more_than_armour(source):
        return FormatRefusal("UNREADABLE_PGP", _RULE)
    secret, signers = Tsk.from_bytes(keys.secret.encode()), _Signers(pinned)
    error = _decrypt(source, target, secret, signers)
    if error is None:
        return Opened(secret.extract_certificate().fingerprint, pinned.fingerprint)
    if error.startswith(_NO_KEY):
        return FormatRefusal("FORBIDDEN_PGP_RECIPIENT", _RULE)
    if error.startswith(_COMPRESSED):
        return FormatRefusal("FORBIDDEN_PGP_COMPRESSED", _RULE)
    if not error.startswith(_NO_SIGNATURE):
        return FormatRefusal("UNREADABLE_PGP", _RULE)
    if signers.asked & set(key_ids(pinned)):
        has_ended = is_ended(pinned, signers.asked, datetime.now(UTC))
        return FormatRefusal("FORBIDDEN_PGP_KEY" if has_ended else "UNREADABLE_PGP", _RULE)
    if signers.asked:
        return FormatRefusal("FORBIDDEN_PGP_SIGNER", _RULE)
    if keys.must_be_signed:
        return FormatRefusal("FORBIDDEN_PGP_UNSIGNED", _RULE)
    if _decrypt(source, target, secret, None) is not None:
        return FormatRefusal("UNREADABLE_PGP", _RULE)
    return Opened(secret.extract_certificate().fingerprint, None)


def _decrypt(source: Path, target: Path, secret: "Tsk", signers: _Signers | None) -> str | None:
    """Decrypt; return None, or the library's error message, which is never shown. Raises OSError for a disk fault."""
    from pysequoia import decrypt_file

    try:
        decrypt_file(str(source), str(target), secret.decryptor(), store=signers)
    except OSError as failure:  # the library raises it for damaged data too, without an errno
        if failure.errno:
            raise
        return str(failure)
    except RuntimeError as failure:
        return str(failure)
    return None
