"""A rule or suite that cannot be judged is told of the paper, by the linter and when a file comes; not of the file."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agreement.papers import CONTRACT, CONTRACT_NAME, PRINCIPALS, Mistake, write_folder
from returns.commands import Answer, at_terminal, sluice
from sluice.agreement.in_force.activate import activate_all, activate_principal
from sluice.cli.whole import app
from sluice.db import connect_to
from sluice.errors import DocumentInvalid
from sluice.exchange.held_up import FilesHeldUp
from sluice.exchange.house import open_house
from sluice.gate.lint import check_rules
from sluice.orchestration.operators import ActivatePaper, CheckHeldUp, DrainFlow
from sluice.sample.files import write_campaign
from sluice.terms import Severity, Verdict
from support.desk import ENERGY, Desk, open_desk
from support.stores import Database

pytestmark = pytest.mark.usefixtures("fresh_settings")

SUITE = (PRINCIPALS.parents[1] / "expectations" / "campaign_contacts.json").read_text(encoding="utf-8")
KIND = "expect_column_values_to_not_match_regex"
ROWS = "      - {id: rows, metric: rowCount, mustBeGreaterThan: 0, severity: error, dimension: completeness}\n"


def custom(kind: str, kwargs: str) -> str:
    return (
        ROWS
        + "      - id: odd\n        type: custom\n        engine: greatExpectations\n"
        + f"        implementation: {{type: {kind}, kwargs: {kwargs}}}\n"
    )


PAIR = custom("expect_column_pair_values_a_to_be_greater_than_b", "{column_A: attempts, column_B: contract_end_date}")
MIXED = custom("expect_column_values_to_be_in_set", '{column: attempts, value_set: ["a", 1]}')


@dataclass(frozen=True)
class Unusable:
    """What is wrong with a contract or its suite: the linter's problem, and the code of the gate."""

    mistake: Mistake
    gate: str
    suite: str | bytes = SUITE


