"""Make the page of states from the table: ``python -m sluice.rights.case.diagram docs/explanation/cases.md``."""

import sys
from collections.abc import Iterator
from pathlib import Path

from sluice.rights.case import guards
from sluice.rights.case.guards import BASE, Guard
from sluice.rights.case.model import State, Track
from sluice.rights.case.transitions import FLAGS, TRANSITIONS, Transition

BEGIN, END = "<!-- made from the table: begin -->", "<!-- made from the table: end -->"
TITLES = {
    Track.CASE: "The request",
    Track.PROCESSOR: "A part that a principal decides (the center is processor)",
    Track.CONTROLLER: "A part that the center decides (it is controller)",
}


def diagram(track: Track) -> str:
    """A Mermaid state diagram of one track.

    It leaves out withdrawal, which is possible from every state that is not over and is one row of the table.
    """
    lines = ["stateDiagram-v2"]
    lines += [f"    {row.source or '[*]'} --> {row.target}" for row in _rows(track)]
    lines.append("    CLOSED --> [*]")
    return "\n".join(["```mermaid", *lines, "```"])


def made_part() -> str:
    """Make everything between the two marks of the page."""
    parts = []
    for track, title in TITLES.items():
        parts += [f"## {title}", "", diagram(track), "", *_table(track), ""]
    parts += ["## Flags", "", "| flag | by | guards |", "|---|---|---|"]
    parts += [f"| `{flag}` | {_roles(by)} | {_names(held)} |" for flag, (by, held) in FLAGS.items()]
    parts += ["", "## Guards", "", f"Of every step: {_names(BASE)}.", "", "| guard | holds when |", "|---|---|"]
    parts += [f"| `{guard.__name__}` | {_promise(guard)} |" for guard in all_guards()]
    return "\n".join(parts)


def all_guards() -> tuple[Guard, ...]:
    """Every guard that a step or a flag uses, base guards first."""
    used = [*BASE, *(g for row in TRANSITIONS for g in row.guards), *(g for _, held in FLAGS.values() for g in held)]
    return tuple(dict.fromkeys(used))


def renew(page: str) -> str:
    """Return the page with the part between its marks made anew."""
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n{made_part()}\n{END}{after}"


def _rows(track: Track) -> Iterator[Transition]:
    return (row for row in TRANSITIONS if row.track is track and row.target is not State.WITHDRAWN_BY_SUBJECT)


def _table(track: Track) -> Iterator[str]:
    yield "| from | to | by | guards | reason |"
    yield "|---|---|---|---|---|"
    for row in _rows(track):
        reason = "chosen" if row.needs_reason else "fixed"
        source = f"`{row.source}`" if row.source else "-"
        yield f"| {source} | `{row.target}` | {_roles(row.by)} | {_names(row.guards)} | {reason} |"
    asked = _names((guards.subject_asked,))
    yield f"| any that is not over | `WITHDRAWN_BY_SUBJECT` | desk, subject | {asked} | fixed |"


def _roles(by: frozenset[str]) -> str:
    return ", ".join(sorted(by))


def _names(held: tuple[Guard, ...]) -> str:
    return ", ".join(f"`{guard.__name__}`" for guard in held) or "-"


def _promise(guard: Guard) -> str:
    return " ".join((guard.__doc__ or "").split())


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(renew(target.read_text()))
