"""One topic of the command is imported alone, and is the same as within the whole."""

import subprocess
import sys
from typing import Any

from typer.main import get_command

from sluice.cli.main import TOPICS, asked_for
from sluice.cli.whole import app

NO_MODULE = {"dncm"}


def test_every_topic_can_be_asked_for_alone_and_is_the_same() -> None:
    whole: Any = get_command(app)
    groups = {name for name, command in whole.commands.items() if hasattr(command, "commands")}

    assert groups - NO_MODULE == set(TOPICS)
    for topic in TOPICS:
        one: Any = get_command(asked_for([topic, "--help"]))
        [(name, alone)] = one.commands.items()
        assert (name, set(alone.commands)) == (topic, set(whole.commands[topic].commands))


def test_whatever_is_no_topic_gets_the_whole() -> None:
    assert all(asked_for(words) is app for words in ([], ["--help"], ["up"], ["dncm"], ["gates"]))


def test_a_topic_brings_neither_the_others_nor_what_they_work_with() -> None:
    code = "import sys; from sluice.cli.main import asked_for; asked_for(['gate']); print(*sys.modules)"
    loaded = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.split())

    assert "sluice.cli.gate" in loaded
    assert not {"sluice.cli.whole", "sluice.cli.exchange", "sluice.settings", "pydantic", "polars", "psycopg"} & loaded
