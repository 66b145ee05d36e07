"""Turn a contract into rules: its columns, its quality entries (ODCS 3.1), the suites it names.

Nearly all rules use kinds of the closed list that Great Expectations judges too; checks of Sluice alone are those for
undeclared columns, latency and keys of other datasets. At the gate every cell is text. Ranges and pairs compare the
value that the column's logicalType gives a cell; all other kinds see the cell as written. A cell that has no such
value fails the rule for its type, not the range.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sluice.agreement.model import DataContract, FieldRole, QualityRule
from sluice.errors import Ref
from sluice.gate.column_types import DATE, NUMBERS, TIMESTAMP, digits_pattern, number_pattern, sees_values
from sluice.gate.errors import ColumnUnknown, Faults, OptionInvalid, QualityRefused, TypeMismatch
from sluice.gate.kinds import (
    COMPOUND,
    KINDS,
    KNOWN,
    NEWEST,
    UNIQUE,
    Shape,
    check_of,
    declared_columns,
    family_of,
    typed,
)
from sluice.gate.model import Check, ColumnType, Rule, Source, Thresholds, Tolerance, ValueType
from sluice.gate.suites import Suite, rule_of
from sluice.terms import Severity

TIME = "%H:%M:%S"
_WORDS = ("0", "1", "true", "false", "yes", "no", "ja", "nee", "oui", "non", "y", "n", "j", "o", "t", "f")
BOOLEANS = tuple(sorted({spelling for word in _WORDS for spelling in (word, word.upper(), word.capitalize())}))
"""How a boolean may be written, in the languages of the files."""

_BOOLEAN, _DATE, _NUMBER, _TIME = "VALUE_BOOLEAN", "VALUE_DATE", "VALUE_NUMBER", "VALUE_TIME"
TYPE_CODES = frozenset({_BOOLEAN, _DATE, _NUMBER, _TIME})
"""Codes for cells that do not fit the logicalType of their column."""

_NO_ARGUMENTS = {"severity", "meta", "notes", "description"}
"""Keys that a custom entry may have beside its arguments; they are ignored, the entry's own severity counts."""

_NOT_NULL = "expect_column_values_to_not_be_null"
_IN_SET = "expect_column_values_to_be_in_set"
_REGEX = "expect_column_values_to_match_regex"
_STRFTIME = "expect_column_values_to_match_strftime_format"


def rules_for(contract: DataContract, suites: Sequence[Suite]) -> tuple[Rule, ...]:
    """Every rule for a file under this contract: from columns, quality entries and suites, in that order.

    A rule of the columns is left out if a quality entry or a suite has the same check as an error without tolerance.
    Raises DocumentInvalid subclasses (SLU-43x) that name contract or suite, rule and cure; RulesInvalid for several.
    """
    types, faults = column_types(contract), Faults()
    quality: list[Rule] = []
    for entry in contract.quality:
        with faults.noted(Ref("contract", contract.contract_id), Ref("quality", entry.id)):
            quality += _quality_rules(entry)
    asked: list[Rule] = []
    for rule in (*quality, *(rule for suite in suites for rule in suite.rules)):
        with faults.noted():
            asked.append(typed_rule(rule, types, contract))
    faults.check()
    said = {rule.check for rule in asked if rule.severity is Severity.ERROR and rule.tolerance is None}
    schema = [typed_rule(rule, types, contract) for rule in _schema_rules(contract) if rule.check not in said]
    return (*schema, *asked)


def thresholds_of(contract: DataContract) -> Thresholds:
    """The limits for the whole file that the contract sets."""
    return Thresholds(contract.max_refused_share)


def column_types(contract: DataContract) -> Mapping[str, ColumnType]:
    """How the text of each number, date and timestamp column becomes a value."""
    found = {field.name: _column_type(contract, field) for field in contract.fields}
    return {name: column_type for name, column_type in found.items() if column_type is not None}


def cell_format(contract: DataContract, field: FieldRole) -> str | None:
    """The strptime format of a date, timestamp or time column; ISO 8601 where the contract gives none."""
    if field.logical_type == "time":
        return field.date_format or TIME
    column_type = _column_type(contract, field)
    return column_type.date_format if column_type is not None else None


def typed_rule(rule: Rule, types: Mapping[str, ColumnType], contract: DataContract) -> Rule:
    """The rule with the types of its columns. Raises ColumnUnknown, TypeMismatch."""
    for column in (*rule.check.columns, *sorted(rule.check.needed - {*rule.check.columns})):
        if contract.field(column) is None:
            raise ColumnUnknown(Ref("contract", contract.contract_id), Ref("rule", rule.id), Ref("column", column))
    check = typed(rule.check, types)
    if not _comparable(check):
        named = (Ref("column", column) for column in check.columns)
        raise TypeMismatch(Ref("contract", contract.contract_id), Ref("rule", rule.id), *named)
    return replace(rule, check=check)


