"""A column whose retention is over goes empty and takes nothing else with it, however late a return goes."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from retention.test_give_back import BEFORE, ending, give
from sluice.exchange.read import ExchangeLine
from sluice.exchange.store import claim_next
from sluice.ledger.record import ExchangeRecord
from sluice.returns.carry import carry_return
from sluice.returns.give_back import Standing
from sluice.returns.model import NotReleasable
from sluice.returns.release import release
from sluice.returns.store import find_prepared
from sluice.settings import Settings
from sluice.terms import Direction, ExchangeId, Principal
from sluice.times import BRUSSELS
from support.night import AGREEMENT, CALLED_AT, CONTRACT, RESULTS, Call, Edit, Night, open_night, with_papers

pytestmark = pytest.mark.stores
SHORT = Edit(AGREEMENT, "duration: P1M, statute", "duration: P3D, statute")
"""Recordings are kept for three days after the call."""
RULE = "  - {code: RET-01, startEvent: received, duration: P90D, statute: null}\n"
"""Of everything but recordings, as the papers have it."""


def of_call(group: str, duration: str) -> tuple[Edit, Edit]:
    """A rule of its own for a group of the return's columns, counted from the call."""
    row = "  - direction: outbound_return\n    fieldGroup: {}\n    roleProfile: SEED_OWNER\n    retentionRule: {}\n"
    own = Edit(AGREEMENT, row.format(group, "RET-01"), row.format(group, "RET-OWN"))
    return own_rule(duration), own


def own_rule(duration: str) -> Edit:
    rule = f"{RULE}  - {{code: RET-OWN, startEvent: call, duration: {duration}, statute: null}}\n"
    return Edit(AGREEMENT, RULE, rule)


NOTES = of_call("note_free_text", "P3D")
"""Notes are kept for three days after the call, and everything else as long as ever."""
_RETURN = "  - {property: direction, value: outbound_return}\n"
OF_CALL = (own_rule("P3D"), Edit(CONTRACT, _RETURN, f"{_RETURN}  - {{property: retentionRule, value: RET-OWN}}\n"))
"""Every column of the return is kept for three days after the call."""
NONE_REQUIRED = Edit(CONTRACT, "required: true", "required: false")


@contextmanager
def slow_release(settings: Settings, folder: Path, *edits: Edit) -> Iterator[Night]:
    """The return of calls of a week ago was prepared the day after, and nobody released it."""
    now = datetime.now(UTC)
    with open_night(with_papers(settings, folder, *edits), folder, 5, known_since=now - timedelta(days=60)) as night:
        before = timedelta(days=7)
        one, other = night.people(2)
        night.called(
            Call("c0", *one, at=CALLED_AT - before, note="Belt terug", order="O-1"),
            Call("c1", *other, at=CALLED_AT - before),
        )
        night.make(now=now - before + timedelta(days=1))
        yield night


def test_a_slow_release_delivers_no_recording_that_is_past_its_retention(
    store_settings: Settings, tmp_path: Path
) -> None:
    with slow_release(store_settings, tmp_path, SHORT) as night:
        [old] = night.returns()
        house = night.desk.house
        with pytest.raises(NotReleasable, match="kept until"):
            release(house, old.id, "an.peeters", datetime.now(UTC))
        release(house, old.id, "an.peeters", datetime.now(UTC) - timedelta(days=6))  # and taken up today
        with claim_next(house.conn, Direction.OUTBOUND_RETURN, Principal("energy01"), RESULTS) as opened:
            assert opened is not None
            assert carry_return(house, opened, {}) is None
        assert night.delivered() == {}

        night.make()

        newer, older = night.returns()
        assert (older.id, older.reason_code, newer.decision) == (old.id, "STALE_NEWER_RETURN", "open")
        night.release(newer)
        record = night.record(newer)
        assert (record.what.rows_accepted, record.right_treatment.withheld) == (2, {"recording_ref": 2})
        assert "rec-1" not in night.file(newer).decode()
        assert last_day(record) > str(datetime.now(UTC).date()), "the rule of recordings counts no more"


def last_day(record: ExchangeRecord) -> str:
    """Of the return that is kept."""
    [day] = [copy.delete_after for copy in record.how_long.copies if copy.kind == "return"]
    return str(day)


