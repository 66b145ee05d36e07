"""A list of exchanges can be added up, read by a program, and asked of by the beginning of an id."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from returns.commands import at_terminal, sluice
from sluice.cli.whole import app
from sluice.sample.faults import FaultPlan
from sluice.settings import get_settings
from support.desk import Desk

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def test_rows_add_up_moments_are_iso_and_the_beginning_of_an_id_is_enough(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, _ = desk.campaign(300, faults=FaultPlan(bad_phone=3))
    desk.drop(file.read_bytes(), "leads.csv")
    desk.work()
    with at_terminal(desk, monkeypatch):
        [line] = sluice("exchange", "list").document["exchanges"]
        assert (line["rows_in"], line["rows_held"]) == (300, 0)
        assert line["rows_in"] == line["rows_accepted"] + line["rows_refused"] + line["rows_held"]
        assert line["rows_refused"] > 0, "control"
        assert MOMENT.fullmatch(line["opened_at"]) and MOMENT.fullmatch(line["closed_at"])

        short, whole = (sluice("lineage", "show", "--exchange", each).document for each in (line["id"][:8], line["id"]))
        assert short == whole and short["nodes"]
        assert sluice("lineage", "show", "--exchange", "00000000").error == "SLU-301"


def test_a_list_names_the_file_unless_its_name_could_be_a_persons(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("leads_20261130.csv", "jan 0470123456.csv", "klant-123456.csv"):
        desk.drop(name.encode(), name)
        desk.open_new()
    named, withheld = "leads_20261130.csv", "[name withheld]"
    with at_terminal(desk, monkeypatch):
        listed = sluice("exchange", "list").document["exchanges"]
        assert [line["file"] for line in listed] == [withheld, withheld, named]

        table = CliRunner().invoke(app, ["exchange", "list"]).stdout
        assert [table.count(word) for word in (named, withheld, "0470123456", "123456.csv")] == [1, 2, 0, 0]
        assert listed[0]["id"] in table, "no word is broken"


def test_a_list_that_ends_at_its_limit_says_so_and_takes_its_own_moments(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one.csv", "two.csv"):
        desk.drop(name.encode(), name)
        desk.open_new()
    newest, oldest = desk.lines()
    with at_terminal(desk, monkeypatch):
        cut = CliRunner().invoke(app, ["exchange", "list", "--limit", "1", "--format", "json"])
        assert [each["id"] for each in json.loads(cut.stdout)["exchanges"]] == [newest.id]
        assert json.loads(cut.stdout)["more"] is True
        assert cut.stderr == "1 shown; there are more: `--limit N`\n"
        whole = CliRunner().invoke(app, ["exchange", "list", "--limit", "2", "--format", "json"])
        listed = json.loads(whole.stdout)["exchanges"]
        assert ([each["id"] for each in listed], whole.stderr) == ([newest.id, oldest.id], ""), "control"

        for moment in (listed[0]["opened_at"], newest.opened_at.isoformat()):
            since = sluice("exchange", "list", "--since", moment)
            assert [each["id"] for each in since.document["exchanges"]] == [newest.id], moment
        assert sluice("exchange", "list", "--since", "yesterday").error == "SLU-304"


def test_the_six_answers_are_told_to_people_in_lines_and_tables(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    file, _ = desk.campaign(60)
    desk.drop(file.read_bytes(), "leads.csv")
    desk.work()
    with at_terminal(desk, monkeypatch):
        [line] = sluice("exchange", "list").document["exchanges"]
        told = CliRunner().invoke(app, ["exchange", "show", line["id"]]).stdout

    assert [
        each for each in ("why: purposes", "what: columns", "how long: copies", "P-RENEW") if each not in told
    ] == []
    heads = [line.strip() for line in told.splitlines() if line and line[0].isalpha()]
    assert heads[:2] == ["exchange", "why"], "what is of no answer stands first, in one table with a name"
    assert [line for line in told.splitlines() if line.startswith(":")] == []
    assert [each for each in ("[{", "{'", "None", "w3id.org") if each in told] == [], "nothing of how Python writes it"


def test_a_wrong_moment_is_told_where_no_service_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SLUICE_VAR", str(tmp_path / "none"))
    get_settings.cache_clear()
    assert sluice("exchange", "list", "--since", "31/12/2026").error == "SLU-304"
    assert sluice("exchange", "list", "--since", "2026-12-31").error == "SLU-102", "control"
    get_settings.cache_clear()
