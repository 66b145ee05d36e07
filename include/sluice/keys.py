"""Keys: one master key wraps the keys of each principal, and one key signs.

Wrapped keys are small files in ``SLUICE_KEYS_DIR``, apart from the database and its backups.
Destroying a subject key therefore makes every reference made with it unlinkable (GDPR Art. 4(5), 17).
"""

import base64
import hmac
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap_with_padding,
    aes_key_wrap_with_padding,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from pydantic import SecretStr

from sluice.errors import EvidenceInvalid, Exit, NotFound, Ref, SettingMissing, SluiceError
from sluice.key_files import (
    KeyLost,
    KeyOutOfReach,
    create_once,
    files_below,
    in_reach,
    overwrite_and_remove,
    read_whole,
    write_secret_once,
)
from sluice.settings import Settings
from sluice.terms import Principal

SUBJECT, QUARANTINE, OPENPGP = "subject", "quarantine", "openpgp"
"""The purposes of a principal's keys: references to persons, refused files and rows, files that arrive encrypted."""
WRAPPED, DESTROYED = ".wrapped", ".destroyed"
"""File extensions of a wrapped key, and of the tombstone that stays once it is destroyed."""
FINGERPRINT = b"sluice key fingerprint 1"
SAMPLE = b"sluice sample of notes 1 "
WRAPPING = b"sluice wrapping of keys 1 "


class KeyDestroyed(SluiceError):
    code = "SLU-117"
    summary = "this key was destroyed because its agreement ended; its references can never be made again"
    cure = "nothing brings it back; a new agreement takes a new code of the principal (docs/how-to/end-an-agreement.md)"
    exit = Exit.REFUSED


@dataclass(frozen=True, slots=True)
class KeyFound:
    """One key of the keys folder.

    ``fingerprint``: None when the file is empty or gone, or when the master key does not unwrap it.
    """

    principal: str
    purpose: str
    is_destroyed: bool
    fingerprint: str | None


