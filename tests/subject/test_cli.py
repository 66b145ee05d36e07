"""``sluice subject ref``: one reference for every spelling, and never a value in what it prints."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sluice.cli.subject import app
from sluice.errors import Exit, NotFound, UsageError
from sluice.settings import get_settings

run = CliRunner().invoke


def answer(*words: str) -> dict[str, str | None]:
    result = run(app, ["ref", *words, "--format", "json"])
    assert isinstance(result.exception, SystemExit | None), result.exception
    return {**json.loads(result.stdout), "exit": str(result.exit_code)}


def test_two_spellings_give_one_reference_and_two_persons_two():
    one, same, other = (answer("phone", text) for text in ("0475 12 34 56", "+32 (0)475/12.34.56", "0475 12 34 57"))

    assert one == same
    assert one["ref"] != other["ref"]
    assert (one["kind"], one["exit"], len(one["ref"] or "")) == ("phone_e164", "0", 32)


def test_short_words_and_kinds_are_the_same_argument():
    assert answer("phone", "0475123456") == answer("phone_e164", "0475123456")
    assert answer("customer", "E1") == answer("principal_customer_id", "E1")


def test_each_principal_has_a_reference_of_its_own():
    refs = {answer("phone", "0475123456", "--principal", name)["ref"] for name in ("energy01", "telecom01")}

    assert len(refs | {answer("phone", "0475123456")["ref"]}) == 3


@pytest.mark.parametrize("words", [["phone", "0475123456"], ["-"]])
def test_a_principal_that_no_agreement_names_is_refused_and_gets_no_key(words):
    keys = get_settings().keys_dir
    answer("phone", "0475123456", "--principal", "energy01")

    result = run(app, ["ref", *words, "--principal", "0475123456"], input="phone\t0475123456\n")

    assert isinstance(result.exception, NotFound)
    assert result.exception.exit is Exit.REFUSED and "sluice agreement list" in str(result.exception)
    assert "0475123456" not in str(result.exception) + result.output
    assert (keys / "energy01").exists() and not (keys / "0475123456").exists()


@pytest.mark.parametrize(("text", "reason"), [("geen", "placeholder"), ("4.75E+08", "invalid"), ("", "empty")])
def test_no_reference_is_exit_1_with_a_reason(text, reason):
    assert answer("phone", text) == {"kind": "phone_e164", "ref": None, "reason": reason, "exit": "1"}


def test_stdin_gives_one_object_a_line_in_the_same_order_and_quotes_nothing():
    lines = "phone\t0475 12 34 56\nemail\tJan@Mail.Example\n0475987654\tphone\nphone\tgeen\nphone\n"

    result = run(app, ["ref", "-"], input=lines)
    answers = [json.loads(line) for line in result.stdout.splitlines()]

    assert [one["line"] for one in answers] == [1, 2, 3, 4, 5]
    assert [one["kind"] for one in answers] == ["phone_e164", "email", None, "phone_e164", "phone_e164"]
    assert [one.get("reason") for one in answers] == [None, None, "unknown_kind", "placeholder", "empty"]
    assert answers[0]["ref"] == answer("phone", "0475123456")["ref"]
    assert not any(value in result.output.lower() for value in ("475123456", "475 12", "475987654", "jan@"))
    assert result.exit_code == Exit.USAGE, "of the third"


@pytest.mark.parametrize(
    ("lines", "code"), [("phone\t0475123456\n", 0), ("phone\t0475123456\nphone\tgeen\nphone\t0475123456\n", 1), ("", 0)]
)
def test_a_batch_ends_with_its_worst_exit(lines, code):
    assert run(app, ["ref", "-"], input=lines).exit_code == code


def test_a_broken_byte_on_stdin_spoils_its_own_line_only():
    result = run(app, ["ref", "-"], input=b"customer\tA\xff1\nphone\t0475123456\n")

    assert [json.loads(line)["ref"] is None for line in result.stdout.splitlines()] == [True, False]


@pytest.mark.parametrize(
    "words",
    [
        ["ref", "fax", "1"],
        ["ref", "phone"],
        ["ref", "-", "0475123456"],
        ["ref", "fax", "-"],
        ["ref", "phone", "1", "--region", "XX"],
        ["ref", "phone", "0475123456", "--principal", "../x"],
    ],
)
def test_a_wrong_call_is_a_usage_error(words):
    result = run(app, words)

    assert isinstance(result.exception, UsageError)


def test_the_table_shows_the_reference_and_not_the_value():
    result = run(app, ["ref", "phone", "0475123456"])

    assert answer("phone", "0475123456")["ref"] in result.output
    assert "475123" not in result.output


def test_values_of_one_kind_are_read_from_stdin():
    result = run(app, ["ref", "phone", "-"], input="0475 12 34 56\n+32475123456\ngeen\n")

    one = answer("phone", "0475123456")["ref"]
    assert [json.loads(line)["ref"] for line in result.stdout.splitlines()] == [one, one, None]
    assert result.exit_code == 1


def test_what_the_papers_of_a_principal_ignore_makes_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shutil.copytree(get_settings().principals_dir, tmp_path / "papers")
    for path in (tmp_path / "papers" / "energy01").glob("*.odcs.yaml"):
        place = "{property: principal, value: energy01}"
        said = f"{place}\n  - {{property: customerIdIgnores, value: [case, leading_zeros]}}"
        path.write_text(path.read_text(encoding="utf-8").replace(place, said), encoding="utf-8")

    def refs(principal: str) -> set[str | None]:
        return {answer("customer", text, "--principal", principal)["ref"] for text in ("E0012", "e0012", "00E0012")}

    exact = refs("energy01")
    monkeypatch.setenv("SLUICE_PRINCIPALS_DIR", str(tmp_path / "papers"))
    get_settings.cache_clear()
    try:
        assert (len(exact), len(refs("energy01")), len(refs("telecom01"))) == (3, 1, 3)
        assert answer("customer", "000", "--principal", "energy01")["reason"] == "placeholder"
    finally:
        get_settings.cache_clear()
