"""Close an exchange: one transaction appends the record, fills the catalogue and the outbox.

After it the decision is a fact that no rerun can change; before it nothing can be seen.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType

from sluice.exchange import outbox, store
from sluice.exchange.catalogue import insert_copies
from sluice.exchange.house import House
from sluice.exchange.model import AirflowRun, Kept, Opened
from sluice.exchange.outbox import Effect
from sluice.exchange.persons.suppressed import commit_unless_suppressed
from sluice.exchange.record import Closing, record_of
from sluice.ledger.append import append
from sluice.ledger.copy_kinds import ANSWER_KEPT, DIAL_KEPT, FINDINGS, RETURN
from sluice.ledger.model import EntryKind
from sluice.ledger.record import ExchangeRecord
from sluice.terms import ACCEPTED_DECISIONS, Decision

NO_DAYS: Mapping[str, int] = MappingProxyType({})


def close(house: House, kept: Kept, run: AirflowRun) -> Decision | None:
    """Commit the outcome; return None when another worker closed this exchange first.

    Raises SuppressedMeanwhile, and GateFailed if its flow was stopped and resumed meanwhile.
    """
    sighting = kept.judged.sighting
    record = record_of(kept, Closing(house.settings, run, datetime.now(UTC)))
    days = sighting.days if sighting else NO_DAYS
    opened, check = kept.judged.opened, partial(store.check_not_resumed, house.conn, kept.judged.opened)
    return close_record(house, opened, record, kept.judged.kept_out, days, check)


def close_record(
    house: House,
    opened: Opened,
    record: ExchangeRecord,
    kept_out: frozenset[str] = frozenset(),
    days: Mapping[str, int] = NO_DAYS,
    check: Callable[[], None] | None = None,
) -> Decision | None:
    """Commit one record; return None when another worker closed this exchange first.

    ``kept_out``: the suppression runs that it was made under. ``days``: for agents' results, rows per day. ``check`` is
    called inside the transaction; if it raises, the exchange stays open. Raises SuppressedMeanwhile, and what ``check``
    raises.
    """

    def commit() -> Decision | None:
        if not store.lock_if_open(house.conn, opened.exchange_id):
            return None
        if check is not None:
            check()
        entry = append(
            house.conn, chain=opened.chain, kind=EntryKind.EXCHANGE_CLOSED, exchange_id=opened.exchange_id, body=record
        )
        insert_copies(house.conn, opened.exchange_id, record.how_long.copies)
        store.insert_inputs(house.conn, opened.exchange_id, record.what.inputs)
        outbox.insert(house.conn, opened.exchange_id, effects_of(record))
        if record.decision in ACCEPTED_DECISIONS:
            store.insert_result_days(house.conn, opened.exchange_id, days)
        store.update_closed(house.conn, record, entry.hash.hex(), datetime.fromisoformat(record.closed_at))
        return record.decision

    return commit_unless_suppressed(house, opened.principal, kept_out, record.how_long.copies, commit)


def effects_of(record: ExchangeRecord) -> list[Effect]:
    """Return the effects that have to follow a closed record."""
    kinds = {copy.kind for copy in record.how_long.copies}
    effects = [Effect.RECEIPT, Effect.ENDED, Effect.SWEEP]
    effects += [Effect.FINDINGS] if FINDINGS in kinds else []
    is_accepted = record.decision in ACCEPTED_DECISIONS
    effects += [Effect.DIAL] if DIAL_KEPT in kinds and is_accepted else []
    return effects + ([Effect.DELIVERY] if kinds & {RETURN, ANSWER_KEPT} and is_accepted else [])
