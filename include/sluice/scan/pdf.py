"""Read the content of a PDF: inflate its streams, unescape its strings, turn its glyphs into letters.

Source: ISO 32000-1, 7.3.4 (strings), 7.3.8 (streams), 9.10.3 (ToUnicode). Streams are found by their keyword,
not by the cross-reference table, so that objects of earlier revisions are read too.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from struct import unpack

from sluice.scan.inflate import Inflated, InflateFailed
from sluice.scan.model import Reason

STREAM = re.compile(rb"(?<!end)stream\r?\n")
FILTER = re.compile(rb"/Filter\s*(?:\[([^\]]*)\]|(/\w+))")
MARKUP = re.compile(rb"/Subtype\s*/XML\b")
PREDICTOR = re.compile(rb"/Predictor\s+(?:[2-9]|1\d)")
PICTURE = re.compile(rb"/(?:DCTDecode|JPXDecode|CCITTFaxDecode|JBIG2Decode)|/Subtype\s*/Image")
STRING = re.compile(
    rb"\(((?:[^()\\]++|\\.|\((?:[^()\\]++|\\.)*+\))*+)\)?|<([0-9A-Fa-f\s]+)>|-(\d{3,}(?:\.\d+)?)|\]()|T([jJd*Dm])\b|E(T)\b",
    re.DOTALL,
)
"""A literal string, a hexadecimal one, a number that may be a :data:`WORD_GAP`, or the end of an array or shown text.

Each alternative begins with its own literal character outside any group, so that the search can skip to those
characters, which makes it twice as fast.
"""
LITERAL, HEXADECIMAL, NUMBER = 1, 2, 3
"""Numbers of its first groups."""
ESCAPE = re.compile(rb"\\([0-7]{1,3}|\r\n|.)", re.DOTALL)
RARE = re.compile(rb"\\(?![0-3][0-7]{0,2}|[4-7][0-7]?(?![0-7])|[nrtbf])")
"""An escape that Python reads differently from PDF."""
ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f", b"\r\n": b"", b"\n": b"", b"\r": b""}
BF_BLOCK = re.compile(rb"beginbf(char|range)(.*?)endbf", re.DOTALL)
HEX = re.compile(rb"<([0-9A-Fa-f\s]*)>")
BF_RANGE = re.compile(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>\s*(?:<([0-9A-Fa-f]+)>|\[([^\]]*)\])")
WORD_GAP = -180
"""In thousandths of an em. A move this far to the right is a space, since typesetters write no spaces."""
ZLIB = 15
CMAPS_MAX = 64
BLOCKS_MAX = 1000
HEAD_MAX = 4096
"""How many bytes of a stream's own dictionary are looked at."""
RANGE_MAX = 1 << 16
CODE_BYTES = 16
"""How many bytes are charged for a code of a table, which takes more memory, and much more time, than a byte."""
BARE = 1 << 16
"""Added to the character of a gap or line end, to tell it from glyph codes."""


Charge = Callable[[int], None]
"""Counts bytes, or their equivalent, against the limit to which an object may inflate. Raises SweepStopped."""


class Break(bytes):
    """A separator between shown strings, which is no code of a font."""


GAP, END = Break(b" "), Break(b"\n")


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream, inflated as far as possible, with the doubt about it, if any."""

    head: bytes
    content: bytes
    doubt: Reason | None = None


@dataclass(frozen=True, slots=True)
class Parted:
    """The streams of a file, and the rest of it."""

    streams: tuple[Stream, ...]
    objects: bytes


def part_pdf(data: bytes, limit: int, charge: Charge) -> Parted:
    """Split a file into streams and the rest. All streams together inflate to at most about ``limit`` bytes.

    charge: called for all inflated bytes.
    """
    streams: list[Stream] = []
    objects = []
    at = 0
    while match := STREAM.search(data, at):
        objects.append(data[at : match.start()])
        head = data[max(match.start() - HEAD_MAX, 0) : match.start()]
        end = data.find(b"endstream", match.end())
        end = len(data) if end < 0 else end
        streams.append(_stream(data, head[head.rfind(b"obj") + 1 :], match.end(), end, limit, charge))
        limit -= len(streams[-1].content)
        at = end
    return Parted(tuple(streams), b"".join([*objects, data[at:]]))


def _stream(data: bytes, head: bytes, begin: int, end: int, limit: int, charge: Charge) -> Stream:
    named = FILTER.search(head)
    filters = (named[1] or named[2] or b"").split() if named else []
    if PICTURE.search(head):
        return Stream(head, b"", Reason.PICTURE)
    if not filters:
        return Stream(head, data[begin:end], Reason.UNKNOWN_ENCODING if named else None)
    if filters not in ([b"/FlateDecode"], [b"/Fl"]):
        return Stream(head, b"", Reason.UNKNOWN_ENCODING)
    content, doubt = _inflated(data, begin, limit, charge)
    if doubt is not None:
        return Stream(head, content, doubt)
    hidden = PREDICTOR.search(head) and not re.search(rb"/Type\s*/XRef", head)
    return Stream(head, content, Reason.UNKNOWN_ENCODING if hidden else None)


def _inflated(data: bytes, begin: int, limit: int, charge: Charge) -> tuple[bytes, Reason | None]:
    out = bytearray()
    try:
        for chunk in Inflated(memoryview(data), begin, ZLIB):
            charge(len(chunk))
            out += chunk
            if len(out) > limit:
                return bytes(out), Reason.TOO_LARGE
    except InflateFailed:
        return bytes(out), Reason.BROKEN
    return bytes(out), None


def strings_of(content: bytes) -> Iterator[bytes]:
    """The strings of objects or shown text, unescaped, with ``\\n`` between texts.

    The pieces of a kerned word follow each other; a wide kerning becomes a space.
    """
    in_array = False
    for match in STRING.finditer(content):
        kind = match.lastindex or 0
        if kind == LITERAL:
            in_array = True
            yield _read(match[LITERAL])
        elif kind == HEXADECIMAL:
            in_array = True
            yield _from_hex(match[HEXADECIMAL])
        elif kind == NUMBER:
            if in_array and -float(match[NUMBER]) < WORD_GAP:
                yield GAP
        else:
            in_array = False
            yield END


def _read(literal: bytes) -> bytes:
    """Unescape a literal string. Most hold glyph numbers, which Python's own decoder reads in one go."""
    if b"\\" not in literal:
        return literal
    if RARE.search(literal):
        return ESCAPE.sub(lambda escape: _unescaped(escape[1]), literal)
    return literal.decode("unicode_escape").encode("latin-1")


