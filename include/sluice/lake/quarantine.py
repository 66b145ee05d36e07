"""Quarantine: refused files and rows, encrypted to a key of the principal, unreadable to agents.

So is what else only the center may open again: suppressions, corrections and packages of answers. The format is age
(X25519). Sealing uses the public recipient only; opening takes the wrapped identity and the master key. Destroying that
identity makes all of it unreadable for good.
"""

from pathlib import Path

from sluice.keys import Keyring
from sluice.terms import Principal


def seal(source: Path, target: Path, keyring: Keyring, principal: Principal) -> Path:
    """Encrypt ``source`` to ``target`` for one principal's quarantine key; streams any size."""
    from pyrage import encrypt_file, x25519

    identity = x25519.Identity.from_str(keyring.quarantine_identity(principal))
    encrypt_file(str(source), str(target), [identity.to_public()])
    return target


def unseal(source: Path, target: Path, keyring: Keyring, principal: Principal) -> Path:
    """Decrypt a file that :func:`seal` made."""
    from pyrage import decrypt_file, x25519

    identity = x25519.Identity.from_str(keyring.quarantine_identity(principal))
    decrypt_file(str(source), str(target), [identity])
    return target


def seal_bytes(content: bytes, keyring: Keyring, principal: Principal) -> bytes:
    """Encrypt bytes that fit in memory, as :func:`seal` does."""
    from pyrage import encrypt, x25519

    identity = x25519.Identity.from_str(keyring.quarantine_identity(principal))
    sealed: bytes = encrypt(content, [identity.to_public()])
    return sealed


def unseal_bytes(content: bytes, keyring: Keyring, principal: Principal) -> bytes:
    """Decrypt bytes that :func:`seal_bytes` made."""
    from pyrage import decrypt, x25519

    opened: bytes = decrypt(content, [x25519.Identity.from_str(keyring.quarantine_identity(principal))])
    return opened
