"""Read the inputs of a return with corrected values, and as its contract writes them, not as they came."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from sluice.agreement.model import DataContract
from sluice.exchange.given_back import paper_under
from sluice.exchange.house import House
from sluice.exchange.model import Age
from sluice.exchange.persons.corrections import find_corrections
from sluice.exchange.persons.whose import number_columns, refs_by_person
from sluice.exchange.respell import respelled, written_anew
from sluice.exchange.store import find_ages, get_opened
from sluice.gate.model import ColumnType
from sluice.lake_columns import CORRECTED
from sluice.returns.model import Input
from sluice.subject.cells import refs_of_columns
from sluice.subject.correct import overlay
from sluice.subject.correction import Correction
from sluice.subject.key import SubjectKey
from sluice.terms import Principal, SubjectKind


@dataclass(frozen=True, slots=True)
class Said:
    """What the database knows about an accepted file. ``at``: the moment from which its content dates (UTC).

    ``contract``: the one it was accepted under, whatever holds since. ``numbers``: reference columns whose values
    belong to one person each. ``kinds``: its identifying columns and their kinds. ``region``: of its phone numbers.
    """

    at: datetime
    contract: DataContract | None
    numbers: Collection[str]
    kinds: Mapping[str, SubjectKind]
    region: str


def oldest_first(house: House, inputs: Iterable[Input]) -> list[tuple[Input, Said]]:
    """Inputs by the age of their content, oldest first. Call it before threads share the work, not in one of them."""
    given = list(inputs)
    ages = find_ages(house.conn, [each.exchange_id for each in given])
    ordered = sorted(given, key=lambda each: (ages[each.exchange_id].order, each.closed_at, each.exchange_id))
    return [(each, _said(house, each.exchange_id, ages[each.exchange_id])) for each in ordered]


def _said(house: House, exchange_id: str, age: Age) -> Said:
    arrived = get_opened(house.conn, exchange_id)
    contract = paper_under(house.conn, arrived).contract
    fields = contract.subject_fields if contract else ()
    return Said(
        at=age.as_of,
        contract=contract,
        numbers=number_columns(house.conn, exchange_id),
        kinds={field.name: field.subject_key for field in fields if field.subject_key},
        region=contract.file_format.region if contract else "",
    )


@dataclass(frozen=True, slots=True)
class Righting:
    """The corrections of one principal's persons, and the key that compares values."""

    corrections: tuple[Correction, ...]
    key: SubjectKey

    @classmethod
    def of(cls, house: House, principal: Principal) -> "Righting":
        """The corrections of a principal that stand now."""
        return cls(find_corrections(house, principal), house.subject_key(principal))

    def scan(self, said: Said, path: Path, now: Mapping[str, ColumnType]) -> pl.LazyFrame:
        """A lake object as a lazy frame; it is read at once if corrections concern its columns.

        A corrected identifier gets a reference beside that of the value that came: both belong to the person. ``now``:
        how columns are to be written, if not as the contract of the file writes them.
        """
        rows = pl.scan_parquet(path)
        names = rows.collect_schema().names()
        if not {each.field for each in self.corrections} & set(names):
            return rows.with_columns(written_anew(said.contract, now, names).values())
        came = rows.collect()
        return respelled(self._corrected(said, came), came, said.contract, now).lazy()

    def _corrected(self, said: Said, frame: pl.DataFrame) -> pl.DataFrame:
        refs = refs_by_person(frame, said.numbers)
        right = overlay(frame, refs, self.corrections, lambda _: said.at, self.key)
        changed = {
            name: kind
            for name, kind in said.kinds.items()
            if name in frame.columns and not right[name].equals(frame[name])
        }
        told = refs_of_columns(right, changed, said.region, self.key)
        new = [one.alias(f"{CORRECTED}{name}") for name, (_, one) in zip(changed, told, strict=True)]
        return right.with_columns(new)
