"""S-07: every tampering of the ledger is found, with its place; an intact ledger raises no alarm."""

import random
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sluice.ledger.hashing import entry_hash
from sluice.ledger.model import Head, StoredEntry, Witness
from support.effort import effort

SEED = 7


def flip(content: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(content))
    return content[:at] + bytes([content[at] ^ (1 << dice.randrange(8))]) + content[at + 1 :]


def edit(copy, chain, dice):
    entries = copy.chains[chain]
    at = dice.randrange(len(entries))
    name = dice.choice(["body", "exchange", "hash", "prev_hash", "appended", "kind"])
    value = "exchange.opened" if name == "kind" else flip(getattr(entries[at], name), dice)
    entries[at] = replace(entries[at], **{name: value})
    return at + 1, True


def delete(copy, chain, dice):
    at = dice.randrange(len(copy.chains[chain]) - 1)
    del copy.chains[chain][at]
    return at + 1, True


def insert(copy, chain, dice):
    """A well-formed entry in the middle; what follows moves up one number."""
    entries = copy.chains[chain]
    at = dice.randrange(1, len(entries))
    forged = rehash(
        replace(entries[at], body=b'{"forged":true}', exchange=uuid.UUID(int=dice.getrandbits(128)).bytes),
        entries[at - 1].hash,
    )
    entries[at:] = [forged, *(replace(entry, seq=entry.seq + 1) for entry in entries[at:])]
    copy.heads[chain] = replace(copy.heads[chain], seq=len(entries))
    return at + 1, False


def swap(copy, chain, dice):
    entries = copy.chains[chain]
    first, second = sorted(dice.sample(range(len(entries)), 2))
    entries[first], entries[second] = (
        replace(entries[second], seq=first + 1),
        replace(entries[first], seq=second + 1),
    )
    return first + 1, True


def cut_tail(copy, chain, dice):
    """The newest entries vanish and the head row says so."""
    entries = copy.chains[chain]
    keep = dice.randrange(1, len(entries))
    del entries[keep:]
    copy.heads[chain] = Head(chain, keep, entries[-1].hash)
    return keep + 1, True


def rehash_tail(copy, chain, dice):
    """One body changes, every hash after it is made anew and so is the head: a consistent chain."""
    entries = copy.chains[chain]
    at = dice.randrange(len(entries))
    entries[at] = replace(entries[at], body=flip(entries[at].body, dice))
    prev = entries[at - 1].hash if at else bytes(32)
    for index in range(at, len(entries)):
        entries[index] = rehash(entries[index], prev)
        prev = entries[index].hash
    copy.heads[chain] = Head(chain, len(entries), prev)
    return at + 1, False


def rehash(entry: StoredEntry, prev: bytes) -> StoredEntry:
    digest = entry_hash(entry.chain, entry.seq, entry.kind, entry.exchange, prev, entry.body, entry.appended)
    return replace(entry, prev_hash=prev, hash=digest)


TAMPERS: list[Callable] = [edit, delete, insert, swap, cut_tail, rehash_tail]


def tampered(make_copy, number):
    dice = random.Random(f"{SEED}/{number}")
    copy = make_copy(number % 50)
    tamper = TAMPERS[number % len(TAMPERS)]
    chain = dice.choice([chain for chain, entries in copy.chains.items() if len(entries) > 2])
    anchors = [checkpoint.jws for checkpoint in copy.checkpoints]
    receipts = [Witness(e.chain, e.seq, e.hash, "receipt") for entries in copy.chains.values() for e in entries]
    seq, exact = tamper(copy, chain, dice)
    return copy, tamper.__name__, chain, seq, exact, anchors, receipts


@pytest.mark.slow
@pytest.mark.evidence
def test_many_tampers_are_all_found_with_their_place(make_copy, record_property):
    found, count = Counter(), effort(240, 1000)
    for number in range(count):
        copy, name, chain, seq, exact, anchors, _ = tampered(make_copy, number)

        bad = copy.verify(anchors=anchors).first_bad

        assert bad is not None, (number, name)
        assert bad.chain == chain, (number, name)
        assert bad.not_before <= seq <= bad.seq, (number, name, bad)
        assert not exact or bad.seq == seq, (number, name, bad)
        found[name] += 1
    assert found.total() == count
    record_property("S-07 tampers of the ledger found with their place", f"{found.total()} of {count} (seed {SEED})")


