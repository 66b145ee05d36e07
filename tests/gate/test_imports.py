"""What a caller of the gate pays for before it judges anything, and what the list of kinds promises."""

import subprocess
import sys

from sluice.gate.kinds import KINDS
from sluice.settings import get_home


def _loaded(*modules: str) -> set[str]:
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_judging_process_does_not_load_great_expectations() -> None:
    loaded = _loaded("sluice.gate.contract_rules", "sluice.gate.onepass", "sluice.gate.judge", "sluice.gate.wire")
    assert not {"great_expectations", "pandas"} & loaded
    assert "great_expectations" not in _loaded("sluice.gate.gx")
    assert "polars" in loaded


def test_who_only_asks_whether_rules_can_be_judged_loads_no_frame() -> None:
    heavy = {"polars", "numpy", "pandas", "great_expectations"}
    assert not heavy & _loaded("sluice.gate.lint", "sluice.exchange.dry_run", "sluice.cli.contract", "sluice.cli.gate")
    assert "polars" in _loaded("sluice.gate.compile"), "the control"


def test_the_model_is_light_enough_for_a_dag() -> None:
    assert not {"polars", "numpy", "great_expectations"} & _loaded("sluice.gate.model")


def test_every_kind_of_the_closed_list_is_in_the_readme_of_the_suites() -> None:
    readme = (get_home() / "expectations" / "README.md").read_text(encoding="utf-8")
    for kind in KINDS.values():
        assert (f"| `{kind.name}` |" in readme) is not kind.outside
        assert kind.outside or f"{' '.join(option.name for option in kind.options)}" in readme
