"""Every guard of the table, broken on purpose: one attempt that passes, and one change that must not.

``BREAKS`` has a way to break each guard; a test compares it with the guards there are, so that a new
guard without one is found.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from sluice.errors import Ref
from sluice.rights.case.book import moved
from sluice.rights.case.clock import DueDates
from sluice.rights.case.diagram import all_guards, diagram, renew
from sluice.rights.case.errors import TransitionRefused
from sluice.rights.case.guards import BASE, Attempt
from sluice.rights.case.model import (
    Action,
    Actor,
    Case,
    CaseId,
    Flag,
    Instruction,
    Letter,
    LetterKind,
    Order,
    Remedies,
    Right,
    Role,
    State,
    SubCase,
    SubCaseId,
    Track,
)
from sluice.rights.case.reasons import ABUSE, REFUSALS, iri
from sluice.rights.case.transitions import FLAGS, TRANSITIONS, Transition, check_flag, check_step
from sluice.terms import Principal, Sha256

SHA = "ab" * 32
NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
LEGAL = iri("A17LegallyRequired")
CASE_ID, PART_ID, OTHER_ID = CaseId("c" * 8), SubCaseId("p" * 8), SubCaseId("q" * 8)
PAGE = Path(__file__).resolve().parents[3] / "docs" / "explanation" / "cases.md"
REASONS = {
    State.ID_PENDING: iri("A12IdentityRequired"),
    State.ID_FAILED: iri("A12IdentityFailure"),
    State.EXTENDED: iri("A12Complexity"),
    State.REFUSED: LEGAL,
    State.PARTIAL: LEGAL,
}


def part_of(track: Track, state: State) -> SubCase:
    return SubCase(
        sub_case_id=PART_ID,
        case_id=CASE_ID,
        principal="energy01",
        agreement_id="DPA-ENERGY01",
        agreement_version="3.0.0",
        controller="principal" if track is Track.PROCESSOR else "center",
        track=track,
        field_groups=("identity", "callback"),
        chain="DPA-ENERGY01",
        state=state,
        may_answer=True,
        told_at=NOW - timedelta(days=3),
        action=Action.ERASE,
        action_fields=("identity", "callback"),
    )


def letter_of(kind: LetterKind, **changes: object) -> Letter:
    """A letter about the part, in the person's language, as it was logged."""
    letter = Letter(
        case_id=CASE_ID,
        kind=kind,
        scope="case",
        language="fr",
        sub_cases=(PART_ID,),
        sha256=Sha256(SHA),
        document_sha256=Sha256(SHA),
        template="letter-1",
        written_at=NOW,
        bucket="vault",
        key="k.pdf.age",
        version_id="1",
        document_key="k.json.age",
        document_version_id="1",
    )
    return replace(letter, **changes)  # type: ignore[arg-type]


def refused(part: SubCase) -> SubCase:
    """A part that comes to be answered: refused whole, or partly where something was done."""
    if part.state is State.RECIPIENTS_NOTIFIED:
        return replace(part, action_fields=("identity",))
    return replace(part, action=Action.REFUSE)


def names_of(row: Transition) -> set[str]:
    return {guard.__name__ for guard in row.guards}


