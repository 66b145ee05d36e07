"""A list of exchanges can be added up, read by a program, and asked of by the beginning of an id."""

import re

import pytest
from typer.testing import CliRunner

from desk import Desk
from returns.commands import at_terminal, sluice
from sluice.cli.whole import app
from sluice.sample.faults import FaultPlan

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
    assert [each for each in ("[{", "{'", "None", "w3id.org") if each in told] == [], "nothing of how Python writes it"
