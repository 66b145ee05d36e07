"""Find which letters the codes of a PDF's fonts stand for, and whether a font does not say that.

Source: ISO 32000-1, 7.5.7 (object streams), 9.6.6 (encodings of simple fonts), 9.10.2 (from codes to letters). Every
font counts, used or not, including those of earlier revisions.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise

from sluice.scan.glyphs import letters_named
from sluice.scan.pdf import CMAPS_MAX, Charge, Parted, bytes_of, cmaps_of, glyphs_of, has_too_many_cmaps, letters_of

MARK = re.compile(rb"<<|>>|/Subtype\s{0,9}/(Type0|Type1|MMType1|TrueType|Type3)\b")
COMPOSITE = b"Type0"
HEAD = re.compile(rb"(\d{1,10})\s{1,9}\d{1,5}\s{1,9}obj\b")
FIRST = re.compile(rb"/First\s{1,9}(\d{1,10})")
NUMBER = re.compile(rb"\d{1,10}")
ONE_BYTE = re.compile(rb"begincodespacerange\s{0,9}<[0-9A-Fa-f]{2}>")
TO_UNICODE = re.compile(rb"/ToUnicode\s{1,9}\d")
ENCODING = re.compile(rb"/Encoding\s{0,9}(?:(?=/|<<)|(\d{1,10})\s{1,9}\d{1,5}\s{1,9}R)")
NAMED = re.compile(rb"/(?:WinAnsi|MacRoman|Standard|PDFDoc)Encoding\b")
MAC = re.compile(rb"/MacRomanEncoding\b")
DIFFERENCES = re.compile(rb"/Differences\s{0,9}(?:\[([^\]]*)|(\d{1,10})\s{1,9}\d{1,5}\s{1,9}R)")
CODE_OR_NAME = re.compile(rb"/([^\s/\[\]<>()]+)|(\d{1,5})")
DESCRIPTOR = re.compile(rb"/FontDescriptor\s{1,9}(\d{1,10})\s")
OWN_GLYPHS = re.compile(rb"/FontFile|/BaseFont\s{0,9}/[A-Z]{6}\+")
"""A font embedded in the file, perhaps with glyph numbers of its own: whole, or a subset, shown by the tag in its
name."""
FONTS_MAX = 10_000
FONT_MAX = 1 << 14
"""How many bytes of a font's dictionary, or of an encoding, are looked at."""
ENCODINGS_MAX = 1 << 22
"""Limit for the bytes of all distinct encodings, since thousands of fonts may share a few, or none."""

Codes = Mapping[int, str]
Letters = tuple[str, ...]
"""The text that each one-byte code shows."""
Objects = Mapping[int, bytes]
WINDOWS: Letters = tuple(bytes([code]).decode("cp1252", errors="replace") for code in range(256))
MACINTOSH: Letters = tuple(bytes([code]).decode("mac_roman") for code in range(256))


@dataclass(frozen=True, slots=True)
class Font:
    """One font's dictionary."""

    kind: bytes
    text: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Encoding:
    """An encoding: the letters of its codes, and whether all of its glyph names are known (None if it has none)."""

    letters: Letters
    is_known: bool | None


@dataclass(frozen=True, slots=True)
class Fonts:
    """What all fonts of a file say about their codes."""

    wide: tuple[Codes, ...] = ()
    """Letters of two-byte codes, one mapping per font table."""
    narrow: tuple[Codes, ...] = ()
    """Letters of one-byte codes, where they differ from plain text."""
    is_unsaid: bool = False
    """Whether some font does not say which letters its codes are, so that its text cannot be searched."""


def read_fonts(parted: Parted, charge: Charge) -> Fonts:
    """Read the ToUnicode tables of a file, and the encodings of fonts without one.

    If there are very many, only the first are read, and ``is_unsaid`` is set. Not every writer gives a table the same
    code width as its font, so if any font has one-byte codes, all tables are also read as one-byte tables. charge: as
    for :func:`cmaps_of`.
    """
    cmaps = cmaps_of(parted, charge)
    objects = objects_of(parted)
    fonts = list(islice(fonts_of(objects.values()), FONTS_MAX + 1))
    simple = [font for font in fonts if font.kind != COMPOSITE]
    untold = [(font, _encoding(font, objects)) for font in simple if not TO_UNICODE.search(font.text)]
    encodings = _read_encodings(encoding for _, encoding in untold)
    tables = {encoding.letters: None for encoding in encodings.values()}
    if simple or any(ONE_BYTE.search(one.content) for one in parted.streams):
        tables |= {tuple(cmap.get(code, WINDOWS[code]) for code in range(256)): None for cmap in cmaps}
    tables.pop(WINDOWS, None)
    is_unsaid = (
        len(fonts) > FONTS_MAX
        or len(tables) > 2 * CMAPS_MAX
        or has_too_many_cmaps(parted)
        or any(font.kind == COMPOSITE and not TO_UNICODE.search(font.text) for font in fonts)
        or not all(_is_said(font, encodings.get(encoding), objects) for font, encoding in untold)
    )
    narrow = tuple(dict(enumerate(letters)) for letters in islice(tables, 2 * CMAPS_MAX))
    return Fonts(tuple(cmaps), narrow, is_unsaid)


