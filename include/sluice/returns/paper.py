"""What the pure part of a return needs to know, read off the contracts in force."""

from datetime import datetime

from sluice.agreement.model import DataContract, Paper, RetentionRule
from sluice.agreement.store import in_force
from sluice.agreement.subjects import naming_columns
from sluice.db import Connection
from sluice.exchange.given_back import day_under
from sluice.exchange.keep import end_of
from sluice.exchange.model import Opened
from sluice.exchange.naming import BRUSSELS
from sluice.returns.model import CORRECTED, REFS, Rules
from sluice.terms import Direction, FieldGroup, Flow, SubjectKind

UTC_TEXT = "%Y-%m-%dT%H:%M:%S.%fZ"


def rules_of(conn: Connection, opened: Opened, paper: Paper) -> Rules:
    """Columns, join and checks of a return. The contracts of its inputs say which columns can name a person."""
    recipe = paper.contract.recipe
    assert recipe is not None  # a return contract does not load without one
    ours = _contract(conn, opened, Direction.INTERNAL, recipe.results_flow)
    theirs = _contract(conn, opened, Direction.INBOUND, recipe.contacts_flow)
    return Rules(
        columns=paper.contract.fields,
        record_id=recipe.record_id,
        campaigns=frozenset(recipe.campaigns),
        checks=person_checks(ours, theirs, recipe.record_id),
        kinds={
            f"{start}{field.name}": field.subject_key
            for start in (REFS, CORRECTED)
            for field in (theirs.subject_fields if theirs else ())
            if field.subject_key
        },
        naming=naming_columns(paper.contract, theirs),
        recordings_from=recordings_from(paper, opened),
    )


def kinds_of(contract: DataContract | None) -> dict[str, SubjectKind]:
    """Reference columns of a flow's lake objects, with what they refer to."""
    fields = contract.subject_fields if contract else ()
    return {f"sluice_ref_{field.name}": field.subject_key for field in fields if field.subject_key}


def person_checks(
    ours: DataContract | None, theirs: DataContract | None, record_id: str
) -> tuple[tuple[str, str], ...]:
    """Reference columns of the same kind on both sides; a corrected value proves as the one that came does.

    The record id joined the rows, so it proves nothing, unless the principal gave nothing else.
    """
    if ours is None or theirs is None:
        return ()
    others = [field for field in theirs.subject_fields if field.name != record_id]
    return tuple(
        (f"{REFS}{result.name}", f"{start}{contact.name}")
        for result in ours.subject_fields
        for contact in others or theirs.subject_fields
        if result.subject_key == contact.subject_key
        for start in (REFS, CORRECTED)
    )


def recordings_from(paper: Paper, opened: Opened) -> str | None:
    """The first start of a contact whose recording may still go; None when the return has no recordings."""
    from isoduration import parse_duration

    if are_recordings_over(paper, opened):
        return datetime.max.strftime(UTC_TEXT)
    starts = [opened.opened_at - parse_duration(rule.duration) for rule in _recording_rules(paper)]
    return max(starts).strftime(UTC_TEXT) if starts else None


def are_recordings_over(paper: Paper, opened: Opened) -> bool:
    """Whether a return was opened after the last day of its recordings: it holds none."""
    ends = [end_of(rule, {"call": opened.day}) for rule in _recording_rules(paper)]
    return any(end < opened.opened_at.astimezone(BRUSSELS).date() for end in ends if end)


def _recording_rules(paper: Paper) -> list[RetentionRule]:
    codes = {each.retention_rule for each in paper.contract.fields if each.group is FieldGroup.RECORDING_REF}
    return [rule for rule in paper.agreement.retention_rules if rule.code in codes]


def _contract(conn: Connection, opened: Opened, direction: Direction, flow: Flow) -> DataContract | None:
    return in_force(conn, opened.principal, direction, flow, day_under(opened), opened.opened_at).contract
