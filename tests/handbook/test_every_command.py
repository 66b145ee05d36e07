"""All commands of README and docs: each is run by a test, or named with the reason why not."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
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
    assert [at for at, commands in left_out.items() if not commands] == [], "they are in no page any more"
    not_run = sum(map(len, left_out.values()))
    record_property("commands of README and docs", f"{count - not_run} of {count} run; {not_run} listed with reason")
    for (page, start), commands in left_out.items():
        record_property(f"not run: {page}: {start.strip()}", f"{len(commands)}: {LEFT_OUT[page][start]}")


def test_a_page_that_nobody_follows_is_found() -> None:
    assert unrun({"docs/how-to/new.md": [Command("sluice doctor")]}) == {"docs/how-to/new.md": ["sluice doctor"]}


def test_commands_go_on_over_lines_and_say_how_they_exit() -> None:
    page = """
1. A list.

    ```bash
    # a comment
    sluice a \\
        --b
    python - <<'CODE'
    print("x")

    CODE
    echo 'one
    two'   # exits 3
    ```

```python
import this
```

```yaml
sluice: no command
```
"""
    found = commands_of(page)

    assert [each.text.splitlines()[0] for each in found] == [
        "sluice a \\",
        "python - <<'CODE'",
        "echo 'one",
        "python - <<'CODE'",
    ]
    assert [each.exit for each in found] == [0, 0, 3, 0]


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


def unknown(words: str) -> str | None:
    """What the parser does not know of a command in the middle of a sentence."""
    node: Any = get_command(app)
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


@pytest.mark.slow
def test_every_command_in_a_sentence_is_one_that_there_is() -> None:
    found = list(inline())
    assert len(found) > 80
    assert [(page, words) for page, words in found if unknown(words)] == []


@pytest.mark.parametrize("words", ["sluice gate rum FILE", "sluice gate run FILE --wet-run", "sluice gates"])
def test_a_command_that_there_is_not_is_found(words: str) -> None:
    assert unknown(words)
