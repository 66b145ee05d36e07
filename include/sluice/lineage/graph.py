"""The lineage of exchanges as nodes and edges, derived from their records. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from sluice.ledger.copy_kinds import ANSWER_KEPT, ARRIVED, DELIVERED, DIAL_KEPT, DIALLED, HANDED, RETURN
from sluice.ledger.record import CopyLine, ExchangeRecord
from sluice.lineage.model import ADDED, ECHOED, Edge, Graph, Node, Origin, Trace, side_of
from sluice.terms import Direction

GIVEN = MappingProxyType({RETURN: DELIVERED, DIAL_KEPT: DIALLED, ANSWER_KEPT: HANDED})
"""For a return, a dial list and an answer to a controller: the copy whose bytes go out -> the one the receiver gets."""
MADE_WAYS = (Direction.OUTBOUND_RETURN, Direction.PORTABILITY_ACCESS)
"""Directions in which nothing arrives, because the file is made here."""
ROWS_HELD_OF = "held rows of"
"""Verb of the edge from the copy of rows that waited for review to the file in which they came back."""
DATA = frozenset({"was judged in", "made lake", "contacts of", "results of", "return of", "delivered", ROWS_HELD_OF})
"""Verbs of the edges along which the data itself goes, from a file that came in to one that went out."""

PERSON = Node("person:asked-for", "person", "the person asked for")
"""The person asked for, without reference or value: the reader of the graph knows whom they asked for."""

Pair = tuple[Node, Edge | None]


def trace_of(records: Iterable[ExchangeRecord], undelivered: Collection[str] = ()) -> Trace:
    """The graph of records that belong together; of a return's inputs it has those that are among the records.

    ``undelivered``: ids of returns that reached nobody: their data goes as far as the copy that waits here.
    """
    whole = list(records)
    there = {record.exchange_id for record in whole}
    graph = _graph(
        pair for record in whole for pair in _pairs(_among(record, there), is_out=record.exchange_id not in undelivered)
    )
    return Trace(graph, tuple(_paths(graph)), tuple(origin for record in whole for origin in origins_of(record)))


def with_person(graph: Graph, holders: Iterable[str]) -> Graph:
    """Add the person who was asked for, with an edge to every exchange (id) that holds their rows."""
    edges = tuple(Edge(PERSON.id, f"exchange:{each}", "is in") for each in holders)
    return Graph((PERSON, *graph.nodes), (*edges, *graph.edges))


def origins_of(record: ExchangeRecord) -> Iterator[Origin]:
    """The origin of each column of a return: echoed from the principal, or added by our staff.

    Nothing for other exchanges."""
    if record.direction is not Direction.OUTBOUND_RETURN:
        return
    for column in record.what.columns:
        said = {"contacts": ECHOED, "results": ADDED}.get(side_of(column.source)[0], "unknown")
        yield Origin(record.exchange_id, column.name, column.field_group or "", column.source or "", said)


def describe(trace: Trace) -> dict[str, Any]:
    """A trace as a document: nodes, edges, paths of the data, origins of the columns of returns."""
    return asdict(trace.graph) | {"paths": trace.paths, "origins": [asdict(each) for each in trace.origins]}


def object_id(bucket: str, key: str, version_id: str | None) -> str:
    """The id of an object's node; without version for a delivered file, which is identified by its content."""
    return f"object:s3://{bucket}/{key}" + (f"?versionId={version_id}" if version_id else "")


def _graph(pairs: Iterable[Pair]) -> Graph:
    nodes: dict[str, Node] = {}
    edges: dict[Edge, None] = {}
    for node, edge in pairs:
        nodes[node.id] = node
        if edge:
            edges[edge] = None
    return Graph(tuple(nodes.values()), tuple(edge for edge in edges if {edge.source, edge.target} <= nodes.keys()))


def _among(record: ExchangeRecord, there: Collection[str]) -> ExchangeRecord:
    inputs = tuple(each for each in record.what.inputs if each.exchange_id in there)
    return record.model_copy(update={"what": record.what.model_copy(update={"inputs": inputs})})


