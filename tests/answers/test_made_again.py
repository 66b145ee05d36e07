"""An answer that an erasure removed before anybody took it out is still owed (GDPR Art. 15(3))."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from answers.giving import WE_EXPORT, WE_GIVE, Package, give, now, read, street_fixtures
from answers.test_portability import ANY_NUMBER, BY_CONTRACT
from rights.town import DESK, Person, Town, swept, town_fixture
from sluice.answers import store
from sluice.answers.keep import note_taken
from sluice.answers.model import Answer, ErasedMeanwhile, Made
from sluice.answers.sweep import make_decided
from sluice.rights.case.clock import received_on
from sluice.rights.case.model import Action, Case, LetterKind, Right, State
from sluice.rights.case.store import get_case
from sluice.rights.erasure.control_store import begin_run, end_run
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.model import RunEnd
from sluice.rights.letters.had import find_had, is_missed
from sluice.rights.letters.write import note_opened, open_document, write_letter
from sluice.terms import Principal, SubjectKind
from support.meanwhile import Meanwhile
from support.night import AGREEMENT, Edit

ENERGY, SOLAR = Principal("energy01"), Principal("solar01")
PORTABLE = Edit(AGREEMENT, "portable: false", "portable: true")


def plant(town: Town) -> None:
    """All are customers of both; each may ask for a copy and for a file to take along."""
    for each in (ENERGY, SOLAR):
        town.arrive(each, town.people)


whole = town_fixture([ENERGY, SOLAR], 2 * 5, plant, WE_GIVE, WE_EXPORT, *BY_CONTRACT, ANY_NUMBER, PORTABLE)
streets, town = street_fixtures(2)


def asked(town: Town, right: Right, action: Action, person: Person, principal: Principal | None = None) -> Case:
    """A request of somebody, by telephone, decided."""
    return town.agree(town.opened(right, [(SubjectKind.PHONE, person.phone)], principal), action)


def erase(town: Town, person: Person, principal: Principal | None = ENERGY) -> None:
    assert run(town.house, asked(town, Right.ERASURE, Action.ERASE, person, principal).case_id, now()).residual == 0


def made(town: Town) -> tuple[int, int]:
    return make_decided(town.house, "airflow", now())


def answers_of(town: Town, case: Case) -> list[Answer]:
    return store.find_answers(town.house.conn, case.case_id)


def newest(town: Town, case: Case) -> Package:
    return read(town.house, Made(answers_of(town, case)[0], (), (), ()))


def letters(town: Town, case: Case) -> list[LetterKind]:
    return [letter.kind for letter in get_case(town.house.conn, case.case_id).letters]


def test_what_an_erasure_removed_is_made_again_of_what_is_left_before_any_letter_says_it_was_given(town: Town) -> None:
    person = town.people[0]
    case, taken, replaced = (asked(town, Right.ACCESS, Action.GIVE, person) for _ in range(3))
    going = asked(town, Right.PORTABILITY, Action.EXPORT, person)
    assert made(town) == (4, 0)
    note_taken(town.house, answers_of(town, taken)[0], "anna", now())
    give(town.house, replaced.case_id)
    assert made(town) == (0, 0)
    swept(town)
    before = len(letters(town, case))

    erase(town, person)
    swept(town)

    assert [each.gone_why for each in answers_of(town, case)] == ["erasure"]
    assert [each.gone_why for each in answers_of(town, replaced)] == ["erasure", "replaced"]
    assert not get_case(town.house.conn, case.case_id).state.is_over
    assert len(letters(town, case)) == before
    assert (made(town), made(town)) == ((3, 0), (0, 0))
    assert [each.gone_why for each in answers_of(town, taken)] == ["erasure"], "what was taken out is not owed again"
    for each in (case, replaced, going):
        assert [one.gone_why for one in answers_of(town, each)][:2] == [None, "erasure"]
        text = newest(town, each).text
        assert person.record(SOLAR) in text and person.record(ENERGY) not in text
    swept(town)
    take_out_letters(town, case)
    swept(town)
    assert get_case(town.house.conn, case.case_id).state is State.CLOSED
    assert made(town) == (0, 0)


def take_out_letters(town: Town, case: Case) -> None:
    for letter in get_case(town.house.conn, case.case_id).letters:
        note_opened(town.house.conn, letter, now(), DESK)


def test_a_letter_taken_out_is_no_answer_until_there_is_a_copy_again(town: Town) -> None:
    person = town.people[0]
    case = asked(town, Right.ACCESS, Action.GIVE, person)
    made(town)
    swept(town)
    write_letter(town.house, case.case_id, LetterKind.COMPLETION, now())
    erase(town, person)
    take_out_letters(town, case)

    swept(town)

    conn, stands = town.house.conn, get_case(town.house.conn, case.case_id)
    assert not any(part.is_answered for part in stands.sub_cases)
    assert {find_had(conn, stands, part) for part in stands.sub_cases} == {None}
    assert is_missed(conn, stands, stands.last_day + timedelta(days=1)), "the day goes by without an answer"
    begun = now()
    assert made(town) == (1, 0)
    had = [find_had(conn, stands, part) for part in stands.sub_cases]
    assert all(each is not None and each.at > begun for each in had), "not when the letter went, without it"


def test_one_that_was_noted_while_an_erasure_began_is_made_again_once_that_is_over(town: Town) -> None:
    case = asked(town, Right.ACCESS, Action.GIVE, town.people[0])
    erasure = asked(town, Right.ERASURE, Action.ERASE, town.people[1], ENERGY)
    objects: Any = Meanwhile(
        town.house.objects, lambda key: key.endswith(".zip.age"), lambda: begin_run(town.house.conn, erasure.case_id)
    )

    with pytest.raises(ErasedMeanwhile):
        give(replace(town.house, objects=objects), case.case_id)

    assert [each.gone_why for each in answers_of(town, case)] == ["erasure"]
    assert made(town) == (0, 0), "it waits for the erasure, which is no failure, and is still owed"
    end_run(town.house.conn, erasure.case_id, RunEnd.CLEAN)
    assert made(town) == (1, 0) and answers_of(town, case)[0].gone_at is None


def test_of_what_nothing_is_left_to_take_along_the_person_is_told_so_with_remedies(town: Town) -> None:
    person = town.people[0]
    case = asked(town, Right.PORTABILITY, Action.EXPORT, person)
    assert made(town) == (1, 0)
    swept(town)

    erase(town, person, None)
    assert (made(town), made(town)) == ((0, 0), (0, 0))
    swept(town)

    stands = get_case(town.house.conn, case.case_id)
    assert {part.action for part in stands.sub_cases} == {Action.REFUSE} and not stands.state.is_over
    [refusal] = [letter for letter in stands.letters if letter.kind is LetterKind.REFUSAL]
    assert set(refusal.sub_cases) == {part.sub_case_id for part in stands.sub_cases}
    assert "remedies" in json.dumps(json.loads(open_document(town.house, refusal)))
    note_opened(town.house.conn, refusal, now(), DESK)
    swept(town)
    done = get_case(town.house.conn, case.case_id)
    assert done.state is State.CLOSED and not done.is_breached and received_on(now()) <= done.last_day
