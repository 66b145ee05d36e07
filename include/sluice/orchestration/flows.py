"""Which flows have a DAG: read from the agreements' files, no database and no network at parse."""

from functools import lru_cache
from pathlib import Path

from airflow.sdk import Asset, AssetOrTimeSchedule, AssetWatcher, CronTriggerTimetable

from sluice.agreement.load import find_flows
from sluice.agreement.model import FlowPaper
from sluice.orchestration.trigger import STRAYS, ObjectsWaiting
from sluice.settings import get_settings
from sluice.terms import Direction


def inbound_flows() -> tuple[FlowPaper, ...]:
    """Inbound flows of all principals, as their files are now; read again only when one changed."""
    folder = get_settings().principals_dir
    stamps = [path.stat().st_mtime_ns for pattern in ("*", "*/*.y*ml") for path in folder.glob(pattern)]
    return _flows(folder, hash(tuple(sorted(stamps))))


@lru_cache(maxsize=1)
def _flows(folder: Path, stamp: int) -> tuple[FlowPaper, ...]:
    return tuple(flow for flow in find_flows(folder) if flow.direction is Direction.INBOUND)


def is_stray(principal: str, flow: str) -> bool:
    """Whether no flow DAG takes this flow."""
    return (principal, flow) not in {(paper.principal, paper.flow) for paper in inbound_flows()}


def slots() -> list[int]:
    """One mapped task per file that may be judged at once."""
    return list(range(get_settings().slots))


def arrivals(principal: str, flow: str) -> AssetOrTimeSchedule:
    """Wake on arrivals of one flow, and every five minutes in case nobody was awake to see them."""
    return woken_by(f"arrivals.{principal}.{flow}", principal, flow)


def stray_arrivals() -> AssetOrTimeSchedule:
    """Wake on arrivals that no flow DAG takes."""
    return woken_by("arrivals.strays", *STRAYS)


def woken_by(name: str, principal: str, flow: str) -> AssetOrTimeSchedule:
    """An asset with its watcher, or the clock. The trigger's arguments never change (a change blinds it)."""
    watcher = AssetWatcher(name=f"{name}.watcher", trigger=ObjectsWaiting(principal=principal, flow=flow))
    return AssetOrTimeSchedule(
        timetable=CronTriggerTimetable("*/5 * * * *", timezone="UTC"),
        assets=[Asset(name=name, uri=f"sluice://{name}", watchers=[watcher])],
    )