def passing(row: Transition) -> Attempt:
    """An attempt at this row to which nothing can be objected."""
    part = None if row.track is Track.CASE else part_of(row.track, row.source or State.SCOPED)
    if part and row.target is State.ANSWERED:
        part = refused(part)
    names = names_of(row)
    is_again = "was_to_be_taken_along" in names
    is_vain = "was_to_be_given_to_the_person" in names
    if part and is_vain:
        part = replace(part, action=Action.GIVE)
    if part and is_again:
        part = replace(part, action=Action.EXPORT)
    over = replace(part_of(Track.CONTROLLER, State.CLOSED), sub_case_id=OTHER_ID)
    case = Case(
        case_id=CASE_ID,
        right=Right.ERASURE,
        state=(row.source or State.RECEIVED) if part is None else State.SCOPED,
        persons=1,
        principal=None,
        channel="letter",
        language="fr",
        country="BE",
        opened_at=NOW,
        due=DueDates(date(2026, 11, 25), date(2026, 12, 25), date(2026, 12, 28), date(2027, 2, 25)),
        subject_bucket="vault",
        subject_key="_cases/c/subject.age",
        subject_sha256=Sha256(SHA),
        has_failed_identity=is_vain,
        sub_cases=(part,) if part else (over,),
        letters=(letter_of(LetterKind.EXTENSION), letter_of(LetterKind.REFUSAL, opened_at=NOW)),
    )
    role = next(each for each in (Role.DESK, Role.PRINCIPAL, Role.SYSTEM) if each in row.by)
    every = ("identity", "callback")
    groups = every if is_again else {State.REFUSED: every, State.PARTIAL: ("identity",)}.get(row.target, ())
    order = Order(
        Actor(role, "energy01"),
        NOW,
        REASONS[State.ID_FAILED] if is_vain else REASONS.get(row.target, "AS_ASKED"),
        SHA,
        reasons=dict.fromkeys(groups, LEGAL),
        remedies=Remedies("remedies.be", "fr"),
        instruction=Instruction(PART_ID, Principal("energy01"), Action.ERASE, True),
        action=Action.ERASE,
        residue=0,
        untold=0,
        is_protected=True,
    )
    return Attempt(case, order, part)


def with_order(**changes: object) -> Callable[[Attempt], Attempt]:
    return lambda a: replace(a, order=replace(a.order, **changes))  # type: ignore[arg-type]


def with_case(**changes: object) -> Callable[[Attempt], Attempt]:
    return lambda a: replace(a, case=replace(a.case, **changes))  # type: ignore[arg-type]


def with_part(**changes: object) -> Callable[[Attempt], Attempt]:
    def change(attempt: Attempt) -> Attempt:
        assert attempt.part is not None
        return replace(attempt, part=replace(attempt.part, **changes))  # type: ignore[arg-type]

    return change


def with_instruction(**changes: object) -> Callable[[Attempt], Attempt]:
    def change(attempt: Attempt) -> Attempt:
        assert attempt.order.instruction is not None
        told = replace(attempt.order.instruction, **changes)  # type: ignore[arg-type]
        return replace(attempt, order=replace(attempt.order, instruction=told))

    return change


def with_letters(**changes: object) -> Callable[[Attempt], Attempt]:
    """Every letter of the case is another one."""
    return lambda a: with_case(letters=tuple(replace(each, **changes) for each in a.case.letters))(a)  # type: ignore[arg-type]


UNTOLD = [
    with_case(letters=()),
    with_letters(sub_cases=(OTHER_ID,)),
    with_letters(language="nl"),
    with_letters(kind=LetterKind.RECEIPT),
]
"""No letter, one about another part, one in a language the person did not ask for, one that says something else."""


def by(role: Role, name: str = "energy01") -> Callable[[Attempt], Attempt]:
    return with_order(actor=Actor(role, name))


