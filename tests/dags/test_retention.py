"""The operator behind the last task of the DAG `retention`, and the command that does the same."""

from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from returns.commands import at_terminal, sluice
from rights.town import open_town, papers_of
from sluice.exchange.persons import sealed_runs
from sluice.exchange.persons.suppressed_store import find_runs
from sluice.exchange.sweeping import LeftUndone
from sluice.orchestration.persons import MergeIndex, Retain
from sluice.retention.model import RetentionIncomplete
from sluice.rights.case.model import Right
from sluice.rights.copies.needed_store import find_restricted
from sluice.settings import Settings
from sluice.terms import Principal
from support.desk import Desk, open_desk

pytestmark = pytest.mark.slow  # importing Airflow's operators takes seconds
ENERGY = Principal("energy01")
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
        assert (told.exit, told.document["failed"] > 0) == (LeftUndone.exit, True), "one document and no other"
        with pytest.raises(LeftUndone):
            MergeIndex(task_id="merge_index").work({})


def as_admin(settings: Settings, statement: str) -> None:
    assert settings.database_admin_url is not None
    with closing(psycopg.connect(settings.database_admin_url.get_secret_value(), autocommit=True)) as conn:
        conn.execute(statement.encode())


def test_what_fails_for_a_principal_as_a_whole_is_told_beside_copies_and_not_as_one(
    store_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who must stay out cannot be read, so nobody can say what may go."""
    settings = papers_of(store_settings, tmp_path, [ENERGY])
    with open_town(settings, tmp_path, [ENERGY], 1) as town, at_terminal(town.desk, monkeypatch):
        town.arrive(ENERGY, town.people)
        assert sluice("retention", "run").document["undone"] == 0, "control"
        as_admin(settings, "update sluice.copy set delete_after = '2026-01-01'")
        town.ask(town.people[0], Right.RESTRICTION)
        [run, _] = find_runs(town.house.conn, ENERGY, only=find_restricted(town.house.conn, ENERGY))
        town.house.objects.delete_version(run.bucket, run.key, run.version_id)  # of what they gave; the other is tied
        monkeypatch.setattr(sealed_runs, "_KEPT", {})  # as a worker that has not read it before

        told = sluice("retention", "run")
        with pytest.raises(RetentionIncomplete, match="copies 0; undone for whole principals 1"):
            Retain(task_id="retain").work({})

    assert (told.exit, told.document["failed"], told.document["undone"]) == (RetentionIncomplete.exit, 0, 1)
