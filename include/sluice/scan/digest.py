"""Digests and ids in hexadecimal, which by chance contain a short number of somebody.

A given number of seven digits occurs in one of ten sets of a million references of 32 characters, and an id such as
E12345678 reads as hexadecimal too. Without this module, a person would be found in every second store, and no
certificate would ever be issued.
"""

import base64
import re

MOST = 11
"""The longest match, in characters, that counts as chance.

Twelve characters occur in a thousand million digests once in ten thousand times, so they count as a trace."""
MARGIN = 180
"""How many bytes around a match are looked at; a whole word fits, even in base64."""
WORD = re.compile(
    rb"(?<![0-9a-z])(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    rb"|[0-9a-f]{128}|[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})(?![0-9a-z])"
)
"""A UUID, SHA-512, SHA-256, SHA-1, MD5 or a reference, with no letter or digit next to it."""
PADDED = b"00000"
"""A sign that somebody padded a number to an id of fixed length; a digest has it once in thirty thousand times."""
FEW = re.compile(rb"[0-9a-f][0-9a-f-]*")
IN_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]*")
FIRST = (0, 2, 3)
"""How many characters of base64 before a value also encode other bytes, by the number of bytes before it in its group
of three."""


def is_short(match: bytes) -> bool:
    """Whether a match, in lower case, is so short that it may just be a piece of a digest."""
    return FEW.fullmatch(match) is not None and len(match) - match.count(b"-") <= MOST


def is_in_digest(lowered: bytes, begin: int, end: int) -> bool:
    """Whether a short match is a piece of a digest. A word of digits only, or a padded one, is no digest."""
    start = max(0, begin - MARGIN)
    for word in WORD.finditer(lowered, start, end + MARGIN):
        if word.start() <= begin and end <= word.end():
            others = (lowered[word.start() : begin] + lowered[end : word.end()]).replace(b"-", b"")
            return PADDED not in others and any(each in b"abcdef" for each in others)
    return False


def decoded(content: bytes, begin: int, end: int, shift: int) -> tuple[bytes, int, int]:
    """Decode the base64 around a match; return it in lower case, with the span of the match in it.

    shift: how many bytes precede the value in its group of three.
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
    """The whole groups of base64 at the end of a content."""
    run = re.search(rb"[A-Za-z0-9+/_-]*\Z", content)
    assert run is not None  # the pattern also matches nothing
    return run[0][len(run[0]) % 4 :]