@pytest.mark.parametrize(
    "edits",
    [
        pytest.param(OF_CALL, id="every column", marks=pytest.mark.long),
        pytest.param((*OF_CALL, NONE_REQUIRED), id="every column, none required"),
        pytest.param(of_call("disposition", "P3D"), id="a required one"),
    ],
)
def test_a_return_of_which_nothing_may_be_kept_any_more_is_refused_once(
    store_settings: Settings, tmp_path: Path, edits: tuple[Edit, ...]
) -> None:
    with slow_release(store_settings, tmp_path, SHORT, *edits) as night:
        night.make()
        night.make()
        assert [line.reason_code for line in night.returns()] == ["STALE_RETENTION_OVER", "STALE_NEWER_RETURN"]
        assert night.delivered() == {}


def rows(night: Night, line: ExchangeLine) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(night.file(line).decode()), delimiter=";"))


def test_one_column_past_its_retention_goes_empty_and_the_rest_of_the_return_goes(
    store_settings: Settings, tmp_path: Path
) -> None:
    with slow_release(store_settings, tmp_path, *NOTES) as night:
        [old] = night.returns()
        with pytest.raises(NotReleasable, match="kept until"):
            release(night.desk.house, old.id, "an.peeters", datetime.now(UTC))
        night.make()
        newer, older = night.returns()
        assert (older.id, older.reason_code, newer.decision) == (old.id, "STALE_NEWER_RETURN", "open")
        third = night.people(3)[2]
        night.called(
            Call("c2", *third, at=CALLED_AT - timedelta(days=7), note="Wil overstappen", order="O-3"), name="late.csv"
        )
        night.make()

        newest = night.returns()[0]
        night.release(newest)
        record = night.record(newest)
        assert (record.what.rows_accepted, record.right_treatment.withheld) == (3, {"note": 2})
        assert [(row["note"], row["order_number"], row["disposition"]) for row in rows(night, newest)] == [
            ("", "O-1", "Sale"), ("", "", "Sale"), ("", "O-3", "Sale"),
        ]  # fmt: skip
        assert b"Belt terug" not in b"".join(night.delivered().values())
        assert {row["recording_ref"] for row in rows(night, newest)} == {"rec-1"}, "its own rule is not over"
        assert last_day(record) > str(datetime.now(UTC).date()), "the rule of notes counts no more"


def test_cells_of_one_day_end_with_the_call_they_come_from(store_settings: Settings, tmp_path: Path) -> None:
    """The return is made at noon of the last day: what was called before noon is past its retention, to the second."""
    day = CALLED_AT - timedelta(days=3)
    with open_night(
        with_papers(store_settings, tmp_path, *of_call("note_free_text", "P1D"), of_call("disposition", "P1D")[1]),
        tmp_path,
        5,
        known_since=datetime.now(UTC) - timedelta(days=60),
    ) as night:
        morning, evening = night.people(2)
        night.called(
            Call("c0", *morning, at=day, note="Ochtend"), Call("c1", *evening, at=day.replace(hour=18), note="Avond")
        )
        night.make(now=(day + timedelta(days=1)).replace(hour=12, tzinfo=BRUSSELS))

        [line] = night.returns()
        prepared = find_prepared(night.desk.house.conn, ExchangeId(line.id))
        assert prepared is not None
        assert (prepared.what.rows_accepted, prepared.right_treatment.withheld) == (2, {"note": 1})
        [copy] = [copy for copy in prepared.how_long.copies if copy.kind == "return"]
        made = night.desk.house.objects.read(copy.bucket, copy.key, copy.version_id)
        assert b"Avond" in made and b"Ochtend" not in made
        assert made.count(b"Sale") == 2, "a required column is kept to the end of its last day"


def test_once_the_agreement_ended_a_required_column_goes_back_past_its_retention(
    store_settings: Settings, tmp_path: Path
) -> None:
    """Nothing comes after it; what may be left empty is."""
    own = (*NOTES, of_call("disposition", "P3D")[1])
    with ending(store_settings, tmp_path, *own, known_since=BEFORE) as night:
        night.called(Call("c1", *night.people(1)[0], note="Belt terug"))
        contacts, results = give(night).flows
        assert results.standing is Standing.WAITS_FOR_RELEASE, contacts
        release(night.desk.house, str(results.exchange_id), "bert", datetime.now(UTC))
        give(night)

        [line] = night.returns()
        assert [(row["disposition"], row["note"]) for row in rows(night, line)] == [("Sale", "")]
        assert night.record(line).right_treatment.withheld == {"note": 1}
