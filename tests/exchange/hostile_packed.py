"""Containers: bombs, more than one file, names that leave their folder; and what is no table at all."""

import bz2
import gzip
import io
import lzma
import random
import stat
import struct
import zipfile
import zlib
from pathlib import Path

from pysequoia import encrypt, sign

from exchange import hostile_keys
from exchange.hostile import FINE, kind
from exchange.hostile_books import plain
from exchange.hostile_cells import campaign


def zipped(*parts: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in parts:
            archive.writestr(name, content)
    return out.getvalue()


def zeros(size: int) -> bytes:
    """So many zeros in gzip, made without having them."""
    machine, parts = zlib.compressobj(9, zlib.DEFLATED, 31), []
    for _ in range(size >> 20):
        parts.append(machine.compress(b"0" * (1 << 20)))
    return b"".join(parts) + machine.flush()


@kind("csv", "x.csv.gz", "ARCHIVE_RATIO", "ARCHIVE_NESTED")
def bombs_in_gzip(rng: random.Random, path: Path) -> None:
    content = zeros(rng.choice((20, 100, 1024)) << 20)
    path.write_bytes(gzip.compress(content) if rng.random() < 0.3 else content)


@kind("csv", "x.zip", "ARCHIVE_RATIO", "ARCHIVE_NESTED", "UNREADABLE_ARCHIVE")
def bombs_in_zip(rng: random.Random, path: Path) -> None:
    body = b"0" * (rng.choice((20, 100)) << 20)
    content = bytearray(zipped(("x.csv", body)))
    if rng.random() < 0.4:  # the directory says that it is small
        at = content.index(b"PK\x01\x02")
        content[at + 24 : at + 28] = struct.pack("<I", 1000)
    path.write_bytes(zipped(("x.zip", bytes(content))) if rng.random() < 0.3 else bytes(content))


@kind("csv", "x.csv.gz", "UNREADABLE_ARCHIVE", "ARCHIVE_MEMBERS", "UNREADABLE_EMPTY_FILE", "WRONG_FORMAT_NAME", FINE)
def damaged_gzip(rng: random.Random, path: Path) -> None:
    good = gzip.compress(campaign(rng))
    changed = bytearray(good)
    changed[rng.randrange(10, len(good))] ^= 1 << rng.randrange(8)
    path.write_bytes(rng.choice((
        good[: rng.randrange(2, len(good))], good + good, good + b"x" * 99, bytes(changed), gzip.compress(b""),
        b"\x1f\x8b\x08\x08" + b"\0" * 6 + b"a" * 2_000_000, b"\x1f\x8b\x08\x04" + b"\0" * 6 + b"\xff\xff" + b"a" * 99,
        b"\x1f\x8b\x07" + good[3:], good[:-8] + b"\0" * 8,
    )))  # fmt: skip


@kind("csv", "x.zip", "HEADER_MISSING_COLUMN", "ARCHIVE_MEMBERS", "ARCHIVE_ENCRYPTED", "ARCHIVE_METHOD",
      "UNREADABLE_ARCHIVE", "ARCHIVE_NESTED",
      "WRONG_FORMAT_NAME", "LIMIT_REFUSED_SHARE", FINE)  # fmt: skip
def members_of_zip(rng: random.Random, path: Path) -> None:
    """More than one, a folder, a link, a name that climbs: a link is a small text, a name is never a path."""
    text = campaign(rng)
    link = zipfile.ZipInfo("x.csv")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    linked = io.BytesIO()
    with zipfile.ZipFile(linked, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    good = zipped(("x.csv", text))
    locked, spoilt = bytearray(good), bytearray(good)
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[good.index(mark) + place] |= 1
    spoilt[rng.randrange(30, len(good))] ^= 0xFF
    path.write_bytes(rng.choice((
        zipped(("x.csv", text), ("y.csv", text)), zipped(*((f"{n}.csv", b"a") for n in range(20_000))), zipped(),
        zipped(("../../etc/cron.d/x.csv", text)), zipped(("/etc/x.csv", text)), zipped(("x/", b"")), linked.getvalue(),
        bytes(locked), bytes(spoilt), zipped(("x.csv", text), method=zipfile.ZIP_BZIP2),
        good[: rng.randrange(4, len(good))],
        zipped(("x\0.csv", text)), zipped(("x" * 60_000 + ".csv", text)), zipped(("x.xlsx", text)),
    )))  # fmt: skip


@kind("csv", "x.gz", "ARCHIVE_NESTED", "WRONG_FORMAT_ARCHIVE", "WRONG_FORMAT_NOT_AS_AGREED")
def containers_in_containers(rng: random.Random, path: Path) -> None:
    inside = campaign(rng)
    for _ in range(rng.choice((2, 3, 9))):
        inside = rng.choice((gzip.compress, bz2.compress, lzma.compress, lambda one: zipped(("x", one))))(inside)
    path.write_bytes(gzip.compress(inside))


@kind("csv", "x.zip", "ARCHIVE_MEMBERS", "UNREADABLE_ARCHIVE", "ARCHIVE_RATIO")
def members_that_share_bytes(rng: random.Random, path: Path) -> None:
    """The bomb of Fifield: many directory entries on one member; or numbers of zip64 beyond any file."""
    good = zipped(("x.csv", b"0" * 1_000_000))
    at, end = good.index(b"PK\x01\x02"), good.index(b"PK\x05\x06")
    count = rng.choice((1, 2, 500))
    entry = bytearray(good[at:end])
    if count == 1:
        entry[20:28] = struct.pack("<2I", rng.choice((0, 2**32 - 1)), rng.choice((1, 2**32 - 1)))
    tail = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count, count, len(entry) * count, at, 0)
    path.write_bytes(good[:at] + bytes(entry) * count + tail)


WRONG = ("WRONG_FORMAT_NAME", "WRONG_FORMAT_NOT_AS_AGREED", "WRONG_FORMAT_PDF", "WRONG_FORMAT_BINARY",
         "WRONG_FORMAT_MARKUP", "WRONG_FORMAT_ARCHIVE", "WRONG_FORMAT_XLS", "WRONG_FORMAT_ODS", "UNREADABLE_ARCHIVE",
         "UNREADABLE_PARQUET", "TEXT_NUL_BYTE", "TEXT_CONTROL_CHARACTER", "ARCHIVE_MEMBERS")  # fmt: skip


@kind("csv", "x.csv", *WRONG, "ENCODING_UNKNOWN", "HEADER_LOOKS_LIKE_DATA", "LIMIT_COLUMNS")
def another_thing_under_a_name(rng: random.Random, path: Path) -> str:
    starts = (b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n", b"\x7fELF", b"MZ\x90\0", b"GIF89a", b"\xff\xd8\xff",
              b"7z\xbc\xaf\x27\x1c",
              b"Rar!\x1a\x07", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"PAR1", b"<html>", b"<?xml version='1.0'?>",
              b"SQLite format 3\0",
              b"\xca\xfe\xba\xbe", b"PK\x03\x04")  # fmt: skip
    path.write_bytes(rng.choice(starts) + rng.randbytes(rng.choice((10, 5000))))
    return rng.choice(("x.csv", "x.xlsx", "x.json", "x.parquet", "x.gz", "x.zip", "x.pdf", "x"))


@kind("csv", "x.csv", *WRONG, "ENCODING_UNKNOWN", "ENCODING_AMBIGUOUS", "ENCODING_INVALID_UTF16", "DIALECT_QUOTING",
      "DIALECT_UNCLOSED_QUOTE", "HEADER_DUPLICATE", "HEADER_BLANK", "LIMIT_COLUMNS", "SHAPE_RAGGED_ROWS")  # fmt: skip
def noise(rng: random.Random, path: Path) -> None:
    path.write_bytes(rng.randbytes(rng.choice((1, 7, 300, 70_000, 2_000_000))))


SEALED = ("UNREADABLE_PGP", "FORBIDDEN_PGP_RECIPIENT", "FORBIDDEN_PGP_NOT_ENCRYPTED", "FORBIDDEN_PGP_UNSIGNED",
          "FORBIDDEN_PGP_SIGNER", "FORBIDDEN_PGP_COMPRESSED", "ARCHIVE_NESTED", "ARCHIVE_RATIO")  # fmt: skip


@kind("csv", "x.csv.pgp", *SEALED, *WRONG, "ENCODING_UNKNOWN")
def what_looks_encrypted(rng: random.Random, path: Path) -> None:
    head = rng.choice((
        b"-----BEGIN PGP MESSAGE-----\n\n", b"\x85\x01\x0c\x03" + b"a" * 8, b"\xc1\xc0\x4c\x03" + b"a" * 8,
        b"\xc1\xff\xff\xff\xff\xff", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n", b"\xa3\x02",
        b"\xd2\xff\xff\xff\xff\xff\x01", b"\xc3\x0d\x04\x09\x03\x08", b"\xc8\xe0\x03",
    ))  # fmt: skip
    body = rng.randbytes(rng.choice((0, 40, 5000)))
    path.write_bytes(head + (body.hex().encode() if head.startswith(b"-") else body))


@kind("csv", "x.pgp", *SEALED, "LIMIT_OUTPUT", FINE)
def messages_that_nobody_should_believe(rng: random.Random, path: Path) -> None:
    """To our key, changed, cut off, signed by nobody or by another; to another key. Keys are new in each process."""
    center, sender, text = hostile_keys.CENTER, hostile_keys.SENDER, campaign(rng)
    to = center.extract_certificate()
    whole = bytearray(encrypt(text, recipients=[to], signer=sender.signer(), armor=False))
    changed = bytearray(whole)
    changed[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
    path.write_bytes(rng.choice((
        bytes(changed), bytes(changed), bytes(whole[: rng.randrange(1, len(whole))]), bytes(whole) + bytes(whole),
        encrypt(text, recipients=[to]), encrypt(text, recipients=[to], signer=center.signer()),
        encrypt(text, recipients=[sender.extract_certificate()], signer=sender.signer()),
        encrypt(text, passwords=["x"]),
        sign(sender.signer(), text), sign(sender.signer(), text, armor=False), bytes(to), bytes(whole) + b"more",
        encrypt(bytes(whole), recipients=[to], signer=sender.signer()),
        encrypt(gzip.compress(b"0" * (64 << 20)), recipients=[to], signer=sender.signer()),
    )))  # fmt: skip


@kind("csv", "x.csv", "WRONG_FORMAT_NAME", "TEXT_NUL_BYTE", "UNREADABLE_ARCHIVE", "ENCODING_UNKNOWN", "ARCHIVE_MEMBERS",
      "WRONG_FORMAT_NOT_AS_AGREED", "WRONG_FORMAT_PDF", "ENCODING_AMBIGUOUS")  # fmt: skip
def two_files_in_one(rng: random.Random, path: Path) -> str:
    text, archive = campaign(rng), rng.choice((zipped(("x.csv", campaign(rng))), plain()))
    path.write_bytes(
        rng.choice((text + archive, archive + text, b"%PDF-1.7\n" + archive, gzip.compress(text) + archive))
    )
    return rng.choice(("x.csv", "x.zip", "x.xlsx", "x.gz"))
