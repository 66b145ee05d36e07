"""Data that is kept and not used where its erasure was asked is a refusal: a ground, a date, an honest letter."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from rights.instructing import ENERGY, arrived, instruct, lent, now, of_center, of_principal, swept
from rights.town import DESK, SHA, Town
from sluice.exchange.persons.suppressed import find_suppressed
from sluice.rights.case import store
from sluice.rights.case.clock import months_later, received_on
from sluice.rights.case.errors import TransitionRefused
from sluice.rights.case.facts import exception_review_months
from sluice.rights.case.model import Action, Case, LetterKind, Order, Remedies, Right, State
from sluice.rights.case.reasons import REMEDIES, iri
from sluice.rights.case.steps import decide
from sluice.rights.desk_steps import decide_and_tell, extend_and_tell
from sluice.rights.erasure.exceptions import exceptions_of
from sluice.rights.instruction_rules import InstructionOutcome
from sluice.rights.letters.write import open_document, write_letter
from sluice.terms import SubjectKind
from support.night import AGREEMENT, Edit

WE_ANSWER = Edit(AGREEMENT, "A17: false", "A17: true")
CLAIMS = iri("A17LegalClaims")


town = lent(arrived, WE_ANSWER)


def asked(town: Town) -> Case:
    return town.opened(Right.ERASURE, [(SubjectKind.PHONE, town.people[0].phone)], ENERGY)


def decided(town: Town, case: Case, target: State, *groups: str) -> None:
    """The center's part is restricted, with a reason for these groups."""
    order = Order(
        DESK, now(), CLAIMS if groups else "ACCEPTED", SHA, reasons=dict.fromkeys(groups, CLAIMS),
        remedies=Remedies(REMEDIES["BE"], "nl"), action=Action.RESTRICT,
    )  # fmt: skip
    decide(town.house.conn, case.case_id, target, order, [of_center(case).sub_case_id])


def documents(town: Town, case: Case) -> dict[LetterKind, dict[str, object]]:
    letters = store.get_case(town.house.conn, case.case_id).letters
    return {letter.kind: json.loads(open_document(town.house, letter)) for letter in letters}


def test_nobody_restricts_instead_of_erasing_without_a_reason_for_all_of_it(town: Town) -> None:
    case = asked(town)
    theirs, ours = of_principal(case), of_center(case)

    assert instruct(town, theirs, decision="restrict") is InstructionOutcome.NOT_ADMITTED
    for target, groups, guard in (
        (State.ACCEPTED, (), "does_what_was_asked"),
        (State.ACCEPTED, ours.field_groups, "does_what_was_asked"),
        (State.PARTIAL, ours.field_groups[:1], "refuses_not_every_field"),
    ):
        with pytest.raises(TransitionRefused, match=guard):
            decided(town, case, target, *groups)
    assert {part.action for part in store.get_case(town.house.conn, case.case_id).sub_cases} == {None}


def test_it_is_a_refusal_with_a_reason_a_review_date_and_letters_that_say_so(town: Town) -> None:
    case = asked(town)
    said = instruct(town, of_principal(case), decision="restrict", reason="A17LegalClaims")
    assert said is InstructionOutcome.INSTRUCTED
    decided(town, case, State.PARTIAL, "*")
    done = swept(town, case)
    kept = exceptions_of(done, store.list_steps(town.house.conn, case.case_id), ENERGY)
    today = received_on(now())
    assert {(each.reason, each.review_on) for each in kept} == {
        (CLAIMS, months_later(today, exception_review_months(today)).isoformat())
    }
    assert {each.field_group for each in kept} == {group for part in done.sub_cases for group in part.field_groups}
    said = documents(town, case)
    assert said[LetterKind.REFUSAL]["title"] == "Wij kunnen niet doen wat u vraagt"
    title = "Wij deden niet wat u vroeg: uw gegevens worden bewaard en niet gebruikt"
    assert said[LetterKind.COMPLETION]["title"] == title
    for kind in (LetterKind.REFUSAL, LetterKind.COMPLETION):
        text = " ".join(map(str, said[kind]["text"]))  # type: ignore[call-overload]
        assert (
            "om een recht voor de rechter te laten gelden" in text
            and "opnieuw bekeken" in text
            and "www.gegevens" in text
        )
    found = find_suppressed(town.house, ENERGY)
    assert found is not None and set(found["reason"]) == {"restricted"}
    lifting = json.loads(open_document(town.house, write_letter(town.house, case.case_id, LetterKind.LIFTING, now())))
    assert any("U vroeg om uw gegevens te wissen." in each for each in lifting["text"])


def test_after_an_extension_all_of_it_is_restricted_instead_only_within_the_month_of_a_refusal(town: Town) -> None:
    case = asked(town)
    extend_and_tell(town.house, case.case_id, Order(DESK, now(), iri("A12Complexity"), SHA))
    groups = of_center(case).field_groups
    late = Order(
        DESK, now() + timedelta(days=45), CLAIMS, SHA, reasons=dict.fromkeys(groups, CLAIMS),
        remedies=Remedies(REMEDIES["BE"], "nl"), action=Action.RESTRICT,
    )  # fmt: skip
    with pytest.raises(TransitionRefused, match="refusal_of_all_is_in_time"):
        decide_and_tell(town.house, case.case_id, late)
    with pytest.raises(TransitionRefused, match="refusal_is_in_time"):
        decide_and_tell(town.house, case.case_id, replace(late, action=None))

    in_time = decide_and_tell(town.house, case.case_id, replace(late, at=now()))
    assert of_center(in_time.case).state is State.PARTIAL
    other = asked(town)
    extend_and_tell(town.house, other.case_id, Order(DESK, now(), iri("A12Complexity"), SHA))
    some = replace(late, action=Action.ERASE, reasons={groups[0]: CLAIMS})
    done = decide_and_tell(town.house, other.case_id, some)
    assert of_center(done.case).state is State.PARTIAL, "what is done in part may take the longer time"
