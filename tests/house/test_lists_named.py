"""What was not found: the cure names the command that lists things of its kind."""

from typing import Any

import pytest
from typer.main import get_command

from sluice.cli.whole import app
from sluice.errors import LISTS, Ambiguous, NotFound, Ref


@pytest.mark.parametrize("kind", sorted(LISTS))
def test_the_cure_names_the_list_of_what_was_looked_for(kind: str) -> None:
    assert f"Cure: check the spelling; `sluice {LISTS[kind]}` shows" in str(NotFound(Ref(kind, "as given")))
    topic, verb = LISTS[kind].split()
    command: Any = get_command(app)
    assert verb in command.commands[topic].commands, "control: there is such a command"


def test_what_has_no_list_and_what_is_of_another_kind_keep_their_own_cure() -> None:
    assert NotFound(Ref("object in bucket", "lake")).own_cure == NotFound.cure == NotFound().own_cure
    assert Ambiguous(Ref("exchange", "7b")).own_cure == Ambiguous.cure
