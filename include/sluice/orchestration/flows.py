"""The current flows of the principals' folders: which have a DAG, and what is a stray."""

from functools import lru_cache
from pathlib import Path

from sluice.agreement.folder.load import find_flows
from sluice.agreement.papers import FlowPaper
from sluice.settings import get_settings
from sluice.terms import Direction


def flows_of(direction: str) -> tuple[FlowPaper, ...]:
    """The flows of all principals in one direction, from their current files, which are reread only when changed."""
    folder = get_settings().principals_dir
    paths = (path for pattern in ("*", "*/*.y*ml") for path in folder.glob(pattern))
    stamps = [path.stat().st_mtime_ns for path in paths if path.exists()]  # an editor's lock is a dangling link
    wanted = Direction(direction)
    return tuple(flow for flow in _flows(folder, hash(tuple(sorted(stamps)))) if flow.direction is wanted)


@lru_cache(maxsize=1)
def _flows(folder: Path, stamp: int) -> tuple[FlowPaper, ...]:
    return tuple(find_flows(folder))


def is_stray(direction: str, principal: str, flow: str) -> bool:
    """Whether no DAG takes this flow."""
    return (principal, flow) not in {(paper.principal, paper.flow) for paper in flows_of(direction)}
