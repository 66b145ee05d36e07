"""What a person had corrected (GDPR Art. 16) stands in their answer, whatever an older copy says."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from sluice.exchange.corrections import find_corrections
from sluice.exchange.house import House
from sluice.exchange.store import get_open
from sluice.rights.erase_model import Copy, Target
from sluice.subject.correct import as_of_file, overlay
from sluice.subject.correction import Correction

THE_PERSON = "the person"
STATEMENT = "_statement"
"""End of the column beside an opinion that holds what the person had added to it (Art. 16, second sentence)."""


def opinion_of(name: str) -> str | None:
    """The column that a statement is about; None for any other column."""
    return name.removesuffix(STATEMENT) if name.endswith(STATEMENT) else None


@dataclass(frozen=True)
class Righted:
    """The corrections of one person at one principal that stand."""

    house: House
    key: bytes
    corrections: Sequence[Correction]

    @classmethod
    def of(cls, house: House, target: Target, own: frozenset[str]) -> "Righted":
        """Those that name the person by any reference of theirs. ``own``: of their own rows."""
        mine = target.refs | own
        found = [each for each in find_corrections(house, target.principal) if not mine.isdisjoint(each.refs)]
        return cls(house, target.key, [replace(each, refs=(THE_PERSON,)) for each in found])

    def lay_over(self, copy: Copy, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows of the person as they should be; how old a file is, its name says, else when it arrived."""
        if rows.is_empty() or not {each.field for each in self.corrections} & set(rows.columns):
            return rows
        arrived = get_open(self.house.conn, copy.exchange_id)
        as_of = as_of_file(arrived.file_name, arrived.opened_at)
        whose = pl.repeat(THE_PERSON, rows.height, dtype=pl.String, eager=True)
        return self._with_statements(overlay(rows, [whose], self.corrections, lambda _: as_of, self.key))

    def _with_statements(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Beside every opinion that there is, what the person says to it, the earliest word first."""
        said: dict[str, list[str]] = {}
        for each in sorted(self.corrections, key=lambda one: one.order):
            if each.is_statement and each.field in rows.columns:
                said.setdefault(each.field, []).append(each.value)
        beside = (
            pl.when(pl.col(name).fill_null("").str.strip_chars() != "")
            .then(pl.lit("; ".join(texts), pl.String))
            .alias(f"{name}{STATEMENT}")
            for name, texts in said.items()
            if f"{name}{STATEMENT}" not in rows.columns
        )
        return rows.with_columns(beside)