def _column_type(contract: DataContract, field: FieldRole) -> ColumnType | None:
    try:
        value = ValueType(field.logical_type)
    except ValueError:
        return None
    return ColumnType(value, contract.file_format.decimal_comma, _date_format(contract, field, value))


def _date_format(contract: DataContract, field: FieldRole, value: ValueType) -> str | None:
    if value is ValueType.DATE:
        return field.date_format or contract.file_format.date_format or DATE
    return field.date_format or TIMESTAMP if value is ValueType.TIMESTAMP else None


def _comparable(check: Check) -> bool:
    """Whether a check that compares values has columns and bounds of one type.

    Text against text is fine for equality; *greater* of a number and a text means nothing.
    """
    families = [None if each is None else _family(each) for each in check.types]
    if check.kind == "expect_column_values_to_be_between":
        bounds = [check.option("min_value"), check.option("max_value")]
        return all(family_of(bound) == families[0] for bound in bounds if bound is not None)
    if check.kind == "expect_column_pair_values_a_to_be_greater_than_b" or (len(families) == 2 and sees_values(check)):
        return families[0] == families[1]
    return not sees_values(check) or families[0] == "number"


def _family(column_type: ColumnType) -> str:
    return "number" if column_type.value in NUMBERS else column_type.value.value


def _schema_rules(contract: DataContract) -> Iterator[Rule]:
    names = tuple(field.name for field in contract.fields)
    yield Rule("columns.declared", declared_columns(names), "HEADER_UNDECLARED_COLUMN", source=Source.SCHEMA)
    if not any(entry.metric == "rowCount" for entry in contract.quality):
        rows = check_of("expect_table_row_count_to_be_between", {"min_value": 1})
        yield Rule("rows.any", rows, "SHAPE_ROW_COUNT", Severity.WARNING, source=Source.SCHEMA)
    for column, seconds in contract.latencies:
        newest = Check(NEWEST, (column,), (("seconds", seconds),))
        yield Rule(f"{column}.latency", newest, KINDS[NEWEST].code, source=Source.SCHEMA)
    for each in contract.references:
        known = Check(KNOWN, (each.column,), (("dataset", each.dataset),))
        yield Rule(f"{each.column}.key", known, KINDS[KNOWN].code, source=Source.SCHEMA)
    key, dated = contract.subject_fields[:1], {column for column, _ in contract.latencies}
    for field in contract.fields:
        needed = field.required or field in key or field.name in dated
        severity = Severity.ERROR if needed else Severity.WARNING
        there = check_of("expect_column_to_exist", {"column": field.name})
        yield Rule(f"{field.name}.present", there, "HEADER_MISSING_COLUMN", severity, source=Source.SCHEMA)
        yield from _field_rules(contract, field)


def _field_rules(contract: DataContract, field: FieldRole) -> Iterator[Rule]:
    if field.required:
        yield _schema_rule(field, "required", _NOT_NULL, {}, "VALUE_NULL")
    yield from _type_rules(contract, field)
    if field.unique:
        yield _schema_rule(field, "unique", UNIQUE, {}, "DUPLICATE_VALUE")


def _type_rules(contract: DataContract, field: FieldRole) -> Iterator[Rule]:
    if field.logical_type == "boolean":
        yield _schema_rule(field, "type", _IN_SET, {"value_set": BOOLEANS}, _BOOLEAN)
    elif (form := cell_format(contract, field)) is not None:
        code = _TIME if field.logical_type == "time" else _DATE
        yield _schema_rule(field, "type", _STRFTIME, {"strftime_format": form}, code)
        yield _schema_rule(field, "digits", _REGEX, {"regex": digits_pattern(form)}, code)
    elif (column_type := _column_type(contract, field)) is not None:
        yield _schema_rule(field, "type", _REGEX, {"regex": number_pattern(column_type)}, _NUMBER)


def _schema_rule(field: FieldRole, name: str, kind: str, kwargs: Mapping[str, Any], code: str) -> Rule:
    return Rule(
        f"{field.name}.{name}", check_of(kind, {"column": field.name} | dict(kwargs)), code, source=Source.SCHEMA
    )


def _quality_rules(entry: QualityRule) -> Iterable[Rule]:
    """The rules of one quality entry. Raises DocumentInvalid subclasses."""
    if entry.expectation is not None:
        return (_custom_rule(entry, entry.expectation),)
    metric = _METRICS.get(entry.metric or "")
    if metric is None:
        raise QualityRefused(Ref("metric", entry.metric or "none"))
    if entry.metric == "rowCount":
        return (_rule(entry, "expect_table_row_count_to_be_between", _row_counts(entry), None),)
    tolerance = _tolerance(entry)
    return [_rule(entry, kind, kwargs, tolerance) for kind, kwargs in metric(entry)]


