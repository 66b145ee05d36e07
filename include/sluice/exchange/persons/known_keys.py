"""Keys of other datasets that a file is judged by: the values of a column in all accepted files of that flow.

All files that are still here count, not only the newest: a file may hold new rows only, rows that were corrected, or
rows that waited for a reader. A person who has to stay out of that dataset, for whatever reason, is in none of its
accepted rows, so the key of a row about them is not checked.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sluice.agreement.model import DataContract, KeyReference
from sluice.db import Connection
from sluice.exchange.house import House
from sluice.exchange.persons.suppressed import write_suppressed
from sluice.terms import Direction, Flow, Principal, Sha256

if TYPE_CHECKING:
    import polars as pl

NO_KEYS = "UNREADABLE_NO_KEYS"


@dataclass(frozen=True, slots=True)
class KnownKeys:
    """By dataset, a Parquet file of its keys, and a hash over the hashes of the files they stand in.

    ``excused``: a Parquet file of the references that are kept out of anything; None if nobody is, or no key is
    checked. ``size_bytes``: of the keys in memory, so that the child gets room for them, however small its own file is.
    """

    paths: Mapping[str, Path]
    hashes: Mapping[str, Sha256]
    excused: Path | None
    size_bytes: int


@dataclass(frozen=True, slots=True)
class _Source:
    bucket: str
    key: str
    version_id: str
    sha256: str


def write_keys(house: House, contract: DataContract, folder: Path) -> KnownKeys | KeyReference:
    """Write the keys for all references of a contract, or return the first to a dataset of which nothing is here."""
    paths, hashes, size = dict[str, Path](), dict[str, Sha256](), 0
    for number, reference in enumerate(contract.references):
        sources = _find_sources(house.conn, contract.principal, reference.flow)
        keys = _keys(house, sources, reference.there, folder / "dataset.parquet")
        if keys is None:
            return reference
        paths[reference.dataset] = folder / f"keys-{number}.parquet"
        keys.to_frame().write_parquet(paths[reference.dataset], statistics=False)
        hashes[f"keys {reference.dataset}"] = _hash_of(sources)
        size += int(keys.estimated_size())
    excused = write_suppressed(house, contract.principal, folder / "excused.parquet") if paths else None
    return KnownKeys(paths, hashes, excused, size)


def _keys(house: House, sources: Sequence[_Source], column: str, target: Path) -> "pl.Series | None":
    """Return each value of a column once; None if no file has the column."""
    import polars as pl

    found: pl.Series | None = None
    for part in _columns(house, sources, column, target):
        found = part if found is None else pl.concat([found, part]).unique()
    return found


def _columns(house: House, sources: Sequence[_Source], column: str, target: Path) -> "Iterator[pl.Series]":
    """Yield the column of one file after the other; only one file lies here at a time."""
    import polars as pl

    for each in sources:
        house.objects.fetch(each.bucket, each.key, each.version_id, target)
        rows = pl.scan_parquet(target, glob=False)
        if column in rows.collect_schema():
            yield rows.select(pl.col(column).cast(pl.String).drop_nulls().unique()).collect()[column]
        target.unlink()


def _find_sources(conn: Connection, principal: Principal, flow: Flow) -> list[_Source]:
    rows = conn.execute(
        """select bucket, key, version_id, sha256 from accepted_data
           where (principal, direction, flow) = (%s, %s, %s) order by closed_at, exchange_id""",
        (principal, Direction.INBOUND.value, flow),
    ).fetchall()
    return [_Source(**row) for row in rows]


def _hash_of(sources: Sequence[_Source]) -> Sha256:
    return Sha256(hashlib.sha256("\n".join(each.sha256 for each in sources).encode()).hexdigest())
