"""What was refused in part is answered once the person has the reasons too, not while they lie in the vault."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from answers.giving import taken
from rights.instructing import current
from rights.town import DESK, SHA, Town, open_town, papers_of
from sluice.answers.link import make_link
from sluice.answers.sweep import make_decided
from sluice.rights.case.model import Action, Case, LetterKind, Order, Remedies, Right, State, SubCase, Track
from sluice.rights.case.next_step import NextStep, letters_to_post, step_of_part
from sluice.rights.case.reasons import REMEDIES, iri
from sluice.rights.desk_steps import decide_and_tell
from sluice.rights.letters.write import note_opened
from sluice.rights.schedule import follow, sweep
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind

ENERGY = Principal("energy01")


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    settings = papers_of(store_settings, tmp_path, [ENERGY])
    with open_town(settings, tmp_path, [ENERGY], 2) as opened:
        opened.arrive(ENERGY, opened.people)
        opened.give_back(ENERGY, opened.people)
        yield opened


def now() -> datetime:
    return datetime.now(UTC)


def ours(town: Town, case: Case) -> SubCase:
    return next(part for part in current(town, case).sub_cases if part.track is Track.CONTROLLER)


def swept(town: Town) -> None:
    for _ in range(3):
        assert follow(town.house, now()).failed == 0
        make_decided(town.house, "airflow", now())
        assert sweep(town.house, now()).failed == 0


def partly(town: Town, right: Right, action: Action, reason: str) -> Case:
    """The person asks, and the center does all of its part but one field group."""
    case = town.opened(right, [(SubjectKind.PHONE, town.people[0].phone)], ENERGY)
    reasons = {ours(town, case).field_groups[0]: iri(reason)}
    remedies = Remedies(REMEDIES["BE"], "nl")
    order = Order(DESK, now(), "PARTLY", SHA, reasons=reasons, remedies=remedies, action=action)
    decide_and_tell(town.house, case.case_id, order)
    swept(town)
    return case


def post(town: Town, case: Case, kind: LetterKind, at: datetime) -> None:
    [letter] = [each for each in current(town, case).letters if each.kind is kind]
    note_opened(town.house.conn, letter, at, DESK)
    swept(town)


@pytest.mark.parametrize("first", [LetterKind.COMPLETION, LetterKind.REFUSAL])
def test_the_later_of_both_letters_is_the_answer(town: Town, first: LetterKind) -> None:
    case = partly(town, Right.OBJECTION, Action.STOP, "LegitimateInterestOverride")
    [last] = {LetterKind.COMPLETION, LetterKind.REFUSAL} - {first}

    post(town, case, first, now())
    waiting = current(town, case)
    assert ours(town, case).state is State.RECIPIENTS_NOTIFIED, "one of the two lies in the vault"
    assert [each.kind for each in letters_to_post(waiting)] == [last]
    assert step_of_part(waiting, ours(town, case)) is NextStep.POST_LETTER

    at = now() + timedelta(hours=5)
    post(town, case, last, at)
    assert (ours(town, case).state, ours(town, case).answered_at) == (State.CLOSED, at)


def test_a_package_that_was_fetched_is_no_answer_without_the_reasons_of_what_is_not_in_it(town: Town) -> None:
    case = partly(town, Right.ACCESS, Action.GIVE, "ThirdPartyRightsImpaired")
    link = make_link(town.house, case.case_id, now(), DESK, code="spoken word")
    taken(town.house, link.token, "spoken word", now())
    swept(town)
    assert ours(town, case).state is State.RECIPIENTS_NOTIFIED
    assert LetterKind.REFUSAL in [each.kind for each in letters_to_post(current(town, case))]

    at = now() + timedelta(hours=5)
    post(town, case, LetterKind.REFUSAL, at)
    assert (ours(town, case).state, ours(town, case).answered_at) == (State.CLOSED, at)
