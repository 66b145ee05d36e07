"""What a person or a principal takes back keeps nobody out any more, and nothing of it is destroyed."""

import json
from datetime import timedelta

import pytest

from rights.instructing import ENERGY, accept, current, instruct, lent, now, of_center, of_principal, owned, swept
from rights.town import DESK, SHA, Town
from sluice.exchange.persons.suppressed import find_suppressed
from sluice.ledger.verify import verify
from sluice.retention.run import find_due
from sluice.rights.alerts.due import DUE
from sluice.rights.alerts.tell import Way, tell_desk
from sluice.rights.case import store
from sluice.rights.case.desk_store import count_ours
from sluice.rights.case.model import Action, Case, LetterKind, Order, Remedies, Right, State, Track
from sluice.rights.case.next_step import NextStep, step_of
from sluice.rights.case.reasons import REMEDIES, iri
from sluice.rights.case.steps import advance, decide, withdraw
from sluice.rights.case.store import list_steps
from sluice.rights.copies.where import where
from sluice.rights.desk_steps import decide_and_tell
from sluice.rights.erasure.control import beat_and_check, resume, take_up
from sluice.rights.erasure.control_store import begin_run, is_stopped
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.model import ErasureIsStopped, NotReleased, ReleaseRefused
from sluice.rights.erasure.release import draft, release
from sluice.rights.instruction_rules import InstructionOutcome
from sluice.rights.letters.write import note_opened
from sluice.rights.lifting import NothingRestricted, lift_restriction
from sluice.rights.mail.model import MailKind
from sluice.rights.person.identifiers import Identifier
from sluice.rights.protection_store import find_open_protections
from sluice.rights.protections import settle_protections
from sluice.rights.read_instructions import CONTRADICTING
from sluice.rights.schedule import follow
from sluice.terms import SubjectKind

town = lent()
own = owned()


ENDS = {
    Right.RESTRICTION: (Action.RESTRICT, "restricted"),
    Right.OBJECTION: (Action.STOP, "objected"),
    Right.DIRECT_MARKETING: (Action.STOP, "objected"),
}
"""What is decided of a right, and as what it keeps its person out."""


def asked_of_center(town: Town, right: Right) -> Case:
    """The first of the people asks energy01, and the center decides its part."""
    case = town.opened(right, [(SubjectKind.PHONE, town.people[0].phone)], ENERGY)
    ours = [part.sub_case_id for part in case.sub_cases if part.track is Track.CONTROLLER]
    if right in ENDS:
        order = Order(DESK, now(), "ACCEPTED", SHA, action=ENDS[right][0])
        decide(town.house.conn, case.case_id, State.ACCEPTED, order, ours)
    return store.get_case(town.house.conn, case.case_id)


def taken_back(town: Town, case: Case) -> None:
    withdraw(town.house.conn, case.case_id, Order(DESK, now(), "SUBJECT_ASKED", SHA))
    swept(town, case)


def kept_out(town: Town) -> set[str]:
    found = find_suppressed(town.house, ENERGY)
    return set() if found is None else set(found["reason"])


@pytest.mark.parametrize("right", ENDS)
def test_whoever_takes_a_request_back_is_kept_out_by_it_no_more_but_by_another_of_theirs(
    town: Town, right: Right
) -> None:
    for is_settled in (False, True):
        case = asked_of_center(town, right)
        if is_settled:
            settle_protections(town.house, now())
            assert ENDS[right][1] in kept_out(town), "control: what was decided keeps them out"

        taken_back(town, case)

        assert kept_out(town) == set()
        assert find_open_protections(town.house.conn) == [], "nothing is looked at again with each sweep"
        ended = store.get_case(town.house.conn, case.case_id)
        assert [letter for letter in ended.letters if letter.kind is LetterKind.LIFTING] == [], "their own word"
        with pytest.raises(NothingRestricted):
            lift_restriction(town.house, case.case_id, Order(DESK, now(), "LIFTED", SHA), has_evidence=False)
    assert verify(town.house.conn, public_pem=town.house.keyring.public_pem).valid
    first, _ = asked_of_center(town, right), asked_of_center(town, right)
    swept(town, first)
    taken_back(town, first)
    assert kept_out(town) == {ENDS[right][1]}


def test_a_part_that_was_taken_back_restricts_nobody_though_the_case_goes_on(town: Town) -> None:
    case = asked_of_center(town, Right.RESTRICTION)
    [ours] = [part for part in case.sub_cases if part.track is Track.CONTROLLER]
    advance(
        town.house.conn, case.case_id, State.WITHDRAWN_BY_SUBJECT, Order(DESK, now(), "SUBJECT_ASKED", SHA),
        ours.sub_case_id,
    )  # fmt: skip

    settle_protections(town.house, now())

    assert kept_out(town) == {"soft_hold"}, "the other part still waits"


