"""What a contract asks: its quality entries and its columns become rules, or it is refused as it loads."""

import pytest

from sluice.agreement.folder.load import load_contract
from sluice.agreement.model import FieldRole, QualityRule
from sluice.gate.contract_rules import rules_for
from sluice.gate.errors import ColumnUnknown, OptionInvalid, OptionRefused, QualityRefused, TypeMismatch
from sluice.gate.kinds import check_of
from sluice.gate.model import Rule, Source, Tolerance
from sluice.gate.suites import load_suites, read_suite
from sluice.settings import get_home
from sluice.terms import Severity

from .papers import KIND, a_contract, a_field, a_key, an_entry, custom
from .test_suites import a_suite


def q(*said: object, **more: object) -> QualityRule:
    return an_entry("q", *said, **more)


ARGUMENTS = "quality q; option arguments"
MISSING = "quality q; option missingValues"
IMPLEMENTATION = "quality q; option implementation"


def rules_of(*entries: QualityRule, fields: tuple[FieldRole, ...] = ()) -> dict[str, list[Rule]]:
    contract = a_contract(a_key(), a_field("phone"), a_field("amount", "number"), *fields, quality=entries)
    found: dict[str, list[Rule]] = {}
    for rule in rules_for(contract, ()):
        found.setdefault(rule.id, []).append(rule)
    return found


@pytest.mark.parametrize(
    ("entry", "kinds"),
    [
        (q("nullValues", "phone"), [f"{KIND}not_be_null"]),
        (
            q("missingValues", "phone", arguments={"missingValues": [None, "", "n/a"]}),
            [f"{KIND}not_be_null", f"{KIND}not_be_in_set"],
        ),
        (q("missingValues", "phone", arguments={"missingValues": [None]}), [f"{KIND}not_be_null"]),
        (q("invalidValues", "phone", arguments={"validValues": ["a"]}), [f"{KIND}be_in_set"]),
        (q("invalidValues", "phone", arguments={"pattern": "^0"}), [f"{KIND}match_regex"]),
        (q("duplicateValues", "phone"), [f"{KIND}be_unique"]),
        (
            q("duplicateValues", None, arguments={"properties": ["lead", "phone"]}),
            ["expect_compound_columns_to_be_unique"],
        ),
        (q("duplicateValues", None, arguments={"properties": ["lead"]}), [f"{KIND}be_unique"]),
        (q("rowCount", operator="mustBeGreaterThan"), ["expect_table_row_count_to_be_between"]),
    ],
)
def test_an_odcs_metric_is_an_expectation(entry: QualityRule, kinds: list[str]) -> None:
    found = rules_of(entry)["q"]
    assert [rule.check.kind for rule in found] == kinds
    assert {rule.tolerance for rule in found} == {None}


@pytest.mark.parametrize(
    ("operator", "threshold", "bounds"),
    [
        ("mustBe", (3,), {"min_value": 3, "max_value": 3}),
        ("mustBeGreaterThan", (3,), {"min_value": 3, "strict_min": True}),
        ("mustBeGreaterOrEqualTo", (3,), {"min_value": 3}),
        ("mustBeLessThan", (3,), {"max_value": 3, "strict_max": True}),
        ("mustBeLessOrEqualTo", (3,), {"max_value": 3}),
        ("mustBeBetween", (3, 5), {"min_value": 3, "max_value": 5}),
    ],
)
def test_a_number_of_rows_has_the_bounds_that_its_operator_says(operator, threshold, bounds):
    (rule,) = rules_of(q("rowCount", operator=operator, threshold=threshold, severity=Severity.WARNING))["q"]
    wanted = check_of("expect_table_row_count_to_be_between", bounds)
    assert rule == Rule("q", wanted, "SHAPE_ROW_COUNT", Severity.WARNING, None, Source.CONTRACT)


