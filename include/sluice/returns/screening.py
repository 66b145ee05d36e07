"""What the notes in a return were screened for, added up from the records of its results."""

from collections import Counter
from collections.abc import Sequence

from sluice.db import Connection
from sluice.ledger.model import EntryKind
from sluice.ledger.record import ExchangeRecord, Screening
from sluice.ledger.store import find_entry
from sluice.returns.model import Input, InputKind


def screening_of(conn: Connection, inputs: Sequence[Input]) -> Screening | None:
    """The screenings of all results of a return combined; None if no results had notes."""
    entries = (
        find_entry(conn, each.exchange_id, EntryKind.EXCHANGE_CLOSED)
        for each in inputs
        if each.kind is InputKind.RESULTS
    )
    records = (ExchangeRecord.model_validate_json(entry.body) for entry in entries if entry)
    found = [record.how.screening for record in records if record.how.screening]
    return _together(found) if found else None


def _together(screenings: Sequence[Screening]) -> Screening:
    counts: Counter[str] = Counter()
    for each in screenings:
        counts.update(each.found)
    common = set.intersection(*(set(each.screened_for) for each in screenings))
    return Screening(
        tables_version=min(each.tables_version for each in screenings),
        screened_for=tuple(word for word in screenings[0].screened_for if word in common),
        notes=sum(each.notes for each in screenings),
        found=dict(sorted(counts.items())),
        masked=sum(each.masked for each in screenings),
        sampled=sum(each.sampled for each in screenings),
    )