def _pairs(record: ExchangeRecord, *, is_out: bool) -> Iterator[Pair]:
    exchange = Node(f"exchange:{record.exchange_id}", "exchange", f"{record.flow}: {record.decision}")
    yield exchange, None
    yield from _made(record, exchange, is_out=is_out) if is_made(record) else _came(record, exchange)
    yield from _papers(record, exchange)
    for copy in record.how_long.copies:
        if copy.kind != ARRIVED:
            made = _object(copy.bucket, copy.key, copy.version_id)
            yield made, Edge(exchange.id, made.id, f"made {copy.kind}")
    for recipient in record.who.recipients:
        party = Node(f"party:{recipient}", "party", recipient)
        yield party, Edge(exchange.id, party.id, "is for")


def _came(record: ExchangeRecord, exchange: Node) -> Iterator[Pair]:
    """A file that somebody sent, or in which we put held rows back."""
    what = record.what
    sender = Node(f"party:{record.who.sender}", "party", record.who.sender)
    source = _object(what.bucket, what.key, what.version_id)
    yield sender, Edge(sender.id, source.id, "sent")
    yield source, Edge(source.id, exchange.id, "was judged in")
    for each in what.inputs:
        held = _object(each.bucket, each.key, each.version_id)
        yield held, Edge(held.id, source.id, ROWS_HELD_OF)


def _made(record: ExchangeRecord, exchange: Node, *, is_out: bool) -> Iterator[Pair]:
    """A file that we made from accepted ones, and sent if ``is_out``."""
    what = record.what
    sender = Node(f"party:{record.who.sender}", "party", record.who.sender)
    yield sender, Edge(sender.id, exchange.id, "made")
    for each in what.inputs:
        part = _object(each.bucket, each.key, each.version_id)
        yield part, Edge(part.id, exchange.id, f"{each.kind} of")
    if is_out and sent_copy(record):
        file = _object(what.bucket, what.key, None)
        yield file, Edge(exchange.id, file.id, "delivered")
    if what.supersedes:
        before = Node(f"exchange:{what.supersedes}", "exchange", f"{record.flow}: superseded")
        yield before, Edge(exchange.id, before.id, "supersedes")


def is_made(record: ExchangeRecord) -> bool:
    """Whether we made the file from what others sent, instead of receiving it."""
    return record.direction in MADE_WAYS or record.is_dial_list


def sent_copy(record: ExchangeRecord) -> CopyLine | None:
    """The copy whose bytes go out, for a file that we made; None for a file that came in, or if nothing goes out."""
    return next((copy for copy in record.how_long.copies if copy.kind in GIVEN), None)


def _papers(record: ExchangeRecord, exchange: Node) -> Iterator[Pair]:
    why, how = record.why, record.how
    if why.agreement_id:
        agreement = _paper("agreement", why.agreement_id, why.agreement_version)
        yield agreement, Edge(agreement.id, exchange.id, "allows")
    if how.contract_id:
        contract = _paper("contract", how.contract_id, how.contract_version)
        yield contract, Edge(contract.id, exchange.id, "describes")


def _paper(kind: str, name: str, version: str | None) -> Node:
    return Node(f"{kind}:{name}@{version}", kind, f"{name} {version}")


def _object(bucket: str, key: str, version_id: str | None) -> Node:
    return Node(object_id(bucket, key, version_id), "object", f"{bucket}/{key}")


def _paths(graph: Graph) -> Iterator[tuple[str, ...]]:
    """Every path of the data, from where it came in to where it is now, including over held rows that came back."""
    after: dict[str, list[str]] = {}
    came_back = {edge.source for edge in graph.edges if edge.verb == ROWS_HELD_OF}
    for edge in graph.edges:
        if edge.verb in DATA or edge.target in came_back:
            after.setdefault(edge.source, []).append(edge.target)
    reached = {target for targets in after.values() for target in targets}
    for start in after:
        if start not in reached:
            yield from _ways((start,), after)


def _ways(way: tuple[str, ...], after: Mapping[str, list[str]]) -> Iterator[tuple[str, ...]]:
    """All continuations of ``way`` to their ends. Data never goes back to where it came from, so this terminates."""
    following = after.get(way[-1], [])
    if not following:
        yield way
    for node in following:
        yield from _ways((*way, node), after)
