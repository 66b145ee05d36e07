"""Who a person is at one principal besides what they asked by: as the principal's own accepted rows of them say.

A return may hold nothing of a person but the principal's customer number. Whoever asks by a telephone number is in
it all the same: its index says so, and which row is theirs say the identifiers that only their rows have.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from sluice.rights import erase_store
from sluice.rights.erase_needles import Needles, recall, spellings
from sluice.rights.model import CaseId
from sluice.subject.columns import normalise_column
from sluice.subject.refs import ref_column

if TYPE_CHECKING:
    from sluice.rights.erase_model import Copy
    from sluice.rights.erase_stores import Bench


def linked(bench: "Bench", copy: "Copy") -> "Bench":
    """The same bench with the references that the person's own rows give, of the kinds that a copy has columns of.

    Before a run from the rows, afterwards from what the run remembered of them; what others share is not among it.
    """
    target = bench.target
    known = recall(bench.house, CaseId(target.case_id), target.principal) if target.case_id else Needles()
    if not known.values:
        known = spellings(bench, erase_store.find_copies(bench.house.conn, target.principal))
    written, found = pl.Series(sorted(known.values), dtype=pl.String), set(target.refs)
    for kind in {column.kind for column in copy.columns}:
        refs = ref_column(normalise_column(written, kind).values, kind, target.key)
        found.update(refs.drop_nulls().to_list())
    return replace(bench, target=replace(target, refs=frozenset(found)))
