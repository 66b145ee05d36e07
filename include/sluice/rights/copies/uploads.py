"""Multipart uploads that were not completed: no listing of objects shows their bytes, so nobody reads them."""

from collections.abc import Iterator
from datetime import datetime

from sluice.exchange.house import House
from sluice.lake.s3.objects import Upload
from sluice.lake.s3.versions import UNSAID
from sluice.rights.copies.stores import buckets_of
from sluice.terms import Principal

UPLOADS = "unfinished uploads"


def abort_uploads(house: House, principal: Principal) -> None:
    """Abort all unfinished uploads under this principal's name, in any bucket. Nobody can tell who is in them."""
    for upload in _find(house, principal):
        house.objects.abort_upload(upload)


def count_uploads(house: House, principal: Principal, since: datetime) -> tuple[int, int]:
    """How many uploads were begun before a moment and should be gone, and how many are waited for.

    The latter are younger and may still end, or are under a name that the store does not tell (control characters):
    only whoever began one of those can give it up, so it is nobody else's matter.
    """
    found = [upload.begun_at < since and UNSAID not in upload.key for upload in _find(house, principal)]
    return sum(found), len(found) - sum(found)


def _find(house: House, principal: Principal) -> Iterator[Upload]:
    for bucket in buckets_of(house):
        yield from (each for each in house.objects.list_uploads(bucket, "") if _is_of(principal, each.key))


def _is_of(principal: Principal, key: str) -> bool:
    """Whether a key is under a principal's prefix, or under its name in a prefix of ours.

    Its requests are left out, because they are not ours to hold against an erasure.
    """
    first, _, rest = key.partition("/")
    owner = rest.partition("/")[0] if first.startswith("_") else first
    return owner == principal and not key.startswith(f"{principal}/requests/")
