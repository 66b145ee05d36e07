"""The output of every command: a table for people or one JSON document for programs, messages on stderr."""

import errno
import io
import itertools
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeGuard

import typer
from rich.cells import cell_len
from rich.console import Console, ConsoleDimensions
from rich.table import Table
from rich.text import Text

from sluice.errors import Exit, Ref, SluiceError, UsageError


class Format(StrEnum):
    """Value of ``--format``."""

    TABLE = "table"
    JSON = "json"


FormatOption = Annotated[Format, typer.Option("--format", help="table for people, json for programs.")]

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})
ODD = re.compile(r"[\x80-\x9f\u2028\u2029\ud800-\udfff]")
"""Characters that JSON gets as escapes only: surrogates, which UTF-8 lacks, and what some readers take for controls."""
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
VOCABULARY = "https://w3id.org/dpv"
READABLE, FRAME = 64, 3
"""The longest word that a table never breaks, a SHA-256, and the frame around a cell; both in characters."""
PAIR = 2
"""Columns of a table of names and values, which is shown as a table on every terminal."""
LONGEST_LINE = 64 << 10
"""Most characters of a line of stdin, end included: as many bytes as a body over HTTP or an instruction may have."""
WIDE = 160
"""Width of a table in a file or a log, in characters."""


def nowhere(mode: str) -> Any:
    """Open /dev/null as a text stream; it stays open until the process ends."""
    return Path(os.devnull).open(mode, encoding="utf-8")


class _Closed(io.TextIOBase):
    """A stdout that whoever started us had closed: an answer written there would be lost, so writing fails."""

    def write(self, text: str) -> int:
        raise OSError(errno.EBADF, "stdout is closed")


class _StreamConsole(Console):
    """A console as wide as its terminal, or ``WIDE`` columns where its stream is a file or a log.

    It looks at its stream whenever it writes, so nothing is looked at when this module is imported.
    """

    @property  # type: ignore[misc]  # nobody sets it
    def size(self) -> ConsoleDimensions:
        size = super().size
        return size if self.file.isatty() else ConsoleDimensions(WIDE, size.height)


out = _StreamConsole(highlight=False, soft_wrap=True)
err = _StreamConsole(stderr=True, highlight=False, soft_wrap=True)


def prepare_streams() -> None:
    """Make the standard streams safe to write to; ``main`` calls it once, before the command runs."""
    _reopen_closed_streams()
    _escape_unencodable_characters()
    err.soft_wrap = not sys.stderr.isatty()  # a log keeps a sentence on its line


def _reopen_closed_streams() -> None:
    """Replace closed stdin and stderr by /dev/null, and a closed stdout by one that says so when it is written to."""
    sys.stdin = sys.stdin or nowhere("r")
    sys.stdout = sys.stdout or _Closed()
    sys.stderr = sys.stderr or nowhere("w")


def _escape_unencodable_characters() -> None:
    """Write characters that stdout's encoding lacks as backslash escapes."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


class OutputFull(SluiceError):
    code: ClassVar[str] = "SLU-310"
    summary: ClassVar[str] = "the answer cannot be written out"
    cure: ClassVar[str] = (
        "make room on the disk where stdout goes, or open it, and run the command again; its work may be done"
    )
    exit: ClassVar[Exit] = Exit.UNDECIDED


def probe_stdout_full(error: Exception) -> bool:
    """Whether ``error`` came from a full disk behind stdout or a closed one: if it may have, write there to see."""
    if not isinstance(error, OSError) or error.errno not in FULL:
        return False
    try:
        sys.stdout.write("\n")
        sys.stdout.flush()
    except OSError:
        return True
    return False


def escape_controls(text: str) -> str:
    """Escape control characters except line end and tab: a file name could move the cursor."""
    return CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def show_json(document: Mapping[str, Any]) -> None:
    """Write one JSON document and a newline to stdout."""
    text = json.dumps(document, ensure_ascii=False, default=_plain)
    if not text.isascii() and (not _is_utf_8(sys.stdout.encoding) or ODD.search(text)):
        text = json.dumps(document, default=_plain)  # a path that is not UTF-8 stays valid JSON, and moves no cursor
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _is_utf_8(encoding: str | None) -> bool:
    return encoding is None or encoding.lower().replace("-", "") == "utf8"


def _plain(value: object) -> str:
    """Text for a value that JSON has no type for; a moment is given in UTC."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)


