"""Remove corrections once no copy is left in which they could put anything right.

After the agreement ended, a correction goes as soon as no copy names its person. While the agreement runs it must also
be as old as sealed data of a case may get, because files from before the correction can still arrive.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sluice.agreement.in_force.ended import find_ended
from sluice.exchange.house import House
from sluice.exchange.persons.correction_store import find_principals, find_rows
from sluice.exchange.persons.corrections import drop_one, find_corrections, remove_gone
from sluice.exchange.sweeping import Tally, do_each
from sluice.keys import QUARANTINE
from sluice.retention import store
from sluice.retention.model import Why
from sluice.rights.case.facts import sealed_days
from sluice.subject.correction import Correction
from sluice.subject.index import find_in_run
from sluice.terms import Principal
from sluice.times import brussels_day


def drop_corrections(house: House, now: datetime, principal: Principal | None = None) -> Tally:
    """Remove corrections that are no longer needed. Returns how many, and for how many principals it failed.

    Raises ServiceMissing.
    """
    principals = [principal] if principal else find_principals(house.conn)
    return do_each(house.conn, "a correction", principals, lambda one: _drop(house, one, now))


def _drop(house: House, principal: Principal, now: datetime) -> int:
    if house.keyring.is_destroyed(principal, QUARANTINE):
        return _drop_all(house, principal, now)
    on = brussels_day(now)
    has_ended = find_ended(house.conn, principal, on, now) is not None
    latest = now if has_ended else now - timedelta(days=sealed_days(on))
    with store.lock_principal(house.conn, principal):
        old = () if store.is_held(house.conn, principal, on) else find_corrections(house, principal, made_before=latest)
        why = Why.AGREEMENT_ENDED if has_ended else Why.NOTHING_LEFT
        gone = sum(
            drop_one(house, principal, one.correction_id, why.value, now) for one in _idle(house, principal, old)
        )
        remove_gone(house, principal)
    return gone


def _drop_all(house: House, principal: Principal, now: datetime) -> int:
    """Remove all corrections, unreadable since the key that sealed them was destroyed when the agreement was over."""
    why, rows = Why.AGREEMENT_ENDED.value, find_rows(house.conn, principal)
    gone = sum(drop_one(house, principal, row.correction_id, why, now) for row in rows)
    remove_gone(house, principal)
    return gone


def _idle(house: House, principal: Principal, corrections: Sequence[Correction]) -> Sequence[Correction]:
    """Corrections of persons whom no copy names; none if a file has no index, because it could name anybody."""
    if not corrections or store.has_unindexed(house.conn, principal):
        return ()
    for index in store.find_indexes(house.conn, principal):
        content = house.objects.read(*index)
        corrections = [one for one in corrections if find_in_run(content, one.refs).is_empty()]
        if not corrections:
            break
    return corrections
