"""A return whose last day is past when it is released is not delivered: the day is made anew, of what may still go."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from night import AGREEMENT, CALLED_AT, RESULTS, Call, Edit, Night, open_night, with_papers
from sluice.exchange.store import claim_next
from sluice.returns.carry import carry_return
from sluice.returns.model import NotReleasable
from sluice.returns.release import release
from sluice.settings import Settings
from sluice.terms import Direction, Principal

pytestmark = pytest.mark.stores
SHORT = Edit(AGREEMENT, "duration: P1M, statute", "duration: P3D, statute")
"""Recordings are kept for three days after the call."""
OF_CALL = Edit(
    AGREEMENT, "code: RET-01, startEvent: received, duration: P90D", "code: RET-01, startEvent: call, duration: P3D"
)
"""And so is everything else."""


@contextmanager
def slow_release(settings: Settings, folder: Path, *edits: Edit) -> Iterator[Night]:
    """The return of calls of a week ago was prepared the day after, and nobody released it."""
    now = datetime.now(UTC)
    with open_night(
        with_papers(settings, folder, SHORT, *edits), folder, 5, known_since=now - timedelta(days=60)
    ) as night:
        before = timedelta(days=7)
        night.called(*(Call(f"c{n}", *who, at=CALLED_AT - before) for n, who in enumerate(night.people(2))))
        night.make(now=now - before + timedelta(days=1))
        yield night


def test_a_slow_release_delivers_no_recording_that_is_past_its_retention(
    store_settings: Settings, tmp_path: Path
) -> None:
    with slow_release(store_settings, tmp_path) as night:
        [old] = night.returns()
        with pytest.raises(NotReleasable, match="kept until"):
            release(night.desk.house, old.id, "an.peeters", datetime.now(UTC))

        night.make()

        newer, older = night.returns()
        assert (older.id, older.reason_code, newer.decision) == (old.id, "STALE_NEWER_RETURN", "open")
        night.release(newer)
        record = night.record(newer)
        assert (record.what.rows_accepted, record.right_treatment.withheld) == (2, {"recording_ref": 2})
        assert "rec-1" not in night.file(newer).decode()
        [last_day] = [copy.delete_after for copy in record.how_long.copies if copy.kind == "return"]
        assert last_day is not None and last_day > str(datetime.now(UTC).date()), (
            "the rule of recordings counts no more"
        )


def test_what_was_released_and_is_past_its_last_day_when_it_is_taken_up_is_not_delivered(
    store_settings: Settings, tmp_path: Path
) -> None:
    with slow_release(store_settings, tmp_path) as night:
        [old] = night.returns()
        house, principal = night.desk.house, Principal("energy01")
        release(house, old.id, "an.peeters", datetime.now(UTC) - timedelta(days=6))
        with claim_next(house.conn, Direction.OUTBOUND_RETURN, principal, RESULTS) as opened:
            assert opened is not None
            assert carry_return(house, opened, {}) is None
        assert night.delivered() == {}


def test_a_return_of_which_nothing_may_be_kept_any_more_is_refused_once(
    store_settings: Settings, tmp_path: Path
) -> None:
    with slow_release(store_settings, tmp_path, OF_CALL) as night:
        night.make()
        night.make()
        assert [line.reason_code for line in night.returns()] == ["STALE_RETENTION_OVER", "STALE_NEWER_RETURN"]
        assert night.delivered() == {}
