"""The operators of dial lists in a real installation, as the DAGs run them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from desk import ENERGY, open_desk
from returns.commands import at_terminal
from sluice.dial.dncm import import_numbers
from sluice.orchestration.dial import FinishDialLists, MakeDialList
from sluice.settings import Settings
from sluice.times import brussels_today

pytestmark = pytest.mark.slow  # importing Airflow's operators takes seconds


def test_a_run_that_is_tried_twice_makes_one_list(
    store_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_desk(store_settings, tmp_path) as desk, at_terminal(desk, monkeypatch):
        path, _ = desk.campaign(10)
        desk.drop(path)
        desk.work()
        numbers = tmp_path / "dncm.txt"
        numbers.write_text("+32470999999\n")
        import_numbers(desk.house, numbers, brussels_today(), "anna", datetime.now(UTC))
        task = MakeDialList(
            task_id="make", principal=ENERGY[0], flow=ENERGY[1], purpose="P-RENEW", channel="phone", form="csv"
        )
        run = {"run_id": "manual__1", "dag_id": "dial_list", "task_id": "make"}

        assert task.work(run) == task.work(run)
        assert "of 10 rows" in task.work(run)
        assert len(desk.sql("select 1 from dial_list")) == 1
        assert FinishDialLists(task_id="dial_lists").work({}) == "dial lists: finished 0, recalled 0"
