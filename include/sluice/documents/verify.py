"""Check a receipt with nothing but the file and the public key: no settings, no database, no network."""

import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from sluice.errors import Ref
from sluice.given_files import is_file, read_given
from sluice.ledger.model import SignatureInvalid
from sluice.ledger.sign import as_it_stands, key_id, open_signed, read_public, split_flattened

TYPE = "sluice-receipt+jws"
FORMAT = "sluice-receipt-1"
FILE, PDF = Ref("argument", "FILE"), Ref("option", "--pdf")
JSON_BESIDE = Ref("argument", "FILE, the signed .json beside it")
PDF_BESIDE = Ref("argument", "FILE, the .pdf beside it")

_EXCHANGE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MEMBERS = (b'"payload"', b'"protected"', b'"signature"')
_HEX = re.compile(r"[0-9a-f]{64}")
_PARTS = {"exchange": str, "principal": str, "decision": str, "ledger": dict, "pdf_sha256": str}


@dataclass(frozen=True, slots=True)
class ReceiptCheck:
    """The result of a check. It repeats nothing from an invalid receipt, which could say anything.

    ``why``: why it is invalid. ``chain`` and ``seq`` place the entry in the ledger. ``pdf_checked``: whether the PDF
    was compared as well. ``key``: fingerprint of the public key that was given (RFC 7638), None if nothing was read.
    """

    valid: bool
    exchange: str | None = None
    entry_hash: str | None = None
    why: str | None = None
    chain: str | None = None
    seq: int | None = None
    pdf_checked: bool = False
    key: str | None = None


def verify_receipt(jws: bytes, public_pem: bytes, pdf: bytes | None) -> ReceiptCheck:
    """Whether ``jws`` is, byte for byte, a receipt signed by this key, and ``pdf`` the page it names.

    Raises PublicKeyInvalid when ``public_pem`` holds no Ed25519 public key.
    """
    key = key_id(read_public(public_pem))
    try:
        said = open_receipt(jws, public_pem)
    except SignatureInvalid as error:
        return ReceiptCheck(False, why="; ".join(str(ref) for ref in error.refs), key=key)
    if pdf is not None and sha256(pdf).hexdigest() != said["pdf_sha256"]:
        return ReceiptCheck(False, why="the PDF is not the one of this receipt", key=key)
    ledger = said["ledger"]
    return ReceiptCheck(
        True,
        exchange=said["exchange"],
        entry_hash=ledger["entry_hash"],
        chain=ledger["chain"],
        seq=ledger["seq"],
        pdf_checked=pdf is not None,
        key=key,
    )


def open_receipt(jws: bytes, public_pem: bytes) -> dict[str, Any]:
    """What a receipt says, if this key signed it. Raises SignatureInvalid with the reason, PublicKeyInvalid."""
    said = open_signed(split_flattened(jws), read_public(public_pem), TYPE)
    if not _is_statement(said):
        raise SignatureInvalid(Ref("payload", "is no receipt of this version"))
    return said


def is_of_another_kind(jws: bytes, public_pem: bytes) -> bool:
    """Whether this key signed it, but as another kind of document: a role statement, a certificate, a checkpoint."""
    try:
        signed = split_flattened(jws)
        kind = as_it_stands(signed)[0].get("typ")
        open_signed(signed, read_public(public_pem), str(kind))
    except SignatureInvalid:
        return False
    return kind != TYPE


def is_no_receipt(path: Path) -> bool:
    """Whether a file that does not hold was never one of ours: neither its name nor its content is a signed document's.

    What was cut off or emptied keeps one of both: the id of an exchange as its name, or a member of the signed JSON.
    """
    content = path.read_bytes()
    return not _EXCHANGE.fullmatch(path.stem) and not any(member in content for member in _MEMBERS)


def verify_file(path: Path, public_pem: bytes, pdf: Path | None = None) -> ReceiptCheck:
    """Like :func:`verify_receipt`, for files. Of ``x.json`` and ``x.pdf`` either path is enough; the other is found.

    Raises FileMissing or FileUnreadable for a path that cannot be read: that says nothing about the receipt.
    """
    signed = path.with_suffix(".json") if path.suffix.lower() == ".pdf" else path
    jws = read_given(signed, FILE if signed == path else JSON_BESIDE)
    page = pdf or (path if path != signed else _beside(signed))
    return verify_receipt(jws, public_pem, read_given(page, PDF if pdf else PDF_BESIDE) if page else None)


def _beside(signed: Path) -> Path | None:
    page = signed.with_suffix(".pdf")
    return page if is_file(page) else None


def _is_statement(said: dict[str, Any]) -> bool:
    if said.get("format") != FORMAT or not all(isinstance(said.get(name), kind) for name, kind in _PARTS.items()):
        return False
    ledger = said["ledger"]
    return (
        bool(_HEX.fullmatch(said["pdf_sha256"]))
        and isinstance(ledger.get("chain"), str)
        and isinstance(ledger.get("seq"), int)
        and bool(_HEX.fullmatch(str(ledger.get("entry_hash"))))
    )
