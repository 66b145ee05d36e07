"""Find the encoding of a file and give its text as UTF-8.

UTF-8 is used as it lies in the file. Text in another encoding is converted to UTF-8 in a file without a name, so that
nobody else can open it and nothing is left of it when this process ends, however it ends.
"""

import codecs
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import ACCESS_READ, MADV_DONTNEED, mmap
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sluice.errors import Ref
from sluice.lake.table import FormatHintInvalid, FormatHints, FormatRefusal

_CHUNK = 1 << 20
_LET_GO = 16 * _CHUNK
"""After how many bytes the pages of the mapped file are released from memory."""
_RULE = "format.encoding"
_UTF16 = ("utf-16", "utf-16-le", "utf-16-be")
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))

_CP1252_UNDEFINED = (0x81, 0x8D, 0x8F, 0x90, 0x9D)
_LATIN9_DIFFERS = (0xA4, 0xA6, 0xA8, 0xB4, 0xB8, 0xBC, 0xBD, 0xBE)
"""Bytes that ISO-8859-15 and Windows-1252 read differently: the euro sign and seven letters."""
_DOS_LETTERS = (0x82, 0x83, 0x84, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8B, 0x8C, 0x8E)
"""Bytes that are letters in DOS or Macintosh code pages, and marks or capitals in Windows-1252."""
_DOS_ENDINGS = (0x82, 0x88, 0x89, 0x8A, 0x8B, 0x8C)
"""The ones that hardly ever follow a small letter in Windows-1252, but do in DOS: ``René``, ``Zoë``."""
_CHARACTER = rb"(?:[\xc2-\xc5\xce-\xd1][\x80-\xbf]|\xe2[\x80-\x84][\x80-\xbf])"
"""Latin, Greek and Cyrillic letters and typographic marks in UTF-8; Windows-1252 would show ``Ã©`` or ``â€™``."""
_UTF8_INSIDE = re.compile(_CHARACTER)
_UTF8_IN_WORDS = re.compile(rb"(?<=[a-z])%s|%s(?=[a-z])|%s{3}|\xc3[\x80\x87-\x8b\x9c]" % ((_CHARACTER,) * 3))
"""Such characters where they can hardly be Windows-1252: next to a small letter, three in a row, or a capital of
French, Dutch or German (``Ã‰`` is no word).

Elsewhere, in Windows-1252, they are a capital letter before a mark, as in words in capitals such as ``HYVÄ”``. Where
the contract names that encoding, they are read as such."""
_LEADS = b"\xc2\xc3\xc4\xc5\xce\xcf\xd0\xd1\xe2"
_ISO = ("iso8859-1", "iso8859-15")
"""Encodings with control characters where Windows-1252 has the euro sign, a curly apostrophe and ``Œ``."""
_WESTERN = (None, "cp1252", *_ISO)


@dataclass(frozen=True, slots=True, eq=False)
class Utf8Text:
    """The text of a file as UTF-8 bytes without byte order mark.

    ``as_in_file``: whether these are the bytes of the file itself (after the mark, when there is one).
    """

    data: memoryview
    encoding: str
    bom: bool
    as_in_file: bool
    evidence: str
    lost_characters: int


@dataclass(frozen=True, slots=True)
class _Utf8Look:
    """Result of decoding a file as UTF-8.

    ``invalid``: offset of the first byte that is not UTF-8; ``wide``: whether anything is not ASCII; ``lost``: number
    of U+FFFD characters.
    """

    invalid: int | None
    wide: bool
    lost: int


def find_text(file: mmap, hints: FormatHints, folder: Path | None = None) -> Utf8Text | FormatRefusal:
    """Find the text, or say which encodings it could be in. ``hints.encoding`` decides where the bytes cannot.

    folder: for the UTF-8 copy of a text in another encoding; by default the system's temporary folder.
    Raises FormatHintInvalid when the contract names an encoding that does not exist."""
    agreed = _known_encoding(hints.encoding)
    if file[:4] in (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE):
        return FormatRefusal("ENCODING_UTF32", _RULE)
    for mark, encoding in _BOMS:
        if file[: len(mark)] == mark:
            return _with_agreed(_decode(file, len(mark), encoding, "byte order mark", folder), encoding, agreed)
    if (wide := _wide_without_mark(file)) is not None:
        return _with_agreed(_decode(file, 0, wide, "NUL in every second byte", folder), wide, agreed)
    looked = _look(file, 0)
    if looked.invalid is None:
        return _valid_utf8(file, looked, agreed)
    if agreed == "utf-8" or agreed in _UTF16:
        return FormatRefusal(_invalid_code(agreed), _RULE, readings=(agreed, "not " + agreed))
    if agreed in _WESTERN and (mixed := _utf8_inside(file, looked.invalid, agreed is not None)):
        readings = ("utf-8", agreed or "cp1252")
        return FormatRefusal("ENCODING_AMBIGUOUS", _RULE, undecided=True, readings=readings, count=mixed)
    return _one_byte(file, agreed, folder)


