"""Accepted contacts of one flow as they may be looked at: with corrections, without persons who must stay out."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from sluice.agreement.in_force.store import find_contract_by_hash
from sluice.agreement.model import DataContract
from sluice.dial.model import Input
from sluice.dial.rules import kept_out
from sluice.dial.words import AGE
from sluice.exchange.house import House
from sluice.exchange.persons.corrections import find_corrections
from sluice.exchange.persons.whose import number_columns, refs_by_person
from sluice.exchange.respell import respelled
from sluice.gate.contract_rules import column_types
from sluice.lake_columns import CORRECTED, REF, REFS, ROW
from sluice.subject.columns import normalise_column
from sluice.subject.correct import overlay, with_statements
from sluice.subject.refs import ref_column
from sluice.terms import Principal, SubjectKind

SCHEMA = {REF: pl.String, ROW: pl.UInt32, AGE: pl.UInt32}


def read_rows(
    house: House, principal: Principal, contract: DataContract, inputs: Sequence[Input], folder: Path
) -> pl.DataFrame:
    """Rows of accepted files, oldest first, from their pinned lake objects; AGE numbers the files.

    Stale values are replaced by corrected ones. A person can be kept out by the references of both. What came under
    another contract is written as ``contract`` writes dates and numbers, and its telephones as the numbers that they
    are by their own.
    """
    parts = []
    for age, each in enumerate(inputs):
        path = folder / f"{each.exchange_id}.parquet"
        house.objects.fetch(each.bucket, each.key, each.version_id, path)
        parts.append(pl.read_parquet(path).with_columns(pl.lit(age, pl.UInt32).alias(AGE)))
    rows = pl.concat([pl.DataFrame(schema=SCHEMA), *parts], how="diagonal")
    return _respelled(house, contract, inputs, _corrected(house, principal, contract, inputs, rows), rows)


def _respelled(
    house: House, contract: DataContract, inputs: Sequence[Input], rows: pl.DataFrame, came: pl.DataFrame
) -> pl.DataFrame:
    now = column_types(contract)
    for sha256 in sorted({each.contract_sha256 for each in inputs} - {contract.sha256}):
        ages = [age for age, each in enumerate(inputs) if each.contract_sha256 == sha256]
        was = find_contract_by_hash(house.conn, sha256)
        rows = respelled(rows, came, was, now, pl.col(AGE).is_in(ages))
        rows = _with_country_codes(rows, came, was, contract, pl.col(AGE).is_in(ages))
    return rows


def _with_country_codes(
    rows: pl.DataFrame, came: pl.DataFrame, was: DataContract | None, contract: DataContract, these: pl.Expr
) -> pl.DataFrame:
    """Telephones without country code that their own contract reads as another number than the one in force."""
    before, region = (was.file_format.region if was else ""), contract.file_format.region
    phones = [field.name for field in (was.subject_fields if was else ()) if field.subject_key is SubjectKind.PHONE]
    for name in (name for name in phones if before != region and name in rows.columns):
        meant, read = (
            normalise_column(came[name], SubjectKind.PHONE, region=each).values.alias("number")
            for each in (before, region)
        )
        is_other = these & pl.col(name).eq_missing(pl.lit(came[name])) & pl.lit(meant.is_not_null())
        is_other &= pl.lit(meant.ne_missing(read))
        rows = rows.with_columns(pl.when(is_other).then(pl.lit(meant)).otherwise(pl.col(name)).alias(name))
    return rows


def _corrected(
    house: House, principal: Principal, contract: DataContract, inputs: Sequence[Input], rows: pl.DataFrame
) -> pl.DataFrame:
    corrections = find_corrections(house, principal)
    if not corrections or rows.is_empty():
        return rows
    key, numbers = (
        house.subject_key(principal),
        set[str]().union(*(number_columns(house.conn, each.exchange_id) for each in inputs)),
    )
    refs = refs_by_person(rows, numbers)
    ages = [each.age.as_of for each in inputs]
    right = overlay(rows, refs, corrections, lambda row: ages[rows[AGE][row]], key)
    region = contract.file_format.region
    changed = [
        ref_column(
            normalise_column(right[field.name], field.subject_key, region=region).values, field.subject_key, key
        ).alias(f"{CORRECTED}{field.name}")
        for field in contract.subject_fields
        if field.subject_key and field.name in right.columns and not right[field.name].equals(rows[field.name])
    ]
    return with_statements(right.with_columns(changed), refs, corrections)


def refs_of(rows: pl.DataFrame) -> list[pl.Series]:
    """All reference columns of the rows."""
    return [rows[name] for name in rows.columns if name.startswith(REFS)]


def without(rows: pl.DataFrame, suppressed: pl.DataFrame | None) -> pl.DataFrame:
    """The rows without persons who must stay out, by any reference of any row of theirs."""
    return rows.filter(kept_out(rows, suppressed).is_null())
