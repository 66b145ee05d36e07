"""A closed return waits for its delivery, and somebody in it objects: it goes nowhere, and one without them goes."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from sluice.errors import StoreError
from sluice.exchange.effects.run import EFFECTS, do_effects
from sluice.exchange.house import House
from sluice.exchange.outbox import Effect
from sluice.exchange.persons.suppressed import keep_out, lift
from sluice.rights.person.identifiers import parse_identifier, refs_of
from sluice.subject.scope import EVERYTHING, MARKETING, Scope, scope_of
from sluice.subject.suppression import Suppression
from sluice.terms import ExchangeId, Principal
from support.copies import Copies
from support.night import AT_ONCE, Call, Night, copied_night

pytestmark = pytest.mark.stores
ENERGY = Principal("energy01")
REASONS = [Suppression.SOFT_HOLD, Suppression.RESTRICTED, Suppression.OBJECTED]


@pytest.fixture
def late(copies: Copies, tmp_path: Path) -> Iterator[Night]:
    """A night whose returns go at once."""
    with copied_night(copies, tmp_path, AT_ONCE) as opened:
        yield opened


def fails(house: House, exchange_id: ExchangeId) -> None:
    raise StoreError


def undelivered(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """The return of three calls is closed, and the store was away when it was to be delivered."""
    night.called(*(Call(f"c{n}", *person) for n, person in enumerate(night.people(3))))
    with monkeypatch.context() as away:
        away.setattr("sluice.exchange.effects.run.EFFECTS", {**EFFECTS, Effect.DELIVERY: fails})
        night.make()
    assert [line.decision for line in night.returns()] == ["accepted"] and files(night) == []


def hold(night: Night, place: int, reason: Suppression, scope: Scope = EVERYTHING) -> str:
    person = (parse_identifier(f"phone:{night.people(place + 1)[place][1]}", 1),)
    refs = frozenset(refs_of(person, night.desk.house.subject_key(ENERGY), ENERGY).values())
    now, cause = datetime.now(UTC), str(uuid4())
    return keep_out(night.desk.house, ENERGY, refs, reason, cause=cause, case_id=None, now=now, scope=scope)


def files(night: Night) -> list[bytes]:
    return [content for key, content in night.delivered().items() if key.endswith(".csv")]


def effects(night: Night) -> None:
    """What the schedule does with the outbox, once the pause between two tries is over."""
    night.desk.house.conn.execute("update outbox set next_attempt_at = now() where done_at is null")
    do_effects(night.desk.house)


def waits(night: Night) -> list[str | None]:
    rows = night.desk.sql("select last_error from outbox where effect = 'delivery' and done_at is null")
    return [str(row["last_error"]) for row in rows]


@pytest.mark.parametrize("reason", REASONS)
def test_it_is_made_again_without_whom_must_stay_out_since(
    late: Night, monkeypatch: pytest.MonkeyPatch, reason: Suppression
) -> None:
    undelivered(late, monkeypatch)
    hold(late, 0, reason)
    effects(late)
    assert (waits(late), late.delivered()) == (["SLU-419"], {}), "nothing of it is there, nor what explains it"

    late.make()
    effects(late)

    newer, older = late.returns()
    assert (newer.decision, older.decision, waits(late)) == ("partly_accepted", "accepted", [])
    [content] = files(late)
    gone, *others = (record.encode() for record, _ in late.people(3))
    assert gone not in content and all(each in content for each in others)
    assert late.record(newer).right_treatment.held_back == {reason.value: 1}
    late.make()
    assert len(late.returns()) == 2 and len(files(late)) == 1


@pytest.mark.parametrize(
    ("reason", "purposes", "goes"),
    [
        (Suppression.OBJECTED, frozenset[str](), False),
        (Suppression.OBJECTED, MARKETING, False),
        (Suppression.OBJECTED, frozenset({"https://w3id.org/dpv#ResearchAndDevelopment"}), True),
        (Suppression.CONSENT_WITHDRAWN, frozenset[str](), True),
    ],
    ids=[
        "an objection",
        "one to marketing, which it is for",
        "the control: one to another purpose",
        "the control: of a consent that it does not rest on",
    ],
)
def test_what_the_return_is_for_says_whether_it_may_still_go(
    late: Night, monkeypatch: pytest.MonkeyPatch, reason: Suppression, purposes: frozenset[str], goes: bool
) -> None:
    undelivered(late, monkeypatch)
    hold(late, 0, reason, scope_of(reason, purposes))
    late.make()
    effects(late)

    [content] = files(late)
    assert (late.people(1)[0][0].encode() in content, len(late.returns())) == (goes, 1 if goes else 2)


def test_without_them_it_is_delivered_as_it_was_closed(late: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    undelivered(late, monkeypatch)
    hold(late, 5, Suppression.OBJECTED)
    late.make()
    effects(late)
    assert (len(late.returns()), len(files(late)), waits(late)) == (1, 1, [])


def test_who_may_go_again_before_it_is_replaced_goes_with_it(late: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    undelivered(late, monkeypatch)
    run = hold(late, 0, Suppression.SOFT_HOLD)
    effects(late)
    lift(late.desk.house, run, datetime.now(UTC))
    late.make()
    effects(late)
    assert (len(late.returns()), len(files(late))) == (1, 1)


def test_what_lies_there_is_noted_although_somebody_objects_since(late: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker put it there, and died before it said so."""
    undelivered(late, monkeypatch)

    def dies(*_: object) -> None:
        raise StoreError

    with monkeypatch.context() as killed:
        killed.setattr("sluice.exchange.effects.deliver._note", dies)
        effects(late)
    assert len(files(late)) == 1 and waits(late)
    hold(late, 0, Suppression.OBJECTED)
    effects(late)
    assert len(late.desk.sql("select 1 from acknowledgement")) == 1 and waits(late) == []
