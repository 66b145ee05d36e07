"""Read JSON from a principal. Text that could not be written again does not count as JSON."""

import json
import re
from collections.abc import Callable
from typing import Any

HALF_A_PAIR = re.compile(r"\\u[dD][89a-fA-F]")
"""Matches the start of an escape that may be half of a surrogate pair; UTF-8 itself has no such halves."""


def read_said(content: bytes, members: Callable[[Any], object] = dict) -> object:
    """Return what a JSON text in UTF-8 says.

    ``members`` makes an object of its members, which come in order and with repeated ones. Raises ValueError, also for
    half of a surrogate pair (``"\\\\ud800"``), which no file and no table accepts; and RecursionError for a text that
    is nested too deep.
    """
    text = content.decode("utf-8-sig")
    if HALF_A_PAIR.search(text):
        json.dumps(json.loads(text), ensure_ascii=False).encode()
    return json.loads(text, object_pairs_hook=members)
