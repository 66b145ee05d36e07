"""The drawing of lineage for people: boxes in seven columns, with arrows where data went. Pure, and without words.

The graph of ``graph.py`` has everything and is for programs. Here papers and lists of findings are left out, and the
copies of a file are one box for what was kept and one for what was set aside.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum

from sluice.ledger.copy_kinds import ARRIVED, LAKE
from sluice.ledger.record import CopyLine, ExchangeRecord
from sluice.lineage.graph import GIVEN, is_made, sent_copy
from sluice.terms import Direction

CENTER, PRINCIPAL = "center", "principal"
"""Names of the parties in roles, whatever the parties are really called."""
ASIDE = "quarantine"


class Column(IntEnum):
    """The column of a box, from left to right."""

    SENDER = 0
    FILE = 1
    EXCHANGE = 2
    KEPT = 3
    MADE = 4
    SENT = 5
    RECIPIENT = 6


@dataclass(frozen=True, slots=True)
class Box:
    """A party, a file, an exchange, or a copy.

    ``name``: a code, a file name or the kind of a copy, never a person's. ``decision``: that of its exchange.
    ``is_own``: on the path through what was asked for. ``is_start``: the only exchange that was asked for. ``gone``:
    removed by the moment drawn. ``cleared``: the person who was asked for is no longer in it. ``count``: how many boxes
    it stands for; if more than one, ``exchange`` is None, and ``party`` is empty unless they share it.
    """

    id: str
    column: Column
    name: str
    party: str
    exchange: str | None = None
    decision: str = ""
    rows: int | None = None
    flips: bool = False
    is_own: bool = True
    is_start: bool = False
    gone: bool = False
    cleared: bool = False
    count: int = 1


@dataclass(frozen=True, slots=True, order=True)
class Arrow:
    """Data went from one box to another. ``flips``: the parties swap their roles on the way."""

    source: str
    target: str
    flips: bool = False
    is_own: bool = True


@dataclass(frozen=True, slots=True)
class Drawing:
    """Boxes and arrows, each sorted, so that the same exchanges give the same drawing."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


@dataclass(frozen=True, slots=True)
class Fate:
    """What the catalogue knows about copies at a moment, by exchange and kind: which were ``gone`` and which ``there``.

    ``waiting``: returns that had not been delivered yet. ``cleared``: copies from which the person who was asked for
    was erased, or that were removed for that.
    """

    gone: frozenset[tuple[str, str]] = frozenset()
    there: frozenset[tuple[str, str]] = frozenset()
    waiting: frozenset[str] = frozenset()
    cleared: frozenset[tuple[str, str]] = frozenset()

    def is_gone(self, exchange_id: str, kinds: Iterable[str]) -> bool:
        """Whether at least one of these copies was removed and none is left. Copies never made do not count."""
        named = {(exchange_id, kind) for kind in kinds}
        return not named.isdisjoint(self.gone) and named.isdisjoint(self.there)

    def is_cleared(self, exchange_id: str, kinds: Iterable[str]) -> bool:
        """Whether the person who was asked for was erased from these copies, and from all that are still there."""
        named = {(exchange_id, kind) for kind in kinds}
        return not named.isdisjoint(self.cleared) and named & self.there <= self.cleared


@dataclass(slots=True)
class _Sketch:
    boxes: dict[str, Box] = field(default_factory=dict)
    arrows: set[Arrow] = field(default_factory=set)

    def add(self, box: Box, *sources: str) -> str:
        self.boxes.setdefault(box.id, box)
        self.arrows |= {Arrow(source, box.id) for source in sources}
        return box.id


def draw(
    records: Iterable[ExchangeRecord],
    starts: Collection[str],
    fate: Fate = Fate(),
    apart: Collection[tuple[str, str]] = frozenset(),
) -> Drawing:
    """Draw these records; the path through ``starts`` (ids of exchanges) is marked as own.

    ``apart``: pairs of exchange and kept part (LAKE, ASIDE) through which the own path does not lead.
    """
    sketch = _Sketch()
    for record in records:
        (_add_made if is_made(record) else _add_came)(sketch, record, fate)
    arrows = [each for each in sketch.arrows if each.source in sketch.boxes]
    off = {f"{kind}:{exchange}" for exchange, kind in apart}
    own = _own_way({f"exchange:{each}" for each in starts}, [each for each in arrows if each.target not in off])
    boxes = (
        replace(box, is_own=box.id in own, is_start=len(starts) == 1 and box.id == f"exchange:{next(iter(starts))}")
        for box in sketch.boxes.values()
    )
    marked = (replace(each, is_own={each.source, each.target} <= own) for each in arrows)
    return Drawing(tuple(sorted(boxes, key=order)), tuple(sorted(marked)))


