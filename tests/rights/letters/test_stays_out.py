"""Who said no to advertising reads that it is carried out, and what is kept for it: known to somebody or to nobody."""

import json
from itertools import product
from pathlib import Path
from typing import Any

from answers.giving import WE_GIVE, give, read
from rights.instructing import lent, now
from rights.town import DESK, SHA, Person, Town, open_town, papers_of
from sluice.answers.make import PackageWish
from sluice.documents.words import LANGUAGES, words
from sluice.rights.case import store
from sluice.rights.case.model import Action, Case, LetterKind, Order, Right, State
from sluice.rights.case.steps import decide
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


def planted(settings: Settings, folder: Path) -> None:
    """Four of eight persons came in at one of two principals."""
    with open_town(papers_of(settings, folder, [ENERGY, GAS], WE_GIVE), folder, [ENERGY, GAS], 8) as opened:
        opened.arrive(ENERGY, opened.people[4:])


town = lent(planted, names=[ENERGY, GAS], people=8)


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


def test_the_letter_says_that_the_objection_is_carried_out_and_what_is_kept(town: Town) -> None:
    for is_known, (number, language) in product((False, True), enumerate(LANGUAGES[:2])):
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
    for language in LANGUAGES[:1]:
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