ASKED = [
    ("columns.declared", "sluice_columns_to_be_declared", "HEADER_UNDECLARED_COLUMN", "error"),
    ("rows.any", "expect_table_row_count_to_be_between", "SHAPE_ROW_COUNT", "warning"),
    ("lead.present", "expect_column_to_exist", "HEADER_MISSING_COLUMN", "error"),
    ("lead.required", f"{KIND}not_be_null", "VALUE_NULL", "error"),
    ("amount.present", "expect_column_to_exist", "HEADER_MISSING_COLUMN", "error"),
    ("amount.required", f"{KIND}not_be_null", "VALUE_NULL", "error"),
    ("amount.type", f"{KIND}match_regex", "VALUE_NUMBER", "error"),
    ("day.present", "expect_column_to_exist", "HEADER_MISSING_COLUMN", "warning"),
    ("day.type", f"{KIND}match_strftime_format", "VALUE_DATE", "error"),
    ("day.digits", f"{KIND}match_regex", "VALUE_DATE", "error"),
    ("day.unique", f"{KIND}be_unique", "DUPLICATE_VALUE", "error"),
    ("at.present", "expect_column_to_exist", "HEADER_MISSING_COLUMN", "warning"),
    ("at.type", f"{KIND}match_strftime_format", "VALUE_DATE", "error"),
    ("at.digits", f"{KIND}match_regex", "VALUE_DATE", "error"),
    ("clock.present", "expect_column_to_exist", "HEADER_MISSING_COLUMN", "warning"),
    ("clock.type", f"{KIND}match_strftime_format", "VALUE_TIME", "error"),
    ("clock.digits", f"{KIND}match_regex", "VALUE_TIME", "error"),
    ("is_new.present", "expect_column_to_exist", "HEADER_MISSING_COLUMN", "warning"),
    ("is_new.type", f"{KIND}be_in_set", "VALUE_BOOLEAN", "error"),
    ("note.present", "expect_column_to_exist", "HEADER_MISSING_COLUMN", "warning"),
]


def test_a_contract_without_quality_entries_asks_what_its_columns_say() -> None:
    fields = (
        a_key(),
        a_field("amount", "number", required=True),
        a_field("day", "date", unique=True),
        a_field("at", "timestamp"),
        a_field("clock", "time"),
        a_field("is_new", "boolean"),
        a_field("note"),
    )

    found = rules_for(a_contract(*fields), ())

    assert {rule.source for rule in found} == {Source.SCHEMA}
    assert {rule.tolerance for rule in found} == {None}
    assert [(rule.id, rule.check.kind, rule.code, rule.severity.value) for rule in found] == ASKED
    options = {rule.id: rule.check.options for rule in found}
    assert options["rows.any"] == check_of("expect_table_row_count_to_be_between", {"min_value": 1}).options
    assert dict(options["day.type"])["strftime_format"] == "%Y-%m-%d"
    assert dict(options["at.type"])["strftime_format"] == "%Y-%m-%dT%H:%M:%S"
    assert dict(options["clock.type"])["strftime_format"] == "%H:%M:%S"
    assert {"true", "JA", "Non", "0"} <= set(dict(options["is_new.type"])["value_set"])


def test_a_custom_entry_is_taken_as_it_is() -> None:
    said = {"type": f"{KIND}be_between", "kwargs": {"min_value": 0, "mostly": 0.9}}
    (rule,) = rules_of(q(None, "amount", operator=None, threshold=(), expectation=said))["q"]
    assert (rule.check.columns, rule.source) == (("amount",), Source.CONTRACT)
    assert rule.tolerance == Tolerance("mostly", (0.9,), "share")


