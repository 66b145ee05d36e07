"""What an objection stops, and that its letters say that and no more."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rights.instructing import accept, current, instruct, letter_text, of_center, of_principal, swept
from rights.letter_samples import a_case, a_part, facts_of
from rights.town import DESK, Town, open_town, papers_of
from sluice.documents.words import LANGUAGES, words
from sluice.rights.case.model import Action, Case, LetterKind, Order, Right, State
from sluice.rights.case.reasons import iri
from sluice.rights.case.steps import NOT_ASKED, pause
from sluice.rights.case.store import list_steps
from sluice.rights.instruction_rules import InstructionOutcome
from sluice.rights.letters.document import spoken
from sluice.rights.letters.model import PartFacts
from sluice.rights.letters.page import make_letter_page
from sluice.rights.opening import NewRequest, open_case
from sluice.rights.schedule import follow
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind

ENERGY = Principal("energy01")


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    with open_town(papers_of(store_settings, tmp_path, [ENERGY]), tmp_path, [ENERGY], 2) as opened:
        opened.arrive(ENERGY, opened.people)
        yield opened


def said_no(town: Town, channel: str | None = None) -> Case:
    """Somebody says no to advertising, and nobody asks who they are."""
    now, asked = datetime.now(UTC), [(SubjectKind.PHONE, town.people[0].phone)]
    request = NewRequest(Right.DIRECT_MARKETING, asked, ENERGY, now, "letter", "en", DESK, contact_channel=channel)
    return open_case(town.house, request, now)


def test_an_objection_to_one_channel_is_told_as_that(town: Town) -> None:
    case = said_no(town, "sms")
    swept(town, case)
    for kind in (LetterKind.RECEIPT, LetterKind.COMPLETION):
        text = letter_text(town, case, kind)
        assert "That is only what you named: by SMS." in text
        assert "any more.\n" not in text and "No longer used for advertising\n" not in text
    assert "No longer used for the advertising that you objected to" in letter_text(town, case)


def test_nobody_decides_an_objection_to_advertising_and_its_letter_names_no_company(town: Town) -> None:
    case = swept(town, said_no(town))
    part = of_center(case)
    assert (part.action, part.state, case.state) == (Action.STOP, State.RECIPIENTS_NOTIFIED, State.SCOPED)
    assert NOT_ASKED in {step.reason_code for step in list_steps(town.house.conn, case.case_id)}
    text = letter_text(town, case)
    assert "from now on you are kept out" in text and "Energy One" not in text


def test_who_was_asked_who_they_are_is_waited_for(town: Town) -> None:
    case = said_no(town)
    follow(town.house, datetime.now(UTC))
    now, who = datetime.now(UTC), [(SubjectKind.PHONE, town.people[1].phone)]
    other = open_case(town.house, NewRequest(Right.DIRECT_MARKETING, who, ENERGY, now, "letter", "en", DESK), now)
    pause(town.house.conn, other.case_id, Order(DESK, datetime.now(UTC), iri("A12IdentityRequired"), "ab" * 32))
    follow(town.house, datetime.now(UTC) + timedelta(days=1))
    assert of_center(current(town, case)).state is not State.SCOPED, "control"
    other = current(town, other)
    assert (other.state, of_center(other).state) == (State.ID_PENDING, State.SCOPED)


def test_an_objection_to_what_rests_on_a_contract_is_said_to_reach_nothing_and_can_be_refused(town: Town) -> None:
    asked, care = [(SubjectKind.PHONE, town.people[0].phone)], ["https://w3id.org/dpv#CustomerCare"]
    case = town.opened(Right.OBJECTION, asked, ENERGY, language="en", purposes=care)
    refused = instruct(town, of_principal(case), decision="refuse", reason="NotRequiredJustification")
    assert refused is InstructionOutcome.INSTRUCTED
    accept(town, case, Action.STOP)
    swept(town, case)
    text = letter_text(town, case)
    assert "An objection does not reach that" in text
    assert "is carried out" not in text and "No longer used" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_named_stands_in_every_language(language: str) -> None:
    say = words(language)
    part = a_part(State.RECIPIENTS_NOTIFIED, Action.STOP)
    for right in (Right.DIRECT_MARKETING, Right.OBJECTION, Right.CONSENT_WITHDRAWAL):
        told = PartFacts(part, "Energy One NV")
        facts = facts_of(
            a_case(part, right=right),
            LetterKind.COMPLETION,
            language,
            told,
            purposes=("https://w3id.org/dpv#SellProducts",),
            channel="sms",
        )
        text = "\n".join(spoken(make_letter_page(facts)))
        named = "; ".join((say.say("letter.named.purposes", purposes="SellProducts"), say.say("letter.channel.sms")))
        assert say.say("letter.named", named=named) in text
        everything = "\n".join(spoken(make_letter_page(facts_of(facts.case, LetterKind.COMPLETION, language, told))))
        assert say.say("letter.channel.sms") not in everything