def test_a_consent_that_was_withdrawn_does_not_come_back_by_that(town: Town) -> None:
    """It comes back by being given again (docs/how-to/consent.md)."""
    case = asked_of_center(town, Right.CONSENT_WITHDRAWAL)

    taken_back(town, case)

    assert kept_out(town) == {"consent_withdrawn"} and find_open_protections(town.house.conn) == []


NO = iri("NotRequiredJustification")
KEPT: dict[Right, tuple[dict[str, str], str]] = {
    Right.RESTRICTION: ({"decision": "restrict"}, "restricted"),
    Right.ERASURE: ({"decision": "restrict", "reason": "A17LegalClaims"}, "restricted"),
    Right.OBJECTION: ({"decision": "stop"}, "objected"),
}
"""What the principal says first, by right, and as what that keeps the person out."""


def needed_after_its_day(town: Town) -> set[str]:
    """For what retention keeps copies four months later."""
    later = now() + timedelta(days=120)
    return {str(each.needed_for) for each in find_due(town.house, later.date(), later, ENERGY) if not each.is_free}


def kept_out_by_principal(town: Town, right: Right) -> Case:
    """The person asks, the principal decides to keep them out, and the next sweep does so."""
    person = town.people[0]
    given = [(SubjectKind.PHONE, person.phone), (SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record(ENERGY))]
    named = ["https://w3id.org/dpv#ServiceProvision"] if right is Right.OBJECTION else []  # marketing has another end
    case = town.opened(right, given, ENERGY, purposes=named)
    assert instruct(town, of_principal(case), **KEPT[right][0]) is InstructionOutcome.INSTRUCTED
    follow(town.house, now())
    return current(town, case)


def refused(town: Town, case: Case) -> Case:
    """The center refuses its own part, its letter and those of the principal's are posted, and the request is over."""
    remedies = Remedies(REMEDIES["BE"], "nl")
    decide_and_tell(town.house, case.case_id, Order(DESK, now(), NO, SHA, reasons={"*": NO}, remedies=remedies))
    for _ in range(2):
        for letter in swept(town, case).letters:
            if letter.opened_at is None:
                note_opened(town.house.conn, letter, now(), DESK)
    return swept(town, case)


@pytest.mark.parametrize("right", KEPT)
def test_what_its_controller_took_back_ends_once_all_is_over_there(town: Town, right: Right) -> None:
    case = kept_out_by_principal(town, right)
    part, kept = of_principal(case), KEPT[right][1]
    assert kept in kept_out(town), "control: the decision keeps the person out"
    no = {"decision": "refuse", "reason": "NotRequiredJustification"}
    assert instruct(town, part, **no) is InstructionOutcome.CONTRADICTS
    follow(town.house, now())
    assert kept in kept_out(town), "while the controller is asked again it may come to the same decision"
    assert instruct(town, part, **no) is InstructionOutcome.INSTRUCTED

    case = refused(town, case)

    assert case.state.is_over and {each.action for each in case.sub_cases} == {Action.REFUSE}
    assert kept_out(town) == set() and find_open_protections(town.house.conn) == []
    assert needed_after_its_day(town) == set()


@pytest.mark.parametrize("right", KEPT)
def test_what_stands_stays_when_the_request_is_over(town: Town, right: Right) -> None:
    case = refused(town, kept_out_by_principal(town, right))

    assert case.state.is_over and of_principal(case).action is not Action.REFUSE
    assert bool(needed_after_its_day(town)) is (KEPT[right][1] == "restricted")
    assert kept_out(town) == {KEPT[right][1]} and find_open_protections(town.house.conn) == []


def test_a_controller_that_comes_back_to_its_first_word_restricts(town: Town) -> None:
    case = kept_out_by_principal(town, Right.RESTRICTION)
    part = of_principal(case)
    assert instruct(town, part, decision="refuse", reason="NotRequiredJustification") is InstructionOutcome.CONTRADICTS
    follow(town.house, now())
    again = instruct(town, part, decision="restrict", fields=list(part.field_groups))
    assert again is InstructionOutcome.INSTRUCTED

    case = refused(town, case)

    assert case.state.is_over and kept_out(town) == {"restricted"}


def held(town: Town) -> list[str]:
    """Stores that have a copy which names the person."""
    person = Identifier(SubjectKind.PHONE, town.people[0].phone)
    return sorted(each.store for each in where(town.house, [person], [ENERGY]))


def to_erase(town: Town) -> Case:
    """The person asks, the principal instructs `erase`, the center agrees, a plan waits for its release."""
    person = town.people[0]
    given = [(SubjectKind.PHONE, person.phone), (SubjectKind.PRINCIPAL_CUSTOMER_ID, person.record(ENERGY))]
    case = town.opened(Right.ERASURE, given, ENERGY)
    assert instruct(town, of_principal(case), decision="erase") is InstructionOutcome.INSTRUCTED
    accept(town, case, Action.ERASE)
    draft(town.house, case.case_id, "airflow", now())
    return current(town, case)


def refuse(town: Town, case: Case) -> InstructionOutcome:
    return instruct(town, of_principal(case), decision="refuse", reason="A17LegalClaims")


