"""What a retention rule can start at: the linter lets through what has a day here, and nothing else."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from isoduration import parse_duration

from sluice.agreement.clauses.facts import DATED_STARTS
from sluice.agreement.papers import PaperMissing, PaperReason
from sluice.exchange.catalogue import find_copies
from sluice.exchange.keep import starts_of
from sluice.exchange.model import Judged, Opened, Sighting
from sluice.exchange.read import find_by_versions
from sluice.exchange.store import get_opened
from sluice.gate.model import GateVerdict
from sluice.retention.run import retain
from sluice.returns.keep import starts_of as starts_of_return
from sluice.terms import ARRIVING, Direction, ExchangeId, Flow, Principal, Verdict
from sluice.times import BRUSSELS, brussels_day
from support.copies import Copies
from support.desk import Desk
from support.night import CALLED_AT, Call, copied_night

RECEIVED = date(2026, 3, 10)
AT = datetime(2026, 3, 10, 9, tzinfo=UTC)


def opened(direction: Direction) -> Opened:
    """An exchange of that day; of a return it is of the calls of the day before."""
    names = ExchangeId("7b0d3f1e-0000-4000-8000-000000000000"), Principal("energy01"), direction, Flow("renewal")
    return Opened(*names, "exchange", "energy01/x/renewal/file", "v1", 10, "DPA", AT, 0, date(2026, 3, 9))


def judged(direction: Direction, days: Mapping[str, int] | None) -> Judged:
    seen = None if days is None else Sighting({}, (), None, days)
    missing = PaperMissing(PaperReason.NO_CONTRACT)
    return Judged(opened(direction), missing, None, GateVerdict(Verdict.PASSED, 0, 0, 0, (), {}), seen, {}, Path())


@pytest.mark.parametrize("direction", DATED_STARTS)
def test_every_start_that_the_linter_lets_through_has_a_day_and_no_other_has(direction: Direction) -> None:
    """The end of the agreement is added to each: it is the paper's own."""
    arrived = direction in ARRIVING
    found = starts_of(judged(direction, {}), RECEIVED) if arrived else starts_of_return(opened(direction), RECEIVED)

    assert {*found, "contract_end"} == set(DATED_STARTS[direction])
    assert all(found.values())


@pytest.mark.parametrize(
    ("days", "call"),
    [
        ({"2026-03-07": 2, "2026-03-09": 1, "2026-03-08": 5}, date(2026, 3, 9)),
        ({"2026-03-09": 1, "2062-03-09": 1}, RECEIVED),
        ({}, RECEIVED),
        (None, RECEIVED),
    ],
    ids=["newest", "no later than its file", "no row", "not seen"],
)
def test_a_file_of_contacts_counts_from_its_newest_call(days: Mapping[str, int] | None, call: date) -> None:
    assert starts_of(judged(Direction.INTERNAL, days), RECEIVED)["call"] == call


@pytest.mark.stores
def test_a_file_of_results_goes_a_month_after_its_newest_call(copies: Copies, tmp_path: Path) -> None:
    """Recordings stay a calendar month after the call, and so does the file that points at them; not 90 days."""
    newest = CALLED_AT - timedelta(days=2)
    last_day = (newest + parse_duration("P1M")).date()
    with copied_night(copies, tmp_path) as night:
        house, (first, second) = night.desk.house, night.people(2)
        file = night.called(Call("c1", *first, at=newest - timedelta(days=4)), Call("c2", *second, at=newest))
        line = find_by_versions(house.conn, [file.version_id])[file.version_id]
        kept = {copy.kind: copy for copy in find_copies(house.conn, ExchangeId(line.id))}

        def there(day: date) -> bool:
            """Whether the file is still in the lake after retention ran on a day."""
            retain(house, datetime.combine(day, time(1, 20), BRUSSELS).astimezone(UTC))
            lake = kept["lake"]
            return any(
                item.version_id == lake.version_id for item in house.objects.list_versions(lake.bucket, lake.key)
            )

        for kind in ("lake", "index"):
            assert (kept[kind].retention_rule, kept[kind].delete_after) == ("RET-REC", str(last_day))
        assert there(last_day) and not there(last_day + timedelta(days=1))


@pytest.mark.parametrize("waited", [5, 0], ids=["after an outage", "control"])
def test_a_file_is_kept_from_the_day_that_the_store_took_it_however_late_it_is_opened(desk: Desk, waited: int) -> None:
    """RET-01 is P90D from receipt; a house keeps files as they came for 30 days, which end with it."""
    dropped = desk.drop(desk.campaign(20)[0])
    desk.open_new()
    # As an open file that the store took while nobody looked.
    desk.sql(f"update exchange set arrived_at = arrived_at - interval '{waited} days' returning 1")
    desk.work()

    opened = get_opened(desk.house.conn, desk.line(dropped).id)
    received = brussels_day(opened.opened_at) - timedelta(days=waited)
    kept = {copy.kind: copy for copy in find_copies(desk.house.conn, opened.exchange_id)}
    assert (kept["lake"].retention_rule, kept["lake"].delete_after) == ("RET-01", str(received + timedelta(days=90)))
    assert kept["arrived"].delete_after == str(received + timedelta(days=desk.settings.keep_arrived_days))


def test_a_call_is_no_newer_than_the_receipt_of_its_file() -> None:
    late = replace(opened(Direction.INTERNAL), arrived_at=AT - timedelta(days=2))
    assert brussels_day(late.received_at) == date(2026, 3, 8)
    assert brussels_day(replace(late, arrived_at=None).received_at) == RECEIVED, "the control: where nobody knows"
