"""A command line that cannot be understood: told by its place and by what is taken there, never by what was typed."""

import json
import sys
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from typer.main import get_command

from sluice.cli.main import main
from sluice.cli.whole import app

TYPED = ("+32475123456", "475", "jan.peeters@x.be")


def _verbs(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if not hasattr(command, "commands"):
        yield path
        return
    for name, under in command.commands.items():
        yield from _verbs(under, (*path, name))


VERBS = sorted(_verbs(get_command(app)))


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command line; returns its exit code, stdout and stderr."""

    def said(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["sluice", *words])
        with pytest.raises(SystemExit) as left:
            main()
        shown = capsys.readouterr()
        return int(left.value.code or 0), shown.out, shown.err

    return said


def test_no_verb_repeats_what_was_typed_in_the_wrong_place(say: Any) -> None:
    wrong = (("--format=json", f"--{TYPED[2]}"), ("--format", TYPED[2], *TYPED), (*TYPED * 4, "--no-such", "1"))
    for verb, words in product(VERBS, wrong):
        code, out, told = say(*verb, *words)

        assert code == 2 and "SLU-304" in told and " ".join(verb) in told, verb
        assert [value for value in TYPED if value in out + told] == [], verb


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (("subject", "where", "phone:+32", *TYPED), "TOO_MANY_ARGUMENTS"),
        ((TYPED[2],), "NO_SUCH_COMMAND"),
        (("lineage", "show", "--object", f"s3://{TYPED[1]}"), "option --object; takes s3://bucket/key"),
        (("breach", "slice", "--object", TYPED[2]), "option --object; takes s3://bucket/key"),
        (("exchange", "lst"), "NO_SUCH_COMMAND; perhaps list"),
        (("exchange", "list", "--decision", TYPED[0]), "NOT_OF_ITS_TYPE; option --decision; takes <open|accepted|"),
        (("exchange", "list", "--limit", "0"), "NOT_OF_ITS_TYPE; option --limit; takes 1 to 100000. "),
        (("export", "link", "5b1f0c2e", "--days", "0"), "NOT_OF_ITS_TYPE; option --days; takes 1 or more. "),
        (("clock", "-h"), "MISSING_COMMAND; commands due, alarms; perhaps --help"),
        (("clock", "--no-such", TYPED[0]), "MISSING_COMMAND; commands due, alarms. "),
        (("clock", "--no-such", "due", "2026-01-31"), "NO_SUCH_OPTION; known --help"),
        (("clock", "due", "-h"), "NO_SUCH_OPTION; perhaps --help"),
        (("-h",), "perhaps --help"),
        (("case", "open", "--right", "erasure"), "MISSING; option one of --identifier, --candidate and --sought"),
        (
            ("case", "open", "--right", "erasure", "--identifier", f"phone:{TYPED[0]}", "--received", "2999-01-01"),
            "option --received; takes YYYY-MM-DD, a day until today",
        ),
        (("exchange", "list", "--limt", "3"), "NO_SUCH_OPTION; perhaps --limit"),
        (("clock", "due"), "MISSING; argument DATE"),
        (("clock", "due", "31/01/2026"), "argument DATE; takes YYYY-MM-DD"),
        (("erase", "run", "5b1f0c2e", "--by", "an"), "NO_SUCH_OPTION; known --format"),
        (("principal", "onboard", "energy02", "--flow", "Loan Leads"), "option --flow; takes lower-case letters"),
        (("case", "open", "--right", "acces", "--identifier", "phone:+32470123456"), "--right; one of access, rect"),
        (
            ("case", "open", "--right", "access", "--received", "31/01/2026", "--identifier", f"phone:{TYPED[0]}"),
            "takes YYYY-MM-DD",
        ),
        (("erase", "resume", ""), "EMPTY_ARGUMENT; argument 3"),
        (("retention", "run", "--principal="), "EMPTY_ARGUMENT; argument 3"),
    ],
)
def test_each_says_its_rule_and_a_program_gets_it_as_json(say: Any, words: tuple[str, ...], rule: str) -> None:
    code, out, told = say(*words, "--format=json")
    assert code == 2
    assert rule in told and rule in json.loads(out)["error"]["message"]
    assert [value for value in TYPED if value in out + told] == []


def test_a_topic_alone_shows_its_help_and_an_option_without_its_value_is_named(say: Any) -> None:
    code, _, told = say("exchange")
    assert code == 2 and "Commands:" in told and "MISSING_COMMAND" in told
    code, _, told = say("exchange", "list", "--limit")
    assert code == 2 and "VALUE_MISSING_OR_TOO_MANY; option --limit" in told


def test_what_is_understood_ends_as_it_says(say: Any) -> None:
    """The control: a command that is understood, and one that leaves with a code of its own."""
    assert say("clock", "due", "2026-01-31", "--format", "json")[0] == 0
    assert say("clock", "due", "soon")[0] == 2
    code, _, told = say("clock", "due", "--country=Qg==", "2026-01-31")
    assert code == 2 and "EMPTY_ARGUMENT" not in told, "it has a value"
    assert say("--help")[0] == 0


@pytest.mark.usefixtures("fresh_settings")
@pytest.mark.parametrize(
    "words",
    [
        ("erase", "stop"),
        ("erase", "stop", "--reason", "wrong person"),
        ("erase", "release", "5b1f0c2e", "--reason", "looks fine"),
        ("erase", "certificate", "5b1f0c2e", "--language", "de"),
        ("erase", "certificate", "5b1f0c2e", "--pdf", "/no/such/folder/c.pdf"),
        ("exchange", "stop", "energy01", "renewal_campaign", "--reason", "wrong contract"),
        ("exchange", "release", "5b1f0c2e", "--reason", "looks fine"),
        ("review", "decide", "5b1f0c2e", "send", "--reason", "looks fine"),
        ("review", "decide", "5b1f0c2e", "send", "--rows", "3-x"),
        ("recipients", "ack", "5b1f0c2e", "--reason", "by phone"),
        ("agreement", "sign-off", "DPA-ENERGY01", "--reason", "the board"),
        ("consent", "show", "energy01", TYPED[1]),
        ("consent", "export", "energy01", "phone:12", "--to", "consents.jsonld"),
        ("suppression", "check", TYPED[2]),
        ("staff", "readiness", "--minimum", "ninety"),
        ("export", "portability", "5b1f0c2e", "--to", "pdf"),
        ("retention", "give-back", "energy01", "--to", "xls"),
        ("dial", "list", "energy01", "renewal_campaign", "--purpose", "P", "--channel", "phone", "--to", "list.xls"),
        ("dial", "list", "energy01", "r", "--purpose", "P", "--channel", "phone", "--to", "/no/such/folder/l.csv"),
    ],
    ids=" ".join,
)
def test_words_that_are_wrong_whatever_is_kept_are_told_while_no_database_answers(
    say: Any, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("SLUICE_DATABASE_URL", "postgresql://sluice@127.0.0.1:1/sluice")

    code, _, told = say(*words)

    assert code == 2 and "SLU-102" not in told
    assert [value for value in TYPED if value in told] == []
    assert say("exchange", "list")[0] == 4, "the control: none answers"
