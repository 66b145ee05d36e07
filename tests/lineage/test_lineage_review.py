"""Rows that waited for a person: where they came back leads to where they came in, both ways."""

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from exchange.test_review import BELIEF, PLAIN, come_back, night, notes_sent, now
from sluice.breach.make import slice_exchange
from sluice.breach.model import Risk
from sluice.exchange.read import ExchangeLine
from sluice.exchange.review import back_key, decide
from sluice.exchange.review_model import Choice
from sluice.exchange.store import get_opened
from sluice.ledger.model import EntryKind
from sluice.ledger.store import find_entry
from sluice.lineage.check import check_event
from sluice.lineage.events import closed_event
from sluice.lineage.follow import follow_exchange
from sluice.lineage.trace import trace_exchange
from sluice.terms import ExchangeId
from support.night import Call, Night
from support.official import validator

__all__ = ["night"]
pytestmark = pytest.mark.stores


def let_go(night: Night, held: ExchangeLine, row: int = 1) -> ExchangeLine:
    """Have a person release the held row, which then comes back."""
    decide(night.desk.house, ExchangeId(held.id), [row], Choice.SEND, "an.peeters", now())
    [back] = come_back(night)
    assert back.rows_accepted == 1
    return back


def place(night: Night, line: ExchangeLine) -> str:
    what = night.record(line).what
    return f"object:s3://{what.bucket}/{what.key}?versionId={what.version_id}"


def test_a_return_of_a_row_that_waited_leads_to_the_file_it_came_in_by(night: Night, schemas: Path) -> None:
    """The one call of a log waits for a person, so nothing of the log itself goes into a return."""
    held = night.desk.line(night.called(Call("c0", *night.people(1)[0], note=BELIEF), name="alone.csv"))
    conn, back = night.desk.house.conn, let_go(night, held)
    check_picture_and_event(night, held, back, schemas)
    notes_sent(night)
    [line] = night.returns()
    assert held.id not in {each.exchange_id for each in night.record(line).what.inputs}, "only by the file between"

    for start in (line, back, held):
        every = [path for path in trace_exchange(conn, start.id).paths if path[0] == place(night, held)]
        [path] = [path for path in every if path[-1].endswith(night.record(line).what.key)]
        along = ["object", "exchange", "object", "object", "exchange", "object", "exchange", "object"]
        assert [step.partition(":")[0] for step in path] == along, start.flow
        assert (path[1], path[3], path[4]) == (f"exchange:{held.id}", place(night, back), f"exchange:{back.id}")
        assert path[6] == f"exchange:{line.id}"
    whole = trace_exchange(conn, line.id)
    assert place(night, back) not in {path[0] for path in whole.paths}, "a file that nobody sent is no beginning"

    [part] = slice_exchange(night.desk.house, held.id, datetime.now(UTC), Risk.HIGH).parts
    assert set(part.went_into) == {back.id, line.id}


def check_picture_and_event(night: Night, held: ExchangeLine, back: ExchangeLine, schemas: Path) -> None:
    """Both say where the rows waited."""
    house = night.desk.house
    for start in (held, back):
        drawn = follow_exchange(house.conn, start.id, now()).drawing
        [arrow] = [each for each in drawn.arrows if each.source == f"quarantine:{held.id}"]
        assert arrow.target == f"file:{back.id}" and arrow.is_own

    entry = find_entry(house.conn, ExchangeId(back.id), EntryKind.EXCHANGE_CLOSED)
    assert entry is not None
    event = closed_event(night.record(back), entry.hash.hex(), house.settings)
    check_event(event)
    assert validator(schemas)(event) >= 6
    first = night.record(held)
    [copy] = [each for each in first.how_long.copies if each.kind == "quarantine.held"]
    assert [each["name"] for each in json.loads(event)["inputs"]] == [night.record(back).what.key, copy.key]


def test_contacts_that_waited_were_put_there_again_by_us_and_a_forged_file_was_not(night: Night) -> None:
    house = night.desk.house
    contacts = pl.read_csv(night.contacts, separator=";", infer_schema=False).head(2)
    content = contacts.with_columns(note=pl.Series([BELIEF, PLAIN])).write_csv(separator=";").encode()
    dropped = night.desk.drop(content, "noted.csv")
    night.desk.work()
    held = night.desk.line(dropped)
    back = let_go(night, held)

    assert (night.record(held).who.sender, night.record(back).who.sender) == ("energy01", "center")
    opened = get_opened(house.conn, held.id)
    key = back_key(opened, 2)
    forged = house.objects.put(opened.bucket, key, content, "application/x-ndjson")
    night.desk.work()
    record = night.record(night.desk.line(forged))
    assert (record.decision, record.who.sender, record.what.inputs) == ("refused", "energy01", ())
