"""When DAGs run: by the clock, by assets that arrivals wake; and how many slots a mapped task has."""

from datetime import timedelta
from zlib import crc32

from airflow.sdk import Asset, AssetAny, AssetOrTimeSchedule, AssetWatcher, CronTriggerTimetable

from sluice.agreement.folder.load import find_flows_of
from sluice.agreement.papers import FlowPaper
from sluice.orchestration.trigger import STRAYS, ObjectsWaiting
from sluice.settings import get_settings
from sluice.terms import ARRIVING
from sluice.times import ZONE

MINUTES_A_DAY = 24 * 60


def slots() -> list[int]:
    """One mapped task per file that may be judged at once."""
    return list(range(get_settings().slots))


def arrivals(paper: FlowPaper) -> AssetOrTimeSchedule:
    """Wake on arrivals of one flow."""
    name = f"arrivals.{paper.direction}.{paper.principal}.{paper.flow}"
    return woken_by(name, paper.direction, paper.principal, paper.flow)


def stray_arrivals() -> AssetOrTimeSchedule:
    """Wake on arrivals that no flow DAG takes."""
    return woken_by("arrivals.strays", *STRAYS)


def woken_by(name: str, direction: str, principal: str, flow: str) -> AssetOrTimeSchedule:
    """An asset with its watcher, or the clock. The trigger's arguments never change (a change blinds it)."""
    trigger = ObjectsWaiting(direction=direction, principal=principal, flow=flow)
    watcher = AssetWatcher(name=f"{name}.watcher", trigger=trigger)
    assets = [Asset(name=name, uri=f"sluice://{name}", watchers=[watcher])]
    return AssetOrTimeSchedule(timetable=once_a_month(name), assets=assets)


def accepted(direction: str, principal: str, flow: str) -> Asset:
    """Stands for the accepted data of one flow; its slots say when there may be more of it."""
    name = f"accepted.{direction}.{principal}.{flow}"
    return Asset(name=name, uri=f"sluice://{name}")


def accepted_of(principal: str) -> tuple[Asset, ...]:
    """The accepted data of every flow that a return of this principal can be made of: its own folder says which."""
    own = find_flows_of(get_settings().principals_dir / principal)
    return tuple(
        accepted(paper.direction, paper.principal, paper.flow)
        for direction in ARRIVING
        for paper in own
        if paper.direction is direction
    )


def returns_wanted(paper: FlowPaper) -> AssetOrTimeSchedule:
    """Wake when contacts or results were accepted; the DAG `sweep` sees to the agreement's cut-off."""
    name = f"returns.{paper.principal}.{paper.flow}"
    return AssetOrTimeSchedule(timetable=once_a_month(name), assets=AssetAny(*accepted_of(paper.principal)))


def once_a_month(name: str) -> CronTriggerTimetable:
    """A minute of the month that is this name's own: Airflow backfills nothing that has no clock."""
    days, minutes = divmod(crc32(name.encode()), MINUTES_A_DAY)
    hour, minute = divmod(minutes, 60)
    return CronTriggerTimetable(f"{minute} {hour} {days % 28 + 1} * *", timezone="UTC", run_immediately=timedelta())


def every_five_minutes(offset: int) -> CronTriggerTimetable:
    """Ticks that other clocks do not share; nothing fires at a start, when the first file should be quick."""
    return CronTriggerTimetable(f"{offset}-59/5 * * * *", timezone="UTC", run_immediately=timedelta())


def every_night() -> CronTriggerTimetable:
    """Early on every day of Brussels, when the day before is over and nothing else is busy."""
    return CronTriggerTimetable("20 1 * * *", timezone=ZONE, run_immediately=timedelta())


def every_minute() -> CronTriggerTimetable:
    """For what must not wait; its first run is at once, because nothing works before the papers are active."""
    return CronTriggerTimetable("* * * * *", timezone="UTC", run_immediately=True)