REFUSED_PARTS = (replace(part_of(Track.PROCESSOR, State.CLOSED), action=Action.REFUSE),)
UNFOUNDED = dict.fromkeys(("identity", "callback"), iri("A12ManifestlyUnfounded"))
BREAKS: dict[str, list[Callable[[Attempt], Attempt]]] = {
    "names_an_actor": [
        by(Role.DESK, ""),
        by(Role.DESK, "anna\nbert"),
        by(Role.DESK, "x" * 101),
        by(Role.DESK, "an\x9b31mna"),
        by(Role.DESK, "an\u202ena"),
    ],
    "has_a_moment": [with_order(at=datetime(2026, 11, 26))],
    "has_a_reason_code": [
        with_order(reason_code=""),
        with_order(reason_code="Mrs Peeters called on 0470123456"),
        with_order(reason_code="https://elsewhere.example/reason"),
    ],
    "has_evidence": [with_order(evidence_sha256=""), with_order(evidence_sha256="AB" * 32)],
    "is_protected": [with_order(is_protected=False)],
    "has_sub_cases": [with_case(sub_cases=())],
    "every_sub_case_is_over": [
        with_case(sub_cases=()),
        with_case(sub_cases=(part_of(Track.PROCESSOR, State.CONFIRMED_TO_CONTROLLER),)),
    ],
    "doubt_has_a_reason": [with_order(reason_code="WE_ALWAYS_ASK"), with_order(reason_code=LEGAL)],
    "machine_needs_no_identity": [by(Role.SYSTEM, "sluice")],
    "machine_follows_a_refusal": [
        by(Role.SYSTEM, "sluice"),
        lambda a: by(Role.SYSTEM)(with_order(refused_for=frozenset({iri("A12IdentityFailure")}))(a)),
        lambda a: by(Role.SYSTEM)(with_case(sub_cases=REFUSED_PARTS)(a)),
        lambda a: by(Role.SYSTEM)(with_case(sub_cases=REFUSED_PARTS)(with_order(refused_for=frozenset({LEGAL}))(a))),
    ],
    "identity_failed": [with_order(reason_code="LOOKS_ODD")],
    "center_is_processor": [with_part(track=Track.CONTROLLER), lambda a: replace(a, part=None)],
    "center_is_controller": [with_part(track=Track.PROCESSOR), lambda a: replace(a, part=None)],
    "case_is_scoped": [with_case(state=state) for state in (State.RECEIVED, State.ID_PENDING, State.ID_FAILED)],
    "identity_is_settled": [with_case(has_failed_identity=True)],
    "decided_by_a_person": [by(Role.SYSTEM, "sluice")],
    "action_fits_the_right": [
        with_order(action=None),
        with_order(action=Action.REFUSE),
        with_order(action=Action.EXPORT),
        with_case(right=Right.DIRECT_MARKETING),
    ],
    "does_what_was_asked": [
        with_order(action=Action.RESTRICT),
        lambda a: with_case(right=Right.RECTIFICATION)(with_order(action=Action.RESTRICT)(a)),
    ],
    "can_be_refused": [with_case(right=Right.DIRECT_MARKETING), with_case(right=Right.CONSENT_WITHDRAWAL)],
    "gives_a_reason_per_field": [
        with_order(reasons={}),
        with_order(reasons={"identity": "the contract says keep"}),
        with_order(reasons={"identity": iri("A12Complexity")}),
        with_order(reasons={"financial": LEGAL}),
        with_case(right=Right.ACCESS),
    ],
    "refuses_every_field": [with_order(reasons={"identity": LEGAL})],
    "refuses_not_every_field": [
        with_order(reasons={"identity": LEGAL, "callback": LEGAL}),
        with_order(action=Action.RESTRICT, reasons={"identity": LEGAL}),
    ],
    "names_remedies": [
        with_order(remedies=None),
        with_order(remedies=Remedies("", "fr")),
        with_order(remedies=Remedies("remedies.be", "en")),
        with_order(remedies=Remedies("remedies.nowhere", "fr")),
        with_case(country="NL"),
    ],
    "abuse_is_proven": [with_order(reasons=UNFOUNDED), with_order(reason_code=iri("A12ManifestlyExcessive"))],
    "extended_never_before": [with_part(extended_at=NOW)],
    "before_the_month_is_over": [
        with_order(at=datetime(2026, 12, 27, 23, 0, tzinfo=UTC)),
        with_order(at=datetime(2027, 1, 5, tzinfo=UTC)),
    ],
    "refusal_is_in_time": [with_order(at=datetime(2026, 12, 28, 9, tzinfo=UTC))],
    "refusal_of_all_is_in_time": [with_order(action=Action.RESTRICT, at=datetime(2026, 12, 28, 9, tzinfo=UTC))],
    "delay_has_a_reason": [with_order(reason_code="HOLIDAYS"), with_order(reason_code=LEGAL)],
    "reminder_is_due": [with_part(told_at=NOW - timedelta(hours=23)), with_part(told_at=None)],
    "instruction_names_the_case": [with_instruction(sub_case_id=OTHER_ID), with_order(instruction=None)],
    "instruction_is_authentic": [with_instruction(is_authentic=False), with_order(instruction=None)],
    "instruction_is_for_own_data": [
        with_instruction(principal=Principal("bank01")),
        by(Role.PRINCIPAL, "bank01"),
        with_part(principal="bank01"),
    ],
    "instruction_is_new": [with_instruction(is_replayed=True)],
    "instruction_fits_the_right": [
        with_instruction(action=Action.EXPORT),
        lambda a: with_case(right=Right.DIRECT_MARKETING)(with_instruction(action=Action.REFUSE)(a)),
    ],
    "instruction_names_its_fields": [with_instruction(fields=("identity", "financial"))],
    "instructed_refusal_has_reasons": [
        with_instruction(action=Action.REFUSE),
        with_instruction(action=Action.REFUSE, reasons={"identity": LEGAL}),
        with_instruction(action=Action.REFUSE, fields=("identity",), reasons={"identity": "no"}),
        with_instruction(action=Action.REFUSE, fields=("identity",), reasons={"identity": LEGAL}),
        with_instruction(action=Action.RESTRICT),
        with_instruction(action=Action.RESTRICT, reasons={"identity": LEGAL}),
        with_instruction(action=Action.RESTRICT, fields=("identity",), reasons={"callback": LEGAL}),
        lambda a: with_part(may_answer=False)(with_instruction(action=Action.RESTRICT)(a)),
        with_instruction(reasons={"identity": LEGAL}),
        with_instruction(fields=("identity",)),
        with_instruction(fields=("identity",), reasons={"identity": LEGAL}),
        with_instruction(fields=("identity",), reasons={"callback": "no"}),
    ],
    "agreement_lets_us_answer": [with_part(may_answer=False)],
    "what_stays_has_reasons": [
        with_order(reasons={"identity": LEGAL}),
        with_order(reasons=dict.fromkeys(("identity", "callback"), "no")),
        with_order(reasons=dict.fromkeys(("identity", "callback"), LEGAL), remedies=None),
        lambda a: by(Role.SYSTEM, "sluice")(with_order(reasons=dict.fromkeys(("identity", "callback"), LEGAL))(a)),
    ],
    "was_to_be_given_to_the_person": [
        with_part(action=Action.ERASE),
        with_part(action=None),
        with_part(may_answer=False),
        with_case(has_failed_identity=False),
    ],
    "was_to_be_taken_along": [with_part(action=Action.ERASE), with_part(action=None)],
    "nothing_is_left": [with_order(residue=1), with_order(residue=None)],
    "every_recipient_was_told": [with_order(untold=1), with_order(untold=None)],
    "refusal_was_told": [
        *UNTOLD,
        lambda a: with_part(action=Action.REFUSE)(with_order(evidence_sha256="cd" * 32)(a)),
        lambda a: with_part(action=Action.REFUSE)(with_letters(sha256=Sha256("cd" * 32))(a)),
        with_letters(opened_at=None),
    ],
    "extension_was_told": [*UNTOLD, with_letters(written_at=datetime(2026, 12, 27, 23, 0, tzinfo=UTC))],
    "subject_asked": [by(Role.SYSTEM), by(Role.PRINCIPAL)],
}
FLAG_BREAKS: dict[str, Callable[[Attempt], Attempt]] = {
    "deadline_has_passed": with_order(at=datetime(2026, 12, 28, 22, 59, tzinfo=UTC)),
    "subject_asked": by(Role.SYSTEM),
}
USES = [(row, guard.__name__) for row in TRANSITIONS for guard in (*BASE, *row.guards)]


