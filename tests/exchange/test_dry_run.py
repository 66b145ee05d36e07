"""What an engineer is told before a file is sent is what becomes of it when it is sent; or why it cannot be told."""

import csv
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agreement.papers import CONTRACT as PAPER
from agreement.papers import write_folder
from exchange.conftest import lent_desk
from returns.commands import Answer, at_terminal, sluice
from sluice.agreement.in_force.activate import activate_all
from sluice.agreement.papers import Paper
from sluice.cli.whole import app
from sluice.exchange.dry_run import DryRun, find_paper
from sluice.exchange.judging.nursery import CHILD, Nursery
from sluice.lake.s3.objects import StoredObject
from sluice.sample.files import write_campaign
from sluice.settings import Settings, get_settings
from sluice.terms import Flow, Verdict
from sluice.times import brussels_today
from support.copies import Copies
from support.desk import ENERGY, Desk
from support.night import AGREEMENT, Call, Edit, call_log, change

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
def test_what_only_the_center_has_the_keys_of_is_not_asked_and_said_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "      - name: customer_number\n"
    to = "customers.inbound.odcs.yaml#/schema/customers/properties/number"
    refers = PAPER.replace(name, f"{name}        relationships: [{{to: {to}}}]\n")
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


CONTRACT = "renewal_campaign.inbound.odcs.yaml"
NEXT_YEAR = date(brussels_today().year + 1, 1, 1)


def activate(desk: Desk) -> None:
    for each in activate_all(desk.house.conn, desk.settings.principals_dir, datetime.now(UTC)):
        assert not each.is_refused, each.problems


def contract_from(desk: Desk, first: date) -> None:
    """From this day on DUAL is no product any more."""
    path, refused = desk.settings.principals_dir / ENERGY[0] / CONTRACT, "  - {property: maxRefusedShare"
    change(path, "version: 1.0.0", "version: 1.1.0")
    change(path, '["ELEC", "GAS", "DUAL"]', '["ELEC", "GAS"]')
    change(path, refused, f"  - {{property: validFrom, value: {first}}}\n{refused}")
    activate(desk)


def agreement_from(desk: Desk, first: date) -> Path:
    """A new version of the agreement; the folder of its papers."""
    folder = desk.settings.principals_dir / ENERGY[0]
    new = folder / "agreement-3.1.0.yaml"
    shutil.copy(folder / AGREEMENT, new)
    change(new, "version: 3.0.0", "version: 3.1.0")
    change(new, "supersedes: 2.4.0", "supersedes: 3.0.0")
    change(new, "validFrom: 2026-01-01\nvalidTo", f"validFrom: {first}\nvalidTo")
    return folder


def all_from(desk: Desk, first: date) -> None:
    """Such a version, with every contract issued anew under it."""
    for path in agreement_from(desk, first).glob("*.odcs.yaml"):
        pin, valid = "agreementVersion, value: 3.{}.0}}", f"\n  - {{property: validFrom, value: {first}}}"
        change(path, pin.format(0), pin.format(1) + valid)
        change(path, "version: 1.0.0", "version: 1.1.0")
    activate(desk)


def judged_here_and_there(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> tuple[StoredObject, Answer, str]:
    """A file as the center judges it, and what a dry run says of it, to programs and to people."""
    path = desk.campaign(60)[0]
    dropped = desk.drop(path)
    desk.work()
    with at_terminal(desk, monkeypatch):
        said = sluice("gate", "run", str(path), *RUN)
        return dropped, said, CliRunner().invoke(app, ["gate", "run", str(path), *RUN]).stderr


@pytest.mark.parametrize("papers_from", [contract_from, all_from], ids=["contract", "agreement"])
def test_a_contract_that_does_not_hold_yet_is_named_with_its_first_day(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, papers_from: Callable[[Desk, date], None]
) -> None:
    papers_from(desk, NEXT_YEAR)
    dropped, said, shown = judged_here_and_there(desk, monkeypatch)

    record = desk.shown(dropped).record
    assert record is not None
    assert (desk.line(dropped).decision, record.how.contract_version) == ("accepted", "1.0.0")
    assert (said.exit, said.document["verdict"]) == (3, "UNDECIDED"), "not another verdict than the center's"
    [reason] = said.document["reasons"]
    assert (reason["code"], reason["rule"]) == ("FORBIDDEN_CONTRACT_NOT_YET", f"paper.in_force:{NEXT_YEAR}")
    assert str(NEXT_YEAR) in shown


def test_the_center_says_so_too_of_a_flow_that_has_no_contract_until_then(
    copies: Copies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin = "agreementVersion, value: 3.0.0}"
    later = Edit(CONTRACT, pin, f"{pin}\n  - {{property: validFrom, value: {NEXT_YEAR}}}")
    with lent_desk(copies, tmp_path, later) as desk:
        unheard_of = desk.drop(b"x", where=(ENERGY[0], "no_such_flow"))
        dropped, said, _ = judged_here_and_there(desk, monkeypatch)
        record = desk.shown(dropped).record

        assert record is not None
        [reason] = said.document["reasons"]
        assert [(each.code, each.rule) for each in record.reasons] == [(reason["code"], reason["rule"])]
        assert desk.line(dropped).reason_code == "FORBIDDEN_CONTRACT_NOT_YET"
        assert desk.line(unheard_of).reason_code == "FORBIDDEN_NO_CONTRACT", "the control"


def test_one_that_holds_from_today_on_judges_both(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    contract_from(desk, brussels_today())
    dropped, said, _ = judged_here_and_there(desk, monkeypatch)

    assert (desk.line(dropped).decision, said.document["verdict"]) == ("refused", "REFUSED")
    assert {each["code"] for each in said.document["reasons"]} >= {"LIMIT_REFUSED_SHARE", "VALUE_NOT_IN_SET"}


def test_a_contract_that_was_not_issued_anew_has_the_verdict_of_the_center(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreement_from(desk, brussels_today())
    activate(desk)
    dropped, said, shown = judged_here_and_there(desk, monkeypatch)

    [reason] = said.document["reasons"]
    assert reason["code"] == desk.line(dropped).reason_code == "FORBIDDEN_AGREEMENT_EXPIRED"
    assert "names another version of DPA-ENERGY01 than 3.1.0" in shown
