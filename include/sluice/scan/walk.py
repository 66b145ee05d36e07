"""The second scan of an erasure: search every byte of one object, opening all containers inside it.

It imports nothing of the product except its errors, and no library that wrote the object, so that it cannot
repeat their mistakes. It reports what it cannot open, and such an object is never CLEAN.
"""

import io
import mmap
import tarfile
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path

from sluice.scan import archive, pdf
from sluice.scan.fonts import Fonts, read_fonts, said_by
from sluice.scan.form import ARMOUR, Form, form_of, is_text
from sluice.scan.inflate import GZIP, RAW, Inflated, InflateFailed, bz2_chunks, reason_of, xz_chunks, zstd_whole
from sluice.scan.markup import joined_runs
from sluice.scan.model import Decrypt, Limits, Reason, Scan
from sluice.scan.needles import Needles
from sluice.scan.parquet import ParquetWalk
from sluice.scan.sweep import Buffer, Found, SweepStopped, sweep

Opener = Callable[[memoryview, str, int], None]
ENTITY = b"<!ENTITY"
TAR_BLOCK = 512
AT_ONCE = 1 << 20
"""About how many bytes of readings of a text are searched together; they are in memory three times."""


def scan_bytes(
    content: bytes | Path,
    needles: Needles,
    *,
    decrypt: Decrypt | None = None,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    raw: bool = False,
) -> Scan:
    """Search one object for all needles, in its bytes and in whatever they inflate to.

    decrypt: called with an age or OpenPGP message; without it, or if it returns None, the part is ENCRYPTED.
    raw: the caller knows that these bytes hold text as it is (a heap page, a WAL segment), so an unknown
    form is no doubt. Raises OSError for a path that cannot be read.
    """
    size = len(content) if isinstance(content, bytes) else content.stat().st_size
    found = Found(limits, limits.most_of(size))
    walk = _Walk(needles, found, decrypt)
    try:
        if isinstance(content, bytes):
            walk.whole(memoryview(content), "", 0, raw=raw)
        elif size:
            with content.open("rb") as file:
                # Unmapped when the last view of it goes: closing it here would fail while one is left.
                walk.whole(memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)), "", 0, raw=raw)
    except SweepStopped:
        found.doubt(Reason.TOO_LARGE, "")
    return Scan(tuple(sorted(found.hits.values())), tuple(sorted(found.doubts)), found.read_bytes)


