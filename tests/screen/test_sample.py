"""Sampling of notes in which nothing was found."""

import hashlib
import hmac

import polars as pl
import pytest

from screen.labelled import EVERY_CLASS
from sluice.screen.model import ScreenRuleInvalid
from sluice.screen.sample import sampled
from sluice.screen.screen import screen_notes

NOTES = pl.Series([f"note {row}" for row in range(2000)] + ["klant is ziek", "", None])
FINDINGS = screen_notes(NOTES, EVERY_CLASS).findings


def test_the_sample_is_about_the_share_the_same_each_time_another_by_another_salt_and_holds_a_smaller_one():
    first = sampled(NOTES, FINDINGS, 0.1, "salt")
    assert 140 <= int(first.sum()) <= 260
    assert first.equals(sampled(NOTES, FINDINGS, 0.1, "salt"))
    assert not sampled(NOTES, FINDINGS, 0.1, "salt").equals(sampled(NOTES, FINDINGS, 0.1, "pepper"))
    small, great = sampled(NOTES, FINDINGS, 0.1, "salt"), sampled(NOTES, FINDINGS, 0.3, "salt")
    assert (small & ~great).sum() == 0
    chosen = sampled(NOTES, FINDINGS, 1, "salt")
    assert chosen.to_list() == [True] * 2000 + [False, False, False]
    assert sampled(NOTES, FINDINGS, 0, "salt").sum() == 0


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(ScreenRuleInvalid, match="SLU-491"):
        sampled(NOTES, FINDINGS, share, "salt")


def test_a_note_is_drawn_by_the_keyed_hash_of_its_row_and_text_wherever_the_file_is_cut() -> None:
    """The same from the standard library, as anybody who holds the salt can work it out."""
    key = hashlib.blake2b(b"salt", digest_size=32).hexdigest().encode()
    hashes = [hmac.new(key, f"{row}\x1f{note}".encode(), "sha256").hexdigest() for row, note in enumerate(NOTES[:2000])]
    expected = [int(each[:15], 16) < int(0.1 * 2**60) for each in hashes]
    assert sampled(NOTES, FINDINGS, 0.1, "salt").to_list() == [*expected, False, False, False]
    cut = [sampled(NOTES[at : at + 700], FINDINGS.clear(), 0.1, "salt", at) for at in range(0, 2000, 700)]
    assert pl.concat(cut)[:2000].to_list() == expected
