"""Whose word counts for each column: what we may give, what its controller answers, what was refused. Pure.

The center answers for what it decides. For what a principal decides it answers only if the agreement says so for this
right; otherwise the request was forwarded, and the answer says when.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sluice.agreement.model import FieldRole
from sluice.agreement.roles.profiles import PROFILES
from sluice.answers.model import FORWARDED, GIVEN, UNASSIGNED, WAITING, AnswerKind
from sluice.rights.case.history import Step
from sluice.rights.case.letter_due import answers, refused_groups
from sluice.rights.case.model import FILE, Action, Case, Right, State, SubCase, Track
from sluice.rights.case.states import CARRIED_OUT, LEFT_TO_DECIDE, TO_CARRY_OUT
from sluice.rights.erasure.exceptions import decision_of
from sluice.rights.person.deciders import deciders_of, groups_by_decider
from sluice.rights.person.scope import DECIDES
from sluice.terms import Decider

PRINCIPAL: Final = "principal"


@dataclass(frozen=True, slots=True)
class Authority:
    """What was decided at one principal, by agreement: one may let us answer where another does not.

    ``given``: parts that we answer. ``forwarded``: parts that their controller answers. ``reasons``: IRI of a refusal
    by agreement, controller and group. ``parts``: all of them.
    """

    given: tuple[SubCase, ...]
    forwarded: tuple[SubCase, ...]
    reasons: Mapping[tuple[str | None, Decider, str], str]
    parts: tuple[SubCase, ...] = ()

    def word_on(self, role: FieldRole | None, agreement: str | None = None) -> str:
        """Return GIVEN, or why a column is not given: an IRI, FORWARDED..., NOT_DECIDED.

        A column without paper is its principal's. ``agreement``: that of the copy. What is under no agreement of the
        case is given if each of these would give it.
        """
        return self.word(controller_of(role), role.group.value if role else UNASSIGNED, agreement)

    def word(self, controller: Decider, group: str, agreement: str | None = None) -> str:
        """Return the same for a controller and a field group."""
        known = tuple(dict.fromkeys(part.agreement_id for part in self._every))
        asked = (agreement,) if agreement in known else known
        words = [self._word(who, group, each) for each in asked for who in self.deciders(controller, group, each)]
        return next((word for word in words if word != GIVEN), GIVEN if words else WAITING)

    @property
    def _every(self) -> tuple[SubCase, ...]:
        return self.parts or (*self.given, *self.forwarded)

    def deciders(self, controller: Decider, group: str, agreement: str | None) -> tuple[Decider, ...]:
        """Return who decides on a group under an agreement. ``controller``: by the papers of the copy's day."""
        parts = (part for part in self._every if part.agreement_id == agreement)
        return deciders_of(controller, group, groups_by_decider(parts))

    def _word(self, controller: Decider, group: str, agreement: str | None) -> str:
        def is_meant(part: SubCase) -> bool:
            return (part.controller, part.agreement_id) == (controller, agreement)

        mine = [part for part in self.given if is_meant(part)]
        if any(group in part.action_fields or _is_whole(part, group) for part in mine):
            return GIVEN
        if reason := self.reasons.get((agreement, controller, group)):
            return reason
        return FORWARDED if any(map(is_meant, self.forwarded)) else WAITING

    def gives_all_of(self, roles: Sequence[FieldRole], agreement: str | None = None) -> bool:
        """Whether a record that cannot be told apart by column may be given: only if each of its columns may."""
        return all(self.word_on(role, agreement) == GIVEN for role in roles or (None,))


def controller_of(role: FieldRole | None) -> Decider:
    """Return who decides on a column."""
    return DECIDES[PROFILES[role.role_profile].controller][0] if role else PRINCIPAL


def authority_of(parts: Sequence[SubCase], steps: Sequence[Step], action: Action) -> Authority:
    """Return what may be given of these parts, as their history stands. ``action``: give or export."""
    right = Right.PORTABILITY if action is Action.EXPORT else Right.ACCESS
    reasons: dict[tuple[str | None, Decider, str], str] = {}
    for part in parts:
        said, name = _reasons(part, steps), (part.agreement_id, part.controller)
        reasons |= {(*name, group): said[group] for group in refused_groups(right, part) if group in said}
    return Authority(
        given=tuple(part for part in parts if is_given(part, action)),
        forwarded=tuple(part for part in parts if part.forwarded_at is not None and not answers(part)),
        reasons=reasons,
        parts=tuple(parts),
    )


def assumed(part: SubCase, kind: AnswerKind) -> SubCase:
    """Return a part as it would stand if the center now decided to give all of it; any other part as it is."""
    if part.track is not Track.CONTROLLER or part.state not in LEFT_TO_DECIDE:
        return part
    return replace(part, state=State.ACCEPTED, action=kind.action, action_fields=part.field_groups)


def is_given(part: SubCase, action: Action) -> bool:
    """Whether it was decided to give a part, and that we give it."""
    return answers(part) and part.action is action and part.state in TO_CARRY_OUT | CARRIED_OUT


def parts_of_principals(case: Case, action: Action) -> tuple[SubCase, ...]:
    """Return the parts that principals instructed us to give, and that they get themselves.

    They get them because they answer the person, or because they asked by a file of theirs.
    """
    return tuple(
        part
        for part in case.sub_cases
        if part.track is Track.PROCESSOR
        and part.action is action
        and part.state in TO_CARRY_OUT | CARRIED_OUT
        and (not part.may_answer or case.channel == FILE)
    )


def authority_for_principal(case: Case, principal: str, action: Action) -> Authority:
    """Return what may be given to a principal itself: what it decided to give, and nothing else."""
    mine = tuple(part for part in parts_of_principals(case, action) if part.principal == principal)
    papers = {part.agreement_id for part in mine}
    every = (part for part in case.sub_cases if part.principal == principal and part.agreement_id in papers)
    return Authority(mine, (), {}, tuple(every))


def _is_whole(part: SubCase, group: str) -> bool:
    """Whether a part given as a whole covers a group that its agreement does not list, or what belongs to no group."""
    return group not in part.field_groups and set(part.action_fields) == set(part.field_groups)


def _reasons(part: SubCase, steps: Sequence[Step]) -> Mapping[str, str]:
    decided = decision_of([step for step in steps if step.sub_case_id == part.sub_case_id])
    return decided.reasons if decided else {}