def first_invalid_utf8(file: mmap) -> int | None:
    """Offset of the first byte that is not UTF-8, for naming its row; None when all is valid."""
    return _look(file, 3 if file[:3] == codecs.BOM_UTF8 else 0).invalid


def _known_encoding(name: str | None) -> str | None:
    if name is None:
        return None
    try:
        found = codecs.lookup(name).name
    except LookupError:
        found = None
    if found is None:
        raise FormatHintInvalid(Ref("setting", "encoding"))
    return {"utf-8-sig": "utf-8", "ascii": "utf-8"}.get(found, found)


def _with_agreed(text: Utf8Text | FormatRefusal, found: str, agreed: str | None) -> Utf8Text | FormatRefusal:
    if agreed is None or agreed == found or (agreed == "utf-16" and found in _UTF16):
        return text
    return FormatRefusal("ENCODING_NOT_AS_AGREED", _RULE, readings=(agreed, found))


def _valid_utf8(file: mmap, looked: _Utf8Look, agreed: str | None) -> Utf8Text | FormatRefusal:
    """The text of valid UTF-8, if the contract agrees.

    Plain ASCII fits every one-byte encoding; multi-byte UTF-8 sequences only fit a contract for UTF-8."""
    if looked.wide and agreed not in (None, "utf-8"):
        return FormatRefusal("ENCODING_NOT_AS_AGREED", _RULE, undecided=True, readings=(str(agreed), "utf-8"))
    if agreed in _UTF16:
        return FormatRefusal("ENCODING_NOT_AS_AGREED", _RULE, readings=(str(agreed), "utf-8"))
    words = f"{'valid UTF-8' if looked.wide else 'ASCII only'} in {len(file)} of {len(file)} bytes"
    return Utf8Text(memoryview(file), agreed or "utf-8", False, True, words, looked.lost)


def _decode(file: mmap, start: int, encoding: str, evidence: str, folder: Path | None) -> Utf8Text | FormatRefusal:
    if encoding == "utf-8":
        looked = _look(file, start)
        if looked.invalid is not None:
            return FormatRefusal("ENCODING_INVALID_UTF8", _RULE, readings=("utf-8", "not utf-8"))
        return Utf8Text(memoryview(file)[start:], encoding, True, True, evidence, looked.lost)
    try:
        data, lost = _transcode(file, start, encoding, folder)
    except UnicodeDecodeError:
        return FormatRefusal("ENCODING_INVALID_UTF16", _RULE)
    return Utf8Text(data, encoding, start > 0, False, evidence, lost)


def _one_byte(file: mmap, agreed: str | None, folder: Path | None) -> Utf8Text | FormatRefusal:
    counts = np.zeros(256, np.int64)
    for chunk in _chunks(file, 0):
        counts += np.bincount(np.frombuffer(chunk, np.uint8), minlength=256)
    if agreed is None and (rival := _rival_of_cp1252(file, counts)) is not None:
        return rival
    if agreed in _ISO and (controls := int(counts[0x80:0xA0].sum())):
        readings = (agreed, "cp1252")
        return FormatRefusal("ENCODING_NOT_AS_AGREED", _RULE, undecided=True, readings=readings, count=controls)
    encoding = agreed or "cp1252"
    try:
        data, _ = _transcode(file, 0, encoding, folder)
    except UnicodeError:
        return FormatRefusal("ENCODING_NOT_AS_AGREED", _RULE, readings=(encoding, "not " + encoding))
    words = f"not UTF-8, {counts[128:].sum()} of {counts.sum()} bytes above ASCII"
    return Utf8Text(data, encoding, False, False, words, 0)


def _rival_of_cp1252(file: mmap, counts: npt.NDArray[np.int64]) -> FormatRefusal | None:
    """Refuse the file if another one-byte encoding is as likely as Windows-1252 and gives other letters."""
    if undefined := int(counts[list(_CP1252_UNDEFINED)].sum()):
        readings = ("latin-1", "cp850", "mac-roman")
        return FormatRefusal("ENCODING_UNKNOWN", _RULE, undecided=True, readings=readings, count=undefined)
    if inside := sum(_marks_in_words(chunk) for chunk in _chunks(file, 0)):
        return FormatRefusal("ENCODING_AMBIGUOUS", _RULE, undecided=True, readings=("cp1252", "cp850"), count=inside)
    differs = int(counts[list(_LATIN9_DIFFERS)].sum())
    if differs and not counts[0x80:0xA0].sum():
        both = ("cp1252", "iso8859-15")
        return FormatRefusal("ENCODING_AMBIGUOUS", _RULE, undecided=True, readings=both, count=differs)
    return None


