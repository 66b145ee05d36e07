"""Whether a certificate of erasure holds: the file and the public key are enough, no service and no network."""

from sluice.ledger.sign import open_signed, read_public, split_flattened

TYPE, FORMAT = "sluice-erasure-certificate+jws", "sluice-erasure-certificate-1"


def verify_certificate(jws: bytes, public_pem: bytes) -> dict[str, object]:
    """What a certificate says, if this key signed exactly that. Raises SignatureInvalid, PublicKeyInvalid."""
    return dict(open_signed(split_flattened(jws), read_public(public_pem), TYPE))
