"""When a copy must be deleted, and what keeps it. Pure: dates are given, nothing is read."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta

from sluice.retention.model import Due, End, Kept, LegalHold, Why
from sluice.terms import ExchangeId


def last_day_of(copy: Kept, end: End | None) -> tuple[date, Why] | None:
    """The last Brussels day on which a copy may exist, and why; None if that is not known yet.

    The copy's rule decides. Once the agreement ended, the last day is at the latest the one before its days for
    deletion are over, because the daily run of the next day deletes (GDPR Art. 28(3)(g)). That does not apply if a
    statute requires storage, or to data that was given back.
    """
    by_rule = (copy.last_day, Why.RULE) if copy.last_day else None
    if end is None or ((copy.has_statute or copy.is_given_back) and by_rule):
        return by_rule
    by_end = (end.on + timedelta(days=max(end.days - 1, 0)), Why.AGREEMENT_ENDED)
    return min(by_rule, by_end) if by_rule else by_end


def due_on(copies: Iterable[Kept], end: End | None, holds: Sequence[LegalHold], on: date) -> Iterator[Due]:
    """Copies whose last day is over on a Brussels day, including held ones.

    Copies that end with the agreement wait if their data must be given back first; copies still to be delivered wait
    for that.
    """
    must_wait = end is not None and end.must_return and end.returned_on is None
    by_exchange: dict[ExchangeId | None, list[LegalHold]] = {}
    for hold in holds:
        by_exchange.setdefault(hold.exchange_id, []).append(hold)
    for copy in copies:
        found = last_day_of(copy, end)
        if found is None or on <= found[0]:
            continue
        near = (*by_exchange.get(None, ()), *by_exchange.get(copy.exchange_id, ()))
        held_by = next((hold.hold_id for hold in near if hold.covers(copy, on)), None)
        waits = copy.is_awaited or (must_wait and found[1] is Why.AGREEMENT_ENDED)
        yield Due(copy, *found, held_by=held_by, waits=waits)