def name_of(value: object) -> str:
    if isinstance(value, Transition):
        return f"{value.track}-{value.source}-{value.target}"
    return str(value)


@pytest.mark.parametrize("row", TRANSITIONS, ids=name_of)
def test_a_step_whose_guards_hold_is_taken(row: Transition) -> None:
    assert check_step(row.source, row.target, passing(row)) is row


@pytest.mark.parametrize(("row", "guard"), USES, ids=name_of)
def test_a_broken_guard_stops_the_step_and_is_named(row: Transition, guard: str) -> None:
    for change in BREAKS[guard]:
        attempt = change(passing(row))
        held = attempt.part is not None and attempt.part.track is not row.track
        if held or (row.track is not Track.CASE and attempt.part is None):
            assert find_broken(row, attempt, guard)
            continue
        with pytest.raises(TransitionRefused) as refused:
            check_step(row.source, row.target, attempt)
        assert guard in named(refused.value)


def test_the_machine_lets_a_check_fail_where_all_was_refused_for_that() -> None:
    [row] = [each for each in TRANSITIONS if each.target is State.ID_FAILED]
    refused_for = frozenset({LEGAL, iri("A12IdentityFailure")})
    attempt = with_order(refused_for=refused_for)(by(Role.SYSTEM, "sluice")(passing(row)))
    assert check_step(row.source, row.target, with_case(sub_cases=REFUSED_PARTS)(attempt)) is row
    done = part_of(Track.PROCESSOR, State.CLOSED)
    with pytest.raises(TransitionRefused, match="machine_follows_a_refusal"):
        check_step(row.source, row.target, with_case(sub_cases=(*REFUSED_PARTS, done))(attempt))


