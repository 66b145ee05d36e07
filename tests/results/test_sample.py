"""Sample exports of six platforms are read by the mappings, and say where their faults are."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from results.exports import frame_of, mapping_of
from sluice.results.canonical import to_canonical
from sluice.results.merge import ATTEMPTS, DELIVERIES, merge_results, outcomes
from sluice.sample.exports import Platform
from sluice.sample.faults import SamplePlanInvalid
from sluice.sample.results import HEALTH_NOTES, Cast, PlantedResults, ResultFault, ResultPlan, write_results

RECORDS = 40
CONTACTS = pl.DataFrame(
    {
        "record_id": [f"E{number:08d}" for number in range(RECORDS)],
        "phone": [f"04751234{number:02d}" for number in range(RECORDS)],
        "name": ["Peeters An"] * RECORDS,
        "campaign": ["RENEW-2026-11"] * RECORDS,
        "language": ["fr", "nl"] * (RECORDS // 2),
    }
)
PLAN = ResultPlan(2, 2, 2, 2, 2, 2, 2)
DAY = "2026-11-24"


def written(folder: Path, platform: Platform) -> tuple[PlantedResults, pl.DataFrame, pl.DataFrame]:
    """What was planted, and the canonical rows of the file and of the late one."""
    path, late = folder / f"day.{platform.extension}", folder / f"late.{platform.extension}"
    planted = write_results(path, platform, CONTACTS, 7, plan=PLAN, late=late, results=60)
    frames = []
    for each in (path, late):
        canonical = to_canonical(frame_of(each), mapping_of(platform.value))
        assert canonical.findings == ()
        assert canonical.usable.all()
        frames.append(canonical.frame)
    return planted, frames[0], frames[1]


@pytest.mark.parametrize("platform", list(Platform))
def test_every_fault_is_where_the_sample_says(tmp_path: Path, platform: Platform) -> None:
    planted, day, late = written(tmp_path, platform)
    assert (planted.rows, planted.contacts, day.height) == (62, 60, 62)
    for one in planted.placed:
        frame = late if one.fault is ResultFault.LATE_DISPOSITION else day
        row = frame.row(one.row - 1, named=True)
        assert (row["contact_id"], row["record_id"]) == (one.contact_id, one.record_id)
        assert {
            ResultFault.HEALTH_NOTE: row["note"] in HEALTH_NOTES["nl"] + HEALTH_NOTES["fr"],
            ResultFault.UNREADY_AGENT: row["agent"] == Cast().unready_agent,
            ResultFault.DELETED_AGENT: row["agent"] == "[Deleted]",
            ResultFault.UNKNOWN_CAMPAIGN: row["campaign"] == Cast().unknown_campaign,
            ResultFault.FOREIGN_RECORD: row["record_id"] in Cast().foreign_record_ids,
        }.get(one.fault, True)


@pytest.mark.slow
@pytest.mark.parametrize("platform", list(Platform))
def test_a_late_disposition_wins_a_repeated_row_is_one_contact_and_all_six_tell_of_the_same_day(tmp_path, platform):
    planted, day, late = written(tmp_path, platform)
    merged = merge_results(pl.concat([late, day, day]))
    assert merged.height == planted.contacts
    corrected = merged.filter(pl.col("contact_id").is_in(late["contact_id"].to_list()))
    assert corrected.drop(DELIVERIES).sort("contact_id").equals(late.sort("contact_id"))
    assert outcomes(merged)[ATTEMPTS].sum() == planted.contacts
    _, other, _ = written(tmp_path, Platform.SALESFORCE_TASK)
    assert day["started_at"].str.starts_with(DAY).all()
    minute, talked = pl.col("started_at").str.head(len("2026-11-24T10:00")), pl.col("talk_seconds").fill_null("0")
    told = (minute, talked, "record_id", "disposition", "callback_at")
    assert day.select(told).equals(other.select(told))


@pytest.mark.parametrize("platform", list(Platform))
def test_the_same_seed_gives_the_same_bytes_and_another_gives_others(tmp_path: Path, platform: Platform) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_results(tmp_path / name, platform, CONTACTS, seed, on=date(2026, 7, 1))
    one, same, other = ((tmp_path / name).read_bytes() for name in "abc")
    assert one == same != other


def test_more_faults_than_results_or_no_place_for_late_ones_is_refused(tmp_path: Path) -> None:
    for plan in (ResultPlan(health_note=41), ResultPlan(late_disposition=1)):
        with pytest.raises(SamplePlanInvalid):
            write_results(tmp_path / "day.csv", Platform.FIVE9, CONTACTS, 1, plan=plan)
