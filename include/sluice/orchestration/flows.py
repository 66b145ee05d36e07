"""Which flows have a DAG: read from the agreements' files, no database and no network at parse."""

from functools import lru_cache
from pathlib import Path

from airflow.sdk import Asset, AssetAny, AssetOrTimeSchedule, AssetWatcher, CronTriggerTimetable

from sluice.agreement.load import find_flows
from sluice.agreement.model import FlowPaper
from sluice.orchestration.trigger import STRAYS, ObjectsWaiting
from sluice.settings import get_settings
from sluice.terms import ARRIVING, Direction


def flows_of(direction: str) -> tuple[FlowPaper, ...]:
    """Flows of all principals in one direction, as their files are now; read again only when one changed."""
    folder = get_settings().principals_dir
    stamps = [path.stat().st_mtime_ns for pattern in ("*", "*/*.y*ml") for path in folder.glob(pattern)]
    wanted = Direction(direction)
    return tuple(flow for flow in _flows(folder, hash(tuple(sorted(stamps)))) if flow.direction is wanted)


@lru_cache(maxsize=1)
def _flows(folder: Path, stamp: int) -> tuple[FlowPaper, ...]:
    return tuple(find_flows(folder))


def is_stray(direction: str, principal: str, flow: str) -> bool:
    """Whether no flow DAG takes this flow."""
    return (principal, flow) not in {(paper.principal, paper.flow) for paper in flows_of(direction)}


def slots() -> list[int]:
    """One mapped task per file that may be judged at once."""
    return list(range(get_settings().slots))


def arrivals(paper: FlowPaper) -> AssetOrTimeSchedule:
    """Wake on arrivals of one flow, and every five minutes in case nobody was awake to see them."""
    name = f"arrivals.{paper.direction}.{paper.principal}.{paper.flow}"
    return woken_by(name, paper.direction, paper.principal, paper.flow)


def stray_arrivals() -> AssetOrTimeSchedule:
    """Wake on arrivals that no flow DAG takes."""
    return woken_by("arrivals.strays", *STRAYS)


def woken_by(name: str, direction: str, principal: str, flow: str) -> AssetOrTimeSchedule:
    """An asset with its watcher, or the clock. The trigger's arguments never change (a change blinds it)."""
    trigger = ObjectsWaiting(direction=direction, principal=principal, flow=flow)
    watcher = AssetWatcher(name=f"{name}.watcher", trigger=trigger)
    return AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("*/5 * * * *", timezone="UTC"),
        assets=[Asset(name=name, uri=f"sluice://{name}", watchers=[watcher])],
    )


def accepted(direction: str, principal: str, flow: str) -> Asset:
    """Stands for the accepted data of one flow; its slots say when there may be more of it."""
    name = f"accepted.{direction}.{principal}.{flow}"
    return Asset(name=name, uri=f"sluice://{name}")


def accepted_of(principal: str) -> tuple[Asset, ...]:
    """The accepted data of every flow that a return of this principal can be made of."""
    sources = (paper for direction in ARRIVING for paper in flows_of(direction))
    return tuple(
        accepted(paper.direction, paper.principal, paper.flow) for paper in sources if paper.principal == principal
    )


def returns_wanted(paper: FlowPaper) -> AssetOrTimeSchedule:
    """Wake when contacts or results were accepted, and every five minutes, for the agreement's cut-off."""
    return AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("*/5 * * * *", timezone="UTC"), assets=AssetAny(*accepted_of(paper.principal))
    )
