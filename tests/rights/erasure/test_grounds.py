"""Why it had to be erased (Art. 17(1)) reaches the person, the certificate and its page, in their language."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rights.instructing import current, instruct, letter_text, of_center, of_principal
from rights.letter_samples import a_completion
from rights.town import DESK, SHA, Town, open_town, papers_of, swept
from sluice.documents.words import LANGUAGES, words
from sluice.ledger.sign import as_it_stands, split_flattened
from sluice.rights.case.model import Action, Case, LetterKind, Order, Right, State
from sluice.rights.case.reasons import Ground
from sluice.rights.case.steps import decide
from sluice.rights.erasure.certificate import Certificate, issue
from sluice.rights.erasure.certificate_page import make_certificate_page
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.release import draft, release
from sluice.rights.letters.document import spoken
from sluice.rights.letters.page import make_letter_page
from sluice.rights.letters.write import open_document
from sluice.settings import Settings
from sluice.terms import Principal, SubjectKind
from support.copies import Copies

ENERGY = Principal("energy01")


def planted(settings: Settings, folder: Path) -> None:
    with open_town(papers_of(settings, folder, [ENERGY]), folder, [ENERGY], 2) as opened:
        opened.arrive(ENERGY, opened.people)
        opened.give_back(ENERGY, opened.people)


@pytest.fixture
def town(copies: Copies, tmp_path: Path) -> Iterator[Town]:
    with copies.of(planted, tmp_path) as settings, open_town(settings, tmp_path, [ENERGY], 2) as opened:
        yield opened


def erased(town: Town, code: str, **said: str) -> tuple[Case, Certificate]:
    """A person is erased at the principal, by its instruction and by a decision of the center with this reason."""
    person = town.people[0]
    given = [(SubjectKind.PHONE, person.phone), (SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record(ENERGY))]
    case = town.opened(Right.ERASURE, given, ENERGY, language="fr")
    assert instruct(town, of_principal(case), decision="erase", **said) == "INSTRUCTED"
    decide(town.house.conn, case.case_id, State.ACCEPTED, Order(DESK, now(), code, SHA, action=Action.ERASE))
    draft(town.house, case.case_id, "airflow", now())
    release(town.house, case.case_id, "bert", now())
    assert run(town.house, case.case_id, now()).residual == 0
    swept(town)
    [certificate] = issue(town.house, case.case_id)
    return case, certificate


def now() -> datetime:
    return datetime.now(UTC)


@pytest.mark.stores
def test_letter_and_certificate_say_the_grounds_that_were_given(town: Town) -> None:
    case, certificate = erased(town, "CONSENT_WITHDRAWN", ground="unlawful")

    said = as_it_stands(split_flattened(certificate.jws))[1]
    assert {each["sub_case_id"]: each["ground"] for each in said["grounds"]} == {
        of_principal(case).sub_case_id: "UNLAWFUL",
        of_center(case).sub_case_id: "CONSENT_WITHDRAWN",
    }
    for language in LANGUAGES:
        text = [*spoken_of(certificate, language)]
        for ground in ("UNLAWFUL", "CONSENT_WITHDRAWN"):
            assert {words(language).say(f"ground.{ground}"), ground} <= set(text), language

    [letter] = [each for each in current(town, case).letters if each.kind is LetterKind.COMPLETION]
    parts = json.loads(open_document(town.house, letter))["parts"]
    assert [each["ground"] for each in parts] == ["CONSENT_WITHDRAWN"], "the principal tells its own"
    assert words("fr").say("ground.CONSENT_WITHDRAWN") in letter_text(town, case)


@pytest.mark.stores
def test_a_ground_that_nobody_gave_is_told_as_that(town: Town) -> None:
    case, certificate = erased(town, "ACCEPTED")

    grounds = as_it_stands(split_flattened(certificate.jws))[1]["grounds"]
    assert [each["ground"] for each in grounds] == [None, None]
    assert words("nl").say("ground.unsaid") in [*spoken_of(certificate, "nl")]
    assert words("fr").say("letter.ground", ground="").strip() not in letter_text(town, case)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("ground", Ground)
def test_every_ground_has_its_words_and_a_discreet_letter_none_of_them(language: str, ground: Ground) -> None:
    facts = a_completion(language)
    told = replace(facts, parts=tuple(replace(each, ground=ground) for each in facts.parts))
    sentence = words(language).say("letter.ground", ground=words(language).say(f"ground.{ground}"))

    assert sentence in [*spoken(make_letter_page(told))]
    assert sentence not in [*spoken(make_letter_page(facts))], "control: nobody said"
    failed = replace(told, case=replace(told.case, has_failed_identity=True))
    assert sentence not in [*spoken(make_letter_page(failed))], "it is not settled who asks"


def spoken_of(certificate: Certificate, language: str) -> Iterator[str]:
    """Every cell of the tables of a certificate's page."""
    for part in make_certificate_page(certificate.jws, language).parts:
        for row in part.table.rows if part.table else ():
            for cell in row:
                yield from (cell.words, cell.below)
