"""Every channel by which a value can get out of an installation, as bytes to be looked through (S-01).

It knows S3, PostgreSQL, files and PDF, and nothing of the product: where values may be is a table of its own.
"""

import io
import json
import re
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pypdf
from psycopg import sql
from psycopg.types.string import TextLoader

WINDOW_BYTES, OVERLAP_BYTES = 1 << 24, 4096
HOMES = {
    "exchange": frozenset({"inbound", "outbound", "requests", "notices"}),
    "internal": frozenset({"internal", "dial"}),
}
"""Prefixes where values may be: what principals put and get, notices that name who asked, exports, dial lists."""
WHOLE_HOMES = frozenset({"lake", "vault"})
ADDRESSES = {"sluice.exchange": "key"}
"""The column of a table that says where a file lies: under the name that its principal gave it."""
TEMPORARY = re.compile(r"(tmp|sluice-)(?!tests|files|env|demo)")
"""How names begin that tempfile and the product give in the machine's folder for temporary files."""


@dataclass(frozen=True)
class Source:
    """Some bytes, through which channel they are seen, and whether values may be in them."""

    channel: str
    content: bytes
    is_home: bool = False


def files(folder: Path, channel: str, leave_out: frozenset[str] = frozenset()) -> Iterator[Source]:
    """Files below a folder, each under the first part of its path, in windows that overlap."""
    for path in sorted(folder.rglob("*")):
        first = path.relative_to(folder).parts[0]
        if first not in leave_out and path.is_file() and not path.is_symlink():
            with suppress(OSError):  # a server's file may be gone meanwhile
                yield from (Source(f"{channel} {first}", window) for window in _windows(path))
        yield Source(f"file name {channel}", path.name.encode())


def _windows(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        tail = b""
        while piece := file.read(WINDOW_BYTES):
            yield tail + piece
            tail = piece[-OVERLAP_BYTES:]


def temporary(since: float) -> Iterator[Source]:
    """Files of the machine's folder for temporary files that are younger than ``since`` (seconds)."""
    for path in Path(tempfile.gettempdir()).iterdir():
        with suppress(OSError):
            if TEMPORARY.match(path.name) and path.stat().st_mtime >= since:
                inside = files(path, "temporary") if path.is_dir() else (Source("temporary", path.read_bytes()),)
                yield from inside


def tables(admin_url: str) -> Iterator[Source]:
    """Every row of every table of every database of the server, Airflow's included; packed cells inflated.

    Left out are the planner's statistics: they are made of cells of these tables.
    """
    root = admin_url.rsplit("/", 1)[0]
    with closing(psycopg.connect(f"{root}/postgres")) as conn:
        names = [row[0] for row in conn.execute("select datname from pg_database where datallowconn")]
    for name in names:
        with closing(psycopg.connect(f"{root}/{name}", autocommit=True)) as conn:
            for kind in ("date", "timestamp", "timestamptz", "interval"):
                conn.adapters.register_loader(kind, TextLoader)  # Python has no infinity for them
            found = conn.execute(
                """select schemaname, relname from pg_stat_all_tables where schemaname <> 'pg_toast'
                   and relname not in ('pg_statistic', 'pg_statistic_ext_data') order by 1, 2"""
            ).fetchall()
            for schema, table in found:
                yield from _table(conn, f"{name}.{schema}.{table}", sql.Identifier(schema, table))


def _table(conn: psycopg.Connection[Any], name: str, table: sql.Identifier) -> Iterator[Source]:
    """All cells of a table, those of a column of addresses apart."""
    cursor = conn.execute(sql.SQL("select * from {}").format(table))
    columns = [each.name for each in cursor.description or ()]
    address = ADDRESSES.get(name.partition(".")[2])
    cells = [(column, _flat(cell)) for row in cursor for column, cell in zip(columns, row, strict=True)
             if cell is not None]  # fmt: skip
    yield Source(f"table {name}", b"\n".join(cell for column, cell in cells if column != address))
    yield Source(f"addresses {name}", b"\n".join(cell for column, cell in cells if column == address), is_home=True)


def _flat(cell: object) -> bytes:
    if isinstance(cell, bytes | memoryview):
        content = bytes(cell)
        with suppress(zlib.error):
            return zlib.decompress(content)
        return content
    is_deep = isinstance(cell, dict | list)
    return (json.dumps(cell, ensure_ascii=False, default=str) if is_deep else str(cell)).encode()


def objects(client: Any, buckets: Mapping[str, str]) -> Iterator[Source]:
    """Every version of every object: its bytes, and apart from them its key, its metadata and its tags.

    buckets: the name of each by what it is for.
    """
    for use, bucket in buckets.items():
        for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for entry in page.get("Versions", ()):
                yield from _object(client, use, bucket, entry["Key"], entry["VersionId"])


def _object(client: Any, use: str, bucket: str, key: str, version: str) -> Iterator[Source]:
    answer = client.get_object(Bucket=bucket, Key=key, VersionId=version)
    tags = client.get_object_tagging(Bucket=bucket, Key=key, VersionId=version).get("TagSet", [])
    part = [*key.split("/"), ""][1]
    is_home = use in WHOLE_HOMES or part in HOMES.get(use, ())
    content = answer["Body"].read()
    yield Source(f"object {use} {part}", content, is_home)
    yield Source(f"pdf text {use} {part}", pdf_text(content), is_home)
    yield Source(f"key {use}", key.encode(), part == "inbound")  # a name that a principal gave stays where it put it
    said = [answer["Metadata"], answer["ContentType"], tags]
    yield Source(f"metadata {use}", json.dumps(said).encode())


def pdf_text(content: bytes) -> bytes:
    """What a reader of a PDF sees, on one line; nothing of what is none."""
    if not content.startswith(b"%PDF"):
        return b""
    return (
        "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages).replace("\n", "").encode()
    )
