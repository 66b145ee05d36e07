"""A telephone was corrected: who answers the new number is the person, and who objects by it alone stays out."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from sluice.exchange.persons.corrections import RightValue, correct
from sluice.exchange.persons.suppressed import keep_out
from sluice.exchange.read import ExchangeLine
from sluice.returns.model import NotDelivered
from sluice.returns.release import deliver_again
from sluice.subject.refs import refer
from sluice.subject.suppression import Suppression
from sluice.terms import Principal, SubjectKind
from support.copies import Copies
from support.night import AT_ONCE, Call, Night, copied_night

pytestmark = pytest.mark.stores
ENERGY = Principal("energy01")
PHONE, CUSTOMER = SubjectKind.PHONE, SubjectKind.PRINCIPAL_CUSTOMER_ID
NEW, OTHER = "+32470000001", "+32470000002"


@pytest.fixture
def night(copies: Copies, tmp_path: Path) -> Iterator[Night]:
    """Returns go at once; the first of the contacts had their telephone corrected."""
    with copied_night(copies, tmp_path, AT_ONCE) as opened:
        corrected(opened)
        yield opened


def ref_of(night: Night, kind: SubjectKind, value: str) -> frozenset[str]:
    ref = refer(night.desk.house.subject_key(ENERGY), kind, value).ref
    assert ref is not None
    return frozenset({ref})


def corrected(night: Night) -> None:
    now = datetime.now(UTC)
    refs, right = ref_of(night, CUSTOMER, night.people(1)[0][0]), RightValue("phone", NEW, now, False, "ab" * 32)
    correct(night.desk.house, ENERGY, str(uuid4()), refs, right, now)


def objects(night: Night, phone: str) -> None:
    """Have a person object who gives only this number."""
    refs, now = ref_of(night, PHONE, phone), datetime.now(UTC)
    keep_out(night.desk.house, ENERGY, refs, Suppression.OBJECTED, cause=phone, case_id=None, now=now)


def called(night: Night, *calls: Call) -> None:
    night.called(*(replace(call, id=f"c{n}") for n, call in enumerate(calls)))


def made(night: Night, *calls: Call) -> ExchangeLine:
    called(night, *calls)
    night.make()
    return night.returns()[0]


def phones(night: Night, line: ExchangeLine) -> dict[str, str]:
    """Telephones of a delivered return by customer number."""
    rows = csv.DictReader(io.StringIO(night.file(line).decode()), delimiter=";")
    return {row["customer_number"]: row["phone"] for row in rows}


@pytest.mark.parametrize(("rung", "held"), [(NEW, {}), ("", {}), (OTHER, {"RESULT_OTHER_PERSON": 1})])
def test_the_corrected_number_proves_the_person_as_the_old_one_does(
    night: Night, rung: str, held: dict[str, int]
) -> None:
    """``rung``: the number that the agent called; none is the old one."""
    (record, old), second = night.people(2)
    line = made(night, Call("", record, rung or old), Call("", *second))

    assert night.record(line).right_treatment.held_back == held
    assert phones(night, line).get(record) == (None if held else NEW)


@pytest.mark.parametrize(("phone", "held"), [(NEW, {"objected": 1}), ("", {"objected": 1}), (OTHER, {})])
def test_who_objects_by_the_corrected_number_alone_stays_out(night: Night, phone: str, held: dict[str, int]) -> None:
    first, second = night.people(2)
    called(night, Call("", *first), Call("", *second))
    objects(night, phone or first[1])

    night.make()

    [line] = night.returns()
    assert night.record(line).right_treatment.held_back == held
    assert (first[0] in phones(night, line), second[0] in phones(night, line)) == (not held, True)


def test_what_was_delivered_with_the_corrected_number_is_not_put_there_again(night: Night) -> None:
    line = made(night, *(Call("", *person) for person in night.people(2)))
    assert NEW in phones(night, line).values()
    objects(night, OTHER)
    deliver_again(night.desk.house, line.id, "an.peeters", datetime.now(UTC))

    objects(night, NEW)
    with pytest.raises(NotDelivered, match="NAMES_SOMEBODY_KEPT_OUT"):
        deliver_again(night.desk.house, line.id, "an.peeters", datetime.now(UTC))


def test_what_waits_with_the_corrected_number_is_made_again_without_the_person(copies: Copies, tmp_path: Path) -> None:
    with copied_night(copies, tmp_path) as night:
        corrected(night)
        line = made(night, *(Call("", *person) for person in night.people(2)))
        objects(night, OTHER)
        night.make()
        assert [each.id for each in night.returns()] == [line.id], "the control"

        objects(night, NEW)
        night.make()

        newer, older = night.returns()
        assert (older.reason_code, newer.decision) == ("STALE_NEWER_RETURN", "open")
        night.release(newer)
        assert list(phones(night, newer)) == [night.people(2)[1][0]]
        night.make()
        assert len(night.returns()) == 2
