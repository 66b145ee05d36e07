"""One version is accepted once, however many work on it at the same moment (S-04)."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from sluice.db import connect
from sluice.exchange.drain import drain
from sluice.exchange.house import open_house
from sluice.exchange.open import Arrivals
from sluice.terms import Direction, Flow, Principal
from support.desk import ENERGY, Desk
from support.effort import effort

TRIGGERS, ROUNDS = 16, effort(1, 50)


def _work_at_once(desk: Desk) -> list[int]:
    """Sixteen triggers and slots at the same moment; how many exchanges each opened."""
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
def test_sixteen_triggers_of_one_file_accept_it_once(
    desk: Desk, record_property: Callable[[str, object], None]
) -> None:
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
    record_property("S-04 16 triggers of one file", f"{ROUNDS} rounds: 1 acceptance, 1 receipt, 1 lake object each")


def test_without_the_unique_key_the_same_race_opens_more_than_once(desk: Desk) -> None:
    """The control: all is the product's own, but for what makes two rows of one version the same."""
    with connect(desk.settings.model_copy(update={"database_url": desk.settings.database_admin_url})) as admin:
        admin.execute("alter table exchange drop constraint exchange_once")
        admin.execute("alter table exchange add column apart uuid not null default gen_random_uuid()")
        admin.execute("alter table exchange add constraint exchange_once unique (apart)")
    desk.drop(desk.campaign(rows=50)[0])
    assert sum(_work_at_once(desk)) > 1
