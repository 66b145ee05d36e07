"""Labelled notes, and how the screen does on them: a note counts once per class, wherever the span is."""

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import yaml

from sluice.screen.screen import screen_notes
from sluice.terms import ScreenAction, ScreenClass

SPELT = yaml.safe_load(Path(__file__).with_name("spelt.yaml").read_text(encoding="utf-8"))
EVERY_CLASS = dict.fromkeys(ScreenClass, ScreenAction.MASK)


@dataclass(frozen=True, slots=True)
class Labelled:
    """One note and the classes a human gave it."""

    note: str
    classes: frozenset[ScreenClass]


@dataclass(frozen=True, slots=True)
class Score:
    """Notes of one class: rightly found, wrongly found, missed."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0

    def __str__(self) -> str:
        return (
            f"precision {self.precision:.3f} ({self.right}/{self.right + self.wrong}), "
            f"recall {self.recall:.3f} ({self.right}/{self.right + self.missed})"
        )


def read_labelled(name: str) -> list[Labelled]:
    with (Path(__file__).parent / name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [Labelled(row["note"], frozenset(map(ScreenClass, row["classes"].split()))) for row in rows]


def score(labelled: list[Labelled], classes: frozenset[ScreenClass]) -> Score:
    """The figures of some classes together."""
    found = screen_notes(pl.Series("note", [one.note for one in labelled]), EVERY_CLASS).spans()
    said = {(span.row, span.class_) for span in found if span.class_ in classes}
    true = {(row, one) for row, note in enumerate(labelled) for one in note.classes & classes}
    counts = Counter(right=len(said & true), wrong=len(said - true), missed=len(true - said))
    return Score(counts["right"], counts["wrong"], counts["missed"])
