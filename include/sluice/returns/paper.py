"""What the pure part of a return needs to know, read off its contract and those of its inputs."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sluice.agreement.contract.subjects import naming_columns
from sluice.agreement.model import DataContract, FieldRole, RetentionRule
from sluice.agreement.papers import Paper
from sluice.exchange.keep import end_of
from sluice.exchange.model import Opened
from sluice.returns.model import CORRECTED, REFS, Input, InputKind, Rules
from sluice.returns.righting import Said
from sluice.terms import FieldGroup
from sluice.times import brussels_day

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
        checks=person_checks(ours, theirs),
        kinds={
            f"{start}{field.name}": field.subject_key
            for start in (REFS, CORRECTED)
            for each in theirs
            for field in each.subject_fields
            if field.subject_key
        },
        naming=naming,
        kept_from=kept_from(paper, opened),
    )


def contracts_of(inputs: Sequence[tuple[Input, Said]], kind: InputKind) -> list[DataContract]:
    """Each contract that inputs of a kind were accepted under, once."""
    found = {said.contract.sha256: said.contract for each, said in inputs if each.kind is kind and said.contract}
    return list(found.values())


def person_checks(ours: Iterable[DataContract], theirs: Iterable[DataContract]) -> tuple[tuple[str, str], ...]:
    """Reference columns of the same kind on both sides; a corrected value proves as the one that came does."""
    pairs = [
        (f"{REFS}{result.name}", f"{start}{contact.name}")
        for each in ours
        for result in each.subject_fields
        for other in theirs
        for contact in other.subject_fields
        if result.subject_key == contact.subject_key
        for start in (REFS, CORRECTED)
    ]
    return tuple(dict.fromkeys(pairs))


def proves_by_id(contract: DataContract | None, record_id: str) -> bool:
    """Whether the record id proves who a row of contacts is about: the principal gave nothing else with its file."""
    return contract is not None and {field.name for field in contract.subject_fields} == {record_id}


def kept_from(paper: Paper, opened: Opened) -> Mapping[str, str]:
    """By column that may go empty: the first start of a contact whose cell may still go (ISO time).

    A rule that starts at the call ends for each row by itself; that of recordings is counted from the call, whatever
    it says. What the contract requires is not emptied: it goes, or no return does (:func:`is_nothing_left`).
    """
    from isoduration import parse_duration

    over = columns_over(paper, opened)
    rules = {rule.code: rule for rule in paper.agreement.retention_rules}
    found = dict[str, str]()
    for field in paper.contract.fields:
        rule = rules.get(field.retention_rule)
        if rule is None or not _ends_by_row(field, rule):
            continue
        first = datetime.max if field.name in over else opened.opened_at - parse_duration(rule.duration)
        found[field.name] = first.strftime(UTC_TEXT)
    return found


def _ends_by_row(field: FieldRole, rule: RetentionRule) -> bool:
    return field.group is FieldGroup.RECORDING_REF or (rule.start_event == "call" and not field.required)


def columns_over(paper: Paper, opened: Opened) -> frozenset[str]:
    """Columns whose own rule was over for the whole day when the return was opened."""
    on = brussels_day(opened.opened_at)
    ends = {rule.code: end_of(rule, {"call": opened.day}) for rule in paper.agreement.retention_rules}
    over = {code for code, end in ends.items() if end and end < on}
    return frozenset(field.name for field in paper.contract.fields if field.retention_rule in over)


def is_nothing_left(paper: Paper, opened: Opened) -> bool:
    """Whether nothing of a return may be sent any more: a required column is past its retention, or each is."""
    over, fields = columns_over(paper, opened), paper.contract.fields
    return len(over) == len(fields) or any(field.required and field.name in over for field in fields)
