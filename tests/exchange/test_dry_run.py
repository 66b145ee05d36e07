"""What an engineer is told before a file is sent is what becomes of it when it is sent."""

import csv
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agreement.papers import CONTRACT, write_folder
from returns.commands import at_terminal, sluice
from sluice.agreement.papers import Paper
from sluice.cli.whole import app
from sluice.exchange.dry_run import DryRun, find_paper
from sluice.exchange.judging.nursery import CHILD, Nursery
from sluice.sample.files import write_campaign
from sluice.settings import Settings, get_settings
from sluice.terms import Flow, Verdict
from support.desk import Desk
from support.night import Call, call_log

RUN = ("--agreement", "DPA-ENERGY01", "--flow", "renewal_campaign", "--dry-run")
NOTES = ("Klant is moslim, liever na vrijdag bellen", "wil een offerte", "is lid van de vakbond")
"""Of the first three rows: somebody reads the first and the third before they are used."""


def with_notes(path: Path) -> Path:
    """Notes that wait for a person, and one row that the gate refuses."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file, delimiter=";")
    for row, note in zip(rows, NOTES, strict=False):
        row[header.index("note")] = note
    rows[4][header.index("birth_date")] = "in May"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";").writerows([header, *rows])
    return path


@pytest.mark.stores
def test_rows_that_would_wait_for_a_reader_are_not_told_as_accepted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = with_notes(desk.campaign(rows=30)[0])
    page = path.with_suffix(".html")

    with at_terminal(desk, monkeypatch):
        said = sluice("gate", "run", str(path), *RUN).document
        shown = CliRunner().invoke(app, ["gate", "run", str(path), *RUN, "--report", str(page), "--lang", "nl"]).stdout
    dropped = desk.drop(path)
    desk.work()

    line, held = desk.line(dropped), {each["code"]: each for each in said["reasons"] if each["rule"] == "exchange.held"}
    assert [said[f"rows_{name}"] for name in ("in", "accepted", "refused", "held")] == [30, 27, 1, 2]
    assert (line.rows_in, line.rows_accepted, line.rows_refused) == (30, 27, 1), "the control: what becomes of it"
    assert {code: each["rows"] for code, each in held.items()} == {"TEXT_BELIEF_REVIEW": [1], "TEXT_UNION_REVIEW": [3]}
    assert all(each["meaning"] and each["cure"] for each in held.values())
    assert "TEXT_BELIEF_REVIEW" in shown and "held" in shown
    assert "2 rijen zouden wachten tot iemand hun notities gelezen heeft." in page.read_text(encoding="utf-8")


@pytest.mark.usefixtures("fresh_settings")
def test_a_fault_of_the_paper_that_only_the_child_meets_is_told_by_its_code(tmp_path: Path) -> None:
    """As of a paper that was put in force before the linter asked for an ASCII delimiter."""
    settings: Settings = get_settings()
    paper = find_paper(settings, "DPA-ENERGY01", Flow("renewal_campaign"), date(2026, 11, 28))
    assert isinstance(paper, Paper) and paper.contract is not None
    form = replace(paper.contract.file_format, delimiter="§")
    odd = replace(paper, contract=replace(paper.contract, file_format=form))
    (tmp_path / "file.csv").write_text("customer_number§phone\n1§2\n", encoding="utf-8")

    with Nursery(CHILD) as nursery, DryRun(nursery, settings, odd, ()) as judge:
        tried = judge.run(tmp_path / "file.csv")

    assert tried.verdict.verdict is Verdict.UNDECIDED
    assert [(each.code, each.rule) for each in tried.reasons] == [("UNREADABLE_NOT_JUDGED", "SLU-421")]


@pytest.mark.usefixtures("fresh_settings")
def test_a_contract_that_a_later_rule_would_not_let_in_is_judged_as_the_center_goes_on_judging(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_folder(tmp_path / "principals", contract=CONTRACT.replace("format: dd/MM/yyyy", "format: MM/yyyy"))
    path = tmp_path / "leads.csv"
    write_campaign(path, 30, 1)
    monkeypatch.setenv("SLUICE_PRINCIPALS_DIR", str(folder.parent))

    linted, tried = sluice("contract", "lint", str(folder)), sluice("gate", "run", str(path), *RUN)

    assert [each["code"] for each in linted.document["problems"]] == ["CON-038"] * 2
    assert {each["code"] for each in tried.document["reasons"] if each["severity"] == "error"} == {
        "LIMIT_REFUSED_SHARE",
        "VALUE_DATE",
    }


@pytest.mark.usefixtures("fresh_settings")
def test_what_only_the_center_has_the_keys_of_is_not_asked_and_said_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "      - name: customer_number\n"
    to = "customers.inbound.odcs.yaml#/schema/customers/properties/number"
    refers = CONTRACT.replace(name, f"{name}        relationships: [{{to: {to}}}]\n")
    folder = write_folder(tmp_path / "principals", contract=refers)
    path, page = tmp_path / "leads.csv", tmp_path / "leads.html"
    write_campaign(path, 30, 1)
    monkeypatch.setenv("SLUICE_PRINCIPALS_DIR", str(folder.parent))

    tried = sluice("gate", "run", str(path), *RUN)
    shown = CliRunner().invoke(app, ["gate", "run", str(path), *RUN, "--report", str(page), "--lang", "nl"]).stdout

    assert (tried.exit, tried.document["verdict"]) == (0, "PASSED")
    assert tried.document["not_asked"] == [{"column": "customer_number", "dataset": "customers.number"}]
    assert "customers.number" in shown and "Not asked here" in shown
    assert "customer_number (customers.number)" in page.read_text(encoding="utf-8")


RESULTS_RUN = ("--agreement", "DPA-ENERGY01", "--flow", "renewal_results", "--dry-run")


@pytest.mark.usefixtures("fresh_settings")
def test_a_mapping_that_cannot_be_used_is_told_by_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_MAPPINGS_DIR", str(tmp_path))
    get_settings.cache_clear()
    (tmp_path / "log.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    tried = sluice("gate", "run", str(tmp_path / "log.csv"), *RESULTS_RUN)
    assert tried.error is not None and tried.error.startswith("SLU-"), "and no verdict on the file"


@pytest.mark.usefixtures("fresh_settings")
@pytest.mark.parametrize(
    ("at", "code", "rows"),
    [
        (datetime(2026, 10, 25, 2, 30), "VALUE_TIME_TWICE", [20, 1, 0]),
        (datetime(2026, 3, 29, 2, 30), "VALUE_TIME_GAP", [20, 1, 0]),
        (datetime(2026, 10, 25, 3, 30), None, [21, 0, 0]),
    ],
    ids=["twice", "never", "control"],
)
def test_a_call_in_the_hour_that_the_clocks_make_twice_or_skip_is_refused_and_not_held(
    tmp_path: Path, at: datetime, code: str | None, rows: list[int]
) -> None:
    """As docs/how-to/add-a-platform.md says."""
    calls = [Call(f"c{n}", f"E1{n:07}", "+32475123456", at=datetime(2026, 10, 23, 10)) for n in range(20)]
    log = tmp_path / "log.csv"
    log.write_bytes(call_log([*calls, Call("c20", "E10000020", "+32475123456", at=at)]))

    said = sluice("gate", "run", str(log), *RESULTS_RUN).document

    assert [said[f"rows_{name}"] for name in ("accepted", "refused", "held")] == rows
    found = {each["code"] for each in said["reasons"] if each["code"].startswith("VALUE_TIME")}
    assert found == ({code} if code else set())
