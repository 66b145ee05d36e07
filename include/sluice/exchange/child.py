"""What runs inside the limited child: decode, identify, judge, split; no network, no services.

It gets a job and leaves in its folder what the parent keeps: ``accepted.parquet``,
``index.parquet``, ``rest.parquet``, ``refused_*.parquet``, ``findings.csv``, ``pass.json`` and ``report.json``. The
nursery imports this module once, so everything heavy is imported at the top.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from sluice.agreement.model import DataContract, FieldRole
from sluice.exchange.candidates import candidates_in
from sluice.exchange.content import Content, Split, kept_out, read_content, split, stopped
from sluice.exchange.job import Job, job_adapter, load_rules, report_adapter
from sluice.exchange.model import GOOD, ChildReport, Sighting, decision_of
from sluice.exchange.paper import refused
from sluice.exchange.reading import hints_of
from sluice.exchange.rest import REST_FILE, is_told, rest_of
from sluice.gate.contract_rules import thresholds_of
from sluice.gate.judge import judge
from sluice.gate.model import Finding, GateVerdict, Judgement, RowFinding
from sluice.gate.onepass import run_rules
from sluice.gate.regex import known_categories
from sluice.gate.wire import failing_table, to_json
from sluice.lake.parquet import write_lake
from sluice.lake.reader import read_table
from sluice.lake.table import FormatRefusal, Table
from sluice.screen.prefilter import word_marks
from sluice.subject.columns import normalise_column
from sluice.subject.correct import as_of_file, find_stale, whose
from sluice.subject.index import build_run, write_run
from sluice.subject.model import DEFINING
from sluice.subject.refs import ref_column
from sluice.terms import Severity, Verdict

PRELOADED = (
    "_strptime",
    "numpy.ma",
    "numpy.typing",
    "phonenumbers",
    *(f"phonenumbers.data.region_{region}" for region in ("BE", "DE", "FR", "LU", "NL")),
    "polars._utils.parquet",
    "polars_hash",
    "pyarrow.parquet",
    "pysequoia",
    "pysequoia.packet",
    "sluice.lake.csv_reader",
    "sluice.lake.json_reader",
    "sluice.lake.parquet_reader",
    "sluice.lake.xlsx_reader",
    "stdnum.be.nn",
    "stdnum.iban",
)
"""What the rooms import late: the nursery imports it once, so that no child does within its limits."""

PREPARED = (word_marks, known_categories, job_adapter, report_adapter)
"""What is made once and kept, of shipped tables and of classes: the nursery makes it, so that every child has it."""

ROW, REF, EXCHANGE, VERSION = "sluice_row", "sluice_subject_ref", "sluice_exchange", "sluice_source_version"
INVALID, NOBODY, STALE = "VALUE_IDENTIFIER", "VALUE_NO_SUBJECT", "STALE_VALUE_CORRECTED"


@dataclass(frozen=True, slots=True)
class Identified:
    """A reference column per subject field, the primary one, and what was wrong with identifiers."""

    refs: tuple[tuple[FieldRole, pl.Series], ...]
    primary: pl.Series
    findings: tuple[RowFinding, ...]


def judge_file(raw: dict[str, Any]) -> None:
    """The child's whole life: read the job, leave the report."""
    job = Job.from_json(raw)
    report = _report(job)
    (job.folder / "report.json").write_bytes(report_adapter().dump_json(report))


def _report(job: Job) -> ChildReport:
    hints = hints_of(job.contract)
    table = read_table(
        job.file, file_name=job.file_name, wanted=hints, limits=job.limits, folder=job.folder, pgp=job.pgp
    )
    if isinstance(table, FormatRefusal):
        return ChildReport(verdict=_unreadable(table), sighting=None, has_pass=False)
    passed = run_rules(table.frame, load_rules(job.contract, job.suites))
    identified = identify(job.contract, table, job.key)
    content = read_content(table, job)
    extra = (*_bad_records(table), *identified.findings, *content.findings, *_stale(table, identified, content, job))
    judgement = judge(passed, extra, thresholds_of(job.contract))
    if content.missing:
        judgement = replace(judgement, verdict=stopped(judgement.verdict, content.missing))
    (job.folder / "pass.json").write_text(to_json(passed))
    failing_table(passed).write_parquet(job.folder / "failing.parquet", statistics=False)
    rows = split(content, judgement, kept_out(job, [series for _, series in identified.refs], table.frame.height))
    if job.origin is not None:
        _write(job, table, identified, judgement, content, rows)
    sighting = Sighting(
        dialect=table.dialect.as_record(),
        columns=passed.columns,
        distinct_subjects=identified.primary.drop_nulls().n_unique() if job.key and identified.refs else None,
        days=content.days(rows.accepted),
        screening=content.screening,
    )
    return ChildReport(verdict=judgement.verdict, sighting=sighting, has_pass=True, held=rows.reasons)


def _unreadable(refusal: FormatRefusal) -> GateVerdict:
    rows, readings = refusal.rows, refusal.readings
    reason = Finding(refusal.code, refusal.rule, None, refusal.count, rows, stops=True, readings=readings)
    return refused((reason,), Verdict.UNDECIDED if refusal.undecided else Verdict.REFUSED)


