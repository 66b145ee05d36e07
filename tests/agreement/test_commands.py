"""The commands: what people and programs see, and the exit codes."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from agreement.papers import AGREEMENT, CONTRACT, CONTRACT_NAME, PRINCIPALS, write_folder
from sluice.agreement.codes import GAP_CODES
from sluice.agreement.errors import ColumnNameUnfit, FileRefused, FileUndecided, PaperInvalid
from sluice.cli import agreement, contract, principal, whole
from sluice.errors import NotFound, UsageError
from sluice.exchange.infer import skeleton_of
from sluice.services.seaweed import credential
from sluice.settings import get_settings

pytestmark = pytest.mark.usefixtures("fresh_settings")

runner = CliRunner()


def run(app: typer.Typer, *words: str, code: int = 0, env: dict[str, str] | None = None) -> dict:
    result = runner.invoke(app, [*words, "--format", "json"], env=env)
    assert result.exit_code == code, (result.output, result.exception)
    return json.loads(result.stdout)


def test_lint_says_file_line_code_and_message(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, AGREEMENT.replace("forwardHours: 24", "forwardHours: soon"))
    found = run(agreement.app, "lint", str(folder), code=1)
    assert set(found["problems"][0]) == {"path", "line", "code", "message"}
    assert [p["code"] for p in found["problems"] if p["path"].endswith("agreement-3.0.0.yaml")] == ["AGR-012"]
    assert {p["code"] for p in found["warnings"]} >= {"AGR-073"}
    plain = runner.invoke(agreement.app, ["lint", str(folder)])
    assert f"agreement-3.0.0.yaml:{found['problems'][0]['line']}: AGR-012 problem:" in plain.stdout


def test_a_clean_folder_has_no_problems_and_the_list_shows_every_version():
    assert run(agreement.app, "lint", str(PRINCIPALS))["problems"] == []
    assert run(contract.app, "lint", str(PRINCIPALS / "energy01" / CONTRACT_NAME))["problems"] == []
    listed = run(agreement.app, "list")["agreements"]
    assert [(a["id"], a["version"]) for a in listed if a["principal"] == "energy01"] == [
        ("DPA-ENERGY01", "2.4.0"), ("DPA-ENERGY01", "3.0.0"),
    ]  # fmt: skip


def test_explain_names_each_column_and_why_it_is_portable_or_not_and_shows_a_gap_plainly(tmp_path):
    fields = run(contract.app, "explain", str(PRINCIPALS / "telecom01" / "subscriber_base.inbound.odcs.yaml"))["fields"]
    assert set(fields[0]) == {"name", "group", "category", "origin", "legal_basis", "portable", "reason"}
    by_name = {field["name"]: field for field in fields}
    assert by_name["phone"]["portable"] is True
    assert by_name["churn"]["portable"] is False and "derived" in by_name["churn"]["reason"]
    assert (by_name["phone"]["category"], by_name["phone"]["legal_basis"]) == ("TelephoneNumber", "A6-1-b")
    signed = AGREEMENT.replace("portable: false", "portable: true")
    folder = write_folder(tmp_path / "a", signed, CONTRACT.replace("gdpr#A6-1-f", "gdpr#A6-1-a"))
    fields = run(contract.app, "explain", str(folder / CONTRACT_NAME))["fields"]
    (result,) = [field for field in fields if field["group"] == "disposition"]
    assert (result["origin"], result["legal_basis"], result["portable"]) == ("observed", "A6-1-a", False)
    assert result["reason"] == "group disposition: made by agents or derived, whatever its origin says (Art. 20(1))"
    assert any(field["portable"] for field in fields if field["group"] != "disposition"), "control: others may go"
    text = CONTRACT.replace("value: contact_point}", "value: OPEN}", 1)
    folder = write_folder(tmp_path / "b", contract=text)
    fields = run(contract.app, "explain", str(folder / CONTRACT_NAME), code=1)["fields"]
    (gap,) = [field for field in fields if field["reason"].startswith("gap")]
    line = text[: text.index("value: OPEN")].count("\n") + 1
    assert (gap["name"], gap["reason"]) == (
        "phone", f"gap: this column stops every file until it has fieldGroup (line {line})",
    )  # fmt: skip


@pytest.mark.parametrize("name", ["begrotingsanalyse-2011.csv", "defective-rows.csv", "null-byte.csv"])
def test_a_real_file_that_gives_no_skeleton_names_a_reason_and_where_its_cure_stands(real_data, name):
    """A title above the header, ragged rows, a NUL byte: no delimiter written by hand cures these."""
    done = runner.invoke(contract.app, ["infer", str(real_data / "csv" / name)])
    assert isinstance(done.exception, FileRefused | FileUndecided)
    (reason, *_) = (ref.value for ref in done.exception.refs if ref.kind == "reason")
    assert f"| `{reason}` |" in (PRINCIPALS.parents[1] / "docs" / "errors.md").read_text(encoding="utf-8")
    assert done.exception.cure.startswith("see the reason in docs/errors.md")


def test_lint_of_a_folder_has_the_columns_of_all_its_contracts(tmp_path: Path) -> None:
    one = run(contract.app, "lint", str(PRINCIPALS / "energy01" / CONTRACT_NAME))["fields"]
    energy = run(contract.app, "lint", str(PRINCIPALS / "energy01"))["fields"]
    everybody = run(contract.app, "lint", str(PRINCIPALS))["fields"]
    assert one == run(contract.app, "explain", str(PRINCIPALS / "energy01" / CONTRACT_NAME))["fields"] != []
    assert [{**field, "contract": CONTRACT_NAME} for field in one] == [
        f for f in energy if f["contract"] == CONTRACT_NAME
    ]
    assert len({field["contract"] for field in energy}) == 3 < len({field["contract"] for field in everybody})
    assert {f"energy01/{field['contract']}" for field in energy} < {field["contract"] for field in everybody}
    (tmp_path / "a-note.yaml").write_text("schema: [")
    assert run(contract.app, "lint", str(tmp_path), code=1)["fields"] == [], "no contract, no column"


def test_a_broken_file_beside_a_contract_matters_only_if_it_may_be_its_agreement(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    sound = run(contract.app, "explain", str(folder / CONTRACT_NAME))["fields"]
    (folder / "a-note.yaml").write_text("schema: [")
    assert run(contract.app, "explain", str(folder / CONTRACT_NAME))["fields"] == sound != []
    (folder / "agreement-3.0.0.yaml").write_text("schema: [")
    done = runner.invoke(contract.app, ["explain", str(folder / CONTRACT_NAME)])
    assert isinstance(done.exception, PaperInvalid), "control: nobody can tell whose basis it rests on"


def test_roles_come_from_the_files_when_no_database_is_configured() -> None:
    rows = run(agreement.app, "roles", "DPA-ENERGY01", "--direction", "inbound", "--group", "contact_point")["rows"]
    assert {row["field"] for row in rows} == {"phone", "email", "street", "postal_code", "city", "language"}
    assert set(rows[0]) == {
        "field", "group", "profile", "controller", "processor", "owner_label", "basis_holder", "answers_subject",
        "notified", "warnings",
    }  # fmt: skip
    old = run(agreement.app, "roles", "DPA-ENERGY01", "--direction", "inbound", "--at", "2025-06-01")
    assert old["version"] == "2.4.0"


@pytest.mark.parametrize("words", [("show",), ("roles", "--direction", "inbound")], ids=["show", "roles"])
def test_why_a_file_that_is_there_cannot_be_used_is_told(tmp_path: Path, words: tuple[str, ...]) -> None:
    folder = write_folder(tmp_path, AGREEMENT.replace("forwardHours: 24", "forwardHours: soon"))
    env, [command, *options] = {"SLUICE_PRINCIPALS_DIR": str(folder.parent)}, words
    told = runner.invoke(agreement.app, [command, "DPA-ENERGY01", *options], env=env)
    other = runner.invoke(agreement.app, [command, "DPA-OTHER", *options], env=env)
    assert isinstance(told.exception, NotFound) and isinstance(other.exception, NotFound)
    assert "agreement-3.0.0.yaml:" in told.stderr and "AGR-012" in told.stderr
    assert "AGR-" not in other.stderr, "control: it is not about that one"


def test_a_credential_is_lines_for_a_shell_or_json(tmp_path: Path) -> None:
    env = {"SLUICE_VAR": str(tmp_path), "SLUICE_S3_ENDPOINT": "http://127.0.0.1:1"}
    made = credential(tmp_path, "energy01")
    shown = run(principal.app, "credential", "energy01", env=env)
    get_settings.cache_clear()
    lines = runner.invoke(principal.app, ["credential", "energy01"], env=env).stdout
    keys = {"access_key": made.access_key, "secret_key": made.secret_key}
    assert shown == {"principal": "energy01", "endpoint": "http://127.0.0.1:1", "region": "eu-central-1", **keys}
    assert all(f"={value}" in lines for name, value in shown.items() if name != "principal")


def test_an_agreement_is_shown_with_the_limits_that_count() -> None:
    shown = run(agreement.app, "show", "DPA-ENERGY01", "--at", "2026-11-26")
    plain = runner.invoke(agreement.app, ["show", "DPA-ENERGY01", "--at", "2026-11-26"])
    assert (shown["id"], shown["version"]) == ("DPA-ENERGY01", "3.0.0")
    assert {line["limit"]: line["in_force"] for line in shown["limits"]}["columns"] == 1024
    assert "nameCharacters" in plain.stdout


def test_down_says_what_stands(tmp_path: Path) -> None:
    """Twice: it is safe to repeat, and nothing of this checkout runs from there."""
    for _ in range(2):
        get_settings.cache_clear()
        shown = run(whole.app, "down", env={"SLUICE_VAR": str(tmp_path)})
        assert {service["state"] for service in shown["services"]} == {"down"}


def test_onboarding_shows_and_writes_and_gives_who_has_an_agreement_no_older_one(tmp_path):
    env = {"SLUICE_PRINCIPALS_DIR": str(tmp_path)}
    shown = run(principal.app, "onboard", "energy02", env=env)
    assert set(shown) == {"principal", "paths", "policy", "files"} and not list(tmp_path.iterdir())
    get_settings.cache_clear()
    written = run(principal.app, "onboard", "energy02", "--write", env=env)
    assert [Path(file["path"]).exists() and file["written"] for file in written["files"]] == [True, True]
    (folder := tmp_path / "own" / "energy02").mkdir(parents=True)
    env = {"SLUICE_PRINCIPALS_DIR": str(folder.parent)}
    get_settings.cache_clear()
    (folder / "agreement-2.4.0.yaml").touch()
    done = runner.invoke(principal.app, ["onboard", "energy02", "--write"], env=env)
    assert isinstance(done.exception, UsageError) and "HAS_AN_AGREEMENT" in str(done.exception)
    assert [path.name for path in folder.iterdir()] == ["agreement-2.4.0.yaml"]
    (folder / "agreement-2.4.0.yaml").rename(folder / "agreement-1.0.0.yaml")
    get_settings.cache_clear()
    written = run(principal.app, "onboard", "energy02", "--flow", "more", "--write", env=env)["files"]
    assert [file["written"] for file in written] == [False, True], "control: one more flow of a new one"
    (tmp_path / "file").write_bytes(b"")
    get_settings.cache_clear()
    done = runner.invoke(
        principal.app, ["onboard", "energy02", "--write"], env={"SLUICE_PRINCIPALS_DIR": str(tmp_path / "file")}
    )
    assert isinstance(done.exception, UsageError) and "option --write; because" in str(done.exception)


def test_the_contract_of_the_named_flow_is_the_only_one_and_infer_fills_it(tmp_path: Path) -> None:
    """docs/how-to/add-a-principal.md: a skeleton of another name would stay open for good."""
    file, papers = tmp_path / "leads.csv", tmp_path / "papers"
    file.write_text("id;name\n1;x\n", encoding="utf-8")
    env = {"SLUICE_PRINCIPALS_DIR": str(papers)}
    written = run(principal.app, "onboard", "energy02", "--flow", "leads", "--write", env=env)
    filled = run(contract.app, "infer", str(file), "--principal", "energy02", "--flow", "leads")["contract"]
    refused = runner.invoke(principal.app, ["onboard", "energy02", "--flow", "bad flow", "--write"], env=env)
    assert "s3://exchange/energy02/inbound/leads/" in written["paths"]
    [contract_path] = papers.glob("energy02/*.odcs.yaml")
    assert contract_path.name == "leads.inbound.odcs.yaml"
    assert "id: energy02.inbound.leads" in filled and "id: energy02.inbound.leads" in contract_path.read_text()
    assert isinstance(refused.exception, UsageError) and "bad flow" not in str(refused.exception)


@pytest.mark.parametrize("name", ["Customer\nnumber", "Customer\tnumber"])
def test_infer_refuses_a_header_that_no_contract_can_name(tmp_path: Path, name: str) -> None:
    """As Alt+Enter makes it in a workbook: the linter would refuse the skeleton."""
    path = tmp_path / "file.csv"
    path.write_text(f'first;"{name}"\na;1\nb;2\n', encoding="utf-8")
    refused = runner.invoke(contract.app, ["infer", str(path), "--principal", "bank01"])
    assert isinstance(refused.exception, ColumnNameUnfit) and "#2" in str(refused.exception)
    assert refused.stdout == ""


@pytest.mark.parametrize("name", ["20240115.csv", "2024.csv", "null.csv", "on.csv"])
def test_infer_makes_a_flow_of_a_file_s_name_whatever_yaml_takes_it_for(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("id;name\n1;x\n", encoding="utf-8")
    paper = tmp_path / "made.odcs.yaml"
    paper.write_text(run(contract.app, "infer", str(path), "--principal", "123")["contract"], encoding="utf-8")
    found = run(contract.app, "lint", str(paper), code=1)
    assert {problem["code"] for problem in found["problems"]} <= GAP_CODES
    assert "CON-099" not in {problem["code"] for problem in found["warnings"]}


def test_infer_writes_a_skeleton_of_a_real_file_and_refuses_what_is_no_table(real_data, tmp_path):
    made = run(contract.app, "infer", str(real_data / "campaign" / "bank-additional.csv"), "--principal", "bank01")
    assert '- name: "age"\n        logicalType: integer' in made["contract"]
    assert "id: bank01.inbound.bank_additional" in made["contract"]
    (tmp_path / "empty.csv").touch()
    with pytest.raises(FileRefused, match="UNREADABLE_EMPTY_FILE"):
        skeleton_of(tmp_path / "empty.csv", "someone", "some_flow")


@pytest.mark.parametrize("name", ["lies@post.example", "0487240277", "2026-11-29"])
def test_a_skeleton_of_a_file_without_a_header_would_print_a_person(tmp_path: Path, name: str) -> None:
    """One of ten names is enough: no contract says yet which names are names."""
    others = [f"name{number}" for number in range(9)]
    for first, code in (("year2026", 0), ("2026", 0), (name, 3)):
        file = tmp_path / "export.csv"
        file.write_text(f"{';'.join([first, *others])}\n{';'.join('abcdefghij')}\n", encoding="utf-8")
        result = runner.invoke(contract.app, ["infer", str(file), "--principal", "shop01"])
        left = int(result.exception.exit) if isinstance(result.exception, FileUndecided) else result.exit_code
        assert left == code
        assert (name in f"{result.output}{result.exception}") is False
