"""Which of the rows that an identifier found are surely the person's. Pure.

A household shares a telephone. A customer number or a national number belongs to one person: a row that bears
another one than the person gave is somebody else's, and where the person gave none and the rows bear two,
nobody can tell which of them asks.
"""

from collections.abc import Mapping, Sequence

import polars as pl

from sluice.rights.erase_read import PersonRows
from sluice.terms import SubjectKind


def doubtful(
    rows: Sequence[PersonRows], asked: Mapping[SubjectKind, frozenset[str]], *, must_match: bool
) -> list[pl.Series | None]:
    """Per copy which rows may be another person's; None: none of them. ``asked``: references by kind.

    must_match: no other principal is concerned, so a number that was given is one of this principal's.
    """
    masks: list[pl.Series | None] = [None] * len(rows)
    for kind in sorted({kind for each in rows for kind in each.ids}):
        seen = {ref for each in rows if kind in each.ids for ref in each.ids[kind].drop_nulls().to_list()}
        mine = asked.get(kind, frozenset()) & seen
        if len(seen) <= 1 and (mine or not must_match or kind not in asked):
            continue
        for place, each in enumerate(rows):
            mask = _others(each, kind, mine)
            old = masks[place]
            masks[place] = mask if old is None else old | mask
    return [mask if mask is not None and mask.any() else None for mask in masks]


def _others(rows: PersonRows, kind: SubjectKind, mine: frozenset[str]) -> pl.Series:
    """Rows with another number; where the person's own is not known, every row."""
    if not mine:
        return pl.Series([True]).new_from_index(0, rows.frame.height)
    if kind not in rows.ids:
        return pl.Series([False]).new_from_index(0, rows.frame.height)
    refs = rows.ids[kind]
    return refs.is_not_null() & ~refs.is_in(sorted(mine)).fill_null(False)
