"""Notices to a principal: plain JSON in ``<principal>/notices/``, in nl, fr and en."""

import json
from collections.abc import Collection, Mapping

from sluice.exchange.house import House
from sluice.lake.s3.objects import StoredObject, prefix_of
from sluice.media_types import JSON


def find_missing(house: House, principal: str, owed: Collection[str]) -> list[str]:
    """Keys of the notices owed to a principal that it was not given yet, in their order."""
    if not owed:
        return []
    given = house.objects.list_versions(house.settings.bucket_exchange, prefix_of(principal, "notices"))
    return sorted(set(owed) - {item.key for item in given})


def give_notice(house: House, key: str, document: Mapping[str, object]) -> StoredObject:
    """Put a notice where its principal reads it; putting the same again changes nothing. Raises StoreConflict."""
    content = json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"
    return house.objects.put_once(house.settings.bucket_exchange, key, content, JSON)
