"""What strangers' files may do to whoever reads them (S-02): classes, seeded files, the codes they may get.

A class writes one file per number, the same bytes each time. Nothing here imports a reader of the product.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

SEED = 20261126
FINE = "FINE"
"""Stands among the codes for: a table; what is odd in it is text like any other, or refused row by row."""

Make = Callable[[random.Random, Path], str | None]
"""Writes one file; gives its name where the class has more than one."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One class. ``form``: what the contract says comes; ``codes``: every first reason that is right."""

    name: str
    form: str
    file_name: str
    codes: frozenset[str]
    make: Make


@dataclass(frozen=True, slots=True)
class Hostile:
    """One file on disk, and what it is called where it arrives."""

    kind: Kind
    path: Path
    name: str


KINDS: list[Kind] = []


def kind(form: str, file_name: str, *codes: str) -> Callable[[Make], Make]:
    """Register a maker; its name is that of the class."""

    def register(make: Make) -> Make:
        KINDS.append(Kind(make.__name__.replace("_", " "), form, file_name, frozenset(codes), make))
        return make

    return register


def files(folder: Path, per_kind: int) -> Iterator[Hostile]:
    """So many of every class, one after the other, so that classes alternate; each is removed when the next is made."""
    from exchange import hostile_books, hostile_packed, hostile_parquet, hostile_records, hostile_text  # noqa: F401

    for number in range(per_kind):
        for each in KINDS:
            path = folder / "hostile"
            name = each.make(random.Random(f"{SEED} {each.name} {number}"), path) or each.file_name
            yield Hostile(each, path, name)
            path.unlink()
