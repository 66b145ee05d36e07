"""How old the newest row of a file may be (ODCS `latency`): what a contract may say, and what a file is judged by."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agreement.papers import CONTRACT, write_folder
from gate.papers import a_contract, a_field
from sluice.agreement.errors import PaperInvalid
from sluice.agreement.folder.lint import lint_path
from sluice.agreement.folder.load import load_contract
from sluice.agreement.model import FieldRole, FreeTextRules, Problem
from sluice.exchange.judging.file_facts import _rules
from sluice.exchange.judging.job import Job
from sluice.gate.contract_rules import rules_for
from sluice.gate.judge import judge
from sluice.gate.kinds import NEWEST
from sluice.gate.model import Check, Rule, RuleOutcome, Source, Thresholds
from sluice.gate.onepass import Pass
from sluice.terms import Severity, Verdict
from sluice.times import brussels_today
from support.desk import open_desk
from support.effort import effort
from support.night import Edit, with_papers

FREQUENCY = "  - {property: frequency, value: 1, unit: d, element: renewal_campaign}\n"
DAY = 86_400


def contract_with(folder: Path, latency: str) -> Path:
    said = CONTRACT.replace(FREQUENCY, f"{FREQUENCY}  - {latency}\n")
    assert said != CONTRACT
    return write_folder(folder, contract=said) / "renewal_campaign.inbound.odcs.yaml"


@pytest.mark.parametrize(
    ("latency", "expected"),
    [
        ("{property: latency, value: 4, unit: d, element: renewal_campaign.birth_date}", (("birth_date", 4 * DAY),)),
        ("{property: latency, value: 48, unit: h, element: contract_end_date}", (("contract_end_date", 2 * DAY),)),
        ("{property: timeToRepair, value: 4, unit: d}", ()),
    ],
)
def test_a_latency_is_read(tmp_path: Path, latency: str, expected: tuple[tuple[str, int], ...]) -> None:
    path = contract_with(tmp_path, latency)
    assert told(path) == []
    assert load_contract(path).latencies == expected


@pytest.mark.parametrize(
    ("latency", "where"),
    [
        ("{property: latency, value: 4, unit: d, element: renewal_campaign}", "element"),
        ("{property: latency, value: 4, unit: d, element: renewal_campaign.phone}", "element"),
        ("{property: latency, value: 4, unit: d}", "element"),
        ("{property: latency, value: 4, unit: months, element: birth_date}", "unit"),
        ("{property: latency, value: 4, element: birth_date}", "unit"),
        ("{property: latency, value: 0, unit: d, element: birth_date}", "value"),
        ("{property: latency, value: true, unit: d, element: birth_date}", "value"),
        ("{property: latency, value: soon, unit: d, element: birth_date}", "value"),
        ("{property: latency, value: 36501, unit: d, element: birth_date}", "value"),
        ("{property: latency, value: 36, unit: h, element: birth_date}", "value"),
    ],
)
def test_one_that_no_file_can_be_judged_by_is_told_and_never_judged(tmp_path: Path, latency: str, where: str) -> None:
    path = contract_with(tmp_path, latency)
    [problem] = told(path)
    assert f"slaProperties[1].{where} - {where}" in problem.message
    assert problem.line == path.read_text(encoding="utf-8").split(latency)[0].count("\n") + 1
    with pytest.raises(PaperInvalid):
        load_contract(path)


def told(path: Path) -> list[Problem]:
    return [each for each in lint_path(path.parent) if each.code == "CON-095"]


def rules_within(seconds: int, field: FieldRole) -> tuple[Rule, ...]:
    return tuple(rules_for(replace(a_contract(field), latencies=(("exported", seconds),)), ()))


WHEN = a_field("exported", logical_type="timestamp", date_format="%Y-%m-%d %H:%M")
UTC_SAID = a_field("exported", logical_type="timestamp", date_format="%Y-%m-%dT%H:%M:%SZ")
DAYS = a_field("exported", logical_type="date", date_format="%d/%m/%Y")


def test_a_latency_is_a_rule_of_the_contract_itself() -> None:
    rules = rules_within(7_200, WHEN)
    [rule] = [each for each in rules if each.check.kind == NEWEST]
    asked = Check(NEWEST, ("exported",), (("seconds", 7_200),))
    assert rule == Rule("exported.latency", asked, "STALE_NEWEST_ROW", Severity.ERROR, None, Source.SCHEMA)


def found(rules: tuple[Rule, ...], cells: list[str | None], arrived: str, cuts: tuple[int, ...] = ()) -> RuleOutcome:
    frame = pl.DataFrame({"exported": cells}, schema={"exported": pl.String})
    whole, edges = Pass(rules, datetime.fromisoformat(arrived)), [0, *sorted(cuts), len(cells)]
    for start, stop in pairwise(edges):
        whole.add(frame.slice(start, stop - start))
    result = whole.result(lambda rows: frame[rows])
    return next(each for each in result.outcomes if each.rule.id == "exported.latency")


@pytest.mark.parametrize(
    ("cells", "arrived", "is_new"),
    [
        (["2026-11-28 09:00"], "2026-11-28T10:00:00+01:00", True),
        (["2026-11-28 09:00"], "2026-11-28T08:30:00+00:00", True),  # 9:30 here
        (["2026-11-28 07:59"], "2026-11-28T09:00:00+00:00", False),  # 10:00 here
        (["2026-11-28 08:00", "2026-11-28 09:00"], "2026-11-28T11:00:00+01:00", True),
        (["2026-11-28 08:59"], "2026-11-28T11:00:00+01:00", False),
        (["2099-01-01 00:00", "2026-11-28 08:59"], "2026-11-28T11:00:00+01:00", False),  # of the future
        (["2099-01-01 00:00"], "2026-11-28T11:00:00+01:00", False),
        ([None, "soon"], "2026-11-28T11:00:00+01:00", False),
        ([], "2026-11-28T11:00:00+01:00", True),
    ],
)
def test_a_moment_is_one_in_belgium_and_what_is_of_the_future_makes_no_file_new(cells, arrived, is_new):
    outcome = found(rules_within(7_200, WHEN), cells, arrived)
    assert (outcome.success, outcome.unexpected_count) == (is_new, int(not is_new))


@pytest.mark.parametrize(
    ("day", "is_new"), [("28/11/2026", True), ("27/11/2026", True), ("26/11/2026", False), ("29/11/2026", False)]
)
def test_of_dates_days_are_counted(day: str, is_new: bool) -> None:
    assert found(rules_within(DAY, DAYS), [day], "2026-11-28T23:30:00+01:00").success is is_new


@settings(max_examples=effort(30, 100))
@given(hours=st.lists(st.none() | st.integers(0, 23), max_size=8), cuts=st.lists(st.integers(0, 8), max_size=3))
def test_a_file_in_parts_is_as_new_as_whole(hours: list[int | None], cuts: list[int]) -> None:
    rules = rules_within(7_200, WHEN)
    cells = [None if hour is None else f"2026-11-28 {hour:02}:00" for hour in hours]
    edges, arrived = tuple(min(cut, len(cells)) for cut in cuts), "2026-11-28T15:00:00+01:00"
    newest = max((hour for hour in hours if hour is not None and hour <= 15), default=None)
    parts, whole = found(rules, cells, arrived, edges), found(rules, cells, arrived)
    assert (parts.success, parts.observed) == (whole.success, whole.observed)
    assert whole.success is (not cells or (newest is not None and newest >= 13))


def test_a_file_whose_column_is_not_there_is_refused_for_that() -> None:
    rules = rules_within(7_200, WHEN)
    passed = Pass(rules, datetime.now(UTC))
    frame = pl.DataFrame({"other": ["x"]})
    passed.add(frame)
    verdict = judge(passed.result(lambda rows: frame[rows]), [], Thresholds(0.1)).verdict
    assert "STALE_NEWEST_ROW" not in {each.code for each in verdict.reasons}
    [missing] = [each for each in verdict.reasons if each.code == "HEADER_MISSING_COLUMN"]
    assert (verdict.verdict, missing.column, missing.stops) == (Verdict.REFUSED, "exported", True)


@pytest.mark.parametrize(("cell", "is_new"), [("28112026", True), ("1122026", False), ("112026", False)])
def test_a_day_that_lacks_a_digit_makes_no_file_new(cell: str, is_new: bool) -> None:
    close = a_field("exported", logical_type="date", date_format="%d%m%Y")  # 1122026 would be 11 February
    assert found(rules_within(400 * DAY, close), [cell], "2026-11-28T23:30:00+01:00").success is is_new


LATE = Edit(
    "renewal_campaign.inbound.odcs.yaml",
    FREQUENCY,
    f"{FREQUENCY}  - {{property: latency, value: DAYS, unit: d, element: renewal_campaign.birth_date}}\n",
)


@pytest.mark.parametrize(
    ("cell", "arrived", "age"),
    [
        ("2026-11-29T10:00:00Z", "2026-11-29T11:00:00+01:00", 0),
        ("2026-07-29T10:00:00Z", "2026-07-29T10:30:00+00:00", 1_800),
        ("2026-11-29T09:59:59Z", "2026-11-29T10:00:00Z", 1),
    ],
)
def test_a_moment_that_is_written_with_a_z_is_one_of_utc(cell: str, arrived: str, age: int) -> None:
    assert found(rules_within(7_200, UTC_SAID), [cell], arrived).observed == age


@pytest.mark.stores
def test_an_old_file_is_refused_and_one_is_as_old_as_when_it_was_put_however_late_it_is_opened(
    store_settings, tmp_path
):
    settings = with_papers(store_settings, tmp_path, replace(LATE, new=LATE.new.replace("DAYS", "1")))
    with open_desk(settings, tmp_path) as desk:
        text, today = desk.campaign(rows=4)[0].read_text(encoding="utf-8-sig"), brussels_today()
        head, *rows = (line.split(";") for line in text.splitlines())
        for row in rows:
            row[head.index("birth_date")] = f"{today:%d/%m/%Y}"
            row[head.index("contract_end_date")] = f"{today + timedelta(days=90):%d/%m/%Y}"
        dropped = desk.drop("\n".join(";".join(row) for row in [head, *rows]).encode(), "new.csv")
        desk.open_new()
        desk.sql("update exchange set opened_at = opened_at + interval '5 days' returning 1")
        desk.work()
        assert (desk.line(dropped).decision, desk.line(dropped).reason_code) == ("accepted", None)
        old = desk.drop(desk.campaign(rows=40)[0], "old.csv")
        desk.work()
        assert (desk.line(old).decision, desk.line(old).reason_code) == ("refused", "STALE_NEWEST_ROW")


def test_a_file_that_lay_with_its_reader_is_not_asked_again(tmp_path: Path) -> None:
    contract = replace(a_contract(WHEN), latencies=(("exported", 7_200),))
    job = Job(
        folder=tmp_path, file=tmp_path / "f", file_name="f", contract=contract, suites=(), subject_key="", origin=None,
        free_text=FreeTextRules({}, 0.0), put_at=datetime(2026, 11, 28, tzinfo=UTC),
    )  # fmt: skip
    asked = {
        is_reviewed: {rule.id for rule in _rules(replace(job, is_reviewed=is_reviewed))}
        for is_reviewed in (False, True)
    }
    assert asked[False] - asked[True] == {"exported.latency"}
