"""Taking papers away ends nothing: files are accepted as before, and everybody who could notice says so."""

import shutil
from collections.abc import Iterator, MutableMapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from returns.commands import at_terminal, sluice
from sluice.agreement.in_force.removed import find_removed
from sluice.cli.whole import app
from sluice.errors import DocumentInvalid
from sluice.orchestration.operators import ActivatePaper
from sluice.settings import Settings
from sluice.times import brussels_today
from support.desk import ENERGY, Desk, open_desk
from support.installation import examine_one
from support.night import AGREEMENT, change, with_papers

pytestmark = pytest.mark.stores
CONTRACT = "renewal_campaign.inbound.odcs.yaml"
ID = "energy01.inbound.renewal_campaign"


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path) -> Iterator[Desk]:
    with open_desk(with_papers(store_settings, tmp_path), tmp_path) as opened:
        yield opened


def folder_of(desk: Desk) -> Path:
    return desk.settings.principals_dir / ENERGY[0]


def named(desk: Desk, days: int = 0) -> list[str]:
    on = brussels_today() + timedelta(days=days)
    return [f"{each.id} {each.version}" for each in find_removed(desk.house.conn, desk.settings.principals_dir, on)]


def activated_by_dag(seen: list[MutableMapping[str, Any]] | None = None) -> list[MutableMapping[str, Any]]:
    """What the task of the DAG logs; in ``seen`` also when it fails."""
    seen = [] if seen is None else seen
    with capture_logs() as logged:
        try:
            ActivatePaper(task_id="activate").work({})
        finally:
            seen += logged
    return seen


def test_a_contract_that_was_taken_away_is_named_and_still_accepts(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with at_terminal(desk, monkeypatch):
        before = sluice("agreement", "activate")
        assert before.document["removed"] == [] and examine_one("papers in force", desk.settings).ok, "the control"
        (folder_of(desk) / CONTRACT).unlink()

        after = sluice("agreement", "activate")
        shown = CliRunner().invoke(app, ["agreement", "activate"])
        logged = activated_by_dag()
        other = desk.settings.principals_dir / "telecom01" / "draft.yaml"
        other.write_text("kind: DataProcessingAgreement\nagreementId: 1\n", encoding="utf-8")
        seen: list[MutableMapping[str, Any]] = []
        with pytest.raises(DocumentInvalid):
            activated_by_dag(seen)
    dropped = desk.drop(desk.campaign(20)[0])
    desk.work()

    assert desk.line(dropped).decision == "accepted"
    [removed] = after.document["removed"]
    assert removed == {
        "principal": "energy01", "kind": "contract", "id": ID, "version": "1.0.0", "path": f"energy01/{CONTRACT}"
    }  # fmt: skip
    assert f"energy01/{CONTRACT}" in shown.stderr and "status: retired" in shown.stderr
    told = f"energy01/{CONTRACT}: contract {ID} 1.0.0 is in force"
    assert told in str(logged), "the DAG's task says it"
    assert told in str(seen), "and when it fails because of another principal's papers"
    look = examine_one("papers in force", desk.settings)
    assert not look.ok and ID in look.detail and "retired" in look.cure


def test_a_folder_that_was_taken_away_is_named_with_all_that_holds(desk: Desk) -> None:
    shutil.rmtree(folder_of(desk))

    found = named(desk)

    assert {"DPA-ENERGY01 3.0.0", f"{ID} 1.0.0"} < set(found)
    assert "DPA-ENERGY01 2.4.0" not in found, "what is over needs no file"
    assert not [each for each in found if "TELECOM" in each], "the control: who is there"


def test_what_is_there_in_another_way_is_not_named(desk: Desk) -> None:
    contract = folder_of(desk) / CONTRACT
    change(contract, "version: 1.0.0", "version: 1.1.0")
    assert named(desk) == [], "a version of later days took its place"
    for status in ("draft", "proposed"):
        change(contract, "status: active", f"status: {status}")
        assert named(desk) == [f"{ID} 1.0.0"], "what nothing registers took nobody's place"
        change(contract, f"status: {status}", "status: active")
    contract.write_text("schema: [", encoding="utf-8")
    assert named(desk) == [], "the linter tells what cannot be read"
    (folder_of(desk) / AGREEMENT).unlink()
    assert named(desk) == ["DPA-ENERGY01 3.0.0"], "the control: that one is gone"
