"""Which notes without a finding a human reads, because a note without a finding is not proven clean."""

import hashlib

import polars as pl

from sluice.errors import Ref
from sluice.screen.model import NotesMalformed, ScreenRuleInvalid


def sampled(notes: pl.Series, findings: pl.DataFrame, share: float, salt: str, start: int = 0) -> pl.Series:
    """True for the notes to read: the given share of those with text and without any finding.

    Decided per note by a keyed hash of its text and row, so the same file gives the same sample and
    nobody who lacks the salt can write notes that escape it. share: 0 to 1. salt: today the contract's id.
    start: rows of the file before these notes.
    Raises ScreenRuleInvalid, NotesMalformed.
    """
    if not 0 <= share <= 1:
        raise ScreenRuleInvalid(Ref("rule", "share"))
    if notes.dtype != pl.String:
        raise NotesMalformed(Ref("column", notes.name))
    clean = (notes.str.len_bytes() > 0).fill_null(False)
    clean = clean.scatter(findings["row"].unique(), False) if findings.height else clean
    rows = clean.arg_true()
    key = hashlib.blake2b(salt.encode(), digest_size=32).digest()
    limit = int(share * 2**64)
    texts = notes.gather(rows).to_list()
    chosen = [row for row, note in zip(rows.to_list(), texts, strict=True) if _draw(key, start + row, note) < limit]
    nothing = pl.Series("sampled", [False], dtype=pl.Boolean).new_from_index(0, len(notes))
    return nothing.scatter(chosen, True) if chosen else nothing


def _draw(key: bytes, row: int, note: str) -> int:
    """A number below 2**64 that only the key, the row and the text decide."""
    return int.from_bytes(hashlib.blake2b(f"{row}\x1f{note}".encode(), key=key, digest_size=8).digest())
