"""What a person had corrected (GDPR Art. 16) is in their answer, whatever an older copy says."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from sluice.exchange.house import House
from sluice.exchange.persons.corrections import find_corrections
from sluice.exchange.store import find_ages
from sluice.rights.copies.model import Copy, Target
from sluice.subject.correct import find_rows, overlay
from sluice.subject.correction import Correction

THE_PERSON, THEIR_NUMBER = "the person", "a number of the person"
"""Stand for the references of the person's rows: of those without, and those with, a number that is theirs alone."""
STATEMENT = "_statement"
"""Ending of the column beside an opinion, with what the person had added to it (Art. 16, second sentence)."""


def opinion_of(name: str) -> str | None:
    """Return the column that a statement is about; None for any other column."""
    return name.removesuffix(STATEMENT) if name.endswith(STATEMENT) else None


@dataclass(frozen=True)
class Righted:
    """The corrections of one person at one principal that apply."""

    house: House
    key: bytes
    corrections: Sequence[Correction]

    @classmethod
    def of(cls, house: House, target: Target, own: frozenset[str], numbers: frozenset[str]) -> "Righted":
        """Find the corrections that name the person by any reference of theirs.

        ``own``: references in their own rows. ``numbers``: references that are theirs alone. A row with such a number
        takes only the corrections of that number, because a telephone is shared.
        """
        mine = target.refs | own
        found = [each for each in find_corrections(house, target.principal) if not mine.isdisjoint(each.refs)]
        whose = [(THE_PERSON,) if numbers.isdisjoint(each.refs) else (THE_PERSON, THEIR_NUMBER) for each in found]
        return cls(house, target.key, [replace(each, refs=refs) for each, refs in zip(found, whose, strict=True)])

    def lay_over(self, copy: Copy, rows: pl.DataFrame, has_number: pl.Series) -> pl.DataFrame:
        """Return the person's rows as they should be.

        A file is as old as its name says, or else as its put, and held rows as the file that they came in.
        """
        if rows.is_empty() or not {each.field for each in self.corrections} & set(rows.columns):
            return rows
        as_of = find_ages(self.house.conn, [copy.exchange_id])[copy.exchange_id].as_of
        whose = pl.select(pl.when(has_number).then(pl.lit(THEIR_NUMBER)).otherwise(pl.lit(THE_PERSON))).to_series()
        right = overlay(rows, [whose], self.corrections, lambda _: as_of, self.key)
        return self._with_statements(right, whose)

    def _with_statements(self, rows: pl.DataFrame, whose: pl.Series) -> pl.DataFrame:
        """Add, beside every opinion that there is, what the person says to it, the earliest word first."""
        said: dict[str, dict[int, list[str]]] = {}
        ordered = sorted(self.corrections, key=lambda one: one.order)
        for row, each in find_rows([whose], [one for one in ordered if one.is_statement]):
            name = f"{each.field}{STATEMENT}"
            if each.field in rows.columns and name not in rows.columns and (rows[each.field][row] or "").strip():
                said.setdefault(name, {}).setdefault(row, []).append(each.value)
        texts = {
            name: pl.Series(["; ".join(by_row.get(row, ())) or None for row in range(rows.height)], dtype=pl.String)
            for name, by_row in said.items()
        }
        return rows.with_columns(**texts)
