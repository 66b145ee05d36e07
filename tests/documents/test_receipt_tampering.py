"""S-17: a receipt that is not exactly what was signed is refused, whatever was done to it."""

import base64
import json
import random

import pytest
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from documents.samples import a_record, an_entry
from sluice.documents.receipt import make_receipt
from sluice.documents.verify import TYPE, verify_receipt
from sluice.keys import Keyring
from sluice.ledger.checkpoint import TYPE as CHECKPOINT
from sluice.ledger.sign import Signed, encode, key_id, sign, split_flattened

pytestmark = pytest.mark.slow

SEED = 17


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def flattened(header, payload, signing, **more):
    """A JWS over anything, as somebody would make it who does not follow our rules."""
    protected, body = encode(rfc8785.dumps(header)), encode(payload)
    signature = encode(signing.sign(f"{protected}.{body}".encode()))
    return rfc8785.dumps({"payload": body, "protected": protected, "signature": signature, **more})


def changed_fields(statement):
    """The statement with each of its leaves changed, one at a time."""

    def walk(value, path):
        if isinstance(value, dict) and value:
            for name, item in value.items():
                yield from walk(item, (*path, name))
        elif isinstance(value, list) and value:
            for index, item in enumerate(value):
                yield from walk(item, (*path, index))
        else:
            yield path

    for path in walk(statement, ()):
        copy = json.loads(json.dumps(statement))
        place = copy
        for step in path[:-1]:
            place = place[step]
        old = place[path[-1]]
        place[path[-1]] = old + 1 if isinstance(old, int) else f"{old}x"
        yield copy


def altered(receipt, keyring):
    """Name and bytes of every altered receipt."""
    dice = random.Random(SEED)
    jws, parts = receipt.jws, split_flattened(receipt.jws)
    payload = decode(parts.payload)
    for index in range(120):
        at, bit = dice.randrange(len(jws)), 1 << dice.randrange(8)
        yield f"bit {index}", jws[:at] + bytes([jws[at] ^ bit]) + jws[at + 1 :]
    for index, statement in enumerate(changed_fields(json.loads(payload))):
        yield f"field {index}", Signed(parts.protected, encode(rfc8785.dumps(statement)), parts.signature).flattened
    yield from forged(parts, payload, keyring)
    yield from respelled(jws, parts)


def forged(parts, payload, keyring):
    thief = Ed25519PrivateKey.generate()
    header = {"alg": "Ed25519", "kid": key_id(keyring.public), "typ": TYPE}
    yield "other key, its own kid", sign(payload, thief, TYPE).flattened
    yield "other key, our kid", flattened(header, payload, thief)
    jwk = {"crv": "Ed25519", "kty": "OKP", "x": encode(thief.public_key().public_bytes_raw())}
    yield "other key, brought along", flattened({**header, "jwk": jwk}, payload, thief)
    yield "unsigned", flattened({**header, "alg": "none"}, payload, thief)
    yield "empty signature", rfc8785.dumps({"payload": parts.payload, "protected": parts.protected, "signature": ""})
    yield "another algorithm", flattened({**header, "alg": "HS256"}, payload, keyring.signing)
    yield "the old algorithm name", flattened({**header, "alg": "EdDSA"}, payload, keyring.signing)
    yield "another type, our key", sign(payload, keyring.signing, CHECKPOINT).flattened
    yield "no type, our key", flattened({"alg": "Ed25519", "kid": header["kid"]}, payload, keyring.signing)
    yield "critical extension", flattened({**header, "crit": ["b64"], "b64": False}, payload, keyring.signing)
    yield "no receipt, our key", sign(b"{}", keyring.signing, TYPE).flattened
    yield "not canonical, our key", sign(payload + b" ", keyring.signing, TYPE).flattened
    twice = payload.replace(b'"decision":', b'"decision":"accepted","decision":')
    yield "a member twice, our key", sign(twice, keyring.signing, TYPE).flattened