def order(box: Box) -> tuple[Column, str, str]:
    """Sort key: by column, then by party."""
    return box.column, box.party, box.id


def flips_of(record: ExchangeRecord) -> tuple[str, ...]:
    """Field groups of an outgoing file for which the center is controller and the principal is processor."""
    if record.direction is not Direction.OUTBOUND_RETURN:
        return ()
    there = {column.field_group for column in record.what.columns}
    roles = (role for role in record.who.roles if (role.controller, role.processor) == (CENTER, PRINCIPAL))
    return tuple(role.field_group for role in roles if role.field_group in there)


def _add_came(sketch: _Sketch, record: ExchangeRecord, fate: Fate) -> None:
    what, party = record.what, record.who.principal
    sender = sketch.add(Box(f"from:{record.who.sender}", Column.SENDER, record.who.sender, party))
    file = Box(
        f"file:{record.exchange_id}", Column.FILE, _name(what.key), party, record.exchange_id,
        rows=what.rows_in or None, gone=fate.is_gone(record.exchange_id, [ARRIVED]),
        cleared=fate.is_cleared(record.exchange_id, [ARRIVED]),
    )  # fmt: skip
    held = [f"{ASIDE}:{each.exchange_id}" for each in what.inputs]
    exchange = sketch.add(_exchange(record, Column.EXCHANGE), sketch.add(file, sender, *held))
    for kind, copies in _kept(record.how_long.copies):
        rows = copies[0].rows if kind == LAKE else (what.rows_refused + what.rows_held) or None
        kinds = [copy.kind for copy in copies]
        box = Box(
            f"{kind}:{record.exchange_id}", Column.KEPT, kind, party, record.exchange_id, record.decision.value, rows,
            gone=fate.is_gone(record.exchange_id, kinds), cleared=fate.is_cleared(record.exchange_id, kinds),
        )  # fmt: skip
        sketch.add(box, exchange)


def _kept(copies: Sequence[CopyLine]) -> Iterator[tuple[str, list[CopyLine]]]:
    """The copies of a file that stay here, in up to two groups: in the lake, and set aside."""
    for kind in (LAKE, ASIDE):
        own = [copy for copy in copies if copy.kind.partition(".")[0] == kind]
        if own:
            yield kind, own


def _add_made(sketch: _Sketch, record: ExchangeRecord, fate: Fate) -> None:
    what, party = record.what, record.who.principal
    parts = [f"{'sent' if each.kind == 'return' else 'lake'}:{each.exchange_id}" for each in what.inputs]
    exchange = sketch.add(_exchange(record, Column.MADE), *parts)
    if not what.inputs:
        sketch.add(Box(f"from:{record.who.sender}", Column.SENDER, record.who.sender, party))
        sketch.arrows.add(Arrow(f"from:{record.who.sender}", exchange))
    sent = sent_copy(record)
    if sent is None:
        return
    kinds = [sent.kind, GIVEN[sent.kind]]
    file = Box(
        f"sent:{record.exchange_id}", Column.SENT, _name(what.key), party, record.exchange_id, rows=sent.rows,
        flips=bool(flips_of(record)), gone=fate.is_gone(record.exchange_id, kinds),
        cleared=fate.is_cleared(record.exchange_id, kinds),
    )  # fmt: skip
    sketch.add(file, exchange)
    if record.exchange_id in fate.waiting:
        return
    for recipient in record.who.recipients:
        box = Box(f"to:{recipient}", Column.RECIPIENT, recipient, party)
        sketch.boxes.setdefault(box.id, box)
        sketch.arrows.add(Arrow(file.id, box.id, flips=file.flips and recipient == party))


def _exchange(record: ExchangeRecord, column: Column) -> Box:
    return Box(
        f"exchange:{record.exchange_id}", column, record.exchange_id[:8], record.who.principal, record.exchange_id,
        record.decision.value, record.what.rows_accepted, flips=bool(flips_of(record)),
    )  # fmt: skip


def _name(key: str) -> str:
    return key.rpartition("/")[2]


def _own_way(starts: set[str], arrows: Sequence[Arrow]) -> set[str]:
    """The starts with everything that leads to them and everything that comes from them."""
    back: dict[str, list[str]] = {}
    forth: dict[str, list[str]] = {}
    for each in arrows:
        forth.setdefault(each.source, []).append(each.target)
        back.setdefault(each.target, []).append(each.source)
    return _reached(starts, back) | _reached(starts, forth)


def _reached(starts: set[str], following: dict[str, list[str]]) -> set[str]:
    found, left = set(starts), list(starts)
    while left:
        for each in following.get(left.pop(), ()):
            if each not in found:
                found.add(each)
                left.append(each)
    return found
