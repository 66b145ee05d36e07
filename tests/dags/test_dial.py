"""The operators of dial lists in a real installation, as the DAGs run them."""

from pathlib import Path

import pytest

from returns.commands import at_terminal
from sluice.orchestration.dial import FinishDialLists, MakeDialList
from sluice.settings import Settings
from support.desk import ENERGY, open_desk

pytestmark = pytest.mark.slow  # importing Airflow's operators takes seconds


def test_a_run_that_is_tried_twice_makes_one_list(
    store_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_desk(store_settings, tmp_path) as desk, at_terminal(desk, monkeypatch):
        path, _ = desk.campaign(10)
        desk.drop(path)
        desk.work()
        desk.may_call()
        task = MakeDialList(
            task_id="make", principal=ENERGY[0], flow=ENERGY[1], purpose="P-RENEW", channel="phone", form="csv"
        )
        run = {"run_id": "manual__1", "dag_id": "dial_list", "task_id": "make"}

        assert task.work(run) == task.work(run)
        assert "of 10 rows" in task.work(run)
        assert len(desk.sql("select 1 from dial_list")) == 1
        assert FinishDialLists(task_id="dial_lists").work({}) == "dial lists: finished 0, recalled 0"