NAMED = "value: [campaign_contacts]"
AS_NAMED = Mistake("CON-084", NAMED, NAMED, "expectationSuites")
UNUSABLE = (
    Unusable(Mistake("CON-085", NAMED, "value: [nowhere]", "expectationSuites"), "SLU-302"),
    Unusable(AS_NAMED, "SLU-432", SUITE.replace(KIND, "expect_magic", 1)),
    Unusable(AS_NAMED, "SLU-431", SUITE[:-10]),
    Unusable(AS_NAMED, "SLU-437", SUITE.replace('"phone"', '"gone"', 1)),
    Unusable(AS_NAMED, "SLU-431", SUITE.replace("called", "appelé").encode("cp1252")),
    Unusable(AS_NAMED, "SLU-431", SUITE.encode("utf-16")),
    Unusable(Mistake("CON-084", ROWS, PAIR, "id: odd"), "SLU-435"),
    Unusable(Mistake("CON-084", ROWS, MIXED, "id: odd"), "SLU-434"),
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A checkout of one principal, whose papers and suites a test may spoil."""
    write_folder(tmp_path / "principals")
    (tmp_path / "expectations").mkdir()
    (tmp_path / "expectations" / "campaign_contacts.json").write_text(SUITE, encoding="utf-8")
    write_campaign(tmp_path / "leads.csv", 30, 1)
    monkeypatch.setenv("SLUICE_PRINCIPALS_DIR", str(tmp_path / "principals"))
    monkeypatch.setenv("SLUICE_EXPECTATIONS_DIR", str(tmp_path / "expectations"))
    return tmp_path


def spoil(home: Path, unusable: Unusable) -> tuple[Path, int]:
    """The contract's file, and the line that asks for what cannot be judged."""
    path, text = home / "principals" / "energy01" / CONTRACT_NAME, unusable.mistake.apply(CONTRACT)
    path.write_text(text, encoding="utf-8")
    suite = unusable.suite if isinstance(unusable.suite, bytes) else unusable.suite.encode()
    (home / "expectations" / "campaign_contacts.json").write_bytes(suite)
    return path, unusable.mistake.line(text)


def dry_run(home: Path) -> Answer:
    words = ("--agreement", "DPA-ENERGY01", "--flow", "renewal_campaign", "--dry-run")
    return sluice("gate", "run", str(home / "leads.csv"), *words)


def names(unusable: Unusable) -> str:
    return f"{unusable.mistake.code} {unusable.gate}"


def test_control_papers_and_suite_as_they_are_or_retired_are_fine(home):
    assert sluice("contract", "lint", str(home / "principals")).exit == 0
    assert dry_run(home).document["verdict"] == Verdict.PASSED
    path, _ = spoil(home, UNUSABLE[0])
    path.write_text(path.read_text(encoding="utf-8").replace("status: active", "status: retired"), encoding="utf-8")
    assert sluice("contract", "lint", str(path)).exit == 0, "nothing comes under it any more"


@pytest.mark.parametrize("unusable", UNUSABLE, ids=names)
def test_the_linter_names_it_with_its_line_and_cure_and_a_dry_run_refuses_the_paper(home, unusable):
    path, line = spoil(home, unusable)
    by_file, by_folder, of_agreements = (
        sluice(topic, "lint", str(place))
        for topic, place in (("contract", path), ("contract", home / "principals"), ("agreement", home / "principals"))
    )
    (problem,) = by_file.document["problems"]
    told = (by_file.exit, problem["path"], problem["line"], problem["code"])
    assert told == (1, str(path), line, unusable.mistake.code)
    assert problem["message"].count("Cure: ") == 1
    assert unusable.gate in problem["message"] or "nowhere" in problem["message"]
    assert by_folder.document["problems"] == of_agreements.document["problems"] == [problem]
    done = dry_run(home)
    assert (done.exit, done.error) == (1, unusable.gate)


def test_what_cannot_be_judged_is_not_put_in_force(home: Path, database: Database) -> None:
    folder, now = home / "principals" / "energy01", datetime.now(UTC)
    check = partial(check_rules, expectations=home / "expectations")
    path, _ = spoil(home, UNUSABLE[-1])
    with connect_to(database.app_url) as conn:
        refused = activate_principal(conn, folder, now, check)
        path.write_text(CONTRACT, encoding="utf-8")
        done = activate_principal(conn, folder, now, check)
    assert (refused.is_refused, refused.activated) == (True, ())
    assert [problem.code for problem in refused.problems if problem.path == str(path)] == ["CON-084"]
    assert len(done.activated) == 2


@pytest.mark.parametrize("status", ["draft", "proposed", "retired", "deprecated"])
def test_a_paper_that_no_file_comes_under_keeps_no_other_out_of_force(home, database, status):
    """A draft may name a suite that is not written yet, an archive one that is not there any more."""
    folder, now = home / "principals" / "energy01", datetime.now(UTC)
    check = partial(check_rules, expectations=home / "expectations")
    text = UNUSABLE[0].mistake.apply(CONTRACT)
    shutil.copytree(folder, folder / "archive")
    (folder / "archive" / CONTRACT_NAME).write_text(text, encoding="utf-8")
    other = text.replace("renewal_campaign", "next_campaign").replace("status: active", f"status: {status}")
    path = folder / CONTRACT_NAME.replace("renewal_campaign", "next_campaign")
    path.write_text(other, encoding="utf-8")
    with connect_to(database.app_url) as conn:
        done = activate_principal(conn, folder, now, check)
    assert (done.is_refused, [problem.code for problem in done.problems if problem.severity is Severity.ERROR]) == (
        (True, ["CON-085"]) if status == "deprecated" else (False, [])
    )
    named = {problem["path"] for problem in sluice("contract", "lint", str(folder)).document["problems"]}
    assert (str(path) in named) is (status != "retired"), "the linter says it of drafts too"


OURS = "water01"


def dated(form: str) -> str:
    """The suite with one rule about how a date is written."""
    kind, kwargs = "expect_column_values_to_match_strftime_format", {"column": "birth_date", "strftime_format": form}
    return json.dumps({"name": "campaign_contacts", "expectations": [{"type": kind, "kwargs": kwargs}]})


@pytest.mark.parametrize(
    ("form", "suite", "code"),
    [("%d/%m/%Y %H:%m", dated("%d/%m/%Y"), "CON-039"), ("%d/%m/%Y", dated("%Y-%m-%d %Y"), "CON-084")],
)
def test_a_date_format_that_says_one_thing_twice_keeps_no_other_principal_out_of_force(
    home, database, form, suite, code
):
    """Python's own reader of dates has an error of its own for it."""
    shutil.copytree(PRINCIPALS / OURS, home / "principals" / OURS)
    for each in (PRINCIPALS.parents[1] / "expectations").glob("*.json"):
        shutil.copy(each, home / "expectations")
    (home / "expectations" / "campaign_contacts.json").write_text(suite, encoding="utf-8")
    path = home / "principals" / "energy01" / CONTRACT_NAME
    path.write_text(CONTRACT.replace('"%d/%m/%Y"', f'"{form}"'), encoding="utf-8")
    with connect_to(database.app_url) as conn:
        check = partial(check_rules, expectations=home / "expectations")
        done = {each.principal: each for each in activate_all(conn, home / "principals", datetime.now(UTC), check)}
    [problem] = [each for each in done["energy01"].problems if each.severity is Severity.ERROR]
    assert (problem.path, problem.code, done["energy01"].is_refused) == (str(path), code, True)
    assert done[OURS].activated and not done[OURS].is_refused


def test_the_command_and_the_dag_put_no_such_paper_in_force(home, store_settings, tmp_path, monkeypatch):
    spoil(home, UNUSABLE[1])
    ours = {"principals_dir": home / "principals", "expectations_dir": home / "expectations"}
    activate = ActivatePaper(task_id="activate")
    with open_house(store_settings.model_copy(update=ours)) as house, at_terminal(Desk(house, tmp_path), monkeypatch):
        refused = sluice("agreement", "activate")
        with pytest.raises(DocumentInvalid, match=r"SLU-302 .*energy01.*activated of others 0"):
            activate.work({})
        (home / "expectations" / "campaign_contacts.json").write_text(SUITE, encoding="utf-8")
        mended = activate.work({})
    [principal] = refused.document["principals"]
    assert (refused.exit, principal["is_refused"], principal["activated"]) == (1, True, [])
    assert mended == "activated: 2"


@pytest.mark.parametrize("unusable", (UNUSABLE[0], UNUSABLE[6]), ids=names)
def test_a_file_under_it_waits_for_the_paper_and_costs_no_attempt(
    home, store_settings, tmp_path, monkeypatch, unusable
):
    spoil(home, unusable)
    ours = {"principals_dir": home / "principals", "expectations_dir": home / "expectations"}
    with open_desk(store_settings.model_copy(update=ours), tmp_path) as desk, at_terminal(desk, monkeypatch):
        dropped = desk.drop(desk.campaign(rows=30)[0])
        for _ in range(4):  # one more than the attempts after which a dead child closes a file
            desk.sql("update exchange set next_attempt_at = now() returning 1") if desk.lines() else None
            done = sluice("exchange", "drain")
        desk.sql("update exchange set next_attempt_at = now() returning 1")
        slot = DrainFlow(task_id="drain", direction="inbound", principal=ENERGY[0], flow=ENERGY[1], slot=0)
        assert slot.work({}) == "slot 0: {}, set aside: 0"
        hear = CheckHeldUp(task_id="held_up")
        assert hear.work({}) == "nothing waits for us"  # it may pass
        desk.sql("update exchange set opened_at = opened_at - interval '3 minutes' returning 1")
        with pytest.raises(FilesHeldUp, match=f"SLU-207.* 1 of {'/'.join(ENERGY)} {unusable.gate}"):
            hear.work({})
        desk.sql("update exchange set opened_at = opened_at + interval '3 minutes' returning 1")
        line, attempts = desk.line(dropped), desk.sql("select attempts from exchange")[0]["attempts"]
        mended = _mend(desk, home) if unusable.gate != "SLU-435" else None

    held = {"decisions": {}, "set_aside": 0, "held_up": 1}
    assert (done.exit, done.document["flows"]["/".join(ENERGY)]) == (3, held)
    assert (line.decision, line.last_error, attempts) == ("open", unusable.gate, 0)
    assert mended in ("accepted", None)


def _mend(desk: Desk, home: Path) -> str:
    """Put the suite in its place, and have the files that waited judged."""
    for name in ("campaign_contacts", "nowhere"):
        suite = json.loads(SUITE) | {"name": name}
        (home / "expectations" / f"{name}.json").write_text(json.dumps(suite), encoding="utf-8")
    desk.sql("update exchange set next_attempt_at = now() returning 1")
    assert CliRunner().invoke(app, ["exchange", "drain"]).exit_code == 0
    return str(desk.lines()[0].decision)