@pytest.mark.parametrize("is_released", [True, False])
def test_what_a_principal_takes_back_is_not_destroyed_by_the_plan_made_for_it(town: Town, is_released: bool) -> None:
    case, before = to_erase(town), held(town)
    if is_released:
        release(town.house, case.case_id, "bert", now())
    assert refuse(town, case) is InstructionOutcome.CONTRADICTS
    case = current(town, case)
    part = of_principal(case)
    assert (part.state, part.action, part.action_fields) == (State.ESCALATED, None, ())
    assert of_center(case).action is Action.ERASE
    if not is_released:
        with pytest.raises(ReleaseRefused):
            release(town.house, case.case_id, "bert", now())
    with pytest.raises(NotReleased):
        run(town.house, case.case_id, now())
    assert take_up(town.house, "airflow", now()) == [] and is_stopped(town.house.conn, case.case_id)
    assert held(town) == before != []


def test_a_word_about_fewer_fields_contradicts_as_well(town: Town) -> None:
    """The control: the same word again, once more with every field by its name, does not."""
    case, person = town.opened(Right.ERASURE, [(SubjectKind.PHONE, town.people[0].phone)], ENERGY), town.people[0]
    groups = list(of_principal(case).field_groups)
    assert len(groups) > 1 and person
    assert instruct(town, of_principal(case), decision="erase") is InstructionOutcome.INSTRUCTED
    everything = instruct(town, of_principal(case), decision="erase", fields=groups)
    assert everything is not InstructionOutcome.CONTRADICTS
    fewer = instruct(town, of_principal(case), decision="erase", fields=groups[1:], reason="A17LegalClaims")
    assert fewer is InstructionOutcome.CONTRADICTS
    assert of_principal(current(town, case)).state is State.ESCALATED


def test_a_run_at_work_stops_before_its_next_object(town: Town) -> None:
    case = to_erase(town)
    release(town.house, case.case_id, "bert", now())
    begin_run(town.house.conn, case.case_id)
    beat_and_check(town.house.conn, case.case_id)
    assert refuse(town, case) is InstructionOutcome.CONTRADICTS
    with pytest.raises(ErasureIsStopped):
        beat_and_check(town.house.conn, case.case_id)


def test_the_principal_reads_that_it_was_not_followed_and_the_desk_hears_of_it_once(town: Town) -> None:
    case, ours = to_erase(town), count_ours(town.house.conn)
    refuse(town, case)
    said = [json.loads(body) for name, body in town.notices(ENERGY).items() if name.startswith("instruction-")]
    number = of_principal(case).sub_case_id
    [told] = [each for each in said if (each["outcome"], each["case"]) == ("CONTRADICTS", number)]
    assert told["notice"] == "case.instruction_refused" and "Nothing more is carried out" in told["text"]["en"]
    assert step_of(current(town, case)) is NextStep.CALL_PRINCIPAL and count_ours(town.house.conn) == ours == 1
    assert list_steps(town.house.conn, case.case_id)[-1].reason_code == CONTRADICTING
    heard: list[str] = []
    way = Way("log", lambda message: heard.extend(message.lines))
    for _ in range(2):
        at, kind = now(), MailKind.CONTRADICTED
        tell_desk(town.house.conn, [way], kind, DUE[kind](town.house.conn, at), at)
    assert heard == [f"{case.case_id} {ENERGY}: instructs otherwise than before"]


def test_its_next_word_counts_and_a_person_lets_the_rest_go_on(own: Town) -> None:
    case = to_erase(own)
    refuse(own, case)
    assert instruct(own, of_principal(case), decision="erase") is InstructionOutcome.REPLAYED
    assert refuse(own, case) is InstructionOutcome.INSTRUCTED
    case = current(own, case)
    assert (of_principal(case).state, of_principal(case).action) == (State.INSTRUCTED, Action.REFUSE)
    assert is_stopped(own.house.conn, case.case_id)
    before = held(own)
    assert let_go_on(own, case) == 0 and held(own) == before

    case = to_erase(own)
    refuse(own, case)
    part = of_principal(case)
    again = instruct(own, part, decision="erase", fields=list(part.field_groups))
    assert again is InstructionOutcome.INSTRUCTED, "it may also stay with what it said first"
    assert let_go_on(own, case) == 0 and held(own) == []


def let_go_on(town: Town, case: Case) -> int:
    """A person resumes a stopped erasure, which is planned anew, released and run; its residue."""
    resume(town.house.conn, case.case_id, "els", now())
    draft(town.house, case.case_id, "airflow", now())
    release(town.house, case.case_id, "bert", now())
    return run(town.house, case.case_id, now()).residual


def test_the_same_decision_again_changes_nothing(town: Town) -> None:
    case = to_erase(town)
    part = of_principal(case)
    again = instruct(town, part, decision="erase", fields=list(part.field_groups))
    assert again is InstructionOutcome.NOT_AWAITED
    assert of_principal(current(town, case)) == part and not is_stopped(town.house.conn, case.case_id)
