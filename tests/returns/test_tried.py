"""An export of a platform is tried by an engineer as the center judges it when it arrives."""

from pathlib import Path

import pytest

from returns.commands import at_terminal, sluice
from support.night import Call, Night, call_log

RESULTS_RUN = ("--agreement", "DPA-ENERGY01", "--flow", "renewal_results", "--dry-run")


def test_an_export_of_a_platform_is_tried_as_the_center_judges_it(
    night: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first, phone), (second, other) = night.people(2)
    calls = [Call("c1", first, phone), Call("c2", second, other, note="is lid van de vakbond"), Call("c3", "", phone)]
    path = tmp_path / "log.csv"
    path.write_bytes(call_log(calls))
    without = tmp_path / "without.csv"
    without.write_bytes(call_log(calls).replace(b"DISPOSITION", b"OUTCOME"))

    with at_terminal(night.desk, monkeypatch):
        said = sluice("gate", "run", str(path), *RESULTS_RUN).document
        wrong = sluice("gate", "run", str(without), *RESULTS_RUN).document
    line = night.desk.line(night.results(path.read_bytes()))

    counts = [said[f"rows_{name}"] for name in ("in", "accepted", "refused", "held")]
    assert counts == [line.rows_in, line.rows_accepted, line.rows_refused, line.rows_held]
    assert counts[0] == 3 and counts[3] == 1
    assert "DISPOSITION" in {each["column"] for each in wrong["reasons"]} and wrong["verdict"] == "REFUSED", "control"
