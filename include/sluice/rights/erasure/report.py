"""Add up per store what became, or would become, of the copies of one case. Pure."""

from collections import defaultdict
from collections.abc import Iterable

from sluice.ledger.erased import StoreErased
from sluice.rights.copies.model import Done
from sluice.rights.copies.outcome_store import OutcomeLine
from sluice.rights.copies.stores import STORES
from sluice.rights.erasure.model import StoreLine


def searched() -> tuple[str, ...]:
    """Return every store that is searched, even if nothing is found in it."""
    return tuple(store.name for store in STORES)


def added(lines: Iterable[Done]) -> tuple[StoreLine, ...]:
    """Return one line per store, outcome and ground."""
    groups: dict[tuple[str, str, str | None], list[Done]] = defaultdict(list)
    for done in lines:
        groups[done.place.store, done.outcome.value, done.ground].append(done)
    return tuple(
        StoreLine(
            name, len(found), sum(d.rows_before for d in found), sum(d.rows_after for d in found), outcome, ground
        )
        for (name, outcome, ground), found in sorted(groups.items(), key=lambda item: str(item[0]))
    )


def line_of(row: OutcomeLine) -> StoreLine:
    """Make a line from one of the noted outcomes."""
    return StoreLine(row.store, row.objects, row.rows_before, row.rows_after, row.outcome.value, row.ground)


def entry_lines(lines: Iterable[StoreLine]) -> tuple[StoreErased, ...]:
    """Return the same lines as the ledger keeps them."""
    return tuple(
        StoreErased(
            store=line.store,
            objects=line.objects,
            rows_before=line.rows_before,
            rows_after=line.rows_after,
            outcome=line.outcome,
            ground=line.ground,
        )
        for line in lines
    )
