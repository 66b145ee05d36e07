"""The wheel alone is enough for a principal's engineer: in an environment with what it requires, and nothing else.

The environment is a real one, and the wheel is really installed into it. What it requires is not downloaded again: each
distribution of the closure of its Requires-Dist, without extras, is linked from where the tests run.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PathDistribution, distribution
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from sluice.sample.files import write_campaign
from sluice.settings import get_home
from support.effort import chosen

pytestmark = pytest.mark.slow  # the wheel is built

HOME = get_home()
UV = Path(sys.executable).parent / "uv"
RUN = ("gate", "run", "leads.csv", "--agreement", "DPA-ENERGY01", "--flow", "renewal_campaign", "--dry-run")
ONLY_THE_CENTER = {"apache-airflow", "boto3", "great-expectations", "pandas", "psycopg", "pysequoia", "typst"}


def closure(installed: Distribution) -> dict[str, Distribution]:
    """Every distribution that one needs here, by name; of extras those that are asked for."""
    found: dict[str, Distribution] = {}
    waiting: list[tuple[Distribution, frozenset[str]]] = [(installed, frozenset())]
    while waiting:
        one, extras = waiting.pop()
        for need in map(Requirement, one.requires or ()):
            name = canonicalize_name(need.name)
            wanted = need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in ("", *extras))
            if wanted and name not in found:
                found[name] = distribution(name)
                waiting.append((found[name], frozenset(need.extras)))
    return found


def link(needed: Distribution, site: Path) -> None:
    """Its files below ``site``, by their topmost folders; its commands stay away."""
    for top in {file.parts[0] for file in needed.files or () if file.parts[0] not in ("..", "__pycache__")}:
        target = site / top
        if not target.exists():
            target.symlink_to(Path(str(needed.locate_file(top))).resolve())


@pytest.fixture(scope="module")
def engineer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Their folder: the wheel in an environment of its own, their papers, a file."""
    folder = tmp_path_factory.mktemp("engineer")
    done = [
        [UV, "build", "--wheel", "--offline", "--quiet", "--out-dir", folder / "wheel", HOME],
        [sys.executable, "-m", "venv", "--without-pip", folder / "venv"],
    ]
    for command in done:
        subprocess.run(command, check=True)
    [wheel] = (folder / "wheel").glob("*.whl")
    python = folder / "venv" / "bin" / "python"
    subprocess.run([UV, "pip", "install", "--offline", "--no-deps", "--quiet", "--python", python, wheel], check=True)
    [site] = (folder / "venv" / "lib").glob("python*/site-packages")
    [info] = site.glob("sluice-*.dist-info")
    for needed in closure(PathDistribution(info)).values():
        link(needed, site)
    (folder / "include").mkdir()
    (folder / "include" / "principals").symlink_to(HOME / "include" / "principals")
    (folder / "expectations").symlink_to(HOME / "expectations")
    write_campaign(folder / "leads.csv", 30, 1)
    yield folder


def sluice(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [folder / "venv" / "bin" / "sluice", *words]
    return subprocess.run(command, cwd=folder, env={"SLUICE_HOME": str(folder)}, capture_output=True, text=True)


def test_the_wheel_requires_nothing_that_only_the_center_needs(engineer: Path) -> None:
    [info] = (engineer / "venv" / "lib").glob("python*/site-packages/sluice-*.dist-info")
    needed = closure(PathDistribution(info))

    assert not ONLY_THE_CENTER & set(needed)
    assert (
        set(closure(distribution("sluice")))
        | {canonicalize_name(Requirement(each).name) for each in PathDistribution(info).requires or ()}
        >= ONLY_THE_CENTER
    )


def test_a_file_is_judged_and_a_page_is_written(engineer: Path) -> None:
    judged = sluice(engineer, *RUN, "--format", "json", "--report", "leads.html")

    assert (json.loads(judged.stdout)["verdict"], judged.returncode, judged.stderr) == ("PASSED", 0, "")
    assert "leads.csv" in (engineer / "leads.html").read_text()


def test_papers_are_linted_and_shown_and_a_contract_is_begun(engineer: Path) -> None:
    for words in ("agreement lint {}", "contract lint {}", "agreement show DPA-ENERGY01",
                  "agreement roles DPA-ENERGY01 --direction inbound"):  # fmt: skip
        assert sluice(engineer, *words.format("include/principals/energy01").split()).returncode == 0, words
    assert "kind: DataContract" in sluice(engineer, "contract", "infer", "leads.csv", "--principal", "x").stdout


@pytest.mark.evidence
@pytest.mark.parametrize("verb", chosen(["verify", "roles", "certificate", "export"], 2))
def test_whatever_the_center_signed_is_looked_at(engineer: Path, verb: str) -> None:
    public = Ed25519PrivateKey.generate().public_key()
    (engineer / "key.pem").write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (engineer / "signed.json").write_text("{}")
    looked = sluice(engineer, "receipt", verb, "signed.json", "--key", "key.pem")

    assert (looked.returncode, "SLU-103" in looked.stderr) == (1, False)


def test_a_command_of_the_center_says_what_is_missing(engineer: Path) -> None:
    refused = sluice(engineer, "exchange", "list")

    assert (refused.returncode, refused.stderr.split()[0]) == (4, "SLU-103")
    assert "sluice[center" in refused.stderr


def test_without_one_thing_that_it_requires_it_would_not_judge(engineer: Path) -> None:
    """The control: nothing is found anywhere else."""
    [hashes] = (engineer / "venv" / "lib").glob("python*/site-packages/polars_hash")
    away = hashes.rename(engineer / "polars_hash")
    judged = sluice(engineer, *RUN, "--format", "json")
    away.rename(hashes)

    assert judged.returncode == 3
    assert [reason["code"] for reason in json.loads(judged.stdout)["reasons"]] == ["UNREADABLE_NOT_JUDGED"]
