"""Remove consent records: each some time after it ended, and all of them once the agreement is over."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from sluice.agreement.in_force.ended import read_ends
from sluice.agreement.model import Agreement
from sluice.exchange.house import House
from sluice.exchange.persons.consents import edit_records, find_principals
from sluice.exchange.sweeping import Tally, do_each
from sluice.ledger.append import append
from sluice.ledger.chains import principal_chain
from sluice.ledger.consented import ConsentsDropped
from sluice.ledger.model import EntryKind
from sluice.retention import store
from sluice.retention.model import Why
from sluice.rights.case.facts import consent_days
from sluice.subject.consent import still_needed
from sluice.terms import Principal
from sluice.times import brussels_day, utc_text

if TYPE_CHECKING:
    import polars as pl


def drop_consents(house: House, now: datetime, principal: Principal | None = None) -> Tally:
    """Remove records that are no longer needed. Returns how many, and for how many principals it failed.

    Raises ServiceMissing.
    """
    principals = [principal] if principal else find_principals(house)
    return do_each(house.conn, "a consent record", principals, lambda one: _drop(house, one, now))


def _drop(house: House, principal: Principal, now: datetime) -> int:
    on = brussels_day(now)
    ends = read_ends(house.conn, principal, on, now)
    is_over = ends.last is not None and all(_is_over(house, each, on) for each in ends.ended.values())
    keep: Callable[[pl.DataFrame], pl.DataFrame] = (
        (lambda records: records.clear()) if is_over else (lambda records: still_needed(records, on, consent_days(on)))
    )
    with store.lock_principal(house.conn, principal):
        if store.is_held(house.conn, principal, on):
            return 0
        why = Why.AGREEMENT_ENDED if is_over else Why.RULE
        return edit_records(house, principal, keep, now, partial(_note, house, principal, why, now))


def _is_over(house: House, ended: Agreement, on: date) -> bool:
    """Whether the days for deletion of an ended agreement are over, and its data was returned if it asks for that."""
    if ended.valid_to is None or on < ended.valid_to + timedelta(days=ended.end_days):
        return False
    return ended.end_choice != "return" or store.find_returned(house.conn, ended) is not None


def _note(house: House, principal: Principal, why: Why, now: datetime, run_id: str, records: int) -> None:
    body = ConsentsDropped(run_id=run_id, principal=principal, records=records, why=why.value, dropped_at=utc_text(now))
    chain, kind = principal_chain(principal), EntryKind.CONSENTS_DROPPED
    append(house.conn, chain=chain, kind=kind, exchange_id=None, body=body)
