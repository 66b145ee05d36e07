"""Two different entries never give one hash, and every byte of an entry counts."""

from hypothesis import assume, given
from hypothesis import strategies as st

from sluice.ledger.hashing import ZERO_HASH, entry_hash

names = st.text("abc.-", min_size=1, max_size=6)
entries = st.tuples(
    names,
    st.integers(1, 2**62),
    names,
    st.sampled_from([b"", b"e" * 16]),
    st.binary(min_size=32, max_size=32),
    st.binary(max_size=40),
    st.binary(min_size=8, max_size=8),
)


@given(entries, entries)
def test_different_entries_have_different_hashes(one, other):
    assume(one != other)

    assert entry_hash(*one) != entry_hash(*other)


def test_moving_a_byte_from_one_part_to_the_next_changes_the_hash():
    rest = (b"", ZERO_HASH, b"body", bytes(8))

    assert entry_hash("ab", 1, "c", *rest) != entry_hash("a", 1, "bc", *rest)


def test_the_hash_is_the_one_written_down():
    """Computed by hand from the layout in 0001_baseline.sql; it must never change."""
    digest = entry_hash("DPA-A", 1, "exchange.opened", b"", ZERO_HASH, b"{}", bytes(8))

    assert digest.hex() == "9aeda4747d99f9ab7dea22cb41825b95b604de37f333657c199f67577fae1e9e"
