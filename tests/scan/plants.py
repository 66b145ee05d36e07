"""Invented persons, and every way to hide a value in bytes; written without a look at the scanner's own encoders."""

import base64
import bz2
import gzip
import hashlib
import html
import io
import json
import lzma
import random
import struct
import tarfile
import urllib.parse
import zipfile
from collections.abc import Callable, Iterator

import cramjam
import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

GIVEN = ("Jan", "Zoë", "Anaïs", "Mehmet", "Léa", "Björn", "Siân", "Noor")
FAMILY = ("D'Hondt", "Vandenbroucke", "Lefèvre", "Öztürk", "Peeters & Zoon", "Müller", "Van den Bossche")


def people(count: int, seed: int = 4) -> list[str]:
    """Distinct values: names, phones, e-mail addresses, ids and bank accounts, in turns."""
    draw = random.Random(seed)
    return [_value(draw, i) for i in range(count)]


def _value(draw: random.Random, i: int) -> str:
    digits = "".join(draw.choices("123456789", k=9))
    return (
        f"{draw.choice(GIVEN)} {draw.choice(FAMILY)} {digits[:4]}",
        f"+324{draw.randrange(70, 99)}{digits[:6]}",
        f"klant.{digits}@voorbeeld.be",
        f"{8 + i % 2}{digits}{i % 10}",
        f"BE{digits[:2]}{digits}{digits[:5]}",
    )[i % 5]


ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "utf-8": lambda v: v.encode(),
    "capitals": lambda v: v.upper().encode(),
    "cp1252": lambda v: v.encode("cp1252", "ignore") if "ğ" not in v else v.encode(),
    "utf-16-le": lambda v: v.encode("utf-16-le"),
    "utf-16-be": lambda v: v.encode("utf-16-be"),
    "percent": lambda v: urllib.parse.quote(v, safe="").encode(),
    "form": lambda v: urllib.parse.urlencode({"q": v}).encode(),
    "base64+0": lambda v: base64.b64encode(v.encode() + b" and more"),
    "base64+1": lambda v: base64.b64encode(b"x" + v.encode() + b" and more"),
    "base64+2": lambda v: base64.b64encode(b"xy" + v.encode() + b" and more"),
    "base64url": lambda v: base64.urlsafe_b64encode(v.encode()),
    "hex": lambda v: v.encode().hex().encode(),
    "hex capitals": lambda v: v.encode().hex().upper().encode(),
    "json": lambda v: json.dumps({"v": v}).encode(),
    "json, each letter": lambda v: "".join(f"\\u{unit:04x}" for unit in _utf16_units(v)).encode(),
    "html": lambda v: html.escape(v).encode("ascii", "xmlcharrefreplace"),
    "html, each letter": lambda v: "".join(f"&#x{ord(c):x};" for c in v).encode(),
    "sha256": lambda v: hashlib.sha256(v.encode()).hexdigest().encode(),
    "sha1": lambda v: hashlib.sha1(v.lower().encode()).hexdigest().encode(),
    "md5": lambda v: hashlib.md5(v.encode()).hexdigest().upper().encode(),
}
NUMBER_ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "digits": lambda v: v.removeprefix("+").encode(),
    "grouped": lambda v: " ".join(v[at : at + 3] for at in range(0, len(v), 3)).encode(),
    "int64-le": lambda v: struct.pack("<q", int(v)),
    "int64-be": lambda v: struct.pack(">q", int(v)),
    "float64": lambda v: struct.pack("<d", float(v)),
}


def _utf16_units(value: str) -> tuple[int, ...]:
    packed = value.encode("utf-16-be")
    return struct.unpack(f">{len(packed) // 2}H", packed)


def encodings_of(value: str) -> Iterator[tuple[str, bytes]]:
    """Every encoding that makes sense for a value."""
    yield from ((name, encode(value)) for name, encode in ENCODINGS.items())
    if value.removeprefix("+").isdigit():
        yield from ((name, encode(value)) for name, encode in NUMBER_ENCODINGS.items())


def filled(content: bytes) -> bytes:
    """Content between harmless lines, so that compression has something to do."""
    lines = b"".join(b"%06d;bereikt;offerte;nl;2026-11-%02d\r\n" % (i, i % 28 + 1) for i in range(40))
    return lines + content + b"\r\n" + lines


def zipped(content: bytes, method: int = zipfile.ZIP_DEFLATED, name: str = "a.csv", comment: bytes = b"") -> bytes:
    """A ZIP of one member."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        archive.writestr(name, content)
        archive.comment = comment
    return target.getvalue()


def tarred(content: bytes) -> bytes:
    """A tar of one member."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        entry = tarfile.TarInfo("a.csv")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return target.getvalue()


CONTAINERS: dict[str, Callable[[bytes], bytes]] = {
    "bare": filled,
    "gzip": lambda c: gzip.compress(filled(c)),
    "gzip of two members": lambda c: gzip.compress(filled(b"")) + gzip.compress(filled(c)),
    "zip": lambda c: zipped(filled(c)),
    "zip, stored": lambda c: zipped(filled(c), zipfile.ZIP_STORED),
    "zip, bzip2": lambda c: zipped(filled(c), zipfile.ZIP_BZIP2),
    "zip in gzip in tar": lambda c: tarred(gzip.compress(zipped(filled(c)))),
    "bzip2": lambda c: bz2.compress(filled(c)),
    "xz": lambda c: lzma.compress(filled(c)),
    "zstd": lambda c: bytes(cramjam.zstd.compress(filled(c))),
    "pdf": lambda c: pdf_of(filled(c)),
    "parquet, zstd": lambda c: parquet_of([filled(c)], compression="zstd"),
}


def pdf_of(content: bytes) -> bytes:
    """The smallest PDF with one deflated stream."""
    import zlib

    packed = zlib.compress(content)
    return b"%%PDF-1.7\n1 0 obj\n<</Length %d/Filter/FlateDecode>>\nstream\n%s\nendstream\nendobj\n%%%%EOF" % (
        len(packed),
        packed,
    )


def parquet_of(cells: list[object], kv: dict[str, str] | None = None, **options: object) -> bytes:
    """A Parquet file of one column, with statistics unless told otherwise."""
    table = pa.table({"note": cells})
    if kv:
        table = table.replace_schema_metadata(kv)
    target = io.BytesIO()
    pq.write_table(table, target, **options)
    return target.getvalue()


def workbook_of(cells: list[str]) -> bytes:
    """A workbook whose cells are rich text, each value split over two runs."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    sheet, bold = book.add_worksheet(), book.add_format({"bold": True})
    for row, cell in enumerate(cells):
        sheet.write_rich_string(row, 0, cell[:3], bold, cell[3:], " .")
    book.close()
    return target.getvalue()
