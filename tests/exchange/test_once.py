"""What is accepted once, however many work on it, and what is accepted again: bytes that another file came between, or
that are gone."""

import io
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from exchange.conftest import lent_desk
from rights.asking import asked
from sluice import locks
from sluice.agreement.in_force.activate import activate_all
from sluice.db import connect
from sluice.errors import SluiceError
from sluice.exchange import store
from sluice.exchange.catalogue import get_copy
from sluice.exchange.close import close
from sluice.exchange.drain import drain
from sluice.exchange.house import open_house
from sluice.exchange.judge import judged_exchange
from sluice.exchange.keep import keep
from sluice.exchange.model import Age, says_again
from sluice.exchange.open import Arrivals
from sluice.lake.s3.objects import StoredObject
from sluice.locks import About
from sluice.retention.run import retain
from sluice.rights.erasure.erase import run
from sluice.settings import Settings
from sluice.terms import Direction, ExchangeId, Flow, Principal
from support.copies import Copies
from support.desk import ENERGY, Desk, open_desk
from support.effort import effort
from support.night import AT_ONCE, RESULTS_CONTRACT, Call, call_log, change, copied_night

TRIGGERS, ROUNDS = effort(6, 16), effort(1, 50)


def _work_at_once(desk: Desk) -> list[int]:
    """So many triggers and slots at the same moment; how many exchanges each opened."""
    start = threading.Barrier(TRIGGERS)

    def one(_: int) -> int:
        with open_house(desk.settings) as house:
            start.wait()
            opened = Arrivals.of(desk.settings).open_new(house.conn, house.objects).opened
            drain(house, Direction.INBOUND, Principal(ENERGY[0]), Flow(ENERGY[1]), {})
        return opened

    with ThreadPoolExecutor(TRIGGERS) as pool:
        return list(pool.map(one, range(TRIGGERS)))


@pytest.mark.timeout(600)
@pytest.mark.evidence
def test_many_triggers_of_one_file_accept_it_once(desk: Desk, record_property: Callable[[str, object], None]) -> None:
    for number in range(ROUNDS):
        desk.drop(desk.campaign(rows=50, seed=number)[0], f"f{number}.csv")
        opened = _work_at_once(desk)
        assert sum(opened) == 1
    desk.work()
    receipts = [o for o in desk.objects(desk.settings.bucket_exchange) if o.key.endswith(".json")]
    lake = [o for o in desk.objects(desk.settings.bucket_lake) if o.key.endswith(".parquet") and "exchange=" in o.key]
    parts = [o for o in lake if o.key.endswith("part-0.parquet")]
    entries = desk.sql("select 1 from ledger.entry where kind = 'exchange.closed'")
    assert [line.decision for line in desk.lines()] == ["accepted"] * ROUNDS
    assert (len(receipts), len(parts), len(entries)) == (ROUNDS, ROUNDS, ROUNDS)
    record_property(
        f"S-04 {TRIGGERS} triggers of one file", f"{ROUNDS} rounds: 1 acceptance, 1 receipt, 1 lake object each"
    )


def test_without_the_unique_key_the_same_race_opens_more_than_once(desk: Desk) -> None:
    """The control: all is the product's own, but for what makes two rows of one version the same."""
    with connect(desk.settings.model_copy(update={"database_url": desk.settings.database_admin_url})) as admin:
        admin.execute("alter table exchange drop constraint exchange_once")
        admin.execute("alter table exchange add column apart uuid not null default gen_random_uuid()")
        admin.execute("alter table exchange add constraint exchange_once unique (apart)")
    desk.drop(desk.campaign(rows=50)[0])
    assert sum(_work_at_once(desk)) > 1


ENERGY01, CAMPAIGN = Principal(ENERGY[0]), Flow(ENERGY[1])
ROUNDS_AGAIN = effort(1, 20)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def age(name: str, hours: float) -> Age:
    """The age of a file with this name that was put this many hours after noon."""
    moment = NOON + timedelta(hours=hours)
    return Age(ExchangeId(name), name, moment, moment)


BESIDE = [age("g_2026-11-09", 1), age("g_2026-11-19", 1)]


