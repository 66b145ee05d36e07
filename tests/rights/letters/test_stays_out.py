"""Who said no to advertising reads that it is carried out, and what is kept for it: known to somebody or to nobody."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from answers.giving import WE_GIVE, give, read
from rights.letter_samples import a_case, a_part, facts_of
from rights.town import DESK, SHA, Person, Town, open_town, papers_of
from sluice.answers.make import PackageWish
from sluice.documents.words import LANGUAGES, words
from sluice.rights.case import store
from sluice.rights.case.model import Action, Case, LetterKind, Order, Right, State
from sluice.rights.case.steps import decide
from sluice.rights.letters.document import spoken
from sluice.rights.letters.model import PartFacts
from sluice.rights.letters.page import make_letter_page
from sluice.rights.letters.write import open_document
from sluice.rights.schedule import follow, sweep
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind

ENERGY, GAS = "energy01", "gas01"
STOPPED = {
    Right.DIRECT_MARKETING: Action.STOP,
    Right.CONSENT_WITHDRAWAL: Action.STOP,
    Right.OBJECTION: Action.STOP,
    Right.RESTRICTION: Action.RESTRICT,
}


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    with open_town(papers_of(store_settings, tmp_path, [ENERGY, GAS], WE_GIVE), tmp_path, [ENERGY, GAS], 8) as opened:
        opened.arrive(ENERGY, opened.people[4:])
        yield opened


def now() -> datetime:
    return datetime.now(UTC)


def asked(town: Town, person: Person, right: Right, language: str, principal: str | None = None) -> Case:
    """Somebody asks by telephone, and the center decides its part."""
    addressed = Principal(principal) if principal else None
    case = town.opened(right, [(SubjectKind.PHONE, person.phone)], addressed, language=language)
    action = STOPPED.get(right, Action.GIVE)
    decide(town.house.conn, case.case_id, State.ACCEPTED, Order(DESK, now(), "ACCEPTED", SHA, action=action))
    return case


def completion(town: Town, case: Case) -> dict[str, Any]:
    for _ in range(2):
        follow(town.house, now())
        sweep(town.house, now())
    letters = store.get_case(town.house.conn, case.case_id).letters
    [letter] = [each for each in letters if each.kind is LetterKind.COMPLETION]
    document: dict[str, Any] = json.loads(open_document(town.house, letter))
    return document


@pytest.mark.parametrize("is_known", [False, True])
def test_the_letter_says_that_the_objection_is_carried_out_and_what_is_kept(town: Town, is_known: bool) -> None:
    for number, language in enumerate(LANGUAGES):
        say = words(language).say
        person = town.people[number + 4 * is_known]
        document = completion(town, asked(town, person, Right.DIRECT_MARKETING, language))

        assert say("letter.stays_out.direct_marketing") in document["text"]
        assert say("letter.remains.suppression") in document["text"]
        assert document["title"] != say("letter.completion.title.none")
        assert is_known or document["title"] == say("letter.completion.title.all")


def test_the_access_answer_of_an_objector_says_that_a_code_is_kept(town: Town) -> None:
    objector, stranger, known = town.people[0], town.people[1], town.people[4]
    asked(town, objector, Right.DIRECT_MARKETING, "nl")
    asked(town, known, Right.DIRECT_MARKETING, "nl")
    access, other, theirs = (asked(town, each, Right.ACCESS, "nl") for each in (objector, stranger, known))
    for language in LANGUAGES:
        say = words(language).say
        said, nothing, both = (
            read(town.house, give(town.house, case.case_id, wish=PackageWish(language=language))).json("access.json")
            for case in (access, other, theirs)
        )

        why = say("answer.kept_out.why", reasons=say("answer.suppressed.objected"))
        assert (said["confirmation"], said["kept_out"]) == (True, ["objected"])
        assert {say("answer.access.kept_out"), why, say("answer.kept_out.code")} <= set(said["text"])
        assert say("answer.access.nothing") not in said["text"]
        assert (nothing["confirmation"], nothing["kept_out"]) == (False, []), "control: who never asked for anything"
        assert say("answer.access.nothing") in nothing["text"] and say("answer.kept_out.code") not in nothing["text"]
        assert both["confirmation"] is True and both["kept_out"] == ["objected"], "who is in a file reads it too"
        assert {why, say("answer.kept_out.code")} <= set(both["text"])
        assert not [name for name in ("Gas01", GAS) if name in json.dumps(said)], "not at which principal"


def test_a_package_for_one_principal_says_nothing_of_others(town: Town) -> None:
    known = town.people[4]
    asked(town, known, Right.DIRECT_MARKETING, "nl", GAS)
    access = asked(town, known, Right.ACCESS, "nl")

    def kept_out(wish: PackageWish) -> list[str]:
        said = read(town.house, give(town.house, access.case_id, wish=wish)).json("access.json")
        return list(said["kept_out"])

    assert kept_out(PackageWish(only=ENERGY)) == []
    assert kept_out(PackageWish()) == ["objected"], "control"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("right", STOPPED)
def test_every_right_that_keeps_somebody_out_says_so_where_it_does(right: Right, language: str) -> None:
    say = words(language).say

    def told(*, is_known: bool) -> list[str]:
        part = a_part(State.RECIPIENTS_NOTIFIED, STOPPED[right])
        if not is_known:
            part = a_part(State.RECIPIENTS_NOTIFIED, STOPPED[right], agreement_id=None, field_groups=())
        facts = facts_of(a_case(part, right=right), LetterKind.COMPLETION, language, PartFacts(part, "Energy One NV"))
        return list(spoken(make_letter_page(facts)))

    sentences = {say(f"letter.stays_out.{right}"), say("letter.remains.suppression")}
    assert not any("letter." in each for each in sentences)
    assert sentences <= set(told(is_known=True))
    at_once = right in (Right.DIRECT_MARKETING, Right.CONSENT_WITHDRAWAL)
    unknown = set(told(is_known=False))
    decided = f"letter.stays_out.{right}"
    assert (say(decided) not in unknown) is not at_once, "what a decision stops holds where it was decided"
    stays = at_once or right is Right.OBJECTION
    assert (say("letter.remains.suppression") in unknown) is stays, "and marketing, for whoever objected to everything"
    assert (say("letter.stays_out.marketing") in unknown) is (right is Right.OBJECTION)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_copy_that_was_given_keeps_nobody_out(language: str) -> None:
    part = a_part(State.RECIPIENTS_NOTIFIED, Action.GIVE)
    facts = facts_of(
        a_case(part, right=Right.ACCESS), LetterKind.COMPLETION, language, PartFacts(part, "Energy One NV")
    )
    said = list(spoken(make_letter_page(facts)))
    assert words(language).say("letter.remains.suppression") not in said
    assert words(language).say("letter.stays_out.heading") not in said
