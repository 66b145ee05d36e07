"""``sluice gate run``: one file or a list of them; no file that may not be sent ends with exit 0."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from lake.reading import MESSAGE
from sluice.cli.whole import app
from sluice.errors import Exit, FileMissing, UsageError
from sluice.sample.files import write_campaign
from sluice.settings import get_settings

pytestmark = pytest.mark.usefixtures("fresh_settings")

RUN = ("gate", "run", "--agreement", "DPA-ENERGY01", "--flow", "renewal_campaign", "--dry-run", "--format", "json")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    write_campaign(folder / "good.csv", 30, 1)
    text = (folder / "good.csv").read_bytes()
    (folder / "refused.csv").write_bytes(text.partition(b"\n")[0] + b"\n")
    (folder / "undecided.csv").write_bytes(MESSAGE)  # without a key nobody can tell
    return folder


@pytest.fixture
def papers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The papers of the checkout, which a test may change."""
    shutil.copytree(get_settings().principals_dir, tmp_path / "principals")
    monkeypatch.setenv("SLUICE_PRINCIPALS_DIR", str(tmp_path / "principals"))
    get_settings.cache_clear()
    return tmp_path / "principals"


def run(file: str, lines: bytes | None = None) -> Result:
    return CliRunner().invoke(app, [*RUN, file], input=lines)


def batch(*names: bytes) -> tuple[list[dict[str, Any]], int]:
    done = run("-", b"".join(name + b"\n" for name in names))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return [json.loads(line) for line in done.stdout.splitlines()], done.exit_code


@pytest.mark.parametrize(
    ("name", "exit"), [("good.csv", Exit.DONE), ("refused.csv", Exit.REFUSED), ("undecided.csv", Exit.UNDECIDED)]
)
def test_a_batch_of_one_ends_as_that_file_does(files: Path, name: str, exit: Exit) -> None:
    path = str(files / name)
    alone, (lines, code) = run(path), batch(path.encode())
    assert (alone.exit_code, code) == (exit, exit)
    assert lines == [{"file": path, **json.loads(alone.stdout)}]


@pytest.mark.parametrize(
    ("names", "exit"),
    [
        ((), Exit.DONE),
        (("good.csv", "good.csv"), Exit.DONE),
        (("good.csv", "refused.csv", "good.csv"), Exit.REFUSED),
        (("refused.csv", "absent.csv", "good.csv"), Exit.USAGE),
        (("undecided.csv", "absent.csv", "refused.csv"), Exit.UNDECIDED),
    ],
)
def test_a_batch_ends_with_its_worst_exit(files: Path, names: tuple[str, ...], exit: Exit) -> None:
    lines, code = batch(*(str(files / name).encode() for name in names))
    assert code == exit
    assert [Path(str(line["file"])).name for line in lines] == list(names)


@pytest.mark.parametrize("name", [b"x" * 256, b"a\0b", b"a\xffb", b"", b"/"])
def test_a_name_that_no_file_can_have_is_that_line_s_error_and_the_rest_goes_on(files: Path, name: bytes) -> None:
    (odd, good), code = batch(name, str(files / "good.csv").encode())
    assert (odd["verdict"], odd["error"]["code"]) == ("UNDECIDED", FileMissing.code)
    assert (good["verdict"], code) == ("PASSED", Exit.USAGE)
    assert isinstance(run("x" * 256).exception, FileMissing), "alone it is one too"


def test_a_folder_s_name_that_is_no_text_says_nothing_of_the_file_in_it(files: Path, tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"bad\xffdir")
    folder.mkdir()
    for name in ("good.csv", "refused.csv", "undecided.csv"):
        (folder / name).write_bytes((files / name).read_bytes())
    (folder / os.fsdecode(b"a\xffb.csv")).write_bytes((files / "good.csv").read_bytes())
    names = ("good.csv", "refused.csv", "undecided.csv")
    there, _ = batch(*(os.fsencode(folder / name) for name in names))
    plain, _ = batch(*(os.fsencode(files / name) for name in names))
    (unsafe,), code = batch(os.fsencode(folder) + b"/a\xffb.csv")
    assert [line | {"file": ""} for line in there] == [line | {"file": ""} for line in plain]
    assert [line["verdict"] for line in there] == ["PASSED", "REFUSED", "UNDECIDED"]
    assert (code, [reason["code"] for reason in unsafe["reasons"]]) == (Exit.REFUSED, ["NAME_UNSAFE"])
    assert (folder / "good.csv").read_bytes() == (files / "good.csv").read_bytes(), "the file itself stays"


