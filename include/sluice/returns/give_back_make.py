"""Make the file that goes back at the end of an agreement: with corrections, without persons who must stay out."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl

from sluice.agreement.contract.subjects import naming_columns
from sluice.agreement.model import DataContract
from sluice.agreement.papers import Paper
from sluice.exchange.early_refusal import finding
from sluice.exchange.house import House
from sluice.exchange.keep import AS_MADE, copy_line
from sluice.exchange.last_days import AS_IT_CAME
from sluice.exchange.model import Opened
from sluice.exchange.naming import index_key, return_key
from sluice.exchange.persons.suppressed import find_suppressed
from sluice.exchange.uses import needs_of_file
from sluice.gate.contract_rules import column_types
from sluice.gate.model import Finding
from sluice.lake.write.model import ValueUnwritable, WriteForm
from sluice.lake.write.table import write_table
from sluice.lake_columns import REF, REFS
from sluice.ledger.copy_kinds import INDEX, RETURN
from sluice.ledger.record import CopyLine, ExchangeRecord
from sluice.media_types import PARQUET
from sluice.returns import store
from sluice.returns.give_back_record import Given
from sluice.returns.keep import encrypted
from sluice.returns.make import FILE
from sluice.returns.model import Input
from sluice.returns.righting import Righting, Said, oldest_first
from sluice.subject.cells import refs_of_columns
from sluice.subject.index import build_run, write_run
from sluice.subject.suppression import reasons_of
from sluice.terms import SubjectKind
from sluice.times import brussels_day, utc_text

OURS = "sluice_"
"""Prefix to the names of columns that we added."""
CELLS = "sluice_cell_ref_"
"""Prefix to a column that can name a person, for the reference of the cell as it goes out; ``REFS``: as it came."""


def make_given(house: House, opened: Opened, paper: Paper, folder: Path) -> Given | Finding:
    """Write the accepted rows of a flow to ``folder`` in the form of their contract, or say why that is impossible.

    Rows of the oldest file come first. If there is a column that the contract does not declare, which has no role,
    nothing goes.
    """
    ordered, contract = oldest_first(house, store.find_inputs(house.conn, opened.exchange_id)), paper.contract
    rows = _with_cells(house, opened, contract, _rows(house, opened, contract, ordered, folder))
    names = [field.name for field in contract.fields]
    unknown = [name for name in rows.columns if name not in names and not name.startswith(OURS)]
    if unknown:
        return finding("HEADER_UNDECLARED_COLUMN", "given_back.columns", count=len(unknown))
    held = _held(house, opened, paper, rows)
    going = rows.filter(held.is_null())
    columns = [pl.col(name) if name in rows.columns else pl.lit(None, pl.String).alias(name) for name in names]
    wanted, form = going.select(columns), _form(contract, opened)
    types = {field.name: field.logical_type for field in contract.fields}
    try:
        written = write_table(wanted, types, form, folder / FILE, title=contract.contract_id)
    except ValueUnwritable:
        return finding("VALUE_UNWRITABLE", "given_back.format")
    refs = going.select(name for name in _kinds(contract) if name in going.columns)
    subjects = going[REF].n_unique() if REF in going.columns else 0
    return Given(
        tuple(each for each, _ in ordered),
        wanted,
        refs,
        Counter(held.drop_nulls().to_list()),
        subjects,
        written,
        form.format,
    )


def _rows(
    house: House, opened: Opened, contract: DataContract, inputs: Sequence[tuple[Input, Said]], folder: Path
) -> pl.DataFrame:
    right, parts = Righting.of(house, opened.principal), [pl.DataFrame(schema={REF: pl.String})]
    now = column_types(contract)
    for each, said in inputs:
        path = folder / f"{each.exchange_id}.parquet"
        house.objects.fetch(each.bucket, each.key, each.version_id, path)
        parts.append(right.scan(said, path, now).collect())
    return pl.concat(parts, how="diagonal")


def _with_cells(house: House, opened: Opened, contract: DataContract, rows: pl.DataFrame) -> pl.DataFrame:
    """Add references of whom each cell names as it goes out; a corrected value differs from its row's reference."""
    key, region = house.subject_key(opened.principal), contract.file_format.region
    cells = {
        f"{CELLS}{name}": refs
        for name, kind in naming_columns(contract).items()
        for _, refs in refs_of_columns(rows, {name: kind}, region, key)
    }
    return rows.with_columns(**cells)


def _kinds(contract: DataContract) -> dict[str, SubjectKind]:
    """Every reference column of the rows, with its kind."""
    return {f"{start}{name}": kind for name, kind in naming_columns(contract).items() for start in (REFS, CELLS)}


def _held(house: House, opened: Opened, paper: Paper, rows: pl.DataFrame) -> pl.Series:
    """Why each row is held, if its person must stay out of everything that the file is for; else null."""
    suppressed = find_suppressed(house, opened.principal, needs_of_file(paper))
    nobody = pl.DataFrame(schema={"ref": pl.String, "reason": pl.String})
    columns = [rows[name] for name in rows.columns if name.startswith((REFS, CELLS))]
    return reasons_of(columns, nobody if suppressed is None else suppressed, rows.height)


def _form(contract: DataContract, opened: Opened) -> WriteForm:
    """The contract's own form, unless the name of the file asks for another."""
    form, wanted = contract.file_format, format_of(opened)
    is_own = wanted == form.format
    return WriteForm(
        format=wanted,
        delimiter=form.delimiter if is_own else None,
        encoding=form.encoding if is_own else None,
        decimal_comma=form.decimal_comma,
        date_format=form.date_format,
        sheet=form.sheet if is_own else None,
        date_formats={field.name: field.date_format for field in contract.fields if field.date_format},
    )


def format_of(opened: Opened) -> str:
    """The format of the file, from the name it was opened with."""
    return opened.key.removesuffix(".pgp").rpartition(".")[2]


def keep_given(house: House, opened: Opened, paper: Paper, given: Given, folder: Path) -> tuple[CopyLine, ...]:
    """Keep the file where nobody sees it yet, with the index of who is in it, as long as delivered files are kept."""
    last_day = _last_day(house, opened.opened_at)
    source = encrypted(house, paper, folder, opened.opened_at)
    bucket, key = house.settings.bucket_lake, return_key(opened, opened.file_name)
    kept = house.objects.put_converging(bucket, key, source, AS_MADE)
    copies = [copy_line(RETURN, kept, given.rows.height, AS_IT_CAME, last_day)]
    if given.refs.width:
        kinds = _kinds(paper.contract)
        named = build_run([(kinds[name], given.refs[name]) for name in given.refs.columns])
        run = write_run(named, is_whole=True)
        stored = house.objects.put_converging(bucket, index_key(opened), run, PARQUET)
        copies.append(copy_line(INDEX, stored, None, AS_IT_CAME, last_day))
    return tuple(copies)


def closing_at(house: House, prepared: ExchangeRecord, now: datetime) -> ExchangeRecord:
    """The prepared record as it closes after its release: its copies are kept as long as if they were made ``now``."""
    last_day = str(_last_day(house, now))
    copies = tuple(
        copy.model_copy(update={"delete_after": max(last_day, copy.delete_after or "")})
        for copy in prepared.how_long.copies
    )
    how_long = prepared.how_long.model_copy(update={"copies": copies})
    return prepared.model_copy(update={"closed_at": utc_text(now), "how_long": how_long})


def _last_day(house: House, since: datetime) -> date:
    return brussels_day(since) + timedelta(days=house.settings.keep_arrived_days)
