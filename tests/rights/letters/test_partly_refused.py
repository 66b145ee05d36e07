"""What is refused in part is told once it is known who asks, and answered once the person has the reasons too."""

import json
from datetime import datetime, timedelta

import pytest

from answers.giving import WE_GIVE, taken
from rights.instructing import (
    ENERGY,
    accept,
    arrived,
    current,
    instruct,
    is_on_both_lists,
    lent,
    letter_text,
    now,
    of_principal,
    returned,
    swept,
)
from rights.town import DESK, SHA, Town
from sluice.answers.link import make_link
from sluice.answers.sweep import make_decided
from sluice.rights.case.letter_due import waits_for_identity
from sluice.rights.case.model import Action, Case, LetterKind, Order, Remedies, Right, State, SubCase, Track
from sluice.rights.case.next_step import NextStep, letters_to_post, step_of_part
from sluice.rights.case.reasons import REMEDIES, iri
from sluice.rights.case.steps import pause, settle_identity
from sluice.rights.desk_steps import decide_and_tell
from sluice.rights.instruction_rules import InstructionOutcome
from sluice.rights.letters.write import note_opened, open_document
from sluice.rights.opening import NewRequest, open_case
from sluice.rights.schedule import follow, sweep
from sluice.terms import SubjectKind
from support.night import AGREEMENT, Edit

town = lent(returned)


def ours(town: Town, case: Case) -> SubCase:
    return next(part for part in current(town, case).sub_cases if part.track is Track.CONTROLLER)


def swept_and_made(town: Town) -> None:
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
    swept_and_made(town)
    return case


def post(town: Town, case: Case, kind: LetterKind, at: datetime) -> None:
    [letter] = [each for each in current(town, case).letters if each.kind is kind]
    note_opened(town.house.conn, letter, at, DESK)
    swept_and_made(town)


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
    swept_and_made(town)
    assert ours(town, case).state is State.RECIPIENTS_NOTIFIED
    assert LetterKind.REFUSAL in [each.kind for each in letters_to_post(current(town, case))]

    at = now() + timedelta(hours=5)
    post(town, case, LetterKind.REFUSAL, at)
    assert (ours(town, case).state, ours(town, case).answered_at) == (State.CLOSED, at)


WE_ANSWER = Edit(AGREEMENT, "A17: false", "A17: true")
NOT_ALL, NOTHING = "We cannot do everything you ask", "We cannot do what you ask"


early = lent(arrived, WE_GIVE, WE_ANSWER)


def asked(early: Town, right: Right) -> tuple[Case, SubCase]:
    """Somebody asks, and the controller hears of it; nobody settled who asks."""
    person = early.people[0]
    given = [(SubjectKind.PHONE, person.phone), (SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record(ENERGY))]
    case = open_case(early.house, NewRequest(right, given, ENERGY, now(), "letter", "en", DESK), now())
    follow(early.house, now())
    case = current(early, case)
    return case, of_principal(case)


def kinds(early: Town, case: Case) -> list[LetterKind]:
    return [each.kind for each in current(early, case).letters]


@pytest.mark.parametrize("is_asked_who", [True, False])
def test_what_is_given_in_part_is_told_once_it_is_known_who_asks(early: Town, is_asked_who: bool) -> None:
    case, part = asked(early, Right.ACCESS)
    if is_asked_who:
        pause(early.house.conn, case.case_id, Order(DESK, now(), iri("A12IdentityRequired"), SHA))
    some = [group for group in part.field_groups if group != "identity"]
    outcome = instruct(early, part, decision="give", fields=some, reason="ThirdPartyRightsImpaired")
    assert outcome is InstructionOutcome.INSTRUCTED
    follow(early.house, now())
    assert LetterKind.REFUSAL not in kinds(early, case)

    settle_identity(early.house.conn, case.case_id, True, Order(DESK, now(), "IDENTITY_SHOWN", SHA))
    accept(early, case, Action.GIVE)
    follow(early.house, now())
    text = letter_text(early, case, LetterKind.REFUSAL)
    assert NOT_ALL in text and NOTHING not in text and "Everything you ask for" not in text
    [letter] = [each for each in current(early, case).letters if each.kind is LetterKind.REFUSAL]
    [told] = json.loads(open_document(early.house, letter))["parts"]
    assert [line["field_group"] for line in told["data"] if line["outcome"] == "refuse"] == ["identity"]

    for _ in range(3):
        make_decided(early.house, "airflow", now())
        for each in letters_to_post(current(early, case)):
            note_opened(early.house.conn, each, now(), DESK)
        case = swept(early, case)
    assert case.state is State.CLOSED


@pytest.mark.parametrize("word", ["erase", "restrict", "refuse"])
def test_reasons_that_wait_for_the_identity_check_are_the_desks_to_settle(early: Town, word: str) -> None:
    case, part = asked(early, Right.ERASURE)
    fields = part.field_groups[1:] if word == "erase" else ()
    assert instruct(early, part, decision=word, fields=fields, reason="A17LegalClaims") is InstructionOutcome.INSTRUCTED
    case = swept(early, case)
    part = of_principal(case)
    assert LetterKind.REFUSAL not in kinds(early, case), "of the rest nobody decided"
    assert waits_for_identity(case, part) and step_of_part(case, part) is NextStep.CHECK_IDENTITY
    for each in letters_to_post(case):
        note_opened(early.house.conn, each, now(), DESK)
    early.house.conn.execute("update sub_case set state = 'CLOSED' where track = 'controller'")
    assert is_on_both_lists(early, case), "nothing else of the case waits for the desk"

    pause(early.house.conn, case.case_id, Order(DESK, now(), iri("A12IdentityRequired"), SHA))
    assert step_of_part(current(early, case), part) is NextStep.AWAIT_IDENTITY
    assert not is_on_both_lists(early, case), "the person has to show who they are"
    settle_identity(early.house.conn, case.case_id, True, Order(DESK, now(), "IDENTITY_SHOWN", SHA))
    case = swept(early, case)
    assert not waits_for_identity(case, of_principal(case))
    assert LetterKind.REFUSAL in kinds(early, case)
    assert is_on_both_lists(early, case)


def test_who_is_not_known_after_all_hears_that_part_is_refused_and_no_more(early: Town) -> None:
    case, part = asked(early, Right.ERASURE)
    settle_identity(early.house.conn, case.case_id, False, Order(DESK, now(), iri("A12IdentityFailure"), SHA))
    outcome = instruct(early, part, decision="erase", fields=part.field_groups[1:], reason="A17LegalClaims")
    assert outcome is InstructionOutcome.INSTRUCTED
    follow(early.house, now())
    text = letter_text(early, case, LetterKind.REFUSAL)
    assert NOT_ALL in text and "Part of what you ask for" in text
    assert "Everything you ask for" not in text and "Energy" not in text, "it names no company"
