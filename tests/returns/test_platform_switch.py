"""Results are read by the platform they came from, whichever one the principal's results come from now."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from returns.test_roles import amend
from sluice.agreement.in_force.activate import activate_principal
from sluice.settings import Settings
from sluice.times import brussels_today
from support.night import AT_ONCE, RESULTS_CONTRACT, Call, change, open_night, with_papers

pytestmark = pytest.mark.stores
ACCOUNTS = "kind,agent,at,platform,account\naccount,agent02,,five9,acc1\naccount,agent01,,{0},acc1\n"
"""Of the old platform the account is that of an agent who failed the exam; of the new one, of one who is ready."""


@pytest.mark.parametrize("number_column", ["DNIS", "CALLED"])
@pytest.mark.usefixtures("fresh_settings")
def test_accounts_and_persons_of_earlier_results_are_read_as_they_were_accepted(
    store_settings: Settings, tmp_path: Path, number_column: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mappings = tmp_path / "mappings"
    monkeypatch.setenv("SLUICE_MAPPINGS_DIR", str(mappings))  # which the linter asks
    shutil.copytree(store_settings.mappings_dir, mappings)
    old = (mappings / "five9.yaml").read_text(encoding="utf-8")
    new = old.replace("platform: five9", "platform: five9b").replace("DNIS", number_column)
    (mappings / "five9b.yaml").write_text(new, encoding="utf-8")
    settings = with_papers(store_settings, tmp_path, AT_ONCE).model_copy(update={"mappings_dir": mappings})
    with open_night(settings, tmp_path, 5) as night:
        failed, ready = night.people(2)
        night.admit(ACCOUNTS.format("five9b"))
        night.admit("kind,agent,at,platform,account\naccount,agent01,,five9,acc2\n")
        night.called(Call("c1", *failed, agent="acc1"), Call("c2", *ready, agent="acc2"))

        amend(settings, "3.1.0", brussels_today())
        contract = settings.principals_dir / "energy01" / RESULTS_CONTRACT
        change(contract, "value: five9}", "value: five9b}")
        change(contract, "name: DNIS", f"name: {number_column}")
        done = activate_principal(night.desk.house.conn, settings.principals_dir / "energy01", datetime.now(UTC))
        assert not done.is_refused
        night.make()

        [line] = night.returns()
        assert night.record(line).right_treatment.held_back == {"STAFF_EXAM_BELOW_MINIMUM": 1}
        assert ready[0] in night.file(line).decode()
