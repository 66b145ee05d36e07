"""Which special categories of data an exchange has (GDPR Art. 9 and 10), as far as its record says so. Pure."""

from collections.abc import Collection

from sluice.documents.words import Words
from sluice.ledger.record import ExchangeRecord
from sluice.terms import SPECIAL_CATEGORY, SPECIAL_CLASSES


def which_special(say: Words, record: ExchangeRecord, special: Collection[str] = ()) -> str:
    """Which special categories an exchange has: its columns of one, and what its notes were found to be about."""
    columns = special_columns(record, special)
    notes = [say.find(f"screen.{word}") or word for word in special_found(record)]
    named = [*columns, say.say("six.special.notes", which=say.listed(notes)) if notes else ""]
    return " · ".join(name for name in named if name) or say.say("six.special.declared")


def special_columns(record: ExchangeRecord, special: Collection[str] = ()) -> list[str]:
    """Columns of a special category by their contract, or by their category."""
    return [
        column.name
        for column in record.what.columns
        if column.sensitivity == SPECIAL_CATEGORY or column.category in special
    ]


def special_found(record: ExchangeRecord) -> list[str]:
    """Special categories that were found in notes, as classes of the screen, in order."""
    found = record.how.screening.found if record.how.screening else {}
    return sorted(word for word, count in found.items() if count and word in SPECIAL_CLASSES)
