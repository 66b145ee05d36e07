"""Somebody must stay out after a return was made: it is made again without them, also where its delivery waits."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from returns.evenings import Evening
from sluice.errors import StoreError
from sluice.exchange.effects.run import EFFECTS, do_effects
from sluice.exchange.house import House
from sluice.exchange.outbox import Effect
from sluice.exchange.persons.suppressed import keep_out, lift
from sluice.exchange.read import ExchangeLine
from sluice.exchange.store import claim_next
from sluice.returns.carry import carry_return
from sluice.returns.model import NotDelivered
from sluice.returns.release import deliver_again, release
from sluice.rights.person.identifiers import parse_identifier, refs_of
from sluice.subject.scope import EVERYTHING, MARKETING, Scope, scope_of
from sluice.subject.suppression import Suppression
from sluice.terms import Direction, ExchangeId, Principal
from support.night import RESULTS, Call

pytestmark = pytest.mark.stores
ENERGY = Principal("energy01")
REASONS = [Suppression.SOFT_HOLD, Suppression.RESTRICTED, Suppression.OBJECTED]


def called(night: Evening, count: int = 3) -> list[str]:
    """So many were called; their numbers."""
    people = night.people(count)
    night.called(*(Call(f"c{n}", *person) for n, person in enumerate(people)))
    return [record for record, _ in people]


@pytest.fixture
def waiting(night: Evening) -> ExchangeLine:
    """The return of three calls lies prepared and waits for a second person."""
    called(night)
    night.make()
    [line] = night.returns()
    return line


def hold(night: Evening, place: int, reason: Suppression = Suppression.SOFT_HOLD, scope: Scope = EVERYTHING) -> str:
    """The person at a place among the contacts is kept out from now on; the id of the run."""
    person = (parse_identifier(f"phone:{night.people(place + 1)[place][1]}", 1),)
    refs = frozenset(refs_of(person, night.desk.house.subject_key(ENERGY), ENERGY).values())
    now, cause = datetime.now(UTC), str(uuid4())
    return keep_out(night.desk.house, ENERGY, refs, reason, cause=cause, case_id=None, now=now, scope=scope)


def sent(night: Evening, line: ExchangeLine | None = None) -> list[str]:
    """Record numbers in a delivered return."""
    return [row["customer_number"] for row in night.rows(line)]


def files(night: Evening) -> list[str]:
    """Versions of what lies under the principal's returns of the day and is no document about one."""
    found = night.desk.objects(night.desk.settings.bucket_exchange)
    mine = f"energy01/outbound/{RESULTS}/{RESULTS}_{night.day}"
    return [item.key for item in found if item.key.startswith(mine) and item.key.endswith(".csv")]


def test_a_waiting_return_is_made_again_only_without_whom_is_in_it_and_kept_out_since(
    night: Evening, waiting: ExchangeLine
) -> None:
    hold(night, 5)
    night.make()
    assert [(line.id, line.decision) for line in night.returns()] == [(waiting.id, "open")], "nobody in it"
    hold(night, 1)
    night.make()

    newer, older = night.returns()
    assert (older.id, older.decision, older.reason_code) == (waiting.id, "refused", "STALE_NEWER_RETURN")
    assert newer.decision == "open"
    lake = [item.key for item in night.desk.objects(night.desk.settings.bucket_lake)]
    assert not [key for key in lake if waiting.id in key], "nothing of the older one is left"
    night.release(newer)
    assert sent(night) == [night.people(3)[0][0], night.people(3)[2][0]]
    assert night.record(newer).right_treatment.held_back == {"soft_hold": 1}
    night.make()
    assert len(night.returns()) == 2


def test_a_release_that_a_request_overtakes_delivers_nothing(night: Evening, waiting: ExchangeLine) -> None:
    """The slot took the released return up before it looked what is due."""
    house = night.desk.house
    release(house, waiting.id, "an.peeters", datetime.now(UTC))
    hold(night, 0, Suppression.OBJECTED)
    with claim_next(house.conn, Direction.OUTBOUND_RETURN, ENERGY, waiting.flow) as opened:
        assert opened is not None and opened.exchange_id == waiting.id
        assert carry_return(house, opened, {}) is None
    assert night.delivered() == {}
    night.make()
    newer, older = night.returns()
    assert (older.reason_code, newer.decision, night.delivered()) == ("STALE_NEWER_RETURN", "open", {})
    night.release(newer)
    assert len(sent(night)) == 2


def test_what_was_delivered_is_not_put_there_again_while_somebody_in_it_must_stay_out(
    night: Evening, waiting: ExchangeLine
) -> None:
    night.release(waiting)
    house, now, there = night.desk.house, datetime.now(UTC), len(files(night))
    for number, reason in enumerate(REASONS, 1):
        run = hold(night, 1, reason)
        with pytest.raises(NotDelivered, match="NAMES_SOMEBODY_KEPT_OUT"):
            deliver_again(house, waiting.id, "an.peeters", now)
        assert len(files(night)) == there + number - 1
        lift(house, run, datetime.now(UTC))
        hold(night, 5, reason)  # somebody who is not in it
        deliver_again(house, waiting.id, "an.peeters", now)
        assert len(files(night)) == there + number == there + len(night.entries("return.redelivered"))


