"""A register of a day of which nothing was known yet: the command writes it, and says so."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from returns.commands import at_terminal
from sluice.cli.whole import app
from sluice.settings import Settings
from support.desk import open_desk
from support.night import with_papers

pytestmark = pytest.mark.stores


def test_an_empty_register_is_told_on_stderr(
    store_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def export(*words: str) -> tuple[str, str]:
        asked = ["register", "export", "--article", "30.2", "--lang", "nl", "--to", "csv", "--folder", str(tmp_path)]
        done = CliRunner().invoke(app, [*asked, *words])
        assert done.exit_code == 0
        return done.stdout, done.stderr

    with open_desk(with_papers(store_settings, tmp_path), tmp_path) as desk, at_terminal(desk, monkeypatch):
        for form in ("table", "json"):
            out, told = export("--at", "2025-06-30", "--format", form)
            assert "at 2025-06-30 23:59 nothing was known of 2025-06-30; as known now: --known-at " in told
            assert "nothing was known" not in out
        assert "The register is empty" not in export("--at", "2025-06-30", "--known-at", told.split()[-1])[1]
        assert "The register is empty" not in export()[1], "the control"
