"""Look for a person in a package of another principal's data under this one's prefix (GDPR Art. 20(2)).

Its index run holds references under the key of the principal whose data it is, so it has to be asked under that
key: with every value that is known of the person here, read as every kind but customer number, which has a
meaning at its own principal only.
"""

from dataclasses import replace

import polars as pl

from sluice.exchange.store import get_opened
from sluice.keys import KeyDestroyed
from sluice.ledger.copy_kinds import HANDED
from sluice.rights.case.model import CaseId
from sluice.rights.copies.bench import Bench
from sluice.rights.copies.model import Copy
from sluice.rights.copies.needles import recall
from sluice.subject.columns import normalise_column
from sluice.subject.refs import ref_column
from sluice.terms import SubjectKind

KINDS = tuple(kind for kind in SubjectKind if kind is not SubjectKind.PRINCIPAL_CUSTOMER_ID)


def under_its_key(bench: Bench, copy: Copy) -> "Bench | None":
    """The bench for asking the index run of a copy's exchange: this one, unless the data is another principal's.

    None if that principal's key was destroyed, so that nobody can ask. Raises NotFound, KeyLost.
    """
    owner = get_opened(bench.house.conn, copy.exchange_id).principal if copy.kind == HANDED else bench.target.principal
    if owner == bench.target.principal:
        return bench
    try:
        key = bench.house.subject_key(owner)
    except KeyDestroyed:
        return None
    target = bench.target
    known = recall(bench.house, CaseId(target.case_id), target.principal).values if target.case_id else ()
    written, refs = pl.Series(sorted({*target.values, *known}), dtype=pl.String), set[str]()
    for kind in KINDS:
        refs.update(ref_column(normalise_column(written, kind).values, kind, key).drop_nulls())
    return replace(bench, target=replace(target, refs=frozenset(refs)))
