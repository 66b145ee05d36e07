"""What lineage raises, and the graph it draws."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from sluice.errors import Exit, SluiceError


class EventInvalid(SluiceError):
    """Refs name the place in the event, never its content."""

    code: ClassVar[str] = "SLU-471"
    summary: ClassVar[str] = "a lineage event is not valid, so it was not sent"
    cure: ClassVar[str] = "this is a fault of the event's builder: report the exchange and the place"


class EventNotSent(SluiceError):
    """It did not arrive. The outbox tries again."""

    code: ClassVar[str] = "SLU-472"
    summary: ClassVar[str] = "a lineage event could not be delivered"
    cure: ClassVar[str] = (
        "check SLUICE_LINEAGE_URL (its address, a token in it that expired) and its receiver; the outbox tries again"
    )
    exit: ClassVar[Exit] = Exit.MISSING


class ReceiverDown(EventNotSent):
    """It took nothing, whatever the event: the next one would fare no better."""


class EventRefused(EventNotSent):
    """The receiver looked at this event and does not want it. The outbox tries a few times more, and keeps it."""

    code: ClassVar[str] = "SLU-475"
    summary: ClassVar[str] = "the receiver of lineage refused an event"
    cure: ClassVar[str] = (
        "its log says why, mostly that an event is larger than it allows; once it takes it, "
        "`sluice lineage again` sends what was refused"
    )


class TargetInvalid(SluiceError):
    """The setting cannot be understood."""

    code: ClassVar[str] = "SLU-473"
    summary: ClassVar[str] = "the lineage target is not one we can send to"
    cure: ClassVar[str] = "set SLUICE_LINEAGE_URL to http(s)://host[/path], file:///absolute/path, or nothing"
    exit: ClassVar[Exit] = Exit.USAGE


@dataclass(frozen=True, slots=True)
class Lying:
    """What lies, or lay, at an address. ``kind``: of its copy; None: the exchange is open, and nothing is a copy yet.

    ``is_replaced``: in a version that is no more, since an erasure edited the copy.
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
    """``contacts`` or ``results`` and the column there; empty words for a column that names no source."""
    side, _, name = (source or "").partition(".")
    return side, name


@dataclass(frozen=True, slots=True)
class Origin:
    """Where one column of a return comes from. ``origin``: echoed from the principal, or added by our staff."""

    exchange: str
    column: str
    field_group: str
    source: str
    origin: str


@dataclass(frozen=True, slots=True)
class Trace:
    """What is upstream and downstream of a start: the graph, ways from a first file to a last, columns of returns."""

    graph: Graph
    paths: tuple[tuple[str, ...], ...]
    origins: tuple[Origin, ...]
