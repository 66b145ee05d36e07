"""Until when a copy is kept: the day that a retention rule gives, and whichever of two days ends sooner. Pure."""

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Final

from sluice.agreement.model import Agreement, DataContract, FieldRole, RetentionRule
from sluice.terms import FieldGroup

QUARANTINED: Final = "quarantine"
"""The house's own retention rule for what was refused or held, and for the lists of it."""
AS_IT_CAME: Final = "arrived"
"""The house's own retention rule for files as they came or were delivered; a paper's rule that ends sooner replaces it.
"""
LastDay = tuple[str | None, date | None]
"""A retention rule and the last day it gives; no day while the event it starts at has no date."""


def sooner(ours: str, last_day: date, by_paper: LastDay) -> LastDay:
    """Return the house's own rule and day, or the paper's if that ends sooner."""
    return by_paper if by_paper[1] is not None and by_paper[1] < last_day else (ours, last_day)


def shortest_retention(agreement: Agreement, contract: DataContract, dates: Mapping[str, date | None]) -> LastDay:
    """Return the retention rule among the contract's fields that ends first, and its last day.

    ``dates``: Brussels days of the start events that happened. A rule that starts at any other event (such as the end
    of an agreement that has no last day) gives no day yet.
    """
    used = {(field.retention_rule, is_of_call(field)) for field in contract.fields}
    rules, starts = agreement.retention_rules, {"contract_end": agreement.valid_to, **dates}
    dated = [
        (day, rule.code)
        for rule in rules
        for of_call in (True, False)
        if (rule.code, of_call) in used and (day := end_of(rule, starts, of_call=of_call))
    ]
    if not dated:
        codes = {code for code, _ in used}
        return next((rule.code for rule in rules if rule.code in codes), None), None
    day, code = min(dated)
    return code, day


def is_of_call(field: FieldRole) -> bool:
    """Whether a column is kept from the call on, whatever its rule says: a recording is as old as its call."""
    return field.group is FieldGroup.RECORDING_REF


def end_of(rule: RetentionRule, dates: Mapping[str, date | None], *, of_call: bool = False) -> date | None:
    """Return the last day of a copy under one rule; None while its start event has no date.

    ``of_call``: the rule is one of recordings (:func:`is_of_call`), which count from the call if its day is known.
    """
    start = (dates.get("call") if of_call else None) or dates.get(rule.start_event)
    return last_day_after(start, rule) if start else None


def last_day_after(start: date, rule: RetentionRule) -> date:
    """Return the last day of a period that started on ``start``.

    Durations are only ever added: subtracting a month from a date does not undo adding one.
    """
    from isoduration import parse_duration

    end: datetime = datetime.combine(start, time()) + parse_duration(rule.duration)
    return end.date()
