"""A folder or a contract whose name no DAG can have takes nobody's DAGs away."""

import logging
import shutil
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import DagBag

from sluice.agreement.folder.load import find_flows
from sluice.settings import get_settings
from support.installation import CHECKOUT

PRINCIPALS = CHECKOUT / "include" / "principals"
FLOW = "renewal_campaign.inbound.odcs.yaml"
OF_FLOWS = ("inbound__", "agent_results__", "outbound__")


def write_beside_badly_named(folder: Path) -> list[str]:
    """The papers of the checkout, and beside them what a hand leaves; the files that can have no DAG."""
    shutil.copytree(PRINCIPALS, folder)
    model = folder / "energy01"
    for put_aside in (".backup", "_old", "energy01 (copy)"):
        shutil.copytree(model, folder / put_aside)
    contract = (model / FLOW).read_text(encoding="utf-8")
    named = contract.replace("id: energy01.inbound.renewal_campaign", "id: energy01.inbound.bad flow")
    assert named != contract
    bad_id, bad_file = model / "spring.inbound.odcs.yaml", model / "my leads.inbound.odcs.yaml"
    bad_id.write_text(named, encoding="utf-8")
    bad_file.write_text("kind: [", encoding="utf-8")
    (model / f".#{FLOW}").symlink_to("someone@desk.4711:1790000000")  # as an editor locks the file that is open
    return [str(path) for path in (bad_id, bad_file, *(folder / "energy01 (copy)").glob("*.odcs.yaml"))]


def flow_dags() -> set[str]:
    bag = DagBag(CHECKOUT / "dags")
    assert bag.import_errors == {}
    return {dag_id for dag_id in bag.dags if dag_id.startswith(OF_FLOWS)}


@pytest.mark.slow  # Airflow reads every DAG, twice
def test_every_other_flow_has_its_dag_and_what_is_put_aside_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh_settings: None
) -> None:
    good = flow_dags()
    write_beside_badly_named(tmp_path / "principals")
    monkeypatch.setenv("SLUICE_PRINCIPALS_DIR", str(tmp_path / "principals"))
    get_settings.cache_clear()

    assert len(good) >= 9 and {"inbound__energy01__renewal_campaign", "outbound__energy01__renewal_results"} <= good
    assert flow_dags() == good


def test_the_log_names_each_file_that_can_have_no_dag(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = write_beside_badly_named(tmp_path / "principals")

    with caplog.at_level(logging.WARNING):
        found = find_flows(tmp_path / "principals")

    assert {flow.principal for flow in found} == {path.name for path in PRINCIPALS.iterdir()}
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == len(files) + 1, "and the editor's lock, which says nothing"
    assert all(any(repr(name) in line for line in told) for name in files)
