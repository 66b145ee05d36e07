"""An installation whose principal means harm: scripts in every text of its agreement, its columns, its file names."""

from pathlib import Path
from typing import Any

import yaml

from browser.payloads import PAYLOADS
from rights.town import open_town
from sluice.settings import Settings
from support.night import AGREEMENT, AT_ONCE, with_papers

ALL = " ".join(PAYLOADS)
TEXTS = frozenset({"name", "address", "signedBy", "role", "subjectMatter", "nl", "fr", "en"})
"""Keys of an agreement under which free text stands."""


def hostile(settings: Settings, folder: Path) -> None:
    """Fills an installation: one file accepted under such a paper, one with 60 such columns, 60 so named."""
    changed = with_papers(settings, folder, AT_ONCE)
    paper = changed.principals_dir / "energy01" / AGREEMENT
    paper.write_text(yaml.safe_dump(_poisoned(yaml.safe_load(paper.read_text())), allow_unicode=True, sort_keys=False))
    with open_town(changed, folder, ["energy01"], 1) as town:
        town.arrive("energy01", town.people)
        head = ";".join('"' + payload.replace('"', '""') + '"' for payload in PAYLOADS)
        town.desk.drop(f"{head}\n{';' * (len(PAYLOADS) - 1)}\n".encode(), "columns.csv")
        for number, payload in enumerate(PAYLOADS):
            town.desk.drop(f"a;b\n{number};1\n".encode(), f"{payload}.csv")
        town.desk.work()


def _poisoned(node: Any, key: str = "") -> Any:
    if isinstance(node, dict):
        return {name: _poisoned(value, name) for name, value in node.items()}
    if isinstance(node, list):
        return [_poisoned(each) for each in node]
    return ALL if isinstance(node, str) and key in TEXTS else node
