"""The record of data given back at the end of an agreement: as of any exchange, for that one purpose. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sluice.agreement.papers import Paper, PaperMissing
from sluice.documents.words import in_each_language
from sluice.exchange.early_refusal import refused
from sluice.exchange.model import Judged, Kept, Opened, Sighting
from sluice.exchange.record import Closing, record_of
from sluice.gate.model import Finding, GateVerdict
from sluice.lake.write.model import Written
from sluice.ledger.record import CONTRACT_END, CopyLine, ExchangeRecord, PurposeLine, What
from sluice.returns.model import Input
from sluice.returns.record import input_lines
from sluice.settings import Settings
from sluice.terms import Verdict

if TYPE_CHECKING:
    import polars as pl


@cache
def purpose() -> PurposeLine:
    """The only purpose of giving data back."""
    return PurposeLine(
        code=CONTRACT_END,
        iri="https://w3id.org/dpv#LegalCompliance",
        text=in_each_language("give_back.purpose.text"),
        legal_basis="https://w3id.org/dpv/legal/eu/gdpr#A6-1-c",
        basis_holder="center",
    )


@dataclass(frozen=True)
class Given:
    """Data to give back, before it is kept. ``rows``: columns of the contract; ``refs``: who is in them."""

    inputs: tuple[Input, ...]
    rows: "pl.DataFrame"
    refs: "pl.DataFrame"
    held: Mapping[str, int]
    subjects: int
    written: Written
    format: str


def record_of_given(
    opened: Opened, paper: Paper, given: Given, copies: tuple[CopyLine, ...], closing: Closing
) -> ExchangeRecord:
    """The record of data that goes back."""
    rows_in = given.rows.height + sum(given.held.values())
    verdict = GateVerdict(Verdict.PASSED, rows_in, rows_in, 0, (), {})
    seen = {"format": given.format, "neutralised": dict(given.written.neutralised)}
    sighting = Sighting(seen, tuple(given.rows.columns), given.subjects)
    judged = Judged(opened, paper, None, verdict, sighting, {}, Path(), given.held)
    record = record_of(Kept(judged, copies), closing)
    return _for_principal(record.model_copy(update={"what": _what(record.what, given)}), opened, closing.settings)


def record_of_nothing(
    opened: Opened, paper: Paper | PaperMissing, reasons: Sequence[Finding], closing: Closing
) -> ExchangeRecord:
    """The record of data that cannot be given back as it is."""
    judged = Judged(opened, paper, None, refused(tuple(reasons)), None, {}, Path())
    return _for_principal(record_of(Kept(judged, ()), closing), opened, closing.settings)


def _for_principal(record: ExchangeRecord, opened: Opened, settings: Settings) -> ExchangeRecord:
    who = record.who.model_copy(update={"sender": settings.center, "recipients": (opened.principal,)})
    return record.model_copy(update={"who": who, "why": record.why.model_copy(update={"purposes": (purpose(),)})})


def _what(what: What, given: Given) -> What:
    columns = tuple(column.model_copy(update={"source": f"contacts.{column.name}"}) for column in what.columns)
    return what.model_copy(
        update={
            "sha256": given.written.sha256,
            "size_bytes": given.written.size_bytes,
            "columns": columns,
            "inputs": input_lines(given.inputs),
        }
    )
