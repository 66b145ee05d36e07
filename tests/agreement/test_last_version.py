"""A last version that ends although one before it would have gone on ends the agreement: the linter says so."""

import shutil
from pathlib import Path

import pytest

from agreement.papers import PRINCIPALS
from sluice.agreement.folder.lint import lint_path
from sluice.terms import Severity


@pytest.mark.parametrize(
    ("older", "last", "told"),
    [
        ("2025-12-31", "null", None),
        ("2026-12-31", "2026-12-31", None),
        ("null", "2026-12-31", "2026-12-31; 2.4.0 would have held on"),
        ("2027-12-31", "2026-12-31", "2026-12-31; 2.4.0 would have held to 2027-12-31"),
    ],
    ids=["control: as it stands", "control: the same day", "an open one", "a later day"],
)
def test_a_last_version_that_ends_what_would_have_gone_on_is_told(
    tmp_path: Path, older: str, last: str, told: str | None
) -> None:
    folder = tmp_path / "energy01"
    shutil.copytree(PRINCIPALS / "energy01", folder)
    for version, old, new in (("2.4.0", "2025-12-31", older), ("3.0.0", "null", last)):
        paper = folder / f"agreement-{version}.yaml"
        text = paper.read_text(encoding="utf-8")
        assert f"\nvalidTo: {old}" in text
        paper.write_text(text.replace(f"\nvalidTo: {old}", f"\nvalidTo: {new}", 1), encoding="utf-8")

    found = [problem for problem in lint_path(folder) if problem.code == "AGR-037"]

    assert [Path(problem.path).name for problem in found] == (["agreement-3.0.0.yaml"] if told else [])
    assert all(told and told in problem.message and problem.severity is Severity.WARNING for problem in found)
