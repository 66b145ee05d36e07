"""Two workers at the effects of one return: nothing of it waits for the schedule."""

import threading
from pathlib import Path

import pytest

from sluice.exchange.effects import run
from sluice.exchange.effects.run import do_effects
from sluice.exchange.house import House, open_house
from sluice.terms import ExchangeId
from support.copies import Copies
from support.night import AT_ONCE, Call, copied_night

pytestmark = pytest.mark.stores
PATIENCE = 60


def test_who_comes_while_the_receipt_is_given_leaves_the_delivery_to_who_gives_it(
    copies: Copies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()
    give = run.EFFECTS["receipt"]

    def slowly(house: House, exchange_id: ExchangeId) -> None:
        begun.set()
        assert go_on.wait(PATIENCE)
        give(house, exchange_id)

    with copied_night(copies, tmp_path, AT_ONCE) as night:
        night.called(Call("c1", *night.people(1)[0]))
        monkeypatch.setattr(run, "EFFECTS", {**run.EFFECTS, "receipt": slowly})
        first = threading.Thread(target=night.make)
        first.start()
        try:
            assert begun.wait(PATIENCE)
            with open_house(night.desk.settings) as house:
                do_effects(house)
                [tried] = house.conn.execute("select attempts from outbox where effect = 'delivery'").fetchall()
        finally:
            go_on.set()
            first.join(PATIENCE)
        assert tried["attempts"] == 0
        assert not night.desk.sql("select effect from outbox where done_at is null")
        assert night.file(night.returns()[0])