@dataclass(frozen=True)
class Keyring:
    """The keys of this installation."""

    directory: Path
    master: bytes
    signing: Ed25519PrivateKey

    @classmethod
    def open(cls, settings: Settings) -> "Keyring":
        """Read the master and signing keys from the settings, else from ``var/secrets`` (made once).

        Raises SettingMissing when one is set but malformed, KeyLost when a key's file is empty, or gone while keys
        of principals are there, KeyOutOfReach when the operating system denies access.
        """
        own, wrapped, drawn = settings.var / "secrets", settings.keys_dir, secrets.token_bytes
        text = _given_or_own(settings.master_key, own / "master.key", lambda: base64.b64encode(drawn(32)), wrapped)
        pem = _given_or_own(settings.signing_key, own / "signing.pem", _new_signing_pem, wrapped)
        return cls(settings.keys_dir, _master(text), _signing(pem))

    @property
    def public(self) -> Ed25519PublicKey:
        return self.signing.public_key()

    @property
    def public_pem(self) -> bytes:
        """The public key, as PEM, that verifies receipts and checkpoints; every principal gets it."""
        return self.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def subject_key(self, principal: Principal) -> bytes:
        """32 bytes that key the SubjectRefs of one principal; made on first use."""
        return self._wrapped(principal, SUBJECT, lambda: secrets.token_bytes(32))

    def staff_key(self) -> bytes:
        """32 bytes that key the references to the center's own staff; made on first use.

        Its folder begins with ``_``, which a principal's code never does.
        """
        return self._wrapped(Principal("_staff"), "agent", lambda: secrets.token_bytes(32))

    def sample_key(self, principal: Principal) -> bytes:
        """32 bytes that select which notes of a principal's files are sampled for review by a person.

        They are derived from the master key (HKDF, RFC 5869) and stored nowhere, so they outlive the principal's own
        keys. They identify nobody.
        """
        return HKDF(SHA256(), 32, salt=None, info=SAMPLE + principal.encode()).derive(self.master)

    def quarantine_identity(self, principal: Principal) -> str:
        """The age identity (X25519) that opens this principal's quarantine; made on first use."""
        return self._wrapped(principal, QUARANTINE, _new_age_identity).decode()

    def openpgp_key(self, principal: Principal) -> str:
        """The secret OpenPGP key, armoured, that this principal's files are encrypted to; made on first use."""
        return self._wrapped(principal, OPENPGP, lambda: _new_openpgp_key(principal)).decode()

    def has(self, principal: Principal, purpose: str) -> bool:
        """Whether a key exists; never makes one.

        Raises EvidenceInvalid when another master key wrapped it, KeyLost for an empty file, KeyDestroyed when it was
        destroyed, KeyOutOfReach.
        """
        return self._found(principal, purpose) is not None

    def _found(self, principal: Principal, purpose: str) -> bytes | None:
        path = self._path(principal, purpose)
        with in_reach(f"{principal}/{purpose}"):
            self._check_not_destroyed(principal, purpose)
            wrapped = read_whole(path) if path.exists() else None
        return None if wrapped is None else self._unwrapped(principal, purpose, wrapped)

    def is_destroyed(self, principal: Principal, purpose: str) -> bool:
        """Whether this key was destroyed, or is being destroyed."""
        return self._tombstone(principal, purpose).exists()

    def fingerprint(self, principal: Principal, purpose: str) -> str:
        """Identify a key without revealing it: HMAC-SHA256 of fixed text under the key, 64 hexadecimal digits.

        Raises NotFound, EvidenceInvalid, KeyLost, KeyDestroyed, KeyOutOfReach.
        """
        key = self._found(principal, purpose)
        if key is None:
            raise NotFound(Ref("key", f"{principal}/{purpose}"))
        return hmac.new(key, FINGERPRINT, "sha256").hexdigest()

    def list_keys(self) -> list[KeyFound]:
        """Every key that exists or was destroyed, by name. Raises KeyOutOfReach when a folder cannot be read."""
        files = [path for path in files_below(self.directory) if path.suffix in (WRAPPED, DESTROYED)]
        names = dict.fromkeys((Principal(path.parent.name), path.stem) for path in files)
        return [self._looked_at(*name) for name in names]

    def _looked_at(self, principal: Principal, purpose: str) -> KeyFound:
        """Describe a listed key, which may be destroyed meanwhile.

        The key is read before its tombstone is looked for: destroying writes the tombstone before it removes the key.
        """
        known, mark = self._known(principal, purpose), self._tombstone(principal, purpose)
        if not mark.exists():
            return KeyFound(principal, purpose, False, known)
        with in_reach(f"{principal}/{purpose}"):
            return KeyFound(principal, purpose, True, mark.read_text(encoding="ascii") or None)

    def _known(self, principal: Principal, purpose: str) -> str | None:
        try:
            return self.fingerprint(principal, purpose)
        except (EvidenceInvalid, KeyDestroyed, KeyLost, KeyOutOfReach, NotFound):
            return None

    def destroy(self, principal: Principal, purpose: str, fingerprint: str = "") -> None:
        """Overwrite and remove one wrapped key for good; it is never made again.

        A tombstone with the fingerprint stays in its place. A second call finishes one that was interrupted. Raises
        NotFound when there never was a key, KeyOutOfReach.
        """
        path, mark = self._path(principal, purpose), self._tombstone(principal, purpose)
        with in_reach(f"{principal}/{purpose}"):
            if not path.exists() and not mark.exists():
                raise NotFound(Ref("key", f"{principal}/{purpose}"))
            create_once(mark, fingerprint.encode())
            if path.exists():
                overwrite_and_remove(path)

    def forbid(self, principal: Principal, purpose: str) -> None:
        """Prevent a key from ever being made; if it was made meanwhile, destroy it. Raises KeyOutOfReach."""
        with in_reach(f"{principal}/{purpose}"):
            create_once(self._tombstone(principal, purpose), b"")
        self.destroy(principal, purpose)

    def _tombstone(self, principal: Principal, purpose: str) -> Path:
        return self.directory / principal / f"{purpose}{DESTROYED}"

    def _check_not_destroyed(self, principal: Principal, purpose: str) -> None:
        if self.is_destroyed(principal, purpose):
            raise KeyDestroyed(Ref("key", f"{principal}/{purpose}"))

    def _path(self, principal: Principal, purpose: str) -> Path:
        return self.directory / principal / f"{purpose}{WRAPPED}"

    def _wrapped(self, principal: Principal, purpose: str, make: Callable[[], bytes]) -> bytes:
        path = self._path(principal, purpose)
        with in_reach(f"{principal}/{purpose}"):
            self._check_not_destroyed(principal, purpose)
            wrapped = write_secret_once(
                path, lambda: aes_key_wrap_with_padding(self._wrapping(principal, purpose), make())
            )
        return self._unwrapped(principal, purpose, wrapped)

    def _unwrapped(self, principal: Principal, purpose: str, wrapped: bytes) -> bytes:
        with suppress(InvalidUnwrap):
            return aes_key_unwrap_with_padding(self._wrapping(principal, purpose), wrapped)
        raise EvidenceInvalid(Ref("key", f"{principal}/{purpose}"), Ref("setting", "SLUICE_MASTER_KEY"))

    def _wrapping(self, principal: Principal, purpose: str) -> bytes:
        """The key that wraps only this one (RFC 5869), so that a file moved to another key's place does not unwrap."""
        return HKDF(SHA256(), 32, salt=None, info=WRAPPING + f"{principal}/{purpose}".encode()).derive(self.master)


