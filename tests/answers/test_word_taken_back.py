"""What was made on the word of a controller that takes it back does not go out; what it says next is made anew."""

from dataclasses import replace
from typing import Any

import pytest

from answers.giving import WE_GIVE, Package, give, now, read, street_fixtures, taken
from rights.instructing import accept, current, instruct, of_center, of_principal, swept
from rights.town import DESK, Town, town_fixture
from sluice.answers import store
from sluice.answers.keep import note_taken, remove_due
from sluice.answers.link import make_link
from sluice.answers.link_model import LinkOver
from sluice.answers.model import Answer, AnswerGone, DecidedMeanwhile, Made
from sluice.answers.sweep import make_decided
from sluice.ledger.verify import verify
from sluice.rights.case.model import Action, Case, Right, State
from sluice.rights.case.store import list_steps
from sluice.rights.copies import answer_store
from sluice.rights.instruction_rules import InstructionOutcome
from sluice.terms import Principal, SubjectKind
from support.meanwhile import Meanwhile

ENERGY = Principal("energy01")
NO = "ThirdPartyRightsImpaired"
CODE = "spoken word"


def plant(town: Town) -> None:
    town.arrive(ENERGY, town.people)


whole = town_fixture([ENERGY], 6, plant, WE_GIVE)
streets, town = street_fixtures(1)


def given(town: Town, **first: object) -> Case:
    """Somebody asks for a copy, the principal says first to give it, and so does the center; the package is made."""
    person = town.people[0]
    kinds = [(SubjectKind.PHONE, person.phone), (SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record(ENERGY))]
    case = town.opened(Right.ACCESS, kinds, ENERGY, language="en")
    assert instruct(town, of_principal(case), decision="give", **first) is InstructionOutcome.INSTRUCTED
    accept(town, case, Action.GIVE)
    assert made(town) == (1, 0)
    return case


def made(town: Town) -> tuple[int, int]:
    return make_decided(town.house, "airflow", now())


def refuse(town: Town, case: Case) -> InstructionOutcome:
    return instruct(town, of_principal(case), decision="refuse", reason=NO)


def answers_of(town: Town, case: Case) -> list[Answer]:
    return store.find_answers(town.house.conn, case.case_id)


def newest(town: Town, case: Case) -> Package:
    return read(town.house, Made(answers_of(town, case)[0], (), (), ()))


def opens(town: Town, token: str) -> bool:
    try:
        return bool(taken(town.house, token, CODE, now()).content)
    except LinkOver:
        return False


def test_no_link_gives_what_its_controller_took_back_and_no_new_one_does(town: Town) -> None:
    case = given(town)
    link = make_link(town.house, case.case_id, now(), DESK, code=CODE)
    assert town.people[0].phone in newest(town, case).text, "control: it is in there"

    assert refuse(town, case) is InstructionOutcome.CONTRADICTS

    [first] = answers_of(town, case)
    assert first.gone_why == "withdrawn" and not opens(town, link.token)
    with pytest.raises(AnswerGone):
        make_link(town.house, case.case_id, now(), DESK, code=CODE)
    there = town.house.objects.list_versions(town.desk.settings.bucket_vault, answer_store.PREFIX)
    assert [each for each in there if case.case_id in each.key] == [], "neither the package nor its index run"
    assert refuse(town, case) is InstructionOutcome.INSTRUCTED
    assert (made(town), made(town)) == ((1, 0), (0, 0)), "the center's part is owed anew"
    assert answers_of(town, case)[0].sub_cases == (of_center(case).sub_case_id,)
    assert town.people[0].phone not in newest(town, case).text
    assert opens(town, make_link(town.house, case.case_id, now(), DESK, code=CODE).token)
    assert verify(town.house.conn, public_pem=town.house.keyring.public_pem).valid


def test_a_narrower_word_is_booked_on_a_package_of_its_own(town: Town) -> None:
    case = given(town)
    less: dict[str, Any] = {"decision": "give", "fields": ["identity"], "reason": NO}
    assert instruct(town, of_principal(case), **less) is InstructionOutcome.CONTRADICTS
    assert instruct(town, of_principal(case), **less) is InstructionOutcome.INSTRUCTED

    assert of_principal(swept(town, case)).state is State.INSTRUCTED, "nothing was made on this word yet"
    assert made(town) == (1, 0)
    stands = of_principal(swept(town, case))

    newer, older = answers_of(town, case)
    assert stands.state is State.EXECUTED and (older.gone_why, newer.gone_at) == ("withdrawn", None)
    [step] = [one for one in list_steps(town.house.conn, case.case_id) if one.reason_code == "PACKAGE_MADE"][:1]
    assert step.evidence_sha256 != older.sha256
    assert {each.split("/")[1] for each in newer.given or () if each.startswith(stands.sub_case_id)} == {"identity"}


@pytest.mark.parametrize("is_by_link", [True, False])
def test_what_was_taken_out_before_is_no_answer_to_the_next_word(town: Town, is_by_link: bool) -> None:
    case = given(town, fields=["identity"], reason=NO)
    if is_by_link:
        link = make_link(town.house, case.case_id, now(), DESK, code=CODE)
        assert opens(town, link.token)
    else:
        note_taken(town.house, answers_of(town, case)[0], "anna", now())
    other: dict[str, Any] = {"decision": "give", "fields": ["contact_point"], "reason": NO}
    assert instruct(town, of_principal(case), **other) is InstructionOutcome.CONTRADICTS
    assert instruct(town, of_principal(case), **other) is InstructionOutcome.INSTRUCTED

    assert of_principal(swept(town, case)).state is State.INSTRUCTED
    assert not is_by_link or not opens(town, link.token)
    assert made(town) == (1, 0)
    groups = {
        each.split("/")[1] for each in answers_of(town, case)[0].given or () if of_principal(case).sub_case_id in each
    }
    assert groups == {"contact_point"} and of_principal(swept(town, case)).state is State.EXECUTED


def test_a_package_that_is_being_made_while_the_word_is_taken_back_is_thrown_away(town: Town) -> None:
    case = given(town)
    before = len(answers_of(town, case))
    objects: Any = Meanwhile(town.house.objects, lambda key: key.endswith(".zip.age"), lambda: refuse(town, case))

    with pytest.raises(DecidedMeanwhile):
        give(replace(town.house, objects=objects), case.case_id)

    assert len(answers_of(town, case)) == before and answers_of(town, case)[0].gone_why == "withdrawn"
    assert of_principal(current(town, case)).state is State.ESCALATED
    assert made(town) == (1, 0), "of what stands"
    assert town.people[0].phone not in newest(town, case).text


def test_the_same_word_again_removes_nothing(town: Town) -> None:
    case = given(town)
    part = of_principal(case)
    link = make_link(town.house, case.case_id, now(), DESK, code=CODE)

    again = instruct(town, part, decision="give", fields=list(part.field_groups))

    assert again is InstructionOutcome.NOT_AWAITED and opens(town, link.token)
    assert remove_due(town.house, now()) == (0, 0) and made(town) == (0, 0)
