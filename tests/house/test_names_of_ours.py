"""One rule for the name of who does something, wherever it is typed: no look-alike of anybody gets in."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

import sluice
from returns.commands import sluice as run
from sluice.cli.whole import app

LOOK_ALIKE = "Anna \u041caes"
"""Its M is Cyrillic."""
PLACES = Path(sluice.__file__).parent


def _verbs(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, under in command.commands.items():
        if hasattr(under, "commands"):
            yield from _verbs(under, (*path, name))
        elif any("--by" in option.opts for option in under.params):
            yield *path, name


NAMED = sorted(_verbs(get_command(app)))


@pytest.mark.parametrize("verb", NAMED, ids=" ".join)
def test_no_verb_takes_a_name_that_looks_like_anothers(verb: tuple[str, ...]) -> None:
    refused = run(*verb, "--by", LOOK_ALIKE)
    assert (refused.exit, refused.error) == (2, "SLU-308")
    for taken in ("Anna Maes", "Élodie Maes", "Öz Yilmaz"):
        gone_on = CliRunner().invoke(app, [*verb, "--by", taken, "--no-such"])
        assert gone_on.exit_code == 2 and "SLU-308" not in repr(gone_on.exception), "the control"


def test_there_are_such_verbs() -> None:
    assert len(NAMED) >= 41


def test_who_works_at_the_desk_is_made_in_one_place() -> None:
    makers = [path for path in PLACES.rglob("*.py") if "Actor(Role.DESK" in path.read_text(encoding="utf-8")]
    assert [str(path.relative_to(PLACES)) for path in makers] == ["rights/case/model.py"]
