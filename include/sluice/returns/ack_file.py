"""Read files under ``acks/``, which must be small and of strict form. Names tell those about notices to recipients."""

import re

from sluice.errors import NotFound, ObjectUnreadable
from sluice.exchange.house import House
from sluice.exchange.said_json import read_said
from sluice.lake.s3.objects import StoredObject

LARGEST_BYTES = 64 << 10
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def read_members(content: bytes, *names: str) -> dict[str, str] | None:
    """The texts of a JSON object with exactly these members, each once, in lower case; None for anything else. Pure."""
    if len(content) > LARGEST_BYTES:
        return None
    try:
        pairs = read_said(content, _Pairs)
    except (ValueError, RecursionError):
        return None
    if not isinstance(pairs, _Pairs) or sorted(name for name, _ in pairs) != sorted(names):
        return None
    said = {name: value.lower() for name, value in pairs if isinstance(value, str)}
    return said if len(said) == len(names) else None


class _Pairs(list[tuple[str, object]]):
    """A JSON object as pairs, so that repeated names are not lost."""


def is_of_notice(key: str) -> bool:
    """Whether the name of a file under ``acks/`` says it is about a notice to a recipient; it is not read here then."""
    return key.rsplit("/", 1)[-1].lower().startswith("notice-")


def read_small(house: House, item: StoredObject) -> bytes | None:
    """The bytes of a file; None if it is too large or the store does not give it.

    The latter includes a name that a listing cannot spell, so that nothing is found under it.
    """
    if item.size_bytes > LARGEST_BYTES:
        return None
    if item.size_bytes == 0:
        return b""
    try:
        return house.objects.read(item.bucket, item.key, item.version_id)
    except (NotFound, ObjectUnreadable):
        return None