def respelled(jws, parts):
    yield "trailing newline", jws + b"\n"
    yield "trailing garbage", jws + b"{}"
    yield "leading space", b" " + jws
    yield "a byte order mark", b"\xef\xbb\xbf" + jws
    yield "spaces", jws.replace(b'":"', b'": "')
    yield "padding", Signed(parts.protected, parts.payload, parts.signature + "==").flattened
    last = parts.signature[-1]
    other = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    near = other[other.index(last) + 1]
    yield (
        "unused bits of the last character",
        Signed(parts.protected, parts.payload, parts.signature[:-1] + near).flattened,
    )
    yield "standard base64", Signed(parts.protected, parts.payload, parts.signature + "+/").flattened
    yield "an unprotected header", rfc8785.dumps({**json.loads(jws), "header": {"kid": "x"}})
    yield "an extra member", rfc8785.dumps({**json.loads(jws), "note": "x"})
    yield "a member twice", jws[:-1] + b',"signature":"' + parts.signature.encode() + b'"}'
    yield "compact", parts.compact
    yield "general", rfc8785.dumps({"payload": parts.payload, "signatures": [{"protected": parts.protected}]})
    yield "a number for a signature", rfc8785.dumps({**json.loads(jws), "signature": 1})
    yield "empty", b""
    yield "nothing", b"null"
    yield "deep", b"[" * 100_000
    yield "no text", bytes(range(256))


@pytest.mark.evidence
def test_every_altered_receipt_is_refused(receipt, keyring, record_property):
    planned = dict(altered(receipt, keyring))

    passed = [name for name, jws in planned.items() if verify_receipt(jws, keyring.public_pem, receipt.pdf).valid]

    assert len(planned) >= 200
    assert passed == []
    assert receipt.jws not in planned.values()
    record_property("S-17 altered receipts refused", f"{len(planned)} of {len(planned)} (seed {SEED})")


def test_an_invalid_receipt_is_not_quoted(receipt, keyring):
    for jws in dict(altered(receipt, keyring)).values():
        check = verify_receipt(jws, keyring.public_pem, None)

        assert (check.exchange, check.entry_hash, check.chain) == (None, None, None)
        assert check.why


def test_a_pdf_that_is_altered_or_belongs_to_another_receipt_is_refused(receipt, keyring):
    dice = random.Random(SEED)
    record = a_record(exchange_id="019ab947-2c00-7e51-9d44-1f0c5f3a7b10")
    other = make_receipt(record, an_entry(record, seq=4712), keyring, "nl")
    pages = [other.pdf, b"", receipt.pdf + b"\n"]
    for _ in range(50):
        at = dice.randrange(len(receipt.pdf))
        pages.append(receipt.pdf[:at] + bytes([receipt.pdf[at] ^ 1]) + receipt.pdf[at + 1 :])

    checks = [verify_receipt(receipt.jws, keyring.public_pem, page) for page in pages]

    assert {check.why for check in checks} == {"the PDF is not the one of this receipt"}
    assert verify_receipt(other.jws, keyring.public_pem, other.pdf).valid
    assert not verify_receipt(other.jws, keyring.public_pem, receipt.pdf).valid


def test_the_pages_of_other_receipts_are_refused_whichever_two_are_swapped(keyring):
    made = []
    for number in range(15):
        record = a_record(exchange_id=f"019ab947-2c00-7e51-9d44-1f0c5f3a7b{number:02}")
        made.append(make_receipt(record, an_entry(record, seq=4712 + number), keyring, ("nl", "fr", "en")[number % 3]))
    swapped = [(one.jws, other.pdf) for one in made for other in made if one is not other]

    assert all(verify_receipt(one.jws, keyring.public_pem, one.pdf).valid for one in made)
    assert len(swapped) >= 200
    assert not [1 for jws, pdf in swapped if verify_receipt(jws, keyring.public_pem, pdf).valid]


def naive(jws, public: Ed25519PublicKey) -> bool:
    """A verifier that trusts the document: its key if it brings one, any type, any spelling, no PDF."""
    try:
        said = json.loads(jws.decode("utf-8-sig"))
        header = json.loads(decode(said["protected"]))
        if "jwk" in header:
            public = Ed25519PublicKey.from_public_bytes(decode(header["jwk"]["x"]))
        public.verify(decode(said["signature"]), f"{said['protected']}.{said['payload']}".encode())
        return True
    except (ValueError, KeyError, TypeError, InvalidSignature, RecursionError):
        return False


def test_control_a_verifier_that_trusts_the_document_lets_some_pass(receipt, keyring):
    passed = {name for name, jws in altered(receipt, keyring) if naive(jws, keyring.public)}

    print(f"S-17 control: {len(passed)} of the altered receipts pass a naive verifier")
    assert {
        "other key, brought along",
        "another type, our key",
        "an unprotected header",
        "trailing newline",
        "a member twice, our key",
        "unused bits of the last character",
    } <= passed


def test_a_receipt_of_another_house_is_refused(receipt, keyring):
    stranger = Keyring(keyring.directory, keyring.master, Ed25519PrivateKey.generate())

    assert verify_receipt(receipt.jws, stranger.public_pem, None).why == "header kid is not the expected one"
