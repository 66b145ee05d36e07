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


def suite_with(said: object) -> bytes:
    """A suite of one expectation; or a text, such as one that is no suite."""
    return said.encode() if isinstance(said, str) else json.dumps({"name": "leads", "expectations": [said]}).encode()


WRITTEN = yaml.safe_load(Path(__file__).with_name("refused_suites.yaml").read_text(encoding="utf-8"))
LONG = a_suite(REGEX, {"column": "lead", "regex": "a" * 1001})
ERRORS = {
    "unlisted kinds": KindRefused,
    "options that are not allowed": OptionRefused,
    "no meaning": OptionInvalid,
    "no suite": SuiteUnreadable,
}
REFUSED = [(suite_with(said), ERRORS[kind], told) for kind, each in WRITTEN.items() for told, said in each] + [
    (LONG, OptionInvalid, f"SLU-434; suite leads.json; expectation 1; kind {REGEX}; option regex"),
    (b'{"a":' * 10_000, SuiteUnreadable, "SLU-431; suite leads.json; says nested too deep"),
    (
        b'{"name": "leads", "expectations": [], "meta": ' + b"9" * 5_000 + b"}",
        SuiteUnreadable,
        "SLU-431; suite leads.json; says a number of too many digits",
    ),
    (
        b'{"name": "leads",\n"expectations": [], "meta": "\xe9"}',
        SuiteUnreadable,
        "SLU-431; suite leads.json; line 2; says not UTF-8",
    ),
    (
        b'{"name": "leads", "expectations": [' + b" " * 1_048_576 + b"]}",
        SuiteUnreadable,
        "SLU-431; suite leads.json; bytes 1048613; most 1048576",
    ),
]
"""Each suite that is refused, by which error, and what somebody gets who wrote it."""


@pytest.mark.parametrize(("content", "error", "told"), REFUSED)
def test_a_suite_that_cannot_be_judged_is_refused_at_load_at_the_place_that_is_wrong(content, error, told):
    with pytest.raises(DocumentInvalid) as refused:
        read_suite(content, "leads.json")
    assert type(refused.value) is error
    assert "; ".join((refused.value.code, *map(str, refused.value.refs))) == told
    assert f"{error.code} " in str(refused.value) and "suite leads.json" in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.slow
@pytest.mark.evidence
def test_control_plain_loaders_take_most_of_what_is_refused(record_property: Callable[[str, object], None]) -> None:
    """S-22 in figures: what Great Expectations and a plain YAML loader say of the same."""
    listed = [content for content, error, _ in REFUSED if error in (KindRefused, OptionRefused)]
    loaded = sum(map(_loads_in_great_expectations, listed))
    assert loaded >= 5
    tagged = yaml.load("a: !!python/tuple [1]\nb: !!python/name:os.getcwd", Loader=yaml.UnsafeLoader)
    assert tagged == {"a": (1,), "b": os.getcwd}
    record_property("S-22 suites that are refused at load", f"{len(REFUSED)} of {len(REFUSED)}")
    record_property(
        "S-22 control: of those with unlisted kinds and options, Great Expectations loads",
        f"{loaded} of {len(listed)}; a plain YAML loader makes what its tags name",
    )


def _loads_in_great_expectations(content: bytes) -> bool:
    gx = great_expectations()
    try:
        with quiet():
            gx.ExpectationSuite(**json.loads(content))
    except (gx.exceptions.GreatExpectationsError, ValueError, TypeError, KeyError):
        return False
    return True


