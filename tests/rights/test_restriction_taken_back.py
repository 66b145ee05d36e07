"""A restriction or an upheld objection that its controller takes back ends with the request, and not before."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rights.instructing import current, instruct, of_principal, swept
from rights.town import DESK, SHA, Town, open_town, papers_of
from sluice.exchange.persons.suppressed import find_suppressed
from sluice.retention.run import find_due
from sluice.rights.case.model import Action, Case, Order, Remedies, Right
from sluice.rights.case.reasons import REMEDIES, iri
from sluice.rights.desk_steps import decide_and_tell
from sluice.rights.instruction_rules import InstructionOutcome
from sluice.rights.letters.write import note_opened
from sluice.rights.protection_store import find_open_protections
from sluice.rights.schedule import follow
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind

ENERGY = Principal("energy01")
NO = iri("NotRequiredJustification")
KEPT: dict[Right, tuple[dict[str, str], str]] = {
    Right.RESTRICTION: ({"decision": "restrict"}, "restricted"),
    Right.ERASURE: ({"decision": "restrict", "reason": "A17LegalClaims"}, "restricted"),
    Right.OBJECTION: ({"decision": "stop"}, "objected"),
}
"""What the principal says first, by right, and as what that keeps the person out."""


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    with open_town(papers_of(store_settings, tmp_path, [ENERGY]), tmp_path, [ENERGY], 2) as opened:
        opened.arrive(ENERGY, opened.people)
        yield opened


def now() -> datetime:
    return datetime.now(UTC)


def kept_out(town: Town) -> set[str]:
    found = find_suppressed(town.house, ENERGY)
    return set() if found is None else set(found["reason"])


def needed_after_its_day(town: Town) -> set[str]:
    """For what retention keeps copies four months later."""
    later = now() + timedelta(days=120)
    return {str(each.needed_for) for each in find_due(town.house, later.date(), later, ENERGY) if not each.is_free}


def decided(town: Town, right: Right) -> Case:
    """The person asks, the principal decides to keep them out, and the next sweep does so."""
    person = town.people[0]
    given = [(SubjectKind.PHONE, person.phone), (SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record(ENERGY))]
    named = ["https://w3id.org/dpv#ServiceProvision"] if right is Right.OBJECTION else []  # marketing has another end
    case = town.opened(right, given, ENERGY, purposes=named)
    assert instruct(town, of_principal(case), **KEPT[right][0]) is InstructionOutcome.INSTRUCTED
    follow(town.house, now())
    return current(town, case)


def refused(town: Town, case: Case) -> Case:
    """The center refuses its own part, its letter and those of the principal's are posted, and the request is over."""
    remedies = Remedies(REMEDIES["BE"], "nl")
    decide_and_tell(town.house, case.case_id, Order(DESK, now(), NO, SHA, reasons={"*": NO}, remedies=remedies))
    for _ in range(2):
        for letter in swept(town, case).letters:
            if letter.opened_at is None:
                note_opened(town.house.conn, letter, now(), DESK)
    return swept(town, case)


@pytest.mark.parametrize("right", KEPT)
def test_what_its_controller_took_back_ends_once_all_is_over_there(town: Town, right: Right) -> None:
    case = decided(town, right)
    part, kept = of_principal(case), KEPT[right][1]
    assert kept in kept_out(town), "control: the decision keeps the person out"
    no = {"decision": "refuse", "reason": "NotRequiredJustification"}
    assert instruct(town, part, **no) is InstructionOutcome.CONTRADICTS
    follow(town.house, now())
    assert kept in kept_out(town), "while the controller is asked again it may come to the same decision"
    assert instruct(town, part, **no) is InstructionOutcome.INSTRUCTED

    case = refused(town, case)

    assert case.state.is_over and {each.action for each in case.sub_cases} == {Action.REFUSE}
    assert kept_out(town) == set() and find_open_protections(town.house.conn) == []
    assert needed_after_its_day(town) == set()


@pytest.mark.parametrize("right", KEPT)
def test_what_stands_stays_when_the_request_is_over(town: Town, right: Right) -> None:
    case = refused(town, decided(town, right))

    assert case.state.is_over and of_principal(case).action is not Action.REFUSE
    assert bool(needed_after_its_day(town)) is (KEPT[right][1] == "restricted")
    assert kept_out(town) == {KEPT[right][1]} and find_open_protections(town.house.conn) == []


def test_a_controller_that_comes_back_to_its_first_word_restricts(town: Town) -> None:
    case = decided(town, Right.RESTRICTION)
    part = of_principal(case)
    assert instruct(town, part, decision="refuse", reason="NotRequiredJustification") is InstructionOutcome.CONTRADICTS
    follow(town.house, now())
    again = instruct(town, part, decision="restrict", fields=list(part.field_groups))
    assert again is InstructionOutcome.INSTRUCTED

    case = refused(town, case)

    assert case.state.is_over and kept_out(town) == {"restricted"}