@cache
def _unescaped(code: bytes) -> bytes:
    return bytes([int(code, 8) & 255]) if code[:1].isdigit() and code < b"8" else ESCAPED.get(code, code)


def _from_hex(digits: bytes) -> bytes:
    packed = b"".join(digits.split())
    return bytes.fromhex((packed + b"0" * (len(packed) % 2)).decode())


def cmaps_of(parted: Parted, charge: Charge) -> list[dict[int, str]]:
    """The distinct ToUnicode tables of a file, at most CMAPS_MAX.

    charge: called for every code in a range, because a line of twenty bytes can name 65,536 codes.
    """
    distinct = dict.fromkeys(one.content for one in parted.streams if b"beginbf" in one.content)
    return [cmap_of(content, charge) for content in islice(distinct, CMAPS_MAX)]


def cmap_of(content: bytes, charge: Charge) -> dict[int, str]:
    """Map glyph codes to letters by one ToUnicode stream."""
    letters: dict[int, str] = {}
    for kind, block in islice(BF_BLOCK.findall(content), BLOCKS_MAX):
        if kind == b"char":
            found = [_from_hex(digits) for digits in HEX.findall(block)]
            letters |= {int.from_bytes(code): _utf16(text) for code, text in zip(found[::2], found[1::2], strict=False)}
        else:
            for low, high, first, listed in BF_RANGE.findall(block):
                some = _range(int(low, 16), int(high, 16), _from_hex(first), listed)
                charge(CODE_BYTES * len(some))
                letters |= some
    return letters


def _range(low: int, high: int, first: bytes, listed: bytes) -> dict[int, str]:
    if listed:
        return {low + i: _utf16(_from_hex(digits)) for i, digits in enumerate(HEX.findall(listed))}
    start = int.from_bytes(first)
    codes = range(low, min(high, low + RANGE_MAX) + 1)
    return {code: _utf16((start + code - low).to_bytes(len(first) + 1)[-len(first) :]) for code in codes if first}


def _utf16(text: bytes) -> str:
    return text.decode("utf-16-be", errors="replace")


def glyphs_of(pieces: Iterable[bytes]) -> str:
    """Shown strings as two-byte glyph codes, one character per code; separators are characters beyond all codes."""
    codes: list[int] = []
    for piece in pieces:
        if isinstance(piece, Break):
            codes.append(BARE + piece[0])
        else:
            even = len(piece) // 2 * 2
            codes += unpack(f">{even // 2}H", piece[:even])
            codes += piece[even:]  # a last byte alone
    return "".join(map(chr, codes))


def bytes_of(pieces: Iterable[bytes]) -> str:
    """Like :func:`glyphs_of`, for one-byte codes."""
    return "".join(chr(BARE + piece[0]) if isinstance(piece, Break) else piece.decode("latin-1") for piece in pieces)


def letters_of(glyphs: str, letters: Mapping[int, str]) -> bytes:
    """The text of these glyph codes in a font, in UTF-8."""
    said = {code: chr(code - BARE) if code >= BARE else letters.get(code, "\ufffd") for code in map(ord, set(glyphs))}
    return glyphs.translate(said).encode("utf-8", "surrogatepass")


def has_strings(one: Stream) -> bool:
    """Whether a stream shows text or holds objects; fonts and pictures do not."""
    return b"/ObjStm" in one.head or re.search(rb"\b(?:Tj|TJ|BT)\b", one.content[: 1 << 20]) is not None


def is_markup(one: Stream) -> bool:
    """Whether a stream is XML metadata about the document, so that its numbers are not positions on a page."""
    return MARKUP.search(one.head) is not None


def is_attachment(one: Stream) -> bool:
    """Whether a stream is an embedded file, which may be of any form."""
    return b"/EmbeddedFile" in one.head and b"/EmbeddedFiles" not in one.head


def has_too_many_cmaps(parted: Parted) -> bool:
    """Whether :func:`cmaps_of` may have left some out."""
    return sum(b"beginbf" in one.content for one in parted.streams) > CMAPS_MAX
