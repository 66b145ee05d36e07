"""How every command speaks: a table for people, one JSON document for programs, logs on stderr."""

import io
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text


class Format(StrEnum):
    """Value of ``--format``."""

    TABLE = "table"
    JSON = "json"


FormatOption = Annotated[Format, typer.Option("--format", help="table for people, json for programs.")]

WIDE = 160
"""Columns of a table that goes to a file or a log."""

out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDE)
err = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else WIDE)


def show_json(document: Mapping[str, Any]) -> None:
    """Write one JSON document and a newline to stdout."""
    text = json.dumps(document, ensure_ascii=False, default=str)
    if not text.isprintable() and any("\ud800" <= sign <= "\udfff" for sign in text):
        text = json.dumps(document, default=str)  # a path that is no UTF-8 stays valid JSON
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows as a table. Cells are text, never markup."""
    table = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text("" if cell is None else str(cell)) for cell in row))
    out.print(table)


def show_pairs(title: str, pairs: Mapping[str, object]) -> None:
    """Print a two-column table of names and values."""
    show_table(title, ("", ""), list(pairs.items()))


def items(value: str) -> Iterator[str]:
    """``-`` means one item a line on stdin; anything else is the item itself. A batch ends with its worst exit."""
    if value != "-":
        yield value
        return
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")  # a broken byte is one invalid line
    for line in sys.stdin:
        yield line.rstrip("\r\n")
