"""What becomes of index entries for name and birth date when a person leaves: they name no person by reference."""

from collections.abc import Callable, Iterable
from pathlib import Path

import polars as pl

from sluice.exchange.judging.candidates import candidates_in, marks_candidates
from sluice.ledger.copy_kinds import LAKE
from sluice.rights.copies.model import Copy
from sluice.subject.index import CANDIDATE_CODE, first_word


def still_there(copies: Iterable[Copy], fetch: Callable[[Copy], Path | None], key: bytes) -> pl.Expr:
    """Which entries of an exchange's run stay. One for name and birth date stays while an accepted row still has it.

    The index is edited last, so the person's own rows are gone by then, while somebody with the same name and birth
    date can still be found. ``copies``: those of the exchange. ``fetch``: returns a copy on local disk, or None if
    it is gone.
    """
    left = pl.Series(dtype=pl.UInt64)
    for copy in copies:
        if copy.kind != LAKE or copy.contract is None or not marks_candidates(copy.contract):
            continue
        path = fetch(copy)
        refs = candidates_in(copy.contract, pl.read_parquet(path), key) if path else None
        left = left if refs is None else first_word(refs.drop_nulls())
    return (pl.col("kind") != CANDIDATE_CODE) | pl.col("ref").is_in(left.implode())
