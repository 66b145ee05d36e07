"""A request that its person takes back keeps nobody out any more, whenever that is; another of theirs does."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rights.town import DESK, SHA, Town, open_town, papers_of
from sluice.exchange.persons.suppressed import find_suppressed
from sluice.ledger.verify import verify
from sluice.rights.case import store
from sluice.rights.case.model import Action, Case, LetterKind, Order, Right, State, Track
from sluice.rights.case.steps import advance, decide, withdraw
from sluice.rights.lifting import NothingRestricted, lift_restriction
from sluice.rights.protection_store import find_open_protections
from sluice.rights.protections import settle_protections
from sluice.rights.schedule import follow, sweep
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind

ENERGY = Principal("energy01")
ENDS = {
    Right.RESTRICTION: (Action.RESTRICT, "restricted"),
    Right.OBJECTION: (Action.STOP, "objected"),
    Right.DIRECT_MARKETING: (Action.STOP, "objected"),
}
"""What is decided of a right, and as what it keeps its person out."""


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    with open_town(papers_of(store_settings, tmp_path, [ENERGY]), tmp_path, [ENERGY], 4) as opened:
        opened.arrive(ENERGY, opened.people)
        yield opened


def now() -> datetime:
    return datetime.now(UTC)


def asked(town: Town, right: Right) -> Case:
    """The first of the people asks energy01, and the center decides its part."""
    case = town.opened(right, [(SubjectKind.PHONE, town.people[0].phone)], ENERGY)
    ours = [part.sub_case_id for part in case.sub_cases if part.track is Track.CONTROLLER]
    if right in ENDS:
        order = Order(DESK, now(), "ACCEPTED", SHA, action=ENDS[right][0])
        decide(town.house.conn, case.case_id, State.ACCEPTED, order, ours)
    return store.get_case(town.house.conn, case.case_id)


def taken_back(town: Town, case: Case) -> None:
    withdraw(town.house.conn, case.case_id, Order(DESK, now(), "SUBJECT_ASKED", SHA))
    swept(town)


def swept(town: Town) -> None:
    for _ in range(2):
        follow(town.house, now())
        sweep(town.house, now())


def kept_out(town: Town) -> set[str]:
    found = find_suppressed(town.house, ENERGY)
    return set() if found is None else set(found["reason"])


@pytest.mark.parametrize("is_settled", [False, True])
@pytest.mark.parametrize("right", ENDS)
def test_whoever_takes_a_request_back_is_kept_out_by_it_no_more(town: Town, right: Right, is_settled: bool) -> None:
    case = asked(town, right)
    if is_settled:
        settle_protections(town.house, now())
        assert ENDS[right][1] in kept_out(town), "control: what was decided keeps them out"

    taken_back(town, case)

    assert kept_out(town) == set()
    assert find_open_protections(town.house.conn) == [], "nothing is looked at again with each sweep"
    ended = store.get_case(town.house.conn, case.case_id)
    assert [letter for letter in ended.letters if letter.kind is LetterKind.LIFTING] == [], "their own word"
    with pytest.raises(NothingRestricted):
        lift_restriction(town.house, case.case_id, Order(DESK, now(), "LIFTED", SHA), has_evidence=False)
    assert verify(town.house.conn, public_pem=town.house.keyring.public_pem).valid


@pytest.mark.parametrize("right", ENDS)
def test_another_request_of_the_same_person_keeps_them_out(town: Town, right: Right) -> None:
    first, _ = asked(town, right), asked(town, right)
    swept(town)

    taken_back(town, first)

    assert kept_out(town) == {ENDS[right][1]}


def test_a_part_that_was_taken_back_restricts_nobody_though_the_case_goes_on(town: Town) -> None:
    case = asked(town, Right.RESTRICTION)
    [ours] = [part for part in case.sub_cases if part.track is Track.CONTROLLER]
    advance(
        town.house.conn, case.case_id, State.WITHDRAWN_BY_SUBJECT, Order(DESK, now(), "SUBJECT_ASKED", SHA),
        ours.sub_case_id,
    )  # fmt: skip

    settle_protections(town.house, now())

    assert kept_out(town) == {"soft_hold"}, "the other part still waits"


def test_a_consent_that_was_withdrawn_does_not_come_back_by_that(town: Town) -> None:
    """It comes back by being given again (docs/how-to/consent.md)."""
    case = asked(town, Right.CONSENT_WITHDRAWAL)

    taken_back(town, case)

    assert kept_out(town) == {"consent_withdrawn"} and find_open_protections(town.house.conn) == []
