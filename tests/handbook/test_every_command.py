"""All commands of README and docs: each is run by a test, or named with the reason why not."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from typer.main import get_command

from handbook.commands import Command, commands_of, pages
from handbook.grounds import PAGES
from handbook.left_out import ELSEWHERE_RUN, LEFT_OUT
from handbook.shell import Shell, follow
from sluice.cli.whole import app
from support.installation import Record

INLINE = re.compile(r"`(sluice (?!\.\.\.)[^`\n]+)`")


def unrun(written: Mapping[str, list[Command]]) -> dict[str, list[str]]:
    """Commands of pages that nobody follows, but for those with a reason."""
    followed = {*PAGES, *ELSEWHERE_RUN}
    alone = {
        page: [each.text for each in found if not each.text.startswith(tuple(LEFT_OUT.get(page, ())))]
        for page, found in written.items()
        if page not in followed
    }
    return {page: commands for page, commands in alone.items() if commands}


def written() -> dict[str, list[Command]]:
    return {page: commands_of(path.read_text(encoding="utf-8")) for page, path in pages().items()}


def test_every_command_is_run_or_named_with_its_reason(record_property: Record) -> None:
    found = written()
    count = sum(map(len, found.values()))
    left_out = {
        (page, start): [each for each in found[page] if each.text.startswith(start)]
        for page, starts in LEFT_OUT.items()
        for start in starts
    }

    assert unrun(found) == {}
    new = {"docs/how-to/new.md": [Command("sluice doctor")]}
    assert unrun(new) == {"docs/how-to/new.md": ["sluice doctor"]}, "the control"
    assert [at for at, commands in left_out.items() if not commands] == [], "they are in no page any more"
    not_run = sum(map(len, left_out.values()))
    record_property("commands of README and docs", f"{count - not_run} of {count} run; {not_run} listed with reason")
    for (page, start), commands in left_out.items():
        record_property(f"not run: {page}: {start.strip()}", f"{len(commands)}: {LEFT_OUT[page][start]}")


def test_a_command_that_fails_or_does_not_fail_as_the_page_says_is_found(tmp_path: Path) -> None:
    shell = Shell(tmp_path, {"PATH": "/usr/bin:/bin"})
    page = "```bash\nX=1\ntest $X = 1\nfalse   # exits 1\nfalse\ntrue   # exits 1\nnobody-has-this\nskipped\n```\n"

    wrong = follow(shell, commands_of(page), {"nobody": "noone"}, ["skipped"])
    shell.close()

    assert [each.splitlines()[:2] for each in wrong] == [
        ["$ false", "exit 1"],
        ["$ true   # exits 1", "exit 0"],
        ["$ noone-has-this", "exit 127"],
    ]


def inline() -> Iterator[tuple[str, str]]:
    for page, path in pages().items():
        for words in INLINE.findall(path.read_text(encoding="utf-8")):
            yield page, words


@cache
def whole() -> Any:
    return get_command(app)


def unknown(words: str) -> str | None:
    """What the parser does not know of a command in the middle of a sentence."""
    node = whole()
    for word in words.split()[1:]:
        if word.startswith("--"):
            option = word.partition("=")[0]
            if option not in {
                each for parameter in node.params for each in (*parameter.opts, *parameter.secondary_opts)
            }:
                return option
        elif hasattr(node, "commands") and word.strip(".…") and word not in node.commands:
            return word
        elif hasattr(node, "commands") and word in node.commands:
            node = node.commands[word]
    return None


def test_every_command_in_a_sentence_is_one_that_there_is() -> None:
    found = list(inline())
    assert len(found) > 80
    assert [(page, words) for page, words in found if unknown(words)] == []
    for words in ("sluice gate rum FILE", "sluice gate run FILE --wet-run", "sluice gates"):
        assert unknown(words), "the control"
