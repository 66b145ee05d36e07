"""JSON that a principal puts: whatever it says can be written again, or it is no JSON."""

import json
import re
from collections.abc import Callable
from typing import Any

HALF_A_PAIR = re.compile(r"\\u[dD][89a-fA-F]")
"""How an escape begins that may be half of a surrogate pair: in UTF-8 itself there is none."""


def read_said(content: bytes, members: Callable[[Any], object] = dict) -> object:
    """What a JSON text in UTF-8 says. ``members``: makes an object of its members, in their order, with repeated ones.

    Raises ValueError, also for half of a surrogate pair (``"\\\\ud800"``), which no file and no table takes; and
    RecursionError for one that is nested too deep.
    """
    text = content.decode("utf-8-sig")
    if HALF_A_PAIR.search(text):
        json.dumps(json.loads(text), ensure_ascii=False).encode()
    return json.loads(text, object_pairs_hook=members)
