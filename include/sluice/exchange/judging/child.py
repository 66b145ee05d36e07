"""What runs inside the limited child: decode, identify, judge, split; no network, no services.

It gets a job, and leaves in its folder what the parent keeps: ``accepted.parquet``, ``index.parquet``,
``rest.parquet``, ``refused_*.parquet``, ``findings.csv``, ``pass.json`` and ``report.json``; in a dry run ``held.json``
instead of the tables. The nursery imports this module once, so everything heavy is imported at the top.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import Any, NamedTuple

import polars as pl

from sluice.errors import DocumentInvalid, at_place
from sluice.exchange.early_refusal import finding, refused
from sluice.exchange.judging.content import as_judged, days_of, refused_for_missing_columns, split
from sluice.exchange.judging.file_facts import OWN, FileFacts
from sluice.exchange.judging.job import Job, job_adapter, report_adapter
from sluice.exchange.judging.progress import tell
from sluice.exchange.judging.reading import hints_of
from sluice.exchange.judging.write_output import write_accepted, write_all_but_accepted
from sluice.exchange.model import ChildReport, Sighting, decision_of
from sluice.gate.contract_rules import thresholds_of
from sluice.gate.judge import judge, with_warnings
from sluice.gate.model import ROWS_SHOWN, Finding, GateVerdict
from sluice.gate.regex import known_categories
from sluice.gate.wire import failing_table, to_json
from sluice.lake.read.parts import PART_BYTES, Parts
from sluice.lake.read.reader import opened_table
from sluice.lake.sorted_rows import SortedRows
from sluice.lake.table import FormatHintInvalid, FormatRefusal, Note
from sluice.lake_columns import REF
from sluice.screen.prefilter import word_marks
from sluice.terms import ACCEPTED_DECISIONS, Severity, Verdict

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
    "sluice.lake.read.csv_reader",
    "sluice.lake.read.json_reader",
    "sluice.lake.read.parquet_reader",
    "sluice.lake.xlsx.reader",
    "stdnum.be.nn",
    "stdnum.iban",
)
"""Modules that the rooms import late. The nursery imports them once, so that no child has to within its limits."""

PREPARED = (word_marks, known_categories, job_adapter, report_adapter)
"""Functions that make something once from shipped tables or classes and keep it. The nursery calls them, so that every
child has the result."""


def judge_file(raw: dict[str, Any]) -> None:
    """Run the child's whole life: read the job, leave the report. A fault of the paper is reported by its code."""
    job = Job.from_json(raw)
    try:
        report = _report(job)
    except (DocumentInvalid, FormatHintInvalid) as error:
        reason = finding("UNREADABLE_NOT_JUDGED", error.code)
        report = ChildReport(refused((reason,), Verdict.UNDECIDED), None, has_pass=False)
    (job.folder / "report.json").write_bytes(report_adapter().dump_json(report))


def _report(job: Job) -> ChildReport:
    with ExitStack() as waiting:
        with opened_table(
            job.file,
            file_name=job.file_name,
            wanted=hints_of(job.contract),
            limits=job.limits,
            folder=job.folder,
            pgp=job.pgp,
            part_bytes=PART_BYTES if job.mapping is None else None,  # an export of a platform is mapped as a whole
        ) as parts:
            found = parts if isinstance(parts, FormatRefusal) else _judge(job, parts, waiting)
        del parts  # frees the places of all records
        if isinstance(found, FormatRefusal):
            return ChildReport(_unreadable(found), None, has_pass=False)
        if found.kept is not None:
            write_accepted(job, found.facts, found.kept, is_whole=found.is_whole)
        return found.report


class _Found(NamedTuple):
    """The report, and which rows go to the lake.

    ``kept``: None when no file goes there. ``is_whole``: the index of those rows names everybody in the file.
    """

    report: ChildReport
    facts: FileFacts
    kept: pl.Series | None = None
    is_whole: bool = False


