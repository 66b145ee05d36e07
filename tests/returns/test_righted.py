"""A value was corrected: the new number proves the person, who objects by it stays out, and no old cell goes."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from returns.evenings import Evening
from sluice.exchange.persons.corrections import RightValue, correct
from sluice.exchange.persons.suppressed import keep_out
from sluice.exchange.read import ExchangeLine
from sluice.returns.model import NotDelivered
from sluice.returns.release import deliver_again
from sluice.settings import Settings
from sluice.subject.refs import refer
from sluice.subject.suppression import Suppression
from sluice.terms import Principal, SubjectKind
from support.night import AT_ONCE, RESULTS_CONTRACT, Call, Edit, Night, open_night, with_papers

pytestmark = pytest.mark.stores
ENERGY = Principal("energy01")
PHONE, CUSTOMER = SubjectKind.PHONE, SubjectKind.PRINCIPAL_CUSTOMER_ID


def ref_of(night: Night, kind: SubjectKind, value: str) -> frozenset[str]:
    ref = refer(night.desk.house.subject_key(ENERGY), kind, value).ref
    assert ref is not None
    return frozenset({ref})


def number(night: Evening, place: int) -> str:
    """A telephone that nobody has among the contacts."""
    return f"+32470{night.number:03}{place:02}0"


def corrected(night: Night, record: str, phone: str) -> None:
    now = datetime.now(UTC)
    right = RightValue("phone", phone, now, False, str(uuid4()))
    correct(night.desk.house, ENERGY, str(uuid4()), ref_of(night, CUSTOMER, record), right, now)


def objects(night: Night, value: str, kind: SubjectKind = PHONE) -> None:
    """Have a person object who gives only this."""
    refs, now = ref_of(night, kind, value), datetime.now(UTC)
    keep_out(night.desk.house, ENERGY, refs, Suppression.OBJECTED, cause=value, case_id=None, now=now)


def made(night: Evening, *calls: Call) -> ExchangeLine:
    night.called(*(replace(call, id=f"c{n}") for n, call in enumerate(calls)))
    night.make()
    return night.returns()[0]


def phones(night: Evening, line: ExchangeLine) -> dict[str, str]:
    """Telephones of a delivered return by customer number."""
    return {row["customer_number"]: row["phone"] for row in night.rows(line)}


def test_the_corrected_number_proves_the_person_as_the_old_one_does(at_once: Evening) -> None:
    night, people = at_once, at_once.people(4)
    new, other = number(night, 1), number(night, 2)
    for record, _ in people[:3]:
        corrected(night, record, new)
    (first, _), (second, old), (third, _), fourth = people

    line = made(night, Call("", first, new), Call("", second, old), Call("", third, other), Call("", *fourth))

    assert night.record(line).right_treatment.held_back == {"RESULT_OTHER_PERSON": 1}
    assert phones(night, line) == {first: new, second: new, fourth[0]: phones(night, line)[fourth[0]]}


def test_who_objects_by_the_corrected_number_alone_or_the_old_one_stays_out(at_once: Evening) -> None:
    night, people = at_once, at_once.people(3)
    for place, (record, _) in enumerate(people):
        corrected(night, record, number(night, place))
    night.called(*(Call(f"c{n}", *person) for n, person in enumerate(people)))
    for phone in (number(night, 0), people[1][1], number(night, 9)):
        objects(night, phone)

    night.make()

    [line] = night.returns()
    assert night.record(line).right_treatment.held_back == {"objected": 2}
    assert list(phones(night, line)) == [people[2][0]]


def test_what_was_delivered_to_whom_objects_by_the_corrected_number_is_not_put_there_again(
    at_once: Evening,
) -> None:
    night, people = at_once, at_once.people(5)
    corrected(night, people[0][0], number(night, 1))  # before it was made: it holds the right value
    line = made(night, *(Call("", *person) for person in people[:3]))
    assert number(night, 1) in phones(night, line).values()
    corrected(night, people[4][0], number(night, 3))  # of somebody who is not in it
    objects(night, number(night, 2))  # as does this one
    deliver_again(night.desk.house, line.id, "an.peeters", datetime.now(UTC))

    objects(night, number(night, 1))
    with pytest.raises(NotDelivered, match="NAMES_SOMEBODY_KEPT_OUT"):
        deliver_again(night.desk.house, line.id, "an.peeters", datetime.now(UTC))
    assert len(night.entries("return.redelivered")) == 1


def test_what_was_delivered_is_not_put_there_again_with_a_value_that_was_corrected(at_once: Evening) -> None:
    night, people = at_once, at_once.people(3)
    line = made(night, *(Call("", *person) for person in people[:2]))
    versions = len(night.delivered())

    corrected(night, people[0][0], number(night, 1))

    with pytest.raises(NotDelivered, match="HOLDS_A_CORRECTED_VALUE"):
        deliver_again(night.desk.house, line.id, "an.peeters", datetime.now(UTC))
    assert len(night.delivered()) == versions


def test_what_waits_with_the_corrected_number_is_made_again_without_the_person(night: Evening) -> None:
    people = night.people(2)
    corrected(night, people[0][0], number(night, 1))
    line = made(night, *(Call("", *person) for person in people))
    objects(night, number(night, 2))
    night.make()
    assert [each.id for each in night.returns()] == [line.id], "the control"

    objects(night, number(night, 1))
    night.make()

    newer, older = night.returns()
    assert (older.reason_code, newer.decision) == ("STALE_NEWER_RETURN", "open")
    night.release(newer)
    assert list(phones(night, newer)) == [people[1][0]]
    night.make()
    assert len(night.returns()) == 2


PLACE = """      - name: order_number
        logicalType: string
        required: false
        classification: confidential
        customProperties:
"""
AN_IBAN = Edit(RESULTS_CONTRACT, PLACE, f"{PLACE}          - {{property: subjectKey, value: iban}}\n")
IBAN = "BE68539007547034"


def test_an_objection_by_an_identifier_that_only_the_result_has_keeps_the_row_back(
    store_settings: Settings, tmp_path: Path
) -> None:
    with open_night(with_papers(store_settings, tmp_path, AT_ONCE, AN_IBAN), tmp_path, 5) as night:
        first, second = night.people(2)
        night.called(Call("c1", *first, order=IBAN), Call("c2", *second))
        objects(night, IBAN, SubjectKind.IBAN)

        night.make()

        [line] = night.returns()
        assert night.record(line).right_treatment.held_back == {"objected": 1}
        assert first[0] not in night.file(line).decode() and second[0] in night.file(line).decode()
