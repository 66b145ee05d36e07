"""``sluice clock due``: one answer, or one a line."""

import json
import subprocess
import sys
import sysconfig
import time
from datetime import date, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sluice.cli.clock import app
from sluice.errors import Exit, UsageError
from sluice.rights.case.facts import ClockRefused
from sluice.settings import get_settings

run = CliRunner().invoke
SLUICE = Path(sysconfig.get_path("scripts")) / "sluice"
EASTER = {
    "received": "2026-03-05",
    "nominal_due": "2026-04-05",
    "legal_due": "2026-04-07",
    "extended_due": "2026-06-05",
}


@pytest.mark.parametrize(
    "text",
    [
        *("2026-03-05", " 2026-03-05 ", "2026-03-04T23:30:00Z", "2026-03-05T00:30+01:00", "2026-03-04t23:30:00.5z"),
        *("2026-03-05T00:30", "2026-03-05 23:30:00", "2026-03-05T23:30"),  # no zone: Brussels time
    ],
)
def test_a_date_and_a_moment_of_the_brussels_day_give_the_same_json(text: str) -> None:
    result = run(app, ["due", text, "--format", "json"])

    assert (json.loads(result.stdout), result.exit_code) == (EASTER, Exit.DONE)


def test_a_table_for_people_names_the_days_of_the_week() -> None:
    shown = run(app, ["due", "2026-03-05"]).stdout

    assert "Legal clock, BE" in shown
    for name, day in EASTER.items():
        assert name.replace("_", " ") in shown and day in shown
    assert "Sunday" in shown and "Tuesday" in shown


def test_the_center_s_own_country_is_meant_if_none_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_CENTER_COUNTRY", "NL")
    get_settings.cache_clear()
    due = json.loads(run(app, ["due", "2026-03-27", "--format", "json"]).stdout)["legal_due"]
    monkeypatch.setenv("SLUICE_CENTER_COUNTRY", "US")
    get_settings.cache_clear()
    for when in ("2026-03-27", "-"):
        refused = run(app, ["due", when], input="")
        assert isinstance(refused.exception, ClockRefused) and "COUNTRY_OUTSIDE_EEA" in str(refused.exception)
    get_settings.cache_clear()

    assert due == "2026-04-28", "King's Day"


def test_the_mark_of_an_editor_at_the_beginning_is_no_part_of_the_first_line() -> None:
    answer = run(app, ["due", "-"], input=b"\xef\xbb\xbf2026-03-05\n2026-03-05\n")

    assert [json.loads(line) for line in answer.stdout.splitlines()] == [{"line": 1, **EASTER}, {"line": 2, **EASTER}]


def test_the_country_of_the_controller_decides() -> None:
    # 27 April 2026 is King's Day in the Netherlands.
    due = {
        c: json.loads(run(app, ["due", "2026-03-27", "--country", c, "--format", "json"]).stdout) for c in ("nl", "BE")
    }

    assert [due[country]["legal_due"] for country in ("nl", "BE")] == ["2026-04-28", "2026-04-27"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "0475123456",
        "05/03/2026",
        "20260305",
        "2026-W10-4",
        "2026-02-29",
        "2026-13-01",
        "2026-03-05T25:00Z",
        "2026-06-30T23:59:60Z",
        "2026-03-05T10:00+25:00",
        "\u0662\u0660\u0662\u0666-03-05",
        "2026-03-05 2026-03-06",
    ],
)
def test_what_is_no_date_is_wrong_usage_and_is_not_repeated(text: str) -> None:
    result = run(app, ["due", text])

    assert isinstance(result.exception, UsageError)
    assert result.exception.exit is Exit.USAGE
    assert not text or text not in str(result.exception)


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (["2018-05-24"], "BEFORE_FIRST_RULE"),
        (["0001-01-01T00:00+14:00"], "DATE_OUT_OF_RANGE"),
        (["2100-12-05"], "CALENDAR_ENDS"),
        (["9999-12-31"], "DATE_OUT_OF_RANGE"),
        (["2026-03-05", "--country", "US"], "COUNTRY_OUTSIDE_EEA"),
        (["2026-03-05", "--country", ""], "COUNTRY_OUTSIDE_EEA"),
        (["-", "--country", "GB"], "COUNTRY_OUTSIDE_EEA"),
    ],
)
def test_what_the_clock_cannot_know_is_refused_with_its_rule(words: list[str], rule: str) -> None:
    result = run(app, ["due", *words], input="2026-03-05\n")

    assert isinstance(result.exception, ClockRefused)
    assert result.exception.exit is Exit.USAGE and rule in str(result.exception)
    assert result.stdout == ""


def test_stdin_gives_one_object_a_line_in_order_and_a_bad_line_spoils_only_itself() -> None:
    result = run(app, ["due", "-"], input=b"2026-03-05\r\n\n0475123456\n2026\xff\n2017-01-01\n2026-03-04T23:30:00Z\n")
    answers = [json.loads(line) for line in result.stdout.splitlines()]

    assert [each.pop("line") for each in answers] == [1, 2, 3, 4, 5, 6], "which one each is about"
    assert [answers[0], answers[5]] == [EASTER, EASTER]
    assert [each["error"]["code"] for each in answers[1:5]] == ["SLU-304", "SLU-304", "SLU-304", "SLU-531"]
    assert "0475" not in result.output
    assert result.exit_code == Exit.USAGE


def test_an_empty_stdin_gives_nothing() -> None:
    result = run(app, ["due", "-"], input="")
    assert (result.stdout, result.exit_code) == ("", Exit.DONE)


@pytest.mark.slow
@pytest.mark.evidence
def test_ten_thousand_lines_take_a_few_seconds(record_property) -> None:
    lines = [(date(2026, 1, 1) + timedelta(days=n % 2557)).isoformat() for n in range(10_000)]
    began = time.perf_counter()

    done = subprocess.run(
        [SLUICE, "clock", "due", "-"], input="\n".join(lines), capture_output=True, text=True, check=True
    )

    seconds = time.perf_counter() - began
    record_property("clock: seconds for 10,000 lines, start included", round(seconds, 2))
    assert [json.loads(line)["received"] for line in done.stdout.splitlines()] == lines
    assert seconds < 10


def test_the_command_leaves_with_2_and_a_coded_object() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sluice.cli.main", "clock", "due", "soon", "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (2, "SLU-304")
