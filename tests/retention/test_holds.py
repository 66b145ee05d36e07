"""A hold keeps what it names until its last day, and names nobody."""

from datetime import UTC, datetime, timedelta

import pytest

from retention.keeping import ENERGY, at_night, entries, exists, lake_of, last_day
from retention.keeping import night as night  # the fixture
from sluice.errors import NotFound
from sluice.exchange.catalogue import find_copies
from sluice.retention import store
from sluice.retention.holds import confirm_return, hold, lift
from sluice.retention.model import HoldReason, RetentionRefused
from sluice.retention.run import find_due, retain
from sluice.terms import ExchangeId, Flow, Principal
from sluice.times import brussels_today
from support.night import Night


def test_a_hold_keeps_a_copy_until_its_last_day_or_until_it_is_lifted(night: Night) -> None:
    house, lake = night.desk.house, lake_of(night)
    day, [line] = last_day(lake), night.desk.lines()
    made = hold(
        house.conn, ENERGY, HoldReason.LEGAL_CLAIMS, "C-2026-1", day + timedelta(days=9), "an", datetime.now(UTC),
        exchange_id=ExchangeId(line.id),
    )  # fmt: skip

    held = retain(house, at_night(day + timedelta(days=9)))
    assert exists(night.desk, lake)
    assert held.deleted == 0 and held.held >= 1
    lift(house.conn, made.hold_id[:8], "bert", datetime.now(UTC))
    with pytest.raises(RetentionRefused, match="ALREADY_LIFTED"):
        lift(house.conn, made.hold_id, "bert", datetime.now(UTC))
    retain(house, at_night(day + timedelta(days=9)))
    assert not exists(night.desk, lake)
    assert [body["hold_id"] for kind in ("hold.set", "hold.lifted") for body in entries(night, kind)] == [
        made.hold_id
    ] * 2


def test_a_hold_says_no_name_and_no_day_that_is_past_and_is_of_something_that_is_there(night: Night) -> None:
    """Of a name nobody has it would keep nothing, and stay in the ledger as it was typed."""
    conn, now = night.desk.house.conn, datetime.now(UTC)
    with pytest.raises(RetentionRefused, match="UNTIL_IS_PAST"):
        hold(conn, ENERGY, HoldReason.LEGAL_CLAIMS, "C-1", brussels_today() - timedelta(days=1), "an", now)
    with pytest.raises(RetentionRefused, match="NOT_A_REFERENCE"):
        hold(conn, ENERGY, HoldReason.LEGAL_CLAIMS, "claim of Jan Peeters", brussels_today(), "an", now)
    with pytest.raises(NotFound):
        lift(conn, "none", "an", now)
    [line] = night.desk.lines()
    given = (HoldReason.LEGAL_CLAIMS, "C-1", brussels_today(), "an", now)
    mine, typed = ExchangeId(line.id), Flow("0475123456")
    for principal, flow, exchange in (
        (Principal("jan.peeters@x.be"), None, None),
        (ENERGY, typed, None),
        (ENERGY, typed, mine),
        (Principal("telecom01"), None, mine),
    ):
        with pytest.raises(NotFound) as refused:
            hold(conn, principal, *given, flow=flow, exchange_id=exchange)
        assert "peeters" not in str(refused.value) and typed not in str(refused.value)
    with pytest.raises(NotFound):
        lift(conn, "", "an", now)
    with pytest.raises(NotFound):
        find_due(night.desk.house, brussels_today(), now, Principal("energy1"))
    with pytest.raises(NotFound):
        confirm_return(conn, Principal("energy1"), "ACK-1", "an", now)
    assert store.find_holds(conn) == [] and entries(night, "hold.set") == []
    hold(conn, ENERGY, *given, flow=Flow(line.flow), exchange_id=mine)  # the control

    lift(conn, store.find_holds(conn)[0].hold_id, "an", now)
    check_set_while_copies_go(night)


def check_set_while_copies_go(night: Night) -> None:
    """It keeps those that are still there."""
    desk = night.desk
    desk.drop(desk.campaign(60, seed=7)[0], "second.csv")
    desk.work()
    lakes = [copy for line in desk.lines() for copy in find_copies(desk.house.conn, ExchangeId(line.id))]
    lakes = [copy for copy in lakes if copy.kind == "lake"]
    after = at_night(max(map(last_day, lakes)) + timedelta(days=1))

    def set_hold(done: int, of: int) -> None:
        if len(store.find_holds(desk.house.conn)) == 1:
            hold(desk.house.conn, ENERGY, HoldReason.LEGAL_CLAIMS, "C-9", after.date(), "an", datetime.now(UTC))

    done = retain(desk.house, after, progress=set_hold)

    assert sum(exists(desk, lake) for lake in lakes) == len(lakes) - 1 == 1
    assert done.held >= 2