@pytest.mark.parametrize(
    ("why", "name", "last", "others", "is_news"),
    [
        ("another in between", "f_2026-11-18", age("f_2026-11-10", 0), [age("g_2026-11-14", 1)], True),
        ("by its day, not its arrival", "f_2026-11-18", age("f_2026-11-10", 0), [age("g_2026-11-14", -1)], True),
        ("of the same day as this", "f_2026-11-18", age("f_2026-11-10", 0), [age("g_2026-11-18", 1)], True),
        ("of the same day as the first", "f_2026-11-18", age("f_2026-11-10", 0), [age("g_2026-11-10", 1)], True),
        ("by its arrival", "f_2026-11-20", age("f", -30), [age("g", -20)], True),
        ("nothing in between", "f_2026-11-18", age("f_2026-11-10", 0), [], False),
        ("others before and after", "f_2026-11-18", age("f_2026-11-10", 0), BESIDE, False),
        ("the same day", "f_2026-11-18", age("f_2026-11-18", 0), [age("g_2026-11-18", 1)], False),
        ("an older day", "f_2026-11-09", age("f_2026-11-10", 0), [age("g_2026-11-14", 1)], False),
        ("no day", "f", age("f_2026-11-10", 0), [age("g_2026-11-14", 1)], False),
        ("a day that had not come", "f_2026-11-21", age("f_2026-11-10", 0), [age("g_2026-11-14", 1)], False),
        ("the day on which the first came", "f_2026-11-20", age("f", 0), [age("g", 1)], False),
    ],
)
def test_what_says_the_same_again(why: str, name: str, last: Age, others: list[Age], is_news: bool) -> None:
    assert says_again(age(name, 2), last, others) is is_news, why


def day(back: int) -> str:
    return f"{datetime.now(UTC) - timedelta(days=back):%Y-%m-%d}"


def content(desk: Desk, seed: int) -> bytes:
    return desk.campaign(rows=50, seed=seed)[0].read_bytes()


def two_accepted(settings: Settings, folder: Path) -> None:
    """Fills an installation: two files were accepted."""
    with open_desk(settings, folder) as desk:
        desk.drop(content(desk, 1), f"f_{day(300)}.csv")
        desk.drop(content(desk, 2), f"g_{day(290)}.csv")
        desk.work()
        assert [line.decision for line in desk.lines()] == ["accepted", "accepted"]


@pytest.fixture
def two(copies: Copies, tmp_path: Path) -> Iterator[Desk]:
    with lent_desk(copies, tmp_path, fill=two_accepted) as opened:
        yield opened


def decisions(desk: Desk, dropped: list[StoredObject]) -> list[str]:
    return sorted(str(desk.line(each).reason_code or desk.line(each).decision) for each in dropped)


@pytest.mark.timeout(600)
def test_many_triggers_of_what_is_said_again_twice_accept_it_once(two: Desk) -> None:
    first = content(two, 1)
    for number in range(ROUNDS_AGAIN):
        again = [two.drop(first, f"f_{day(280 - 10 * number)}.{name}.csv") for name in "ab"]
        start = threading.Barrier(TRIGGERS)

        def one(_: int, start: threading.Barrier = start) -> None:
            with open_house(two.settings) as house:
                start.wait()
                Arrivals.of(two.settings).open_new(house.conn, house.objects)
                drain(house, Direction.INBOUND, ENERGY01, CAMPAIGN, {})

        with ThreadPoolExecutor(TRIGGERS) as pool:
            list(pool.map(one, range(TRIGGERS)))
        two.work()
        assert decisions(two, again) == ["DUPLICATE_CONTENT", "accepted"]
        two.drop(content(two, 100 + number), f"g_{day(275 - 10 * number)}.csv")
        two.work()


@pytest.mark.parametrize("has_index", [True, False], ids=["as it is", "the control: without the unique index"])
def test_whoever_lost_the_lock_of_the_content_accepts_it_no_second_time(two: Desk, *, has_index: bool) -> None:
    first = content(two, 1)
    if not has_index:
        with connect(two.settings.model_copy(update={"database_url": two.settings.database_admin_url})) as admin:
            admin.execute("drop index sluice.exchange_content_once")
    again = [two.drop(first, f"f_{day(280)}.{name}.csv") for name in "ab"]
    two.open_new()
    with open_house(two.settings) as other:
        with store.claim_next(two.house.conn, Direction.INBOUND, ENERGY01, CAMPAIGN) as opened:
            assert opened is not None
            with judged_exchange(two.house, opened) as judged:
                assert judged.fetched is not None
                what = f"{opened.principal}/{opened.direction}/{opened.flow}/{judged.fetched.sha256}"
                locks.release(two.house.conn, About.CONTENT, what)
                assert drain(other, Direction.INBOUND, ENERGY01, CAMPAIGN, {}).decisions == {"accepted": 1}
                kept = keep(two.house, judged)
                if has_index:
                    with pytest.raises(SluiceError, match="exchange_content_once"):
                        close(two.house, kept, {})
                else:
                    close(two.house, kept, {})
        two.house.conn.execute("update exchange set next_attempt_at = now() where decision = 'open'")
        two.work()
        wanted = ["DUPLICATE_CONTENT", "accepted"] if has_index else ["accepted", "accepted"]
        assert decisions(two, again) == wanted


