"""Turn a drawing of lineage into finished shapes and words, for the page and for a separate file. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from sluice.documents.words import Words
from sluice.exchange.naming import WITHHELD
from sluice.ledger.copy_kinds import LAKE
from sluice.lineage.collapse import PARTIES
from sluice.lineage.drawing import CENTER, Arrow, Box, Column, Drawing
from sluice.lineage.layout import HEIGHT, WIDTH, Layout, Point, columns_of

Link = Callable[[Box], str | None]
"""Where a box leads. None: nowhere, as in a file that is viewed alone."""
SIGNS = {"accepted": "\N{CHECK MARK}", "partly_accepted": "!", "refused": "\N{MULTIPLICATION SIGN}", "undecided": "?"}
"""A sign and a word tell the verdict; the colour only repeats it."""
MARGIN, HEAD = 8.0, 30.0
"""Space around the boxes, and above them for the names of columns; in points."""
NAME_LENGTH, NOTE_LENGTH = 16, 20
"""Letters that fit into a box. Our own name fits in every language."""
LEGEND = (
    "party",
    "file",
    "accepted",
    "partly_accepted",
    "refused",
    "undecided",
    "kept",
    "aside",
    "flips",
    "other",
    "gone",
)


@dataclass(frozen=True, slots=True)
class Shape:
    """A box. ``title``: its whole content in words; ``kinds``: classes of the style sheet."""

    x: float
    y: float
    kinds: str
    name: str
    note: str
    title: str
    address: str | None


@dataclass(frozen=True, slots=True)
class Way:
    """An arrow. ``mark``: where roles flip, which ``title`` says."""

    path: str
    head: str
    kinds: str
    mark: Point | None
    title: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing, laid out and in words. ``heads``: the middle of each column and its name."""

    width: float
    height: float
    heads: tuple[tuple[float, str], ...]
    shapes: tuple[Shape, ...]
    ways: tuple[Way, ...]
    legend: tuple[tuple[str, str], ...]
    collapsed: int
    """Number of boxes that were drawn together with others."""
    box: tuple[float, float] = (WIDTH, HEIGHT)


def picture_of(drawing: Drawing, layout: Layout, say: Words, center: str, link: Link) -> Picture:
    """Return the drawing in one language. ``center``: our code in agreements."""
    boxes = {box.id: box for box in drawing.boxes}
    return Picture(
        width=layout.width + 2 * MARGIN,
        height=layout.height + HEAD + MARGIN,
        heads=tuple(
            (x + MARGIN, say.say(f"pages.lineage.column.{column.name.lower()}"))
            for column, x in sorted(columns_of(drawing, layout).items())
        ),
        shapes=tuple(_shape(box, layout.boxes[box.id], say, center, link) for box in drawing.boxes),
        ways=tuple(_way(each, layout, boxes, say) for each in sorted(drawing.arrows, key=lambda each: each.is_own)),
        legend=tuple((kind, say.say(f"pages.lineage.legend.{kind}")) for kind in _legend(drawing)),
        collapsed=sum(box.count for box in drawing.boxes if box.count > 1),
    )


def _legend(drawing: Drawing) -> tuple[str, ...]:
    """Return what every picture explains, and what only some pictures have."""
    return (*LEGEND, *(["cleared"] if any(box.cleared for box in drawing.boxes) else []))


def _shape(box: Box, middle: Point, say: Words, center: str, link: Link) -> Shape:
    name, note = _name(box, say), _note(box, say, center)
    column = say.say(f"pages.lineage.column.{box.column.name.lower()}")
    flips = say.say("pages.lineage.flips") if box.flips else ""
    gone = _gone(box, say)
    return Shape(
        x=middle[0] - WIDTH / 2 + MARGIN,
        y=middle[1] - HEIGHT / 2 + HEAD,
        kinds=" ".join(_kinds(box)),
        name=name if name == say.say("pages.center") else _cut(name, NAME_LENGTH),
        note=_cut(note, NOTE_LENGTH),
        title=". ".join(part for part in (f"{column}: {name}", note, flips, gone) if part),
        address=link(box),
    )


