"""Rows that a reader lets go come back under the contract by which they were held, whatever came meanwhile."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sluice.agreement.in_force.activate import activate_all
from sluice.exchange.effects.run import do_effects
from sluice.exchange.given_back import paper_under
from sluice.exchange.review import decide, note_rows
from sluice.exchange.review_store import Choice
from sluice.exchange.store import get_opened
from sluice.lake.s3.objects import StoredObject
from sluice.rights.copies.copy_store import find_copies
from sluice.settings import Settings
from sluice.terms import ExchangeId, Principal
from support.desk import ENERGY, Desk, open_desk
from support.night import change, with_papers

pytestmark = pytest.mark.stores
CONTRACT = "renewal_campaign.inbound.odcs.yaml"
BELIEF = "Klant is moslim, liever na vrijdag bellen"
ROWS = 20


@pytest.fixture
def desk(store_settings: Settings, tmp_path: Path) -> Iterator[Desk]:
    with open_desk(with_papers(store_settings, tmp_path), tmp_path) as opened:
        yield opened


def with_a_note_to_read(desk: Desk) -> StoredObject:
    """A file whose first row waits for a person."""
    head, first, *rows = desk.campaign(ROWS)[0].read_text(encoding="utf-8-sig").splitlines()
    cells = first.split(";")
    cells[head.split(";").index("note")] = BELIEF
    dropped = desk.drop("\n".join([head, ";".join(cells), *rows, ""]).encode(), "leads.csv")
    desk.work()
    assert desk.line(dropped).rows_held == 1
    return dropped


def next_version(desk: Desk) -> None:
    """The contract in its next version: one column has another name."""
    path = desk.settings.principals_dir / ENERGY[0] / CONTRACT
    change(path, "- name: campaign_code", "- name: campaign")
    change(path, "version: 1.0.0", "version: 1.1.0")
    for done in activate_all(desk.house.conn, desk.settings.principals_dir, datetime.now(UTC)):
        assert not done.is_refused, done.problems


def test_a_row_that_may_go_comes_back_after_a_column_got_another_name(desk: Desk) -> None:
    held = with_a_note_to_read(desk)
    next_version(desk)
    held_id, house = ExchangeId(desk.line(held).id), desk.house

    decide(house, held_id, [row.row for row in note_rows(house, held_id)], Choice.SEND, "an", datetime.now(UTC))
    do_effects(house)
    desk.work()

    [back] = [line for line in desk.lines() if line.id != held_id]
    assert (back.decision, back.rows_accepted) == ("accepted", 1)
    contract = paper_under(house.conn, get_opened(house.conn, held_id)).contract
    copies = find_copies(house.conn, Principal(ENERGY[0]), among=[ExchangeId(back.id)])
    assert contract is not None and contract.version == "1.0.0"
    assert {each.contract.version for each in copies if each.contract} == {"1.0.0"}, "an erasure reads it so, too"

    unread = desk.drop(desk.campaign(ROWS, 2)[0], "later.csv")
    desk.work()
    assert desk.line(unread).reason_code == "HEADER_UNDECLARED_COLUMN", "control: any other file is under the new one"
