"""A Mermaid state diagram as an SVG in the page, laid out by the program that draws lineage: no script, no CDN."""

import re
import subprocess
import sysconfig
from pathlib import Path

ARROW = re.compile(r"^\s*(\[\*\]|\w+) --> (\[\*\]|\w+)(?:\s*:\s*(.+))?$")
LOOK = 'bgcolor=transparent; node [shape=ellipse fontname="sans-serif" fontsize=11]; edge [fontsize=10];'


def picture(mermaid: str) -> str:
    """HTML. Raises ValueError where a line is no arrow: then the diagram would say less than its source."""
    head, *lines = mermaid.strip().splitlines()
    arrows = [found.groups() for line in lines if (found := ARROW.match(line))]
    if head != "stateDiagram-v2" or len(arrows) != len(lines):
        raise ValueError("only stateDiagram-v2 with arrows is drawn")
    svg = _drawn("\n".join(["digraph g {", "rankdir=TB;", LOOK, *map(_line, arrows), "}"]))
    told = "; ".join(f"{_name(start)} to {_name(end)}" for start, end, _ in arrows)
    return f'<div class="states" role="img" aria-label="States: {told}" markdown="0">{svg}</div>'


def _line(arrow: tuple[str, str, str | None]) -> str:
    start, end, label = arrow
    points = [f'"{name}{side}"' if name == "[*]" else f'"{name}"' for name, side in ((start, "in"), (end, "out"))]
    dots = [f'{point} [shape=point width=0.12 label=""];' for point in points if "[*]" in point]
    return " ".join([*dots, f"{points[0]} -> {points[1]}" + (f' [label="{label}"];' if label else ";")])


def _name(state: str) -> str:
    return "begin or end" if state == "[*]" else state


def _drawn(dot: str) -> str:
    program = Path(sysconfig.get_path("scripts")) / "graphviz-pure"
    done = subprocess.run([program, "-Kdot", "-Tsvg"], input=dot, capture_output=True, text=True, check=True)
    svg = done.stdout[done.stdout.index("<svg") :]
    return re.sub(r"<title>.*?</title>|<!--.*?-->|\n", "", svg, flags=re.S)
