"""The operator behind the last task of the DAG `retention`, and the command that does the same."""

from pathlib import Path

import pytest

from desk import Desk, open_desk
from returns.commands import at_terminal, sluice
from sluice.errors import StoreError
from sluice.orchestration.persons import MergeIndex
from sluice.settings import Settings

pytestmark = pytest.mark.slow  # importing Airflow's operators takes seconds
FILES = 4


def four_files(desk: Desk) -> None:
    for number in range(FILES):
        desk.drop(desk.campaign(20, seed=number + 1)[0], f"{number}.csv")
    desk.work()
    assert desk.unmerge() == FILES


def test_runs_are_merged_by_the_dag_or_by_hand_and_a_damaged_one_is_told(
    store_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_desk(store_settings, tmp_path) as desk, at_terminal(desk, monkeypatch):
        four_files(desk)
        assert MergeIndex(task_id="merge_index").work({}) == f"merged {FILES} runs"
        assert sluice("subject", "merge-index", "--principal", "energy01").document == {"merged": 0, "failed": 0}
        desk.house.conn.execute("delete from index_merge")
        assert sluice("subject", "merge-index").document == {"merged": FILES, "failed": 0}
        assert sluice("subject", "merge-index", "--principal", "nobody99").error == "SLU-301"

        desk.house.conn.execute("delete from index_merge")
        desk.house.conn.execute("update copy set sha256 = repeat('0', 64) where kind = 'index'")
        told = sluice("subject", "merge-index")
        assert (told.exit, told.document["failed"] > 0) == (StoreError.exit, True), "one document and no other"
        with pytest.raises(StoreError):
            MergeIndex(task_id="merge_index").work({})
