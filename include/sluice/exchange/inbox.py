"""What principals put for us to answer beside their files (``requests/``, ``acks/``): whose, in what order, when."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from sluice.exchange.house import House
from sluice.exchange.naming import PRINCIPAL_NAME
from sluice.lake.s3.objects import StoredObject
from sluice.terms import Principal

LONG_AGO = datetime.min.replace(tzinfo=UTC)


def list_principals(house: House) -> Iterator[Principal]:
    """List the principals that have a folder in the exchange bucket."""
    found = house.objects.list_prefixes(house.settings.bucket_exchange)
    return map(Principal, filter(PRINCIPAL_NAME.fullmatch, found))


def oldest_first(items: Iterable[StoredObject]) -> list[StoredObject]:
    """Sort objects in the order in which the store took them."""
    return sorted(items, key=lambda item: (item.modified_at or LONG_AGO, item.key))


def put_at(item: StoredObject, now: datetime) -> datetime:
    """Return when the store took an object, not when it is read; never later than ``now``, whatever its clock says."""
    return min(item.modified_at or now, now)
