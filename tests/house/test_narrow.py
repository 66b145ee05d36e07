"""A table breaks no word: its rows are lines on a terminal too narrow for it, and a file gets it as wide as it is."""

import io
from collections.abc import Sequence

import pytest
from rich.console import Console

from sluice.cli import output

COLUMNS = ("id", "principal", "flow", "decision", "opened (UTC)", "in", "accepted", "refused", "held", "receipt")
ROW = (
    "495e0ac0-6e87-4aad-8827-676bdc6255bb", "energy01", "renewal_campaign", "partly_accepted", "2026-11-30 09:58:06",
    698, 395, 0, None, "yes",
)  # fmt: skip


COPIES = ("kind", "bucket", "key", "version_id", "sha256", "size_bytes", "retention_rule", "delete_after")
COPY = (
    "arrived", "exchange-d3396eb26183", "energy01/inbound/renewal_campaign/leads_20261130.csv and more than one word",
    "671321b1a8eb5d258da2355604fdb9f8", "3f7fb458e57cafa7155960fdf33755c3222a34e54921722983e0adecfa948bea", 3,
    "R-CAMPAIGN", "2026-12-30",
)  # fmt: skip


def shown(
    monkeypatch: pytest.MonkeyPatch,
    width: int,
    *,
    terminal: bool,
    rows: int = 2,
    columns: Sequence[str] = COLUMNS,
    row: Sequence[object] = ROW,
) -> list[str]:
    kept = io.StringIO()
    console = Console(
        file=kept, width=width, force_terminal=terminal, color_system=None, highlight=False, soft_wrap=True
    )
    monkeypatch.setattr(output, "out", console)
    output.show_table("Exchanges", columns, [row] * rows)
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


def words(row: Sequence[object]) -> set[str]:
    return {word for cell in row if cell is not None for word in str(cell).split()}


@pytest.mark.parametrize(("columns", "row"), [(COLUMNS, ROW), (COPIES, COPY)])
@pytest.mark.parametrize("width", [100, 120, 160, 240])
@pytest.mark.parametrize("terminal", [True, False])
def test_no_word_is_broken_on_a_terminal_or_in_a_file(
    monkeypatch: pytest.MonkeyPatch, columns: Sequence[str], row: Sequence[object], width: int, terminal: bool
) -> None:
    lines = shown(monkeypatch, width, terminal=terminal, columns=columns, row=row)

    assert words(row) - words(" ".join(lines).split()) == set()
    assert not terminal or max(map(len, lines)) <= width, "and no line is longer than the terminal"


def test_a_word_longer_than_a_hash_is_broken_and_a_short_table_is_as_narrow_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    long = "k" * (output.READABLE + 1)
    kept = shown(monkeypatch, 100, terminal=False, columns=COPIES, row=(*COPY[:2], long, *COPY[3:]))
    assert words([long]) - words(" ".join(kept).split()) == {long}, "control: what is broken is seen"

    assert len(shown(monkeypatch, 100, terminal=False, columns=("a", "b"), row=(1, 2))[1]) == 9
