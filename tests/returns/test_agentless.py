"""A contact without an agent goes where nothing in it shows a human; else it waits for its agent's name."""

from pathlib import Path

import pytest
import yaml

from returns.attempt import Attempt
from support.copies import Copies
from support.night import AT_ONCE, Call, copied_night

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


@pytest.mark.stores
@pytest.mark.parametrize(
    ("row", "held"),
    [({"talk": "0:05:00"}, "STAFF_NO_AGENT"), ({"agent": "[Deleted]", "talk": "0:05:00"}, "AGENT_DELETED")],
    ids=["nobody named", "deleted by the platform"],
)
def test_a_row_that_names_no_agent_is_made_anew_by_no_news_of_accounts(
    copies: Copies, tmp_path: Path, row: dict[str, str], held: str
) -> None:
    with copied_night(copies, tmp_path, AT_ONCE) as night:
        silent, spoken = night.people(2)
        night.called(Attempt("c0", *silent, **row), Call("c1", *spoken))
        night.make()
        [line] = night.returns()
        assert night.record(line).right_treatment.held_back == {held: 1}

        for number in range(2):
            night.admit(f"kind,agent,at,platform,account\naccount,agent07,,other,acc{number}\n")
            night.make()

        assert [each.id for each in night.returns()] == [line.id]


@pytest.mark.stores
def test_an_agent_whom_accounts_name_later_goes_beside_rows_that_name_none(copies: Copies, tmp_path: Path) -> None:
    with copied_night(copies, tmp_path, AT_ONCE) as night:
        night.admit("kind,agent,at,platform,account\naccount,agent01,,five9,acc1\n")
        silent, spoken = night.people(2)
        night.called(Attempt("c0", *silent, talk="0:05:00"), Call("c1", *spoken, agent="acc9"))
        night.make()
        [line] = night.returns()
        assert night.record(line).right_treatment.held_back == {"STAFF_NO_AGENT": 1, "AGENT_UNKNOWN": 1}

        night.admit("kind,agent,at,platform,account\naccount,agent01,,five9,acc9\n")
        night.make()

        newest = night.returns()[0]
        assert night.record(newest).right_treatment.held_back == {"STAFF_NO_AGENT": 1}
        assert spoken[0] in night.file(newest).decode()