def _bad_records(table: Table) -> Iterator[RowFinding]:
    return (RowFinding(bad.row, "format.record", bad.code, in_frame=False) for bad in table.bad_rows)


def identify(contract: DataContract, table: Table, key: bytes) -> Identified:
    """Who each row is about. A row about nobody could never be found again, so it is refused."""
    refs: list[tuple[FieldRole, pl.Series]] = []
    findings: list[RowFinding] = []
    nobody = pl.Series([True]).new_from_index(0, table.frame.height)
    for field in contract.subject_fields:
        if field.subject_key is None or field.name not in table.frame.columns:
            continue
        normal = normalise_column(table.frame[field.name], field.subject_key, region=contract.file_format.region)
        refs.append((field, ref_column(normal.values, field.subject_key, key)))
        nobody &= normal.values.is_null()
        severity = Severity.ERROR if field.required else Severity.WARNING
        wrong = table.row_numbers.filter(normal.invalid)
        findings += [RowFinding(row, f"subject.{field.subject_key}", INVALID, field.name, severity) for row in wrong]
    if refs:
        findings += [RowFinding(row, "subject.reference", NOBODY) for row in table.row_numbers.filter(nobody)]
    primary = pl.select(pl.coalesce([series for _, series in refs])).to_series() if refs else _no_refs(table)
    return Identified(tuple(refs), primary.alias(REF), tuple(findings))


def _stale(table: Table, identified: Identified, content: Content, job: Job) -> Iterator[RowFinding]:
    """Cells that a correction overrules: they are flagged, and nobody reads them as they are."""
    if not job.corrections or job.arrived_at is None:
        return
    as_of = as_of_file(job.file_name, job.arrived_at)
    numbers = [series for field, series in identified.refs if field.subject_key in DEFINING]
    others = [series for field, series in identified.refs if field.subject_key not in DEFINING]
    refs = whose(numbers, others)
    for row, correction in find_stale(content.frame, refs, job.corrections, lambda _: as_of, job.key):
        yield RowFinding(table.row_numbers[row], "correction.newer", STALE, correction.field, Severity.WARNING)


def _no_refs(table: Table) -> pl.Series:
    return pl.Series(REF, [None], dtype=pl.String).new_from_index(0, table.frame.height)


def _write(job: Job, table: Table, identified: Identified, judgement: Judgement, content: Content, rows: Split) -> None:
    """What the parent stores. A file that is refused whole is sealed as it came, so no rows are split.

    One that is accepted has its object in the lake, whatever it holds: a file without rows has one without rows.
    """
    report = judgement.report
    if rows.codes:
        report = pl.concat([report, rows.report(table.row_numbers)]).sort("row", maintain_order=True)
    if not report.is_empty():
        report.write_csv(job.folder / "findings.csv")
    is_kept = decision_of(judgement.verdict) in GOOD
    told = is_told(job.contract, table)
    rest = rest_of(job.contract, table, rows.accepted if is_kept else None, job.key) if told else None
    if rest is not None:
        (job.folder / REST_FILE).write_bytes(rest)
    if not is_kept:
        return
    _write_accepted(job, table, identified, content.frame, rows.accepted, is_whole=told and rest is None)
    arrived = table.frame.insert_column(0, table.row_numbers.alias(ROW))
    for name, which in (("refused_rows", rows.refused), ("held_rows", rows.held)):
        if (kept := which & ~rows.erased).any():
            arrived.filter(kept).write_parquet(job.folder / f"{name}.parquet", statistics=False)
    if table.bad_records.height:
        table.bad_records.write_parquet(job.folder / "refused_records.parquet", statistics=False)


def _write_accepted(
    job: Job, table: Table, identified: Identified, content: pl.DataFrame, kept: pl.Series, *, is_whole: bool
) -> None:
    exchange_id, version_id = job.origin or ("", "")
    own: list[pl.Expr | pl.Series] = [
        pl.lit(exchange_id).alias(EXCHANGE),
        pl.lit(version_id).alias(VERSION),
        table.row_numbers.alias(ROW),
        identified.primary,
        *(series.alias(f"sluice_ref_{field.name}") for field, series in identified.refs),
    ]
    lake = content.select(*own, pl.all()).rechunk()
    places = pl.DataFrame({REF: identified.primary, "place": pl.int_range(lake.height, dtype=pl.UInt32, eager=True)})
    order = places.filter(kept).sort(REF, "place", nulls_last=True)["place"]
    write_lake(lake, job.folder / "accepted.parquet", sorted_by=REF, order=order)
    if identified.refs:
        kinds = [(field.subject_key, refs.filter(kept)) for field, refs in identified.refs]
        candidates = candidates_in(job.contract, content, job.key)
        run = build_run(
            [(kind, refs) for kind, refs in kinds if kind is not None],
            None if candidates is None else candidates.filter(kept),
        )
        (job.folder / "index.parquet").write_bytes(write_run(run, is_whole=is_whole))
