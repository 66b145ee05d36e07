"""Rules about the file as a whole: its header, its number of rows and columns, how many values a column has.

A header name that the contract does not declare is text of the file, perhaps about a person (in a file without a
header, row one takes its place), so it is only ever shown by its position.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import zip_longest

from sluice.errors import at_place
from sluice.gate.kinds import DECLARED_COLUMNS, KINDS
from sluice.gate.model import Check, Rule, RuleOutcome, ValueType


def visible_header(names: Sequence[str], rules: Sequence[Rule]) -> tuple[str, ...]:
    """The header, with ``#<position>`` for undeclared names; unchanged if no rule says which names are declared."""
    declared = [set(_words(rule.check, "column_set")) for rule in rules if rule.check.kind == DECLARED_COLUMNS]
    if not declared:
        return tuple(names)
    known = set[str]().union(*declared)
    return tuple(name if name in known else at_place(place) for place, name in enumerate(names, 1))


def header_outcome(rule: Rule, records: int, names: Sequence[str]) -> RuleOutcome:
    """The outcome of a rule about the whole file; each missing or surplus item counts as one.

    ``records``: how many records the file has as its sender counts them, with those that could not become rows.
    """
    check = rule.check
    if check.kind.startswith("expect_table_row_count"):
        return _counted(rule, records)
    if check.kind.startswith("expect_table_column_count"):
        return _counted(rule, len(names))
    if check.kind == "expect_column_to_exist":
        return RuleOutcome(rule, unexpected_count=0 if (there := _exists(check, names)) else 1, success=there)
    if check.kind == "expect_table_columns_to_match_ordered_list":
        return _ordered(rule, names)
    return _matched(rule, names)


def column_outcome(rule: Rule, rows: int, filled: int, distinct: int) -> RuleOutcome:
    """The outcome of a rule on how many values a column has; a share of nothing is 0, as in Great Expectations."""
    observed = {
        "column.distinct_values.count": distinct,
        "column.unique_proportion": distinct / filled if filled else 0,
        "column.non_null_proportion": filled / rows if rows else 0,
    }[KINDS[rule.check.kind].metric]
    return _counted(rule, observed)


def newest_outcome(rule: Rule, rows: int, arrived: datetime, newest: datetime | None) -> RuleOutcome:
    """The outcome of a rule on the age of a column's newest value, in seconds; dates are compared as whole days.

    A file without rows passes; one with rows but without such a value fails.
    """
    is_date = any(each is not None and each.value is ValueType.DATE for each in rule.check.types)
    if not rows:
        return RuleOutcome(rule)
    if newest is None:
        return RuleOutcome(rule, unexpected_count=1, success=False)
    by = arrived.replace(hour=0, minute=0, second=0, microsecond=0) if is_date else arrived
    age, most = (by - newest).total_seconds(), rule.check.option("seconds")
    success = isinstance(most, int) and age <= most
    return RuleOutcome(rule, unexpected_count=0 if success else 1, success=success, observed=age)


def _counted(rule: Rule, observed: float) -> RuleOutcome:
    success = _within(rule.check, observed)
    return RuleOutcome(rule, unexpected_count=0 if success else 1, success=success, observed=observed)


def _within(check: Check, observed: float) -> bool:
    exact, low, high = check.option("value"), check.option("min_value"), check.option("max_value")
    if isinstance(exact, int):
        return observed == exact
    above = not isinstance(low, int | float) or (observed > low if check.option("strict_min") else observed >= low)
    below = not isinstance(high, int | float) or (observed < high if check.option("strict_max") else observed <= high)
    return above and below


def _exists(check: Check, names: Sequence[str]) -> bool:
    """Whether a column exists, at its place if one is given.

    Great Expectations tests the place for truth, so that 0 counts as no place; this does the same.
    """
    place = check.option("column_index")
    if isinstance(place, int) and place:
        return place < len(names) and names[place] == check.columns[0]
    return check.columns[0] in names


def _ordered(rule: Rule, names: Sequence[str]) -> RuleOutcome:
    expected = _words(rule.check, "column_list")
    pairs = enumerate(zip_longest(expected, names), 1)
    wrong = tuple(place for place, (wanted, found) in pairs if wanted != found)
    return RuleOutcome(rule, unexpected_count=len(wrong), success=not wrong, positions=wrong)


def _matched(rule: Rule, names: Sequence[str]) -> RuleOutcome:
    """Compare the header with a set: missing names count, surplus ones if the set is exact.

    For the rule on undeclared columns only surplus names count.
    """
    expected = _words(rule.check, "column_set")
    only_surplus = rule.check.kind == DECLARED_COLUMNS
    missing = 0 if only_surplus else len(set(expected) - set(names))
    exact = only_surplus or bool(rule.check.option("exact_match"))
    surplus = tuple(place for place, name in enumerate(names, 1) if exact and name not in expected)
    count = missing + len(surplus)
    return RuleOutcome(rule, unexpected_count=count, success=count == 0, positions=surplus)


def _words(check: Check, option: str) -> tuple[str, ...]:
    words = check.option(option)
    return tuple(str(word) for word in words) if isinstance(words, tuple) else ()
