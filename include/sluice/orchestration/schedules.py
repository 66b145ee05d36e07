"""Schedules of DAGs, by the clock or by assets that arrivals update; and the slots of a mapped task."""

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
    """The slots of a flow: one mapped task for each file that may be judged at once."""
    return list(range(get_settings().slots))


def arrivals(paper: FlowPaper) -> AssetOrTimeSchedule:
    """A schedule that wakes on arrivals of one flow."""
    name = f"arrivals.{paper.direction}.{paper.principal}.{paper.flow}"
    return woken_by(name, paper.direction, paper.principal, paper.flow)


def stray_arrivals() -> AssetOrTimeSchedule:
    """A schedule that wakes on arrivals that no flow DAG takes."""
    return woken_by("arrivals.strays", *STRAYS)


def woken_by(name: str, direction: str, principal: str, flow: str) -> AssetOrTimeSchedule:
    """A schedule by an asset with its watcher, or by the clock.

    The trigger's arguments must never change, because a change would stop it from seeing anything."""
    trigger = ObjectsWaiting(direction=direction, principal=principal, flow=flow)
    watcher = AssetWatcher(name=f"{name}.watcher", trigger=trigger)
    assets = [Asset(name=name, uri=f"sluice://{name}", watchers=[watcher])]
    return AssetOrTimeSchedule(timetable=once_a_month(name), assets=assets)


def accepted(direction: str, principal: str, flow: str) -> Asset:
    """The asset that stands for the accepted data of one flow; its slots update it when there may be more."""
    name = f"accepted.{direction}.{principal}.{flow}"
    return Asset(name=name, uri=f"sluice://{name}")


def accepted_of(principal: str) -> tuple[Asset, ...]:
    """The assets of all flows from which a return of this principal can be made, as listed in its own folder."""
    own = find_flows_of(get_settings().principals_dir / principal)
    return tuple(
        accepted(paper.direction, paper.principal, paper.flow)
        for direction in ARRIVING
        for paper in own
        if paper.direction is direction
    )


def returns_wanted(paper: FlowPaper) -> AssetOrTimeSchedule:
    """A schedule that wakes when contacts or results were accepted. The DAG `sweep` handles the agreement's cut-off."""
    name = f"returns.{paper.principal}.{paper.flow}"
    return AssetOrTimeSchedule(timetable=once_a_month(name), assets=AssetAny(*accepted_of(paper.principal)))


def once_a_month(name: str) -> CronTriggerTimetable:
    """A clock at a minute of the month that depends on the name. Airflow cannot backfill a DAG without a clock."""
    days, minutes = divmod(crc32(name.encode()), MINUTES_A_DAY)
    hour, minute = divmod(minutes, 60)
    return CronTriggerTimetable(f"{minute} {hour} {days % 28 + 1} * *", timezone="UTC", run_immediately=timedelta())


def every_five_minutes(offset: int) -> CronTriggerTimetable:
    """A clock whose offset no other clock shares. It does not fire at a start, when the first file should be quick."""
    return CronTriggerTimetable(f"{offset}-59/5 * * * *", timezone="UTC", run_immediately=timedelta())


def every_night() -> CronTriggerTimetable:
    """A clock early each day in Brussels, when the day before is over and nothing else is busy."""
    return CronTriggerTimetable("20 1 * * *", timezone=ZONE, run_immediately=timedelta())


def every_minute() -> CronTriggerTimetable:
    """A clock for urgent things. It fires at once at a start, because nothing works before the papers are active."""
    return CronTriggerTimetable("* * * * *", timezone="UTC", run_immediately=True)