def find_broken(row: Transition, attempt: Attempt, guard: str) -> bool:
    """The guard itself: a part on the other track has another row already."""
    return not next(each for each in (*BASE, *row.guards) if each.__name__ == guard)(attempt)


def named(error: TransitionRefused) -> list[str]:
    return str(next(ref for ref in error.refs if isinstance(ref, Ref) and ref.kind == "guard").value).split(", ")


@pytest.mark.evidence
def test_every_guard_there_is_has_a_way_to_break_it(record_property: Callable[[str, object], None]) -> None:
    guards = {guard.__name__ for guard in all_guards()}
    assert guards == set(BREAKS) | set(FLAG_BREAKS)
    attempts = sum(len(BREAKS[guard]) for _, guard in USES) + sum(len(guards) for _, guards in FLAGS.values())
    record_property(
        "guards of a case",
        f"{len(guards)} of {len(guards)} broken; {attempts} attempts on {len(TRANSITIONS)} steps, none taken",
    )


@pytest.mark.parametrize("name", ["Élodie Maes", "Öz Yilmaz", "energy01", "Anna; Maes", "Anna \u041caes"])
def test_an_actor_has_a_name_as_doors_take_it_or_as_they_took_it_once(name: str) -> None:
    row = TRANSITIONS[0]
    assert check_step(row.source, row.target, by(min(row.by), name)(passing(row))) is row
    with pytest.raises(TransitionRefused, match="names_an_actor"):
        check_step(row.source, row.target, by(min(row.by), f"\u0430{name}")(passing(row)))


@pytest.mark.parametrize("row", TRANSITIONS, ids=name_of)
def test_nobody_else_may_take_a_step(row: Transition) -> None:
    for role in set(Role) - row.by:
        with pytest.raises(TransitionRefused) as refused:
            check_step(row.source, row.target, by(role)(passing(row)))
        assert "role" in named(refused.value)


def test_every_other_pair_of_states_is_no_step() -> None:
    some = passing(TRANSITIONS[0])
    rows = {(row.track, row.source, row.target) for row in TRANSITIONS}
    refused = 0
    for track in Track:
        attempt = replace(some, part=None if track is Track.CASE else part_of(track, State.SCOPED))
        for source in (None, *State):
            for target in State:
                if (track, source, target) not in rows:
                    with pytest.raises(TransitionRefused, match="no_such_step"):
                        check_step(source, target, attempt)
                    refused += 1
    assert refused == 3 * 24 * 25 - len(rows)


def test_nothing_follows_what_is_over_and_everything_else_can_be_withdrawn() -> None:
    for track in Track:
        steps = {(row.source, row.target) for row in TRANSITIONS if row.track is track}
        assert not {source for source, _ in steps} & {State.CLOSED, State.WITHDRAWN_BY_SUBJECT}
        for state in {target for _, target in steps if not target.is_over}:
            assert (state, State.WITHDRAWN_BY_SUBJECT) in steps


def test_a_processor_part_never_decides_and_answers_only_as_agreed() -> None:
    targets = {row.target for row in TRANSITIONS if row.track is Track.PROCESSOR}
    assert not targets & {State.ACCEPTED, State.PARTIAL, State.REFUSED, State.EXTENDED}
    into = [row for row in TRANSITIONS if (row.track, row.target) == (Track.PROCESSOR, State.ANSWERED)]
    assert into and all("agreement_lets_us_answer" in names_of(row) for row in into)


