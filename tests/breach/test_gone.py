"""A breach of what is no longer all there: what went is never left out in silence."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from rights.estate import cut_short
from rights.people import as_csv, contact_rows, draw_people
from rights.test_journey import planted
from rights.town import open_town
from sluice.breach.describe import describe
from sluice.breach.make import slice_exchange, slice_object
from sluice.breach.model import PrincipalPart
from sluice.lake.s3.objects import StoredObject
from sluice.rights.copies.copy_store import find_copies
from sluice.rights.copies.swap import remove
from sluice.rights.erasure.erase import run
from sluice.terms import ExchangeId, Principal
from support.copies import Copies
from support.desk import Desk
from web.town import NAMES

NOW = datetime.now(UTC)
PEOPLE = draw_people(20)


def let_go(desk: Desk, dropped: StoredObject, *kinds: str) -> None:
    """Copies of an exchange go as retention and erasures let them go."""
    line = desk.line(dropped)
    there = find_copies(desk.house.conn, Principal(line.principal), among=[ExchangeId(line.id)])
    going = [copy for copy in there if copy.kind in kinds]
    assert len(going) == len(kinds)
    for copy in going:
        remove(desk.house, copy)


def counted(part: PrincipalPart) -> tuple[int, tuple[str, ...], int | None]:
    return part.counted.persons, part.counted.unread, part.counted.at_most


def test_a_key_that_is_used_daily_counts_the_files_that_went_beside_the_one_that_is_there(desk: Desk) -> None:
    first = desk.drop(as_csv(contact_rows(PEOPLE[:12])), "contacts.csv")
    desk.open_new()
    second = desk.drop(as_csv(contact_rows(PEOPLE[12:])), "contacts.csv")
    desk.work()
    url = f"s3://{desk.settings.bucket_exchange}/{second.key}"
    [both] = slice_object(desk.house, url, NOW).parts
    assert counted(both) == (20, (), 0)

    let_go(desk, first, "arrived")

    [part] = slice_object(desk.house, url, NOW).parts
    gone = f"gone {desk.line(first).id}"
    assert counted(part) == (8, (gone,), 12)
    [old] = slice_object(desk.house, f"{url}?versionId={first.version_id}", NOW).parts
    assert counted(old) == (0, (gone,), 12)
    [new] = slice_object(desk.house, f"{url}?versionId={second.version_id}", NOW).parts
    assert counted(new) == (8, (), 0), "of one version nothing else counts"


def test_an_exchange_whose_accepted_rows_went_is_counted_in_the_file_that_arrived_then_by_its_record(
    desk: Desk,
) -> None:
    wrong = contact_rows(PEOPLE[19:]).with_columns(last_name=pl.lit(""))
    content = as_csv(pl.concat([contact_rows(PEOPLE[:19]), wrong])) + cut_short(PEOPLE[:1])
    dropped = desk.drop(content, "partly.csv")
    desk.work()
    line = desk.line(dropped)

    def now_counted() -> tuple[int, tuple[str, ...], int | None]:
        [part] = slice_exchange(desk.house, line.id, NOW).parts
        return counted(part)

    assert now_counted() == (20, (), 0)
    let_go(desk, dropped, "lake")
    assert now_counted() == (20, (), 0), "the file as it came has every row"
    let_go(desk, dropped, "arrived")
    assert now_counted() == (1, (f"gone {line.id}",), 19), "one refused row is left; nineteen were accepted"
    let_go(desk, dropped, "quarantine.rows", "quarantine.records")
    assert now_counted() == (0, (f"gone {line.id}",), 20), "as its record says"


def test_refused_rows_that_went_are_said_beside_the_accepted_ones(desk: Desk) -> None:
    wrong = contact_rows(PEOPLE[18:]).with_columns(last_name=pl.lit(""))
    dropped = desk.drop(as_csv(pl.concat([contact_rows(PEOPLE[:18]), wrong])), "partly.csv")
    desk.work()
    let_go(desk, dropped, "arrived", "quarantine.rows")

    [part] = slice_exchange(desk.house, desk.line(dropped).id, NOW).parts

    assert counted(part) == (18, (f"gone {desk.line(dropped).id}",), 2)


@pytest.mark.stores
def test_rows_that_an_erasure_took_out_of_our_copies_are_counted_as_removed(copies: Copies, tmp_path: Path) -> None:
    with copies.of(planted, tmp_path) as settings, open_town(settings, tmp_path, NAMES, 3) as town:
        lines = [line for line in town.desk.lines() if line.direction == "inbound" and line.rows_accepted]
        before = {line.id: slice_exchange(town.house, line.id, NOW) for line in lines}
        assert not any(found.is_least for found in before.values())

        case = town.decided(town.people[0])
        assert run(town.house, case.case_id, datetime.now(UTC)).residual == 0

        for exchange, was in before.items():
            found = slice_exchange(town.house, exchange, NOW)
            [part], [old] = found.parts, was.parts
            assert counted(part) == (old.counted.persons - 1, (), 1), "the row of the person is in no copy any more"
            assert (part.counted.rows, part.counted.removed, found.is_least) == (old.counted.rows - 1, 1, True)
            assert describe(found)["parts"][0]["rows_removed"] == 1
