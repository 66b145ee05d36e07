"""What the image of docs/how-to/more-than-one-machine.md is made of, and that every setting can be found."""

import re
import subprocess
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import yaml

from sluice.settings import PREFIX, Settings

HOUSE = Path(__file__).resolve().parents[2]
ANYWHERE = "**/"
SECRET = (
    "var/secrets/master-key", "var/weed/1.dat", "var.lost/secrets/master-key", "backup/sluice.dump", "backup2/s.tar",
    "backup-keys/keys.tar", ".git/config", ".venv/bin/python", "logs/dag.log", "include/x.egg-info/PKG-INFO",
    "include/sluice/__pycache__/db.pyc", "simple_auth_manager_passwords.json.generated",
)  # fmt: skip


def lines(name: str) -> list[str]:
    said = (line.strip() for line in (HOUSE / name).read_text(encoding="utf-8").splitlines())
    return [line for line in said if line and not line.startswith("#")]


def is_left_out(path: str, patterns: list[str]) -> bool:
    """As Docker reads a pattern without ``!``: of the whole path from the root, or with ``**/`` below any folder."""
    parts = path.split("/")
    starts = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
    return any(
        fnmatchcase(part, pattern.removeprefix(ANYWHERE)) if pattern.startswith(ANYWHERE) else start == pattern
        for pattern in patterns
        for part, start in zip(parts, starts, strict=True)
    )


def paths_of(git: str) -> Iterator[str]:
    """Paths that a line of .gitignore means: at the root and, unless it begins with a slash, below."""
    name = git.strip("/").replace("*", "some")
    yield from (name, f"{name}/file")
    if not git.startswith("/"):
        yield from (f"include/{name}", f"include/{name}/file")


def test_what_git_leaves_out_is_in_no_image() -> None:
    patterns = lines(".dockerignore")

    assert [path for path in SECRET if not is_left_out(path, patterns)] == []
    assert [path for line in lines(".gitignore") for path in paths_of(line) if not is_left_out(path, patterns)] == []
    assert not is_left_out("include/sluice/db.py", patterns) and not is_left_out("config/x", patterns), "control"


def test_what_git_has_is_in_the_image() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=HOUSE, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )

    assert "airflow.cfg" in tracked
    assert [path for path in tracked if path and is_left_out(path, lines(".dockerignore"))] == []


def documented(text: str) -> set[str]:
    """Settings that a page names: whole, or as ``SLUICE_A``/``_B`` after the one before."""
    return set(re.findall(rf"{PREFIX}[A-Z0-9_]+", text))


def test_every_setting_is_named_in_operations() -> None:
    named = documented((HOUSE / "docs" / "operations.md").read_text(encoding="utf-8"))

    assert sorted({f"{PREFIX}{name.upper()}" for name in Settings.model_fields} - named) == []


@pytest.mark.parametrize("name", ["CENTER", "CENTER_NAME", "CENTER_CONTACT", "CENTER_COUNTRY", "ENVIRONMENT"])
def test_the_chart_says_who_the_center_is(name: str) -> None:
    """Their defaults are of a try-out: code ``center``, and letters without an address."""
    values = yaml.safe_load((HOUSE / "deploy" / "helm" / "values.yaml").read_text(encoding="utf-8"))

    assert f"{PREFIX}{name}" in {each["name"] for each in values["env"]}
