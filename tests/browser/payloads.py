"""Sixty ways to make a browser run what was meant to be text; each calls ``alert`` when it succeeds (S-25)."""

import json
from pathlib import Path

PAYLOADS: tuple[str, ...] = tuple(json.loads((Path(__file__).parent / "payloads.json").read_text(encoding="utf-8")))
"""Each runs when it stands in a page as it is; how many do in this browser is what the control counts."""
