"""Prepare decoded rows: screen notes, make agents' results canonical, split the rows three ways. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from sluice.exchange.judging.free_text import screen_table
from sluice.exchange.judging.job import Job
from sluice.gate.judge import REPORT
from sluice.gate.model import Finding, GateVerdict, Judgement, RowFinding
from sluice.lake.table import Table
from sluice.ledger.record import Screening
from sluice.results.canonical import Canonical, to_canonical, without_null_words
from sluice.subject.suppression import Suppression, reasons_of
from sluice.terms import Severity, Verdict
from sluice.times import ZONE

STARTED, NO_CONTACT = "started_at", "VALUE_NO_CONTACT"


@dataclass(frozen=True)
class Content:
    """The rows that would go to the lake (as many as came), what was found wrong, and what a person has to see first.

    ``review``: index in these rows, and why. ``missing``: columns of the platform without which nothing can be made of
    the file.
    """

    frame: pl.DataFrame
    findings: tuple[RowFinding, ...]
    review: tuple[tuple[int, str], ...]
    screening: Screening | None
    missing: tuple[str, ...] = ()

    @property
    def started(self) -> pl.Series | None:
        """When each contact began; None for other files."""
        return self.frame[STARTED] if STARTED in self.frame.columns and not self.missing else None


def days_of(started: pl.Series | None, accepted: pl.Series) -> dict[str, int]:
    """Count accepted contacts per Brussels calendar day; empty for other files."""
    if started is None:
        return {}
    moments = started.filter(accepted).str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_zone="UTC")
    days = moments.dt.convert_time_zone(ZONE).dt.date().value_counts(sort=True)
    return {str(day): count for day, count in days.iter_rows()}


@dataclass(frozen=True)
class Split:
    """Which rows of the frame are accepted, refused or held: every row is exactly one of these.

    ``codes``: why each held row is held. ``erased``: rows of erased persons, wherever they are; they are counted, but
    not kept.
    """

    accepted: pl.Series
    refused: pl.Series
    held: pl.Series
    erased: pl.Series
    codes: Mapping[int, str]

    @property
    def reasons(self) -> dict[str, int]:
        """Held rows per reason."""
        return dict(Counter(self.codes.values()))

    def report(self, row_numbers: pl.Series) -> pl.DataFrame:
        """Return held rows as lines of the list of findings."""
        rows = [(row_numbers[row], "exchange.held", code, None, "held") for row, code in self.codes.items()]
        return pl.DataFrame(rows, schema=REPORT, orient="row")


def read_content(table: Table, job: Job, start: int = 0) -> Content:
    """Screen the notes of a part of a file, and make canonical rows of agents' results.

    ``start``: number of rows before this part.
    """
    salt = job.sample_key or job.contract.contract_id
    screened = screen_table(table.frame, table.row_numbers, job.contract, job.free_text, salt, start)
    if job.is_reviewed:
        screened = replace(screened, review=())
    if job.mapping is None:
        return Content(screened.frame, screened.findings, screened.review, screened.screening)
    from sluice.results.mapping import load_mapping  # imports a parser of YAML that no other file needs

    canonical = to_canonical(screened.frame, load_mapping(job.mapping))
    findings = (*screened.findings, *_mapped(canonical, table.row_numbers))
    first = (*screened.review, *_no_contacts(canonical))
    return Content(canonical.frame, findings, first, screened.screening, canonical.missing_columns)


def as_judged(frame: pl.DataFrame, job: Job) -> pl.DataFrame:
    """Rows as the rules see them: what the mapping of a platform reads as empty is."""
    if job.mapping is None:
        return frame
    from sluice.results.mapping import load_mapping

    return without_null_words(frame, load_mapping(job.mapping))


def _no_contacts(canonical: Canonical) -> Iterator[tuple[int, str]]:
    """Yield the rows that are no contact (yet), such as persons on a calling list who were not called.

    They are counted, and wait.
    """
    wrong = {found.row_index for found in canonical.findings if found.severity is Severity.ERROR}
    for row in (~canonical.usable).arg_true():
        if row not in wrong:
            yield row, NO_CONTACT


def _mapped(canonical: Canonical, row_numbers: pl.Series) -> tuple[RowFinding, ...]:
    return tuple(
        RowFinding(row_numbers[found.row_index], found.rule, found.code, found.column, found.severity)
        for found in canonical.findings
        if found.row_index is not None
    )


def kept_out(suppressed: pl.DataFrame | None, refs: Sequence[pl.Series], height: int) -> dict[int, str]:
    """Return the rows of persons who must stay out (erased, objected, restricted, on hold), with the reason."""
    if suppressed is None:
        return {}
    reasons = reasons_of(refs, suppressed, height)
    return {row: reasons[row] for row in reasons.is_not_null().arg_true()}


def split(height: int, review: Iterable[tuple[int, str]], judgement: Judgement, out: Mapping[int, str]) -> Split:
    """Split rows: refused by the gate, else held, else accepted. A file that is refused as a whole holds no row.

    ``review``: rows that a person has to see. ``out``: rows of persons who must stay out; if a row is in both, this
    reason counts.
    """
    every = pl.int_range(height, dtype=pl.UInt32, eager=True)
    refused = every.is_in(judgement.refused.implode())
    if not judgement.verdict.rows_accepted:
        refused = pl.Series([True]).new_from_index(0, height)
    codes = {row: code for row, code in {**dict(review), **out}.items() if not refused[row]}
    held, erased = (
        every.is_in(pl.Series(sorted(rows), dtype=pl.UInt32).implode())
        for rows in (codes, [row for row, reason in out.items() if reason == Suppression.ERASED])
    )
    return Split(~refused & ~held, refused, held, erased, codes)


def refused_for_missing_columns(verdict: GateVerdict, missing: tuple[str, ...]) -> GateVerdict:
    """Return the verdict as a refusal for columns that the platform's mapping needs and the file does not have."""
    findings = tuple(Finding("HEADER_MISSING_COLUMN", "mapping.columns", name, 1, stops=True) for name in missing)
    return replace(
        verdict,
        verdict=Verdict.REFUSED,
        rows_accepted=0,
        rows_refused=verdict.rows_in,
        reasons=(*findings, *verdict.reasons),
    )
