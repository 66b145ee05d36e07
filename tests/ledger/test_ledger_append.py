"""Appending: chained by the database, exactly once per exchange and kind, gapless under load."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from sluice.db import connect_to, transaction
from sluice.errors import DatabaseError
from sluice.ledger.append import append, append_many, canonical
from sluice.ledger.model import BodyNotCanonical, EntryKind, LedgerMisused
from sluice.ledger.store import find_entry
from sluice.terms import ExchangeId

OPENED = EntryKind.EXCHANGE_OPENED


def put(conn, body, chain="DPA-ENERGY01"):
    with transaction(conn):
        return append(conn, chain=chain, kind=OPENED, exchange_id=ExchangeId(body.exchange_id), body=body)


def test_entries_are_numbered_and_name_the_one_before(database, make_opened):
    with connect_to(database.app_url) as conn:
        first, second = put(conn, make_opened()), put(conn, make_opened())

    assert (first.seq, second.seq) == (1, 2)
    assert first.prev_hash == bytes(32)
    assert second.prev_hash == first.hash
    assert first.is_new and second.is_new
    assert second.appended_at >= first.appended_at


def test_the_same_record_again_gives_the_entry_that_is_there(database, make_opened):
    body = make_opened()
    with connect_to(database.app_url) as conn:
        once, again = put(conn, body), put(conn, body)

        assert conn.execute("select count(*) as n from ledger.entry").fetchone() == {"n": 1}

    assert not again.is_new
    assert (again.seq, again.hash, again.body) == (once.seq, once.hash, canonical(body))


def test_an_entry_is_found_by_its_exchange_and_kind(database, make_opened):
    body = make_opened()
    exchange_id = ExchangeId(body.exchange_id)
    with connect_to(database.app_url) as conn:
        entry = put(conn, body)

        assert find_entry(conn, exchange_id, OPENED) == replace(entry, is_new=False)
        assert find_entry(conn, exchange_id, EntryKind.EXCHANGE_CLOSED) is None


@pytest.mark.parametrize("change", [{"size_bytes": 2}, {"chain": "DPA-OTHER"}], ids=["another body", "another chain"])
def test_another_record_of_the_same_kind_is_refused(database, make_opened, change):
    exchange_id = str(uuid.uuid4())
    chain = change.pop("chain", "DPA-ENERGY01")
    with connect_to(database.app_url) as conn:
        put(conn, make_opened(exchange_id))

        with pytest.raises(DatabaseError, match=r"sqlstate 23505; constraint entry_exchange_kind"):
            put(conn, make_opened(exchange_id, **change), chain)

        assert conn.execute("select head_seq from ledger.chain").fetchall() == [{"head_seq": 1}]


def test_an_entry_of_a_rolled_back_transaction_never_was(database, make_opened):
    with connect_to(database.app_url) as conn:
        with pytest.raises(ZeroDivisionError), transaction(conn):
            append(conn, chain="DPA-A", kind=OPENED, exchange_id=None, body=make_opened())
            raise ZeroDivisionError

        assert put(conn, make_opened(), "DPA-A").seq == 1


def test_appending_outside_a_transaction_is_refused(database, make_opened):
    with connect_to(database.app_url) as conn, pytest.raises(LedgerMisused, match="SLU-451"):
        append(conn, chain="DPA-A", kind=OPENED, exchange_id=None, body=make_opened())


def test_a_record_without_canonical_bytes_is_refused(make_opened):
    with pytest.raises(BodyNotCanonical, match="OpenedRecord"):
        canonical(make_opened(size_bytes=2**60))


def test_a_batch_keeps_its_order_and_its_repetitions(database, make_opened):
    bodies = [make_opened() for _ in range(50)]
    pairs = [(ExchangeId(body.exchange_id), body) for body in bodies]
    with connect_to(database.app_url) as conn:
        earlier = put(conn, bodies[7], "DPA-A")
        with transaction(conn):
            entries = append_many(conn, chain="DPA-A", kind=OPENED, bodies=pairs)

    assert [entry.exchange_id for entry in entries] == [body.exchange_id for body in bodies]
    assert [entry.is_new for entry in entries] == [index != 7 for index in range(50)]
    assert entries[7].seq == earlier.seq
    assert sorted(entry.seq for entry in entries) == list(range(1, 51))


@pytest.mark.parametrize("chains", [1, 8])
def test_eight_writers_leave_no_gap(database, make_opened, chains):
    def write(writer: int) -> None:
        with connect_to(database.app_url) as conn:
            for _ in range(20):
                put(conn, make_opened(), f"DPA-{writer % chains}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))

    with connect_to(database.app_url) as conn:
        rows = conn.execute("select chain, count(*) as n, max(seq) as last from ledger.entry group by chain").fetchall()
    assert {row["chain"]: (row["n"], row["last"]) for row in rows} == {
        f"DPA-{chain}": (160 // chains, 160 // chains) for chain in range(chains)
    }


def test_eight_writers_of_one_exchange_leave_one_entry(database, make_opened):
    body = make_opened()

    def write(_: int) -> bool:
        with connect_to(database.app_url) as conn:
            return put(conn, body).is_new

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(write, range(8))) == [False] * 7 + [True]
