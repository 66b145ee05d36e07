"""``sluice export``: what it promises, for people and for programs; no value of a person on the terminal."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from answers.giving import WE_GIVE, cells_of, folder_of, streets_of
from returns.commands import at_terminal
from rights.town import Town, town_fixture
from sluice.cli.whole import app
from sluice.rights.case.model import Action, Right
from sluice.rights.case.store import get_case
from sluice.terms import Principal

ENERGY = Principal("energy01")


def plant(town: Town) -> None:
    town.arrive(ENERGY, town.people)
    town.give_back(ENERGY, town.people)


whole = town_fixture([ENERGY], 3, plant, WE_GIVE)


@pytest.fixture(scope="module")
def streets(whole: Town) -> Iterator[Town]:
    return streets_of(whole, 1)


@pytest.fixture
def town(streets: Iterator[Town], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    town = next(streets)
    with at_terminal(town.desk, monkeypatch):
        monkeypatch.chdir(tmp_path)
        yield town


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["export", *words])
    return done.exit_code, done.stdout


def test_access_gives_a_folder_its_hashes_and_a_reason_per_field(town: Town, tmp_path: Path) -> None:
    case = town.decided(town.people[0], Right.ACCESS, Action.GIVE)

    code, out = run("access", case.case_id[:8], "--format", "json")

    said = json.loads(out)
    assert code == 0 and Path(said["package"]).parent == tmp_path
    package = folder_of(Path(said["package"]))
    assert {each["path"] for each in said["files"]} == set(package.files)
    for each in said["files"]:
        assert hashlib.sha256(package.files[each["path"]]).hexdigest() == each["sha256"]
        assert each["rows"] or not each["path"].startswith("data/")
    assert all({"name", "included", "reason"} <= each.keys() for each in said["fields"])
    assert any(each["included"] for each in said["fields"])
    manifest = package.json("manifest.json")["stores"]
    assert [each["hits"] for each in said["stores"]] == [each["copies_naming_the_person"] for each in manifest]
    for value in cells_of(town, 0).values():
        assert len(value) < 6 or value not in out, "only the folder has values"
    again = json.loads(run("access", case.case_id, "--format", "json")[1])
    assert again["package"] == said["package"] + "-2"
    _, told = run("access", case.case_id, "--sealed")
    assert "sealed" in told and not Path(f"{said['package']}-3").exists()


def test_a_link_is_printed_once_and_listed_without_its_token(town: Town) -> None:
    case = town.decided(town.people[0], Right.ACCESS, Action.GIVE)
    assert run("access", case.case_id, "--sealed")[0] == 0

    code, out = run("link", case.case_id, "--base", "https://x.example/", "--format", "json")

    said = json.loads(out)
    assert code == 0 and said["path"] == f"https://x.example/sluice/api/v1/answers/{said['token']}"
    code, out = run("links", case.case_id, "--format", "json")
    assert code == 0 and said["token"] not in out
    [answer] = json.loads(out)["answers"]
    assert [each["link"] for each in answer["links"]] == [said["link"]]
    assert run("links", case.case_id)[0] == 0


def test_portability_without_a_portable_field_says_why_and_writes_nothing(town: Town, tmp_path: Path) -> None:
    case = town.ask(town.people[0], Right.PORTABILITY)
    code, foreseen = run("decide", case.case_id, "--dry-run", "--format", "json")
    assert code == 0 and run("decide", case.case_id, "--dry-run")[0] == 0
    assert get_case(town.house.conn, case.case_id) == case, "it decides nothing"

    code, out = run("decide", case.case_id, "--format", "json")
    assert json.loads(foreseen) == {"case": case.case_id, "fields": json.loads(out)["fields"]}
    assert code == 0 and {each["included"] for each in json.loads(out)["fields"]} == {False}
    town.agree(get_case(town.house.conn, case.case_id), Action.EXPORT)
    code, out = run("portability", case.case_id, "--format", "json")

    said = json.loads(out)
    assert (code, said["package"], said["files"]) == (1, None, [])
    assert all(each["reason"] for each in said["fields"])
    assert [path for path in tmp_path.iterdir() if path.name.startswith("portability-")] == []
