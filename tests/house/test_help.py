"""Every topic of the command says at its end how it is used."""

import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

from sluice.cli.whole import app

TOPICS = sorted(str(group.name) for group in app.registered_groups)


@pytest.mark.parametrize("topic", TOPICS)
def test_the_help_of_a_topic_ends_with_one_example_that_names_one_of_its_commands(topic: str) -> None:
    shown = CliRunner().invoke(app, [topic, "--help"]).output.rstrip().splitlines()
    commands = {line.split()[0] for line in shown[shown.index("Commands:") + 1 : -2]}

    words = shown[-1].split()

    assert words[:3] == ["Example:", "sluice", topic]
    assert words[3] in commands


def _without_format(command: Any, path: str) -> Iterator[str]:
    if hasattr(command, "commands"):
        for name, under in command.commands.items():
            yield from _without_format(under, f"{path} {name}")
    elif not any("--format" in parameter.opts for parameter in command.params):
        yield path


def test_every_command_speaks_json() -> None:
    assert list(_without_format(get_command(app), "sluice")) == []


def _untold(command: Any, path: str) -> Iterator[str]:
    """Arguments and options of which `--help` says nothing."""
    for name, under in getattr(command, "commands", {}).items():
        yield from _untold(under, f"{path} {name}")
    for parameter in command.params:
        if not (parameter.hidden or parameter.help):
            yield f"{path}: {parameter.name}"


def test_every_argument_and_option_is_told() -> None:
    assert list(_untold(get_command(app), "sluice")) == []


def _examples(command: Any, path: tuple[str, ...]) -> Iterator[tuple[Any, tuple[str, ...], list[str]]]:
    """Each command with its path, and the words of each example: of a pipe its first part, of `eval` what it runs."""
    for name, under in getattr(command, "commands", {}).items():
        yield from _examples(under, (*path, name))
    for example in (command.help or "").replace("\b", "").split("Example:")[1:]:
        line = " ".join(example.split()).removeprefix('eval "$(').removesuffix(')"')
        yield command, path, shlex.split(line.split(" > ")[0].split(" < ")[0])


def test_every_example_is_a_command_line_of_its_command() -> None:
    found = list(_examples(get_command(app), ("sluice",)))
    for command, path, words in found:
        assert tuple(words[: len(path)]) == path
        command.make_context(" ".join(path), words[len(path) :])  # raises for what the parser does not take
    assert len(found) > 100


def test_an_example_that_the_parser_does_not_take_is_found() -> None:
    command, path, words = next(each for each in _examples(get_command(app), ("sluice",)) if "--by" in each[2])
    with pytest.raises(typer.TyperException):
        command.make_context(" ".join(path), [*words[len(path) :], "--no-such-option"])


def _cut_short(command: Any, path: str) -> Iterator[str]:
    """Commands whose line in a list of commands is cut within a parenthesis or at "Art.": at a dot and a space."""
    for name, under in getattr(command, "commands", {}).items():
        line = under.get_short_help_str(200)
        if line.count("(") != line.count(")") or line.endswith(" Art."):
            yield f"{path} {name}: {line}"
        yield from _cut_short(under, f"{path} {name}")


def test_no_line_about_a_command_ends_in_the_middle() -> None:
    assert list(_cut_short(get_command(app), "sluice")) == []


def test_there_are_topics() -> None:
    assert len(TOPICS) >= 9
