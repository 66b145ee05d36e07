"""Limits of an agreement: less is free, more only as far as the house goes, and a paper of before never says more."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agreement.papers import AGREEMENT, write_folder
from sluice.agreement.folder.lint import lint_path
from sluice.agreement.folder.load import load_agreement
from sluice.agreement.in_force.activate import activate_principal
from sluice.agreement.in_force.store import find_version
from sluice.agreement.limits import LIMITS, GateLimits, limit_lines, limits_in_force
from sluice.db import connect_to
from sluice.exchange.judging.job import file_limits_of, limits_of, widest_limits
from sluice.lake.table import FileLimits
from sluice.settings import Settings, get_settings

SILENT = GateLimits()
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def agreement_with(root: Path, limits: str) -> Path:
    text = AGREEMENT.replace("delivery:\n", f"limits: {{{limits}}}\ndelivery:\n", 1)
    return write_folder(root, text) / "agreement-3.0.0.yaml"


def test_where_an_agreement_says_nothing_the_limits_are_those_of_the_specification() -> None:
    most = limits_in_force(SILENT, Settings())
    assert (most["file_mb"], most["archive_ratio"], most["cell_kb"]) == (2048, 100, 1024)
    assert (most["columns"], most["json_depth"], most["name_characters"]) == (1024, 32, 200)
    assert widest_limits(Settings()) == FileLimits()


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.key)
def test_less_is_free_and_more_stops_at_the_house(limit) -> None:
    house = Settings(**{limit.setting: (allowed := max(limit.least, 100))})
    for said, expected in ((limit.least, limit.least), (allowed, allowed), (allowed + 1, allowed), (10**9, allowed)):
        assert limits_in_force(GateLimits(**{limit.name: said}), house)[limit.name] == expected
    assert limits_in_force(SILENT, house)[limit.name] == min(limit.usual or allowed, allowed)


def test_a_house_that_allows_more_gives_it_to_who_asks_and_to_nobody_else() -> None:
    house = Settings(most_columns=4096)
    assert limits_in_force(SILENT, house)["columns"] == 1024
    assert limits_in_force(GateLimits(columns=4096), house)["columns"] == 4096
    assert limits_in_force(GateLimits(columns=5000), house)["columns"] == 4096


def test_what_the_paper_says_reaches_the_reader_and_the_child(tmp_path: Path) -> None:
    said = "fileMb: 7, archiveRatio: 6, cellKb: 5, columns: 4, jsonDepth: 3, nameCharacters: 2, "
    agreement = load_agreement(agreement_with(tmp_path, said + "memoryMb: 300, cpuSeconds: 20, wallSeconds: 30"))
    read, child = file_limits_of(Settings(), agreement), limits_of(Settings(), agreement, 1000)
    assert read == FileLimits(7 << 20, 5 << 10, 4, 2, 3, archive_ratio=6)
    assert (child.memory_bytes, child.cpu_seconds, child.wall_seconds) == ((300 << 20) + 12_000, 20, 30)


def test_a_paper_that_says_more_than_the_house_loads_and_is_named_by_the_linter(tmp_path, monkeypatch):
    path = agreement_with(tmp_path, "columns: 2000")
    [problem] = [found for found in lint_path(path) if found.code == "AGR-036"]
    assert "at most 1024: SLUICE_MOST_COLUMNS" in problem.message
    assert file_limits_of(Settings(), load_agreement(path)).columns == 1024
    monkeypatch.setenv("SLUICE_MOST_COLUMNS", "2000")
    get_settings.cache_clear()
    assert [found for found in lint_path(path) if found.code == "AGR-036"] == []
    get_settings.cache_clear()


@pytest.mark.stores
def test_a_house_that_allows_less_from_today_on_still_takes_new_papers_of_who_asked_for_more(
    database, tmp_path, monkeypatch, fresh_settings
):
    path = agreement_with(tmp_path, "columns: 1000")
    with connect_to(database.app_url) as conn:
        activate_principal(conn, path.parent, NOW)
        monkeypatch.setenv("SLUICE_MOST_COLUMNS", "500")
        get_settings.cache_clear()
        newer = AGREEMENT.replace("version: 3.0.0", "version: 3.1.0").replace("supersedes: 2.4.0", "supersedes: 3.0.0")
        (path.parent / "agreement-3.1.0.yaml").write_text(newer)
        activate_principal(conn, path.parent, NOW + timedelta(days=1))
        assert find_version(conn, "DPA-ENERGY01", "3.1.0") is not None
        old = find_version(conn, "DPA-ENERGY01", "3.0.0")
        assert old is not None and file_limits_of(get_settings(), old).columns == 500


def test_every_limit_is_told_with_what_counts(tmp_path: Path) -> None:
    agreement = load_agreement(agreement_with(tmp_path, "columns: 2000, cellKb: 8"))
    told = {
        line.limit: (line.agreement, line.house, line.in_force) for line in limit_lines(agreement.limits, Settings())
    }
    assert told["columns"] == (2000, 1024, 1024)
    assert told["cellKb"] == (8, 1024, 8)
    assert told["wallSeconds"] == (None, 300, 300)
    assert len(told) == len(LIMITS)
