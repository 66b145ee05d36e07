"""When the trigger wakes its DAG: the rule alone, without a clock, a bucket or a loop; and that its poll lives on."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from returns.commands import at_terminal
from sluice.errors import Ref, ServiceMissing
from sluice.exchange import open as opening
from sluice.exchange.open import open_exchange
from sluice.exchange.sweeping import LeftUndone
from sluice.lake.s3 import objects
from sluice.lake.s3.versions import Listing, ListingCut
from sluice.orchestration.operators import DrainForgotten
from sluice.orchestration.trigger import (
    BUSY_SECONDS,
    NOTHING,
    PAUSE_AFTER_FAULT_SECONDS,
    WAKE_AGAIN_SECONDS,
    ObjectsWaiting,
    Seen,
    Sight,
    Wake,
    Watch,
)
from sluice.settings import Settings, get_settings
from support.desk import open_desk
from support.meanwhile import refusing

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
LATER, LAST = NOON + timedelta(seconds=2), NOON + timedelta(seconds=4)
SLOTS = 2

pytestmark = pytest.mark.slow  # importing Airflow's triggers takes seconds


def one(at: datetime, taken: int = 0) -> Seen:
    return Seen(1, at, at, taken)


def fired(*sights: Seen, every: float = 1.0) -> list[bool]:
    wake = Wake(SLOTS)
    return [wake.is_due(seen, index * every) for index, seen in enumerate(sights)]


def test_it_wakes_at_once_for_the_first_and_for_who_came_after_it_was_taken() -> None:
    assert fired(NOTHING, one(NOON), one(LATER, taken=1)) == [False, True, True]


def test_who_comes_while_a_wake_is_under_way_is_taken_by_whoever_was_woken() -> None:
    assert fired(one(NOON), Seen(2, NOON, LATER), Seen(3, NOON, LAST)) == [True, False, False]


def test_of_those_that_came_meanwhile_the_rest_wakes_once_the_first_is_taken_and_a_slot_is_free() -> None:
    assert fired(one(NOON), Seen(3, NOON, LAST), Seen(2, LATER, LAST, taken=1)) == [True, False, True]


def test_slots_that_are_all_at_work_come_back_by_themselves() -> None:
    busy = Seen(2, LATER, LAST, SLOTS)

    assert fired(one(NOON), busy, busy, busy, busy, every=BUSY_SECONDS / 4) == [True, False, False, False, True], "hung"
    assert fired(one(NOON), busy, Seen(1, LAST, LAST)) == [True, False, True], "one that ended had looked before"


def test_one_that_comes_while_another_closes_is_new_although_the_count_stays() -> None:
    assert fired(one(NOON), one(LATER)) == [True, True]


def test_one_that_was_tried_and_is_due_again_wakes() -> None:
    assert fired(one(NOON), NOTHING, one(NOON)) == [True, False, True]


def test_what_is_known_and_still_waits_wakes_again_after_a_while_only() -> None:
    same = [one(NOON)] * 4

    assert fired(*same) == [True, False, False, False]
    assert fired(*same, every=WAKE_AGAIN_SECONDS / 2) == [True, False, True, False]


def test_the_newest_that_closed_does_not_make_older_ones_look_new() -> None:
    assert fired(Seen(2, NOON, LATER), one(NOON), one(NOON)) == [True, False, False]


def test_nothing_never_wakes() -> None:
    assert not any(fired(NOTHING, NOTHING, every=WAKE_AGAIN_SECONDS))


def test_strays_of_two_flows_count_together() -> None:
    assert Seen(1, LATER, LATER, 1) | Seen(2, NOON, NOON) == Seen(3, NOON, LATER, 1)


def test_settings_that_cannot_be_used_stop_the_poll_only_until_they_can(
    store_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A poll that dies takes every flow of the triggerer with it."""

    async def poll() -> Sight:
        stream = ObjectsWaiting.open_shared_stream({})
        first = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(PAUSE_AFTER_FAULT_SECONDS / 2)
        assert not first.done()
        monkeypatch.setenv("SLUICE_SLOTS", "2")
        return await asyncio.wait_for(first, 60)

    with open_desk(store_settings, tmp_path) as desk, at_terminal(desk, monkeypatch):
        dropped = desk.drop(desk.campaign(3)[0])
        monkeypatch.setenv("SLUICE_SLOTS", "none")
        get_settings.cache_clear()
        sight = asyncio.run(poll())
        assert desk.line(dropped).decision == "open"
    assert {seen.count for seen in sight.values()} == {1}


def test_an_arrival_that_cannot_be_opened_keeps_the_poll_of_no_other(
    store_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_desk(store_settings, tmp_path) as desk, at_terminal(desk, monkeypatch):
        good, bad = desk.drop(b"x", "good.csv"), desk.drop(b"x", "bad.csv")
        watch = Watch()
        with refusing(desk.settings, bad.key):
            assert [seen.count for _ in range(2) for seen in watch.look().values()] == [1, 1]
            assert [line.id for line in desk.lines()] == [desk.line(good).id]
        assert [seen.count for seen in watch.look().values()] == [2], "the control: met again"


def test_a_principal_whose_files_cannot_be_listed_keeps_the_flows_of_no_other_from_being_woken(
    store_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_desk(store_settings, tmp_path) as desk, at_terminal(desk, monkeypatch):
        monkeypatch.setattr(objects, "Listing", partial(Listing, size=4))
        for name in ("a.csv", "a.csv.ok"):
            for _ in range(5):
                desk.drop(b"x", name)
        desk.drop(b"x", "other.csv", ("telecom01", "fiber_leads"))
        with pytest.raises(ListingCut):
            list(desk.house.objects.list_versions(desk.settings.bucket_exchange, "energy01/inbound/"))

        assert [seen.count for seen in Watch().look().values()] == [1]
        with pytest.raises(LeftUndone, match="left undone 1"):
            DrainForgotten(task_id="forgotten").work({})

        monkeypatch.setattr(objects, "Listing", Listing)
        assert sum(seen.count for seen in Watch().look().values()) == 11, "the control"


def test_while_a_store_is_away_the_poll_says_so_by_code_and_lives_on(
    store_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is away for one version, after the listing: as ever, one line a poll and no sight."""

    async def poll(back: Callable[[], None]) -> Sight:
        stream = ObjectsWaiting.open_shared_stream({})
        first = asyncio.ensure_future(anext(stream))
        while "SLU-102" not in caplog.text:
            await asyncio.sleep(PAUSE_AFTER_FAULT_SECONDS / 10)
        assert not first.done()
        back()
        return await asyncio.wait_for(first, 60)

    is_away = True

    def open_or_fail(*arguments: Any) -> bool:
        if is_away:
            raise ServiceMissing(Ref("service", "s3"))
        return open_exchange(*arguments)

    def back() -> None:
        nonlocal is_away
        is_away = False

    monkeypatch.setattr(opening, "open_exchange", open_or_fail)
    with open_desk(store_settings, tmp_path) as desk, at_terminal(desk, monkeypatch):
        desk.drop(b"x")
        sight = asyncio.run(poll(back))
    assert {seen.count for seen in sight.values()} == {1}
    assert {each.levelname for each in caplog.records if "SLU-102" in each.getMessage()} == {"WARNING"}
    assert not any(each.exc_info for each in caplog.records)
