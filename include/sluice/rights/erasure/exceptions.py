"""What was decided not to be erased, on which ground, and when that is reviewed. Pure."""

from collections.abc import Sequence
from datetime import date

from sluice.ledger.erased import ExceptionKept
from sluice.rights.case.clock import months_later, received_on
from sluice.rights.case.facts import exception_review_months
from sluice.rights.case.history import Step
from sluice.rights.case.letter_due import refused_groups
from sluice.rights.case.model import Case
from sluice.rights.case.states import KEEPS_SOME


def exceptions_of(case: Case, steps: Sequence[Step], principal: str) -> tuple[ExceptionKept, ...]:
    """Return every field group of a principal's parts that was refused or restricted instead (GDPR Art. 17(3), 12(4)).

    Each has the IRI of its reason.
    """
    found = []
    for part in case.sub_cases:
        decided = decision_of([step for step in steps if step.sub_case_id == part.sub_case_id])
        if part.principal != principal or decided is None:
            continue
        on = received_on(decided.at)
        found += [
            ExceptionKept(
                sub_case_id=part.sub_case_id,
                field_group=group,
                reason=decided.reasons[group],
                decided_on=on.isoformat(),
                review_on=review_on(on).isoformat(),
            )
            for group in refused_groups(case.right, part)
            if group in decided.reasons
        ]
    return tuple(found)


def decision_of(steps: Sequence[Step]) -> Step | None:
    """Return the step in which a part was last decided. ``steps``: the steps of the part, oldest first.

    A step with reasons counts as well: it says that nothing could be given of what was decided to be given.
    """
    return next((step for step in reversed(steps) if step.to_state in KEEPS_SOME or step.reasons), None)


def review_on(decided_on: date) -> date:
    """Return when an exception is reviewed: what was needed when it was decided may not be for ever (recital 39)."""
    return months_later(decided_on, exception_review_months(decided_on))
