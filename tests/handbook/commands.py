"""The commands of the documents: every line of every `bash` block, and every `python` block as one."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import dedent

HOUSE = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^( *)```(bash|sh|console|python)\n(.*?)^\1```$", re.M | re.S)
EXITS = re.compile(r"# exits (\d)")


@dataclass(frozen=True)
class Command:
    """One command as it stands on its page."""

    text: str

    @property
    def exit(self) -> int:
        """What the page says it exits with; 0 where it says nothing."""
        said = EXITS.search(self.text)
        return int(said[1]) if said else 0


def pages() -> dict[str, Path]:
    """README and every document, by its address in the checkout."""
    found = [HOUSE / "README.md", *sorted((HOUSE / "docs").rglob("*.md"))]
    return {str(path.relative_to(HOUSE)): path for path in found}


def commands_of(markdown: str) -> list[Command]:
    """In the order of the page. Raises ValueError where a block ends in the middle of a command."""
    found: list[Command] = []
    for _, language, block in BLOCK.findall(markdown):
        text = dedent(block)
        found += [Command(f"python - <<'CODE'\n{text}CODE")] if language == "python" else _split(text)
    return found


def _split(block: str) -> Iterator[Command]:
    """Whole commands: a line, or several where a quote, a here-document or a backslash goes on."""
    begun = ""
    for line in block.splitlines():
        if not begun and (not line.strip() or line.lstrip().startswith("#")):
            continue
        begun = f"{begun}\n{line}" if begun else line
        if is_whole(begun):
            yield Command(begun)
            begun = ""
    if begun:
        raise ValueError(begun)


@cache
def is_whole(text: str) -> bool:
    if text.endswith("\\"):
        return False
    done = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
    return done.returncode == 0 and not done.stderr
