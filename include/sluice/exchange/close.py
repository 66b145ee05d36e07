"""Close an exchange: one transaction appends the record, fills the catalogue and the outbox.

After it the decision is a fact that no rerun can change; before it nothing can be seen.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from sluice.db import transaction
from sluice.exchange import store
from sluice.exchange.house import House
from sluice.exchange.model import Kept
from sluice.exchange.record import record_of
from sluice.ledger.append import append
from sluice.ledger.model import EntryKind
from sluice.terms import Decision

REPORT, RECEIPT, LINEAGE_CLOSED, SWEEP = ("findings", 2), ("receipt", 3), ("lineage.closed", 4), ("sweep", 5)


def close(house: House, kept: Kept, run: Mapping[str, str]) -> Decision | None:
    """Commit the outcome; None when another worker closed this exchange first."""
    opened = kept.judged.opened
    closed_at = datetime.now(UTC)
    record = record_of(kept, house.settings, run, closed_at)
    with transaction(house.conn):
        if not store.is_open(house.conn, opened.exchange_id):
            return None
        entry = append(
            house.conn,
            chain=opened.chain,
            kind=EntryKind.EXCHANGE_CLOSED,
            exchange_id=opened.exchange_id,
            body=record,
        )
        store.insert_copies(house.conn, opened.exchange_id, kept.copies)
        effects = [RECEIPT, LINEAGE_CLOSED, SWEEP]
        if any(copy.kind == "findings" for copy in kept.copies):
            effects.append(REPORT)
        store.insert_effects(house.conn, opened.exchange_id, effects)
        store.update_closed(house.conn, record, entry.hash.hex(), closed_at)
    return record.decision