@pytest.mark.parametrize(
    ("agreement", "flow", "code"),
    [
        ("DPA-WATER01", "meter_contacts", "FORBIDDEN_AGREEMENT_EXPIRED"),
        ("DPA-ENERGY01", "no_such_flow", "FORBIDDEN_NO_CONTRACT"),
        ("DPA-ENERGY01", "draft_flow", "FORBIDDEN_CONTRACT_GAP"),
    ],
)
def test_where_the_paper_refuses_the_verdict_says_so_for_every_file(files, papers, tmp_path, agreement, flow, code):
    """As the DAG does; a program that reads the verdict gets one, in a batch too."""
    (papers / "energy01" / "draft_flow.inbound.odcs.yaml").write_text("schema: [", encoding="utf-8")
    words = ("gate", "run", "--agreement", agreement, "--flow", flow, "--dry-run", "--format", "json")
    good, page = str(files / "good.csv"), tmp_path / "report.html"
    alone = CliRunner().invoke(app, [*words, good, "--report", str(page)])
    many = CliRunner().invoke(app, [*words, "-"], input=f"{good}\n{good}\n")
    said = json.loads(alone.stdout)
    assert (alone.exit_code, said["verdict"], [each["code"] for each in said["reasons"]]) == (1, "REFUSED", [code])
    assert (many.exit_code, [json.loads(line)["verdict"] for line in many.stdout.splitlines()]) == (1, ["REFUSED"] * 2)
    assert code in page.read_text(encoding="utf-8")


def test_a_flow_that_only_goes_the_other_way_is_wrong_usage(files, papers):
    back = papers / "energy01" / "renewal_results.outbound_return.odcs.yaml"
    text = back.read_text(encoding="utf-8").replace("return.renewal_results", "return.renewal_back")
    back.with_name("renewal_back.outbound_return.odcs.yaml").write_text(text, encoding="utf-8")
    for file in (str(files / "good.csv"), "-"):
        done = CliRunner().invoke(app, [*RUN[:5], "renewal_back", *RUN[6:], file], input="")
        assert isinstance(done.exception, UsageError) and "NO_FILE_ARRIVES_IN_THIS_FLOW" in str(done.exception)
        assert "direction outbound_return" in str(done.exception)
        assert "instead one of renewal_campaign, renewal_results" in str(done.exception)


@pytest.mark.parametrize(
    ("agreement", "flow", "told"),
    [
        ("DPA-energy01", "renewal_campaign", "agreements here: DPA-BANK01, DPA-ENERGY01"),
        ("DPA-ENERGY01", "renewal-campaign", "flows of this agreement's folder: renewal_campaign, renewal_results"),
        ("DPA-ENERGY01", "renewal_campaign", ""),
    ],
)
def test_what_was_misspelt_is_told_with_what_there_is(files: Path, agreement: str, flow: str, told: str) -> None:
    words = ("gate", "run", "--agreement", agreement, "--flow", flow, "--dry-run", str(files / "good.csv"))
    done = CliRunner().invoke(app, words)
    assert told in done.stderr and (told or "here:" not in done.stderr)
    assert "here:" not in done.stdout and "folder:" not in done.stdout


def test_an_agreement_that_no_paper_has_is_told_without_its_name(files: Path) -> None:
    words = [*RUN[:3], "jan.peeters@x.be", *RUN[4:], str(files / "good.csv")]
    done = CliRunner().invoke(app, words)
    said = json.loads(done.stdout)
    assert (done.exit_code, said["verdict"], said["rows_in"]) == (1, "REFUSED", 0)
    assert [each["code"] for each in said["reasons"]] == ["FORBIDDEN_NO_AGREEMENT"]
    assert "peeters" not in done.output


