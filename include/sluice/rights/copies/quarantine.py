"""The quarantine as a store: what was refused or is held, sealed in the vault."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from sluice.exchange.house import House
from sluice.lake.erase.model import EraseRefused
from sluice.lake.quarantine import seal, unseal
from sluice.lake.s3.objects import StoredObject
from sluice.lake_columns import ROW
from sluice.ledger.copy_kinds import HELD_ROWS, REFUSED_FILE, REFUSED_RECORDS, REFUSED_ROWS
from sluice.rights.copies.bench import Bench
from sluice.rights.copies.edits import NOT_READABLE, removed, rule_of, untouched
from sluice.rights.copies.files import bad_rows_of, erase_in_file, rows_of
from sluice.rights.copies.linked import look_in_file, look_in_refused
from sluice.rights.copies.model import Copy, Done, Edit, Outcome, Place, Target, region_of
from sluice.rights.copies.read import PersonRows, rows_in_file, rows_in_table


def _name_of(sealed: Copy) -> str:
    return sealed.key.removesuffix(".age")


@dataclass(frozen=True)
class QuarantineStore:
    """Refused files and rows, and held rows, all sealed. They are opened, edited and sealed again, or removed whole."""

    name: str = "quarantine"
    kinds: frozenset[str] = frozenset({REFUSED_FILE, REFUSED_ROWS, REFUSED_RECORDS, HELD_ROWS})

    def find(self, bench: Bench, copy: Copy) -> int:
        path = bench.fetch(copy)
        return self._rows(bench, copy, self._open(bench, path)) if path else 0

    def erase(self, bench: Bench, copy: Copy) -> Edit:
        path = bench.fetch(copy)
        opened = self._open(bench, path) if path else None
        look = self._rows_to_erase if copy.kind == REFUSED_FILE else self._rows
        rows = look(bench, copy, opened) if opened else 0
        if opened is None or not rows:
            return untouched(self.name, copy)
        plain, sealed = bench.fresh("kept"), bench.fresh("sealed")
        try:
            before, after = self._edit(bench, copy, opened, plain)
        except EraseRefused as refused:
            rule = rule_of(refused)
        else:
            held = frozenset(pl.read_parquet(plain, columns=[ROW])[ROW]) if copy.kind == HELD_ROWS else None
            seal(plain, sealed, bench.house.keyring, bench.target.principal)
            plain.unlink()
            return Edit(Done(Place(self.name, copy, rows), Outcome.ERASED, None, before, after), sealed, after, held)
        return removed(self.name, copy, rule, rows)

    def _edit(self, bench: Bench, copy: Copy, opened: Path, target: Path) -> tuple[int, int]:
        """Write it without the person; return the rows before and after. Raises EraseRefused: then it is removed."""
        if copy.kind == REFUSED_FILE:
            found, _ = look_in_refused(bench, copy, opened, _name_of(copy))
            if found is None:
                raise EraseRefused.because(NOT_READABLE)
            erased = erase_in_file(opened, target, found, copy.contract, bench.target)
            return erased.rows_before, erased.rows_after
        frame = pl.read_parquet(opened)
        kept = frame.filter(~self._mask(bench, copy, frame))
        kept.write_parquet(target, statistics=False)
        return frame.height, kept.height

    def _open(self, bench: Bench, path: Path) -> Path:
        return unseal(path, bench.fresh("opened"), bench.house.keyring, bench.target.principal)

    def read(self, bench: Bench, copy: Copy) -> PersonRows:
        path = bench.fetch(copy)
        if path is None:
            return PersonRows(copy)
        opened = self._open(bench, path)
        if copy.kind == REFUSED_FILE:
            name = _name_of(copy)
            return rows_in_file(bench, copy, opened, name, look_in_file(bench, copy, opened, name))
        frame = pl.read_parquet(opened)
        mine = frame.filter(self._mask(bench, copy, frame))
        if copy.kind == REFUSED_RECORDS:
            return PersonRows(copy, raw=tuple(mine["raw"].to_list()))
        return rows_in_table(bench, copy, mine)

    def _rows(self, bench: Bench, copy: Copy, opened: Path) -> int:
        if copy.kind == REFUSED_FILE:
            return look_in_file(bench, copy, opened, _name_of(copy))[1]
        return int(self._mask(bench, copy, pl.read_parquet(opened)).sum())

    def _rows_to_erase(self, bench: Bench, copy: Copy, opened: Path) -> int:
        return look_in_refused(bench, copy, opened, _name_of(copy))[1]

    def _mask(self, bench: Bench, copy: Copy, frame: pl.DataFrame) -> pl.Series:
        region = region_of(copy.contract)
        if copy.kind == REFUSED_RECORDS:
            delimiter = copy.contract.file_format.delimiter if copy.contract else None
            return bad_rows_of(frame["raw"], delimiter, copy.columns, region, bench.target)
        return rows_of(frame, copy.columns, region, bench.target)

    def objects(self, house: House, target: Target) -> Iterator[StoredObject]:
        yield from house.objects.list_versions(house.settings.bucket_vault, f"{target.principal}/")