def _gone(box: Box, say: Words) -> str:
    """Say that a copy is gone, or no longer has the person; empty otherwise."""
    word = "gone" if box.gone else "cleared" if box.cleared else ""
    return say.say(f"pages.lineage.{word}") if word else ""


def _kinds(box: Box) -> list[str]:
    found = {Column.SENDER: "party", Column.RECIPIENT: "party", Column.FILE: "file", Column.SENT: "file"}
    kinds = [found.get(box.column) or (_kept(box) if box.column is Column.KEPT else box.decision)]
    marks = {"other": not box.is_own, "start": box.is_start, "gone": box.gone or box.cleared, "many": box.count > 1}
    return [*kinds, *(mark for mark, holds in marks.items() if holds)]


def _kept(box: Box) -> str:
    return "kept" if box.name == LAKE else "aside"


def _name(box: Box, say: Words) -> str:
    if box.count > 1:
        return say.count(f"pages.lineage.many.{box.column.name.lower()}", box.count, count=say.number(box.count))
    if box.column is Column.KEPT:
        return say.say(f"pages.lineage.kept.{_kept(box)}")
    if box.column in PARTIES:
        return party_name(box.name, say)
    return say.say("pages.name_withheld") if box.name == WITHHELD else box.name


def party_name(code: str, say: Words) -> str:
    """Return the code of a company, or the word for "center" if the center has no code of its own."""
    return say.say("pages.center") if code == CENTER else code


def _note(box: Box, say: Words, center: str) -> str:
    if box.column in PARTIES:
        if box.count > 1:
            return ""
        kind = "center" if box.name == center else "principal" if box.name == box.party else "further"
        return say.say(f"pages.lineage.party.{kind}")
    if box.column in (Column.EXCHANGE, Column.MADE):
        word = say.find(f"pages.lineage.short.{box.decision}", f"verdict.{box.decision}.word")
        return f"{SIGNS.get(box.decision, '…')} {word}"
    if box.gone or box.cleared:
        return _gone(box, say)
    return "" if box.rows is None else say.count("pages.lineage.rows", box.rows, rows=say.number(box.rows))


def _cut(text: str, length: int) -> str:
    """Return the beginning and the end of a text that is too long: names of files differ at their end."""
    return text if len(text) <= length else f"{text[: length - 9]}…{text[-8:]}"


def _way(arrow: Arrow, layout: Layout, boxes: dict[str, Box], say: Words) -> Way:
    points = [(x + MARGIN, y + HEAD) for x, y in layout.arrows[arrow.source, arrow.target]]
    *curve, end = points
    kinds = {"other": not arrow.is_own, "flips": arrow.flips}
    ends = {"source": _name(boxes[arrow.source], say), "target": _name(boxes[arrow.target], say)}
    came_back = (boxes[arrow.source].column, boxes[arrow.target].column) == (Column.KEPT, Column.FILE)
    word = "arrow.flips" if arrow.flips else "arrow.held" if came_back else "arrow"
    return Way(
        path=_path(curve),
        head=_head(curve[-1], end),
        kinds=" ".join(kind for kind, holds in kinds.items() if holds),
        mark=_between(curve) if arrow.flips else None,
        title=say.say(f"pages.lineage.{word}", **ends),
    )


def _path(curve: list[Point]) -> str:
    (x, y), *rest = curve
    return f"M{x:.1f},{y:.1f}C" + " ".join(f"{x:.1f},{y:.1f}" for x, y in rest)


def _head(start: Point, end: Point) -> str:
    """Return the three corners of the head of an arrow."""
    (x1, y1), (x2, y2) = start, end
    length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5 or 1.0
    across = (-(y2 - y1) / length * 3.5, (x2 - x1) / length * 3.5)
    corners = ((x1 + across[0], y1 + across[1]), end, (x1 - across[0], y1 - across[1]))
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)


def _between(curve: list[Point]) -> Point:
    """Return the point half way along the middle piece of a curve."""
    at = (len(curve) - 1) // 3 // 2 * 3
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = curve[at : at + 4]
    return round((x0 + 3 * x1 + 3 * x2 + x3) / 8, 1), round((y0 + 3 * y1 + 3 * y2 + y3) / 8, 1)
