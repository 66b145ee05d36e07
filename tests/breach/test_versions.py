"""A breach, and a trace, by the version of an object that an intruder read: also of one that an erasure replaced."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from returns.commands import at_terminal, sluice
from rights.test_journey import NAMES, planted
from rights.town import Person, Town, open_town
from sluice.breach.describe import describe
from sluice.breach.make import slice_exchange, slice_object
from sluice.breach.model import Counted, SliceEmpty
from sluice.exchange.open import Arrivals
from sluice.lineage.trace import trace_object
from sluice.rights.erasure.erase import run
from support.copies import Copies

pytestmark = pytest.mark.stores


@pytest.fixture
def town(copies: Copies, tmp_path: Path) -> Iterator[Town]:
    with copies.of(planted, tmp_path) as settings, open_town(settings, tmp_path, NAMES, 3) as opened:
        yield opened


def counted(town: Town, url: str) -> Counted:
    """Count the persons of a breach at energy01, whose file has persons 0 and 1."""
    [part] = slice_object(town.house, url, datetime.now(UTC)).parts
    return part.counted


def addresses(town: Town, *kinds: str) -> dict[str, tuple[str, str]]:
    """Exchange and address, with the version that lies there now, of copies of the contacts of energy01 by kind."""
    rows = town.desk.sql(
        """select c.exchange_id::text as id, c.kind, c.bucket, c.key, c.version_id from copy c
           join exchange e using (exchange_id) where e.principal = 'energy01' and e.direction = 'inbound'"""
    )
    found = {
        str(row["kind"]): (str(row["id"]), f"s3://{row['bucket']}/{row['key']}?versionId={row['version_id']}")
        for row in rows
    }
    return {kind: found[kind] for kind in kinds}


def erase(town: Town, person: Person) -> None:
    case = town.decided(person)
    assert run(town.house, case.case_id, datetime.now(UTC)).residual == 0


def test_a_version_that_an_erasure_replaced_is_gone_with_as_many_persons_as_its_record_says(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = addresses(town, "arrived", "lake")
    for _, url in first.values():
        assert (counted(town, url).persons, counted(town, url).unread) == (2, ()), "control"
        with pytest.raises(SliceEmpty):
            slice_object(town.house, f"{url}0", datetime.now(UTC))
    traces = {url: trace_object(town.house.conn, url) for _, url in first.values()}
    lines = [line for line in town.desk.lines() if line.direction == "inbound" and line.rows_accepted]
    before = {line.id: slice_exchange(town.house, line.id, datetime.now(UTC)) for line in lines}
    assert not any(found.is_least for found in before.values())

    erase(town, town.people[0])

    second = addresses(town, "arrived", "lake")
    for kind, (exchange, url) in first.items():
        assert second[kind] != first[kind], "control: the erasure put another version there"
        was = counted(town, url)
        assert (was.persons, was.unread, was.at_most, was.removed) == (0, (f"gone {exchange}",), 2, 0)
        now = counted(town, second[kind][1])
        assert (now.persons, now.unread, now.at_most, now.removed) == (1, (), 1, 1), "of what lies there now"
        assert trace_object(town.house.conn, url) == traces[url]
    for exchange, old in before.items():
        found = slice_exchange(town.house, exchange, datetime.now(UTC))
        [part], [had] = found.parts, old.parts
        assert (part.counted.persons, part.counted.at_most) == (had.counted.persons - 1, 1), "in no copy any more"
        assert (part.counted.rows, part.counted.removed, found.is_least) == (had.counted.rows - 1, 1, True)
        assert part.counted.unread == () and describe(found)["parts"][0]["rows_removed"] == 1
    with at_terminal(town.desk, monkeypatch):
        for _, url in first.values():
            assert sluice("breach", "slice", "--object", url).exit == 0
            assert sluice("lineage", "show", "--object", url).exit == 0

    erase(town, town.people[1])

    for kind, (_, url) in (first | {f"{kind} since": each for kind, each in second.items()}).items():
        assert (counted(town, url).persons, counted(town, url).at_most) == (0, 2), kind
    arrived = first["arrived"][1].partition("?")[0]
    other = town.desk.drop(b"x;y\n1;2\n", "contacts.csv", ("energy01", "renewal_campaign"))
    town.desk.work()
    [part] = slice_object(town.house, f"{arrived}?versionId={other.version_id}", datetime.now(UTC)).parts
    assert part.exchanges == (town.desk.line(other).id,), "at an address that is used again only what lay there then"


def test_a_file_that_is_not_decided_yet_is_said_by_its_address_as_by_its_exchange(town: Town) -> None:
    lines = [town.head, f"{town.people[1].record('energy01')};{town.people[1].line}"]
    place = ("energy01", "renewal_campaign")
    dropped = town.desk.drop("\n".join(lines).encode() + b"\n", "contacts.csv", place)
    Arrivals.of(town.house.settings).open_new(town.house.conn, town.house.objects)
    exchange = town.desk.line(dropped)
    assert exchange.decision == "open", "control"
    url = f"s3://{town.desk.settings.bucket_exchange}/{dropped.key}"

    alone = counted(town, f"{url}?versionId={dropped.version_id}")

    assert (alone.persons, alone.unread, alone.at_most) == (0, (f"not decided {exchange.id}",), None)
    [part] = slice_exchange(town.house, exchange.id, datetime.now(UTC)).parts
    assert part.counted == alone
    every = counted(town, url)
    assert (every.persons, every.unread, every.at_most) == (2, alone.unread, None), "beside the file that lay there"
    assert trace_object(town.house.conn, f"{url}?versionId={dropped.version_id}").paths == ()
