"""Verifying a real ledger in a real database, intact and after a superuser was at it."""

from datetime import UTC, datetime

import psycopg
import pytest

from sluice.db import connect_to, transaction
from sluice.errors import DatabaseError
from sluice.ledger.append import append
from sluice.ledger.checkpoint import heads_changed, make_checkpoint, read_checkpoint
from sluice.ledger.model import EntryKind, LedgerMisused, Witness
from sluice.ledger.store import find_last_checkpoint, insert_checkpoint
from sluice.ledger.verify import verify
from sluice.terms import ExchangeId

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)

REHASH = """
    update ledger.entry set {change} where chain = 'DPA-A' and seq = 3;
    do $$
    declare e ledger.entry; prev bytea;
    begin
      select hash into prev from ledger.entry where chain = 'DPA-A' and seq = 2;
      for e in select * from ledger.entry where chain = 'DPA-A' and seq >= 3 order by seq loop
        update ledger.entry set prev_hash = prev,
          hash = ledger.entry_hash(e.chain, e.seq, e.kind, e.exchange_id, prev, e.body, e.appended_at)
          where chain = e.chain and seq = e.seq returning hash into prev;
      end loop;
      update ledger.chain set head_hash = prev where name = 'DPA-A';
    end $$
"""

TAMPERS = {
    "edit a body": ("update ledger.entry set body = '{}' where chain = 'DPA-A' and seq = 3", 3),
    "edit a time": ("update ledger.entry set appended_at = appended_at - interval '1 day' where seq = 4", 4),
    "edit a kind": ("update ledger.entry set kind = 'exchange.closed' where chain = 'DPA-A' and seq = 2", 2),
    "delete": ("delete from ledger.entry where chain = 'DPA-A' and seq = 2", 2),
    "swap": (
        "update ledger.entry e set body = o.body, exchange_id = gen_random_uuid() from ledger.entry o"
        " where e.chain = 'DPA-A' and o.chain = 'DPA-A' and e.seq + o.seq = 5 and e.seq in (2, 3)",
        2,
    ),
    "cut the tail, head set back": (
        "delete from ledger.entry where chain = 'DPA-A' and seq > 4; update ledger.chain set head_seq = 4,"
        " head_hash = (select hash from ledger.entry where chain = 'DPA-A' and seq = 4) where name = 'DPA-A'",
        5,
    ),
    "make every hash anew": (REHASH.format(change="body = '{}'"), 6),
}


@pytest.fixture
def house(database, make_opened, keyring):
    """Six entries in one chain, two in another, and a checkpoint over them."""
    with connect_to(database.app_url) as conn:
        for number in range(8):
            body, chain = make_opened(), "DPA-B" if number > 5 else "DPA-A"
            with transaction(conn):
                append(
                    conn,
                    chain=chain,
                    kind=EntryKind.EXCHANGE_OPENED,
                    exchange_id=ExchangeId(body.exchange_id),
                    body=body,
                )
        yield database, conn, make_checkpoint(conn, keyring, NOON)


def test_what_the_database_chained_our_own_code_finds_valid(house, keyring):
    _, conn, checkpoint = house

    report = verify(conn, public_pem=keyring.public_pem, anchors=[checkpoint.jws], canonical=True)

    assert report.valid
    assert (report.entries, report.checkpoints, report.not_yet_anchored) == (8, 1, 0)
    assert [(chain.chain, chain.entries) for chain in report.chains] == [("DPA-A", 6), ("DPA-B", 2)]
    assert len(report.head) == 64


@pytest.mark.parametrize("name", TAMPERS)
def test_a_superuser_who_tampers_is_found_out(house, keyring, name):
    database, conn, checkpoint = house
    statement, seq = TAMPERS[name]
    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        admin.execute(statement)

    bad = verify(conn, public_pem=keyring.public_pem, anchors=[checkpoint.jws]).first_bad

    assert bad is not None
    assert (bad.chain, bad.seq) == ("DPA-A", seq)
    assert bad.not_before <= seq