@pytest.mark.parametrize("flag", Flag)
def test_a_flag_is_set_when_its_guards_hold_and_not_otherwise(flag: Flag) -> None:
    roles, guards = FLAGS[flag]
    late = replace(passing(TRANSITIONS[0]).order, at=datetime(2026, 12, 28, 23, 0, tzinfo=UTC))
    attempt = by(min(roles))(replace(passing(TRANSITIONS[0]), order=late))
    check_flag(flag, attempt)
    for guard in guards:
        with pytest.raises(TransitionRefused) as refused:
            check_flag(flag, FLAG_BREAKS[guard.__name__](attempt))
        assert guard.__name__ in named(refused.value)
    with pytest.raises(TransitionRefused, match="role"):
        check_flag(flag, by(Role.PRINCIPAL)(attempt))


def test_proof_of_abuse_and_an_extended_period_are_looked_at() -> None:
    refusal = next(row for row in TRANSITIONS if row.target is State.REFUSED)
    check_step(refusal.source, refusal.target, with_order(reasons=UNFOUNDED, has_proof_of_abuse=True)(passing(refusal)))
    extended = replace(part_of(Track.CONTROLLER, State.EXTENDED), extended_at=NOW)
    attempt = with_case(sub_cases=(extended,))(by(Role.SYSTEM)(passing(TRANSITIONS[0])))
    with pytest.raises(TransitionRefused, match="deadline_has_passed"):
        check_flag(Flag.BREACHED_DEADLINE, with_order(at=datetime(2027, 2, 25, 12, tzinfo=UTC))(attempt))


EVERY = dict.fromkeys(("identity", "callback"), LEGAL)


def test_data_may_be_kept_and_not_used_instead_of_erased_with_a_reason_for_all_of_it() -> None:
    partial = next(row for row in TRANSITIONS if (row.source, row.target) == (State.ASSESSED, State.PARTIAL))
    instead = with_order(action=Action.RESTRICT, reasons=EVERY)(passing(partial))
    check_step(partial.source, partial.target, instead)
    part = instead.part
    assert part is not None
    assert moved(part, State.PARTIAL, instead.order).action_fields == part.field_groups, "all of it is restricted"
    told = next(row for row in TRANSITIONS if row.target is State.INSTRUCTED)
    for fields in ((), ("identity",)):
        said = with_instruction(action=Action.RESTRICT, fields=fields, reasons=EVERY)
        check_step(told.source, told.target, said(passing(told)))
    accepted = next(row for row in TRANSITIONS if (row.source, row.target) == (State.ASSESSED, State.ACCEPTED))
    asked = with_case(right=Right.RESTRICTION)(with_order(action=Action.RESTRICT)(passing(accepted)))
    check_step(accepted.source, accepted.target, asked)


def test_a_late_refusal_is_possible_once_the_miss_is_on_record() -> None:
    refusal = next(row for row in TRANSITIONS if row.target is State.REFUSED)
    late = with_order(at=datetime(2027, 1, 4, 9, tzinfo=UTC))(passing(refusal))
    with pytest.raises(TransitionRefused, match="refusal_is_in_time"):
        check_step(refusal.source, refusal.target, late)
    check_step(refusal.source, refusal.target, with_case(is_breached=True)(late))


def test_what_was_not_refused_needs_no_letter_and_what_was_partly_is_no_evidence() -> None:
    done = next(row for row in TRANSITIONS if (row.source, row.target) == (State.RECIPIENTS_NOTIFIED, State.ANSWERED))
    other = with_order(evidence_sha256="cd" * 32)(passing(done))
    check_step(done.source, done.target, other)
    check_step(
        done.source, done.target, with_case(letters=())(with_part(action_fields=("identity", "callback"))(other))
    )


