"""The night's return through Airflow: results in, what may leave back to both principals, and its proof."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from journeys.door import Api
from sluice.demo.night import Night, import_staff, run_night
from sluice.demo.night_checks import flips_of, night_checks, profile_of
from sluice.demo.night_files import free_day, staff_file, write_exports
from sluice.demo.story import as_principal
from sluice.exchange.house import House, open_house
from sluice.lake.s3.objects import ObjectStore
from sluice.sample.files import write_campaign, write_subscribers
from support.installation import Record, Stack

pytestmark = [pytest.mark.journey, pytest.mark.evidence, pytest.mark.timeout(600)]

CALLS = 300


@dataclass(frozen=True)
class Told:
    """One night and the house it was in."""

    house: House
    night: Night


@pytest.fixture(scope="module")
def told(stack: Stack) -> Iterator[Told]:
    """Contacts of both principals accepted, staff known; then the whole night of one day."""
    campaign, subscribers = stack.folder / "night-campaign.csv", stack.folder / "night-subscribers.csv"
    write_campaign(campaign, CALLS, 41)
    write_subscribers(subscribers, CALLS, 42)
    puts = [stack.put(campaign), stack.put(subscribers, ("telecom01", "subscriber_base"))]
    lines = stack.wait(puts)
    contacts = [lines[put.object.version_id].id for put in puts]
    with open_house(stack.settings) as house:
        day = free_day(house, datetime.now(UTC))
        import_staff(house, staff_file(day))
        exports = write_exports(house, contacts, stack.folder, 43, CALLS, day)
        yield Told(house, run_night(house, day, exports, stack.folder, 44, lambda line: None))


def test_every_line_of_the_nights_evidence_holds(told: Told, record_property: Record) -> None:
    evidence = list(night_checks(told.house, told.night))
    for name, seconds in told.night.seconds.items():
        record_property(name, f"{seconds:.1f} s")
    assert [(check.name, check.figure) for check in evidence if not check.holds] == []
    assert len(evidence) >= 15


def test_what_our_staff_adds_flips_between_the_principals_and_what_they_gave_does_not(told: Told) -> None:
    profiles = [profile_of(made) for made in told.night.first]
    flips = {flip.group: (flip.supplied_by, flip.controllers) for flip in flips_of(told.night)}
    assert profiles == ["SEED_OWNER", "PROCESSOR_ON_BEHALF"]
    assert flips["disposition"] == ("our staff", ("center", "principal"))
    assert flips["identity"] == ("principal", ("principal", "principal"))


def test_held_rows_have_their_reason_and_the_correction_is_a_file_of_its_own(told: Told) -> None:
    energy, telecom = (made.record.right_treatment.held_back for made in told.night.first)
    first, second = told.night.first[0], told.night.correction
    assert energy == {
        "STAFF_EXAM_BELOW_MINIMUM": 12,
        "AGENT_DELETED": 3,
        "RESULT_UNKNOWN_CAMPAIGN": 4,
        "RESULT_UNKNOWN_RECORD": 1,
    }
    assert telecom == {"STAFF_EXAM_BELOW_MINIMUM": 6}
    assert (second.record.what.supersedes, second.released_by) == (first.id, "an.peeters")
    assert second.key != first.key


def test_the_dag_reads_an_acknowledgement_of_the_correction(told: Told, stack: Stack) -> None:
    """What the demo reads at once, Airflow reads by itself."""
    correction = told.night.correction
    mine = ObjectStore(as_principal(stack.settings, "energy01"))
    mine.put(stack.settings.bucket_exchange, f"energy01/acks/{correction.id}.ack", b"", "text/plain")
    Api(stack).run("acknowledgements")
    assert await_answer(told.house, correction.id) == ("file", "energy01")


def await_answer(house: House, exchange_id: str) -> tuple[str, str]:
    """How and by whom a return was acknowledged."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        row = house.conn.execute(
            "select via, acknowledged_by from acknowledgement where exchange_id = %s and acknowledged_at is not null",
            (exchange_id,),
        ).fetchone()
        if row:
            return row["via"], row["acknowledged_by"]
        time.sleep(0.25)
    raise AssertionError("no acknowledgement was read")
