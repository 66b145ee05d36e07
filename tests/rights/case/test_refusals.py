"""What may be refused, for which reason, and what has to be told before that counts."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from rights.case.attempts import (
    LEGAL,
    NOW,
    REASONS,
    UNFOUNDED,
    UNTOLD,
    by,
    part_of,
    passing,
    with_case,
    with_instruction,
    with_letters,
    with_order,
    with_part,
)
from sluice.rights.case.book import moved
from sluice.rights.case.errors import TransitionRefused
from sluice.rights.case.model import Action, Flag, Right, Role, State, Track
from sluice.rights.case.reasons import ABUSE, EXCEPTIONS, REFUSALS, iri
from sluice.rights.case.transitions import TRANSITIONS, check_flag, check_step


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


MISSED = datetime(2027, 1, 4, 9, tzinfo=UTC)
"""After the month."""


def test_a_late_refusal_is_possible_once_the_miss_is_on_record() -> None:
    refusal = next(row for row in TRANSITIONS if row.target is State.REFUSED)
    late = with_order(at=MISSED)(passing(refusal))
    with pytest.raises(TransitionRefused, match="refusal_is_in_time"):
        check_step(refusal.source, refusal.target, late)
    check_step(refusal.source, refusal.target, with_case(is_breached=True)(late))


def test_a_day_that_another_part_missed_opens_nothing_for_one_that_was_extended_in_time() -> None:
    refusal = next(row for row in TRANSITIONS if (row.source, row.target) == (State.EXTENDED, State.REFUSED))
    attempt = passing(refusal)
    assert attempt.part is not None
    part = replace(attempt.part, extended_at=NOW)
    missed = replace(attempt, part=part, case=replace(attempt.case, sub_cases=(part,), is_breached=True))
    assert missed.case.last_day_of(part) == date(2027, 2, 25), "this part missed nothing yet"
    with pytest.raises(TransitionRefused, match="refusal_is_in_time"):
        check_step(refusal.source, refusal.target, with_order(at=MISSED)(missed))
    own = with_order(at=datetime(2027, 2, 26, 9, tzinfo=UTC))(missed)
    check_step(refusal.source, refusal.target, own)
    with pytest.raises(TransitionRefused, match="refusal_is_in_time"):
        check_step(refusal.source, refusal.target, with_case(is_breached=False)(own))


def test_what_was_not_refused_needs_no_letter_and_what_was_partly_is_no_evidence() -> None:
    done = next(row for row in TRANSITIONS if (row.source, row.target) == (State.RECIPIENTS_NOTIFIED, State.ANSWERED))
    other = with_order(evidence_sha256="cd" * 32)(passing(done))
    check_step(done.source, done.target, other)
    check_step(
        done.source, done.target, with_case(letters=())(with_part(action_fields=("identity", "callback"))(other))
    )


def test_an_extension_that_was_not_told_in_time_extends_nothing_and_blocks_until_the_miss_is_on_record() -> None:
    decided = next(row for row in TRANSITIONS if (row.source, row.target) == (State.EXTENDED, State.ACCEPTED))
    late = with_letters(written_at=datetime(2026, 12, 28, 9, tzinfo=UTC))(with_order(at=MISSED)(passing(decided)))
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


def test_every_justification_is_a_term_of_dpv(schemas: Path) -> None:
    known = (schemas / "dpv" / "dpv-2.3-subset.csv").read_text()
    for reason in set().union(*REFUSALS.values()) | set(REASONS.values()):
        assert f"{reason}" in known or reason.rpartition("#")[2] in known
    assert iri("A17TheContractSaysKeep").rpartition("#")[2] not in known


STATUTE = {
    "A17FreedomOfExpression": "a",
    "A17LegallyRequired": "b",
    "A17PublicInterest": "b",
    "A17OfficialAuthority": "b",
    "A17PublicHealth": "c",
    "A17Archiving": "d",
    "A17LegalClaims": "e",
}
"""Every exception to erasure that DPV has a justification for, and its letter of Art. 17(3)."""
GROUNDS = {"ChildData", "LegalErasure", "NoLegalBasis", "NonNecessity", "ObjectA21", "UnlawfulProcessing"}
"""DPV's other justifications of Art. 17: why data is erased (17(1)), never why not."""


def test_every_exception_can_be_cited_and_nothing_else_of_that_article() -> None:
    assert {iri(name) for name in STATUTE} == EXCEPTIONS
    assert REFUSALS[Right.ERASURE] > EXCEPTIONS
    assert REFUSALS[Right.ERASURE].isdisjoint(iri(f"A17{name}") for name in GROUNDS)
    assert REFUSALS[Right.ACCESS].isdisjoint(EXCEPTIONS)


def test_no_exception_of_dpv_is_left_out(schemas: Path) -> None:
    known = (schemas / "dpv" / "dpv-2.3-subset.csv").read_text()
    names = set(re.findall(r"#JustificationA17(\w+)", known))

    assert names - GROUNDS == {name.removeprefix("A17") for name in STATUTE}
    assert names >= GROUNDS
