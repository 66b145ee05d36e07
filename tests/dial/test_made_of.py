"""What a dial list is made of stands beside it: lineage finds it from both ends, and reads no more than it draws."""

import pytest

from dial.lists import ask, contacts, now, numbers
from sluice.dial.store import mark_gone
from sluice.lineage.drawing import Column
from sluice.lineage.follow import follow_exchange
from sluice.lineage.trace import trace_exchange
from support.desk import Desk


def test_what_it_is_made_of_is_found_from_both_ends_and_drawn_until_it_is_taken_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    contacts(desk)
    numbers(desk)
    [came] = [line.id for line in desk.lines() if line.direction == "inbound"]
    lists = [ask(desk), ask(desk)]
    conn = desk.house.conn

    def sent() -> dict[str | None, bool]:
        drawing = follow_exchange(conn, came, now()).drawing
        return {box.exchange: box.gone for box in drawing.boxes if box.column is Column.SENT}

    assert sent() == dict.fromkeys((each.exchange_id for each in lists), False)
    assert came in {each.exchange_id for each in follow_exchange(conn, lists[0].exchange_id, now()).records}
    lead = {(edge.verb, edge.target) for edge in trace_exchange(conn, came).graph.edges}
    assert ("contacts of", f"exchange:{lists[1].exchange_id}") in lead

    mark_gone(conn, lists[0].exchange_id, ("dial", "dial.kept"), now())
    assert sent() == {lists[0].exchange_id: True, lists[1].exchange_id: False}

    assert follow_exchange(conn, came, now()).most is None
    monkeypatch.setattr("sluice.lineage.follow.MOST", 2)
    cut = follow_exchange(conn, came, now())
    assert cut.most == 2
    assert {each.exchange_id for each in cut.records} == {came, lists[1].exchange_id}, "the newest one"
