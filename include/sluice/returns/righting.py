"""Corrected values in what a return is made of: its inputs are read as they should be, not as they came."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from sluice.exchange.corrections import find_corrections
from sluice.exchange.house import House
from sluice.exchange.store import get_open
from sluice.exchange.whose import number_columns, refs_by_person
from sluice.subject.correct import as_of_file, overlay
from sluice.subject.correction import Correction
from sluice.terms import Principal


def said_at(house: House, exchange_id: str) -> datetime:
    """How old what a file says is, whenever it came (UTC)."""
    arrived = get_open(house.conn, exchange_id)
    return as_of_file(arrived.file_name, arrived.opened_at)


@dataclass(frozen=True, slots=True)
class Righting:
    """The corrections of one principal's persons, and the key that compares values."""

    corrections: tuple[Correction, ...]
    key: bytes

    @classmethod
    def of(cls, house: House, principal: Principal) -> "Righting":
        """Those that stand now."""
        return cls(find_corrections(house, principal), house.subject_key(principal))

    def scan(self, house: House, exchange_id: str, path: Path) -> pl.LazyFrame:
        """A lake object, lazily; read and put right where somebody in it has a correction."""
        rows = pl.scan_parquet(path)
        names = rows.collect_schema().names()
        if not self.corrections or not {each.field for each in self.corrections} & set(names):
            return rows
        as_of = said_at(house, exchange_id)
        frame = rows.collect()
        refs = refs_by_person(frame, number_columns(house.conn, exchange_id))
        return overlay(frame, refs, self.corrections, lambda _: as_of, self.key).lazy()
