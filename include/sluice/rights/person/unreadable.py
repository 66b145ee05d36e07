"""Why a file of a principal under ``requests/`` cannot be read: a code and a place, never a word of the file. Pure."""

import csv
import io
import json
from collections.abc import Callable, Set
from typing import Any

from sluice.exchange.said_json import read_said


class Unreadable(Exception):
    """Where reading stopped. ``member``: of the JSON object, one of ours. ``line``: from 1, where it is known."""

    def __init__(self, code: str, member: str | None = None, line: int | None = None) -> None:
        super().__init__(code)
        self.code, self.member, self.line = code, member, line

    def as_reason(self) -> dict[str, Any]:
        """As a notice has it."""
        return {"code": self.code, "member": self.member, "line": self.line}


def read_object(
    content: bytes, must: Set[str], known: Set[str], members: Callable[[Any], dict[str, Any]] = dict
) -> dict[str, Any]:
    """Return the object of a JSON text. ``must`` and ``known``: the names that it needs, and that it may have.

    Raises Unreadable: FILE_EMPTY, NOT_UTF8, NOT_JSON, NESTED_TOO_DEEP, HALF_A_CHARACTER, NO_OBJECT,
    MEMBER_MISSING, MEMBER_UNKNOWN, and what ``members`` raises. A name that is not known is not repeated: it may be a
    person's.
    """
    said = _read_json(content, members)
    if not isinstance(said, dict):
        raise Unreadable("NO_OBJECT")
    if missing := sorted(must - set(said)):
        raise Unreadable("MEMBER_MISSING", missing[0])
    if not set(said) <= known:
        raise Unreadable("MEMBER_UNKNOWN")
    return said


def _read_json(content: bytes, members: Callable[[Any], dict[str, Any]]) -> object:
    if not content.strip():
        raise Unreadable("FILE_EMPTY")
    fault: Unreadable | None = None
    try:
        return read_said(content, members)
    except json.JSONDecodeError as error:
        fault = Unreadable("NOT_JSON", line=error.lineno)
    except UnicodeDecodeError as error:
        fault = Unreadable("NOT_UTF8", line=content[: error.start].count(b"\n") + 1)
    except UnicodeEncodeError:
        fault = Unreadable("HALF_A_CHARACTER")
    except ValueError:  # a number of thousands of digits
        fault = Unreadable("NOT_JSON")
    except RecursionError:
        fault = Unreadable("NESTED_TOO_DEEP")
    raise fault  # outside of the handler: its error quotes the file


def why_no_csv(content: bytes, delimiter: str) -> Unreadable:
    """Where the reading of a CSV file stopped: NOT_UTF8, or NOT_CSV for a quote that nothing closes, among others."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return Unreadable("NOT_UTF8", line=content[: error.start].count(b"\n") + 1)
    reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=delimiter, strict=True)
    last = 0
    try:
        for _ in reader:
            last = reader.line_num
    except csv.Error:
        pass
    return Unreadable("NOT_CSV", line=last + 1)
