"""A notice that something has to stop says for what: the right, the purposes and the channel that the person named."""

from datetime import UTC, datetime
from typing import Any

import pytest

from rights.instructing import ENERGY, lent, returned, swept
from rights.town import DESK, SHA, Town
from sluice.documents.words import words
from sluice.rights.case.model import Action, Order, Right, State
from sluice.rights.case.steps import decide
from sluice.rights.notices.notice_store import find_stopped, list_notices
from sluice.rights.notices.to_recipient import action_text, named_purposes
from sluice.subject.scope import MARKETING
from sluice.terms import SubjectKind

ADVERTS, CARE = "https://w3id.org/dpv#DirectMarketing", "https://w3id.org/dpv#CustomerCare"


town = lent(returned)


def told(town: Town, right: Right, action: Action, purposes: list[str], channel: str | None) -> list[dict[str, Any]]:
    """What energy01 reads once the center decided its part."""
    now = datetime.now(UTC)
    given = [(SubjectKind.PHONE, town.people[0].phone)]
    case = town.opened(right, given, ENERGY, purposes=purposes, contact_channel=channel)
    decide(town.house.conn, case.case_id, State.ACCEPTED, Order(DESK, now, "ACCEPTED", SHA, action=action))
    numbers = {part.sub_case_id for part in swept(town, case).sub_cases}
    return [each for each in town.told(ENERGY) if each["case"] in numbers]


def test_the_notice_for_one_purpose_and_channel_says_what_was_asked(town: Town) -> None:
    notices = told(town, Right.CONSENT_WITHDRAWAL, Action.STOP, [ADVERTS], "sms")

    assert {each["you_are"] for each in notices} == {"recipient", "supplier"}
    for each in notices:
        assert (each["right"], each["purposes"], each["channel"]) == ("consent_withdrawal", [ADVERTS], "sms")
        for text in each["action_text"].values():
            assert "DirectMarketing" in text and "sms" in text
    for line in list_notices(town.house.conn):
        assert find_stopped(town.house.conn, line) == ((ADVERTS,), "sms"), "what the desk's page says"


@pytest.mark.parametrize(
    ("right", "action"), [(Right.DIRECT_MARKETING, Action.STOP), (Right.RESTRICTION, Action.RESTRICT)]
)
def test_a_notice_names_nothing_that_nobody_named(town: Town, right: Right, action: Action) -> None:
    notices = told(town, right, action, [], None)

    assert notices and {each["right"] for each in notices} == {right.value}
    assert not any({"purposes", "channel"} & set(each) for each in notices)


@pytest.mark.parametrize(("language", "advertising"), [("nl", "reclame"), ("fr", "publicité"), ("en", "advertising")])
def test_a_stop_is_said_in_the_words_of_its_right(language: str, advertising: str) -> None:
    def said(right: Right, *purposes: str, channel: str | None = None) -> str:
        return action_text(right, Action.STOP, purposes, channel, language)

    assert advertising in said(Right.DIRECT_MARKETING)
    assert said(Right.DIRECT_MARKETING, *MARKETING) == said(Right.DIRECT_MARKETING), "all of it is the right itself"
    assert said(Right.OBJECTION) == words(language).say("recipient.action.stop")
    assert "CustomerCare" in said(Right.OBJECTION, CARE) and "sms" in said(Right.OBJECTION, channel="sms")
    erase = words(language).say("recipient.action.erase")
    assert action_text(Right.ERASURE, Action.ERASE, [CARE], "sms", language) == erase
    assert len({said(right) for right in (Right.DIRECT_MARKETING, Right.CONSENT_WITHDRAWAL, Right.OBJECTION)}) == 3


def test_an_objection_to_advertising_stops_no_other_purpose() -> None:
    assert named_purposes(Right.DIRECT_MARKETING, [ADVERTS, CARE]) == (ADVERTS,)
    assert named_purposes(Right.CONSENT_WITHDRAWAL, [CARE, ADVERTS]) == (CARE, ADVERTS)