def _judge(job: Job, parts: Parts, waiting: ExitStack) -> _Found | FormatRefusal:
    """Look at every part once; then give the file its verdict, and every row its fate.

    ``waiting`` ends when no row is asked for any more.
    """
    rows_to_keep = waiting.enter_context(closing(SortedRows(job.folder, f"{OWN}{REF}", parts.count)))
    facts = FileFacts(job, None if job.origin is None else rows_to_keep)
    for number in range(parts.count):
        table = parts.read(number)
        if isinstance(table, FormatRefusal):
            return table
        facts.add(table)
        del table  # before the next one is read
        tell(job.folder, number + 1, parts.count)
    numbers = facts.row_numbers
    passed = facts.passing.result(lambda rows: as_judged(parts.again(numbers[rows]), job), facts.bad_records.height)
    judgement = judge(passed, facts.findings, thresholds_of(job.contract))
    judgement = replace(judgement, verdict=with_warnings(judgement.verdict, _notes(facts.notes, passed.columns)))
    facts.findings.clear()
    if facts.missing:
        judgement = replace(judgement, verdict=refused_for_missing_columns(judgement.verdict, facts.missing))
    (job.folder / "pass.json").write_text(to_json(passed))
    failing_table(passed).write_parquet(job.folder / "failing.parquet", statistics=False)
    rows = split(facts.height, facts.review, judgement, facts.out)
    sighting = Sighting(
        dialect=facts.dialect.as_record(),
        columns=passed.columns,
        distinct_subjects=facts.count_subjects(),
        days=days_of(facts.started, rows.accepted),
        screening=facts.screening,
    )
    report = ChildReport(verdict=judgement.verdict, sighting=sighting, has_pass=True, held=rows.reasons)
    if job.origin is None:
        (job.folder / "held.json").write_text(json.dumps(_held(rows.codes, facts.row_numbers)))
        return _Found(report, facts)
    is_kept = decision_of(judgement.verdict) in ACCEPTED_DECISIONS
    is_whole = write_all_but_accepted(job, parts, facts, judgement.report, rows, is_kept=is_kept)
    return _Found(report, facts, rows.accepted if is_kept else None, is_whole)


def _held(codes: Mapping[int, str], row_numbers: pl.Series) -> dict[str, list[int]]:
    """Return the numbers of rows that would wait for a person, by reason."""
    rows: dict[str, list[int]] = {}
    for row, code in codes.items():
        rows.setdefault(code, []).append(row_numbers[row])
    return rows


def _unreadable(refusal: FormatRefusal) -> GateVerdict:
    """Return the verdict on a file that cannot be read.

    It names the columns to blame by position: if the first row is no header, it may be a person's. Where there
    was nothing to count, as in an archive without a file, it is one fault.
    """
    rows, readings = refusal.rows, refusal.readings
    reasons = (
        Finding(refusal.code, refusal.rule, column, count, rows, stops=True, readings=readings)
        for column, count in _counted(tuple(map(at_place, refusal.columns)), max(refusal.count, 1))
    )
    return refused(tuple(reasons), Verdict.UNDECIDED if refusal.undecided else Verdict.REFUSED)


def _notes(notes: Sequence[Note], names: Sequence[str]) -> Iterator[Finding]:
    """Yield the reader's notes as warnings. ``names``: of the columns, as they may be shown."""
    for note in notes:
        for column, count in _counted(tuple(names[place - 1] for place in note.columns), note.count):
            yield Finding(note.code, note.rule, column, count, severity=Severity.WARNING)


def _counted(columns: Sequence[str], count: int) -> Iterator[tuple[str | None, int]]:
    """Yield one line per column that is shown, then one for the rest together.

    The rest is what was counted in columns that are not shown, or in none that is known.
    """
    shown = columns[:ROWS_SHOWN]
    yield from ((column, 1) for column in shown)
    if rest := count - len(shown):
        yield None, rest
