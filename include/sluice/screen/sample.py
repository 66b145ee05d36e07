"""Which notes without a finding a human reads, because a note without a finding is not proven clean."""

import hashlib

import polars as pl

from sluice.errors import Ref
from sluice.screen.model import NotesMalformed, ScreenRuleInvalid

DRAWN_BITS = 60
"""Of a hash: fifteen hexadecimal digits, which every integer of 64 bits holds."""


def sampled(notes: pl.Series, findings: pl.DataFrame, share: float, salt: str, start: int = 0) -> pl.Series:
    """True for the notes to read: the given share of those with text and without any finding.

    Decided per note by a keyed hash of its text and row, so the same file gives the same sample and
    nobody who lacks the salt can write notes that escape it. share: 0 to 1. salt: secret of the center.
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
    key = hashlib.blake2b(salt.encode(), digest_size=32).hexdigest()
    is_drawn = _draws(key, rows + start, notes.gather(rows)) < int(share * 2**DRAWN_BITS)
    nothing = pl.Series("sampled", [False], dtype=pl.Boolean).new_from_index(0, len(notes))
    return nothing.scatter(rows.filter(is_drawn), True)


def _draws(key: str, rows: pl.Series, notes: pl.Series) -> pl.Series:
    """A number below 2 ** DRAWN_BITS for each note, that only the key, its row and its text decide.

    Takes and gives data, never an expression: a serialised expression would hold the key.
    """
    import polars_hash

    message = polars_hash.concat_str(pl.col("row"), pl.lit("\x1f"), pl.col("note"))
    digits = message.chash.hmac_sha256(key=key).str.slice(0, DRAWN_BITS // 4)
    lazy = pl.LazyFrame({"row": rows, "note": notes}).select(digits.str.to_integer(base=16, dtype=pl.Int64))
    return lazy.collect(engine="streaming").to_series()
