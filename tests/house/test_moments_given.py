"""A moment that a command is given: with a zone as said, without one Brussels time, in every command alike."""

from datetime import UTC, datetime

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from sluice.cli.options import moment_of
from sluice.cli.whole import app
from sluice.errors import UsageError

OPTIONS = [
    ("lineage", "show", "at"),
    ("staff", "readiness", "at"),
    ("staff", "readiness", "known_at"),
    ("exchange", "list", "since"),
    ("breach", "slice", "between"),
    ("breach", "slice", "aware"),
]


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2026-11-24T10:00", 9),
        ("2026-06-24T10:00", 8),
        ("2026-11-24T10:00+01:00", 9),
        ("2026-11-24T10:00Z", 10),
        ("2026-11-24", 23),
    ],
)
def test_without_a_zone_it_is_a_clock_in_brussels(text: str, hour: int) -> None:
    found = moment_of("--at", text)
    assert (found.tzinfo, found.hour) == (UTC, hour)


@pytest.mark.parametrize("text", ["yesterday", "2026-10-25T02:30", "2026-03-29T02:30", "0001-01-01T00:00+02:00"])
def test_what_is_no_moment_or_two_or_none_is_wrong_usage(text: str) -> None:
    with pytest.raises(UsageError, match="option --at"):
        moment_of("--at", text)
    assert moment_of("--at", "2026-10-25T02:30+01:00") == datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "control"


def test_one_that_is_still_to_come_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    moment_of("--since", "2026-01-01")
    assert capsys.readouterr().err == "", "control"
    moment_of("--since", "2999-01-01")
    assert capsys.readouterr().err == "--since is still to come: the answer is what is known now\n"


@pytest.mark.parametrize(("topic", "verb", "option"), OPTIONS)
def test_the_help_of_every_moment_says_so(topic: str, verb: str, option: str) -> None:
    command = get_command(app).commands[topic].commands[verb]  # type: ignore[attr-defined]
    [said] = [each.help for each in command.params if each.name == option]
    assert "Brussels time if no zone" in said


def test_lineage_takes_a_moment_without_zone_as_the_others_do() -> None:
    """Before a database is asked for: the hour that the clock change repeats is only one in UTC."""
    words = ["lineage", "show", "--object", "s3://a/b", "--at", "2026-10-25T02:30"]
    assert isinstance(CliRunner().invoke(app, words).exception, UsageError)