def test_its_receipt_and_lineage_are_its_own(two: Desk) -> None:
    again = two.drop(content(two, 1), f"f_{day(280)}.csv")
    two.work()
    ids = [two.line(again).id, *(line.id for line in two.lines() if line.id != two.line(again).id)]
    receipts = [o.key for o in two.objects(two.settings.bucket_exchange) if o.key.endswith(".json")]
    assert all(sum(each in key for key in receipts) == 1 for each in ids)
    lake = [o.key for o in two.objects(two.settings.bucket_lake) if o.key.endswith("part-0.parquet")]
    assert all(sum(each in key for key in lake) == 1 for each in ids)
    after = two.sql("select said_again_after::text as id from exchange where said_again_after is not null")
    assert len(after) == 1 and after[0]["id"] in ids[1:]


YEARS = timedelta(days=400)
"""Longer than any rule of energy01 for contacts and results."""


def what_became_of(desk: Desk, dropped: StoredObject) -> str:
    line = desk.line(dropped)
    return str(line.reason_code or line.decision)


def sent(desk: Desk, content: bytes, name: str) -> str:
    dropped = desk.drop(content, name)
    desk.work()
    return what_became_of(desk, dropped)


def is_deleted(desk: Desk, times: int = 1) -> bool:
    """Retention goes by; whether it left nothing that was accepted."""
    retain(desk.house, datetime.now(UTC) + YEARS * times)
    return not desk.sql("select from accepted_data where direction = 'inbound'")


def test_a_list_that_was_deleted_may_come_again_once_after_each_time(desk: Desk) -> None:
    content = desk.campaign(20)[0].read_bytes()

    assert sent(desk, content, "leads_b.csv") == "accepted"
    assert sent(desk, content, "leads_c.csv") == "DUPLICATE_CONTENT", "the control: while it is there"
    assert is_deleted(desk)
    assert sent(desk, content, "leads_2026-01-05.csv") == "accepted"
    assert sent(desk, content, "leads_d.csv") == "DUPLICATE_CONTENT"
    assert is_deleted(desk)
    assert sent(desk, content, "leads_b.csv") == "accepted", "the oldest of them was not the last that was accepted"
    assert sent(desk, content, "leads_b.csv") == "DUPLICATE_CONTENT"


def test_who_was_erased_does_not_come_back_with_it(copies: Copies, tmp_path: Path) -> None:
    with copied_night(copies, tmp_path) as night:
        desk, (_, (number, phone)) = night.desk, night.people(2)
        assert run(desk.house, asked(night, phone, number).case_id, datetime.now(UTC)).residual == 0
        content = night.contacts.read_bytes()
        assert sent(desk, content, "edited.csv") == "DUPLICATE_CONTENT", "the control: an erasure of one edits it"
        assert is_deleted(desk)

        again = desk.drop(content, "again.csv")
        desk.work()

        assert desk.line(again).decision in ("accepted", "partly_accepted")
        taken = lake_of(desk, again)["customer_number"].to_list()
        assert number not in taken
        assert len(taken) == len(night.people(1000)) - 1, "and everybody else is there"


def lake_of(desk: Desk, dropped: StoredObject) -> pl.DataFrame:
    copy = get_copy(desk.house.conn, ExchangeId(desk.line(dropped).id), "lake")
    return pl.read_parquet(io.BytesIO(desk.house.objects.read(copy.bucket, copy.key, copy.version_id)))


def test_results_that_were_deleted_are_sent_twice_all_the_same_and_no_new_contract_brings_them_back(
    copies: Copies, tmp_path: Path
) -> None:
    """They went to the principal, and would go a second time. What a contract refused of them may come again while the
    rest is here to compare with; else all would be due again."""
    with copied_night(copies, tmp_path, AT_ONCE) as night:
        desk = night.desk
        log = call_log([Call(f"c{n}", *person) for n, person in enumerate(night.people(4))] + [Call("c4", "", "")])
        assert desk.line(night.results(log)).decision == "partly_accepted"
        assert night.make().decisions == {"accepted": 1}
        new_contract(desk, "1.0.0", "1.0.1")
        assert desk.line(night.results(log, "again.csv")).decision == "partly_accepted", "the control: still there"

        assert is_deleted(desk) and not desk.sql("select from accepted_data")
        for name in ("after.csv", "later.csv"):
            assert what_became_of(desk, night.results(log, name)) == "DUPLICATE_CONTENT"
            if name == "after.csv":
                new_contract(desk, "1.0.1", "1.0.2")
        assert not night.make().decisions


def new_contract(desk: Desk, old: str, new: str) -> None:
    change(desk.settings.principals_dir / ENERGY[0] / RESULTS_CONTRACT, f"version: {old}", f"version: {new}")
    activated = activate_all(desk.house.conn, desk.settings.principals_dir, datetime.now(UTC))
    assert not any(each.is_refused for each in activated)
