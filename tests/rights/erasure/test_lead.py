"""The index leads an erasure: what it says is left closed, what it cannot know is opened, and its gaps are mended."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import polars as pl
import pytest

from rights.asking import asked, let_go
from rights.estate import ENERGY01, TELECOM01, Estate, open_estate
from rights.people import Person
from sluice.lake.s3.objects import ObjectStore
from sluice.rights.copies import copy_store
from sluice.rights.copies.bench import Bench, asking_bench, open_bench
from sluice.rights.copies.find import find_places, led_copies
from sluice.rights.copies.lead import find_lead
from sluice.rights.copies.model import Copy, Target
from sluice.rights.copies.stores import NAMELESS, store_of
from sluice.rights.erasure.erase import run
from sluice.settings import Settings
from sluice.subject.index import is_whole, write_run
from sluice.terms import Principal

Found = set[tuple[str, str, int]]
"""Exchange, kind, rows."""


@pytest.fixture
def estate(store_settings: Settings, tmp_path: Path) -> Iterator[Estate]:
    with open_estate(store_settings, tmp_path, people=5, others=7, shared=2) as opened:
        yield opened


def target_of(estate: Estate, person: Person, principal: Principal, which: slice = slice(None)) -> Target:
    """A person by some of their phone, e-mail and customer number."""
    customer = person.record if principal == ENERGY01 else person.subscriber
    key = estate.house.subject_key(principal)
    values = (person.e164, person.email, customer)[which]
    return Target(principal, key, frozenset(person.refs(key, customer)[which]), values, frozenset())


def opened_all(bench: Bench) -> Found:
    """What an erasure finds if it opens every copy, whatever the index says."""
    copies = copy_store.find_copies(bench.house.conn, bench.target.principal)
    found = ((copy, store_of(copy).find(bench, copy)) for copy in copies)
    return {(copy.exchange_id, copy.kind, rows) for copy, rows in found if rows}


def led(bench: Bench) -> Found:
    return {(place.copy.exchange_id, place.copy.kind, place.rows) for place in find_places(bench)}


def is_led(estate: Estate, target: Target) -> bool:
    """Whether the index leads to what opening everything finds, and there is something."""
    with open_bench(estate.house, target) as bench:
        found = opened_all(bench)
        return led(bench) == found != set()


def asked_for(estate: Estate) -> dict[str, Target]:
    """Of the first ones every kind of row is refused somewhere; the others only of nobody's."""
    one, two, three, four = *estate.people[:2], estate.people[3], estate.others[-1]
    return {
        "refused rows": target_of(estate, one, ENERGY01),
        "cut records": target_of(estate, two, ENERGY01, slice(1, 2)),
        "PGP and PGP's principal": target_of(estate, one, TELECOM01),
        "by phone": target_of(estate, three, ENERGY01, slice(0, 1)),
        "by customer number": target_of(estate, four, ENERGY01, slice(2, 3)),
    }


def forget(estate: Estate, person: Person, kind: str) -> str:
    """Take a person out of one run of the index behind the record; of which exchange."""
    bucket, words = estate.settings.bucket_lake, [int(ref[:16], 16) for ref in target_of(estate, person, ENERGY01).refs]
    with open_bench(estate.house, target_of(estate, person, ENERGY01)) as bench:
        copy = next(place.copy for place in find_places(bench) if place.copy.kind == kind)
        path = bench.fetch(copy)
        assert path is not None
        entries = pl.read_parquet(path).filter(~pl.col("ref").is_in(words))
        content = write_run(entries, is_whole=is_whole(path))
    stored = estate.house.objects.put(bucket, copy.key, content, "x")
    estate.house.conn.execute(
        "update copy set version_id = %s, sha256 = %s where (exchange_id, kind) = (%s, %s)",
        (stored.version_id, stored.sha256, copy.exchange_id, kind),
    )
    return copy.exchange_id


def closed_to_strangers(estate: Estate) -> tuple[list[Copy], list[Copy]]:
    """Copies that are opened for somebody whom nobody knows, and all."""
    nobody = Target(
        ENERGY01, estate.house.subject_key(ENERGY01), frozenset({"ab" * 16}), ("+32470999999",), frozenset()
    )
    with open_bench(estate.house, nobody) as bench:
        opened = [copy for copy in led_copies(bench) if store_of(copy).name != NAMELESS.name]
    return opened, copy_store.find_copies(estate.house.conn, ENERGY01)


@pytest.mark.evidence
def test_the_index_leads_to_whatever_opening_everything_finds_and_its_gaps_are_mended(
    estate: Estate, record_property: pytest.TestReport
) -> None:
    assert [what for what, target in asked_for(estate).items() if not is_led(estate, target)] == []
    opened, every = closed_to_strangers(estate)
    assert {copy.kind for copy in opened} <= {"arrived", "quarantine.file"}, (
        "only files that were no table, or no flow's"
    )
    record_property("copies opened for somebody nobody knows", f"{len(opened)} of {len(every)}")
    assert len(opened) * 4 < len(every)

    forgotten = forget(estate, estate.people[3], "index"), forget(estate, estate.people[3], "index.rest")
    assert not is_led(estate, target_of(estate, estate.people[3], ENERGY01)), "the control: a run that forgot is seen"

    night, person = estate.night, estate.people[3]
    case = asked(night, person.e164, person.record)
    first = run(estate.house, case.case_id, datetime.now(UTC))
    assert first.residual, "the second scan reads every byte, so it finds what the index did not lead to"
    rows = estate.house.conn.execute("select exchange_id::text as id, found_by from erasure_lead").fetchall()
    assert {row["id"] for row in rows if row["found_by"] == "scan"} == set(forgotten)
    let_go(night, case)
    again = run(estate.house, case.case_id, datetime.now(UTC))
    assert (again.residual, again.doubts, again.waiting) == (0, 0, 0)
    by_what_was_asked = slice(0, 3, 2)
    with open_bench(estate.house, target_of(estate, person, ENERGY01, by_what_was_asked)) as bench:
        assert opened_all(bench) == set()


def test_a_server_keeps_small_runs_and_asks_an_edited_one_anew(estate: Estate) -> None:
    estate.night.desk.unmerge()
    person = estate.people[3]
    target = target_of(estate, person, ENERGY01)

    def named() -> tuple[frozenset[str], int]:
        """Exchanges that the index names, and how many objects were read to know it."""
        copies = copy_store.find_copies(estate.house.conn, ENERGY01)
        with patch.object(ObjectStore, "read", autospec=True, side_effect=ObjectStore.read) as read:
            return find_lead(asking_bench(estate.house, target), copies).named, read.call_count

    first, reads = named()
    assert first and reads, "the control: nothing was kept before"
    assert named() == (first, 0)
    gone = forget(estate, person, "index")
    again, reads = named()
    assert reads == 1, "the one that was edited"
    assert again in (first, first - {gone}), "its other run may name them too"
