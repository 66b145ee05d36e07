"""Screen the note columns of a file as its agreement says: mask, refuse, hold for a person, sample the rest.

Pure. The screen looks for listed terms and checksummed numbers. A note in which nothing is found is not proven clean,
so a share of those is drawn for a person to read.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from sluice.agreement.model import DataContract, FreeTextRules
from sluice.gate.model import RowFinding
from sluice.ledger.record import Screening
from sluice.screen.model import Screened
from sluice.screen.sample import sampled
from sluice.screen.screen import screen_notes
from sluice.terms import FieldGroup, ScreenAction, Severity

SEVERITIES = {ScreenAction.MASK: Severity.WARNING, ScreenAction.REFUSE: Severity.ERROR}
PAST = {ScreenAction.MASK: "MASKED", ScreenAction.REFUSE: "REFUSED", ScreenAction.REVIEW: "REVIEW"}


@dataclass(frozen=True)
class ScreenedTable:
    """The table with masked notes; findings on rows; rows a person has to see first (index, code)."""

    frame: pl.DataFrame
    findings: tuple[RowFinding, ...] = ()
    review: tuple[tuple[int, str], ...] = ()
    screening: Screening | None = None


def screen_table(
    frame: pl.DataFrame,
    row_numbers: pl.Series,
    contract: DataContract,
    rules: FreeTextRules,
    salt: str,
    start: int = 0,
) -> ScreenedTable:
    """Screen every ``note_free_text`` column. ``salt`` makes the sample of one file repeatable.

    ``start``: number of rows of the file before these; the sample depends on it.
    """
    notes = [
        field.name
        for field in contract.fields
        if field.group is FieldGroup.NOTE_FREE_TEXT and field.name in frame.columns
    ]
    if not notes:
        return ScreenedTable(frame)
    region = contract.file_format.region
    screened = {name: screen_notes(frame[name], rules.actions, region=region) for name in notes}
    drawn = {name: sampled(frame[name], screened[name].findings, rules.sample_share, salt, start) for name in notes}
    findings = [line for name in notes for line in _findings(name, screened[name], drawn[name], row_numbers)]
    review = {row: code for name in notes for row, code in _review(screened[name])}
    return ScreenedTable(
        frame.with_columns(screened[name].notes.alias(name) for name in notes),
        tuple(findings),
        tuple(sorted(review.items())),
        _screening(list(screened.values()), list(drawn.values())),
    )


def screening_of(parts: Sequence[Screening | None]) -> Screening | None:
    """Sum up what was looked for and done in all parts of a file; None if no part was screened."""
    found = [each for each in parts if each is not None]
    if not found:
        return None
    words = sum((Counter(each.found) for each in found), Counter[str]())
    return Screening(
        tables_version=found[0].tables_version,
        screened_for=found[0].screened_for,
        notes=sum(each.notes for each in found),
        found=dict(sorted(words.items())),
        masked=sum(each.masked for each in found),
        sampled=sum(each.sampled for each in found),
    )


def _findings(name: str, screened: Screened, drawn: pl.Series, row_numbers: pl.Series) -> Iterator[RowFinding]:
    for row, word, action in screened.findings.select("row", "class", "action").unique(maintain_order=True).rows():
        severity = SEVERITIES.get(ScreenAction(action))
        if severity is not None:
            yield RowFinding(row_numbers[row], f"free_text.{word}", _code(word, action), name, severity)
    for row in drawn.arg_true():
        yield RowFinding(row_numbers[row], "free_text.sample", "TEXT_SAMPLE", name, Severity.WARNING)


def _review(screened: Screened) -> Iterator[tuple[int, str]]:
    asked = screened.findings.filter(pl.col("action") == ScreenAction.REVIEW.value)
    for row, word in asked.select("row", "class").unique(maintain_order=True).rows():
        yield row, _code(word, ScreenAction.REVIEW.value)


def _code(word: str, action: str) -> str:
    return f"TEXT_{word.upper()}_{PAST[ScreenAction(action)]}"


def _screening(screened: list[Screened], drawn: list[pl.Series]) -> Screening:
    found = Counter(word for each in screened for word in each.findings["class"].to_list())
    masked = sum(
        each.findings.filter(pl.col("action") == ScreenAction.MASK.value)["row"].n_unique() for each in screened
    )
    return Screening(
        tables_version=screened[0].tables_version,
        screened_for=tuple(word.value for word in screened[0].screened_for),
        notes=sum(each.rows_with_text for each in screened),
        found=dict(sorted(found.items())),
        masked=masked,
        sampled=sum(int(each.sum()) for each in drawn),
    )