def find_public(settings: Settings) -> Ed25519PublicKey | None:
    """The key that verifies what is signed here; None before there is one. Makes none. Raises as Keyring.open."""
    own = settings.var / "secrets" / "signing.pem"
    with in_reach(f"{own.parent.name}/{own.name}"):
        if settings.signing_key is None and not own.exists():
            return None
    return _signing(_given_or_own(settings.signing_key, own, _new_signing_pem, settings.keys_dir)).public_key()


def _given_or_own(given: SecretStr | None, path: Path, make: Callable[[], bytes], wrapped: Path) -> bytes:
    """A key of the installation: as it is set, else read or made. Raises KeyLost, KeyOutOfReach."""
    if given is not None:
        return given.get_secret_value().encode()
    _check_not_lost(path, wrapped)
    with in_reach(f"{path.parent.name}/{path.name}"):
        return write_secret_once(path, make)


def _check_not_lost(own: Path, directory: Path) -> None:
    """Raises KeyLost when a key of the installation is not there, but keys of principals are: it was there before them.

    What a new one wraps or signs meanwhile is lost once the old one is back. It is looked for after the others, because
    a process that makes all of them makes it first. Raises KeyOutOfReach.
    """
    with in_reach(f"{own.parent.name}/{own.name}"):
        if not own.exists() and any(path.suffix == WRAPPED for path in files_below(directory)) and not own.exists():
            raise KeyLost(Ref("file", str(own)))


def _master(text: bytes) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise SettingMissing(Ref("setting", "SLUICE_MASTER_KEY"))
    return key


def _signing(pem: bytes) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingMissing(Ref("setting", "SLUICE_SIGNING_KEY"))
    return key


def _new_signing_pem() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _new_age_identity() -> bytes:
    from pyrage import x25519

    return str(x25519.Identity.generate()).encode()


def _new_openpgp_key(principal: str) -> bytes:
    """Make a key that does not expire: files that came in stay readable, and its fingerprint is on paper."""
    from pysequoia import Tsk

    return str(Tsk.generate(f"files from {principal}", validity_seconds=None)).encode()
