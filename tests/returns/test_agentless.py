"""A contact without an agent goes where nothing in it shows a human; else it waits for its agent's name."""

from pathlib import Path

import pytest
import yaml

from copies import Copies
from night import AT_ONCE, copied_night
from returns.attempt import Attempt

MAPPINGS = sorted((Path(__file__).parents[2] / "include/mappings").glob("*.yaml"))


@pytest.mark.stores
def test_a_contact_without_agent_goes_only_where_nothing_in_it_shows_a_human(copies: Copies, tmp_path: Path) -> None:
    with copied_night(copies, tmp_path, AT_ONCE) as night:
        silent, *people = night.people(7)
        shown = ({"talk": "0:05:00"}, {"wrap": "0:00:30"}, {"note": "Mevrouw wil overstappen"}, {"order": "ORD-1"},
                 {"recording": "rec-1"}, {"callback": "2026-12-01 10:00"})  # fmt: skip
        works = [Attempt(f"c{n}", *who, **work) for n, (who, work) in enumerate(zip(people, shown, strict=True), 1)]

        night.called(Attempt("c0", *silent), *works)
        night.make()

        [line] = night.returns()
        record = night.record(line)
        assert (record.what.rows_accepted, record.right_treatment.held_back) == (1, {"STAFF_NO_AGENT": len(shown)})
        assert {row.row for row in night.held(line)} == set(range(2, 8))
        assert silent[0] in night.file(line).decode()


@pytest.mark.parametrize("path", MAPPINGS, ids=lambda path: path.stem)
def test_no_export_is_read_without_its_agents(path: Path) -> None:
    """Rows of an export that lacks the column would pass as rows that nobody handled."""
    assert "optional" not in yaml.safe_load(path.read_text(encoding="utf-8"))["columns"]["agent"]
