"""Make the file of a return from its pinned inputs: fetch, sort out, judge, write into the work folder."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path

import polars as pl

from sluice.agreement.model import DataContract
from sluice.agreement.papers import Paper
from sluice.documents.statement import parquet_metadata, state_roles
from sluice.exchange.early_refusal import finding, not_judged, refused
from sluice.exchange.house import House
from sluice.exchange.judge import ask_gx
from sluice.exchange.judging.job import load_rules, read_suites
from sluice.exchange.model import Opened
from sluice.exchange.persons.suppressed import find_suppressed
from sluice.exchange.record import Closing
from sluice.exchange.uses import needs_of_return
from sluice.gate.column_types import DATE, TIMESTAMP
from sluice.gate.contract_rules import thresholds_of
from sluice.gate.judge import judge
from sluice.gate.model import ColumnType
from sluice.gate.onepass import run_rules
from sluice.lake.write.model import ValueUnwritable, WriteForm, Written
from sluice.lake.write.table import write_table
from sluice.lake.write.values import has_zone
from sluice.lake_columns import ref_of
from sluice.ledger.copy_kinds import INDEX, REST
from sluice.returns import store
from sluice.returns.compose import (
    BY_ID,
    CONTACTS,
    LACKS_SOURCE,
    RESULTS,
    contacts_by_record,
    missing_sources,
    results_of_day,
    sort_out,
)
from sluice.returns.making import Making
from sluice.returns.model import Input, InputKind, Rules, SortedOut
from sluice.returns.paper import lacks_source, proves_by_id, rules_of, types_of_echoes
from sluice.returns.record import Outcome, record_of_return
from sluice.returns.righting import Righting, Said, oldest_first
from sluice.returns.screening import screening_of
from sluice.returns.staffing import staff_of
from sluice.subject.cells import refs_of_columns
from sluice.subject.index import build_run, write_run
from sluice.terms import Verdict
from sluice.times import ZONE, midnight

FILE, HELD_FILE, FINDINGS_FILE = "return", "held.csv", "findings.csv"
UTC_TEXT, ANY_UTC_TEXT = "%Y-%m-%dT%H:%M:%S.%6fZ", "%Y-%m-%dT%H:%M:%S%.fZ"
"""Formats of times: as canonical rows write them, and with any number of decimals."""


def make_return(house: House, opened: Opened, paper: Paper, folder: Path) -> Making:
    """Make the return of one day in ``folder``, or say why it cannot be made. Equal inputs give equal bytes."""
    contract = paper.contract
    inputs = tuple(store.find_inputs(house.conn, opened.exchange_id))
    ordered = oldest_first(house, inputs)
    rules = rules_of(opened, paper, ordered)
    right = Righting.of(house, opened.principal)
    contacts, results = _frames(house, ordered, rules, opened, folder, right, types_of_echoes(contract))
    if missing := missing_sources(contacts, results, rules):
        reasons = [finding("HEADER_SOURCE_MISSING", "return.source", column) for column in missing]
        return Making(refused(tuple(reasons)), inputs)
    suppressed = find_suppressed(house, opened.principal, needs_of_return(paper))
    sorted_out = sort_out(contacts, results, rules, staff_of(house, opened, paper, ordered), suppressed)
    sorted_out.held.write_csv(folder / HELD_FILE)
    with ThreadPoolExecutor(1) as beside:
        runs = beside.submit(_runs, sorted_out, rules, contract.file_format.region, right)
        sorted_out = replace(sorted_out, going=_in_contract_form(sorted_out.going, contract))
        making = Making(not_judged(), inputs, sorted_out, screening=screening_of(house.conn, inputs))
        return replace(_judge_and_write(house, opened, paper, making, folder), runs=runs.result())


def _runs(sorted_out: SortedOut, rules: Rules, region: str, right: Righting) -> tuple[tuple[str, bytes], ...]:
    """Index runs of who is in a return, by which a person is found in data that went out: kind and content of each.

    The index holds the persons that rows are about. A second run, REST, holds further references that cells name, if a
    value was corrected or the platform knew another number. A cell echoed as it came names the person of its row.
    """
    persons, going = sorted_out.persons, sorted_out.going
    if persons.width == 0:
        return ()
    about = build_run([(rules.kinds[name], persons[name]) for name in persons.columns])
    if not set(rules.naming) <= set(going.columns):
        return ((INDEX, write_run(about)),)
    is_told = {
        column.name
        for column in rules.columns
        if ref_of(str(column.source).removeprefix(CONTACTS)) in persons.columns and not right.corrections
    }
    others = {name: kind for name, kind in rules.naming.items() if name not in is_told}
    named = build_run(refs_of_columns(going, others, region, right.key))
    more = named.filter(~pl.col("ref").is_in(about["ref"].implode()))
    index = (INDEX, write_run(about, is_whole=more.is_empty()))
    return (index,) if more.is_empty() else (index, (REST, write_run(more)))


def _frames(
    house: House,
    ordered: Sequence[tuple[Input, Said]],
    rules: Rules,
    opened: Opened,
    folder: Path,
    right: Righting,
    echoes: Mapping[str, ColumnType],
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Contacts by record id and the day's results, read in parallel from their pinned lake objects.

    ``echoes``: how the return writes columns of the contacts.
    """
    since, until = day_bounds(opened)

    def parts(kind: InputKind) -> list[tuple[Said, pl.LazyFrame]]:
        wanted = ((each, said) for each, said in ordered if each.kind is kind)
        types = echoes if kind is InputKind.CONTACTS else {}
        return [(said, right.scan(said, _fetched(house, each, folder), types)) for each, said in wanted]

    def of_contacts() -> list[pl.LazyFrame]:
        return [
            rows.with_columns(
                pl.lit(proves_by_id(said.contract, rules.record_id)).alias(BY_ID),
                pl.lit(lacks_source(said.contract, rows.collect_schema().names(), rules)).alias(LACKS_SOURCE),
            )
            for said, rows in parts(InputKind.CONTACTS)
        ]

    def of_results() -> list[pl.LazyFrame]:
        return [rows for _, rows in parts(InputKind.RESULTS)]

    with ThreadPoolExecutor(2) as both:
        contacts = both.submit(lambda: contacts_by_record(of_contacts(), rules))
        results = both.submit(lambda: results_of_day(of_results(), rules, since, until))
        return contacts.result(), results.result()