class _Walk:
    """The walk through one object: what to look for, and what was found."""

    def __init__(self, needles: Needles, found: Found, decrypt: Decrypt | None) -> None:
        self._needles = needles
        self._found = found
        self._decrypt = decrypt
        self._openers: dict[Form, Opener] = {
            Form.MARKUP: self._markup,
            Form.UTF16: self._utf16,
            Form.GZIP: self._gzip,
            Form.BZIP2: lambda content, where, depth: self.stream(bz2_chunks(content), where, depth),
            Form.XZ: lambda content, where, depth: self.stream(xz_chunks(content), where, depth),
            Form.ZSTD: self._zstd,
            Form.ZIP: self._zip,
            Form.TAR: self._tar,
            Form.PARQUET: self._parquet,
            Form.PDF: self._pdf,
            Form.ENCRYPTED: self._encrypted,
        }

    def whole(self, content: memoryview, where: str, depth: int, *, raw: bool = False) -> None:
        """Search a part as it stands, then open it."""
        form = form_of(content)
        where = f"{where} > {form}" if where else str(form)
        if form is Form.TEXT:
            sweep(self._unarmoured(_pieces(content), where), self._needles, where, self._found)
            return
        sweep(content, self._needles, where, self._found)
        if depth > self._found.limits.depth:
            self._found.doubt(Reason.TOO_DEEP, where)
        elif form in self._openers:
            self._opened(self._openers[form], content, where, depth)
        elif not raw:
            self._found.doubt(Reason.PICTURE if form is Form.PICTURE else Reason.UNKNOWN_FORM, where)

    def _opened(self, opener: Opener, content: memoryview, where: str, depth: int) -> None:
        try:
            opener(content, where, depth + 1)
        except InflateFailed as failed:
            self._found.doubt(reason_of(failed), where)

    def stream(self, chunks: Iterable[bytes], where: str, depth: int) -> None:
        """Search inflated bytes: stream text, of any length, and gather anything else before searching it."""
        chunks = self._found.charged(chunks)
        head = next(chunks, b"")
        if form_of(head) is Form.TEXT:
            self._text(chain([head], chunks), f"{where} > {Form.TEXT}")
            return
        gathered = bytearray(head)
        for chunk in chunks:
            gathered += chunk
            if len(gathered) > self._found.limits.whole_bytes:
                sweep(bytes(gathered), self._needles, where, self._found)
                self._found.doubt(Reason.TOO_LARGE, where)
                return
        self.whole(memoryview(bytes(gathered)), where, depth)

    def _text(self, chunks: Iterable[bytes], where: str) -> None:
        sweep(self._unarmoured(self._checked(chunks, where), where), self._needles, where, self._found)

    def _checked(self, chunks: Iterable[bytes], where: str) -> Iterator[bytes]:
        for chunk in chunks:
            if not is_text(chunk):
                self._found.doubt(Reason.UNKNOWN_FORM, where)
            yield chunk

    def _unarmoured(self, chunks: Iterable[bytes], where: str) -> Iterator[bytes]:
        """The same text; an armoured encrypted message in it is noted as a doubt."""
        for chunk in chunks:
            if ARMOUR.search(chunk):
                self._found.doubt(Reason.ENCRYPTED, where)
            yield chunk

    def _markup(self, content: memoryview, where: str, _depth: int) -> None:
        whole = bytes(content)
        if ENTITY in whole:
            self._found.doubt(Reason.UNKNOWN_ENCODING, where)
        if (joined := joined_runs(whole)) is not None:
            sweep(joined, self._needles, f"{where} > joined runs", self._found)

    def _utf16(self, content: memoryview, where: str, depth: int) -> None:
        text = bytes(content).decode("utf-16", errors="replace").encode("utf-8", "surrogatepass")
        self.whole(memoryview(text), where, depth)

    def _gzip(self, content: memoryview, where: str, depth: int) -> None:
        self.stream(self._gzip_members(content, where), where, depth)

    def _gzip_members(self, content: memoryview, where: str) -> Iterator[bytes]:
        at = 0
        while bytes(content[at : at + 2]) == b"\x1f\x8b":
            member = Inflated(content, at, GZIP)
            yield from member
            at = member.end
        self._check_unread(content[at:], where)

    def _zstd(self, content: memoryview, where: str, depth: int) -> None:
        inflated = zstd_whole(content, self._found.limits.whole_bytes)
        self._found.charge(len(inflated))
        self.whole(memoryview(inflated), where, depth)

    def _zip(self, content: memoryview, where: str, depth: int) -> None:
        for number, part in enumerate(archive.zip_parts(content, self._found.charge)):
            place = f"{where} > member {number}"
            if isinstance(part, archive.Gap):
                self._found.doubt(Reason.UNREAD_GAP, place)
            elif part.is_encrypted:
                self._found.doubt(Reason.ENCRYPTED, place)
            else:
                self._member(content[part.begin : part.end], part.method, place, depth)

    def _member(self, packed: memoryview, method: int, where: str, depth: int) -> None:
        try:
            if method == archive.STORED:
                self.whole(packed, where, depth)
            elif method == archive.DEFLATED:
                inflated = Inflated(packed, 0, RAW)
                self.stream(inflated, where, depth)
                if inflated.end != len(packed):
                    self._found.doubt(Reason.UNREAD_GAP, where)
            elif method == archive.BZIP2:
                self.stream(bz2_chunks(packed), where, depth)
            elif method == archive.ZSTD:
                self._zstd(packed, where, depth)
            else:
                self._found.doubt(Reason.UNKNOWN_COMPRESSION, where)
        except InflateFailed as failed:
            self._found.doubt(reason_of(failed), where)

    def _tar(self, content: memoryview, where: str, depth: int) -> None:
        """Search the members of a tar; its headers were searched with the whole."""
        end = 0
        try:
            with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as opened:
                for number, member in enumerate(opened):
                    begin, end = member.offset_data, member.offset_data + member.size
                    self.whole(content[begin:end], f"{where} > member {number}", depth)
                    self._check_unread(content[end : end + -end % TAR_BLOCK], where)
        except (tarfile.TarError, ValueError, OverflowError, EOFError):
            self._found.doubt(Reason.BROKEN, where)
        if end > len(content):
            self._found.doubt(Reason.BROKEN, where)
        self._check_unread(content[end:], where)

    def _check_unread(self, rest: memoryview, where: str) -> None:
        """Note a doubt for bytes of no member, unless they are text: they were searched only as they stand."""
        if any(rest) and not is_text(rest):
            self._found.doubt(Reason.UNREAD_GAP, where)

    def _parquet(self, content: memoryview, where: str, _depth: int) -> None:
        ParquetWalk(content, self._needles, where, self._found).run()

    def _pdf(self, content: memoryview, where: str, depth: int) -> None:
        data = bytes(content)
        if b"/Encrypt" in data:
            self._found.doubt(Reason.ENCRYPTED, where)
            return
        parted = pdf.part_pdf(data, self._found.limits.whole_bytes, self._found.charge)
        fonts = read_fonts(parted, self._found.charge)
        for number, one in enumerate(parted.streams):
            place = f"{where} > stream {number}"
            if one.doubt:
                self._found.doubt(one.doubt, place)
            self._pdf_stream(one, fonts, place, depth)
        self._pdf_strings(parted.objects, Fonts(), f"{where} > objects")
        self._found.forget_groups(where)  # widths and offsets; strings and streams are read apart
        if fonts.is_unsaid:
            self._found.doubt(Reason.FONT_ENCODED_TEXT, where)

    def _pdf_stream(self, one: pdf.Stream, fonts: Fonts, where: str, depth: int) -> None:
        if pdf.is_attachment(one):
            self.whole(memoryview(one.content), where, depth)
            return
        sweep(one.content, self._needles, where, self._found)
        if pdf.has_strings(one):
            self._pdf_strings(one.content, fonts, where)
        if pdf.has_strings(one) and not pdf.is_markup(one):
            self._found.forget_groups(where)  # places on the page

    def _pdf_strings(self, content: bytes, fonts: Fonts, where: str) -> None:
        """Search strings as bytes and as letters of each font, also with the lines of a text joined."""
        pieces = list(pdf.strings_of(content))
        for texts in _swept_together(chain([b"".join(pieces)], said_by(fonts, pieces))):
            sweep(texts, self._needles, f"{where} > text", self._found)

    def _encrypted(self, content: memoryview, where: str, depth: int) -> None:
        plaintext = self._decrypt(bytes(content)) if self._decrypt else None
        if plaintext is None:
            self._found.doubt(Reason.ENCRYPTED, where)
        else:
            self.whole(memoryview(plaintext), f"{where} > decrypted", depth)


def _swept_together(reads: Iterable[bytes]) -> Iterator[bytes]:
    """Three forms of each text, joined into a few large ones, because fonts may give a hundred readings of a text."""
    waiting, size = list[bytes](), 0
    for read in reads:
        waiting += [read, read.replace(b"\n", b""), b" ".join(read.split())]
        size += len(read)
        if size > AT_ONCE:
            yield b"\0".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"\0".join(waiting)


def _pieces(content: Buffer, size: int = 1 << 22) -> Iterator[bytes]:
    for at in range(0, len(content), size):
        yield bytes(content[at : at + size])
