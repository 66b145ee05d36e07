"""The ledger against a table that proves nothing, and its verifier against canonicalising again."""

import json
import multiprocessing
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench import BenchRow, paired, shown
from bench.stores import a_database
from sluice.db import connect_to, transaction
from sluice.keys import Keyring
from sluice.ledger.append import append, append_many, canonical
from sluice.ledger.hashing import ZERO_HASH, entry_hash
from sluice.ledger.model import EntryKind, Head, StoredEntry
from sluice.ledger.opened import OpenedRecord
from sluice.ledger.sign import read_public
from sluice.ledger.verify import verify, verify_entries
from sluice.terms import Direction, ExchangeId

ROUNDS = 3
PLAIN = """
    create table public.plain (like ledger.entry including all);
    create sequence public.plain_seq;
    grant select, insert on public.plain to sluice_app;
    grant usage on public.plain_seq to sluice_app;
    grant usage on schema public to sluice_app;
"""
INSERT = """
    insert into public.plain (chain, seq, kind, exchange_id, body, prev_hash, hash, appended_at)
    values (%s, nextval('public.plain_seq'), 'exchange.opened', %s, %s, %s, %s, clock_timestamp()) returning seq
"""


def rows(size: int) -> Iterator[BenchRow]:
    """Appending with 1 and 8 writers, in batches, and verifying; ``size`` / 50 entries each."""
    entries = max(800, size // 50)
    with plain_beside_ledger() as (app_url, public_pem):
        for writers, chains, goal in ((1, 1, 0.5), (8, 8, 0.5), (8, 1, None)):
            work = partial(write_all, app_url, writers, chains, entries)
            chained, plain = paired(partial(work, ledger=True), partial(work, ledger=False), ROUNDS)
            yield BenchRow(
                "ledger",
                f"append, {writers} writer{'s' * (writers > 1)} on {chains} chain{'s' * (chains > 1)}",
                plain.wall_s / chained.wall_s,
                "x",
                f"plain insert, {shown(entries / plain.wall_s)}/s; ours {shown(entries / chained.wall_s)}/s",
                goal,
            )
        yield batches(app_url, entries)
        yield stored(app_url, public_pem)
    yield verifying(size // 5)


def verifying(count: int) -> BenchRow:
    """The verifier on entries in memory; small bodies, which is the hard case for this ratio."""
    entries, head = a_chain(count)
    public = Ed25519PrivateKey.generate().public_key()
    ours, again = paired(
        lambda: verify_entries(entries, [head], (), public=public),
        lambda: [rfc8785.dumps(json.loads(entry.body)) == entry.body for entry in entries],
        ROUNDS,
    )
    floor = f"canonicalising again, {shown(count / again.wall_s)}/s; ours {shown(count / ours.wall_s)}/s"
    return BenchRow("ledger", "verify in memory", again.wall_s / ours.wall_s, "x", floor, 9)


def stored(app_url: str, public_pem: bytes) -> BenchRow:
    """The verifier streaming from the database, as ``sluice ledger verify`` does."""
    with connect_to(app_url) as conn:
        began = time.perf_counter()
        report = verify(conn, public_pem=public_pem)
        rate = report.entries / (time.perf_counter() - began)
    assert report.valid
    return BenchRow("ledger", "verify from the database", rate, "entries/s", f"{report.entries:,} entries, no floor")


def batches(app_url: str, count: int) -> BenchRow:
    """1,000 entries in one transaction and one round trip."""
    with connect_to(app_url) as conn:
        began = time.perf_counter()
        for _ in range(max(1, count // 1000)):
            bodies = [opened() for _ in range(1000)]
            with transaction(conn):
                pairs = [(ExchangeId(body.exchange_id), body) for body in bodies]
                append_many(conn, chain="DPA-BATCH", kind=EntryKind.EXCHANGE_OPENED, bodies=pairs)
        rate = max(1, count // 1000) * 1000 / (time.perf_counter() - began)
    return BenchRow("ledger", "append in batches of 1,000", rate, "entries/s", "no floor")


def write_all(app_url: str, writers: int, chains: int, count: int, *, ledger: bool) -> None:
    """``count`` entries by ``writers`` at once, each entry its own transaction."""
    context = multiprocessing.get_context("fork")
    share = count // writers
    children = [
        context.Process(target=write, args=(app_url, f"DPA-{number % chains}", share, ledger))
        for number in range(writers)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()
        assert child.exitcode == 0


def write(app_url: str, chain: str, count: int, ledger: bool) -> None:
    """One writer. Both ways write the same bytes and get the number back."""
    with connect_to(app_url) as conn:
        for _ in range(count):
            body = opened()
            with transaction(conn):
                if ledger:
                    exchange_id = ExchangeId(body.exchange_id)
                    append(conn, chain=chain, kind=EntryKind.EXCHANGE_OPENED, exchange_id=exchange_id, body=body)
                else:
                    conn.execute(INSERT, (chain, body.exchange_id, canonical(body), ZERO_HASH, ZERO_HASH)).fetchone()


def opened() -> OpenedRecord:
    """The smallest record there is."""
    return OpenedRecord(
        exchange_id=str(uuid.uuid4()),
        principal="energy01",
        direction=Direction.INBOUND,
        flow="renewal",
        bucket="exchange",
        key="energy01/inbound/renewal/2026-11-25.csv",
        version_id="3sL4kqtJlcpXroDTDmJ",
        size_bytes=583_898,
        opened_at="2026-11-25T04:12:01.102Z",
        agreement_id="DPA-ENERGY01",
        agreement_version="3.0.0",
    )


def a_chain(count: int) -> tuple[list[StoredEntry], Head]:
    """A chain in memory, as the database would make it."""
    entries, prev = [], ZERO_HASH
    for seq in range(1, count + 1):
        body = opened()
        exchange, content, appended = uuid.UUID(body.exchange_id).bytes, canonical(body), seq.to_bytes(8, "big")
        digest = entry_hash("DPA-A", seq, "exchange.opened", exchange, prev, content, appended)
        entries.append(StoredEntry("DPA-A", seq, "exchange.opened", exchange, content, prev, digest, appended))
        prev = digest
    return entries, Head("DPA-A", count, prev)


@contextmanager
def plain_beside_ledger() -> Iterator[tuple[str, bytes]]:
    """DSN of a fresh database with the plain table in it, and a key for the verifier."""
    with a_database() as server:
        with psycopg.connect(server.admin_url, autocommit=True) as admin:
            admin.execute(PLAIN)
        pem = Keyring(Path(), bytes(32), Ed25519PrivateKey.generate()).public_pem
        assert read_public(pem)
        yield server.app_url, pem
