"""The papers of a checkout are in force once its Airflow starts: no command after `sluice up` finds none."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from sluice.agreement.in_force.store import list_agreements
from sluice.db import connect
from sluice.services.papers import put_in_force
from sluice.settings import Settings

pytestmark = pytest.mark.stores


def principals_known(settings: Settings) -> set[str]:
    with connect(settings) as conn:
        return {each.agreement.principal for each in list_agreements(conn, datetime.now(UTC))}


def test_every_paper_of_the_checkout_is_in_force_and_again_changes_nothing(store_settings: Settings) -> None:
    assert principals_known(store_settings) == set(), "the control"

    assert put_in_force(store_settings) == ()

    folders = {path.parent.name for path in store_settings.principals_dir.glob("*/agreement-*.yaml")}
    assert principals_known(store_settings) == folders != set()
    assert put_in_force(store_settings) == ()


def test_a_faulty_paper_is_named_and_keeps_no_other_and_no_service_down(
    store_settings: Settings, tmp_path: Path
) -> None:
    papers = tmp_path / "principals"
    shutil.copytree(store_settings.principals_dir, papers)
    (papers / "water01" / "agreement-1.0.0.yaml").write_text("agreementId: [", encoding="utf-8")

    [refused] = put_in_force(store_settings.model_copy(update={"principals_dir": papers}))

    assert "water01" in refused and "sluice agreement activate" in refused
    assert "energy01" in principals_known(store_settings) and "water01" not in principals_known(store_settings)


def test_no_folder_and_no_database_are_no_failure_of_it(store_settings: Settings, tmp_path: Path) -> None:
    assert put_in_force(store_settings.model_copy(update={"principals_dir": tmp_path / "none"})) == ()
    gone = SecretStr("postgresql://nobody@127.0.0.1:1/none")
    [said] = put_in_force(store_settings.model_copy(update={"database_url": gone}))
    assert said.startswith("SLU-102 ")
