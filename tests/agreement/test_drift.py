"""A file that came otherwise than agreed: what changed, and the lines of the contract that say so."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from agreement.papers import CONTRACT, CONTRACT_NAME, write_folder
from sluice.cli.whole import app
from sluice.sample.files import write_campaign

Rows = list[list[str]]


@pytest.fixture
def contract(tmp_path: Path) -> Path:
    return write_folder(tmp_path) / CONTRACT_NAME


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    path = tmp_path / "good.csv"
    write_campaign(path, 30, 1)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter=";"))


def written(contract: Path, rows: Rows) -> Path:
    path = contract.with_name("file.csv")
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";").writerows(rows)
    return path


def drift(contract: Path, rows: Rows, *, said: int = 1) -> list[dict[str, Any]]:
    file = written(contract, rows)
    done = CliRunner().invoke(app, ["contract", "drift", str(contract), str(file), "--format", "json"])
    assert done.exit_code == said, done.output
    return list(json.loads(done.stdout)["drift"]) if done.stdout else []


def take_out(rows: Rows, name: str) -> None:
    gone = rows[0].index(name)
    for row in rows:
        del row[gone]


def line_of(text: str, nth: int = 1) -> int:
    return text.join(CONTRACT.split(text)[:nth]).count("\n") + 1


def test_control_a_file_as_agreed_has_none_and_json_with_every_column_neither(contract, rows):
    assert drift(contract, rows, said=0) == []
    assert in_json(contract, dict(zip(rows[0], rows[1], strict=True)), said=0)[0] == []


def test_a_renamed_column_is_one_change_of_one_line_and_the_same_in_words(contract, rows):
    rows[0][rows[0].index("email")] = "E-Mail"
    [found] = drift(contract, rows)
    assert (found["change"], found["declared"], found["found"]) == ("renamed", "email", "E-Mail")
    assert found["line"] == line_of("- name: email")
    assert found["yaml"] == ["-      - name: email", '+      - name: "E-Mail"']
    file = written(contract, rows)
    done = CliRunner().invoke(app, ["contract", "drift", str(contract), str(file)])
    place = f"@@ {contract}:{line_of('- name: email')} @@ renamed: email -> E-Mail, column 5 of the file"
    assert done.stdout.splitlines() == [place, "-      - name: email", '+      - name: "E-Mail"']


def test_a_new_column_comes_after_the_one_before_it_and_is_not_required(contract: Path, rows: Rows) -> None:
    at = rows[0].index("email") + 1
    for number, row in enumerate(rows):
        row.insert(at, str(number) if number else "loyalty")
    [found] = drift(contract, rows)
    assert (found["change"], found["found"], found["position"]) == ("new", "loyalty", at + 1)
    assert line_of("- name: email") < int(str(found["line"])) < line_of("- name: street")
    lines = list(map(str, found["yaml"]))
    assert lines[:2] == ['+      - name: "loyalty"', "+        logicalType: integer"]
    assert "+        required: false" in lines


def test_the_lines_put_in_and_taken_out_give_a_contract_without_drift(contract: Path, rows: Rows) -> None:
    """The control of all of them: a person applies the diff, and the same command finds nothing any more."""
    rows[0][rows[0].index("tariff")] = "tariff_code"
    take_out(rows, "last_name")
    for row in rows:
        row.append("x" if row is not rows[0] else "loyalty")
    found = drift(contract, rows)
    assert sorted(str(each["change"]) for each in found) == ["missing", "new", "renamed"]
    text = CONTRACT.splitlines()
    for each in sorted(found, key=lambda each: -int(str(each["line"]))):
        old, new = ([str(line)[1:] for line in each["yaml"] if str(line)[0] == sign] for sign in "-+")
        at = int(str(each["line"]))
        first = at - len(old)
        assert text[first:at] == old
        text[first:at] = new
    contract.write_text("\n".join(text) + "\n", encoding="utf-8")
    [left] = drift(contract, rows)
    assert (left["change"], left["declared"], left["yaml"]) == ("missing", "last_name", [])


@pytest.mark.parametrize(
    ("comma", "cells", "kind"),
    [
        ("false", ("1,50", "2,25"), "string"),
        ("false", ("1.50", "2.25"), "number"),
        ("true", ("1,50", "2,25"), "number"),
        ("true", ("1.50", "2.25"), "string"),
    ],
)
def test_a_new_column_is_a_number_only_if_the_contract_reads_it_as_one(contract, rows, comma, cells, kind):
    said = "{property: decimalComma, value: "
    was = next(line for line in CONTRACT.splitlines() if said in line)
    contract.write_text(CONTRACT.replace(was, f"{was.split(said)[0]}{said}{comma}}}"), encoding="utf-8")
    for number, row in enumerate(rows):
        row.append(cells[number % 2] if number else "loyalty")
    [found] = [each for each in drift(contract, rows) if each["found"] == "loyalty"]
    lines = list(map(str, found["yaml"]))
    assert lines[1] == f"+        logicalType: {kind}"


@pytest.mark.parametrize(
    ("key", "said"), [("required", "true"), ('"required"', "true"), ("required", "yes"), ("required", "On")]
)
def test_a_missing_column_of_one_line_keeps_what_else_is_true_of_it(contract, rows, key, said):
    before, rest = CONTRACT.split("      - name: last_name\n")
    line = f"      - {{name: last_name, unique: true, {key}: {said}}}"
    contract.write_text(f"{before}{line}\n{rest[rest.index('      - name: phone') :]}", encoding="utf-8")
    take_out(rows, "last_name")
    [found] = drift(contract, rows)
    assert found["yaml"] == [f"-{line}", f"+      - {{name: last_name, unique: true, {key}: false}}"]


NAMES = (
    ("- name: 'it''s mail'", "it's mail", '- name: "its mail"'),
    ('- "name": its_mail', "its_mail", '- "name": "its mail"'),
    ('- name: "its\\"mail"', 'its"mail', '- name: "its mail"'),
    ('- {description: "name: other", name: its_mail}', "its_mail", '- {description: "name: other", name: "its mail"}'),
    ("- name: its, mail", "its, mail", ""),
    ("- name:\n          its_mail", "its_mail", ""),
)


@pytest.mark.parametrize(("written_as", "old", "line"), NAMES)
def test_a_name_is_replaced_whole_however_it_is_written_or_no_line_is_shown(contract, rows, written_as, old, line):
    before, after = CONTRACT.split("      - name: email\n")
    kind = "" if written_as.endswith("}") else "        logicalType: string\n"
    rest = after[after.index("      - name: street") :]
    contract.write_text(f"{before}      {written_as}\n{kind}{rest}", encoding="utf-8")
    rows[0][rows[0].index("email")] = "its mail"
    [found] = [each for each in drift(contract, rows) if each["found"] == "its mail"]
    assert found["declared"] == old
    assert found["yaml"] == ([f"-      {written_as}", f"+      {line}"] if line else [])


def test_a_new_name_of_two_lines_has_a_place_and_no_lines(contract: Path, rows: Rows) -> None:
    for number, row in enumerate(rows):
        row.append("x" if number else "loyalty\nnumber")
    [found] = drift(contract, rows)
    assert (found["change"], found["found"], found["yaml"]) == ("new", f"#{len(rows[0])}", [])


def test_moved_columns_are_named_and_no_line_has_to_change(contract: Path, rows: Rows) -> None:
    at = rows[0].index("city")
    for row in rows:
        row.append(row.pop(at))
    assert [(each["change"], each["found"], each["yaml"]) for each in drift(contract, rows)] == [("moved", "city", [])]


def test_a_first_record_of_data_is_never_shown(contract: Path, rows: Rows) -> None:
    file = written(contract, rows[1:])
    done = CliRunner().invoke(app, ["contract", "drift", str(contract), str(file)])
    assert done.exit_code in (1, 3)
    assert not any(cell in done.output for cell in rows[1] if len(cell) > 4)


PERSON = ("an.peeters@example.com", "+32475123456")


def in_json(contract: Path, record: dict[str, str], *, said: int = 1) -> tuple[list[dict[str, object]], str]:
    """The drift of a JSON file under the same contract, and everything that was printed."""
    text = CONTRACT.replace("format: csv\n", "format: json\n").replace('    delimiter: ";"\n', "")
    contract.write_text(text, encoding="utf-8")
    file = contract.with_name("file.json")
    file.write_text(json.dumps([record]), encoding="utf-8")
    done = CliRunner().invoke(app, ["contract", "drift", str(contract), str(file), "--format", "json"])
    assert done.exit_code == said, done.output
    return (json.loads(done.stdout)["drift"] if done.stdout else []), done.output


def test_of_json_what_is_missing_is_missing(contract: Path, rows: Rows) -> None:
    """The reader puts the columns of the contract behind those of the file, so that the gate finds them."""
    record = dict(zip(rows[0], rows[1], strict=True))
    record["E-Mail"] = record.pop("email")
    del record["city"]
    found, _ = in_json(contract, record)
    changes = {(each["change"], each["declared"]) for each in found if each["change"] != "moved"}
    assert changes == {("renamed", "email"), ("missing", "city")}


@pytest.mark.parametrize("record", [dict.fromkeys(("given", "family", "street_and_number"), "x"),
                                    {"customer_number": "1", **dict.fromkeys(PERSON, "x")}])  # fmt: skip
def test_json_with_less_than_half_of_the_columns_names_none(contract: Path, record: dict[str, str]) -> None:
    found, said = in_json(contract, record)
    assert found == []
    assert not any(name in said for name in record)


def test_a_name_that_may_be_a_value_is_shown_by_its_position(contract: Path, rows: Rows) -> None:
    for number, row in enumerate(rows):
        row[:0] = [PERSON[0], PERSON[1], "loyalty"] if not number else ["x", "y", "z"]
    file = written(contract, rows)
    found = drift(contract, rows)
    done = CliRunner().invoke(app, ["contract", "drift", str(contract), str(file)])
    assert [(each["change"], each["found"], each["position"], bool(each["yaml"])) for each in found] == [
        ("new", "#1", 1, False),
        ("new", "#2", 2, False),
        ("new", "loyalty", 3, True),
    ]
    assert "new: #1, column 1 of the file" in done.output
    assert not any(each in done.output for each in PERSON)


def test_json_names_a_person_by_position_too(contract: Path, rows: Rows) -> None:
    found, said = in_json(contract, {**dict(zip(rows[0], rows[1], strict=True)), **dict.fromkeys(PERSON, "x")})
    assert [each["found"] for each in found] == [f"#{len(rows[0]) + 1}", f"#{len(rows[0]) + 2}"]
    assert not any(each in said for each in PERSON)
