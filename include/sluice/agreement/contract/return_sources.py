"""What a return is made of: flows of the same principal, and columns of its contacts. Pure.

Columns of the results are not looked up here: a platform's mapping makes them.
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from sluice.agreement.contract.columns import columns, contract_id, custom
from sluice.agreement.document import Document, Found
from sluice.terms import Direction

NO_SOURCE = "050"
CONTACTS = "contacts."

Flows = Mapping[tuple[str, str], AbstractSet[str]]
"""Names of the columns of each contract, by its direction and flow."""


def check_sources(contracts: Sequence[Document]) -> Iterator[tuple[Document, Found]]:
    """Yield what returns name and no contract beside them has: such a return would be refused every night."""
    flows = {
        contract_id(each)[1:]: {name for column in columns(each) if (name := column["name"].text)} for each in contracts
    }
    for document in contracts:
        if contract_id(document)[1] == Direction.OUTBOUND_RETURN:
            yield from ((document, found) for found in _unknown(document, flows))


def _unknown(document: Document, flows: Flows) -> Iterator[Found]:
    said = custom(document.root)
    parts = (("contactsFlow", Direction.INBOUND), ("resultsFlow", Direction.INTERNAL))
    for name, direction in parts:
        if name in said and said[name].text and (direction, said[name].text) not in flows:
            yield Found(said[name], NO_SOURCE, f"{said[name].text}.{direction}.odcs.yaml")
    there = flows.get((Direction.INBOUND, str(said["contactsFlow"].text))) if "contactsFlow" in said else None
    if there is None:
        return
    record = said.get("recordId")
    if record and record.text and record.text not in there:
        yield Found(record, NO_SOURCE, f"column {record.text}")
    for source in (custom(column).get("source") for column in columns(document)):
        name = source.text.removeprefix(CONTACTS) if source and source.text else ""
        if source and (source.text or "").startswith(CONTACTS) and name not in there:
            yield Found(source, NO_SOURCE, f"column {name}")
