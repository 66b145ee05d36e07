"""A value was corrected after its return went out: the same bytes, which hold the wrong one, do not go out again."""

from datetime import UTC, datetime

import pytest

from sluice.exchange.persons.corrections import RightValue, correct
from sluice.returns.model import NotDelivered
from sluice.returns.release import deliver_again
from sluice.subject.refs import refer
from sluice.terms import Principal, SubjectKind
from support.night import Night

pytestmark = pytest.mark.stores
ENERGY = Principal("energy01")


def righted(night: Night, record: str) -> None:
    """Have the phone number of a customer corrected."""
    house, now = night.desk.house, datetime.now(UTC)
    ref = refer(house.subject_key(ENERGY), SubjectKind.PRINCIPAL_CUSTOMER_ID, record).ref
    assert ref is not None
    value = RightValue("phone", "0470 11 22 33", now, False, record)
    correct(house, ENERGY, "3f0d6a52-1c67-4b6e-9a0b-0f5a3c1d7e42", frozenset({ref}), value, now)


def test_what_was_delivered_is_not_put_there_again_with_a_value_that_was_corrected(night: Night) -> None:
    people = night.people(5)
    righted(night, people[1][0])  # before it was made: it holds the right value
    night.return_all(3)
    [line], house = night.returns(), night.desk.house
    deliver_again(house, line.id, "an.peeters", datetime.now(UTC))
    righted(night, people[4][0])  # of somebody who is not in it
    deliver_again(house, line.id, "an.peeters", datetime.now(UTC))
    versions = len(night.delivered())

    righted(night, people[0][0])

    with pytest.raises(NotDelivered, match="HOLDS_A_CORRECTED_VALUE"):
        deliver_again(house, line.id, "an.peeters", datetime.now(UTC))
    assert len(night.delivered()) == versions
    said = night.desk.sql("select 1 from ledger.entry where kind = 'return.redelivered'")
    assert len(said) == 2
