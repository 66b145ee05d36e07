"""Files under ``acks/``: small, and strictly read. Those about notices to recipients are told apart by their name."""

import re

from sluice.errors import NotFound, ObjectUnreadable
from sluice.exchange.house import House
from sluice.exchange.said_json import read_said
from sluice.lake.s3.objects import StoredObject

LARGEST_BYTES = 64 << 10
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def read_members(content: bytes, *names: str) -> dict[str, str] | None:
    """The texts, in lower case, of a JSON object of exactly these members, each once; None for anything else. Pure."""
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
    """A JSON object with its repeated names, if it has any."""


def is_of_notice(key: str) -> bool:
    """Whether a file under ``acks/`` is about a notice to a recipient, by its name: then it is not read here."""
    return key.rsplit("/", 1)[-1].lower().startswith("notice-")


def read_small(house: House, item: StoredObject) -> bytes | None:
    """The bytes; None for too many, for what the store does not give, or for a name that a listing cannot spell so that
    nothing is found by it."""
    if item.size_bytes > LARGEST_BYTES:
        return None
    if item.size_bytes == 0:
        return b""
    try:
        return house.objects.read(item.bucket, item.key, item.version_id)
    except (NotFound, ObjectUnreadable):
        return None
