"""The errors of lineage, and its graph."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sluice.errors import Exit, SluiceError


class EventInvalid(SluiceError):
    """An event is not valid. The refs name the place in it, never its content."""

    code: ClassVar[str] = "SLU-471"
    summary: ClassVar[str] = "a lineage event is not valid, so it was not sent"
    cure: ClassVar[str] = "this is a fault of the event's builder: report the exchange and the place"


class EventNotSent(SluiceError):
    """An event did not arrive. The outbox tries again."""

    code: ClassVar[str] = "SLU-472"
    summary: ClassVar[str] = "a lineage event could not be delivered"
    cure: ClassVar[str] = (
        "check SLUICE_LINEAGE_URL (its address, a token in it that expired) and its receiver; the outbox tries again"
    )
    exit: ClassVar[Exit] = Exit.MISSING


class ReceiverDown(EventNotSent):
    """The receiver would take no event at the moment, so the next one would fail too."""


class EventRefused(EventNotSent):
    """The receiver does not want this event. The outbox tries a few more times, and keeps it."""

    code: ClassVar[str] = "SLU-475"
    summary: ClassVar[str] = "the receiver of lineage refused an event"
    cure: ClassVar[str] = (
        "its log says why, mostly that an event is larger than it allows; once it takes it, "
        "`sluice lineage again` sends what was refused"
    )


class TargetInvalid(SluiceError):
    """SLUICE_LINEAGE_URL is no target that we can send to."""

    code: ClassVar[str] = "SLU-473"
    summary: ClassVar[str] = "the lineage target is not one we can send to"
    cure: ClassVar[str] = "set SLUICE_LINEAGE_URL to http(s)://host[/path], file:///absolute/path, or nothing"
    exit: ClassVar[Exit] = Exit.USAGE


@dataclass(frozen=True, slots=True)
class Lying:
    """What is, or was, at an address.

    ``kind``: kind of the copy; None if the exchange is open and has no copies yet. ``is_replaced``: the version asked
    for is gone, because an erasure edited the copy.
    """

    exchange_id: str
    kind: str | None
    is_replaced: bool
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Node:
    """A party, a paper, an exchange or an object. ``id`` is ``<kind>:<name>``."""

    id: str
    kind: str
    label: str


@dataclass(frozen=True, slots=True)
class Edge:
    """``source`` does ``verb`` to ``target``."""

    source: str
    target: str
    verb: str


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes and edges, each in a fixed order."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


ECHOED, ADDED = "echoed from the principal", "added by our staff"


def side_of(source: str | None) -> tuple[str, str]:
    """Split a source into ``contacts`` or ``results`` and the column there; two empty texts without a source."""
    side, _, name = (source or "").partition(".")
    return side, name


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of one column of a return. ``origin``: echoed from the principal, or added by our staff."""

    exchange: str
    column: str
    field_group: str
    source: str
    origin: str


@dataclass(frozen=True, slots=True)
class Trace:
    """What is upstream and downstream of a start: the graph, the paths through it, the origins of returns' columns."""

    graph: Graph
    paths: tuple[tuple[str, ...], ...]
    origins: tuple[Origin, ...]


@dataclass(frozen=True, slots=True)
class ChangedCopy:
    """A copy that was removed (``is_gone``) since its exchange closed, or edited: ``version_id`` is that of now."""

    kind: str
    bucket: str
    key: str
    version_id: str
    is_gone: bool