def test_a_tail_cut_before_any_checkpoint_saw_it_is_missed_by_its_receipt(house, keyring, make_opened):
    database, conn, checkpoint = house
    with transaction(conn):
        late = append(conn, chain="DPA-B", kind=EntryKind.EXCHANGE_OPENED, exchange_id=None, body=make_opened())
    assert verify(conn, public_pem=keyring.public_pem).not_yet_anchored == 1
    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        admin.execute(
            "delete from ledger.entry where chain = 'DPA-B' and seq = 3; update ledger.chain set head_seq = 2,"
            " head_hash = (select hash from ledger.entry where chain = 'DPA-B' and seq = 2) where name = 'DPA-B'"
        )
    receipt = Witness("DPA-B", late.seq, late.hash, "receipt r1")

    unseen = verify(conn, public_pem=keyring.public_pem, anchors=[checkpoint.jws])
    seen = verify(conn, public_pem=keyring.public_pem, anchors=[checkpoint.jws], receipts=[receipt])

    assert unseen.valid
    assert seen.first_bad is not None
    assert (seen.first_bad.chain, seen.first_bad.seq) == ("DPA-B", 3)
    assert seen.first_bad.why == "missing; receipt r1 signed number 3"


def test_a_body_that_is_not_canonical_shows_on_request(house, keyring):
    _, conn, _ = house
    with transaction(conn):
        conn.execute("select ledger.append('DPA-B', 'exchange.opened', null, '{ \"a\": 1 }')")

    assert verify(conn, public_pem=keyring.public_pem).valid
    bad = verify(conn, public_pem=keyring.public_pem, canonical=True).first_bad
    assert bad is not None and bad.why == "its body is not canonical"


def test_checkpoints_are_numbered_and_name_the_one_before(house, keyring):
    _, conn, first = house

    second = make_checkpoint(conn, keyring, NOON)

    said = read_checkpoint(second.jws, keyring.public)
    assert (first.seq, second.seq, said.seq) == (1, 2, 2)
    assert said.prev != bytes(32)
    assert [head.chain for head in said.heads] == ["DPA-A", "DPA-B"]
    assert verify(conn, public_pem=keyring.public_pem, anchors=[first.jws, second.jws]).valid


def test_two_makers_of_one_checkpoint_do_not_both_succeed(house):
    _, conn, first = house

    with pytest.raises(DatabaseError, match="checkpoint_pkey"), transaction(conn):
        insert_checkpoint(conn, first.seq, first.body, first.jws, NOON)


def test_a_checkpoint_inside_a_transaction_is_refused(house, keyring):
    _, conn, _ = house

    with transaction(conn), pytest.raises(LedgerMisused):
        make_checkpoint(conn, keyring, NOON)


def test_an_empty_ledger_is_valid_and_has_a_head(database, keyring):
    with connect_to(database.app_url) as conn:
        report = verify(conn, public_pem=keyring.public_pem)

    assert report.valid
    assert report.entries == 0


def test_a_checkpoint_is_only_needed_when_a_chain_has_moved(house, keyring, make_opened):
    _, conn, checkpoint = house
    assert not heads_changed(conn, checkpoint, keyring.public)

    with transaction(conn):
        append(conn, chain="DPA-C", kind=EntryKind.EXCHANGE_OPENED, exchange_id=None, body=make_opened())

    assert heads_changed(conn, checkpoint, keyring.public)


def test_a_checkpoint_that_was_made_to_say_that_nothing_moved_keeps_no_other_from_being_made(
    house, keyring, make_opened
):
    """The owner writes today's heads into the last checkpoint: the tail would never be vouched for."""
    database, conn, first = house
    with transaction(conn):
        append(conn, chain="DPA-C", kind=EntryKind.EXCHANGE_OPENED, exchange_id=None, body=make_opened())
    today = make_checkpoint(conn, keyring, NOON)
    unsigned = today.jws[:-4] + b"AAAA"
    for column, value, why in (
        ("body", today.body, "its body is not what was signed"),
        ("jws", unsigned.decode(), "signature was not made by this key over this content"),
    ):
        with psycopg.connect(database.admin_url, autocommit=True) as admin:
            admin.execute("delete from ledger.checkpoint where seq = 2")
            admin.execute(f"update ledger.checkpoint set {column} = %s where seq = 1", (value,))

        last = find_last_checkpoint(conn)
        assert last is not None and heads_changed(conn, last, keyring.public)
        bad = verify(conn, public_pem=keyring.public_pem, anchors=[first.jws]).first_bad
        assert bad is not None and (bad.chain, bad.seq, bad.why) == ("(checkpoints)", 1, why)
        with psycopg.connect(database.admin_url, autocommit=True) as admin:
            admin.execute(
                "update ledger.checkpoint set body = %s, jws = %s where seq = 1", (first.body, first.jws.decode())
            )
    assert verify(conn, public_pem=keyring.public_pem, anchors=[first.jws]).valid, "the control"
