"""What lies beside the lake (the file as it came, as it was delivered, what was sealed of it) ends with its rule."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from isoduration import parse_duration

from retention.keeping import at_night
from sluice.exchange.catalogue import find_copies
from sluice.exchange.read import find_by_versions
from sluice.lake.s3.objects import StoredObject
from sluice.ledger.record import CopyLine
from sluice.retention.run import retain
from sluice.sample.faults import FaultPlan
from sluice.settings import Settings
from sluice.terms import ExchangeId
from sluice.times import brussels_today
from support.desk import Desk, open_desk
from support.night import AGREEMENT, AT_ONCE, CALLED_AT, Call, Edit, Night, open_night, with_papers

pytestmark = pytest.mark.stores
WEEK = Edit(AGREEMENT, "duration: P90D", "duration: P7D")
FAULTS = FaultPlan(bad_phone=2, ragged_row=1)
OF_CELLS = {"arrived", "lake", "index", "index.rest", "quarantine.rows", "quarantine.records"}
FROM_CALL = "RET-REC, startEvent: call"
OLD = CALLED_AT - timedelta(days=20)
MONTH = (OLD + parse_duration("P1M")).date()
"""The last day of a recording of a call of 25 days ago."""


def house_day() -> str:
    """The last day of what the house keeps for 30 days from today."""
    return str(brussels_today() + timedelta(days=30))


def id_of(desk: Desk, dropped: StoredObject) -> ExchangeId:
    return ExchangeId(find_by_versions(desk.house.conn, [dropped.version_id])[dropped.version_id].id)


def copies_of(desk: Desk, exchange_id: ExchangeId) -> dict[str, CopyLine]:
    return {copy.kind: copy for copy in find_copies(desk.house.conn, exchange_id)}


def days_of(desk: Desk, exchange_id: ExchangeId) -> dict[str, tuple[str | None, str | None]]:
    """Rule and last day of every copy that is there."""
    return {kind: (copy.retention_rule, copy.delete_after) for kind, copy in copies_of(desk, exchange_id).items()}


def left(desk: Desk, copies: Collection[CopyLine]) -> set[str]:
    """Kinds of copies whose bytes are still in the store, whatever the catalogue says."""
    listed = {copy.kind: desk.house.objects.list_versions(copy.bucket, copy.key) for copy in copies}
    return {copy.kind for copy in copies if any(item.version_id == copy.version_id for item in listed[copy.kind])}


@contextmanager
def arrived(settings: Settings, folder: Path, *edits: Edit) -> Iterator[tuple[Desk, ExchangeId]]:
    """A campaign of which some rows were refused, under these papers."""
    with open_desk(with_papers(settings, folder, *edits), folder) as desk:
        dropped = desk.drop(desk.campaign(rows=60, faults=FAULTS)[0])
        desk.work()
        assert desk.line(dropped).decision == "partly_accepted"
        yield desk, id_of(desk, dropped)


def test_no_copy_of_a_file_outlives_the_shortest_rule_of_its_contract(store_settings: Settings, tmp_path: Path) -> None:
    with arrived(store_settings, tmp_path, WEEK) as (desk, exchange_id):
        end = brussels_today() + timedelta(days=7)
        copies = copies_of(desk, exchange_id)
        found = days_of(desk, exchange_id)
        assert {kind: found.pop(kind) for kind in OF_CELLS} == dict.fromkeys(OF_CELLS, ("RET-01", str(end)))
        assert found == {"findings": ("quarantine", house_day())}, "rows and codes, no cell"

        check_refused_whole(desk)

        retain(desk.house, at_night(end))
        assert left(desk, copies.values()) == {*OF_CELLS, "findings"}
        retain(desk.house, at_night(end + timedelta(days=1)))
        assert left(desk, copies.values()) == {"findings"}


def check_refused_whole(desk: Desk) -> None:
    """A file that is refused has the days of its paper, and without a paper those of the house."""
    again = desk.drop(desk.campaign(rows=60, faults=FAULTS)[0], "again.csv")
    prose = desk.drop(b"Een bladzijde die niemand als tabel kan lezen.\n" * 9, "prose.csv")
    unknown = desk.drop(b"a;b\n1;2\n", where=("energy01", "nothing_agreed"))
    desk.work()

    week = ("RET-01", str(brussels_today() + timedelta(days=7)))
    assert desk.line(again).reason_code == "DUPLICATE_CONTENT"
    assert days_of(desk, id_of(desk, again)) == {"arrived": week}
    found = days_of(desk, id_of(desk, prose))
    assert desk.line(prose).decision == "refused"
    assert (found["arrived"], found["quarantine.file"]) == (week, week)
    assert desk.line(unknown).reason_code == "FORBIDDEN_NO_CONTRACT"
    assert days_of(desk, id_of(desk, unknown)) == {"arrived": ("arrived", house_day())}


def test_where_the_rule_is_longer_the_days_of_the_house_end_what_lies_beside_the_lake(
    store_settings: Settings, tmp_path: Path
) -> None:
    with arrived(store_settings, tmp_path) as (desk, exchange_id):
        rule = ("RET-01", str(brussels_today() + timedelta(days=90)))
        sealed = ("quarantine", house_day())
        assert days_of(desk, exchange_id) == {
            "lake": rule, "index": rule, "arrived": ("arrived", house_day()), "index.rest": sealed,
            "quarantine.rows": sealed, "quarantine.records": sealed, "findings": sealed,
        }  # fmt: skip


def test_who_is_in_what_was_sealed_is_known_as_long_as_that_is_there(store_settings: Settings, tmp_path: Path) -> None:
    settings = store_settings.model_copy(update={"keep_arrived_days": 3, "keep_quarantine_days": 5})
    with arrived(settings, tmp_path, WEEK) as (desk, exchange_id):
        found = {kind: day for kind, (_, day) in days_of(desk, exchange_id).items()}
        ends = {
            kind: str(brussels_today() + timedelta(days=days)) for kind, days in (("arrived", 3), ("index.rest", 5))
        }
        assert {kind: found[kind] for kind in ends} == ends
        assert found["quarantine.rows"] == found["index.rest"] < str(found["lake"])


def test_a_law_keeps_the_data_and_not_the_file_as_it_came(store_settings: Settings, tmp_path: Path) -> None:
    """What went with the agreement before still does: a rule ends the file sooner, and never keeps it longer."""
    law = Edit(
        AGREEMENT, "startEvent: received, duration: P90D, statute: null",
        'startEvent: received, duration: P45D, statute: "accounts: 45 days"',
    )  # fmt: skip
    ends = Edit(AGREEMENT, "\nvalidTo: null\n", f"\nvalidTo: {brussels_today() + timedelta(days=1)}\n")
    longer = store_settings.model_copy(update={"keep_arrived_days": 60, "keep_quarantine_days": 60})
    with arrived(longer, tmp_path, law, ends) as (desk, exchange_id):
        copies, due = copies_of(desk, exchange_id), brussels_today() + timedelta(days=31)
        assert copies["arrived"].retention_rule == copies["lake"].retention_rule == "RET-01"
        retain(desk.house, at_night(due - timedelta(days=1)))
        assert left(desk, copies.values()) == {*OF_CELLS, "findings"}
        retain(desk.house, at_night(due))
        assert left(desk, copies.values()) == {"lake", "index"}
        retain(desk.house, at_night(brussels_today() + timedelta(days=46)))
        assert left(desk, copies.values()) == set()


@contextmanager
def returned(settings: Settings, folder: Path, *edits: Edit) -> Iterator[tuple[Night, ExchangeId, ExchangeId]]:
    """Three calls of 25 days ago are back with their principal: exchanges of the results, and of the return."""
    known = datetime.now(UTC) - timedelta(days=60)
    with open_night(with_papers(settings, folder, AT_ONCE, *edits), folder, 6, known_since=known) as night:
        calls = [Call(f"c{n}", *person, at=OLD) for n, person in enumerate(night.people(3))]
        results = id_of(night.desk, night.called(*calls))
        night.make()
        [line] = night.returns()
        assert b"rec-1" in night.file(line), "control: its recordings went"
        yield night, results, ExchangeId(line.id)


@pytest.mark.parametrize("start", ["call", pytest.param("received", marks=pytest.mark.long)])
def test_a_recording_lies_nowhere_past_its_month(start: str, store_settings: Settings, tmp_path: Path) -> None:
    """In the lake, in the platform's export, in the return and in what was delivered, whatever its rule starts at."""
    edit = Edit(AGREEMENT, FROM_CALL, FROM_CALL.replace("call", start))
    with returned(store_settings, tmp_path, edit) as (night, results, back):
        desk = night.desk
        of_results, of_return = copies_of(desk, results), copies_of(desk, back)
        for copies, kinds in ((of_results, {"arrived", "lake"}), (of_return, {"return", "delivered"})):
            assert {
                kind: (copy.retention_rule, copy.delete_after) for kind, copy in copies.items() if kind in kinds
            } == dict.fromkeys(kinds, ("RET-REC", str(MONTH)))
        every = [*of_results.values(), *of_return.values()]

        retain(desk.house, at_night(MONTH))
        assert {"arrived", "lake", "return", "delivered"} <= left(desk, every)
        retain(desk.house, at_night(MONTH + timedelta(days=1)))
        assert left(desk, every).isdisjoint({"arrived", "lake", "return", "delivered"})
        assert not any(b"rec-1" in content for content in night.delivered().values())
        assert night.delivered(), "control: what explains it stays"


def test_a_delivered_file_goes_after_the_days_of_the_house_where_its_rule_is_longer(
    store_settings: Settings, tmp_path: Path
) -> None:
    settings = store_settings.model_copy(update={"keep_arrived_days": 1})
    with returned(settings, tmp_path) as (night, results, back):
        day = ("arrived", str(brussels_today() + timedelta(days=1)))
        assert (days_of(night.desk, results)["arrived"], days_of(night.desk, back)["delivered"]) == (day, day)
        assert days_of(night.desk, back)["return"] == ("RET-REC", str(MONTH))
        copies = copies_of(night.desk, back)
        retain(night.desk.house, at_night(brussels_today() + timedelta(days=2)))
        assert "delivered" not in left(night.desk, copies.values()) and "return" in left(night.desk, copies.values())