def test_a_table_says_that_more_rows_failed_than_it_shows(files: Path, tmp_path: Path) -> None:
    header, *rows = csv.reader((files / "good.csv").read_text(encoding="utf-8").splitlines(), delimiter=";")
    at = header.index("monthly_amount")
    for many in (20, 21):
        bad = [[*row[:at], "1.000,00", *row[at + 1 :]] if place < many else row for place, row in enumerate(rows)]
        file = tmp_path / "bad.csv"
        with file.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out, delimiter=";").writerows((header, *bad))
        told = CliRunner().invoke(app, [*RUN[:-2], str(file)]).stdout
        assert "VALUE_NUMBER" in told and ("20, ..." in told) is (many > 20)


def test_no_note_is_drawn_for_a_reader_that_the_center_would_not_draw(tmp_path: Path) -> None:
    """Which notes are drawn is known to the center's key alone: here none is, or the row told would be another's."""
    clean = tmp_path / "clean.csv"
    write_campaign(clean, 400, 3)
    done = CliRunner().invoke(app, [*RUN, str(clean)])
    said = json.loads(done.stdout)
    assert (done.exit_code, said["verdict"], said["reasons"], said["rows_accepted"]) == (0, "PASSED", [], 400)


@pytest.mark.parametrize(
    ("paper", "right", "wrong", "told"),
    [
        ("agreement-3.0.0.yaml", "forwardHours: 24", "forwardHours: 24 uur", "AGR-012"),
        ("agreement-3.0.0.yaml", "language: nl", "language: [nl", "AGR-002"),
        ("renewal_campaign.inbound.odcs.yaml", "required: true", "required: ja", "CON-012"),
        ("renewal_campaign.inbound.odcs.yaml", "kind: DataContract", "kind: [DataContract", "CON-002"),
        ("renewal_results.internal.odcs.yaml", "kind: DataContract", "kind: [DataContract", ""),
    ],
)
def test_a_paper_that_cannot_be_used_is_told_with_its_line(files, papers, paper, right, wrong, told):
    path = papers / "energy01" / paper
    text = path.read_text(encoding="utf-8")
    assert right in text
    path.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    done = run(str(files / "good.csv"))
    if not told:
        assert (done.exit_code, done.stderr) == (Exit.DONE, ""), "control: another flow's paper does not matter"
        return
    assert done.exit_code == Exit.REFUSED and json.loads(done.stdout)["reasons"]
    assert f"{path}:" in done.stderr and f" {told} " in done.stderr and "Cure:" in done.stderr


def test_every_problem_of_a_paper_or_a_mapping_is_told_by_whatever_command_meets_it(tmp_path: Path) -> None:
    mappings, papers = tmp_path / "mappings", tmp_path / "principals"
    shutil.copytree(get_settings().mappings_dir, mappings)
    shutil.copytree(get_settings().principals_dir, papers)
    five9 = mappings / "five9.yaml"
    five9.write_text(five9.read_text(encoding="utf-8").replace("platform: five9", "platform: Five9"), encoding="utf-8")
    contract = papers / "energy01" / "renewal_campaign.inbound.odcs.yaml"
    wrong = contract.read_text(encoding="utf-8").replace("required: true", "required: ja")
    contract.write_text(wrong.replace("mustBe: 0", "mustBe: nul"), encoding="utf-8")
    env = os.environ | {"SLUICE_MAPPINGS_DIR": str(mappings), "SLUICE_PRINCIPALS_DIR": str(papers)}
    (tmp_path / "log.csv").write_text("a,b\n1,2\n", encoding="utf-8")

    def told(*words: str) -> list[str]:
        command = [sys.executable, "-m", "sluice", *words]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False).stderr.splitlines()

    of_mapping = told("gate", "run", str(tmp_path / "log.csv"), *RUN[2:5], "renewal_results", "--dry-run")
    assert of_mapping[0].startswith(f"{five9}:") and "MAP-017" in of_mapping[0] and "Cure:" in of_mapping[0]
    assert of_mapping[-1].startswith("SLU-501")
    of_contract = told("contract", "export", str(contract))
    assert {line.split()[1] for line in of_contract[:-1]} == {"CON-012", "CON-083"} and len(of_contract) > 3
    assert of_contract[-1].startswith("SLU-441")