def _fetched(house: House, each: Input, folder: Path) -> Path:
    path = folder / f"{each.exchange_id}.parquet"
    return house.objects.fetch(each.bucket, each.key, each.version_id, path).path


def day_bounds(opened: Opened) -> tuple[str, str]:
    """The first moments of the return's Brussels day and of the next day, in UTC as canonical rows write time."""
    assert opened.day is not None  # the table's own constraint
    starts = (midnight(opened.day + timedelta(days=days)) for days in (0, 1))
    since, until = (start.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000000Z") for start in starts)
    return since, until


def _in_contract_form(going: pl.DataFrame, contract: DataContract) -> pl.DataFrame:
    """Write times of results as the contract does: Brussels wall time, or UTC if its format ends in Z; else ISO 8601.

    Text that is no canonical time came from the platform: it is left unchanged, and the contract's rules judge it.
    """
    iso = {"date": DATE, "timestamp": TIMESTAMP}
    forms = {
        each.name: (each.date_format or iso[each.logical_type]).replace("%f", "%6f")
        for each in contract.fields
        if each.logical_type in iso and (each.source or "").startswith(RESULTS)
    }
    return going.with_columns(
        pl.coalesce(
            _moments(pl.col(name)).dt.convert_time_zone("UTC" if has_zone(form) else ZONE).dt.strftime(form),
            pl.col(name),
        )
        for name, form in forms.items()
    )


def _moments(texts: pl.Expr) -> pl.Expr:
    """Parse canonical times. Corrections may have other decimals: parsing these takes four times as long."""
    canonical = texts.str.to_datetime(UTC_TEXT, time_zone="UTC", strict=False)
    others = pl.when(canonical.is_null()).then(texts).str.to_datetime(ANY_UTC_TEXT, time_zone="UTC", strict=False)
    return pl.coalesce(canonical, others)


def _judge_and_write(house: House, opened: Opened, paper: Paper, making: Making, folder: Path) -> Making:
    """Judge the rows that would go by the contract's rules and suites, and write those that pass.

    Great Expectations judges the counts while the file is written; if it disagrees, no file goes out.
    """
    assert making.sorted_out is not None
    going, contract = making.sorted_out.going, paper.contract
    suites = read_suites(house.settings, contract)
    passed = run_rules(going, load_rules(contract, suites))
    judgement = judge(passed, (), thresholds_of(contract))
    making = replace(making, verdict=judgement.verdict, suites={suite.name: suite.sha256 for suite in suites})
    if not judgement.report.is_empty():
        judgement.report.write_csv(folder / FINDINGS_FILE)
    with ThreadPoolExecutor(1) as beside:
        second = beside.submit(ask_gx, judgement.verdict, passed)
        made = _with_file(house, opened, paper, making, judgement.refused, folder)
        verdict = second.result()
    return made if verdict == judgement.verdict else replace(making, verdict=verdict)


def _with_file(house: House, opened: Opened, paper: Paper, making: Making, left_out: pl.Series, folder: Path) -> Making:
    """The return with its file, written from the rows that are not refused; unchanged if no row goes."""
    assert making.sorted_out is not None
    verdict, going = making.verdict, making.sorted_out.going
    if verdict.verdict in (Verdict.REFUSED, Verdict.UNDECIDED) or not verdict.rows_accepted:
        return making
    kept = ~pl.int_range(going.height, dtype=pl.UInt32, eager=True).is_in(left_out.implode())
    try:
        inside = _roles_inside(house, opened, paper, making)
        return replace(making, written=_write(going.filter(kept), paper.contract, folder, inside))
    except ValueUnwritable as error:
        columns = [str(ref.value) for ref in error.refs if ref.kind == "column"]
    blamed = columns or (None,)  # of too many rows no column is to blame
    return making.refused(*(finding("VALUE_UNWRITABLE", "return.format", column) for column in blamed))


def _roles_inside(house: House, opened: Opened, paper: Paper, making: Making) -> dict[bytes, bytes]:
    """The role statement inside a Parquet file, without the exchange id, which differs between returns."""
    draft = record_of_return(Outcome(opened, paper, making), Closing(house.settings, {}, opened.opened_at))
    stated = state_roles(draft, profile_warnings=draft.who.role_warnings, screened_for=draft.screened_for)
    return parquet_metadata(stated.model_copy(update={"exchange": ""}))


def _write(rows: pl.DataFrame, contract: DataContract, folder: Path, inside: Mapping[bytes, bytes]) -> Written:
    form = contract.file_format
    types = {each.name: each.logical_type for each in contract.fields}
    formats = {each.name: each.date_format for each in contract.fields if each.date_format}
    wanted = WriteForm(
        format=form.format,
        delimiter=form.delimiter,
        encoding=form.encoding,
        decimal_comma=form.decimal_comma,
        date_format=form.date_format,
        sheet=form.sheet,
        date_formats=formats,
    )
    return write_table(rows, types, wanted, folder / FILE, title=contract.contract_id, metadata=inside)
