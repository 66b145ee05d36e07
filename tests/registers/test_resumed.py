"""A file that waited while its flow was stopped is compared with the papers of the resume, by which it was judged."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sluice.exchange.stops import resume_flow, stop_flow
from sluice.registers.make import make_register
from sluice.registers.model import Article, FindingCode
from sluice.settings import Settings
from sluice.terms import Flow, Principal
from sluice.times import brussels_today
from support.desk import ENERGY, Desk, open_desk
from support.night import AGREEMENT, Edit, with_papers

pytestmark = pytest.mark.stores
FLOW = Principal(ENERGY[0]), Flow(ENERGY[1])


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path) -> Iterator[Desk]:
    """Nothing was agreed before yesterday."""
    yesterday = brussels_today() - timedelta(days=1)
    later = Edit(AGREEMENT, "validFrom: 2026-01-01\nvalidTo", f"validFrom: {yesterday}\nvalidTo")
    with open_desk(with_papers(store_settings, tmp_path, later), tmp_path) as opened:
        yield opened


def opened_before_it_was_agreed(desk: Desk) -> None:
    desk.house.conn.execute("update exchange set opened_at = opened_at - interval '5 days'")


def undeclared(desk: Desk) -> set[str]:
    """Purposes that a register says nobody declared."""
    now = datetime.now(UTC)
    on = now.date() + timedelta(days=1)
    registers = [make_register(desk.house.conn, desk.settings, each, on, now) for each in Article]
    found = [finding for each in registers for finding in each.findings]
    return {each.what for each in found if each.code is FindingCode.PURPOSE_NOT_DECLARED}


def test_the_papers_of_the_resume_count(desk: Desk) -> None:
    dropped = desk.drop(desk.campaign(5)[0])
    desk.open_new()
    stop_flow(desk.house.conn, *FLOW, "CONTRACT_WRONG", "an.peeters", datetime.now(UTC))
    opened_before_it_was_agreed(desk)
    resume_flow(desk.house.conn, *FLOW, "an.peeters", datetime.now(UTC))
    desk.work()

    assert desk.line(dropped).decision == "accepted"
    assert undeclared(desk) == set()


def test_a_file_that_did_not_wait_is_compared_with_the_papers_of_its_day(desk: Desk) -> None:
    """The control."""
    dropped = desk.drop(desk.campaign(5)[0])
    desk.work()
    assert desk.line(dropped).decision == "accepted"
    assert undeclared(desk) == set()

    opened_before_it_was_agreed(desk)

    assert "P-RENEW" in undeclared(desk)
