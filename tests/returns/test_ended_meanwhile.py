"""The agreement of a prepared return ends before somebody lets it go: it does not go, unless it is wanted back."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from retention.test_several_agreements import one_more
from sluice.exchange.read import ExchangeLine
from sluice.exchange.store import claim_next
from sluice.returns.carry import carry_return
from sluice.returns.model import NotReleasable
from sluice.returns.release import release
from sluice.settings import Settings
from sluice.terms import Direction, Principal
from sluice.times import brussels_today
from support.night import AGREEMENT, CALLED_AT, Call, Edit, Night, open_night, with_papers

pytestmark = pytest.mark.stores
WANTS_BACK = Edit(AGREEMENT, "g_end: {choice: delete", "g_end: {choice: return")
BEFORE = datetime.now(UTC) - timedelta(days=4)
"""The papers held on the day of the calls."""


@contextmanager
def prepared(
    settings: Settings, folder: Path, *edits: Edit, is_another_there: bool = False
) -> Iterator[tuple[Night, ExchangeLine]]:
    """A return of three calls waits for its release under an agreement whose last day is today.

    ``is_another_there``: the principal has another agreement, which goes on.
    """
    ends = Edit(AGREEMENT, "validTo: null\ndocument", f"validTo: {brussels_today()}\ndocument")
    longer = settings.model_copy(update={"keep_arrived_days": 60})
    papers = with_papers(longer, folder, ends, *edits)
    if is_another_there:
        one_more(papers.principals_dir / "energy01", {ends.new: ends.old})
    with open_night(papers, folder, 5, BEFORE) as night:
        night.called(*(Call(f"c{n}", *person) for n, person in enumerate(night.people(3))))
        night.make()
        [line] = night.returns()
        assert line.decision == "open"
        yield night, line


def in_five_days() -> datetime:
    return datetime.now(UTC) + timedelta(days=5)


@pytest.mark.parametrize("is_another_there", [False, pytest.param(True, marks=pytest.mark.long)])
def test_it_is_released_on_the_last_day_and_not_after_it(
    is_another_there: bool, store_settings: Settings, tmp_path: Path
) -> None:
    with prepared(store_settings, tmp_path, is_another_there=is_another_there) as (night, line):
        with pytest.raises(NotReleasable, match="AGREEMENT_EXPIRED"):
            release(night.desk.house, line.id, "jan.jansen", in_five_days())
        night.release(line)
        assert [each.decision for each in night.returns()] == ["accepted"] and night.delivered()


def test_a_released_one_is_refused_after_the_end_and_so_is_the_one_that_replaces_it(
    store_settings: Settings, tmp_path: Path
) -> None:
    with prepared(store_settings, tmp_path, is_another_there=True) as (night, line):
        house, day = night.desk.house, CALLED_AT - timedelta(days=1)
        night.called(Call("d1", *night.people(1)[0], at=day), name="before.csv")
        night.make()
        for each in night.returns():
            release(house, each.id, "jan.jansen", datetime.now(UTC))
        with claim_next(house.conn, Direction.OUTBOUND_RETURN, Principal("energy01"), line.flow) as opened:
            assert opened is not None
            with time_machine.travel(in_five_days()):
                assert carry_return(house, opened, {}) == "refused", "it was taken up before anybody looked"
        released = {each.id: each.id == opened.exchange_id for each in night.returns()}
        night.make(now=in_five_days())
        found = {each.id: each.reason_code for each in night.returns()}
        for exchange_id, was_taken_up in released.items():
            reason = "FORBIDDEN_AGREEMENT_EXPIRED" if was_taken_up else "STALE_NEWER_RETURN"
            assert found.pop(exchange_id) == reason
        assert set(found.values()) == {"FORBIDDEN_AGREEMENT_EXPIRED"}, "of what replaces them"
        night.make(now=in_five_days())
        assert len(night.returns()) == len(released) + len(found)
        night.desk.work()
        assert night.delivered() == {}


def test_what_the_principal_wants_back_is_made_again_and_released(store_settings: Settings, tmp_path: Path) -> None:
    with prepared(store_settings, tmp_path, WANTS_BACK) as (night, line):
        night.make(now=in_five_days())
        newer, older = night.returns()
        assert (older.id, older.reason_code, newer.decision) == (line.id, "STALE_NEWER_RETURN", "open")
        night.make(now=in_five_days())
        assert len(night.returns()) == 2
        release(night.desk.house, newer.id, "jan.jansen", in_five_days())
        night.make(now=in_five_days())
        assert night.returns()[0].decision == "accepted" and night.delivered()
