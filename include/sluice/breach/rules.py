"""Who is affected by a breach, and who must tell whom by when (GDPR Art. 33, 34). Pure.

A processor tells the controller without undue delay, within the agreement's hours (33(2)). A controller tells its
authority within 72 hours of becoming aware, unless a risk is unlikely (33(1)), and the persons if the risk is high
(34). Where a role can be contested (SEED_OWNER), the duties of both roles are met: the principal is told too.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

import polars as pl

from sluice.agreement import dpv
from sluice.agreement.model import DataContract
from sluice.agreement.roles.profiles import PROFILES
from sluice.breach.model import Applies, Duty, Line, PrincipalPart, Risk
from sluice.ledger.record import ExchangeRecord
from sluice.rights.case.clock import breach_due, elapsed_due
from sluice.rights.case.facts import ClockParameters
from sluice.terms import SPECIAL_CLASSES, FieldGroup, RoleProfile, ScreenClass

OWN, OTHERS = "own", "others"
"""Columns of rows of references: the reference that belongs to one person only, and all the others."""
OURS = frozenset({"center", "both", "joint"})
THEIRS = frozenset({"principal", "both", "joint"})
SPECIAL = dpv.SPECIAL_CATEGORIES | dpv.CRIMINAL_CATEGORIES
NOTES = FieldGroup.NOTE_FREE_TEXT.value
SPECIAL_WORDS = {each.value for each in (*SPECIAL_CLASSES, ScreenClass.CRIMINAL)}
NOBODYS = (("principal", ""),)
"""The controller of notes if nothing says who it is: the principal, so that it is told."""
AUTHORITY, PERSONS = "authority", "persons"
SCHEMA = pl.Schema({OWN: pl.String(), OTHERS: pl.List(pl.String())})


def count_persons(parts: Iterable[pl.DataFrame]) -> tuple[int, int]:
    """Count distinct persons in rows of references (:data:`SCHEMA`), and rows that name nobody.

    A customer number belongs to one person. A row without one is a person already counted if it shares a reference
    with a row that has one; otherwise rows with the very same references are one person. Two rows without a number are
    not one person for sharing only a telephone, so that a household counts as several; in return, a person whose rows
    name them in two ways counts twice.
    """
    rows = pl.concat([pl.DataFrame(schema=SCHEMA), *parts])
    named = rows.filter(pl.col(OWN).is_not_null())
    known = (
        named[OTHERS].explode(empty_as_null=False).drop_nulls().unique()
        if named.height
        else pl.Series([], dtype=pl.String)
    )
    rest = rows.filter(pl.col(OWN).is_null()).with_columns(pl.col(OTHERS).list.drop_nulls())
    alone = rest.filter(pl.col(OTHERS).list.len() > 0)
    is_known = pl.col(OTHERS).list.set_intersection(pl.lit(known.implode())).list.len() > 0
    new = alone.filter(~is_known)[OTHERS].list.unique().list.sort().list.join(" ").n_unique() if alone.height else 0
    return named[OWN].n_unique() + new, rest.height - alone.height


def lines_of(record: ExchangeRecord, contract: DataContract | None) -> tuple[Line, ...]:
    """The categories in an exchange with their controller; for a file that could not be read, those of its contract.

    Special classes found in its notes are added, whichever rows they are in, because no column names them.
    """
    roles = {role.field_group: (role.controller, role.role_profile) for role in record.who.roles}
    found: dict[Line, None] = {}
    for column in record.what.columns:
        if column.field_group and column.category:
            controller, profile = roles.get(column.field_group, ("principal", column.role_profile or ""))
            found[_line(column.field_group, column.category, column.controller or controller, profile)] = None
    if not record.what.columns and contract:
        for each in contract.fields:
            found[
                _line(each.group.value, each.category, PROFILES[each.role_profile].controller, each.role_profile.value)
            ] = None
    return (*found, *_found_in_notes(record, found))


def _found_in_notes(record: ExchangeRecord, lines: Iterable[Line]) -> Iterator[Line]:
    """Classes of Art. 9 and 10 that the screen found, with the controller of the notes."""
    screening = record.how.screening
    notes = dict.fromkeys((each.controller, each.profile) for each in lines if each.group == NOTES)
    roles = [(each.controller, each.role_profile) for each in record.who.roles if each.field_group == NOTES]
    for word in sorted(SPECIAL_WORDS & set(screening.found)) if screening else ():
        yield from (Line(NOTES, word, controller, profile, True) for controller, profile in notes or roles or NOBODYS)


def is_unnamed_special(record: ExchangeRecord, lines: Iterable[Line]) -> bool:
    """Whether the record of an exchange says it has special categories, but none of its lines is one."""
    return record.what.special_categories and not any(line.is_special for line in lines)


def _line(group: str, category: str, controller: str, profile: str) -> Line:
    return Line(group, category, controller, profile, category in SPECIAL)


def is_ours(line: Line) -> bool:
    """Whether the center is a controller of this data, alone or with others (Art. 4(7))."""
    return line.controller in OURS


def is_theirs(line: Line) -> bool:
    """Whether the principal is told of this data: it is a controller, or could be held to be one (SEED_OWNER)."""
    return line.controller in THEIRS or line.profile == RoleProfile.SEED_OWNER


def keep_lines(part: PrincipalPart, wanted: Callable[[Line], bool]) -> PrincipalPart:
    """The part with only those lines that are ``wanted``."""
    return replace(part, lines=tuple(line for line in part.lines if wanted(line)))


def duties_of(
    parts: Sequence[PrincipalPart], center: str, aware_at: datetime, risk: Risk, parameters: ClockParameters
) -> tuple[Duty, ...]:
    """All duties to tell somebody, the earliest first. ``center``: our own code; ``aware_at``: when we became aware."""
    found = [duty for part in parts for duty in _of_principal(part, center, aware_at, risk, parameters)]
    own = tuple(part.principal for part in parts if any(map(is_ours, part.lines)))
    if own:
        due = breach_due(aware_at, parameters)
        found.append(Duty(center, AUTHORITY, "33(1)", _unless_unlikely(risk), own, due_at=due))
        found.append(Duty(center, PERSONS, "34(1)", _if_high(risk), own))
    return tuple(sorted(found, key=lambda duty: (duty.due_at is None, str(duty.due_at), duty.article, duty.by)))


def _of_principal(
    part: PrincipalPart, center: str, aware_at: datetime, risk: Risk, parameters: ClockParameters
) -> Iterator[Duty]:
    """Our duty to tell the principal, and the principal's own duties once it is told."""
    theirs = bool(part.controllers & THEIRS) or not part.lines
    if not (theirs or any(map(is_theirs, part.lines))):
        return
    about, hours = (part.principal,), part.notice_hours
    due = elapsed_due(aware_at, hours) if hours is not None else None
    yield Duty(center, part.principal, "33(2)", Applies.YES, about, due_at=due)
    if theirs:
        within = parameters.breach_hours
        yield Duty(part.principal, AUTHORITY, "33(1)", _unless_unlikely(risk), about, within_hours=within)
        yield Duty(part.principal, PERSONS, "34(1)", _if_high(risk), about)


def _unless_unlikely(risk: Risk) -> Applies:
    return Applies.NO if risk is Risk.UNLIKELY else Applies.YES


def _if_high(risk: Risk) -> Applies:
    if risk is Risk.UNDECIDED:
        return Applies.UNDECIDED
    return Applies.YES if risk is Risk.HIGH else Applies.NO