def test_who_may_go_again_goes_in_a_return_that_supersedes(night: Evening) -> None:
    called(night)
    run = hold(night, 2)
    night.make()
    night.release(night.returns()[0])
    first = night.returns()[0]
    night.make()
    assert (len(sent(night)), len(night.returns())) == (2, 1)

    lift(night.desk.house, run, datetime.now(UTC) + timedelta(milliseconds=1))
    night.make()

    night.release(night.returns()[0])
    assert len(sent(night)) == 3
    assert night.record(night.returns()[0]).what.supersedes == first.id
    night.make()
    assert len(night.returns()) == 2


def fails(house: House, exchange_id: ExchangeId) -> None:
    raise StoreError


def undelivered(night: Evening, monkeypatch: pytest.MonkeyPatch, count: int = 3) -> None:
    """The return of some calls is closed, and the store was away when it was to be delivered."""
    called(night, count)
    with monkeypatch.context() as away:
        away.setattr("sluice.exchange.effects.run.EFFECTS", {**EFFECTS, Effect.DELIVERY: fails})
        night.make()
    assert [line.decision for line in night.returns()] == ["accepted"] and files(night) == []


def effects(night: Evening) -> None:
    """What the schedule does with the outbox, once the pause between two tries is over."""
    night.desk.house.conn.execute("update outbox set next_attempt_at = now() where done_at is null")
    do_effects(night.desk.house)


def waits(night: Evening) -> list[str]:
    rows = night.desk.sql("select last_error from outbox where effect = 'delivery' and done_at is null")
    return [str(row["last_error"]) for row in rows]


def test_one_whose_delivery_waits_is_made_again_without_whom_must_stay_out_since(
    at_once: Evening, monkeypatch: pytest.MonkeyPatch
) -> None:
    night = at_once
    undelivered(night, monkeypatch, 5)
    for place, reason in enumerate(REASONS):
        run = hold(night, place, reason)
        effects(night)
        assert (waits(night), night.delivered()) == (["SLU-419"], {}), "nothing of it is there, nor what explains it"
        if place < len(REASONS) - 1:
            lift(night.desk.house, run, datetime.now(UTC))
    hold(night, 0, Suppression.SOFT_HOLD)
    hold(night, 1, Suppression.RESTRICTED)

    night.make()
    effects(night)

    newer, older = night.returns()
    assert (newer.decision, older.decision, waits(night)) == ("partly_accepted", "accepted", [])
    assert sent(night) == [record for record, _ in night.people(5)[3:]] and len(files(night)) == 1
    assert night.record(newer).right_treatment.held_back == {reason.value: 1 for reason in REASONS}
    night.make()
    assert len(night.returns()) == 2 and len(files(night)) == 1


def test_what_a_return_is_for_says_whether_it_may_still_go(at_once: Evening, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an objection to marketing it is made again; of the others it goes as it was closed."""
    night, research = at_once, frozenset({"https://w3id.org/dpv#ResearchAndDevelopment"})
    undelivered(night, monkeypatch, 4)
    for place, (reason, purposes) in enumerate(
        (
            (Suppression.OBJECTED, research),
            (Suppression.CONSENT_WITHDRAWN, frozenset[str]()),  # a consent that it does not rest on
            (Suppression.OBJECTED, MARKETING),
        )
    ):
        hold(night, place, reason, scope_of(reason, purposes))
        night.make()
        assert len(night.returns()) == (1 if place < 2 else 2), place
    effects(night)
    assert sent(night) == [night.people(4)[place][0] for place in (0, 1, 3)]


def test_it_is_delivered_as_it_was_closed_without_them_or_once_they_may_go_again(
    at_once: Evening, monkeypatch: pytest.MonkeyPatch
) -> None:
    undelivered(at_once, monkeypatch)
    hold(at_once, 5, Suppression.OBJECTED)
    at_once.make()
    run = hold(at_once, 0, Suppression.SOFT_HOLD)
    effects(at_once)
    assert waits(at_once), "control"
    lift(at_once.desk.house, run, datetime.now(UTC))
    at_once.make()
    effects(at_once)
    assert (len(at_once.returns()), len(files(at_once)), waits(at_once)) == (1, 1, [])


def test_what_lies_there_is_noted_although_somebody_objects_since(
    at_once: Evening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker put it there, and died before it said so."""
    undelivered(at_once, monkeypatch)

    def dies(*_: object) -> None:
        raise StoreError

    with monkeypatch.context() as killed:
        killed.setattr("sluice.exchange.effects.deliver._note", dies)
        effects(at_once)
    assert len(files(at_once)) == 1 and waits(at_once)
    hold(at_once, 0, Suppression.OBJECTED)
    effects(at_once)
    [line] = at_once.returns()
    assert at_once.desk.sql(f"select 1 from acknowledgement where exchange_id = '{line.id}'") and waits(at_once) == []
