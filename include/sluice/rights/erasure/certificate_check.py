"""Verify a certificate of erasure with only the file and the public key, without any service or network."""

from sluice.ledger.sign import open_signed, read_public, split_flattened

TYPE, FORMAT = "sluice-erasure-certificate+jws", "sluice-erasure-certificate-1"


def verify_certificate(jws: bytes, public_pem: bytes) -> dict[str, object]:
    """Return the content of a certificate that this key signed. Raises SignatureInvalid, PublicKeyInvalid."""
    return dict(open_signed(split_flattened(jws), read_public(public_pem), TYPE))
