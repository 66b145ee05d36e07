"""Signed JSON: JWS (RFC 7515) with Ed25519 (RFC 8037, algorithm name of RFC 9864), read strictly.

A verifier that accepts two spellings of a document lets somebody choose between them. So headers and
payloads must be canonical JSON (RFC 8785), base64url has no padding and only one spelling, and any
document that differs from what we would write ourselves is refused.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

import rfc8785
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from joserfc.jws import JWSRegistry, deserialize_compact, serialize_compact

from sluice.errors import Ref
from sluice.ledger.model import PublicKeyInvalid, SignatureInvalid

ALGORITHM = "Ed25519"
MAX_BYTES = 16 * 2**20


class _Registry(JWSRegistry):
    """joserfc's rules, but with room for the receipt of a file with 1,024 columns."""

    max_payload_length = MAX_BYTES


_REGISTRY = _Registry(algorithms=[ALGORITHM])


@dataclass(frozen=True, slots=True)
class Signed:
    """The three parts of a JWS, each base64url."""

    protected: str
    payload: str
    signature: str

    @property
    def compact(self) -> bytes:
        """RFC 7515 section 7.1."""
        return f"{self.protected}.{self.payload}.{self.signature}".encode()

    @property
    def flattened(self) -> bytes:
        """RFC 7515 section 7.2.2, as canonical JSON."""
        return rfc8785.dumps({"payload": self.payload, "protected": self.protected, "signature": self.signature})


def key_id(public: Ed25519PublicKey) -> str:
    """The RFC 7638 thumbprint of a key, by which a document names the key that signed it."""
    return _public_jwk(public).thumbprint()


def read_public(pem: bytes) -> Ed25519PublicKey:
    """The key in a PEM file. Raises PublicKeyInvalid."""
    try:
        key = load_pem_public_key(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise PublicKeyInvalid(Ref("kind of key", "Ed25519 public key in PEM"))
    return key


def sign(payload: bytes, signing: Ed25519PrivateKey, typ: str) -> Signed:
    """Sign ``payload`` (canonical JSON). The same arguments give the same bytes."""
    pem = signing.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    compact = serialize_compact(_header(signing.public_key(), typ), payload, OKPKey.import_key(pem), registry=_REGISTRY)
    return Signed(*compact.split("."))


def open_signed(signed: Signed, public: Ed25519PublicKey, typ: str) -> dict[str, Any]:
    """The payload of a document that ``public`` signed as a ``typ``.

    Raises SignatureInvalid for every other document, with the reason as its Ref.
    """
    header = read_canonical(_decode(signed.protected, "header"), "header")
    wanted = _header(public, typ)
    for name in wanted:
        if header.get(name) != wanted[name]:
            raise SignatureInvalid(Ref("header", f"{name} is not the expected one"))
    if header != wanted:
        raise SignatureInvalid(Ref("header", "has members that are not allowed"))
    _decode(signed.signature, "signature")
    payload = _decode(signed.payload, "payload")
    _check_signature(signed, public)
    return read_canonical(payload, "payload")


def split_compact(jws: bytes) -> Signed:
    """The parts of a compact JWS. Raises SignatureInvalid unless there are exactly three."""
    parts = jws.decode("ascii", errors="replace").split(".")
    if len(parts) != 3 or len(jws) > 2 * MAX_BYTES:
        raise SignatureInvalid(Ref("form", "not a compact JWS"))
    return Signed(*parts)


def split_flattened(jws: bytes) -> Signed:
    """The parts of a flattened JWS. Raises SignatureInvalid unless it is spelled as we would spell it."""
    members = read_canonical(jws, "form")
    if set(members) != {"payload", "protected", "signature"}:
        raise SignatureInvalid(Ref("form", "members other than payload, protected, signature"))
    if not all(isinstance(part, str) for part in members.values()):
        raise SignatureInvalid(Ref("form", "a member is no text"))
    return Signed(members["protected"], members["payload"], members["signature"])


def as_it_stands(signed: Signed) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and payload without checking the signature; trust them only after :func:`open_signed`.

    Raises SignatureInvalid when they are malformed."""
    header, payload = (_decode(part, "document") for part in (signed.protected, signed.payload))
    return read_canonical(header, "header"), read_canonical(payload, "payload")


def read_canonical(content: bytes, what: str) -> dict[str, Any]:
    """Parse a JSON object that must be in canonical form, without duplicate members. Raises SignatureInvalid."""
    document: Any = None
    if len(content) <= 2 * MAX_BYTES:
        try:
            document = json.loads(content)
            if rfc8785.dumps(document) != content:
                document = None
        except (ValueError, RecursionError):
            document = None
    if not isinstance(document, dict):
        raise SignatureInvalid(Ref(what, "not a canonical JSON object"))
    return document


def encode(content: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decode(text: str, what: str) -> bytes:
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        content = b""
    if not content or encode(content) != text:
        raise SignatureInvalid(Ref(what, "not canonical base64url"))
    return content


def _header(public: Ed25519PublicKey, typ: str) -> dict[str, str]:
    return {"alg": ALGORITHM, "kid": key_id(public), "typ": typ}


def _public_jwk(public: Ed25519PublicKey) -> OKPKey:
    return OKPKey.import_key(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def _check_signature(signed: Signed, public: Ed25519PublicKey) -> None:
    try:
        deserialize_compact(signed.compact, _public_jwk(public), registry=_REGISTRY)
        return
    except JoseError:
        pass
    raise SignatureInvalid(Ref("signature", "was not made by this key over this content"))
