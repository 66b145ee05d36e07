"""Somebody must stay out after a return was made: what waits is made again without them; what may go again, goes."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from sluice.exchange.persons.suppressed import keep_out, lift
from sluice.exchange.read import ExchangeLine
from sluice.exchange.store import claim_next
from sluice.lake.s3.objects import StoredObject
from sluice.returns.carry import carry_return
from sluice.returns.model import NotDelivered
from sluice.returns.release import deliver_again, release
from sluice.rights.person.identifiers import parse_identifier, refs_of
from sluice.subject.suppression import Suppression
from sluice.terms import Direction, Principal
from support.night import Call, Night

pytestmark = pytest.mark.stores
ENERGY = Principal("energy01")


@pytest.fixture
def waiting(night: Night) -> ExchangeLine:
    """The return of three calls lies prepared and waits for a second person."""
    night.called(*(Call(f"c{n}", *person) for n, person in enumerate(night.people(3))))
    night.make()
    [line] = night.returns()
    return line


def hold(night: Night, place: int, reason: Suppression = Suppression.SOFT_HOLD) -> str:
    """The person at a place among the contacts is kept out from now on; the id of the run."""
    person = (parse_identifier(f"phone:{night.people(place + 1)[place][1]}", 1),)
    refs = frozenset(refs_of(person, night.desk.house.subject_key(ENERGY), ENERGY).values())
    return keep_out(night.desk.house, ENERGY, refs, reason, cause=f"test {place}", case_id=None, now=datetime.now(UTC))


def sent(night: Night, line: ExchangeLine) -> list[str]:
    """Record numbers in a delivered return."""
    return [row["customer_number"] for row in csv.DictReader(io.StringIO(night.file(line).decode()), delimiter=";")]


def test_a_waiting_return_that_names_somebody_kept_out_since_is_made_again_without_them(
    night: Night, waiting: ExchangeLine
) -> None:
    hold(night, 1)
    night.make()

    newer, older = night.returns()
    assert (older.id, older.decision, older.reason_code) == (waiting.id, "refused", "STALE_NEWER_RETURN")
    assert newer.decision == "open"
    lake = [item.key for item in night.desk.objects(night.desk.settings.bucket_lake)]
    assert not [key for key in lake if waiting.id in key], "nothing of the older one is left"
    night.release(newer)
    assert sent(night, night.returns()[0]) == [night.people(3)[0][0], night.people(3)[2][0]]
    assert night.record(night.returns()[0]).right_treatment.held_back == {"soft_hold": 1}


def test_a_waiting_return_without_the_person_goes_on_waiting(night: Night, waiting: ExchangeLine) -> None:
    hold(night, 5)
    night.make()
    assert [(line.id, line.decision) for line in night.returns()] == [(waiting.id, "open")]
    night.release(waiting)
    assert len(sent(night, waiting)) == 3


def test_a_release_that_a_request_overtakes_delivers_nothing(night: Night, waiting: ExchangeLine) -> None:
    """The slot took the released return up before it looked what is due."""
    house = night.desk.house
    release(house, waiting.id, "an.peeters", datetime.now(UTC))
    hold(night, 0, Suppression.OBJECTED)
    with claim_next(house.conn, Direction.OUTBOUND_RETURN, ENERGY, waiting.flow) as opened:
        assert opened is not None
        assert carry_return(house, opened, {}) is None
    assert night.delivered() == {}
    night.make()
    newer, older = night.returns()
    assert (older.reason_code, newer.decision, night.delivered()) == ("STALE_NEWER_RETURN", "open", {})
    night.release(newer)
    assert len(sent(night, newer)) == 2


@pytest.mark.parametrize("reason", [Suppression.SOFT_HOLD, Suppression.RESTRICTED, Suppression.OBJECTED])
def test_what_was_delivered_is_not_put_there_again_while_somebody_in_it_must_stay_out(
    night: Night, waiting: ExchangeLine, reason: Suppression
) -> None:
    night.release(waiting)
    house, now = night.desk.house, datetime.now(UTC)
    versions = [item.version_id for item in files_of(night)]
    hold(night, 5, reason)
    deliver_again(house, waiting.id, "an.peeters", now)
    assert len(files_of(night)) == len(versions) + 1, "somebody who is not in it"

    run = hold(night, 1, reason)
    with pytest.raises(NotDelivered, match="NAMES_SOMEBODY_KEPT_OUT"):
        deliver_again(house, waiting.id, "an.peeters", now)
    assert len(files_of(night)) == len(versions) + 1
    assert len(night.desk.sql("select 1 from ledger.entry where kind = 'return.redelivered'")) == 1
    lift(house, run, datetime.now(UTC))
    deliver_again(house, waiting.id, "an.peeters", now)
    assert len(files_of(night)) == len(versions) + 2


def files_of(night: Night) -> list[StoredObject]:
    """Versions of what lies under the principal's returns and is no document about one."""
    found = night.desk.objects(night.desk.settings.bucket_exchange)
    return [item for item in found if item.key.startswith("energy01/outbound/") and item.key.endswith(".csv")]


def test_who_may_go_again_goes_in_a_return_that_supersedes(night: Night) -> None:
    night.called(*(Call(f"c{n}", *person) for n, person in enumerate(night.people(3))))
    run = hold(night, 2)
    night.make()
    night.release(night.returns()[0])
    first = night.returns()[0]
    night.make()
    assert (len(sent(night, first)), len(night.returns())) == (2, 1)

    lift(night.desk.house, run, datetime.now(UTC) + timedelta(milliseconds=1))
    night.make()

    night.release(night.returns()[0])
    assert len(sent(night, night.returns()[0])) == 3
    assert night.record(night.returns()[0]).what.supersedes == first.id
    night.make()
    assert len(night.returns()) == 2
