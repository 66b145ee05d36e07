"""Recognise the form of a content by its bytes, never by a name or label, which may be wrong."""

import re
from enum import StrEnum

from sluice.scan.sweep import Buffer

WINDOW = 1 << 22
HEAD = 512
TEXT_BYTES = bytes([9, 10, 12, 13, 26, *range(32, 127), *range(128, 256)])
"""Bytes that occur in text in UTF-8 or an old code page; any other byte means that it is not text."""
ARMOUR = re.compile(rb"-----BEGIN (?:PGP MESSAGE|AGE ENCRYPTED FILE)-----")
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
SEALED_WORKBOOK = "EncryptedPackage".encode("utf-16-le")
"""The stream in a workbook with a password (MS-OFFCRYPTO 2.3.4.4)."""
PKESK, SKESK, SEIPD = 1, 3, 18
"""OpenPGP packets that begin an encrypted message (RFC 9580, 10.3)."""


class Form(StrEnum):
    """The forms that this scanner distinguishes; it can search UNKNOWN only as it stands."""

    TEXT = "text"
    UTF16 = "utf-16"
    MARKUP = "markup"
    GZIP = "gzip"
    BZIP2 = "bzip2"
    XZ = "xz"
    ZSTD = "zstd"
    ZIP = "zip"
    TAR = "tar"
    PARQUET = "parquet"
    PDF = "pdf"
    PICTURE = "picture"
    ENCRYPTED = "encrypted"
    UNKNOWN = "unknown"


MAGIC = (
    (b"\x1f\x8b", Form.GZIP),
    (b"BZh", Form.BZIP2),
    (b"\xfd7zXZ\0", Form.XZ),
    (b"\x28\xb5\x2f\xfd", Form.ZSTD),
    (b"PK\x03\x04", Form.ZIP),
    (b"PK\x05\x06", Form.ZIP),
    (b"PAR1", Form.PARQUET),
    (b"PARE", Form.ENCRYPTED),
    (b"%PDF-", Form.PDF),
    (b"\x89PNG", Form.PICTURE),
    (b"\xff\xd8\xff", Form.PICTURE),
    (b"GIF8", Form.PICTURE),
    (b"II*\0", Form.PICTURE),
    (b"MM\0*", Form.PICTURE),
    (b"age-encryption.org/", Form.ENCRYPTED),
    (b"\xff\xfe", Form.UTF16),
    (b"\xfe\xff", Form.UTF16),
)


def form_of(content: Buffer) -> Form:
    """The form of a whole content, or of the first piece of a stream."""
    head = bytes(content[:HEAD])
    for magic, form in MAGIC:
        if head.startswith(magic):
            return Form.TEXT if form is Form.BZIP2 and is_text(content) else form
    if head[257:262] == b"ustar":
        return Form.TAR
    if head.startswith(OLE):
        return Form.ENCRYPTED if SEALED_WORKBOOK in bytes(content) else Form.UNKNOWN
    if ARMOUR.match(head.lstrip()) or _is_openpgp(head):
        return Form.ENCRYPTED
    if not is_text(content):
        return Form.UNKNOWN
    return Form.MARKUP if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<") else Form.TEXT


def is_text(content: Buffer) -> bool:
    """Whether all bytes can occur in text."""
    pieces = (bytes(content[at : at + WINDOW]) for at in range(0, len(content), WINDOW))
    return not any(piece.translate(None, TEXT_BYTES) for piece in pieces)


def _is_openpgp(head: bytes) -> bool:
    """Whether the first packet is a session key or encrypted data: tag, then length, then a version."""
    if len(head) < 8 or not head[0] & 0x80:
        return False
    if head[0] & 0x40:
        tag = head[0] & 0x3F
        skip = 2 if head[1] < 192 or head[1] > 223 else 3
        skip = 6 if head[1] == 255 else skip
    else:
        tag, skip = head[0] >> 2 & 15, (2, 3, 5, 1)[head[0] & 3]
    versions = {PKESK: (3, 6), SKESK: (4, 5, 6), SEIPD: (1, 2)}
    return head[skip] in versions.get(tag, ())
