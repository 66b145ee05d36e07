"""What a return is made of: flows of the same principal, and columns of its contacts. Pure.

Columns of the results are not looked up here: a platform's mapping makes them. Only what names a person in them is.
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from sluice.agreement.contract.columns import columns, contract_id, custom
from sluice.agreement.document import Document, Found
from sluice.terms import Direction

NO_SOURCE, NO_PROOF = "050", "055"
CONTACTS = "contacts."

Flows = Mapping[tuple[str, str], AbstractSet[str]]
"""Names of the columns of each contract, by its direction and flow."""


def check_sources(contracts: Sequence[Document]) -> Iterator[tuple[Document, Found]]:
    """Yield what returns name and no contract beside them has: such a return would be refused every night."""
    flows = {
        contract_id(each)[1:]: {name for column in columns(each) if (name := column["name"].text)} for each in contracts
    }
    papers = {contract_id(each)[1:]: each for each in contracts}
    for document in contracts:
        if contract_id(document)[1] == Direction.OUTBOUND_RETURN:
            yield from ((document, found) for found in (*_unknown(document, flows), *_unproven(document, papers)))


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


def _unproven(document: Document, papers: Mapping[tuple[str, str], Document]) -> Iterator[Found]:
    """Find a return of which nothing can prove that a result is about the person of its record: all rows are held."""
    said = custom(document.root)
    names = {name: said[name].text for name in ("contactsFlow", "resultsFlow", "recordId") if name in said}
    contacts = papers.get((Direction.INBOUND, str(names.get("contactsFlow"))))
    results = papers.get((Direction.INTERNAL, str(names.get("resultsFlow"))))
    if contacts and results:
        keys = _keys(contacts)
        own = {kind for name, kind in keys.items() if name == names.get("recordId")}
        proofs = {kind for name, kind in keys.items() if name != names.get("recordId")} or own
        if proofs.isdisjoint(_keys(results).values()):
            yield Found(said["resultsFlow"], NO_PROOF, f"subjectKey: one of {', '.join(sorted(proofs)) or 'none'}")


def _keys(contract: Document) -> dict[str | None, str]:
    """What names a person: column -> kind of identifier."""
    given = ((column["name"].text, custom(column).get("subjectKey")) for column in columns(contract))
    return {name: kind.text for name, kind in given if kind and kind.text}
