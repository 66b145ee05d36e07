"""A signing key and a finished receipt."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from documents.samples import a_record, an_entry
from sluice.documents.receipt import Receipt, make_receipt
from sluice.keys import Keyring


@pytest.fixture(scope="session")
def keyring() -> Keyring:
    return Keyring(Path(), bytes(32), Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


@pytest.fixture(scope="session")
def receipt(keyring: Keyring) -> Receipt:
    record = a_record()
    return make_receipt(record, an_entry(record), keyring, "nl")
