"""Plant faults in a file on purpose, and report the exact rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import polars as pl

from sluice.errors import Exit, Ref, SluiceError


class Fault(StrEnum):
    """What can be wrong with a row."""

    MISSING_REQUIRED = "missing_required"
    BAD_PHONE = "bad_phone"
    BAD_DATE = "bad_date"
    DUPLICATE_KEY = "duplicate_key"
    WRONG_CODE = "wrong_code"
    RAGGED_ROW = "ragged_row"


class SamplePlanInvalid(SluiceError):
    """The faults asked for do not fit the file: too few rows, or no column that can have them."""

    code = "SLU-483"
    summary = "these faults do not fit this file"
    cure = "ask for more rows or for fewer faults"
    exit = Exit.USAGE


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """How many rows get which fault. No row gets two; a duplicate takes a second row, whose key it repeats."""

    missing_required: int = 0
    bad_phone: int = 0
    bad_date: int = 0
    duplicate_key: int = 0
    wrong_code: int = 0
    ragged_row: int = 0

    def counts(self) -> Iterator[tuple[Fault, int]]:
        for fault in Fault:
            yield fault, int(getattr(self, fault.value))


NO_FAULTS = FaultPlan()


@dataclass(frozen=True, slots=True)
class Placed:
    """One fault: row (1 = first record) and column; a ragged row has no column."""

    row: int
    fault: Fault
    column: str | None


@dataclass(frozen=True, slots=True)
class Planted:
    """All faults of one file, sorted by row. For a duplicated key both rows are listed."""

    placed: tuple[Placed, ...]

    def rows(self, fault: Fault) -> tuple[int, ...]:
        return tuple(one.row for one in self.placed if one.fault is fault)

    @property
    def all_rows(self) -> frozenset[int]:
        return frozenset(one.row for one in self.placed)


@dataclass(frozen=True, slots=True)
class Targets:
    """The column for each fault; None if a dataset has no such column."""

    required: str
    phone: str
    date: str | None
    key: str
    code: str

    def column(self, fault: Fault) -> str | None:
        return {
            Fault.MISSING_REQUIRED: self.required,
            Fault.BAD_PHONE: self.phone,
            Fault.BAD_DATE: self.date,
            Fault.DUPLICATE_KEY: self.key,
            Fault.WRONG_CODE: self.code,
            Fault.RAGGED_ROW: None,
        }[fault]


BAD_VALUES = {
    Fault.MISSING_REQUIRED: ("",),
    Fault.BAD_PHONE: (
        "4.75E+08",
        "0475 12 34 5",
        "12345",
        "0475123456/0476123456",
        "+32 475 12 34 567",
        "02 ??? 12 34",
    ),
    Fault.BAD_DATE: ("31/02/2026", "00/00/0000", "2026-13-01", "46204", "volgende maand", "15/14/2026"),
    Fault.WRONG_CODE: ("???", "X9", "ONBEKEND", "test"),
}
"""Values that are wrong in any reading, and none of which is a placeholder for *no value*."""


def plant(
    rng: np.random.Generator, cells: pl.DataFrame, plan: FaultPlan, targets: Targets
) -> tuple[pl.DataFrame, Planted]:
    """Plant the planned faults in random rows; return the cells and where the faults are.

    Ragged rows are only chosen here; the writer breaks them. Raises SamplePlanInvalid.
    """
    free = _shuffled_rows(rng, cells.height, plan)
    placed: list[Placed] = []
    for fault, count in plan.counts():
        column = targets.column(fault)
        if count and column is None and fault is not Fault.RAGGED_ROW:
            raise SamplePlanInvalid(Ref("fault", fault.value))
        rows, free = free[:count], free[count:]
        if fault is Fault.DUPLICATE_KEY:
            originals, free = free[:count], free[count:]
            cells = _set(cells, targets.key, rows, cells[targets.key].gather(originals))
            placed += [Placed(int(row) + 1, fault, column) for row in originals]
        elif column is not None:
            cells = _set(cells, column, rows, pl.Series(rng.choice(BAD_VALUES[fault], count), dtype=pl.String))
        placed += [Placed(int(row) + 1, fault, column) for row in rows]
    return cells, Planted(tuple(sorted(placed, key=lambda one: one.row)))


def _shuffled_rows(rng: np.random.Generator, height: int, plan: FaultPlan) -> pl.Series:
    wanted = sum(count for _, count in plan.counts()) + plan.duplicate_key
    if wanted > height or min(count for _, count in plan.counts()) < 0:
        raise SamplePlanInvalid(Ref("rows", height), Ref("faulty rows", wanted))
    return pl.Series(rng.choice(height, wanted, replace=False))


def _set(cells: pl.DataFrame, column: str, rows: pl.Series, values: pl.Series) -> pl.DataFrame:
    return cells.with_columns(cells[column].scatter(rows, values)) if len(rows) else cells
