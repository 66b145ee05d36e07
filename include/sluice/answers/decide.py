"""Decide a portability request by its fields: what may go is given, the rest is refused, each with its reason.

A human decides and is named in the decision; the machine says what Art. 20 makes of every column. What a principal
decides waits for its instruction.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sluice.answers.make import foresee
from sluice.answers.model import NOT_HERE, AnswerKind, FieldLine
from sluice.errors import Ref, UsageError
from sluice.exchange.house import House
from sluice.rights.case.errors import TransitionRefused
from sluice.rights.case.model import (
    SYSTEM,
    Action,
    Actor,
    Case,
    CaseId,
    LetterKind,
    Order,
    Remedies,
    State,
    SubCase,
    Track,
)
from sluice.rights.case.reasons import NOT_REQUIRED, REMEDIES, THIRD_PARTY
from sluice.rights.case.states import left_to_decide
from sluice.rights.case.steps import advance, decide
from sluice.rights.case.store import get_case
from sluice.rights.copies.find import open_request
from sluice.rights.letters.write import write_letter
from sluice.rights.person.deciders import decides
from sluice.rights.rescope import rescope

NOTHING_PORTABLE = "NOTHING_PORTABLE"
"""The reason of a part that was to be given and ends without a package."""


def decide_portability(
    house: House, case_id: CaseId, now: datetime, actor: Actor
) -> tuple[Case, tuple[FieldLine, ...]]:
    """Decide every undecided part of the center; return the case as it stands then, and the reason of every field.

    A refusal is told by letter at once, with how to complain and to go to court. Raises TransitionRefused when nothing
    is left to decide or a guard does not hold, and what collecting raises.
    """
    rescope(house, *open_request(house, case_id), now)
    facts = foresee(house, case_id, AnswerKind.PORTABILITY, now)
    parts = left_to_decide(facts.case)
    if not parts:
        raise TransitionRefused(Ref("case", case_id), Ref("guard", "center_is_controller"))
    lines = facts.selected.fields
    evidence = hashlib.sha256(json.dumps(_told(lines)).encode()).hexdigest()
    has_refused = False
    for part in parts:
        reasons = reasons_of(part, facts.case.sub_cases, lines, facts.selected.tables)
        has_refused |= bool(reasons)
        order = Order(
            actor,
            now,
            "ART_20_BY_FIELD",
            evidence,
            reasons=reasons,
            remedies=_remedies(facts.case) if reasons else None,
            action=Action.EXPORT,
        )
        decide(house.conn, case_id, state_of(part, reasons), order, [part.sub_case_id])
    if has_refused:
        write_letter(house, case_id, LetterKind.REFUSAL, now)
    return get_case(house.conn, case_id), lines


def foresee_portability(house: House, case_id: CaseId, now: datetime) -> tuple[FieldLine, ...]:
    """Return what Art. 20 makes of every field, before anybody decides; changes nothing. Raises as collecting does."""
    return foresee(house, case_id, AnswerKind.PORTABILITY, now).selected.fields


def end_without(
    house: House,
    case_id: CaseId,
    fields: Sequence[FieldLine],
    parts: Sequence[SubCase],
    now: datetime,
    *,
    to_principal: bool = False,
) -> None:
    """End parts that were to be given, but of which nothing may be: record it, and tell the person by letter.

    This includes parts whose package an erasure removed unread, when nothing is left to make one of. Every field group
    has its reason, and the letter says how to complain and to go to court. ``to_principal``: the principal answers the
    person, so we write no letter. Raises TransitionRefused.
    """
    case = get_case(house.conn, case_id)
    evidence = hashlib.sha256(json.dumps(_told(fields)).encode()).hexdigest()
    for part in parts:
        reasons = reasons_of(part, case.sub_cases, fields, {})
        order = Order(SYSTEM, now, NOTHING_PORTABLE, evidence, reasons=reasons, remedies=_remedies(case))
        target = State.EXECUTED if part.track is Track.PROCESSOR else State.EXECUTING
        advance(house.conn, case_id, target, order, part.sub_case_id)
    if not to_principal:
        write_letter(house, case_id, LetterKind.REFUSAL, now)


def reasons_of(
    part: SubCase, parts: Collection[SubCase], lines: Sequence[FieldLine], tables: Collection[str]
) -> dict[str, str]:
    """Return, by field group of a part, why nothing of it goes; for all groups if nothing goes at all.

    ``parts``: of the case. A column is of whoever decides of it now. ``tables``: groups of which something goes. A
    group counts as given if one of its columns goes, or if it holds nothing about the person.
    """
    mine = [
        line for line in lines if line.principal == part.principal and decides(part, line.controller, line.group, parts)
    ]
    given = {line.group for line in mine if line.included and line.group in tables}
    there = {line.group for line in mine if line.reason != NOT_HERE} if given else set(part.field_names)
    return {name: _reason(name, mine) for name in part.field_names if name in there - given}


def state_of(part: SubCase, reasons: Mapping[str, str]) -> State:
    """Return ACCEPTED when all of a part goes, REFUSED when nothing does, else PARTIAL."""
    if not reasons:
        return State.ACCEPTED
    return State.REFUSED if set(reasons) == set(part.field_names) else State.PARTIAL


def _reason(group: str, lines: Sequence[FieldLine]) -> str:
    """Return the reason of a group: the rights of others only if nothing else stands in the way of its columns."""
    said = {line.iri for line in lines if line.group == group and line.iri}
    return THIRD_PARTY if said == {THIRD_PARTY} else NOT_REQUIRED


def _remedies(case: Case) -> Remedies:
    ref = REMEDIES.get(case.country)
    if ref is None:
        raise UsageError(Ref("country", case.country))
    return Remedies(ref, case.language)


def _told(lines: Sequence[FieldLine]) -> list[list[str | bool]]:
    """Return what was decided on, as it is hashed: names of columns and codes, nothing about anybody."""
    return [[line.principal, line.dataset, line.name, line.group, line.included, line.reason] for line in lines]
