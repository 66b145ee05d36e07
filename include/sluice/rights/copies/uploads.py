"""Uploads in parts that were not ended: bytes that no listing of objects shows, so that nobody reads them."""

from collections.abc import Iterator
from datetime import datetime

from sluice.exchange.house import House
from sluice.lake.s3.objects import Upload
from sluice.rights.copies.stores import buckets_of
from sluice.terms import Principal

UPLOADS = "unfinished uploads"


def abort_uploads(house: House, principal: Principal) -> None:
    """Give up what is under way under this principal's name, in any bucket: whose it is, nobody can say."""
    for upload in _find(house, principal):
        house.objects.abort_upload(upload)


def count_uploads(house: House, principal: Principal, since: datetime) -> tuple[int, int]:
    """How many were begun before a moment, and so were to be given up; and how many are younger: they may still end."""
    found = [upload.begun_at < since for upload in _find(house, principal)]
    return sum(found), len(found) - sum(found)


def _find(house: House, principal: Principal) -> Iterator[Upload]:
    for bucket in buckets_of(house):
        yield from (each for each in house.objects.list_uploads(bucket, "") if _is_of(principal, each.key))


def _is_of(principal: Principal, key: str) -> bool:
    """Under its prefix, or under its name in one of ours; its requests are not ours to hold against an erasure."""
    first, _, rest = key.partition("/")
    owner = rest.partition("/")[0] if first.startswith("_") else first
    return owner == principal and not key.startswith(f"{principal}/requests/")
