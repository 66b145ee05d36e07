"""What the pure part of a return needs to know, read off its contract and those of its inputs."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sluice.agreement.model import DataContract, Paper, RetentionRule
from sluice.agreement.subjects import naming_columns
from sluice.exchange.keep import end_of
from sluice.exchange.model import Opened
from sluice.exchange.naming import BRUSSELS
from sluice.returns.model import CORRECTED, REFS, Input, InputKind, Rules
from sluice.returns.righting import Said
from sluice.terms import FieldGroup, SubjectKind

UTC_TEXT = "%Y-%m-%dT%H:%M:%S.%fZ"


def rules_of(opened: Opened, paper: Paper, inputs: Sequence[tuple[Input, Said]]) -> Rules:
    """Columns, join and checks of a return. The contracts its inputs came under say which columns name a person."""
    recipe = paper.contract.recipe
    assert recipe is not None  # a return contract does not load without one
    ours, theirs = contracts_of(inputs, InputKind.RESULTS), contracts_of(inputs, InputKind.CONTACTS)
    naming = dict(naming_columns(paper.contract))
    for each in theirs:
        naming |= naming_columns(paper.contract, each)
    return Rules(
        columns=paper.contract.fields,
        record_id=recipe.record_id,
        campaigns=frozenset(recipe.campaigns),
        checks=person_checks(ours, theirs, recipe.record_id),
        kinds={
            f"{start}{field.name}": field.subject_key
            for start in (REFS, CORRECTED)
            for each in theirs
            for field in each.subject_fields
            if field.subject_key
        },
        naming=naming,
        recordings_from=recordings_from(paper, opened),
    )


def contracts_of(inputs: Sequence[tuple[Input, Said]], kind: InputKind) -> list[DataContract]:
    """Each contract that inputs of a kind were accepted under, once."""
    found = {said.contract.sha256: said.contract for each, said in inputs if each.kind is kind and said.contract}
    return list(found.values())


def kinds_of(contract: DataContract | None) -> dict[str, SubjectKind]:
    """Reference columns of a flow's lake objects, with what they refer to."""
    fields = contract.subject_fields if contract else ()
    return {f"sluice_ref_{field.name}": field.subject_key for field in fields if field.subject_key}


def person_checks(
    ours: Iterable[DataContract], theirs: Iterable[DataContract], record_id: str
) -> tuple[tuple[str, str], ...]:
    """Reference columns of the same kind on both sides; a corrected value proves as the one that came does.

    The record id joined the rows, so it proves nothing, unless the principal gave nothing else.
    """
    given = [field for each in theirs for field in each.subject_fields]
    pairs = [
        (f"{REFS}{result.name}", f"{start}{contact.name}")
        for each in ours
        for result in each.subject_fields
        for contact in [field for field in given if field.name != record_id] or given
        if result.subject_key == contact.subject_key
        for start in (REFS, CORRECTED)
    ]
    return tuple(dict.fromkeys(pairs))


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