def _utf8_inside(file: mmap, invalid: int, is_agreed: bool) -> int:
    """Count the UTF-8 characters in a file that is not UTF-8: two files joined, or UTF-8 with a broken byte.

    A last character that is cut off counts too. ``invalid``: offset of the first byte that is not UTF-8.
    ``is_agreed``: the contract names a one-byte encoding, so only what makes no sense in it counts.
    """
    cut = (
        len(file) - invalid < 4 and _is_cut(file[invalid:]) and (not is_agreed or file[invalid - 1 : invalid].islower())
    )
    found = _UTF8_IN_WORDS if is_agreed else _UTF8_INSIDE
    return sum(1 for chunk in _chunks(file, 0) for _ in found.finditer(chunk)) + cut


def _is_cut(end: bytes) -> bool:
    """Whether these bytes are the beginning of such a UTF-8 character.

    ``é`` of Windows-1252 would begin a character of another script, so the first byte is checked too."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(end)
    except UnicodeDecodeError:
        return False
    return end[:1] in _LEADS


def _marks_in_words(chunk: bytes) -> int:
    """How often a byte that Windows-1252 reads as a mark or capital stands in, or at the end of, a lower-case word."""
    data = np.frombuffer(chunk, np.uint8)
    small = (data >= 0x61) & (data <= 0x7A)
    within = np.isin(data[1:-1], _DOS_LETTERS) & small[:-2] & small[2:]
    ending = np.isin(data[1:], _DOS_ENDINGS) & small[:-1] & ~np.append(small[2:], False)
    return int(within.sum() + ending.sum())


def _wide_without_mark(file: mmap) -> str | None:
    """Recognise UTF-16 without a byte order mark.

    At least a quarter of the bytes at odd or even offsets is NUL, none of the others is, and line feeds are whole
    units."""
    if len(file) % 2 or len(file) < 4 or b"\0" not in file[:_CHUNK]:
        return None
    wide_even = wide_odd = 0
    breaks = [False, False]
    for chunk in _chunks(file, 0):
        data = np.frombuffer(chunk, np.uint8)
        even, odd = data[0::2], data[1::2]
        wide_even, wide_odd = wide_even + int((even == 0).sum()), wide_odd + int((odd == 0).sum())
        if wide_even and wide_odd:
            return None
        breaks[0] |= bool(((even == 10) & (odd != 0)).any())
        breaks[1] |= bool(((odd == 10) & (even != 0)).any())
    if wide_even == 0 and wide_odd * 8 >= len(file) and not breaks[0]:
        return "utf-16-le"
    if wide_odd == 0 and wide_even * 8 >= len(file) and not breaks[1]:
        return "utf-16-be"
    return None


def _look(file: mmap, start: int) -> _Utf8Look:
    """Check for UTF-8 in one pass, decoding only what is not ASCII."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    at, pending, wide, lost = start, 0, False, 0
    try:
        for chunk in _chunks(file, start):
            if pending or not chunk.isascii():
                lost += decoder.decode(chunk).count("\ufffd")
                wide, pending = True, len(decoder.getstate()[0])
            at += len(chunk)
        decoder.decode(b"", True)
    except UnicodeDecodeError as error:
        return _Utf8Look(at - pending + error.start, wide, lost)
    return _Utf8Look(None, wide, lost)


def _transcode(file: mmap, start: int, encoding: str, folder: Path | None) -> tuple[memoryview, int]:
    """Convert the text to UTF-8; also return how many U+FFFD characters it has."""
    decoder, lost = codecs.getincrementaldecoder(encoding)(), 0
    with tempfile.TemporaryFile(dir=folder) as written:
        for chunk in _chunks(file, start):
            text = decoder.decode(chunk)
            lost += text.count("\ufffd")
            written.write(text.encode())
        written.write(decoder.decode(b"", True).encode())
        written.flush()
        if not written.tell():
            return memoryview(b""), 0
        return memoryview(mmap(written.fileno(), 0, access=ACCESS_READ)), lost


def _chunks(file: mmap, start: int) -> Iterator[bytes]:
    for at in range(start, len(file), _CHUNK):
        if (at - start) % _LET_GO == 0:
            file.madvise(MADV_DONTNEED)
        yield file[at : at + _CHUNK]


def _invalid_code(encoding: str) -> str:
    return "ENCODING_INVALID_UTF16" if encoding in _UTF16 else "ENCODING_INVALID_UTF8"
