"""Digests and ids in hexadecimal, in which a few digits of anybody stand by chance.

Among a million references of 32 characters a number of seven digits stands once in ten, and E12345678 reads as
hexadecimal too. Whoever is looked for is then in every second store, and no certificate is ever issued.
"""

import base64
import re

MOST = 11
"""Characters: twelve stand in a thousand million digests once in ten thousand times. So they are a trace."""
MARGIN = 180
"""Bytes around a match within which all of a word stands, in base64 too."""
WORD = re.compile(
    rb"(?<![0-9a-z])(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    rb"|[0-9a-f]{128}|[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})(?![0-9a-z])"
)
"""A UUID, SHA-512, SHA-256, SHA-1, MD5 or a reference, alone between other characters."""
PADDED = b"00000"
"""Somebody made an id of a fixed length out of a number: in a digest these stand once in thirty thousand times."""
FEW = re.compile(rb"[0-9a-f][0-9a-f-]*")
IN_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]*")
FIRST = (0, 2, 3)
"""Characters before a value in base64 that other bytes have a part in, by the bytes before it in its group."""


def is_short(match: bytes) -> bool:
    """Whether a match in small letters could be a piece of a digest, and no more than that."""
    return FEW.fullmatch(match) is not None and len(match) - match.count(b"-") <= MOST


def is_in_digest(lowered: bytes, begin: int, end: int) -> bool:
    """Whether a short match is a piece of a digest; a word of digits alone is none, nor one that was padded."""
    start = max(0, begin - MARGIN)
    for word in WORD.finditer(lowered, start, end + MARGIN):
        if word.start() <= begin and end <= word.end():
            others = (lowered[word.start() : begin] + lowered[end : word.end()]).replace(b"-", b"")
            return PADDED not in others and any(each in b"abcdef" for each in others)
    return False


def decoded(content: bytes, begin: int, end: int, shift: int) -> tuple[bytes, int, int]:
    """What base64 around a match says, in small letters, and where the match is in it.

    shift: how many bytes stand before the value in its group of three.
    """
    group = begin - FIRST[shift]
    before = _run_before(content[max(0, group - MARGIN) : group])
    after = IN_BASE64.match(content, group, end + MARGIN)
    text = before + (after[0] if after else b"")
    whole = text[: len(text) - (len(text) % 4 == 1)].translate(bytes.maketrans(b"-_", b"+/"))
    plain = base64.b64decode(whole + b"=" * (-len(whole) % 4))
    at, size = len(before) // 4 * 3 + shift, ((FIRST[shift] + end - begin) * 3 + 3) // 4 - shift
    return plain.lower(), at, at + size


def _run_before(content: bytes) -> bytes:
    """The whole groups of base64 that a content ends with."""
    run = re.search(rb"[A-Za-z0-9+/_-]*\Z", content)
    assert run is not None  # an empty one is one
    return run[0][len(run[0]) % 4 :]
