"""Write what agents' platforms export after a day of calls, from a seed: six platforms, one set of events.

The same arguments give the same bytes. The caller gives the contacts; agents, notes and outcomes are
invented. Faults are put in rows that an agent handled, and the caller gets their places.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from pathlib import Path

import numpy as np
import polars as pl

from sluice.errors import Ref
from sluice.sample.draw import chance, notes, pick
from sluice.sample.exports import Platform, write_export
from sluice.sample.faults import SamplePlanInvalid

CONTACT_COLUMNS = ("record_id", "phone", "name", "campaign", "language")
"""The columns of a frame of contacts, all text; the language is ``fr`` or another."""


class ResultFault(StrEnum):
    """What can be wrong with a result, apart from its form."""

    HEALTH_NOTE = "health_note"
    UNREADY_AGENT = "unready_agent"
    DELETED_AGENT = "deleted_agent"
    UNKNOWN_CAMPAIGN = "unknown_campaign"
    FOREIGN_RECORD = "foreign_record"
    LATE_DISPOSITION = "late_disposition"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class ResultPlan:
    """How many results get which fault; no result gets two."""

    health_note: int = 0
    unready_agent: int = 0
    deleted_agent: int = 0
    unknown_campaign: int = 0
    foreign_record: int = 0
    late_disposition: int = 0
    duplicate: int = 0

    def counts(self) -> Iterator[tuple[ResultFault, int]]:
        for fault in ResultFault:
            yield fault, int(getattr(self, fault.value))


NO_RESULT_FAULTS = ResultPlan()


@dataclass(frozen=True, slots=True)
class Cast:
    """The names that occur: accounts of agents, and values for the faults that need one."""

    agents: tuple[str, ...] = ("an.claes", "bo.maes", "eva.dubois", "luc.lambert", "noor.jacobs", "paul.simon")
    unready_agent: str = "tim.nys"
    unknown_campaign: str = "TEST-CAMPAIGN"
    foreign_record_ids: tuple[str, ...] = ("7590-VHVEG", "5575-GNVDE", "3668-QPYBK")


@dataclass(frozen=True, slots=True)
class PlacedResult:
    """One fault. row: 1 = first record of its file, which is the late one for a late disposition."""

    row: int
    fault: ResultFault
    contact_id: str
    record_id: str


@dataclass(frozen=True, slots=True)
class PlantedResults:
    """What was written: results (repeated rows counted), distinct contacts, and every fault."""

    rows: int
    contacts: int
    placed: tuple[PlacedResult, ...]

    def of(self, fault: ResultFault) -> tuple[PlacedResult, ...]:
        return tuple(one for one in self.placed if one.fault is fault)


def write_results(
    path: Path,
    platform: Platform,
    contacts: pl.DataFrame,
    seed: int,
    *,
    plan: ResultPlan = NO_RESULT_FAULTS,
    late: Path | None = None,
    on: date = date(2026, 11, 24),
    results: int | None = None,
    cast: Cast | None = None,
) -> PlantedResults:
    """Write one day of one platform; return what was planted.

    contacts: a frame with :data:`CONTACT_COLUMNS`. late: a second file, with later updates, for late
    dispositions. on: the Brussels day of the calls, 9 to 20 o'clock. results: how many; by default one per
    contact. Raises SamplePlanInvalid."""
    count = contacts.height if results is None else results
    cast, rng = cast or Cast(), np.random.default_rng(seed)
    wanted = sum(number for _, number in plan.counts())
    if wanted > count or not contacts.height or (plan.late_disposition and late is None):
        raise SamplePlanInvalid(Ref("results", count), Ref("faulty results", wanted))
    rows = _shuffled(rng, count, plan)
    events = _planted(_events(rng, contacts, count, cast, on, platform, _handled(rows, count)), rows, cast, rng)
    doubled = pl.concat([events, events[rows[ResultFault.DUPLICATE]]])
    write_export(path, platform, doubled)
    later = _corrected(events[rows[ResultFault.LATE_DISPOSITION]])
    if late is not None and later.height:
        write_export(late, platform, later)
    return PlantedResults(doubled.height, count, tuple(_placed(events, rows, count)))


# --- what happened ---------------------------------------------------------------------------------

OUTCOMES = {"Sale": 0.18, "Refused": 0.52, "Callback": 0.22, "Wrong number": 0.08}
UNHANDLED = {"No answer": 0.75, "Answering machine": 0.25}
HANDLED_SHARE = 0.56
HEALTH_NOTES = {
    "nl": (
        "mevrouw heeft kanker en wil nu niets beslissen",
        "meneer ligt in het ziekenhuis na een hartinfarct, later terugbellen",
        "klant is zwanger, verhuist na de bevalling",
        "zegt dat hij een depressie heeft en zijn post niet opent",
    ),
    "fr": (
        "madame a un cancer, ne veut rien décider maintenant",
        "monsieur est hospitalisé après un infarctus, rappeler plus tard",
        "la cliente est enceinte, déménage après l'accouchement",
        "dit qu'il souffre d'une dépression et n'ouvre pas son courrier",
    ),
}
_IDS = {
    Platform.AMAZON_CONNECT: ("00000000-0000-4000-8000-", ""),
    Platform.SALESFORCE_TASK: ("00T", "AAA"),
    Platform.VICIDIAL: ("17955.", ""),
    Platform.GENESYS_CLOUD: ("inin", ""),
}
"""The texts before and after the twelve digits of an id."""
Rows = dict[ResultFault, list[int]]


def _shuffled(rng: np.random.Generator, count: int, plan: ResultPlan) -> Rows:
    free = rng.permutation(count).tolist()
    rows: Rows = {}
    for fault, number in plan.counts():
        rows[fault], free = sorted(free[:number]), free[number:]
    return rows


def _handled(rows: Rows, count: int) -> pl.Series:
    """A mask, true for rows with a fault, which an agent must have handled."""
    marked = np.zeros(count, bool)
    marked[[row for places in rows.values() for row in places]] = True
    return pl.Series(marked)


def _events(
    rng: np.random.Generator,
    contacts: pl.DataFrame,
    count: int,
    cast: Cast,
    on: date,
    platform: Platform,
    forced: pl.Series,
) -> pl.DataFrame:
    """One row per contact made. ``started`` and ``updated`` are local times; agent columns are null without one."""
    at = np.concatenate([rng.permutation(contacts.height), rng.integers(0, contacts.height, count)])[:count]
    people = contacts.select(CONTACT_COLUMNS)[at]
    handled = chance(rng, count, HANDLED_SHARE) | forced
    outcome = pick(rng, count, OUTCOMES).zip_with(handled, pick(rng, count, UNHANDLED))
    start = datetime.combine(on, time(9))
    started = pl.Series(np.datetime64(start, "us") + (rng.integers(0, 39_000, count) * 1_000_000).astype("m8[us]"))
    return people.with_columns(
        contact_id=_ids(platform, on, rng, count),
        agent=pick(rng, count, dict.fromkeys(cast.agents, 1.0)).zip_with(handled, _nothing(count)),
        disposition=outcome,
        started=started,
        talk=pl.Series(rng.integers(15, 600, count)).zip_with(handled, pl.Series([0]).new_from_index(0, count)),
        wrap=pl.Series(rng.integers(5, 90, count)).zip_with(handled, pl.Series([0]).new_from_index(0, count)),
        note=notes(rng, (people["language"] == "fr").to_numpy(), 0.4)
        .zip_with(handled, _nothing(count))
        .replace("", None),
        recording=pl.Series(rng.integers(1, 10**9, count)).cast(pl.String).zip_with(handled, _nothing(count)),
        number=pl.Series(rng.integers(10**6, 10**7, count)).cast(pl.String),
        back=pl.Series(rng.integers(0, 16, count)),
    ).with_columns(
        updated=pl.col("started") + pl.duration(seconds=pl.col("talk") + pl.col("wrap")),
        order_number=pl.when(pl.col("disposition") == "Sale").then("ORD-" + pl.col("number")),
        callback=pl.when(pl.col("disposition") == "Callback").then(
            pl.lit(start) + pl.duration(days=2, minutes=pl.col("back") * 30)
        ),
    )


def _ids(platform: Platform, on: date, rng: np.random.Generator, count: int) -> pl.Series:
    """Ids in the platform's form, unique within a file and rarely the same in two files."""
    before, after = _IDS.get(platform, ("300", ""))
    first = (on.toordinal() % 100 * 100 + int(rng.integers(0, 100))) * 10**8
    number = pl.Series(first + np.arange(count)).cast(pl.String).str.zfill(12)
    return pl.Series([before]).new_from_index(0, count) + number + after


