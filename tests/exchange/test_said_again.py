"""The bytes of an accepted file are taken again, and once, where another file of the flow is between the two."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from sluice import locks
from sluice.db import connect
from sluice.errors import SluiceError
from sluice.exchange import store
from sluice.exchange.close import close
from sluice.exchange.drain import drain
from sluice.exchange.house import House, open_house
from sluice.exchange.judge import judged_exchange
from sluice.exchange.keep import keep
from sluice.exchange.model import Age, says_again
from sluice.exchange.open import Arrivals
from sluice.lake.s3.objects import StoredObject
from sluice.locks import About
from sluice.terms import Direction, ExchangeId, Flow, Principal
from support.desk import ENERGY, Desk
from support.effort import effort

ENERGY01, CAMPAIGN = Principal(ENERGY[0]), Flow(ENERGY[1])
TRIGGERS, ROUNDS = 16, effort(1, 20)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def age(name: str, hours: float) -> Age:
    """The age of a file with this name that was put this many hours after noon."""
    moment = NOON + timedelta(hours=hours)
    return Age(ExchangeId(name), name, moment, moment)


@pytest.mark.parametrize(
    ("name", "last", "others", "is_news"),
    [
        ("f_2026-11-18", age("f_2026-11-10", 0), [age("g_2026-11-14", 1)], True),
        ("f_2026-11-18", age("f_2026-11-10", 0), [age("g_2026-11-14", -1)], True),
        ("f_2026-11-18", age("f_2026-11-10", 0), [age("g_2026-11-18", 1)], True),
        ("f_2026-11-18", age("f_2026-11-10", 0), [age("g_2026-11-10", 1)], True),
        ("f_2026-11-20", age("f", -30), [age("g", -20)], True),
        ("f_2026-11-18", age("f_2026-11-10", 0), [], False),
        ("f_2026-11-18", age("f_2026-11-10", 0), [age("g_2026-11-09", 1), age("g_2026-11-19", 1)], False),
        ("f_2026-11-18", age("f_2026-11-18", 0), [age("g_2026-11-18", 1)], False),
        ("f_2026-11-09", age("f_2026-11-10", 0), [age("g_2026-11-14", 1)], False),
        ("f", age("f_2026-11-10", 0), [age("g_2026-11-14", 1)], False),
        ("f_2026-11-21", age("f_2026-11-10", 0), [age("g_2026-11-14", 1)], False),
        ("f_2026-11-20", age("f", 0), [age("g", 1)], False),
    ],
    ids=[
        "another in between",
        "by its day, though it was put before",
        "of the same day as this",
        "of the same day as the first",
        "by its arrival",
        "nothing in between",
        "others before and after",
        "the same day",
        "an older day",
        "no day",
        "a day that had not come",
        "the day on which the first came",
    ],
)
def test_what_says_the_same_again(name: str, last: Age, others: list[Age], is_news: bool) -> None:
    assert says_again(age(name, 2), last, others) is is_news


def day(back: int) -> str:
    return f"{datetime.now(UTC) - timedelta(days=back):%Y-%m-%d}"


def content(desk: Desk, seed: int) -> bytes:
    return desk.campaign(rows=50, seed=seed)[0].read_bytes()


def said_before(desk: Desk) -> bytes:
    """Two accepted files; gives the bytes of the older one."""
    first = content(desk, 1)
    desk.drop(first, f"f_{day(300)}.csv")
    desk.drop(content(desk, 2), f"g_{day(290)}.csv")
    desk.work()
    assert [line.decision for line in desk.lines()] == ["accepted", "accepted"]
    return first


def decisions(desk: Desk, dropped: list[StoredObject]) -> list[str]:
    return sorted(str(desk.line(each).reason_code or desk.line(each).decision) for each in dropped)


@pytest.mark.timeout(600)
def test_sixteen_triggers_of_what_is_said_again_twice_accept_it_once(desk: Desk) -> None:
    first = said_before(desk)
    for number in range(ROUNDS):
        again = [desk.drop(first, f"f_{day(280 - 10 * number)}.{name}.csv") for name in "ab"]
        start = threading.Barrier(TRIGGERS)

        def one(_: int, start: threading.Barrier = start) -> None:
            with open_house(desk.settings) as house:
                start.wait()
                Arrivals.of(desk.settings).open_new(house.conn, house.objects)
                drain(house, Direction.INBOUND, ENERGY01, CAMPAIGN, {})

        with ThreadPoolExecutor(TRIGGERS) as pool:
            list(pool.map(one, range(TRIGGERS)))
        desk.work()
        assert decisions(desk, again) == ["DUPLICATE_CONTENT", "accepted"]
        desk.drop(content(desk, 100 + number), f"g_{day(275 - 10 * number)}.csv")
        desk.work()


@contextmanager
def two_at_once(desk: Desk, first: bytes) -> Iterator[tuple[list[StoredObject], House]]:
    """Two files that say the same again, and a second worker beside."""
    again = [desk.drop(first, f"f_{day(280)}.{name}.csv") for name in "ab"]
    desk.open_new()
    with open_house(desk.settings) as other:
        yield again, other


@pytest.mark.parametrize("has_index", [True, False], ids=["as it is", "the control: without the unique index"])
def test_whoever_lost_the_lock_of_the_content_accepts_it_no_second_time(desk: Desk, *, has_index: bool) -> None:
    first = said_before(desk)
    if not has_index:
        with connect(desk.settings.model_copy(update={"database_url": desk.settings.database_admin_url})) as admin:
            admin.execute("drop index sluice.exchange_content_once")
    with two_at_once(desk, first) as (again, other):
        with store.claim_next(desk.house.conn, Direction.INBOUND, ENERGY01, CAMPAIGN) as opened:
            assert opened is not None
            with judged_exchange(desk.house, opened) as judged:
                assert judged.fetched is not None
                what = f"{opened.principal}/{opened.direction}/{opened.flow}/{judged.fetched.sha256}"
                locks.release(desk.house.conn, About.CONTENT, what)
                assert drain(other, Direction.INBOUND, ENERGY01, CAMPAIGN, {}).decisions == {"accepted": 1}
                kept = keep(desk.house, judged)
                if has_index:
                    with pytest.raises(SluiceError, match="exchange_content_once"):
                        close(desk.house, kept, {})
                else:
                    close(desk.house, kept, {})
        desk.house.conn.execute("update exchange set next_attempt_at = now() where decision = 'open'")
        desk.work()
        wanted = ["DUPLICATE_CONTENT", "accepted"] if has_index else ["accepted", "accepted"]
        assert decisions(desk, again) == wanted


def test_its_receipt_and_lineage_are_its_own(desk: Desk) -> None:
    first = said_before(desk)
    again = desk.drop(first, f"f_{day(280)}.csv")
    desk.work()
    ids = [desk.line(again).id, *(line.id for line in desk.lines() if line.id != desk.line(again).id)]
    receipts = [o.key for o in desk.objects(desk.settings.bucket_exchange) if o.key.endswith(".json")]
    assert all(sum(each in key for key in receipts) == 1 for each in ids)
    lake = [o.key for o in desk.objects(desk.settings.bucket_lake) if o.key.endswith("part-0.parquet")]
    assert all(sum(each in key for key in lake) == 1 for each in ids)
    after = desk.sql("select said_again_after::text as id from exchange where said_again_after is not null")
    assert len(after) == 1 and after[0]["id"] in ids[1:]
