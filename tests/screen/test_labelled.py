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
@pytest.mark.parametrize("class_", ScreenClass)
def test_precision_and_recall_of_each_class_are_stated(half: str, class_: ScreenClass, record_property: Record) -> None:
    labelled = read_labelled(HALVES[half])
    assert len(labelled) >= 200
    figures = score(labelled, frozenset({class_}))
    record_property(f"free text, {half} half, {class_}", str(figures))
    if half == "tuned":
        assert figures.precision >= 0.9
        assert figures.recall >= 0.9


@pytest.mark.evidence
@pytest.mark.parametrize("half", HALVES)
def test_identifiers_are_found_with_recall_098_and_precision_095(half: str, record_property: Record) -> None:
    figures = score(read_labelled(HALVES[half]), STRUCTURED)
    record_property(f"free text, {half} half, identifiers together", str(figures))
    assert figures.recall >= 0.98
    assert figures.precision >= 0.95


@pytest.mark.evidence
@pytest.mark.parametrize("half", HALVES)
def test_words_together_are_stated(half: str, record_property: Record) -> None:
    figures = score(read_labelled(HALVES[half]), frozenset(ScreenClass) - STRUCTURED)
    record_property(f"free text, {half} half, words together", str(figures))
    assert figures.right > 0


def test_every_class_is_in_both_halves() -> None:
    for name in HALVES.values():
        assert frozenset(ScreenClass) == frozenset().union(*(one.classes for one in read_labelled(name)))
