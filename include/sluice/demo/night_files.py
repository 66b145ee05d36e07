"""The files of the demo's night: who is ready, and what two platforms export of one day of calls.

The contacts are those accepted before. Agents, outcomes and notes are invented.
"""

import csv
import io
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from sluice.agreement.in_force.store import in_force
from sluice.agreement.papers import Paper
from sluice.errors import NotFound, Ref
from sluice.exchange.house import House
from sluice.exchange.read import get_accepted
from sluice.returns.due import cut_off_of
from sluice.returns.store import find_days
from sluice.sample.exports import Platform
from sluice.sample.results import Cast, PlantedResults, ResultPlan, write_results
from sluice.terms import Direction, Flow, Principal
from sluice.times import BRUSSELS, brussels_day

CAST = Cast()
ENERGY_PLAN = ResultPlan(
    health_note=6,
    unready_agent=12,
    deleted_agent=3,
    unknown_campaign=4,
    foreign_record=1,
    late_disposition=5,
    duplicate=8,
)
TELECOM_PLAN = ResultPlan(health_note=4, unready_agent=6, duplicate=5)
HEALTH_WORDS = (
    "kanker", "hartinfarct", "zwanger", "depressie", "cancer", "infarctus", "enceinte", "dépression",
)  # fmt: skip
"""Words of which every invented note about somebody's health has at least one."""
CALLS = 400
"""Contacts called per principal."""
DAYS_BACK = 300


@dataclass(frozen=True, slots=True)
class Source:
    """The results of one principal: their platform, and which columns of its contacts are called."""

    principal: Principal
    flow: Flow
    platform: Platform
    record_id: str
    campaign: str
    plan: ResultPlan


ENERGY = Source(
    Principal("energy01"), Flow("renewal_results"), Platform.FIVE9, "customer_number", "RENEWAL_2026", ENERGY_PLAN
)
TELECOM = Source(
    Principal("telecom01"), Flow("care_results"), Platform.GENESYS_CLOUD, "customer_id", "CARE", TELECOM_PLAN
)
SOURCES = (ENERGY, TELECOM)


@dataclass(frozen=True, slots=True)
class Export:
    """Files that a platform wrote: all calls of the day, and later corrections if there are any."""

    source: Source
    path: Path
    late: Path | None
    planted: PlantedResults


def free_day(house: House, now: datetime) -> date:
    """Return the youngest day whose cut-off has passed and that has no results yet.

    Each demo has a night of its own, and so its own counts. Raises NotFound if there is none within 300 days.
    """
    taken = {day for source in SOURCES for day in find_days(house.conn, source.principal, source.flow)}
    today = brussels_day(now)
    for back in range(1, DAYS_BACK):
        day = today - timedelta(days=back)
        if day not in taken and all(_cut_off(house, source, day, now) <= now for source in SOURCES):
            return day
    raise NotFound(Ref("day without results", f"{DAYS_BACK} days back"))


def _cut_off(house: House, source: Source, day: date, now: datetime) -> datetime:
    today = brussels_day(now)
    paper = in_force(house.conn, source.principal, Direction.OUTBOUND_RETURN, source.flow, today, now)
    if not isinstance(paper, Paper):
        raise NotFound(Ref("agreement of return", f"{source.principal}/{source.flow}"))
    return cut_off_of(day, paper.agreement.delivery.cut_off)


def staff_file(day: date) -> bytes:
    """Return a staff file: everybody passed and signed before the quarter of ``day``, except one agent with 89.99.

    It is always the same file within a quarter, and importing it again changes nothing.
    """
    quarter = datetime(day.year, day.month - (day.month - 1) % 3, 1, tzinfo=BRUSSELS)
    code = f"coc-{quarter:%Y-%m}"
    rows = ["kind,agent,at,version,whole,score", f"code_version,,{quarter.isoformat()},{code},,"]
    for agent in (*CAST.agents, CAST.unready_agent):
        learned, examined, signed = (_at(quarter - timedelta(days=days)) for days in (30, 29, 28))
        score = "89.99" if agent == CAST.unready_agent else "95"
        rows += [f"course,{agent},{learned},gdpr-2,yes,", f"exam,{agent},{examined},gdpr-2,yes,{score}"]
        rows += [f"signature,{agent},{signed},{code},,"]
    return ("\n".join(rows) + "\n").encode()


def _at(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def write_exports(
    house: House, contacts: Sequence[str], folder: Path, seed: int, calls: int, day: date
) -> tuple[Export, ...]:
    """Write both platforms' exports of ``day``. ``contacts``: accepted exchanges, in the order of SOURCES."""
    return tuple(
        _write(source, _contacts(house, source, exchange_id, calls), folder, seed + turn, day)
        for turn, (source, exchange_id) in enumerate(zip(SOURCES, contacts, strict=True))
    )


def _write(source: Source, contacts: pl.DataFrame, folder: Path, seed: int, day: date) -> Export:
    path = folder / f"{source.flow}_{day}.csv"
    late = folder / f"{source.flow}_{day}_late.csv" if source.plan.late_disposition else None
    planted = write_results(path, source.platform, contacts, seed, plan=source.plan, late=late, on=day, cast=CAST)
    return Export(source, path, late, planted)


def _contacts(house: House, source: Source, exchange_id: str, calls: int) -> pl.DataFrame:
    """Return what a dialler is given: some of the accepted contacts."""
    place = get_accepted(house.conn, exchange_id)
    frame = pl.read_parquet(io.BytesIO(house.objects.read(place.bucket, place.key, place.version_id))).head(calls)
    language = pl.col("language") if "language" in frame.columns else pl.lit("nl")
    return frame.select(
        pl.col(source.record_id).alias("record_id"),
        "phone",
        pl.col("last_name").alias("name"),
        pl.lit(source.campaign).alias("campaign"),
        language.alias("language"),
    )


def shuffled(export: Export, folder: Path, seed: int) -> Path:
    """Write the same rows in another order."""
    with export.path.open(newline="") as file:
        header, *rows = csv.reader(file)
    random.Random(seed).shuffle(rows)
    target = folder / f"{export.path.stem}_again.csv"
    with target.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return target
