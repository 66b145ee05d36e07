"""Collect what reading a file finds, one part of the file at a time.

What grows with the number of rows is kept small; the rows themselves wait on disk.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import polars as pl

from sluice.agreement.model import DataContract, FieldRole
from sluice.errors import at_place
from sluice.exchange.judging.candidates import candidates_in
from sluice.exchange.judging.content import Content, as_judged, kept_out, read_content
from sluice.exchange.judging.free_text import screening_of
from sluice.exchange.judging.job import Job, load_rules
from sluice.gate.kinds import KNOWN, NEWEST
from sluice.gate.model import RowFinding, Rule
from sluice.gate.onepass import Pass
from sluice.lake.sorted_rows import SortedRows
from sluice.lake.table import Dialect, Note, Table
from sluice.lake_columns import REF, ROW, ref_of
from sluice.ledger.record import Screening
from sluice.subject.columns import normalise_column
from sluice.subject.correct import find_stale, whose
from sluice.subject.index import first_word
from sluice.subject.key import SubjectKey
from sluice.subject.model import DEFINING, NormalColumn
from sluice.subject.refs import ref_column
from sluice.subject.suppression import reasons_of
from sluice.terms import Severity, SubjectKind

Given = TypeVar("Given")
Got = TypeVar("Got")

OWN = "\x1f"
"""Prefix of our own columns while rows wait: no column of a file has a control character in its name."""
CANDIDATE = f"{OWN}candidate"
"""Name of the column that goes into the index, but into no file."""
INVALID, NOBODY, STALE = "VALUE_IDENTIFIER", "VALUE_NO_SUBJECT", "STALE_VALUE_CORRECTED"


@dataclass(frozen=True, slots=True)
class Identified:
    """A reference column per subject field, the primary one, and what was wrong with identifiers."""

    refs: tuple[tuple[FieldRole, pl.Series], ...]
    primary: pl.Series
    findings: tuple[RowFinding, ...]


class FileFacts:
    """Everything known about a file once all its parts were added, in order.

    ``spans``: start and number of rows of each part. ``findings``: by row number. ``review`` and ``out``: why a row is
    held, by its index in the file. ``missing``: columns of a platform without which nothing can be made of the file.
    """

    def __init__(self, job: Job, rows: SortedRows | None) -> None:
        """``rows``: where rows that may go to the lake wait; None when nothing is kept."""
        self._job = job
        self._suppressed, self._excused = _read(job.suppressed), _read(job.excused)
        self._numbers: list[pl.Series] = []
        self._bad: list[pl.DataFrame] = []
        self._started: list[pl.Series] = []
        self._screened: list[Screening | None] = []
        self._persons: list[np.ndarray] = []
        self.passing = Pass(_rules(job), job.put_at, _keys(job))
        self.rows = rows
        self.spans: list[tuple[int, int]] = []
        self.findings: list[RowFinding] = []
        self.review: list[tuple[int, str]] = []
        self.out: dict[int, str] = {}
        self.missing: tuple[str, ...] = ()
        self.columns: tuple[str, ...] = ()
        self.kinds: dict[str, SubjectKind] = {}
        """The kind of each reference column, by its name."""
        self.dialect: Dialect
        self.notes: tuple[Note, ...] = ()

    def add(self, table: Table) -> None:
        """Look at the next part."""
        start, height = self.height, table.frame.height
        self.findings += [*_bad_records(table, self._job.contract), *_blank_records(table)]
        table = replace(table, frame=as_judged(table.frame, self._job))
        with ThreadPoolExecutor(max_workers=1) as hand:
            reading = hand.submit(read_content, table, self._job, start)
            identified = identify(self._job.contract, table, self._job.key)
            refs = [series for _, series in identified.refs]
            excused = None if self._excused is None else reasons_of(refs, self._excused, height).is_not_null()
            self.passing.add(table.frame, excused)
            content = reading.result()
        self.findings += [*identified.findings, *content.findings, *_stale(table, identified, content, self._job)]
        self.review += [(start + row, why) for row, why in content.review]
        out = kept_out(self._suppressed, refs, height)
        self.out |= {start + row: why for row, why in out.items()}
        self._remember(table, identified, content)
        if self.rows is not None:
            self.rows.add(_waiting(self._job, table, identified, content.frame))
        self.spans.append((start, height))

    @property
    def height(self) -> int:
        """Number of rows so far, without records that are no rows."""
        return sum(height for _, height in self.spans)

    @property
    def row_numbers(self) -> pl.Series:
        """The number of each row in the file."""
        return pl.concat(self._numbers)

    @property
    def bad_records(self) -> pl.DataFrame:
        """The bad records of the whole file, as :class:`Table` has them."""
        return pl.concat(self._bad)

    @property
    def started(self) -> pl.Series | None:
        """When each contact began; None for other files."""
        return pl.concat(self._started) if self._started else None

    @property
    def screening(self) -> Screening | None:
        return screening_of(self._screened)

    def count_subjects(self) -> int | None:
        """Count the persons in all rows, by the first 8 bytes of their references; None when no reference was made.

        Call it once: it drops what it counts.
        """
        if not self._job.key or not self.kinds:
            return None
        words = np.concatenate(self._persons)
        self._persons.clear()
        words.sort()  # numpy's own unique makes a table of them, five times as large
        return int(np.count_nonzero(words[1:] != words[:-1])) + bool(len(words))

    def _remember(self, table: Table, identified: Identified, content: Content) -> None:
        self.columns, self.dialect, self.missing = tuple(table.frame.columns), table.dialect, content.missing
        self.notes = table.notes
        self.kinds = {
            f"{OWN}{ref_of(field.name)}": field.subject_key
            for field, _ in identified.refs
            if field.subject_key is not None
        }
        self._numbers.append(table.row_numbers)
        self._bad.append(table.bad_records)
        self._screened.append(content.screening)
        if content.started is not None:
            self._started.append(content.started)
        if self._job.key and self.kinds:
            self._persons.append(first_word(identified.primary.drop_nulls()).to_numpy())


def _bad_records(table: Table, contract: DataContract) -> Iterator[RowFinding]:
    """Yield a finding per bad record, with the column to blame.

    A name that no contract declares is shown as a position, because it may be a person's.
    """
    for bad in table.bad_rows:
        column = None if bad.place is None else _shown(table.frame.columns[bad.place - 1], bad.place, contract)
        yield RowFinding(bad.row, "format.record", bad.code, column, in_frame=False)


def _blank_records(table: Table) -> Iterator[RowFinding]:
    """Yield a finding per record of which every cell is empty, such as a line of delimiters: a blank line is no row."""
    if table.frame.width:
        blank = table.frame.select(pl.all_horizontal(pl.all().is_null())).to_series()
        for row in table.row_numbers.filter(blank):
            yield RowFinding(row, "format.record", "SHAPE_BLANK_RECORD")


def _shown(name: str, place: int, contract: DataContract) -> str:
    return name if contract.field(name) is not None else at_place(place)


def identify(contract: DataContract, table: Table, key: SubjectKey) -> Identified:
    """Tell who each row is about. A row about nobody could never be found again, so it is refused."""
    fields = [field for field in contract.subject_fields if field.subject_key and field.name in table.frame.columns]
    refs: list[tuple[FieldRole, pl.Series]] = []
    findings: list[RowFinding] = []
    nobody = pl.Series([True]).new_from_index(0, table.frame.height)
    for field, normal, ref in _at_once(partial(_referred, contract, table.frame, key), fields):
        refs.append((field, ref))
        nobody &= normal.values.is_null()
        severity = Severity.ERROR if field.required else Severity.WARNING
        wrong = table.row_numbers.filter(normal.invalid)
        findings += [RowFinding(row, f"subject.{field.subject_key}", INVALID, field.name, severity) for row in wrong]
    if refs:
        findings += [RowFinding(row, "subject.reference", NOBODY) for row in table.row_numbers.filter(nobody)]
    primary = pl.select(pl.coalesce([series for _, series in refs])).to_series() if refs else _no_refs(table)
    return Identified(tuple(refs), primary.alias(REF), tuple(findings))


def _referred(
    contract: DataContract, frame: pl.DataFrame, key: SubjectKey, field: FieldRole
) -> tuple[FieldRole, NormalColumn, pl.Series]:
    """Return the normal forms and the references of a subject field."""
    assert field.subject_key is not None  # it is a subject field
    normal = normalise_column(frame[field.name], field.subject_key, region=contract.file_format.region)
    return field, normal, ref_column(normal.values, field.subject_key, key)


def _at_once(work: Callable[[Given], Got], each: Sequence[Given]) -> Iterator[Got]:
    """Do the same work with each, all at the same time; the results come in order."""
    with ThreadPoolExecutor(max_workers=max(1, len(each))) as hands:
        yield from hands.map(work, each)


def _rules(job: Job) -> list[Rule]:
    """Return the rules that this file is judged by.

    A file that comes back reviewed was already asked how old it is and which keys are known; without keys the
    second is not asked either.
    """
    asked_once = {NEWEST, KNOWN} if job.is_reviewed else {KNOWN} if job.keys is None else set[str]()
    return [rule for rule in load_rules(job.contract, job.suites) if rule.check.kind not in asked_once]


def _read(path: Path | None) -> pl.DataFrame | None:
    return None if path is None else pl.read_parquet(path)


def _keys(job: Job) -> dict[str, pl.Series]:
    return {name: pl.read_parquet(path).to_series() for name, path in (job.keys or {}).items()}


def _stale(table: Table, identified: Identified, content: Content, job: Job) -> Iterator[RowFinding]:
    """Yield a warning for every cell that a correction overrules: whoever reads it gets the corrected value instead."""
    if not job.corrections or (as_of := job.as_of) is None:
        return
    numbers = [series for field, series in identified.refs if field.subject_key in DEFINING]
    others = [series for field, series in identified.refs if field.subject_key not in DEFINING]
    refs = whose(numbers, others)
    for row, correction in find_stale(content.frame, refs, job.corrections, lambda _: as_of, job.key):
        yield RowFinding(table.row_numbers[row], "correction.newer", STALE, correction.field, Severity.WARNING)


def _no_refs(table: Table) -> pl.Series:
    return pl.Series(REF, [None], dtype=pl.String).new_from_index(0, table.frame.height)


def _waiting(job: Job, table: Table, identified: Identified, content: pl.DataFrame) -> pl.DataFrame:
    """Return rows as they would go to the lake, with what points at candidates.

    Our own columns get their final names only when the rows go there.
    """
    candidates = candidates_in(job.contract, content, job.key) if identified.refs else None
    return content.select(
        table.row_numbers.alias(f"{OWN}{ROW}"),
        identified.primary.alias(f"{OWN}{REF}"),
        *(series.alias(f"{OWN}{ref_of(field.name)}") for field, series in identified.refs),
        pl.all(),
        *(() if candidates is None else (candidates.alias(CANDIDATE),)),
    )