def _custom_rule(entry: QualityRule, said: Mapping[str, Any]) -> Rule:
    """The rule of a custom entry (``engine: greatExpectations``); under a column it need not repeat the name."""
    kind, given = said.get("type"), said.get("kwargs") or {}
    if not isinstance(kind, str) or not isinstance(given, dict) or entry.operator is not None:
        raise OptionInvalid(Ref("option", "implementation"))
    about_column = kind in KINDS and KINDS[kind].shape is Shape.COLUMN and entry.column is not None
    kwargs = {"column": entry.column} if about_column else {}
    kwargs |= {name: value for name, value in given.items() if name not in _NO_ARGUMENTS}
    return rule_of(kind, kwargs, entry.id, entry.severity, Source.CONTRACT)


def _rule(entry: QualityRule, kind: str, kwargs: Mapping[str, Any], tolerance: Tolerance | None) -> Rule:
    return Rule(entry.id, check_of(kind, kwargs), KINDS[kind].code, entry.severity, tolerance, Source.CONTRACT)


Asked = Iterable[tuple[str, dict[str, Any]]]
"""Kinds with their kwargs; all kinds of one quality entry share its tolerance."""


def _null_values(entry: QualityRule) -> Asked:
    return [(_NOT_NULL, {"column": entry.column})]


def _missing_values(entry: QualityRule) -> Asked:
    named = [value for value in _arguments(entry, "missingValues") if value is not None]
    surely = [("expect_column_values_to_not_be_in_set", {"column": entry.column, "value_set": named})] if named else []
    return [(_NOT_NULL, {"column": entry.column}), *surely]


def _invalid_values(entry: QualityRule) -> Asked:
    pattern, valid = entry.arguments.get("pattern"), entry.arguments.get("validValues")
    if set(entry.arguments) - {"pattern", "validValues"} or (pattern is None and valid is None):
        raise OptionInvalid(Ref("option", "arguments"))
    asked: list[tuple[str, dict[str, Any]]] = []
    if valid is not None:
        asked.append((_IN_SET, {"column": entry.column, "value_set": valid}))
    if pattern is not None:
        asked.append((_REGEX, {"column": entry.column, "regex": pattern}))
    return asked


def _duplicate_values(entry: QualityRule) -> Asked:
    if entry.column is not None and not entry.arguments:
        return [(UNIQUE, {"column": entry.column})]
    properties = _arguments(entry, "properties")
    if len(properties) == 1:
        return [(UNIQUE, {"column": properties[0]})]
    return [(COMPOUND, {"column_list": properties})]


def _row_count(_: QualityRule) -> Asked:
    return []


def _arguments(entry: QualityRule, name: str) -> list[Any]:
    values = entry.arguments.get(name)
    if not isinstance(values, list | tuple) or not values or set(entry.arguments) - {name}:
        raise OptionInvalid(Ref("option", name))
    return list(values)


_METRICS: Mapping[str, Callable[[QualityRule], Asked]] = {
    "nullValues": _null_values,
    "missingValues": _missing_values,
    "invalidValues": _invalid_values,
    "duplicateValues": _duplicate_values,
    "rowCount": _row_count,
}


def _row_counts(entry: QualityRule) -> dict[str, Any]:
    """The ODCS operator of a row count, as bounds of Great Expectations. Raises QualityRefused."""
    limit = entry.threshold
    bounds: dict[str, dict[str, Any]] = (
        {
            "mustBe": {"min_value": limit[0], "max_value": limit[0]},
            "mustBeGreaterThan": {"min_value": limit[0], "strict_min": True},
            "mustBeGreaterOrEqualTo": {"min_value": limit[0]},
            "mustBeLessThan": {"max_value": limit[0], "strict_max": True},
            "mustBeLessOrEqualTo": {"max_value": limit[0]},
            "mustBeBetween": {"min_value": limit[0], "max_value": limit[-1]},
        }
        if limit
        else {}
    )
    if entry.operator not in bounds or entry.unit != "rows":
        raise QualityRefused(Ref("operator", entry.operator or "none"), Ref("unit", entry.unit))
    return bounds[entry.operator]


def _tolerance(entry: QualityRule) -> Tolerance | None:
    """The tolerance of a metric that counts failing rows; None if *not one* may fail.

    Raises QualityRefused for operators without an upper limit, which would demand bad rows.
    """
    upper = {"mustBe", "mustBeLessThan", "mustBeLessOrEqualTo", "mustBeBetween"}
    if entry.operator not in upper or entry.unit not in ("rows", "percent") or not entry.threshold:
        raise QualityRefused(Ref("operator", entry.operator or "none"), Ref("unit", entry.unit))
    least, most = entry.threshold[0], entry.threshold[-1]
    if entry.operator == "mustBe" and most != 0:
        raise QualityRefused(Ref("operator", entry.operator), Ref("unit", entry.unit))
    none_allowed = most <= 1 if (entry.operator, entry.unit) == ("mustBeLessThan", "rows") else most <= 0
    return None if none_allowed and least <= most else Tolerance(entry.operator, entry.threshold, entry.unit)
