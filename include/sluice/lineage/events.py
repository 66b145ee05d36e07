"""OpenLineage events of one exchange: START when it opens, COMPLETE or FAIL when it closes, OTHER when copies change.

The exchange is its own run (``runId`` = exchange id), so a retry, or a run without Airflow, gives the
same events. The functions are pure: the same record gives the same text.
"""

from collections.abc import Iterable
from datetime import datetime

from sluice.ledger.opened import OpenedRecord
from sluice.ledger.record import ExchangeRecord
from sluice.lineage.model import ChangedCopy
from sluice.settings import Settings


def start_event(opened: OpenedRecord, settings: Settings) -> str:
    """The START event as JSON: the file version that was seen, before anything is known about it."""
    from sluice.lineage.compose import compose_start

    return compose_start(opened, settings.environment)


def closed_event(record: ExchangeRecord, entry_hash: str, settings: Settings) -> str:
    """The COMPLETE (accepted, even partly) or FAIL (refused, undecided) event as JSON, with all facets.

    ``entry_hash``: hex, of the ledger entry that holds ``record``.
    """
    from sluice.lineage.compose import compose_closed

    return compose_closed(record, entry_hash, settings.environment)


def changed_event(
    record: ExchangeRecord, changed: Iterable[ChangedCopy], changed_at: datetime, settings: Settings
) -> str:
    """The OTHER event as JSON: the copies that were removed (DROP) or edited (OVERWRITE) since the exchange closed.

    ``changed``: every such copy, whenever that was: a receiver that missed an event hears all of it from the next.
    """
    from sluice.lineage.compose import compose_changed

    return compose_changed(record, changed, changed_at, settings.environment)
