"""A breach of what is no longer all there: what went is never left out in silence."""

from datetime import UTC, datetime

import polars as pl

from rights.estate import cut_short
from rights.people import as_csv, contact_rows, draw_people
from sluice.breach.make import slice_exchange, slice_object
from sluice.breach.model import PrincipalPart
from sluice.lake.s3.objects import StoredObject
from sluice.rights.copies.copy_store import find_copies
from sluice.rights.copies.swap import remove
from sluice.terms import ExchangeId, Principal
from support.desk import Desk

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


def test_a_key_that_is_used_daily_counts_the_files_that_went_beside_the_one_that_is_there(module_desk: Desk) -> None:
    first = module_desk.drop(as_csv(contact_rows(PEOPLE[:12])), "contacts.csv")
    module_desk.open_new()
    second = module_desk.drop(as_csv(contact_rows(PEOPLE[12:])), "contacts.csv")
    module_desk.work()
    url = f"s3://{module_desk.settings.bucket_exchange}/{second.key}"
    [both] = slice_object(module_desk.house, url, NOW).parts
    assert counted(both) == (20, (), 0)

    let_go(module_desk, first, "arrived")

    [part] = slice_object(module_desk.house, url, NOW).parts
    gone = f"gone {module_desk.line(first).id}"
    assert counted(part) == (8, (gone,), 12)
    [old] = slice_object(module_desk.house, f"{url}?versionId={first.version_id}", NOW).parts
    assert counted(old) == (0, (gone,), 12)
    [new] = slice_object(module_desk.house, f"{url}?versionId={second.version_id}", NOW).parts
    assert counted(new) == (8, (), 0), "of one version nothing else counts"


def test_an_exchange_whose_accepted_rows_went_is_counted_in_the_file_that_arrived_then_by_its_record(
    module_desk: Desk,
) -> None:
    wrong = contact_rows(PEOPLE[19:]).with_columns(last_name=pl.lit(""))
    content = as_csv(pl.concat([contact_rows(PEOPLE[:19]), wrong])) + cut_short(PEOPLE[:1])
    dropped = module_desk.drop(content, "partly.csv")
    module_desk.work()
    line = module_desk.line(dropped)

    def now_counted() -> tuple[int, tuple[str, ...], int | None]:
        [part] = slice_exchange(module_desk.house, line.id, NOW).parts
        return counted(part)

    assert now_counted() == (20, (), 0)
    let_go(module_desk, dropped, "lake")
    assert now_counted() == (20, (), 0), "the file as it came has every row"
    let_go(module_desk, dropped, "arrived")
    assert now_counted() == (1, (f"gone {line.id}",), 19), "one refused row is left; nineteen were accepted"
    let_go(module_desk, dropped, "quarantine.rows", "quarantine.records")
    assert now_counted() == (0, (f"gone {line.id}",), 20), "as its record says"


def test_refused_rows_that_went_are_said_beside_the_accepted_ones(module_desk: Desk) -> None:
    wrong = contact_rows(PEOPLE[18:]).with_columns(last_name=pl.lit(""))
    dropped = module_desk.drop(as_csv(pl.concat([contact_rows(PEOPLE[:18]), wrong])), "other.csv")
    module_desk.work()
    let_go(module_desk, dropped, "arrived", "quarantine.rows")

    [part] = slice_exchange(module_desk.house, module_desk.line(dropped).id, NOW).parts

    assert counted(part) == (18, (f"gone {module_desk.line(dropped).id}",), 2)
