"""How every command speaks: a table for people, one JSON document for programs, logs on stderr."""

import io
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeGuard

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text


class Format(StrEnum):
    """Value of ``--format``."""

    TABLE = "table"
    JSON = "json"


FormatOption = Annotated[Format, typer.Option("--format", help="table for people, json for programs.")]

VOCABULARY = "https://w3id.org/dpv"
WIDE = 160
"""Columns of a table that goes to a file or a log."""


def nowhere(mode: str) -> Any:
    """A stream from which nothing comes, or that keeps nothing; open to the end of the process."""
    return Path(os.devnull).open(mode, encoding="utf-8")


def _open_what_is_closed() -> None:
    """Whoever started us may have closed what everybody has; what would go there goes nowhere."""
    sys.stdin = sys.stdin or nowhere("r")
    sys.stdout = sys.stdout or nowhere("w")
    sys.stderr = sys.stderr or nowhere("w")


_open_what_is_closed()
out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDE)
err = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else WIDE)


def show_json(document: Mapping[str, Any]) -> None:
    """Write one JSON document and a newline to stdout."""
    text = json.dumps(document, ensure_ascii=False, default=_plain)
    if not text.isprintable() and any("\ud800" <= sign <= "\udfff" for sign in text):
        text = json.dumps(document, default=_plain)  # a path that is no UTF-8 stays valid JSON
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _plain(value: object) -> str:
    """What JSON has no word for; a moment in UTC, as everywhere."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)


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


def show_answer(title: str, answer: Mapping[str, object]) -> None:
    """Print a mapping that holds lists and mappings: what is one line as a pair, records as a table of their own."""
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
    """One line; of words in several languages those in English, of a term of DPV its name."""
    if isinstance(value, str) and value.startswith(VOCABULARY):
        return value.rpartition("#")[2]
    if isinstance(value, dict):
        own = value.get("en")
        return own or "; ".join(f"{name}: {_in_words(each)}" for name, each in value.items() if each is not None)
    if isinstance(value, (list, tuple)):
        return ", ".join(str(_in_words(each)) for each in value)
    return _plain(value) if isinstance(value, datetime) else value


def items(value: str) -> Iterator[str]:
    """``-`` means one item a line on stdin; anything else is the item itself. A batch ends with its worst exit."""
    if value != "-":
        yield value
        return
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="surrogateescape")  # a broken byte is one invalid line
    for line in sys.stdin:
        yield line.rstrip("\r\n")
