"""A table on a terminal that is too narrow for it: its rows as lines, no word cut to pieces."""

import io

import pytest
from rich.console import Console

from sluice.cli import output

COLUMNS = ("id", "principal", "flow", "decision", "opened (UTC)", "in", "accepted", "refused", "held", "receipt")
ROW = (
    "495e0ac0-6e87-4aad-8827-676bdc6255bb", "energy01", "renewal_campaign", "partly_accepted", "2026-11-30 09:58:06",
    698, 395, 0, None, "yes",
)  # fmt: skip


def shown(monkeypatch: pytest.MonkeyPatch, width: int, *, terminal: bool, rows: int = 2) -> list[str]:
    kept = io.StringIO()
    console = Console(file=kept, width=width, force_terminal=terminal, color_system=None, highlight=False)
    monkeypatch.setattr(output, "out", console)
    output.show_table("Exchanges", COLUMNS, [ROW] * rows)
    return [line.rstrip() for line in kept.getvalue().splitlines()]


@pytest.mark.parametrize("width", [40, 80])
def test_rows_are_lines_where_a_table_would_break_every_word(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    lines = shown(monkeypatch, width, terminal=True)

    assert lines[0] == "Exchanges" and max(map(len, lines)) <= width
    assert [line.split()[-1] for line in lines if line.startswith("decision")] == ["partly_accepted"] * 2
    assert "refused       0" in lines and not [line for line in lines if line.startswith("held")]


def test_a_wide_terminal_a_log_and_nothing_get_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    for width, terminal, rows in ((150, True, 2), (80, False, 2), (80, True, 0)):
        table = shown(monkeypatch, width, terminal=terminal, rows=rows)
        assert table[1].startswith("┏"), (width, terminal, rows)
