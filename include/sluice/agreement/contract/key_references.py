"""Columns whose values stand in another dataset of the same principal: ``relationships`` of ODCS 3.1. Pure.

The standard names a column elsewhere by the file of its contract; in our name for such a file the flow stands. In the
place of the id of a column we have its name.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from sluice.agreement.contract.columns import columns, contract_id
from sluice.agreement.document import Document, Found, Spot
from sluice.agreement.model import KeyReference
from sluice.terms import FLOW_PATTERN, Direction, Flow

_TO = re.compile(rf"({FLOW_PATTERN})\.inbound\.odcs\.yaml#/?schema/[\w-]+/properties/([\w-]+)", re.ASCII)


def check_key_references(document: Document) -> Iterator[Found]:
    """Yield relationships that no file can be judged by."""
    for table in document.root["schema"]:
        if table["relationships"].exists:
            yield Found(table["relationships"], "071")
    for column in columns(document):
        for each in column["relationships"]:
            if _read(document, column, each) is None:
                yield Found(each["to"], "071")


def check_datasets(contracts: Sequence[Document]) -> Iterator[tuple[Document, Found]]:
    """Yield references to columns that no contract has, and flows that would have to wait for themselves."""
    inbound = [each for each in contracts if contract_id(each)[1] == Direction.INBOUND]
    there = {(contract_id(each)[2], column["name"].text) for each in inbound for column in columns(each)}
    named = {contract_id(each)[2]: {found.flow for _, found in _located(each)} for each in inbound}
    for document in contracts:
        own = contract_id(document)[2]
        for spot, found in _located(document):
            if (found.flow, found.there) not in there:
                yield document, Found(spot, "073", found.dataset)
            elif own in _waited_for(found.flow, named):
                yield document, Found(spot, "075", found.dataset)


def _waited_for(flow: str, named: Mapping[str, AbstractSet[str]]) -> set[str]:
    """Return the flows that must have a file before one of this flow can be judged."""
    found, left = set[str](), [flow]
    while left:
        new = named.get(left.pop(), frozenset()) - found
        found |= new
        left += new
    return found


def key_references(document: Document) -> tuple[KeyReference, ...]:
    """Return the references that a file can be judged by."""
    return tuple(found for _, found in _located(document))


def _located(document: Document) -> Iterator[tuple[Spot, KeyReference]]:
    """Yield the references that a file can be judged by, each with the place where it says what it refers to."""
    for column in columns(document):
        for each in column["relationships"]:
            if (found := _read(document, column, each)) is not None:
                yield each["to"], found


def _read(document: Document, column: Spot, entry: Spot) -> KeyReference | None:
    """Read one relationship.

    None for another kind, for a place elsewhere, for its own dataset, and in a return, which is not judged.
    """
    name, (_, direction, own) = column["name"].text, contract_id(document)
    found = _TO.fullmatch(entry["to"].text or "")
    is_key = not entry["type"].exists or entry["type"].value == "foreignKey"
    if found is None or name is None or not is_key or direction == Direction.OUTBOUND_RETURN or found[1] == own:
        return None
    return KeyReference(name, Flow(found[1]), found[2])
