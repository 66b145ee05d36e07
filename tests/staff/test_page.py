"""The page for people knows every reason, column and code that the room can give."""

import re
from pathlib import Path

from sluice.staff.model import Kind, Reason
from sluice.staff.rows import COLUMNS, KNOWN

ROOM = Path(__file__).resolve().parents[2]
PAGE = (ROOM / "docs" / "how-to" / "staff.md").read_text()
SOURCES = [ROOM / "include" / "sluice" / "staff" / f"{name}.py" for name in ("rows", "read", "settle", "times")]


def test_every_reason_has_a_cure() -> None:
    assert [reason for reason in Reason if f"`{reason}`" not in PAGE] == []


def test_every_kind_and_column_is_described() -> None:
    assert set(COLUMNS) == set(Kind)
    assert [name for name in (*KNOWN, *Kind) if f"`{name}`" not in PAGE] == []


def test_every_code_of_a_finding_is_described() -> None:
    given = {code for path in SOURCES for code in re.findall(r'"([A-Z]+_[A-Z_0-9]+)"', path.read_text())}
    assert len(given) > 20
    assert [code for code in given if f"`{code}`" not in PAGE] == []