@pytest.mark.parametrize(
    ("said", "tolerance"),
    [
        ({"operator": "mustBe", "threshold": (0,)}, None),
        ({"operator": "mustBeLessThan", "threshold": (1,)}, None),
        ({"operator": "mustBeLessThan", "threshold": (2,)}, Tolerance("mustBeLessThan", (2,), "rows")),
        ({"operator": "mustBeLessOrEqualTo", "threshold": (1,)}, Tolerance("mustBeLessOrEqualTo", (1,), "rows")),
        ({"operator": "mustBeBetween", "threshold": (1, 0)}, Tolerance("mustBeBetween", (1, 0), "rows")),
        ({"operator": "mustBeBetween", "threshold": (0, 0), "unit": "percent"}, None),
        (
            {"operator": "mustBeLessThan", "threshold": (1,), "unit": "percent"},
            Tolerance("mustBeLessThan", (1,), "percent"),
        ),
        ({"operator": "mustBeLessOrEqualTo", "threshold": (0,), "unit": "percent"}, None),
        ({"operator": "mustBeBetween", "threshold": (0, 5)}, Tolerance("mustBeBetween", (0, 5), "rows")),
    ],
)
def test_a_limit_that_allows_none_is_a_row_rule_and_any_other_a_tolerance(said, tolerance):
    (rule,) = rules_of(q("duplicateValues", "phone", **said))["q"]
    assert rule.tolerance == tolerance


@pytest.mark.parametrize(
    ("entry", "error", "place"),
    [
        (q("sql"), QualityRefused, "quality q; metric sql"),
        (q("freshness"), QualityRefused, "quality q; metric freshness"),
        (
            q("nullValues", "phone", operator="mustBeGreaterThan"),
            QualityRefused,
            "quality q; operator mustBeGreaterThan; unit rows",
        ),
        (q("nullValues", "phone", operator="mustNotBe"), QualityRefused, "quality q; operator mustNotBe; unit rows"),
        (q("nullValues", "phone", threshold=(3.0,)), QualityRefused, "quality q; operator mustBe; unit rows"),
        (q("nullValues", "phone", operator=None, threshold=()), QualityRefused, "quality q; operator none; unit rows"),
        (q("nullValues", "phone", unit="bytes"), QualityRefused, "quality q; operator mustBe; unit bytes"),
        (q("rowCount", operator="mustNotBe"), QualityRefused, "quality q; operator mustNotBe; unit rows"),
        (q("rowCount", unit="percent"), QualityRefused, "quality q; operator mustBe; unit percent"),
        (q("invalidValues", "phone"), OptionInvalid, ARGUMENTS),
        (q("invalidValues", "phone", arguments={"pattern": "a", "x": 1}), OptionInvalid, ARGUMENTS),
        (q("missingValues", "phone"), OptionInvalid, MISSING),
        (q("missingValues", "phone", arguments={"missingValues": []}), OptionInvalid, MISSING),
        (q("missingValues", "phone", arguments={"missingValues": "a"}), OptionInvalid, MISSING),
        (q("missingValues", "phone", arguments={"missingValues": ["a"], "x": 1}), OptionInvalid, MISSING),
        (q("duplicateValues", "phone", arguments={"x": 1}), OptionInvalid, "quality q; option properties"),
        (q(None, "phone", expectation={"type": "x"}), OptionInvalid, IMPLEMENTATION),
        (q(None, operator=None, threshold=(), expectation={}), OptionInvalid, IMPLEMENTATION),
        (q(None, "phone", operator=None, threshold=()), QualityRefused, "quality q; metric none"),
        (
            q("invalidValues", "phone", arguments={"pattern": "("}),
            OptionInvalid,
            "quality q; kind expect_column_values_to_match_regex; option regex",
        ),
        (q("invalidValues", "phone", arguments={"validValues": [1]}), TypeMismatch, "rule q; column phone"),
        (q("duplicateValues", None, arguments={"properties": ["lead", "gone"]}), ColumnUnknown, "rule q; column gone"),
        (custom("be_between", "phone", min_value=1), TypeMismatch, "rule q; column phone"),
        (custom("be_between", "amount", min_value="2024-01-01"), TypeMismatch, "rule q; column amount"),
        (
            custom("not_be_null", "phone", row_condition="x"),
            OptionRefused,
            "quality q; kind expect_column_values_to_not_be_null; option row_condition",
        ),
    ],
)
def test_an_entry_that_cannot_be_judged_says_so_when_it_loads(entry, error, place):
    with pytest.raises(error) as refused:
        rules_of(entry)
    assert type(refused.value) is error
    assert "; ".join(map(str, refused.value.refs)) == f"contract water01.inbound.leads; {place}"