def show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows as a table that breaks no word; if it is too wide for the terminal, print each row as lines instead.

    In a file or log, a cell of at most ``READABLE`` characters stays on one line, so that a search finds it. Cells are
    text, never markup.
    """
    heading = Text(escape_controls(title), "table.title")
    cells = [[_cell(value) for value in row] for row in rows]
    words, lines = _longest_words(columns, cells), _longest_lines(columns, cells)
    if not out.is_terminal:
        words = [max(word, min(READABLE, line)) for word, line in zip(words, lines, strict=True)]
    frame = len(columns) * FRAME + 1
    too_wide = out.is_terminal and sum(words) + frame > out.width
    if too_wide and cells and len(columns) > PAIR:
        out.print(heading)
        for row in cells:
            _show_lines(columns, row)
        return
    table = Table(title=heading, title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    if not too_wide:
        _widen(table, _widths(words, lines, out.width - frame), frame)
    for row in cells:
        table.add_row(*row)
    out.print(table)


def _widen(table: Table, widths: Sequence[int], frame: int) -> None:
    """Set the widths of the columns, also if the sum is more than the width of the console."""
    table.width = sum(widths) + frame
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width


def _longest_words(columns: Sequence[str], cells: Sequence[Sequence[Text]]) -> list[int]:
    """Width in characters of the longest word of each column, at most ``READABLE``; a longer word may be broken."""
    return [
        min(READABLE, max((cell_len(word) for text in column for word in text.split()), default=1))
        for column in _texts(columns, cells)
    ]


def _longest_lines(columns: Sequence[str], cells: Sequence[Sequence[Text]]) -> list[int]:
    """Width in characters of each column if nothing in it were wrapped."""
    return [
        max((cell_len(line) for text in column for line in text.splitlines()), default=1)
        for column in _texts(columns, cells)
    ]


def _texts(columns: Sequence[str], cells: Sequence[Sequence[Text]]) -> Iterator[list[str]]:
    """The texts of each column, its name first."""
    return ([name, *(row[place].plain for row in cells)] for place, name in enumerate(columns))


def _widths(words: Sequence[int], lines: Sequence[int], room: int) -> list[int]:
    """Give each column the width of its longest word, and share the rest of ``room`` among columns with longer lines.

    Columns that lack the least come first, so that as many as possible need no wrapping. A column never gets less
    than its longest word, so the sum may be more than ``room``.
    """
    widths, left = list(words), max(0, room - sum(words))
    by_lack = sorted(range(len(words)), key=lambda place: lines[place] - words[place])
    for done, place in enumerate(by_lack):
        more = min(max(0, lines[place] - words[place]), left // (len(words) - done))
        widths[place], left = widths[place] + more, left - more
    return widths


def _show_lines(columns: Sequence[str], row: Sequence[Text]) -> None:
    """Print one row as lines of a name and a value, without empty values, and then an empty line."""
    lines = Table.grid(padding=(0, 2))
    lines.add_column(style="bold")
    lines.add_column(overflow="fold")
    for name, cell in zip(columns, row, strict=True):
        if cell.plain:
            lines.add_row(name, cell)
    out.print(lines)
    out.print()


def _cell(value: object) -> Text:
    return value if isinstance(value, Text) else Text("" if value is None else escape_controls(str(value)))


def show_pairs(title: str, pairs: Mapping[str, object]) -> None:
    """Print a two-column table of names and values."""
    show_table(title, ("", ""), list(pairs.items()))


def show_answer(title: str, answer: Mapping[str, object]) -> None:
    """Print a mapping: each list of records as a table of its own, every other value as a pair of name and value."""
    tables = {name: value for name, value in answer.items() if _is_records(value)}
    show_pairs(title, {name: _in_words(value) for name, value in answer.items() if name not in tables})
    for name, rows in tables.items():
        said = dict.fromkeys(column for row in rows for column in row)
        columns = [column for column in said if any(row.get(column) not in (None, "", []) for row in rows)]
        cells = [[_in_words(row.get(column)) for column in columns] for row in rows]
        show_table(f"{title}: {name.replace('_', ' ')}", columns, cells)


def _is_records(value: object) -> TypeGuard[list[dict[str, object]]]:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


def _in_words(value: object) -> object:
    """A value on one line: of text in several languages the English, of a DPV term its name."""
    if isinstance(value, str) and value.startswith(VOCABULARY):
        return value.rpartition("#")[2]
    if isinstance(value, dict):
        own = value.get("en")
        return own or "; ".join(f"{name}: {_in_words(each)}" for name, each in value.items() if each is not None)
    if isinstance(value, (list, tuple)):
        return ", ".join(str(_in_words(each)) for each in value)
    return _plain(value) if isinstance(value, datetime) else value


def items(value: str) -> Iterator[str]:
    """Read items, one per line, from stdin if ``value`` is ``-``; else ``value`` is the only item.

    Raises UsageError for a line that is longer than any item; what follows is not read.
    """
    if value != "-":
        yield value
        return
    if isinstance(sys.stdin, io.TextIOWrapper):
        # A byte that is not UTF-8 spoils only its own line; a byte order mark at the beginning is skipped.
        sys.stdin.reconfigure(encoding="utf-8-sig", errors="surrogateescape")
    for number in itertools.count(1):
        line = sys.stdin.readline(LONGEST_LINE + 1)
        if not line:
            return
        if len(line) > LONGEST_LINE:
            raise UsageError(Ref("rule", "LINE_TOO_LONG"), Ref("line", number), Ref("most characters", LONGEST_LINE))
        yield line.rstrip("\r\n")