def test_every_mistake_of_a_suite_is_told_with_its_place_and_cure() -> None:
    lead = {"type": NOT_NULL, "kwargs": {"column": "lead"}, "meta": {"rule": "filled"}}
    wrong = [
        {"type": "expect_table_row_count_to_equal", "kwargs": {"value": "12", "mostly": 0.5}},
        lead,
        {"type": "expect_column_values_to_be_nul", "kwargs": {"column": "lead"}},
        {"type": NOT_NULL, "kwargs": {"colum": "lead", "mostly": 95}, "severity": "fatal", "windows": []},
        lead | {"kwargs": {"column": "note"}},
        {"kwargs": {}},
        {"type": NOT_NULL, "kwarg": {"column": "lead"}},
    ]
    several = {"name": "leads", "data_context_config": {}, "suite_parameters": {"a": 1}, "expectations": wrong}
    with pytest.raises(RulesInvalid) as refused:
        read_suite(json.dumps(several).encode(), "leads.json")
    told = [
        " ".join([each.code[4:], *(str(ref.value) for ref in each.refs if ref.kind in ("expectation", "option"))])
        for each in refused.value.faults
    ]
    first = ["433 data_context_config", "433 suite_parameters", "434 1 value", "433 1 mostly", "432 3", "433 4 windows"]
    then = ["434 4 severity", "433 4 colum", "434 4 column", "434 4 mostly", "431 6", "433 7 kwarg", "431 7"]
    assert told == [*first, *then, "434 5 meta.rule"]
    line, *lines = str(refused.value).splitlines()
    assert line.startswith("SLU-440 several rules") and len(lines) == len(told)
    assert [line for line in lines if "suite leads.json" not in line or "Cure: " not in line] == []
    assert len(read_suite(a_suite(), "leads.json").rules) == 1, "control: without a mistake it loads"


def test_a_refusal_names_the_expectation() -> None:
    content = json.loads(a_suite())
    content["expectations"].append({"type": REGEX, "kwargs": {"column": "lead", "regex": "a", "row_condition": "x"}})
    with pytest.raises(OptionRefused, match=f"suite leads.json; expectation 2; kind {REGEX}; option row_condition"):
        read_suite(json.dumps(content).encode(), "leads.json")


@pytest.mark.parametrize("name", ["campaign_contacts", "subscriber_base"])
def test_the_suites_of_this_repository_load_here_and_in_great_expectations(name: str) -> None:
    path = get_home() / "expectations" / f"{name}.json"
    suite = load_suite(path)
    assert suite.name == name
    assert len(suite.sha256) == 64
    assert {rule.check.kind for rule in suite.rules} <= set(KINDS)
    assert _loads_in_great_expectations(path.read_bytes())


def test_a_suite_has_at_most_a_thousand_expectations_and_characters_of_a_pattern_and_a_mebibyte() -> None:
    (rule,) = read_suite(a_suite(REGEX, {"column": "lead", "regex": "a" * 1000}), "leads.json").rules
    assert rule.check.option("regex") == "a" * 1000
    content = json.loads(a_suite())
    content["expectations"] *= 1000
    assert len(read_suite(json.dumps(content).encode(), "leads.json").rules) == 1000
    content["expectations"] += content["expectations"][:1]
    with pytest.raises(SuiteUnreadable, match=r"; suite leads\.json; expectations 1001\."):
        read_suite(json.dumps(content).encode(), "leads.json")
    largest = a_suite() + b" " * (1_048_576 - len(a_suite()))
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


def test_what_is_no_json_a_name_twice_and_a_suite_that_is_not_there_are_refused_by_place(tmp_path: Path) -> None:
    text = json.dumps(json.loads(a_suite()), indent=1).replace('"leads",', '"leads"', 1)
    with pytest.raises(SuiteUnreadable, match=r"suite leads.json; line 3; column 2; says Expecting ',' delimiter\."):
        read_suite(text.encode(), "leads.json")
    content = json.loads(a_suite(meta={"rule": "filled"}))
    content["expectations"] *= 2
    with pytest.raises(OptionInvalid, match=r"; suite leads\.json; expectation 2; option meta\.rule\."):
        read_suite(json.dumps(content).encode(), "leads.json")
    with pytest.raises(SuiteUnreadable, match=r"; suite leads\.json\.") as refused:
        load_suites(tmp_path, ["leads"])
    assert str(tmp_path) not in str(refused.value)
