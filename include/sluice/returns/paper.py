"""What the pure part of a return needs to know, taken from its contract and the contracts of its inputs."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime

from sluice.agreement.contract.subjects import naming_columns
from sluice.agreement.model import DataContract, FieldRole, RetentionRule
from sluice.agreement.papers import Paper
from sluice.exchange.last_days import end_of, is_of_call, last_day_after
from sluice.exchange.model import Opened
from sluice.gate.contract_rules import column_types
from sluice.gate.model import ColumnType
from sluice.lake_columns import CORRECTED, REFS
from sluice.returns.compose import CONTACTS
from sluice.returns.model import Input, InputKind, Rules
from sluice.returns.righting import Said
from sluice.times import BRUSSELS, brussels_day, midnight

UTC_TEXT = "%Y-%m-%dT%H:%M:%S.%fZ"


def rules_of(opened: Opened, paper: Paper, inputs: Sequence[tuple[Input, Said]]) -> Rules:
    """Columns, join and checks of a return. The contracts of its inputs say which columns name a person."""
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
    """The distinct contracts under which inputs of a kind were accepted."""
    found = {said.contract.sha256: said.contract for each, said in inputs if each.kind is kind and said.contract}
    return list(found.values())


def person_checks(ours: Iterable[DataContract], theirs: Iterable[DataContract]) -> tuple[tuple[str, str], ...]:
    """Pairs of reference columns of the same kind; a corrected value proves a person as well as the original one."""
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
    """Whether the record id proves who a row of contacts is about, because its file has nothing else to prove it."""
    return contract is not None and {field.name for field in contract.subject_fields} == {record_id}


def lacks_source(contract: DataContract | None, names: Iterable[str], rules: Rules) -> bool:
    """Whether a file of contacts cannot say what is to be echoed: neither it nor its contract has such a column.

    ``names``: its columns. One that its contract knows and that it leaves out says nothing, as an empty cell does.
    """
    known = {*names, *(field.name for field in (contract.fields if contract else ()))}
    sources = (str(column.source) for column in rules.columns)
    return any(source.removeprefix(CONTACTS) not in known for source in sources if source.startswith(CONTACTS))


def types_of_echoes(contract: DataContract) -> Mapping[str, ColumnType]:
    """How a return writes each column of the contacts that it echoes; not those that it writes in several ways."""
    found = defaultdict[str, set[ColumnType | None]](set)
    types = column_types(contract)
    for field in contract.fields:
        if (field.source or "").startswith(CONTACTS):
            found[str(field.source).removeprefix(CONTACTS)].add(types.get(field.name))
    return {name: only for name, ways in found.items() if len(ways) == 1 and (only := next(iter(ways)))}


def kept_from(paper: Paper, opened: Opened) -> Mapping[str, str]:
    """For each column that may be left empty: the first start of a contact whose cell may still go out (ISO time).

    A rule that starts at the call ends separately for each row. The rule of recordings is counted from the call,
    whatever it says. A column that the contract requires is not emptied: it goes out, or no return does
    (:func:`is_nothing_left`).
    """
    rules, found = {rule.code: rule for rule in paper.agreement.retention_rules}, dict[str, str]()
    for field in paper.contract.fields:
        rule = rules.get(field.retention_rule)
        if rule is not None and _ends_by_row(field, rule):
            assert opened.day is not None  # the table's own constraint
            found[field.name] = _first_kept(rule, opened.day, opened.opened_at).strftime(UTC_TEXT)
    return found


def _ends_by_row(field: FieldRole, rule: RetentionRule) -> bool:
    return is_of_call(field) or (rule.start_event == "call" and not field.required)


def _first_kept(rule: RetentionRule, day: date, at: datetime) -> datetime:
    """The first moment (UTC) on a Brussels day for which the rule is not over at ``at``; datetime.max if there is none.

    Durations are whole days, so a rule ends at the time of day at which it started, by the clock of Brussels. For an
    hour that the clocks repeat or skip, the later reading counts.
    """
    end, now = last_day_after(day, rule), at.astimezone(BRUSSELS)
    if end < now.date():
        return datetime.max
    if end > now.date():
        return midnight(day).astimezone(UTC)
    return max(datetime.combine(day, now.time(), BRUSSELS).replace(fold=fold).astimezone(UTC) for fold in (0, 1))


def columns_over(paper: Paper, opened: Opened) -> frozenset[str]:
    """Columns whose own rule was over, for all contacts of the day, when the return was opened."""
    on, rules = brussels_day(opened.opened_at), {rule.code: rule for rule in paper.agreement.retention_rules}
    ends = {
        field.name: end_of(rules[field.retention_rule], {"call": opened.day}, of_call=is_of_call(field))
        for field in paper.contract.fields
        if field.retention_rule in rules
    }
    return frozenset(name for name, end in ends.items() if end and end < on)


def is_nothing_left(paper: Paper, opened: Opened) -> bool:
    """Whether nothing of a return may be sent any more: a required column is past its retention, or every column is."""
    over, fields = columns_over(paper, opened), paper.contract.fields
    return len(over) == len(fields) or any(field.required and field.name in over for field in fields)
