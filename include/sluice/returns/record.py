"""The record of a return: what was made, from what, under which paper. Pure but for the settings."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sluice.agreement.papers import Paper, PaperMissing
from sluice.exchange.model import Judged, Kept, Opened, Sighting
from sluice.exchange.record import Closing, record_of
from sluice.ledger.record import CopyLine, ExchangeRecord, InputLine
from sluice.returns.making import Making
from sluice.returns.model import Input
from sluice.terms import ExchangeId


@dataclass(frozen=True, slots=True)
class Outcome:
    """A return with everything that its record needs."""

    opened: Opened
    paper: Paper | PaperMissing
    making: Making
    copies: tuple[CopyLine, ...] = ()
    supersedes: ExchangeId | None = None
    """The return of the same day that was delivered before it."""


def record_of_return(outcome: Outcome, closing: Closing) -> ExchangeRecord:
    """The record of a return: that of any exchange, plus its sender, inputs, and held rows."""
    making, opened = outcome.making, outcome.opened
    record = record_of(_as_kept(outcome), closing)
    held = sum(making.held.values())
    what = record.what.model_copy(
        update={
            "sha256": making.written.sha256 if making.written else None,
            "size_bytes": making.written.size_bytes if making.written else 0,
            "rows_in": making.verdict.rows_in + held,
            "rows_accepted": making.verdict.rows_accepted,
            "rows_held": held,
            "inputs": input_lines(making.inputs),
            "supersedes": outcome.supersedes,
        }
    )
    treatment = record.right_treatment.model_copy(
        update={
            "held_back": making.held,
            "withheld": dict(making.sorted_out.withheld) if making.sorted_out else {},
        }
    )
    who = record.who.model_copy(
        update={"sender": closing.settings.center, "recipients": (opened.principal, *record.who.recipients[1:])}
    )
    return record.model_copy(update={"what": what, "right_treatment": treatment, "who": who})


def _as_kept(outcome: Outcome) -> Kept:
    """The input to the common record, for a return, which has no file that arrived."""
    making, paper = outcome.making, outcome.paper
    sighting = None
    if making.sorted_out is not None and paper.contract is not None:
        form = paper.contract.file_format
        neutralised = dict(making.written.neutralised) if making.written else {}
        columns = tuple(field.name for field in paper.contract.fields)
        seen = {"format": form.format, "delimiter": form.delimiter, "neutralised": neutralised}
        sighting = Sighting(
            dialect=seen, columns=columns, distinct_subjects=making.sorted_out.subjects, screening=making.screening
        )
    held = making.held if making.verdict.rows_accepted else {}
    judged = Judged(outcome.opened, paper, None, making.verdict, sighting, making.suites, Path(), held)
    return Kept(judged, outcome.copies)


def input_lines(inputs: Iterable[Input]) -> tuple[InputLine, ...]:
    """The inputs of a file as lines of its record."""
    return tuple(
        InputLine(
            exchange_id=each.exchange_id,
            kind=each.kind.value,
            bucket=each.bucket,
            key=each.key,
            version_id=each.version_id,
            sha256=each.sha256,
        )
        for each in inputs
    )
