"""Columns whose values stand in another dataset of the same principal: ``relationships`` of ODCS 3.1. Pure.

The standard names a column elsewhere by the file of its contract: our name of such a file says its flow. Where it has
the id of a column, the name stands here.
"""

import re
from collections.abc import Iterator

from sluice.agreement.columns import columns, contract_id
from sluice.agreement.contract_shape import FLOW
from sluice.agreement.document import Document, Found, Spot
from sluice.agreement.model import KeyReference
from sluice.terms import Direction, Flow

_TO = re.compile(rf"({FLOW})\.inbound\.odcs\.yaml#/?schema/[\w-]+/properties/([\w-]+)", re.ASCII)


def check_key_references(document: Document) -> Iterator[Found]:
    """Relationships that no file can be judged by."""
    for table in document.root["schema"]:
        if table["relationships"].exists:
            yield Found(table["relationships"], "071")
    for column in columns(document):
        for each in column["relationships"]:
            if _read(document, column, each) is None:
                yield Found(each["to"], "071")


def key_references(document: Document) -> tuple[KeyReference, ...]:
    """Those that a file can be judged by."""
    return tuple(found for _, found in located(document))


def located(document: Document) -> Iterator[tuple[Spot, KeyReference]]:
    """The same, each with the place where it says what it refers to."""
    for column in columns(document):
        for each in column["relationships"]:
            if (found := _read(document, column, each)) is not None:
                yield each["to"], found


def _read(document: Document, column: Spot, entry: Spot) -> KeyReference | None:
    """None for another kind of relationship, a place elsewhere, its own dataset; and a return is not judged."""
    name, (_, direction, own) = column["name"].text, contract_id(document)
    found = _TO.fullmatch(entry["to"].text or "")
    is_key = not entry["type"].exists or entry["type"].value == "foreignKey"
    if found is None or name is None or not is_key or direction == Direction.OUTBOUND_RETURN or found[1] == own:
        return None
    return KeyReference(name, Flow(found[1]), found[2])