@pytest.mark.evidence
def test_with_the_receipts_at_hand_even_a_rewritten_tail_is_found_at_its_first_entry(make_copy):
    for number in range(5, effort(60, 300), 6):
        copy, name, chain, seq, _, anchors, receipts = tampered(make_copy, number)

        bad = copy.verify(anchors=anchors, receipts=receipts).first_bad

        assert name == "rehash_tail"
        assert bad is not None
        assert (bad.chain, bad.seq, bad.not_before) == (chain, seq, seq)


@pytest.mark.evidence
def test_intact_ledgers_raise_no_alarm(make_copy):
    for seed in range(1000, effort(1020, 1100)):
        copy = make_copy(seed)
        receipts = [Witness(e.chain, e.seq, e.hash, "receipt") for entries in copy.chains.values() for e in entries]

        report = copy.verify(anchors=[checkpoint.jws for checkpoint in copy.checkpoints], receipts=receipts)

        assert report.valid
        assert report.not_yet_anchored == 0
        assert report.entries == sum(map(len, copy.chains.values()))


@pytest.mark.parametrize("tamper", [cut_tail, rehash_tail])
def test_control_without_checkpoints_and_anchors_a_consistent_lie_is_not_seen(make_copy, tamper):
    copy = make_copy(1)
    copy.checkpoints = []

    tamper(copy, "DPA-A", random.Random(1))

    report = copy.verify()
    assert report.valid
    assert report.not_yet_anchored == report.entries


@pytest.mark.parametrize("tamper", [edit, delete, insert, swap])
def test_control_what_is_not_consistent_is_seen_even_without_anchors(make_copy, tamper):
    copy = make_copy(1)
    copy.checkpoints = []

    tamper(copy, "DPA-A", random.Random(1))

    assert not copy.verify().valid


def test_deleted_checkpoints_are_missed_by_their_copies_outside(make_copy):
    copy = make_copy(3)
    anchors = [checkpoint.jws for checkpoint in copy.checkpoints]
    chain = "DPA-B"

    del copy.checkpoints[-1]
    cut_tail(copy, chain, random.Random(0))
    copy.checkpoints = copy.checkpoints[:1]

    report = copy.verify(anchors=anchors)
    assert "anchored, but not in the database" in {bad.why for bad in report.bad}
    assert report.first_bad is not None and report.first_bad.chain == chain


def test_a_checkpoint_deleted_in_the_middle_or_changed_is_found(make_copy):
    missing, changed = make_copy(4), make_copy(4)

    del missing.checkpoints[1]
    third = changed.checkpoints[2]
    changed.checkpoints[2] = replace(third, jws=third.jws[:-4] + b"AAAA")

    assert [(bad.chain, bad.seq) for bad in missing.verify().bad] == [("(checkpoints)", 2), ("(checkpoints)", 3)]
    assert missing.verify().bad[0].why == "a checkpoint is missing or out of order"
    assert [(bad.chain, bad.seq) for bad in changed.verify().bad] == [("(checkpoints)", 3), ("(checkpoints)", 4)]


def test_a_checkpoint_of_another_key_is_refused(make_copy):
    copy = make_copy(5)
    other = replace(copy, signing=Ed25519PrivateKey.generate(), checkpoints=[])
    other.sign_heads()

    copy.checkpoints = other.checkpoints

    assert copy.verify().bad[0].why == "header kid is not the expected one"


def test_an_anchor_that_is_no_checkpoint_is_named(make_copy):
    report = make_copy(5).verify(anchors=[b"not.a.checkpoint"])

    assert [bad.chain for bad in report.bad] == ["(checkpoints)"]


def test_a_whole_chain_that_vanished_is_missed(make_copy):
    copy = make_copy(6)

    del copy.chains["DPA-C"], copy.heads["DPA-C"]

    bad = copy.verify().first_bad
    assert bad is not None
    assert (bad.chain, bad.seq, bad.why) == ("DPA-C", 1, "the whole chain is missing")


def test_entries_after_the_last_checkpoint_are_counted_as_not_yet_anchored(make_copy):
    copy = make_copy(8)

    for _ in range(5):
        copy.append("DPA-A", b"{}", b"")

    report = copy.verify()
    assert report.valid
    assert report.not_yet_anchored == 5
