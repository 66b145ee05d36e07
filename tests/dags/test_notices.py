"""The operator behind the DAG `notices`, in a real installation."""

from pathlib import Path

import pytest

from returns.commands import at_terminal
from sluice.orchestration.persons import FollowNotices
from sluice.settings import Settings
from support.desk import open_desk

pytestmark = pytest.mark.slow  # importing Airflow's operators takes seconds


def test_the_operator_sweeps_and_says_what_it_did(
    store_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_desk(store_settings, tmp_path) as desk, at_terminal(desk, monkeypatch):
        assert "sent=0" in FollowNotices(task_id="follow").work({})
