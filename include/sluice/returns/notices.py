"""Notices to a principal about acknowledgements: plain JSON in ``<principal>/notices/``, in nl, fr and en."""

import json
from collections.abc import Mapping

from sluice.exchange.house import House
from sluice.lake.s3.objects import StoredObject, prefix_of
from sluice.media_types import JSON


def list_notices(house: House, principal: str) -> set[str]:
    """Keys of the notices that a principal was given."""
    found = house.objects.list_versions(house.settings.bucket_exchange, prefix_of(principal, "notices"))
    return {item.key for item in found}


def give_notice(house: House, key: str, document: Mapping[str, object]) -> StoredObject:
    """Put a notice where its principal reads it; putting the same again changes nothing. Raises StoreConflict."""
    content = json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"
    return house.objects.put_once(house.settings.bucket_exchange, key, content, JSON)
