"""Lineage hears of every copy that is edited or removed after its exchange closed."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rights.asking import asked
from sluice.exchange import outbox
from sluice.exchange.effects.run import do_effects
from sluice.lineage.check import check_event
from sluice.retention.run import retain
from sluice.rights.erasure.erase import run
from sluice.settings import Settings
from support.night import AT_ONCE, Call, Night, open_night, with_papers
from support.official import validator


def events(settings: Settings) -> list[str]:
    """The events that the receiver has got."""
    return Path(str(settings.lineage_url).removeprefix("file://")).read_text().splitlines()


def changed(settings: Settings) -> list[dict[str, Any]]:
    return [event for event in map(json.loads, events(settings)) if event["eventType"] == "OTHER"]


def fates(event: dict[str, Any]) -> set[tuple[str, str]]:
    """Bucket and fate of each copy in an event."""
    return {
        (each["namespace"], each["facets"]["lifecycleStateChange"]["lifecycleStateChange"]) for each in event["outputs"]
    }


def test_lineage_hears_of_what_an_erasure_wrote_anew_and_of_what_retention_removed(
    store_settings: Settings, tmp_path: Path, schemas: Path
) -> None:
    receiver = store_settings.model_copy(update={"lineage_url": f"file://{tmp_path}/events.ndjson"})
    settings = with_papers(receiver, tmp_path, AT_ONCE)
    with open_night(settings, tmp_path) as night:
        house = night.desk.house
        night.called(*(Call(f"c{number}", *person) for number, person in enumerate(night.people(12))))
        night.make()
        do_effects(house)
        assert changed(settings) == [], "nothing was changed yet"
        erasure_tells(night, settings)
        retention_tells(night, settings)
        official: Callable[[str], int] = validator(schemas)
        for event in events(settings):
            check_event(event)
            assert official(event) >= 4
        asked_while_told(night)


def erasure_tells(night: Night, settings: Settings) -> None:
    """Which objects it wrote anew."""
    record, phone = night.people(3)[1]
    run(night.desk.house, asked(night, phone, record).case_id, datetime.now(UTC))
    do_effects(night.desk.house)

    found = {event["job"]["name"]: event for event in changed(settings)}
    told = {each for event in found.values() for each in fates(event)}
    assert {f"s3://{settings.bucket_lake}", f"s3://{settings.bucket_exchange}"} <= {where for where, _ in told}
    assert {fate for _, fate in told} == {"OVERWRITE"}
    asked_for = night.desk.sql("select exchange_id::text as id from outbox where effect = 'lineage.changed'")
    assert {event["run"]["runId"] for event in found.values()} == {row["id"] for row in asked_for}
    there = {
        (f"s3://{row['bucket']}", row["key"], row["version_id"])
        for row in night.desk.sql("select bucket, key, version_id from copy where kind = 'lake'")
    }
    lakes = {
        (each["namespace"], each["name"], each["facets"]["version"]["datasetVersion"])
        for event in found.values()
        for each in event["outputs"]
        if each["namespace"] == f"s3://{settings.bucket_lake}" and each["name"].endswith("part-0.parquet")
    }
    assert lakes and lakes <= there, "the versions that are there now"
    assert phone not in "".join(events(settings)) and record not in "".join(events(settings))


def retention_tells(night: Night, settings: Settings) -> None:
    """What it removed, and the whole of it again."""
    before = changed(settings)
    edited = {each for event in before for each in fates(event)}
    retain(night.desk.house, datetime.now(UTC) + timedelta(days=45))
    do_effects(night.desk.house)
    news = changed(settings)[len(before) :]
    first = {event["run"]["runId"]: dropped(event) for event in news}
    assert any(first.values())
    assert {each for event in news for each in fates(event) - dropped(event)} <= edited, "only what was edited before"

    retain(night.desk.house, datetime.now(UTC) + timedelta(days=4000))
    do_effects(night.desk.house)
    last = {event["run"]["runId"]: dropped(event) for event in changed(settings)}
    assert all(first[each] <= last[each] for each in first)
    assert (f"s3://{settings.bucket_lake}", "DROP") in {one for all_ in last.values() for one in all_}


def dropped(event: dict[str, Any]) -> set[tuple[str, str]]:
    return {each for each in fates(event) if each[1] == "DROP"}


def asked_while_told(night: Night) -> None:
    """What is asked for again while it is told is told again."""
    conn, name = night.desk.house.conn, night.returns()[0].id
    outbox.tell_changed(conn, name)
    [effect] = [each for each in outbox.find_due(conn) if each.name == outbox.Effect.CHANGED]
    assert outbox.begin(conn, effect)
    outbox.tell_changed(conn, name)  # another copy goes meanwhile

    outbox.end(conn, effect)

    assert [each.name for each in outbox.find_due(conn)] == [outbox.Effect.CHANGED]
    assert do_effects(night.desk.house) == 1 and outbox.find_due(conn) == []
