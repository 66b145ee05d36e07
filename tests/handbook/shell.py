"""A person at a terminal: one bash, one command after the other, in one folder."""

import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from uuid import uuid4

from handbook.commands import Command

Placeholders = Mapping[str, str | Callable[[], str]]
"""Text of the page -> what stands there in this installation, or who knows it when its command comes."""


class Shell:
    """What is exported, where it stands and what it defined goes on from command to command."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._mark = uuid4().hex
        self._bash = subprocess.Popen(
            ["bash", "--norc"],
            cwd=folder,
            env={**environment, "COLUMNS": "200"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, text: str) -> tuple[int, str]:
        """Exit code and everything that was printed. Commands get no input of their own."""
        assert self._bash.stdin and self._bash.stdout
        self._bash.stdin.write(f"{{ {text}\n}} </dev/null\nprintf '\\n%s %s\\n' {self._mark} $?\n")
        self._bash.stdin.flush()
        said = []
        for line in self._bash.stdout:
            if line.startswith(self._mark):
                return int(line.split()[1]), "".join(said)
            said.append(line)
        raise AssertionError(f"the shell ended in: {text}\n{''.join(said)}")

    def close(self) -> None:
        assert self._bash.stdin and self._bash.stdout
        self._bash.stdin.close()
        self._bash.wait(20)
        self._bash.stdout.close()


def follow(shell: Shell, commands: Sequence[Command], placeholders: Placeholders, left_out: Sequence[str]) -> list[str]:
    """Run a page from top to bottom: what did not exit as the page says, with what it printed."""
    wrong = []
    for command in commands:
        if not command.text.startswith(tuple(left_out)):
            text = filled(command.text, placeholders)
            code, said = shell.run(text)
            if code != command.exit:
                wrong.append(f"$ {text}\nexit {code}\n{said[-2000:]}")
    return wrong


def filled(text: str, placeholders: Placeholders) -> str:
    """The command with the values of this installation: the longest placeholder first, and no value filled again."""
    longest = sorted(placeholders, key=len, reverse=True)
    values: dict[str, str] = {}

    def value_of(found: re.Match[str]) -> str:
        if found[0] not in values:
            value = placeholders[found[0]]
            values[found[0]] = value if isinstance(value, str) else value()
        return values[found[0]]

    return re.sub("|".join(map(re.escape, longest)), value_of, text) if longest else text
