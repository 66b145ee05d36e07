"""Precision and recall, on the half the tables were tuned on and on the half nobody tuned on."""

from collections.abc import Callable

import pytest

from screen.labelled import read_labelled, score
from sluice.screen.model import STRUCTURED
from sluice.terms import ScreenClass

Record = Callable[[str, object], None]
HALVES = {"tuned": "notes_tuned.csv", "held-out": "notes_heldout.csv"}


@pytest.mark.evidence
@pytest.mark.parametrize("half", HALVES)
def test_precision_and_recall_are_stated_and_high_enough(half: str, record_property: Record) -> None:
    labelled = read_labelled(HALVES[half])
    assert len(labelled) >= 200
    for class_ in ScreenClass:
        figures = score(labelled, frozenset({class_}))
        record_property(f"free text, {half} half, {class_}", str(figures))
        assert half != "tuned" or (figures.precision >= 0.9 and figures.recall >= 0.9), class_
    identifiers, words = score(labelled, STRUCTURED), score(labelled, frozenset(ScreenClass) - STRUCTURED)
    record_property(f"free text, {half} half, identifiers together", str(identifiers))
    record_property(f"free text, {half} half, words together", str(words))
    assert identifiers.recall >= 0.98 and identifiers.precision >= 0.95 and words.right > 0


def test_every_class_is_in_both_halves() -> None:
    for name in HALVES.values():
        assert frozenset(ScreenClass) == frozenset().union(*(one.classes for one in read_labelled(name)))
