"""Who was erased whole: of whom nothing accepted stayed by decision."""

from sluice.exchange.house import House
from sluice.exchange.persons.accepted_rows import accepted_rows
from sluice.exchange.persons.suppressed import find_erased
from sluice.terms import Principal


def find_gone(house: House, principal: Principal, refs: frozenset[str]) -> frozenset[str]:
    """Return those of these references whose persons were erased, and of whom no accepted row is here.

    What one controller erased, another may have to keep (GDPR Art. 17(3)). The merged index tells which files have any
    of them, so that the work grows with those files and not with all that was ever accepted: some ask under a lock.
    """
    from sluice.exchange.persons.merged import named_in  # with polars, which most of those who ask nobody do without

    erased = find_erased(house, principal, refs)
    if not erased:
        return erased
    named = frozenset(run.exchange_id for run, _ in named_in(house, principal, sorted(erased)))
    there = set[str]()
    for rows, _ in accepted_rows(house, principal, erased, named=named):
        there.update(*(rows[name].drop_nulls().to_list() for name in rows.columns))
    return erased - there
