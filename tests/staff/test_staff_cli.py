"""``sluice staff``: what a person or a script gets, and with which exit code."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sluice.cli.staff import app
from sluice.errors import Exit, FileMissing, NotFound, UsageError
from sluice.settings import get_settings
from staff.test_fetch import Learning, learning
from support.stores import Database

__all__ = ["learning"]

HEAD = "kind;agent;at;zone;version;whole;score\n"
FILE = (
    HEAD
    + "code_version;;2026-01-01T00:00;Europe/Brussels;coc-1;;\n"
    + "course;A-1;2026-02-01T10:00;Europe/Brussels;gdpr;yes;\n"
    + "exam;A-1;2026-02-02T10:00;Europe/Brussels;gdpr;yes;90,00\n"
    + "signature;A-1;2026-02-03T10:00;Europe/Brussels;coc-1;;\n"
    + "exam;A-2;2026-02-02T10:00;Europe/Brussels;gdpr;yes;89,99\n"
)
run = CliRunner().invoke


@pytest.fixture
def installation(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("SLUICE_VAR", str(tmp_path / "var"))
    monkeypatch.setenv("SLUICE_DATABASE_URL", database.app_url)
    get_settings.cache_clear()
    yield tmp_path
    get_settings.cache_clear()


def put(folder: Path, text: str) -> str:
    path = folder / "exams.csv"
    path.write_text(text)
    return str(path)


def ask(*words: str) -> tuple[dict[str, Any], int]:
    result = run(app, [*words, "--format", "json"])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return json.loads(result.stdout), result.exit_code


def test_import_counts_rows_and_a_second_time_changes_nothing(installation: Path) -> None:
    first, exit_code = ask("import", put(installation, FILE))
    again, _ = ask("import", put(installation, FILE))
    assert exit_code == Exit.DONE and first["rows_in"] == first["rows_accepted"] == first["rows_new"] == 5
    assert (first["repeated"], again["repeated"], again["rows_new"], again["entry"]) == (False, True, 0, first["entry"])
    march, _ = ask("readiness", "--at", "2026-03-01T00:00")  # an exam is valid for a year
    assert [each["ready"] for each in march["people"]].count(True) == 1
    assert first["people"] == again["people"] == ask("readiness")[0]["people"], "as the contract of the command says"


def test_a_refused_row_is_named_by_number_and_leaves_with_one(installation: Path) -> None:
    path = put(installation, FILE + "exam;Jan Peeters;2026-02-02T10:00;Europe/Brussels;gdpr;yes;90\n")
    done, exit_code = ask("import", path)
    assert exit_code == Exit.REFUSED and (done["rows_accepted"], done["rows_refused"]) == (5, 1)
    assert done["reasons"] == [
        {
            "code": "VALUE_PATTERN",
            "rule": "agent_form",
            "column": "agent",
            "count": 1,
            "rows": [6],
            "takes": "letters, digits, . _ @ / - (at most 64)",
        }
    ]
    assert "Peeters" not in run(app, ["import", path]).output


def test_a_word_that_is_none_of_ours_is_told_with_those_that_are(installation: Path) -> None:
    at = "A-1;2026-02-02T10:00;Europe/Brussels;gdpr"
    wrong = (f"holiday;{at};yes;", f"exam;{at};ja;90")
    path = put(installation, FILE + "".join(f"{row}\n" for row in wrong))
    done, _ = ask("import", path)
    assert [(each["code"], each["column"], each["rows"], each["takes"]) for each in done["reasons"]] == [
        ("VALUE_NOT_IN_SET", "kind", [6], "course, exam, signature, code_version, account"),
        ("VALUE_NOT_IN_SET", "whole", [7], "yes, no"),
    ]
    table = run(app, ["import", path]).output
    assert "yes, no" in table and "holiday" not in table and ";ja;" not in table


def test_readiness_names_agents_by_reference_only(installation: Path) -> None:
    ask("import", put(installation, FILE))
    shown, exit_code = ask("readiness", "--at", "2026-02-03T10:00")
    ref = ask("ref", "A-1")[0]["agent_ref"]
    people = {person["agent_ref"]: person for person in shown["people"]}
    assert exit_code == Exit.DONE and shown["at"] == "2026-02-03T09:00:00Z" and len(people) == 2
    assert people[ref] == {"agent_ref": ref, "ready": True, "reasons": [], "valid_until": "2027-02-02T09:00:00Z"}
    other = people[ask("ref", "A-2")[0]["agent_ref"]]
    assert other["reasons"] == ["NO_COURSE", "EXAM_BELOW_MINIMUM", "NO_SIGNATURE"] and other["valid_until"] is None
    assert "A-1" not in run(app, ["readiness"]).output


def test_a_day_is_its_midnight_in_brussels(installation: Path) -> None:
    day, midnight = (ask("readiness", "--at", at)[0] for at in ("2026-02-03", "2026-02-03T00:00"))
    assert day == midnight and day["at"] == "2026-02-02T23:00:00Z"


def test_a_fault_of_the_header_names_no_row(installation: Path) -> None:
    done, exit_code = ask("import", put(installation, "what;whom\n1;2\n"))
    assert exit_code == Exit.REFUSED and done["reasons"]
    assert [each["rows"] for each in done["reasons"]] == [[]] * len(done["reasons"])


def test_one_agent_can_be_asked_by_number_or_reference(installation: Path) -> None:
    ask("import", put(installation, FILE))
    ref = run(app, ["ref", "A-1"]).stdout.strip()
    second_before = ("readiness", "--at", "2026-02-03T09:59:59+01:00", "--agent")
    by_number, by_ref = ask(*second_before, "A-1")[0], ask(*second_before, ref)[0]
    assert by_number == by_ref
    assert [person["reasons"] for person in by_ref["people"]] == [["NO_SIGNATURE"]]


def test_a_lower_minimum_of_an_agreement_can_be_asked_for(installation: Path) -> None:
    ask("import", put(installation, FILE))
    shown, _ = ask("readiness", "--agent", "A-2", "--minimum", "89.99", "--at", "2026-03-01T00:00")
    assert shown["people"][0]["reasons"] == ["NO_COURSE", "EXAM_BEFORE_COURSE", "NO_SIGNATURE"]


def test_what_was_known_before_the_import_is_nothing(installation: Path) -> None:
    ask("import", put(installation, FILE))
    assert ask("readiness", "--known-at", "2026-03-01T00:00Z")[0]["people"] == []


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["import", "nowhere.csv"], FileMissing),
        (["readiness", "--at", "yesterday"], UsageError),
        (["readiness", "--at", "2026-10-25T02:30"], UsageError),
        (["readiness", "--minimum", "NaN"], UsageError),
        (["readiness", "--agent", "A-9"], NotFound),
    ],
)
def test_wrong_usage_is_a_coded_error(installation: Path, words: list[str], error: type[Exception]) -> None:
    assert isinstance(run(app, words).exception, error)


def test_the_e_learning_system_gives_the_same_rows(
    installation: Path, learning: Learning, monkeypatch: pytest.MonkeyPatch
) -> None:
    learning.body = json.dumps(
        {
            "rows": [
                {"kind": "code_version", "at": "2026-01-01T00:00+01:00", "version": "coc-1"},
                {"kind": "course", "agent": "A-1", "at": "2026-02-01T10:00Z", "version": "gdpr", "whole": True},
                {
                    "kind": "exam",
                    "agent": "A-1",
                    "at": "2026-02-02T10:00Z",
                    "version": "gdpr",
                    "whole": True,
                    "score": 90,
                },
                {"kind": "signature", "agent": "A-1", "at": "2026-02-03T10:00Z", "version": "coc-1"},
            ]
        }
    ).encode()
    monkeypatch.setenv("SLUICE_ELEARNING_TOKEN", "s3cret")
    done, exit_code = ask("import", learning.url)
    assert (exit_code, done["rows_new"], learning.tokens) == (Exit.DONE, 4, ["Bearer s3cret"])
    assert ask("readiness", "--at", "2026-03-01T00:00")[0]["people"][0]["ready"]
