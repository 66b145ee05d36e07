"""SubjectRef: what stands for a person once the identifier itself may not be kept.

``HMAC-SHA256(key, kind 0x1F normal form)``, first 16 bytes, 32 hexadecimal characters. The key is one principal's
subject key; destroying it makes every reference made with it unlinkable. It also says what the principal's customer
numbers are compared without: that is left out here, and nowhere else. The HMAC key is the 64 hexadecimal characters of
the 32 bytes (one SHA-256 block), because the vector implementation takes text; the strength is the same.
"""

import hashlib
import hmac
from dataclasses import dataclass

import polars as pl

from sluice.subject.customer import compared, compared_column
from sluice.subject.key import SubjectKey
from sluice.subject.model import NoRef
from sluice.subject.normalise import normalise
from sluice.terms import SubjectKind

_SEPARATOR = "\x1f"
HEX_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Referral:
    """The reference of one identifier, or why there is none."""

    kind: SubjectKind
    ref: str | None
    reason: NoRef | None


def refer(key: SubjectKey, kind: SubjectKind, value: str | None, *, region: str = "BE") -> Referral:
    """Normalise ``value`` and reference it; region as in ``normalise``."""
    normal = normalise(kind, value, region=region)
    if normal.value is None:
        return Referral(kind, None, normal.reason)
    made = subject_ref(key, kind, normal.value)
    return Referral(kind, made, NoRef.PLACEHOLDER if made is None else None)


def subject_ref(key: SubjectKey, kind: SubjectKind, normalised: str) -> str | None:
    """Return the reference of one normal form as given by ``normalise``; never of a raw value.

    None if nothing is left of a customer number but what its principal ignores.
    """
    form = compared(normalised, key) if kind is SubjectKind.PRINCIPAL_CUSTOMER_ID else normalised
    return None if form is None else keyed(key, kind.value, form)


def keyed(key: bytes, kind: str, normalised: str) -> str:
    """Return the HMAC of a normal form under the name of its kind; two kinds never give one value."""
    message = f"{kind}{_SEPARATOR}{normalised}".encode()
    return hmac.new(key.hex().encode(), message, hashlib.sha256).hexdigest()[:HEX_LENGTH]


def ref_column(normalised: pl.Series, kind: SubjectKind, key: SubjectKey) -> pl.Series:
    """Return ``subject_ref`` of every row; null where there is no normal form.

    Takes and gives data, never an expression: a serialised expression would hold the key.
    """
    import polars_hash

    if kind is SubjectKind.PRINCIPAL_CUSTOMER_ID:
        normalised = compared_column(normalised, key)
    message = polars_hash.concat_str(pl.lit(f"{kind.value}{_SEPARATOR}"), pl.col("normal"))
    digest = message.chash.hmac_sha256(key=key.hex()).str.slice(0, HEX_LENGTH)
    lazy = normalised.alias("normal").to_frame().lazy().select(digest)
    return lazy.collect(engine="streaming").to_series().alias(normalised.name)
