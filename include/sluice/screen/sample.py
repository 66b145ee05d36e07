"""Select notes without a finding for a human to read, because such a note is not proven clean."""

import hashlib

import polars as pl

from sluice.errors import Ref
from sluice.screen.model import NotesMalformed, ScreenRuleInvalid

DRAWN_BITS = 60
"""Bits of a hash that are used: fifteen hexadecimal digits, which fit in a 64-bit integer."""


def sampled(notes: pl.Series, findings: pl.DataFrame, share: float, salt: str, start: int = 0) -> pl.Series:
    """A mask, true for the notes to read: the given share of the notes with text and without a finding.

    A keyed hash of text and row decides for each note, so the same file gives the same sample, and
    nobody without the salt can write notes that escape it. share: 0 to 1. salt: secret of the center.
    start: number of rows of the file before these notes.
    Raises ScreenRuleInvalid, NotesMalformed.
    """
    if not 0 <= share <= 1:
        raise ScreenRuleInvalid(Ref("rule", "share"))
    if notes.dtype != pl.String:
        raise NotesMalformed(Ref("column", notes.name))
    clean = (notes.str.len_bytes() > 0).fill_null(False)
    clean = clean.scatter(findings["row"].unique(), False) if findings.height else clean
    rows = clean.arg_true()
    key = hashlib.blake2b(salt.encode(), digest_size=32).hexdigest()
    is_drawn = _draws(key, rows + start, notes.gather(rows)) < int(share * 2**DRAWN_BITS)
    nothing = pl.Series("sampled", [False], dtype=pl.Boolean).new_from_index(0, len(notes))
    return nothing.scatter(rows.filter(is_drawn), True)


def _draws(key: str, rows: pl.Series, notes: pl.Series) -> pl.Series:
    """A number below 2 ** DRAWN_BITS for each note, which depends only on the key, its row and its text.

    Takes and returns data, never a polars expression: a serialised expression would contain the key.
    """
    import polars_hash

    message = polars_hash.concat_str(pl.col("row"), pl.lit("\x1f"), pl.col("note"))
    digits = message.chash.hmac_sha256(key=key).str.slice(0, DRAWN_BITS // 4)
    lazy = pl.LazyFrame({"row": rows, "note": notes}).select(digits.str.to_integer(base=16, dtype=pl.Int64))
    return lazy.collect(engine="streaming").to_series()
