"""Looks for persons wherever an installation can keep something: objects, uploads, tables, server files, disk."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import psycopg
import pyrage
from psycopg import sql
from pysequoia import decrypt

from rights.estate import Estate
from rights.residue import Opener, Searcher
from sluice.keys import Keyring
from sluice.terms import Principal

SEALED_FOR = ("energy01", "telecom01")
WAL_BYTES = 1 << 24


def openers(estate: Estate, *, with_cases: bool = False) -> list[Opener]:
    """What opens sealed objects: the quarantine's keys, the recipient's PGP key, and the center's own for cases."""
    names = [*SEALED_FOR, *(["_cases"] if with_cases else [])]
    found = [age_opener(estate.house.keyring, name) for name in names]
    return [*found, lambda content: _pgp(estate, content)]


def age_opener(keyring: Keyring, name: str) -> Opener:
    """What opens an object sealed with the quarantine's key of a principal; None for anything else."""
    identity = pyrage.x25519.Identity.from_str(keyring.quarantine_identity(Principal(name)))

    def opened(content: bytes) -> bytes | None:
        if not content.startswith(b"age-encryption.org/"):
            return None
        try:
            return bytes(pyrage.decrypt(content, [identity]))
        except pyrage.DecryptError:
            return None

    return opened


def _pgp(estate: Estate, content: bytes) -> bytes | None:
    if not content[:1] or not content[0] & 0x80:
        return None
    try:
        return decrypt(content, estate.key.decryptor()).bytes
    except Exception:  # whatever a library says of bytes that are no message of its own
        return None


def place_of(bucket: str, key: str) -> str:
    """Which kind of place a key is: bucket and what stands for a store in it, with the ending of its name."""
    first, second, *_ = [*key.split("/"), ""]
    part = first if first.startswith("_") or bucket.startswith(("lake", "vault", "evidence")) else second
    if bucket.startswith("vault") and not first.startswith("_"):
        part = key.rsplit("/", 1)[-1]
    name = key.rsplit("/", 1)[-1]
    return f"{bucket.split('-')[0]} {part} .{name.partition('.')[2] or name}"


def in_objects(estate: Estate, searcher: Searcher, *, with_cases: bool = False) -> Mapping[str, set[int]]:
    """Who is in which kind of place, over all versions of all objects of all buckets, uploads and tags included."""
    found: dict[str, set[int]] = defaultdict(set)
    keys = openers(estate, with_cases=with_cases)
    client = estate.s3()
    for item in estate.versions():
        owners = searcher.search(estate.read(item), *keys)
        head = client.head_object(Bucket=item.bucket, Key=item.key, VersionId=item.version_id)
        owners |= searcher.owners_in(json.dumps([item.key, head["Metadata"], head["ContentType"]]).encode())
        found[place_of(item.bucket, item.key)] |= owners
    for bucket in estate.buckets:
        for upload in client.list_multipart_uploads(Bucket=bucket).get("Uploads", ()):
            parts = client.list_parts(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
            found[f"{bucket.split('-')[0]} unfinished upload"] |= {-1} if parts.get("Parts") else set()
    return {place: owners for place, owners in found.items() if owners}


def in_tables(admin_url: str, searcher: Searcher) -> Mapping[str, set[int]]:
    """Who is in which table of any schema, whatever the type of its columns; the server's own catalogues too."""
    found = {}
    with closing(psycopg.connect(admin_url, autocommit=True)) as conn:
        tables = conn.execute(
            """select schemaname, relname from pg_stat_all_tables where schemaname <> 'pg_toast' order by 1, 2"""
        ).fetchall()
        for schema, name in tables:
            rows = conn.execute(sql.SQL("select * from {}").format(sql.Identifier(schema, name))).fetchall()
            content = b"\n".join(_flat(cell) for row in rows for cell in row if cell is not None)
            found[f"{schema}.{name}"] = searcher.owners_in(content)
    return found


def _flat(cell: object) -> bytes:
    if isinstance(cell, bytes | memoryview):
        return bytes(cell)
    return (
        json.dumps(cell, ensure_ascii=False, default=str).encode()
        if isinstance(cell, dict | list)
        else str(cell).encode()
    )


def in_server_files(admin_url: str, searcher: Searcher) -> Mapping[str, set[int]]:
    """Who is in the bytes of heaps, indexes, free space, write-ahead log and log files of the whole server."""
    with closing(psycopg.connect(admin_url, autocommit=True)) as conn:
        conn.execute("checkpoint")
        row = conn.execute("show data_directory").fetchone()
    assert row is not None
    return in_folder(Path(row[0]), searcher)


def in_folder(folder: Path, searcher: Searcher, leave_out: Iterable[Path] = ()) -> Mapping[str, set[int]]:
    """Who is in the files below a folder, by its first parts; how many bytes were read under ``bytes``."""
    found: dict[str, set[int]] = defaultdict(set)
    for path in _files(folder, tuple(leave_out)):
        part = path.relative_to(folder).parts[0]
        for window in _windows(path):
            found[part] |= searcher.owners_in(window)
    return found


def _files(folder: Path, leave_out: tuple[Path, ...]) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink() and not any(path.is_relative_to(each) for each in leave_out):
            yield path


def _windows(path: Path) -> Iterator[bytes]:
    """Pieces that overlap, so that no value lies between two."""
    tail = b""
    with path.open("rb") as file:
        while piece := file.read(WAL_BYTES):
            yield tail + piece
            tail = piece[-2000:]
