"""Tell which of the rows that an identifier found are surely the person's. Pure.

A household shares a telephone. A customer or national number belongs to one person: a row with another one than the
person gave is somebody else's. If the person gave none and the rows have two, nobody can tell which of them is asking.
A person who gave the customer number of one principal may share a telephone with a customer of another. Once such a
household is met, a row without any such number, or a record that is no row, may be about any of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from sluice.rights.copies.read import PersonRows
from sluice.terms import SubjectKind

Asked = Mapping[SubjectKind, frozenset[str]]
"""References at this principal, by the kinds that the person gave; empty if all of a kind are of other principals."""


@dataclass(frozen=True)
class Doubts:
    """Which rows may be another person's, for each copy (None: none of them).

    ``is_shared``: somebody else was found too.
    """

    masks: tuple[pl.Series | None, ...]
    is_shared: bool


def doubtful(rows: Sequence[PersonRows], asked: Asked) -> Doubts:
    """Tell which of the rows found may be another person's."""
    unsure, mine = set[SubjectKind](), dict[SubjectKind, frozenset[str]]()
    for kind in {kind for each in rows for kind in each.ids}:
        seen = {ref for each in rows if kind in each.ids for ref in each.ids[kind].drop_nulls().to_list()}
        mine[kind] = asked.get(kind, frozenset()) & seen
        if seen - mine[kind] if mine[kind] else len(seen) > 1 or asked.get(kind):
            unsure.add(kind)
    is_elsewhere = not all(asked.values()) and not any(mine.values())
    if not unsure and not is_elsewhere:
        return Doubts((None,) * len(rows), is_shared=False)
    is_nobody_known = is_elsewhere or any(not mine[kind] for kind in unsure)
    masks = (_everything(each) if is_nobody_known else _not_surely(each, unsure, mine) for each in rows)
    return Doubts(tuple(mask if mask.any() else None for mask in masks), is_shared=True)


def _everything(rows: PersonRows) -> pl.Series:
    """Mark every row, because nobody knows which number is the person's own."""
    return pl.repeat(True, rows.frame.height, dtype=pl.Boolean, eager=True)


def _not_surely(rows: PersonRows, unsure: set[SubjectKind], mine: Asked) -> pl.Series:
    """Mark the rows with somebody else's number, and those with none of the person's own."""
    others = known = pl.repeat(False, rows.frame.height, dtype=pl.Boolean, eager=True)
    for kind, refs in rows.ids.items():
        is_mine = refs.is_in(sorted(mine[kind])).fill_null(False)
        known |= is_mine
        if kind in unsure:
            others |= refs.is_not_null() & ~is_mine
    return others | ~known
