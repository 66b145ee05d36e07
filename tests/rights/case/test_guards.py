"""Every guard of every step stops what it is there for, and nothing else is a step."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rights.case.attempts import (
    LEGAL,
    NOW,
    OTHER_ID,
    UNFOUNDED,
    UNTOLD,
    by,
    names_of,
    part_of,
    passing,
    with_case,
    with_instruction,
    with_letters,
    with_order,
    with_part,
)
from sluice.errors import Ref
from sluice.rights.case.diagram import all_guards, diagram, renew
from sluice.rights.case.errors import TransitionRefused
from sluice.rights.case.guards import BASE, Attempt
from sluice.rights.case.model import Action, Flag, Remedies, Right, Role, State, Track
from sluice.rights.case.reasons import iri
from sluice.rights.case.transitions import FLAGS, TRANSITIONS, Transition, check_flag, check_step
from sluice.terms import Principal, Sha256

PAGE = Path(__file__).resolve().parents[3] / "docs" / "explanation" / "cases.md"
REFUSED_PARTS = (replace(part_of(Track.PROCESSOR, State.CLOSED), action=Action.REFUSE),)
REFUSED_WHOLE = dict.fromkeys(("identity", "callback"), LEGAL)
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
        lambda a: with_case(country="NL")(with_instruction(action=Action.REFUSE, reasons=REFUSED_WHOLE)(a)),
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


@pytest.mark.parametrize("name", ["Élodie Maes", "Öz Yilmaz", "energy01"])
def test_an_actor_has_a_name_as_doors_take_it(name: str) -> None:
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


def test_the_page_is_made_from_the_table() -> None:
    page = PAGE.read_text()
    assert renew(page) == page, "run `python -m sluice.rights.case.diagram docs/explanation/cases.md`"
    assert "ESCALATED --> INSTRUCTED" in diagram(Track.PROCESSOR)
