"""Search the words that somebody wrote beside an object: its metadata, its headers, its tags."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from email.errors import HeaderParseError
from email.header import decode_header, make_header

from sluice.scan.model import Scan
from sluice.scan.needles import Needles
from sluice.scan.walk import scan_bytes


def scan_words(words: Iterable[str], needles: Needles) -> Scan:
    """Search words as any text, and as what they may stand for in a header. Nothing in them is opened."""
    text = b"".join(b"\n" + read for word in words for read in _readings(word))
    return scan_bytes(text, needles, raw=True)


def _readings(word: str) -> Iterator[bytes]:
    """A word as the text that it is; as the bytes that HTTP carried it in; decoded as RFC 2047, as S3 gives metadata
    that is not ASCII."""
    yield word.encode("utf-8", "surrogatepass")
    if not word.isascii():
        with suppress(UnicodeEncodeError):
            yield word.encode("latin-1")
    if "=?" in word:
        with suppress(HeaderParseError, LookupError, ValueError):
            yield str(make_header(decode_header(word))).encode()
