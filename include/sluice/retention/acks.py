"""Remove files under ``acks/`` some days after they were answered; the ledger keeps what they did."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sluice.exchange.house import House
from sluice.exchange.naming import PRINCIPAL_NAME
from sluice.exchange.sweeping import Tally, do_each
from sluice.lake.s3.objects import StoredObject, prefix_of
from sluice.retention import store
from sluice.terms import Principal
from sluice.times import brussels_day


def drop_acks(house: House, now: datetime, principal: Principal | None = None) -> Tally:
    """Remove answered files, whatever the answer was. Returns how many, and for how many principals it failed.

    Senders cannot remove them themselves, and a name or a note in one may be about a person. Raises ServiceMissing.
    """
    there = house.objects.list_prefixes(house.settings.bucket_exchange)
    names = [principal] if principal else [Principal(name) for name in there if PRINCIPAL_NAME.fullmatch(name)]
    return do_each(house.conn, "an acknowledgement", names, lambda one: _drop(house, one, now))


def _drop(house: House, principal: Principal, now: datetime) -> int:
    with store.lock_principal(house.conn, principal):
        on = brussels_day(now)
        if store.is_held(house.conn, principal, on):
            return 0
        going = list(_answered(house, principal, now - timedelta(days=house.settings.keep_acks_days)))
        for item in going:
            house.objects.delete_version(item.bucket, item.key, item.version_id)
    return len(going)


def _answered(house: House, principal: Principal, before: datetime) -> Iterator[StoredObject]:
    """Versions that still exist and were answered before a moment."""
    answered = store.find_answered(house.conn, principal, before)
    bucket = house.settings.bucket_exchange
    for item in house.objects.list_versions(bucket, prefix_of(principal, "acks")) if answered else ():
        if (item.key, item.version_id) in answered:
            yield item