def test_an_extension_that_was_not_told_in_time_extends_nothing_and_blocks_until_the_miss_is_on_record() -> None:
    decided = next(row for row in TRANSITIONS if (row.source, row.target) == (State.EXTENDED, State.ACCEPTED))
    late = with_letters(written_at=datetime(2026, 12, 28, 9, tzinfo=UTC))(passing(decided))
    check_step(decided.source, decided.target, with_case(is_breached=True)(late))
    with pytest.raises(TransitionRefused, match="extension_was_told"):
        check_step(decided.source, decided.target, with_case(is_breached=True, letters=())(late))
    part = replace(part_of(Track.CONTROLLER, State.EXTENDED), extended_at=NOW)
    assert with_case(sub_cases=(part,))(passing(decided)).case.is_extended
    for untold in (UNTOLD[0], with_letters(written_at=datetime(2026, 12, 27, 23, 0, tzinfo=UTC))):
        assert not untold(with_case(sub_cases=(part,))(passing(decided))).case.is_extended


def test_nothing_refuses_direct_marketing_or_a_withdrawal_and_abuse_is_known_everywhere_else() -> None:
    assert REFUSALS[Right.DIRECT_MARKETING] == REFUSALS[Right.CONSENT_WITHDRAWAL] == frozenset()
    assert all(reasons >= ABUSE for reasons in REFUSALS.values() if reasons)


UNMET = {
    Right.RECTIFICATION: iri("NotRequiredJustification"),
    Right.RESTRICTION: iri("NotRequiredJustification"),
    Right.ERASURE: iri("NotRequiredJustification"),
    Right.OBJECTION: iri("LegitimateInterestOverride"),
}
"""Where the conditions of a right are not met: data is right, no ground of Art. 17(1) or 18(1) holds, 21(1)."""


@pytest.mark.parametrize("right", UNMET)
def test_a_person_may_refuse_a_right_whose_conditions_are_not_met_and_the_machine_may_not(right: Right) -> None:
    refusal = next(row for row in TRANSITIONS if (row.source, row.target) == (State.ASSESSED, State.REFUSED))
    told = next(row for row in TRANSITIONS if row.target is State.INSTRUCTED)
    reasons = dict.fromkeys(EVERY, UNMET[right])
    decided = with_case(right=right)(with_order(reasons=reasons, reason_code=UNMET[right])(passing(refusal)))
    said = with_instruction(action=Action.REFUSE, reasons=reasons)

    check_step(refusal.source, refusal.target, decided)
    check_step(told.source, told.target, with_case(right=right)(said(passing(told))))
    for change, guard in (
        (with_order(remedies=None), "names_remedies"),
        (with_order(reasons={}), "gives_a_reason_per_field"),
        (by(Role.SYSTEM, "sluice"), "decided_by_a_person"),
        (with_case(right=Right.DIRECT_MARKETING), "can_be_refused"),
        (with_case(right=Right.CONSENT_WITHDRAWAL), "can_be_refused"),
        (with_case(right=Right.ACCESS), "gives_a_reason_per_field"),
    ):
        with pytest.raises(TransitionRefused, match=guard):
            check_step(refusal.source, refusal.target, change(decided))
    for other in (Right.DIRECT_MARKETING, Right.CONSENT_WITHDRAWAL):
        with pytest.raises(TransitionRefused, match="instruction_fits_the_right"):
            check_step(told.source, told.target, with_case(right=other)(said(passing(told))))


def test_each_right_has_the_reason_of_its_own_conditions() -> None:
    """Of an objection there are two: its own grounds are overridden, or what it is about rests on another basis."""
    both = {right: {reason} for right, reason in UNMET.items()}
    both[Right.OBJECTION].add(iri("NotRequiredJustification"))
    for right, reasons in both.items():
        others = set(UNMET.values()) - reasons
        assert REFUSALS[right] >= reasons and REFUSALS[right].isdisjoint(others)


def test_the_page_is_made_from_the_table() -> None:
    page = PAGE.read_text()
    assert renew(page) == page, "run `python -m sluice.rights.case.diagram docs/explanation/cases.md`"
    assert "ESCALATED --> INSTRUCTED" in diagram(Track.PROCESSOR)


def test_every_justification_is_a_term_of_dpv(schemas: Path) -> None:
    known = (schemas / "dpv" / "dpv-2.3-subset.csv").read_text()
    for reason in set().union(*REFUSALS.values()) | set(REASONS.values()):
        assert f"{reason}" in known or reason.rpartition("#")[2] in known
    assert iri("A17TheContractSaysKeep").rpartition("#")[2] not in known
