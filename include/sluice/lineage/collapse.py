"""Simplify a drawing with too many boxes to read, by drawing similar boxes as one. Pure."""

from collections.abc import Callable
from dataclasses import replace

from sluice.lineage.drawing import Arrow, Box, Column, Drawing, order

MOST = 80
"""The most boxes that people can still read."""
PARTIES = (Column.SENDER, Column.RECIPIENT)


def collapsed(drawing: Drawing) -> Drawing:
    """The drawing, with one box for all that share party, column, verdict and flip if there are too many.

    If that still leaves too many, boxes of different parties are joined too. The exchange asked for keeps its own box.
    """
    if len(drawing.boxes) <= MOST:
        return drawing
    small = _together(drawing, _likeness)
    return small if len(small.boxes) <= MOST else _together(drawing, _likeness_of_all)


def _together(drawing: Drawing, likeness: Callable[[Box], object]) -> Drawing:
    heaps: dict[object, list[Box]] = {}
    for box in drawing.boxes:
        heaps.setdefault(likeness(box), []).append(box)
    drawn: dict[str, Box] = {}
    for boxes in heaps.values():
        drawn |= dict.fromkeys((each.id for each in boxes), _one(boxes))
    arrows: dict[tuple[str, str], Arrow] = {}
    for arrow in drawing.arrows:
        ends = drawn[arrow.source].id, drawn[arrow.target].id
        before = arrows.get(ends, Arrow(*ends, flips=False, is_own=False))
        arrows[ends] = Arrow(*ends, before.flips or arrow.flips, before.is_own or arrow.is_own)
    few = {box.id: box for box in drawn.values()}
    return Drawing(tuple(sorted(few.values(), key=order)), tuple(sorted(arrows.values())))


def _likeness(box: Box) -> object:
    if box.column in PARTIES or box.is_start:
        return box.id
    kind = box.name if box.column is Column.KEPT else ""
    return box.column, box.party, kind, box.decision, box.flips, box.is_own, box.gone, box.cleared


def _likeness_of_all(box: Box) -> object:
    if box.is_start:
        return box.id
    kind = box.name if box.column is Column.KEPT else ""
    return box.column, kind, box.decision, box.flips, box.is_own, box.gone, box.cleared


def _one(boxes: list[Box]) -> Box:
    first = boxes[0]
    if len(boxes) == 1:
        return first
    rows = [box.rows for box in boxes if box.rows is not None]
    party = first.party if all(box.party == first.party for box in boxes) else ""
    total = sum(rows) if rows else None
    return replace(first, id=f"many:{first.id}", party=party, exchange=None, rows=total, count=len(boxes))
