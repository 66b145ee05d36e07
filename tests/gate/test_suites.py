"""S-22: a suite that could run code, show values or mean nothing is refused when it loads."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from sluice.errors import DocumentInvalid
from sluice.gate.errors import KindRefused, OptionInvalid, OptionRefused, RulesInvalid, SuiteUnreadable
from sluice.gate.gx import great_expectations, quiet
from sluice.gate.kinds import KINDS
from sluice.gate.model import Source, Tolerance
from sluice.gate.suites import load_suite, load_suites, read_suite
from sluice.settings import get_home
from sluice.terms import Severity

REGEX = "expect_column_values_to_match_regex"
NOT_NULL = "expect_column_values_to_not_be_null"


def a_suite(kind: str = NOT_NULL, kwargs: object = None, **said: object) -> bytes:
    expectation = {"type": kind, "kwargs": {"column": "lead"} if kwargs is None else kwargs} | said
    return json.dumps({"name": "leads", "expectations": [expectation]}).encode()


UNLISTED = [
    a_suite("unexpected_rows_expectation", {"unexpected_rows_query": "select * from {batch}"}),
    a_suite("expect_query_results_to_match_comparison", {"base_query": "select 1"}),
    a_suite("expect_column_values_to_match_json_schema", {"column": "lead", "json_schema": {}}),
    a_suite("expect_column_values_to_be_of_type", {"column": "lead", "type_": "str"}),
    a_suite("expect_column_distinct_values_to_be_in_set", {"column": "lead", "value_set": ["a"]}),
    a_suite("expect_column_max_to_be_between", {"column": "lead", "min_value": 1}),
    a_suite("expect_table_row_count_to_equal_other_table", {"other_table_name": "t"}),
    a_suite("sluice_columns_to_be_declared", {"column_set": ["lead"]}),
    a_suite("my_package.MyExpectation"),
]
NOT_ALLOWED = [
    a_suite(kwargs={"column": "lead", "row_condition": 'col("lead") == __import__("os").system("id")'}),
    a_suite(kwargs={"column": "lead", "condition_parser": "pandas"}),
    a_suite(kwargs={"column": "lead", "result_format": "COMPLETE"}),
    a_suite(kwargs={"column": "lead", "include_unexpected_rows": True}),
    a_suite(kwargs={"column": "lead", "unexpected_index_column_names": ["lead"]}),
    a_suite(kwargs={"column": "lead", "batch_id": "x"}),
    a_suite(windows=[{"constraint_fn": "mean"}]),
    a_suite(rendered_content=[]),
    b'{"name": "leads", "expectations": [], "suite_parameters": {"a": 1}}',
    b'{"name": "leads", "expectations": [], "data_context_config": {}}',
    a_suite("expect_table_row_count_to_equal", {"value": 1, "mostly": 0.5}),
]
NO_MEANING = [
    a_suite(kwargs={}),
    a_suite(kwargs={"column": {"$PARAMETER": "lead"}}),
    a_suite(kwargs={"column": "lead", "mostly": 2}),
    a_suite(kwargs={"column": "lead", "mostly": {"$PARAMETER": "share"}}),
    a_suite(severity="fatal"),
    a_suite(severity=["critical"]),
    a_suite(meta={"rule": "a b"}),
    a_suite(meta=["filled"]),
    a_suite(REGEX, {"column": "lead"}),
    a_suite(REGEX, {"column": "lead", "regex": "("}),
    a_suite(REGEX, {"column": "lead", "regex": "a" * 1001}),
    a_suite("expect_column_values_to_be_in_set", {"column": "lead", "value_set": ["1", 1]}),
    a_suite("expect_column_values_to_be_in_set", {"column": "lead", "value_set": [True]}),
    a_suite("expect_column_values_to_be_in_set", {"column": "lead", "value_set": [["a"]]}),
    a_suite("expect_column_values_to_be_between", {"column": "lead"}),
    a_suite("expect_column_values_to_be_between", {"column": "lead", "min_value": "a"}),
    a_suite("expect_column_values_to_be_between", {"column": "lead", "min_value": "2024-01-01T00:00:00Z"}),
    a_suite("expect_column_values_to_be_between", {"column": "lead", "min_value": 2, "max_value": 1}),
    a_suite("expect_column_values_to_be_between", {"column": "lead", "min_value": 2, "max_value": "2024-01-01"}),
    a_suite(
        "expect_column_values_to_be_between",
        {"column": "lead", "min_value": "2024-01-01", "max_value": "2024-01-02T00:00:00"},
    ),
    a_suite("expect_column_proportion_of_unique_values_to_be_between", {"column": "lead", "max_value": 1.01}),
    a_suite("expect_column_proportion_of_unique_values_to_be_between", {"column": "lead", "min_value": -0.01}),
    a_suite("expect_column_values_to_match_strftime_format", {"column": "lead", "strftime_format": "%D %Q"}),
    a_suite("expect_column_values_to_match_strftime_format", {"column": "lead", "strftime_format": "%Y-%m-%d %Y"}),
    a_suite("expect_column_values_to_match_strftime_format", {"column": "lead", "strftime_format": "dd/MM/yyyy"}),
    a_suite("expect_column_values_to_match_strftime_format", {"column": "lead", "strftime_format": "100%%"}),
    a_suite("expect_column_value_lengths_to_equal", {"column": "lead", "value": -1}),
    a_suite("expect_compound_columns_to_be_unique", {"column_list": ["lead"]}),
    a_suite("expect_compound_columns_to_be_unique", {"column_list": ["lead", "lead"]}),
    a_suite("expect_column_pair_values_to_be_equal", {"column_A": "a", "column_B": "b", "ignore_row_if": "never"}),
]
NO_SUITE = [
    b"name: leads\nexpectations: !!python/object/apply:os.system ['id']\n",
    b"",
    b"[]",
    b'{"name": "leads"}',
    b'{"name": "../leads", "expectations": []}',
    b'{"name": "leads", "name": "leads", "expectations": []}',
    b'{"name": "leads", "expectations": [{"type": "x"}]}',
    b'{"name": "leads", "expectations": [{"kwargs": {}}]}',
    b'{"name": "leads", "expectations": [1]}',
    b'{"name": "leads", "expectations": [], "meta": NaN}',
    b'{"a":' * 10_000,
    b'{"name": "leads", "expectations": [], "meta": ' + b"9" * 5_000 + b"}",
    b'{"name": "leads",\n"expectations": [], "meta": "\xe9"}',
    b'{"name": "leads", "expectations": [' + b" " * 1_048_576 + b"]}",
]


SEVERAL = json.dumps(
    {
        "name": "leads",
        "data_context_config": {},
        "suite_parameters": {"a": 1},
        "expectations": [
            {"type": "expect_table_row_count_to_equal", "kwargs": {"value": "12", "mostly": 0.5}},
            {"type": NOT_NULL, "kwargs": {"column": "lead"}, "meta": {"rule": "filled"}},
            {"type": "expect_column_values_to_be_nul", "kwargs": {"column": "lead"}},
            {"type": NOT_NULL, "kwargs": {"colum": "lead", "mostly": 95}, "severity": "fatal", "windows": []},
            {"type": NOT_NULL, "kwargs": {"column": "note"}, "meta": {"rule": "filled"}},
            {"kwargs": {}},
            {"type": NOT_NULL, "kwarg": {"column": "lead"}},
        ],
    }
).encode()


def test_every_mistake_of_a_suite_is_told_with_its_place_and_cure() -> None:
    with pytest.raises(RulesInvalid) as refused:
        read_suite(SEVERAL, "leads.json")

    told = [(each.code, *(ref.value for ref in each.refs if ref.kind in ("expectation", "option"))) for each in
            refused.value.faults]  # fmt: skip
    assert told == [
        ("SLU-433", "data_context_config"),
        ("SLU-433", "suite_parameters"),
        ("SLU-434", 1, "value"),
        ("SLU-433", 1, "mostly"),
        ("SLU-432", 3),
        ("SLU-433", 4, "windows"),
        ("SLU-434", 4, "severity"),
        ("SLU-433", 4, "colum"),
        ("SLU-434", 4, "column"),
        ("SLU-434", 4, "mostly"),
        ("SLU-431", 6),
        ("SLU-433", 7, "kwarg"),
        ("SLU-431", 7),
        ("SLU-434", 5, "meta.rule"),
    ]
    first, *lines = str(refused.value).splitlines()
    assert first.startswith("SLU-440 several rules") and len(lines) == len(told)
    assert [line for line in lines if "suite leads.json" not in line or "Cure: " not in line] == []
    assert len(read_suite(a_suite(), "leads.json").rules) == 1, "control: without a mistake it loads"


@pytest.mark.parametrize(
    ("content", "error"),
    [
        *((content, KindRefused) for content in UNLISTED),
        *((content, OptionRefused) for content in NOT_ALLOWED),
        *((content, OptionInvalid) for content in NO_MEANING),
        *((content, SuiteUnreadable) for content in NO_SUITE),
    ],
)
def test_a_suite_that_cannot_be_judged_is_refused_at_load(content: bytes, error: type[DocumentInvalid]) -> None:
    with pytest.raises(error) as refused:
        read_suite(content, "leads.json")

    assert type(refused.value) is error
    assert "suite leads.json" in str(refused.value)
    assert f"{error.code} " in str(refused.value)
    assert refused.value.__cause__ is None


def test_each_refusal_points_at_the_place_that_is_wrong() -> None:
    """``refusals.txt``: what is read there is what somebody gets who wrote that suite."""
    said = []
    for content in (*UNLISTED, *NOT_ALLOWED, *NO_MEANING, *NO_SUITE):
        with pytest.raises(DocumentInvalid) as refused:
            read_suite(content, "leads.json")
        said.append("; ".join((refused.value.code, *map(str, refused.value.refs))))

    assert said == (Path(__file__).with_name("refusals.txt")).read_text(encoding="utf-8").splitlines()


def test_a_refusal_names_file_place_and_kind() -> None:
    content = json.loads(a_suite())
    content["expectations"].append({"type": REGEX, "kwargs": {"column": "lead", "regex": "a", "row_condition": "x"}})

    with pytest.raises(OptionRefused) as refused:
        read_suite(json.dumps(content).encode(), "leads.json")

    assert f"suite leads.json; expectation 2; kind {REGEX}; option row_condition" in str(refused.value)


@pytest.mark.slow
def test_great_expectations_itself_would_load_most_of_what_is_refused() -> None:
    loaded = sum(_loads_in_great_expectations(content) for content in (*UNLISTED, *NOT_ALLOWED))

    assert loaded >= 5


def _loads_in_great_expectations(content: bytes) -> bool:
    gx = great_expectations()
    try:
        with quiet():
            gx.ExpectationSuite(**json.loads(content))
    except (gx.exceptions.GreatExpectationsError, ValueError, TypeError, KeyError):
        return False
    return True


@pytest.mark.parametrize("name", ["campaign_contacts", "subscriber_base"])
def test_the_suites_of_this_repository_load_here_and_in_great_expectations(name: str) -> None:
    path = get_home() / "expectations" / f"{name}.json"
    suite = load_suite(path)

    assert suite.name == name
    assert len(suite.sha256) == 64
    assert {rule.check.kind for rule in suite.rules} <= set(KINDS)
    assert _loads_in_great_expectations(path.read_bytes())


def test_a_pattern_may_have_a_thousand_characters() -> None:
    (rule,) = read_suite(a_suite(REGEX, {"column": "lead", "regex": "a" * 1000}), "leads.json").rules

    assert rule.check.option("regex") == "a" * 1000


def test_a_suite_may_have_a_thousand_expectations() -> None:
    content = json.loads(a_suite())
    content["expectations"] *= 1000

    assert len(read_suite(json.dumps(content).encode(), "leads.json").rules) == 1000
    content["expectations"] += content["expectations"][:1]
    with pytest.raises(SuiteUnreadable, match=r"; suite leads\.json; expectations 1001\."):
        read_suite(json.dumps(content).encode(), "leads.json")


def test_a_suite_may_have_a_mebibyte() -> None:
    content = a_suite()
    largest = content + b" " * (1_048_576 - len(content))

    assert len(read_suite(largest, "leads.json").rules) == 1
    with pytest.raises(SuiteUnreadable):
        read_suite(largest + b" ", "leads.json")


def test_severity_mostly_and_name_come_through() -> None:
    content = a_suite(kwargs={"column": "lead", "mostly": 0.95}, severity="warning", meta={"rule": "filled"})

    (rule,) = read_suite(content, "leads.json").rules

    assert (rule.id, rule.severity, rule.source) == ("leads.filled", Severity.WARNING, Source.SUITE)
    assert rule.tolerance == Tolerance("mostly", (0.95,), "share")


@pytest.mark.parametrize(("mostly", "share"), [(0, 0.0), (0.5, 0.5), (1, None), (1.0, None)])
def test_mostly_is_a_share_from_none_to_all_and_all_is_no_tolerance(mostly: float, share: float | None) -> None:
    (rule,) = read_suite(a_suite(kwargs={"column": "lead", "mostly": mostly}), "leads.json").rules

    assert rule.tolerance == (None if share is None else Tolerance("mostly", (share,), "share"))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"severity": "error"}, "it takes critical, warning or info"),
        ({"meta": {"rule": "a b"}}, "it takes a name that no other expectation"),
        ({"type": "expect_column_value_to_not_be_null"}, "perhaps expect_column_values_to_not_be_null"),
        ({"severety": "critical"}, "known description, id, kwargs"),
        ({"kwargs": {"column": "lead", "mostly": 95}}, "it takes a number from 0 to 1"),
        ({"kwargs": {"column": "lead", "most": 0.9}}, "known column, mostly, row_condition"),
    ],
)
def test_a_refusal_tells_what_would_be_right(change: dict[str, object], told: str) -> None:
    content = json.loads(a_suite())
    read_suite(json.dumps(content).encode(), "leads.json")  # control: it is a suite without the change
    content["expectations"][0] |= change

    with pytest.raises(DocumentInvalid) as refused:
        read_suite(json.dumps(content).encode(), "leads.json")

    assert told in str(refused.value)


def test_what_is_no_json_is_refused_with_its_line_and_column() -> None:
    text = json.dumps(json.loads(a_suite()), indent=1).replace('"leads",', '"leads"', 1)

    with pytest.raises(SuiteUnreadable) as refused:
        read_suite(text.encode(), "leads.json")

    assert "suite leads.json; line 3; column 2; says Expecting ',' delimiter." in str(refused.value)


def test_two_expectations_cannot_share_a_name() -> None:
    content = json.loads(a_suite(meta={"rule": "filled"}))
    content["expectations"] *= 2

    with pytest.raises(OptionInvalid) as refused:
        read_suite(json.dumps(content).encode(), "leads.json")

    assert "; suite leads.json; expectation 2; option meta.rule." in str(refused.value)


def test_a_suite_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SuiteUnreadable) as refused:
        load_suites(tmp_path, ["leads"])

    assert "; suite leads.json." in str(refused.value)
    assert str(tmp_path) not in str(refused.value)


@pytest.mark.slow
@pytest.mark.evidence
def test_how_many_are_refused_and_how_many_plain_loaders_take(record_property: Callable[[str, object], None]) -> None:
    """S-22 in figures; the control is what Great Expectations and a plain YAML loader say of the same."""
    every = (*UNLISTED, *NOT_ALLOWED, *NO_MEANING, *NO_SUITE)
    refused = sum(_is_refused(content) for content in every)
    tagged = yaml.load("a: !!python/tuple [1]\nb: !!python/name:os.getcwd", Loader=yaml.UnsafeLoader)

    assert refused == len(every)
    assert tagged == {"a": (1,), "b": os.getcwd}
    loaded = sum(_loads_in_great_expectations(content) for content in (*UNLISTED, *NOT_ALLOWED))
    record_property("S-22 suites that are refused at load", f"{refused} of {len(every)}")
    record_property(
        "S-22 control: of those with unlisted kinds and options, Great Expectations loads",
        f"{loaded} of {len(UNLISTED) + len(NOT_ALLOWED)}; a plain YAML loader makes what its tags name",
    )


def _is_refused(content: bytes) -> bool:
    try:
        read_suite(content, "leads.json")
    except DocumentInvalid:
        return True
    return False
