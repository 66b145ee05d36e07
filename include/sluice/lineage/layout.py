"""Compute the positions of boxes and the curves of arrows with Graphviz's ``dot``, in a port to Rust.

The program only computes coordinates. It gets numbers, never names, so nothing from a file reaches it.
"""

import json
import subprocess
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Final

from sluice.errors import Exit, SluiceError
from sluice.lineage.drawing import Column, Drawing

WIDTH, HEIGHT = 132.0, 44.0
"""Size of every box, in points."""
POINTS_PER_INCH: Final = 72
SECONDS: Final = 20
SHAPES: Final = 256
"""How many layouts are cached."""
PROGRAM: Final = "graphviz-pure"
Point = tuple[float, float]


class PictureNotDrawn(SluiceError):
    """The picture could not be laid out; the table under it says the same."""

    code: ClassVar[str] = "SLU-474"
    summary: ClassVar[str] = "the picture of lineage could not be laid out"
    cure: ClassVar[str] = "run `make setup`, which installs graphviz-pure; the table under the picture says the same"
    exit: ClassVar[Exit] = Exit.MISSING


@dataclass(frozen=True, slots=True)
class Layout:
    """Centers of boxes and control points of arrows (cubic Bézier curves), in points from the upper left corner."""

    width: float
    height: float
    boxes: dict[str, Point]
    arrows: dict[tuple[str, str], tuple[Point, ...]]


def lay_out(drawing: Drawing) -> Layout:
    """Lay out columns from left to right and arrows with as few crossings as possible. Raises PictureNotDrawn."""
    program = Path(sysconfig.get_path("scripts")) / PROGRAM
    return _read(drawing, json.loads(_coordinates(program, _dot(drawing))))


@lru_cache(maxsize=SHAPES)
def _coordinates(program: Path, dot: str) -> str:
    """Run the program. Drawings of one shape give the same text, so most are cached. Raises PictureNotDrawn."""
    try:
        done = subprocess.run(
            [program, "-Kdot", "-Tjson"], input=dot, capture_output=True, text=True, timeout=SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        done = None
    if done is None:
        raise PictureNotDrawn
    return done.stdout


def _dot(drawing: Drawing) -> str:
    """The input of the program: boxes by number, one rank per column, in the order of the drawing."""
    return "\n".join(["digraph g {", *_lines(drawing), "}"])


def _lines(drawing: Drawing) -> Iterator[str]:
    yield "rankdir=LR; splines=spline; nodesep=0.2; ranksep=0.6;"
    size = f"width={WIDTH / POINTS_PER_INCH:.4f} height={HEIGHT / POINTS_PER_INCH:.4f}"
    yield f'node [shape=box fixedsize=true label="" {size}];'
    numbers = {box.id: number for number, box in enumerate(drawing.boxes)}
    there = sorted({box.column for box in drawing.boxes})
    yield from (f"c{column.value} [width=0.01 height=0.01];" for column in there)
    yield from (f"c{left.value} -> c{right.value} [style=invis weight=0];" for left, right in pairwise(there))
    for column in there:
        own = "; ".join(f"n{numbers[box.id]}" for box in drawing.boxes if box.column is column)
        yield f"{{rank=same; c{column.value}; {own}}}"
    for arrow in drawing.arrows:
        weight = 3 if arrow.is_own else 1
        yield f"n{numbers[arrow.source]} -> n{numbers[arrow.target]} [weight={weight}];"


def _read(drawing: Drawing, said: dict[str, Any]) -> Layout:
    _, _, width, height = map(float, said["bb"].split(","))
    names = {each["_gvid"]: each["name"] for each in said.get("objects", ()) if "pos" in each}
    ids = {f"n{number}": box.id for number, box in enumerate(drawing.boxes)}
    boxes = {ids[each["name"]]: _point(each["pos"], height) for each in said["objects"] if each["name"] in ids}
    arrows = {}
    for edge in said.get("edges", ()):
        tail, head = names[edge["tail"]], names[edge["head"]]
        if tail in ids and head in ids:
            arrows[ids[tail], ids[head]] = tuple(_curve(edge["pos"], height))
    return Layout(width, *_cropped(boxes, arrows))


def _cropped(
    boxes: dict[str, Point], arrows: dict[tuple[str, str], tuple[Point, ...]]
) -> tuple[float, dict[str, Point], dict[tuple[str, str], tuple[Point, ...]]]:
    """Crop the line of helper nodes that keeps the columns in order; return height, boxes and arrows."""
    ways = [y for points in arrows.values() for _, y in points]
    top = min([*(y - HEIGHT / 2 for _, y in boxes.values()), *ways])
    bottom = max([*(y + HEIGHT / 2 for _, y in boxes.values()), *ways])

    def up(points: Iterable[Point]) -> Iterator[Point]:
        return ((x, round(y - top, 1)) for x, y in points)

    moved = dict(zip(boxes, up(boxes.values()), strict=True))
    return bottom - top, moved, {ends: tuple(up(points)) for ends, points in arrows.items()}


def _curve(pos: str, height: float) -> Iterator[Point]:
    """Parse ``e,x,y x,y ...``, where the end of the arrow comes first; it is moved last, as a straight piece."""
    end, *points = pos.split(" ")
    yield from (_point(each, height) for each in points)
    yield _point(end.removeprefix("e,"), height)


def _point(text: str, height: float) -> Point:
    x, y = map(float, text.split(","))
    return round(x, 1), round(height - y, 1)


def columns_of(drawing: Drawing, layout: Layout) -> dict[Column, float]:
    """The horizontal center of every column that has a box."""
    return {box.column: layout.boxes[box.id][0] for box in drawing.boxes}