def test_a_suite_may_only_name_columns_of_the_contract() -> None:
    suite = read_suite(a_suite(kwargs={"column": "gone"}), "leads.json")
    with pytest.raises(ColumnUnknown) as refused:
        rules_for(a_contract(a_key()), (suite,))
    assert "rule leads.1; column gone" in str(refused.value)


@pytest.mark.parametrize("kind", ["a_to_be_greater_than_b", "to_be_equal"])
def test_a_pair_of_two_types_is_refused_at_load_and_not_undecided_for_every_file(kind: str) -> None:
    said = {"type": f"expect_column_pair_values_{kind}", "kwargs": {"column_A": "day", "column_B": "moment"}}
    fields = (a_field("day", "date"), a_field("moment", "timestamp"))
    with pytest.raises(TypeMismatch):
        rules_of(q(operator=None, threshold=(), expectation=said), fields=fields)


@pytest.mark.parametrize(
    "entry",
    [
        {"type": "expect_column_pair_values_to_be_equal", "kwargs": {"column_A": "day", "column_B": "other"}},
        {"type": "expect_column_pair_values_to_be_equal", "kwargs": {"column_A": "phone", "column_B": "lead"}},
        {"type": "expect_column_pair_values_to_be_equal", "kwargs": {"column_A": "amount", "column_B": "count"}},
        {"type": f"{KIND}be_in_set", "kwargs": {"column": "amount", "value_set": [1, 2.5]}},
        {"type": f"{KIND}be_in_set", "kwargs": {"column": "phone", "value_set": ["1"]}},
        {"type": f"{KIND}be_between", "kwargs": {"column": "day", "min_value": "2024-01-01"}},
        {"type": f"{KIND}be_between", "kwargs": {"column": "at", "max_value": "2024-01-01T00:00:00"}},
    ],
)
def test_columns_and_bounds_of_one_type_are_compared(entry: dict[str, object]) -> None:
    fields = (a_field("day", "date"), a_field("other", "date"), a_field("count", "integer"), a_field("at", "timestamp"))
    assert len(rules_of(q(operator=None, threshold=(), expectation=entry), fields=fields)["q"]) == 1


def test_what_an_entry_says_is_not_said_twice() -> None:
    found = rules_of(an_entry("filled", "nullValues", "lead"))
    assert "lead.required" not in found
    assert {"filled", "rows.any"} <= found.keys()
    assert "rows.any" not in rules_of(q("rowCount", operator="mustBeGreaterThan"))


@pytest.mark.parametrize("said", [{"severity": Severity.WARNING}, {"operator": "mustBeLessThan", "threshold": (5,)}])
def test_what_an_entry_says_less_strictly_is_said_by_the_column_too(said: dict[str, object]) -> None:
    assert {"lead.required", "filled"} <= rules_of(an_entry("filled", "nullValues", "lead", **said)).keys()


def test_the_contracts_of_this_repository_have_rules_with_their_suites() -> None:
    home = get_home()
    papers = sorted((home / "include" / "principals").glob("*/*.odcs.yaml"))
    suites = {"renewal_campaign": ["campaign_contacts"], "subscriber_base": ["subscriber_base"]}
    for paper in papers:
        contract = load_contract(paper)
        rules = rules_for(contract, load_suites(home / "expectations", suites.get(contract.flow, contract.suites)))
        assert len(rules) > len(contract.fields)
    assert papers
