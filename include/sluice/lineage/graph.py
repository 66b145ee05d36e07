"""The lineage of one exchange as nodes and edges, read from its record. Pure."""

from collections.abc import Iterator

from sluice.ledger.record import ExchangeRecord
from sluice.lineage.model import Edge, Graph, Node

ARRIVED = "arrived"


def graph_of(record: ExchangeRecord) -> Graph:
    """Who sent what under which paper, what became of it, and who receives it."""
    pairs = list(_pairs(record))
    nodes = {node.id: node for node, _ in pairs}
    edges = dict.fromkeys(edge for _, edge in pairs if edge)
    return Graph(tuple(nodes.values()), tuple(edges))


def _pairs(record: ExchangeRecord) -> Iterator[tuple[Node, Edge | None]]:
    what, why, how = record.what, record.why, record.how
    exchange = Node(f"exchange:{record.exchange_id}", "exchange", f"{record.flow}: {record.decision}")
    sender = Node(f"party:{record.who.sender}", "party", record.who.sender)
    source = _object(what.bucket, what.key, what.version_id)
    yield exchange, None
    yield sender, Edge(sender.id, source.id, "sent")
    yield source, Edge(source.id, exchange.id, "was judged in")
    if why.agreement_id:
        agreement = _paper("agreement", why.agreement_id, why.agreement_version)
        yield agreement, Edge(agreement.id, exchange.id, "allows")
    if how.contract_id:
        contract = _paper("contract", how.contract_id, how.contract_version)
        yield contract, Edge(contract.id, exchange.id, "describes")
    for copy in record.how_long.copies:
        if copy.kind != ARRIVED:
            made = _object(copy.bucket, copy.key, copy.version_id)
            yield made, Edge(exchange.id, made.id, f"made {copy.kind}")
    for recipient in record.who.recipients:
        party = Node(f"party:{recipient}", "party", recipient)
        yield party, Edge(exchange.id, party.id, "is for")


def _paper(kind: str, name: str, version: str | None) -> Node:
    return Node(f"{kind}:{name}@{version}", kind, f"{name} {version}")


def _object(bucket: str, key: str, version_id: str | None) -> Node:
    version = f"?versionId={version_id}" if version_id else ""
    return Node(f"object:s3://{bucket}/{key}{version}", "object", f"{bucket}/{key}")
