"""What a dead worker left half deleted is finished and recorded once, also where an erasure came in between."""

from datetime import UTC, datetime, timedelta

from retention.keeping import ENERGY, at_night, entries, exists, lake_of, last_day
from retention.keeping import night as night  # the fixture
from rights.asking import asked
from sluice.exchange.catalogue import find_copies
from sluice.ledger.record import CopyLine
from sluice.retention import store
from sluice.retention.holds import hold
from sluice.retention.model import HoldReason
from sluice.retention.run import Retained, find_due, retain
from sluice.rights.erasure.erase import run
from sluice.terms import ExchangeId
from support.desk import Desk
from support.night import Night

PROSE = "Een bladzijde die niemand als tabel kan lezen. " * 40


def test_what_a_dead_worker_left_half_done_is_finished_and_recorded_once(night: Night) -> None:
    house, lake = night.desk.house, lake_of(night)
    after = at_night(last_day(lake) + timedelta(days=1))
    dues = [due for due in find_due(house, after.date(), after) if due.copy.kind == "lake"]
    store.note_begun(house.conn, dues)
    house.conn.execute("update copy set gone_at = now() where kind = 'lake'")
    assert exists(night.desk, lake), "it died before the object went"

    retain(house, after)
    retain(house, after)

    assert not exists(night.desk, lake)
    deleted = [copy["kind"] for body in entries(night, "copies.deleted") for copy in body["copies"]]
    assert deleted.count("lake") == 1


def test_of_an_exchange_that_a_dead_worker_half_deleted_one_entry_tells_the_rest(night: Night) -> None:
    desk = night.desk
    desk.drop(desk.campaign(20, seed=7)[0], "second.csv")
    desk.work()
    ids = sorted(line.id for line in desk.lines())
    after = at_night(max(last_day(copy) for copy in copies_of(desk)) + timedelta(days=1))
    dues = find_due(desk.house, after.date(), after)
    assert [due.copy.exchange_id for due in dues] == sorted(due.copy.exchange_id for due in dues)
    begun = [next(due for due in dues if due.copy.exchange_id == each) for each in ids]
    store.note_begun(desk.house.conn, begun)
    for due in begun:  # and it died: of each exchange one copy is gone, the others were not reached
        desk.house.conn.execute(
            "update copy set gone_at = now() where exchange_id = %s and kind = %s",
            (due.copy.exchange_id, due.copy.kind),
        )

    done = retain(desk.house, after)

    told = entries(night, "copies.deleted")
    assert sorted(body["exchange_id"] for body in told) == ids
    assert done.deleted == len(dues) == sum(len(body["copies"]) for body in told) > 2 * len(ids)


def copies_of(desk: Desk) -> list[CopyLine]:
    return [
        copy
        for line in desk.lines()
        for copy in find_copies(desk.house.conn, ExchangeId(line.id))
        if copy.delete_after is not None
    ]


def test_the_last_copies_of_a_principal_are_finished_too_whatever_was_held_since(night: Night) -> None:
    house, lake = night.desk.house, lake_of(night)
    after = at_night(last_day(lake) + timedelta(days=400))
    store.note_begun(house.conn, find_due(house, after.date(), after))
    house.conn.execute("update copy set gone_at = now()")
    hold(house.conn, ENERGY, HoldReason.LEGAL_CLAIMS, "C-9", after.date(), "an", datetime.now(UTC))
    assert exists(night.desk, lake), "it died before any object went"

    done = retain(house, after)

    assert (done.held, done.failed) == (0, 0) and done.deleted >= 2
    assert not exists(night.desk, lake)
    house.conn.execute("update copy set gone_at = now()")
    assert retain(house, after) == Retained(), "what an erasure removed is no copy of retention"


def test_what_an_erasure_removed_after_a_worker_died_is_not_recorded_as_gone_on_its_day(night: Night) -> None:
    house, (record, phone) = night.desk.house, night.people(1)[0]
    letter = night.desk.drop(f"Geen tabel, maar een brief: bel mij op {phone}. {PROSE}".encode(), "odd.csv")
    night.desk.work()
    exchange_id, later = night.desk.line(letter).id, datetime.now(UTC) + timedelta(days=4_000)
    dues = [due for due in find_due(house, later.date(), later) if due.copy.exchange_id == exchange_id]
    store.note_begun(house.conn, dues)  # and it died before the first copy went

    assert run(house, asked(night, phone, record).case_id, datetime.now(UTC)).residual == 0

    removed = night.desk.sql("select exchange_id::text, kind from erasure_outcome where outcome = 'removed'")
    kinds = {str(row["kind"]) for row in removed if row["exchange_id"] == exchange_id}
    assert "arrived" in kinds <= {due.copy.kind for due in dues}, "control: it was begun, and the erasure took it"
    retain(house, later)
    told = {(body["exchange_id"], copy["kind"]) for body in entries(night, "copies.deleted") for copy in body["copies"]}
    assert told and told.isdisjoint((exchange_id, kind) for kind in kinds)
    assert store.find_principals(house.conn) == [], "and it is looked for no more"
    assert retain(house, later) == Retained()
