"""Uploads in parts that a principal did not end: bytes that no listing of objects shows, so that nobody reads them."""

from sluice.exchange.house import House
from sluice.settings import Settings
from sluice.terms import Principal

UPLOADS = "unfinished uploads"


def abort_uploads(house: House, principal: Principal) -> None:
    """Give up what this principal began in any bucket that has a prefix of its own."""
    for bucket in _buckets(house.settings):
        house.objects.abort_uploads(bucket, f"{principal}/")


def count_uploads(house: House, principal: Principal) -> int:
    """How many there are: of each nobody can say whom it names."""
    return sum(len(house.objects.list_uploads(bucket, f"{principal}/")) for bucket in _buckets(house.settings))


def _buckets(settings: Settings) -> tuple[str, ...]:
    return settings.bucket_exchange, settings.bucket_lake, settings.bucket_vault
