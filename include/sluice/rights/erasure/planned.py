"""What an erasure would do to each object and each of its fields, on which ground and by which exception. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sluice.exchange.persons.merged import RUNS
from sluice.rights.case.history import Step
from sluice.rights.case.model import Case, SubCase
from sluice.rights.case.reasons import Ground
from sluice.rights.case.states import TO_CARRY_OUT
from sluice.rights.copies.model import Decided, Done, Outcome, Target
from sluice.rights.copies.scope import has_decided, stay_by_field
from sluice.rights.copies.where import shown_uri
from sluice.rights.erasure.exceptions import exceptions_of
from sluice.terms import Decider, FieldGroup

UNDECIDED, LEFT_OUT = "UNDECIDED", "LEFT_OUT"
"""Why a field stays without an exception: nobody has decided on it yet; its controller named other fields, not why."""


@dataclass(frozen=True, slots=True)
class PlannedField:
    """One column. ``stays_by``: IRIs of exceptions, UNDECIDED or LEFT_OUT; none if it goes, or stays with the rest."""

    name: str
    group: str
    outcome: str
    stays_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlannedObject:
    """One copy that names the person, or that nobody can read. ``rows``: those of the person.

    ``ground``: as in the line of its store. ``fields``: those of its contract, which go or stay with the row (of an
    index those that can name somebody); none for a copy without a contract.
    """

    principal: str
    store: str
    object: str
    exchange: str
    kind: str
    rows: int
    outcome: str
    ground: str | None
    fields: tuple[PlannedField, ...]


@dataclass(frozen=True, slots=True)
class DecidedGround:
    """Why the data of a part has to be erased, Art. 17(1); None if whoever decided did not say."""

    principal: str
    sub_case: str
    ground: Ground | None


@dataclass(frozen=True, slots=True)
class PlannedRecipient:
    """Somebody who would be told of the erasure of a part (Art. 19), by the name that the person reads.

    ``channel``: by a file under their own prefix, or by the desk. ``is_guess``: nobody can tell any more whether what
    they got held the person.
    """

    principal: str
    sub_case: str
    recipient: str
    channel: str
    field_groups: tuple[str, ...]
    is_guess: bool


def grounds_of(case: Case, steps: Sequence[Step]) -> tuple[DecidedGround, ...]:
    """Return the ground of every part whose erasure was decided. ``steps``: of the case."""
    return tuple(
        DecidedGround(part.principal, part.sub_case_id, ground_of(part, steps))
        for part in case.sub_cases
        if has_decided(part)
    )


def ground_of(part: SubCase, steps: Sequence[Step]) -> Ground | None:
    """Return the ground of the last decision on a part. ``steps``: of its case, oldest first."""
    mine = (step for step in reversed(steps) if step.sub_case_id == part.sub_case_id)
    code = next((step.reason_code for step in mine if step.to_state in TO_CARRY_OUT), None)
    return Ground(code) if code in list(Ground) else None


def objects_of(case: Case, steps: Sequence[Step], target: Target, foreseen: Sequence[Done]) -> Iterator[PlannedObject]:
    """Yield every copy of a dry run at one principal. ``steps``: of the case."""
    decides: dict[str, Decider] = {part.sub_case_id: part.controller for part in case.sub_cases}
    kept = {
        (decides[each.sub_case_id], FieldGroup(each.field_group)): each.reason
        for each in exceptions_of(case, steps, target.principal)
    }
    for done in foreseen:
        copy = done.place.copy
        yield PlannedObject(
            principal=target.principal,
            store=done.place.store,
            object=shown_uri(copy),
            exchange=copy.exchange_id,
            kind=copy.kind,
            rows=done.place.rows,
            outcome=done.outcome.value,
            ground=done.ground,
            fields=_fields(done, target, kept),
        )


def _fields(done: Done, target: Target, kept: Mapping[Decided, str]) -> tuple[PlannedField, ...]:
    copy, contract = done.place.copy, done.place.copy.contract
    if contract is None:
        return ()
    named = {column.name for column in copy.columns} if copy.kind in RUNS else None
    stay = stay_by_field(contract, target) if done.outcome is Outcome.KEPT else {}
    return tuple(
        PlannedField(field.name, field.group.value, done.outcome.value, _stays_by(stay.get(field.name), target, kept))
        for field in contract.fields
        if named is None or field.name in named
    )


def _stays_by(pairs: frozenset[Decided] | None, target: Target, kept: Mapping[Decided, str]) -> tuple[str, ...]:
    every = pairs or frozenset()
    why = {UNDECIDED if pair in target.undecided else kept.get(pair, LEFT_OUT) for pair in every}
    return tuple(sorted(why))
