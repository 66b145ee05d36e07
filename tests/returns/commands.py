"""The ``sluice`` command in the installation of a desk, as a person or a script meets it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from typer.testing import CliRunner

from sluice.cli.whole import app
from sluice.errors import SluiceError
from sluice.settings import get_settings
from support.desk import Desk, environment


@dataclass(frozen=True)
class Answer:
    """Exit code, document, the code of the error that ended it, and what stderr had."""

    exit: int
    document: dict[str, Any]
    error: str | None = None
    told: str = ""


def sluice(*words: str) -> Answer:
    """Run one command; a coded error leaves as ``main`` lets it leave."""
    done = CliRunner().invoke(app, [*words, "--format", "json"])
    if isinstance(done.exception, SluiceError):
        return Answer(int(done.exception.exit), {}, done.exception.code)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Answer(done.exit_code, json.loads(done.stdout) if done.stdout else {}, told=done.stderr)


@contextmanager
def at_terminal(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """While the block runs, ``sluice`` works in the installation of the desk."""
    for name, value in environment(desk.settings).items():
        if name.startswith("SLUICE_"):
            monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()
