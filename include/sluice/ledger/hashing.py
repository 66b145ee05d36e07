"""The hash of an entry, computed independently of the database that is under audit.

The layout is defined in ``migrations/versions/0001_baseline.sql``: eight parts, each preceded by its
length as an unsigned 32-bit big-endian integer.
"""

import struct
from functools import lru_cache
from hashlib import sha256

TAG = b"sluice-ledger-entry-v1"
ZERO_HASH = bytes(32)
"""``prev_hash`` of the first entry of a chain."""

_LENGTH = struct.Struct(">I")
_NUMBER = struct.Struct(">Iq")
_EIGHT = _LENGTH.pack(8)


def entry_hash(
    chain: str, seq: int, kind: str, exchange: bytes, prev_hash: bytes, body: bytes, appended: bytes
) -> bytes:
    """SHA-256 of one entry; arguments as in :class:`sluice.ledger.model.StoredEntry`."""
    return sha256(
        b"".join(
            (
                _chain_part(chain),
                _NUMBER.pack(8, seq),
                _part(kind),
                _LENGTH.pack(len(exchange)),
                exchange,
                _LENGTH.pack(len(prev_hash)),
                prev_hash,
                _LENGTH.pack(len(body)),
                body,
                _LENGTH.pack(len(appended)) if len(appended) != 8 else _EIGHT,
                appended,
            )
        )
    ).digest()


@lru_cache(maxsize=1024)
def _chain_part(chain: str) -> bytes:
    return _LENGTH.pack(len(TAG)) + TAG + _part(chain)


@lru_cache(maxsize=1024)
def _part(text: str) -> bytes:
    content = text.encode()
    return _LENGTH.pack(len(content)) + content
