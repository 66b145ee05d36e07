"""Pages whose fonts number their glyphs as they like, object by object; written without a look at the scanner."""

import functools
import zlib
from collections.abc import Sequence
from typing import NamedTuple

CODES = [*range(1, 128)]
"""As subset fonts number: from 1, so that line ends, blanks, brackets and the backslash are letters too."""


class Page(NamedTuple):
    """A font, the text that is shown in it, and what the font refers to: objects from number 5 on."""

    font: bytes
    shown: bytes
    more: Sequence[bytes] = ()


def codes_of(text: str) -> dict[str, int]:
    """A number for each letter of the text, in the order in which they come."""
    return dict(zip(dict.fromkeys(text), CODES, strict=False))


def shown_in(text: str, codes: dict[str, int], *, kerned: bool = False) -> bytes:
    """The text as one string, or as one string for each glyph with a kerning between."""
    strings = [escaped(bytes([codes[letter]])) for letter in text]
    if kerned:
        return b"[" + b" -12 ".join(b"(%b)" % one for one in strings) + b"] TJ"
    return b"(%b) Tj" % b"".join(strings)


def escaped(raw: bytes) -> bytes:
    """As a literal string holds it: brackets, backslashes and line ends behind a backslash."""
    return raw if raw not in b"()\\\r\n" else b"\\%03o" % raw[0]


def differences(codes: dict[str, int], names: Sequence[bytes]) -> bytes:
    """A list of names from the first code on."""
    return b"/Differences [%d %b]" % (min(codes.values()), b" ".join(b"/" + name for name in names))


def cmap(codes: dict[str, int], *, width: int = 1, in_range: bool = False) -> bytes:
    """A ToUnicode stream of these codes."""
    digits = {letter: b"%0*X" % (2 * width, code) for letter, code in codes.items()}
    if in_range:
        listed = b" ".join(b"<%04X>" % ord(letter) for letter in codes)
        said = b"1 beginbfrange\n<%b> <%b> [%b]\nendbfrange" % (min(digits.values()), max(digits.values()), listed)
    else:
        lines = b"\n".join(b"<%b> <%04X>" % (code, ord(letter)) for letter, code in digits.items())
        said = b"%d beginbfchar\n%b\nendbfchar" % (len(codes), lines)
    space = b"1 begincodespacerange\n<%b> <%b>\nendcodespacerange" % (b"00" * width, b"FF" * width)
    return stream(b"/CIDInit /ProcSet findresource begin\nbegincmap\n%b\n%b\nendcmap\nend" % (space, said))


def stream(content: bytes, more: bytes = b"") -> bytes:
    """A deflated stream."""
    packed = zlib.compress(content)
    return b"<</Length %d/Filter/FlateDecode%b>>\nstream\n%b\nendstream" % (len(packed), more, packed)


def pdf_with(page: Page, *, is_packed: bool = False) -> bytes:
    """The file: catalog, pages, page, content, then the objects of the page.

    is_packed: what is no stream lies in a stream of objects, and is found by a cross-reference stream.
    """
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 100]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        stream(b"BT /F1 12 Tf 10 50 Td %b ET" % page.shown),
        page.font,
        *page.more,
    ]
    return _packed(objects) if is_packed else _plain(objects)


def _plain(objects: list[bytes]) -> bytes:
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, one in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, one)
    lines = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n%b" % (size, lines)
    return bytes(out) + b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (size, out.index(b"xref\n0"))


def _packed(objects: list[bytes]) -> bytes:
    inner = [(number, one) for number, one in enumerate(objects, 1) if b"endstream" not in one]
    pairs, body = [], b""
    for number, one in inner:
        pairs.append(b"%d %d" % (number, len(body)))
        body += one + b"\n"
    head = b" ".join(pairs) + b"\n"
    holder = len(objects) + 1
    kept = {number: one for number, one in enumerate(objects, 1) if b"endstream" in one}
    kept[holder] = stream(head + body, b"/Type/ObjStm/N %d/First %d" % (len(inner), len(head)))
    out, entries = bytearray(b"%PDF-1.7\n"), {number: (2, holder, at) for at, (number, _) in enumerate(inner)}
    for number, one in kept.items():
        entries[number] = (1, len(out), 0)
        out += b"%d 0 obj\n%b\nendobj\n" % (number, one)
    table = bytes(4) + b"".join(
        kind.to_bytes(1) + place.to_bytes(2) + at.to_bytes(1) for _, (kind, place, at) in sorted(entries.items())
    )
    said = b"/Type/XRef/W[1 2 1]/Size %d/Root 1 0 R/Index[0 %d]" % (holder + 1, holder + 1)
    return bytes(out) + b"%d 0 obj\n%b\nendobj\nstartxref\n%d\n%%%%EOF" % (holder + 1, stream(table, said), len(out))


@functools.cache
def pdf_bomb(mebibytes: int) -> bytes:
    """A page of operators that show one letter each: it takes some twenty times its inflated size to read."""
    page = zlib.compress(b"BT (a) Tj " * (mebibytes * 104857), 9)
    return b"%PDF-1.4\n1 0 obj << /Filter /FlateDecode >> stream\n" + page + b"\nendstream endobj\n"
