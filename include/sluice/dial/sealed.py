"""Who said no in a row that did not go to the lake: refused for something else, or held.

Such rows lie sealed for some weeks. Nothing is taken from them but a no: a yes in a row that was not accepted is none.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from sluice.agreement.model import DataContract
from sluice.dial.model import Input
from sluice.dial.words import AT, NOES, PLACE, Reading, says_no
from sluice.exchange.house import House
from sluice.lake.quarantine import unseal
from sluice.lake_columns import REF
from sluice.subject.cells import refs_of_columns
from sluice.subject.key import SubjectKey
from sluice.terms import Principal, SubjectKind


def read_noes(
    house: House,
    principal: Principal,
    files: Sequence[tuple[Input, DataContract, Reading]],
    inputs: Sequence[Input],
    folder: Path,
) -> pl.DataFrame:
    """The noes in sealed rows (columns of NOES). ``files``: sealed rows, with contract and how to read it.

    ``inputs``: accepted files, oldest first; PLACE counts those that are not younger than the file of the no.
    ``folder``: where one such file at a time lies. Raises NotFound if an erasure rewrites such rows meanwhile.
    """
    found, key = [pl.DataFrame(schema=NOES)], house.subject_key(principal)
    for number, (each, contract, reading) in enumerate(files):
        path = house.objects.fetch(each.bucket, each.key, each.version_id, folder / f"sealed-{number}").path
        opened = unseal(path, folder / f"opened-{number}", house.keyring, principal)
        path.unlink()
        rows = _read_needed(opened, contract, reading)
        opened.unlink()
        place = sum(other.age.order <= each.age.order for other in inputs)
        marks = (pl.lit(place, pl.Int64).alias(PLACE), pl.lit(each.age.as_of).cast(NOES[AT]).alias(AT))
        found += [noes.with_columns(*marks).select(*NOES) for noes in _noes(rows, contract, reading, key)]
    return pl.concat(found)


def _read_needed(path: Path, contract: DataContract, reading: Reading) -> pl.DataFrame:
    """The columns of a file that say who somebody is and what they agreed to: no others are read."""
    needed = {*_kinds(contract), *(column.name for column in reading.columns.values())}
    return pl.read_parquet(path, columns=[name for name in pl.read_parquet_schema(path) if name in needed])


def _kinds(contract: DataContract) -> dict[str, SubjectKind]:
    return {field.name: field.subject_key for field in contract.subject_fields if field.subject_key}


def _noes(rows: pl.DataFrame, contract: DataContract, reading: Reading, key: SubjectKey) -> Iterator[pl.DataFrame]:
    """Yield all references of those who said no, by column; rows about nobody say nothing."""
    kinds = _kinds(contract)
    for name, column in reading.columns.items():
        if column.name in rows.columns:
            theirs = rows.filter(says_no(column))
            for _, refs in refs_of_columns(theirs, kinds, contract.file_format.region, key):
                yield pl.DataFrame({REF: refs.drop_nulls().unique()}).with_columns(pl.lit(name).alias("name"))