def _read_encodings(said: Iterable[bytes]) -> dict[bytes, Encoding]:
    """Parse each distinct encoding once; stop when they exceed ENCODINGS_MAX bytes."""
    found, size = dict[bytes, Encoding](), 0
    for encoding in said:
        if encoding in found:
            continue
        size += len(encoding)
        if size > ENCODINGS_MAX:
            break
        names = [(code, letters_named(name)) for code, name in _names(encoding)]
        is_known = None not in [letters for _, letters in names] if names or NAMED.search(encoding) else None
        found[encoding] = Encoding(_table(encoding, names), is_known)
    return found


def said_by(fonts: Fonts, pieces: Sequence[bytes]) -> Iterator[bytes]:
    """The text of shown strings as read with each font table, in UTF-8."""
    wide = glyphs_of(pieces) if fonts.wide else ""
    narrow = bytes_of(pieces) if fonts.narrow else ""
    yield from (letters_of(wide, letters) for letters in fonts.wide)
    yield from (letters_of(narrow, letters) for letters in fonts.narrow)


def objects_of(parted: Parted) -> dict[int, bytes]:
    """The objects of a file by number, all revisions of an object joined."""
    found: dict[int, list[bytes]] = defaultdict(list)
    for text in parted.objects.split(b"endobj"):
        head = HEAD.search(text)
        found[int(head[1]) if head else -1].append(text)
    for one in parted.streams:
        if b"/ObjStm" in one.head:
            for number, text in _packed(one.head, one.content):
                found[number].append(text)
    return {number: b"\n".join(texts) for number, texts in found.items()}


def _packed(head: bytes, content: bytes) -> Iterator[tuple[int, bytes]]:
    """The objects in an object stream: it has pairs of a number and an offset, then the objects."""
    said = FIRST.search(head)
    first = int(said[1]) if said else 0
    numbers = [int(digits) for digits in NUMBER.findall(content[:first])]
    places = sorted(zip((first + offset for offset in numbers[1::2]), numbers[::2], strict=False))
    yield -1, content[first : places[0][0]] if places else content
    for (begin, number), (end, _) in pairwise([*places, (len(content), 0)]):
        yield number, content[begin:end]


def fonts_of(texts: Iterable[bytes]) -> Iterator[Font]:
    """Every font dictionary, even inside another dictionary or cut off."""
    for text in texts:
        opened: list[tuple[int, bytes]] = [(0, b"")]
        for mark in MARK.finditer(text):
            if mark[1]:
                opened[-1] = (opened[-1][0], mark[1])
            elif mark[0] == b"<<":
                opened.append((mark.start(), b""))
            elif len(opened) > 1:
                begin, kind = opened.pop()
                if kind:
                    yield Font(kind, text[begin : min(mark.end(), begin + FONT_MAX)])
        yield from (Font(kind, text[begin : begin + FONT_MAX]) for begin, kind in opened if kind)


def _encoding(font: Font, objects: Objects) -> bytes:
    """The encoding of a font as bytes: a name, or a dictionary here or in another object, with its differences."""
    found = ENCODING.search(font.text)
    if found is None:
        return b""
    said = objects.get(int(found[1]), b"")[:FONT_MAX] if found[1] else font.text[found.end() :]
    listed = DIFFERENCES.search(said)
    return said + b"/Differences[" + objects.get(int(listed[2]), b"")[:FONT_MAX] if listed and listed[2] else said


def _names(encoding: bytes) -> Iterator[tuple[int, str]]:
    """Code and glyph name of each entry in the lists of differences."""
    for one in DIFFERENCES.finditer(encoding):
        code = 0
        for name, number in CODE_OR_NAME.findall(one[1] or b""):
            if number:
                code = int(number)
            else:
                yield code, name.decode("latin-1")
                code += 1


def _table(encoding: bytes, names: Iterable[tuple[int, str | None]]) -> Letters:
    letters = list(MACINTOSH if MAC.search(encoding) else WINDOWS)
    for code, shown in names:
        if code < len(letters):
            letters[code] = shown or letters[code]
    return tuple(letters)


def _is_said(font: Font, encoding: Encoding | None, objects: Objects) -> bool:
    """Whether a simple font without a ToUnicode table says what its codes mean. encoding: None if it was not read."""
    if encoding is None:
        return False
    if encoding.is_known is not None:
        return encoding.is_known
    elsewhere = DESCRIPTOR.search(font.text)
    descriptor = objects.get(int(elsewhere[1]), b"") if elsewhere else b""
    is_looked_at = len(descriptor) <= FONT_MAX
    return is_looked_at and ENCODING.search(font.text) is None and not OWN_GLYPHS.search(font.text + descriptor)