def _nothing(count: int) -> pl.Series:
    return pl.Series([None], dtype=pl.String).new_from_index(0, count)


def _planted(events: pl.DataFrame, rows: Rows, cast: Cast, rng: np.random.Generator) -> pl.DataFrame:
    """Plant every fault that is a value in a column."""
    health = rows[ResultFault.HEALTH_NOTE]
    french = (events["language"][health] == "fr").to_list()
    lines = [str(rng.choice(HEALTH_NOTES["fr" if one else "nl"])) for one in french]
    foreign = [str(rng.choice(cast.foreign_record_ids)) for _ in rows[ResultFault.FOREIGN_RECORD]]
    for column, fault, values in (
        ("note", ResultFault.HEALTH_NOTE, lines),
        ("agent", ResultFault.UNREADY_AGENT, [cast.unready_agent] * len(rows[ResultFault.UNREADY_AGENT])),
        ("agent", ResultFault.DELETED_AGENT, ["[Deleted]"] * len(rows[ResultFault.DELETED_AGENT])),
        ("campaign", ResultFault.UNKNOWN_CAMPAIGN, [cast.unknown_campaign] * len(rows[ResultFault.UNKNOWN_CAMPAIGN])),
        ("record_id", ResultFault.FOREIGN_RECORD, foreign),
    ):
        if values:
            events = events.with_columns(events[column].scatter(rows[fault], pl.Series(values)))
    return events


def _corrected(events: pl.DataFrame) -> pl.DataFrame:
    """The same contacts after an agent changed the outcome, two hours of after-call work later."""
    return events.with_columns(
        disposition=pl.when(pl.col("disposition") == "Sale").then(pl.lit("Refused")).otherwise(pl.lit("Sale")),
        order_number=pl.when(pl.col("disposition") != "Sale").then("ORD-" + pl.col("number")),
        callback=pl.lit(None, pl.Datetime("us")),
        wrap=pl.col("wrap") + 7200,
        updated=pl.col("updated") + pl.duration(hours=2),
    )


def _placed(events: pl.DataFrame, rows: Rows, count: int) -> Iterator[PlacedResult]:
    for fault, places in rows.items():
        for turn, at in enumerate(places):
            contact_id, record_id = events["contact_id"][at], events["record_id"][at]
            row = turn + 1 if fault is ResultFault.LATE_DISPOSITION else at + 1
            yield PlacedResult(row, fault, contact_id, record_id)
            if fault is ResultFault.DUPLICATE:
                yield PlacedResult(count + turn + 1, fault, contact_id, record_id)
