"""Without a network `make audit` asks a copy of the advisories: what it says of a version, old and new."""

import json
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from house.osv_copy import about, answering, main, read_copy

ADVISORY = """
id: PYSEC-2026-1
modified: "2026-11-01T00:00:00Z"
affected:
- package: {name: Some.Package, ecosystem: PyPI}
  ranges:
  - {type: GIT, repo: "https://example.be", events: [{introduced: "0"}]}
  - {type: ECOSYSTEM, events: [{introduced: "1.10"}, {fixed: "1.12.1"}, {introduced: "2.0"}, {last_affected: "2.3"}]}
  versions: ["0.9rc1"]
"""
OF_ANOTHER = {"id": "GHSA-1", "affected": [{"package": {"name": "some-package", "ecosystem": "npm"}}]}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    (tmp_path / "vulns" / "some").mkdir(parents=True)
    (tmp_path / "vulns" / "some" / "PYSEC-2026-1.yaml").write_text(ADVISORY)
    (tmp_path / "GHSA-1.json").write_text(json.dumps(OF_ANOTHER))
    return tmp_path


@pytest.mark.parametrize("version", ["1.10", "1.12.0", "2.0", "2.3", "0.9rc1", "1.12.1rc1"])
def test_a_version_that_is_affected_is_found(copy: Path, version: str) -> None:
    assert [each["id"] for each in about(read_copy(copy), "some_package", version)] == ["PYSEC-2026-1"]


@pytest.mark.parametrize("version", ["1.9", "1.12.1", "1.13", "2.3.1", "3"])
def test_a_version_that_is_not_is_not(copy: Path, version: str) -> None:
    assert about(read_copy(copy), "some-package", version) == []
    assert about(read_copy(copy), "another", "1.10") == []


def test_it_answers_as_osv_does(copy: Path) -> None:
    with answering(read_copy(copy)) as url:
        for version, ids in (("1.11", ["PYSEC-2026-1"]), ("1.13", [])):
            asked = {"package": {"name": "some-package", "ecosystem": "PyPI"}, "version": version}
            with urlopen(Request(url, json.dumps(asked).encode())) as answer:
                assert [each["id"] for each in json.load(answer).get("vulns", [])] == ids


def test_a_folder_without_advisories_is_no_clean_audit(tmp_path: Path) -> None:
    assert main(str(tmp_path), "true") == 1


def test_the_command_is_told_where_to_ask_and_its_word_counts(copy: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(str(copy), "sh", "-c", "echo $*; exit 3", "sh") == 3
    said = capfd.readouterr().out
    assert "1 advisories about 1 packages, the newest of 2026-11-01" in said
    assert "--vulnerability-service osv --osv-url http://127.0.0.1:" in said
