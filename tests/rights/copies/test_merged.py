"""The index leads an erasure: what it says is left closed, what it cannot know is opened, and its gaps are mended.

Merged runs of it say what the runs say, with fewer reads, and hold nobody whom a run holds no more.
"""

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import polars as pl
import pytest

from rights.asking import asked, let_go
from rights.estate import ENERGY01, TELECOM01, Estate, agree, ask, open_estate
from rights.people import Person
from sluice.db import connect_to
from sluice.exchange.naming import merged_prefix
from sluice.exchange.persons.corrections import Left
from sluice.exchange.persons.merged import RUNS, count_left, merge_all, merge_index, named_in, sweep_merged
from sluice.exchange.persons.merged_store import find_runs
from sluice.lake.s3.objects import ObjectStore
from sluice.ledger.copy_kinds import ARRIVED, INDEX, LAKE
from sluice.retention.run import retain
from sluice.rights.case.model import Case
from sluice.rights.copies import copy_store
from sluice.rights.copies.bench import Bench, Held, asking_bench, open_bench
from sluice.rights.copies.find import find_places, led_copies
from sluice.rights.copies.lead import find_lead
from sluice.rights.copies.linked import look_in_copy
from sluice.rights.copies.model import Copy, Target
from sluice.rights.copies.stores import NAMELESS, store_of
from sluice.rights.erasure.erase import run, verify
from sluice.settings import Settings
from sluice.subject.index import find_in_run, is_whole, write_run
from sluice.terms import Direction, Principal
from support.crash import dying
from support.effort import chosen, effort

POINTS = effort(3, 60)
NOW = datetime(2026, 11, 26, tzinfo=UTC)
NOBODYS = "f" * 32
Found = set[tuple[str, str, int]]
"""Exchange, kind, rows."""


@pytest.fixture(scope="module")
def estate(module_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    with open_estate(module_settings, tmp_path_factory.mktemp("estate"), people=6, others=7, shared=2) as opened:
        yield opened


def find_copies(estate: Estate) -> list[Copy]:
    return copy_store.find_copies(estate.house.conn, ENERGY01)


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
    return opened, find_copies(estate)


def said(estate: Estate) -> dict[str, object]:
    """What the index says of everybody: how often they are in each run, and whether it is whole."""
    answers: dict[str, object] = {}
    for what, target in asked_for(estate).items():
        with open_bench(estate.house, target) as bench:
            answers[what] = find_lead(bench, copy_store.find_copies(estate.house.conn, target.principal)).answers
    return answers


def sought(estate: Estate) -> tuple[set[tuple[str, int]], list[str]]:
    """Which exchanges have which first words of somebody's references in their run of accepted rows; the references."""
    refs = sorted(asked_for(estate)["refused rows"].refs)
    runs = [run for run in find_runs(estate.house.conn, ENERGY01, RUNS) if run.kind == "index"]
    read = {run.exchange_id: estate.house.objects.read(run.bucket, run.key, run.version_id) for run in runs}
    return {(name, word) for name, run in read.items() for word in find_in_run(run, refs)["ref"].to_list()}, refs


def named(estate: Estate, refs: list[str]) -> set[tuple[str, int]]:
    """Where each person is, as the product finds it."""
    found = named_in(estate.house, ENERGY01, refs)
    return {(run.exchange_id, word) for run, words in found for word in words}


def parts(estate: Estate) -> set[tuple[str, str]]:
    """Objects of merges that the bucket has."""
    there = estate.house.objects.list_versions(estate.settings.bucket_lake, merged_prefix(ENERGY01))
    return {(item.key, item.version_id) for item in there}


def noted(estate: Estate) -> set[tuple[str, str]]:
    """Objects of merges that the database knows."""
    rows = estate.night.desk.sql(
        f"select key, version_id from index_merge_part join index_merge using (merge_id) where principal = '{ENERGY01}'"
    )
    return {(str(row["key"]), str(row["version_id"])) for row in rows}


def runs_read(estate: Estate) -> int:
    """How many runs themselves are read to find somebody whom nobody knows."""
    keys: list[str] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        keys.append(params["Key"])

    client = estate.house.objects._client
    client.meta.events.register("before-parameter-build.s3.GetObject", note)
    try:
        with open_bench(estate.house, asked_for(estate)["by phone"]) as bench:
            led(bench)
    finally:
        client.meta.events.unregister("before-parameter-build.s3.GetObject", note)
    return sum(key.startswith("_subject_index/") and "/merged/" not in key for key in keys)


def lose(estate: Estate, part: tuple[str, str]) -> None:
    """Delete one object of a merge behind our back."""
    estate.house.objects.delete_version(estate.settings.bucket_lake, *part)


def damage(estate: Estate) -> None:
    """Overwrite every part of a merge with other content."""
    admin(estate, "update sluice.index_merge_part set sha256 = repeat('0', 64)")


def admin(estate: Estate, statement: str, *values: object) -> None:
    """Run a statement that the product's own role may not."""
    url = estate.settings.database_admin_url
    assert url is not None
    with closing(connect_to(url.get_secret_value())) as conn:
        conn.execute(statement, values)


def left(estate: Estate, number: int) -> int:
    """Objects of merges that name one of the people by what they are asked for: phone and customer number."""
    target = target_of(estate, estate.people[number], ENERGY01, slice(0, 3, 2))
    return count_left(estate.house, ENERGY01, target.refs).named


def asked_by(estate: Estate, person: Person) -> Case:
    """By their telephone, and their number at each principal: who gives one alone may be family at the other."""
    return asked(estate.night, person.e164, person.record, person.subscriber)


def found(estate: Estate) -> dict[str, Found]:
    """What the index says of each person, by the identifiers that are asked for."""
    answers = {}
    for what, target in asked_for(estate).items():
        with open_bench(estate.house, target) as bench:
            answers[what] = led(bench)
    return answers


def has_its_bytes(bench: Bench, copy: Copy) -> bool:
    path = bench.fetch(copy)
    return path is not None and hashlib.sha256(path.read_bytes()).hexdigest() == copy.sha256


def test_a_bench_for_other_references_shares_what_lies_in_the_folder_and_answers_its_own_question(
    estate: Estate,
) -> None:
    one, other = [copy for copy in find_copies(estate) if copy.kind == LAKE][:2]
    with open_bench(estate.house, asked_for(estate)["by phone"]) as bench:
        nobody = replace(bench, target=replace(bench.target, refs=frozenset({NOBODYS}), values=()))
        assert has_its_bytes(bench, one) and has_its_bytes(nobody, other) and has_its_bytes(bench, one)
        apart = replace(bench, held=Held(bench.held.last))
        assert has_its_bytes(apart, other) and not has_its_bytes(bench, one), "the control"
    with open_bench(estate.house, asked_for(estate)["by phone"]) as bench:
        nobody = replace(bench, target=replace(bench.target, refs=frozenset({NOBODYS}), values=()))
        rows = {}
        for copy in find_copies(estate):
            if copy.kind == ARRIVED:
                path = bench.fetch(copy)
                assert path is not None
                rows[copy.name] = look_in_copy(bench, copy, path)[1]
                assert look_in_copy(nobody, copy, path)[1] == 0
                assert look_in_copy(bench, copy, path)[1] == rows[copy.name]
        assert any(rows.values()), "the control"


@pytest.mark.evidence
def test_the_index_leads_to_whatever_opening_everything_finds(
    estate: Estate, record_property: Callable[[str, object], None]
) -> None:
    targets = asked_for(estate)
    assert [what for what in chosen(list(targets)) if not is_led(estate, targets[what])] == []
    opened, every = closed_to_strangers(estate)
    assert {copy.kind for copy in opened} <= {"arrived", "quarantine.file"}, "only files that were no flow's table"
    record_property("copies opened for somebody nobody knows", f"{len(opened)} of {len(every)}")
    assert len(opened) * 4 < len(every)


def test_a_merge_leads_where_the_runs_lead_and_whatever_it_cannot_answer_they_do(
    estate: Estate, caplog: pytest.LogCaptureFixture
) -> None:
    estate.night.desk.unmerge()
    plain, before = found(estate), runs_read(estate)
    assert all(plain.values())
    merged, failed = merge_all(estate.house, NOW)
    count = len(find_runs(estate.house.conn, ENERGY01, RUNS))  # telecom01 has too few
    assert (merged, failed) == (count, 0) and parts(estate) == noted(estate) != set()
    assert found(estate) == plain
    hits = sum(kind in RUNS for _, kind, _ in plain["by phone"])
    assert runs_read(estate) == hits < before, "only those that name the person, to see how often"
    assert merge_all(estate.house, NOW) == (0, 0), "again changes nothing"

    answers, [of, refs] = said(estate), sought(estate)
    assert named(estate, refs) == of != set()
    damage(estate)
    with caplog.at_level(logging.WARNING):
        assert named(estate, refs) == of, "whoever finds the damage reads the runs"
    assert "is damaged" in caplog.text and noted(estate) == set() != parts(estate)
    assert said(estate) == answers and runs_read(estate) == before
    assert merge_all(estate.house, NOW) == (count, 0) and parts(estate) == noted(estate) != set(), "made again"
    lose(estate, min(parts(estate)))
    assert said(estate) == answers and runs_read(estate) == before
    assert merge_all(estate.house, NOW) == (count, 0)
    lose(estate, min(parts(estate)))
    assert merge_all(estate.house, NOW) == (count, 0) and parts(estate) == noted(estate), "missed though nobody asked"
    assert runs_read(estate) == hits


@pytest.mark.timeout(900)
@pytest.mark.long
@pytest.mark.evidence
def test_a_merge_killed_anywhere_leads_nobody_astray_and_is_made_again(
    estate: Estate, record_property: Callable[[str, object], None]
) -> None:
    plain, killed, whole = said(estate), 0, 0
    with dying(estate.settings, "erasure") as victim:
        _, steps = victim(ENERGY01, 0, "merge")
        for point in range(2, steps, max(1, steps * 3 // POINTS // 4)):  # later runs have fewer steps than the first
            estate.house.conn.execute("delete from index_merge where principal = %s", (ENERGY01,))
            killed += victim(ENERGY01, point, "merge")[0]
            leads = said(estate) == plain
            merge_index(estate.house, ENERGY01, NOW, fewest=1)
            whole += leads and said(estate) == plain and parts(estate) == noted(estate) != set()
    assert killed >= POINTS * 9 // 10 and whole >= killed
    record_property(
        "SIGKILL points of a merge: found as before, and made again without a rest, killed", f"{whole}, {killed}"
    )


def test_a_server_keeps_small_runs_and_asks_an_edited_one_anew_and_gaps_of_the_index_are_mended(
    estate: Estate,
) -> None:
    estate.night.desk.unmerge()
    person = estate.people[3]
    target = target_of(estate, person, ENERGY01)

    def indexed() -> tuple[frozenset[str], int]:
        """Exchanges that the index names, and how many objects were read to know it."""
        with patch.object(ObjectStore, "read", autospec=True, side_effect=ObjectStore.read) as read:
            return find_lead(asking_bench(estate.house, target), find_copies(estate)).named, read.call_count

    first, reads = indexed()
    assert first and reads, "the control: nothing was kept before"
    assert indexed() == (first, 0)
    gone = forget(estate, person, "index")
    again, reads = indexed()
    assert reads == 1, "the one that was edited"
    assert again in (first, first - {gone}), "its other run may name them too"

    forgotten = {gone, forget(estate, person, "index.rest")}
    assert not is_led(estate, target), "the control: a run that forgot is seen"
    case = asked(estate.night, person.e164, person.record)
    report = run(estate.house, case.case_id, datetime.now(UTC))
    assert report.residual, "the second scan reads every byte, so it finds what the index did not lead to"
    rows = estate.house.conn.execute("select exchange_id::text as id, found_by from erasure_lead").fetchall()
    assert {row["id"] for row in rows if row["found_by"] == "scan"} == forgotten
    let_go(estate.night, case)
    report = run(estate.house, case.case_id, datetime.now(UTC))
    assert (report.residual, report.doubts, report.waiting) == (0, 0, 0)
    with open_bench(estate.house, target_of(estate, person, ENERGY01, slice(0, 3, 2))) as bench:
        assert opened_all(bench) == set(), "by what was asked"


def test_who_is_erased_is_in_no_merge_whatever_died_before_and_one_that_names_them_is_a_residue(
    estate: Estate,
) -> None:
    house, bucket = estate.house, estate.settings.bucket_lake
    merge_all(house, NOW)
    assert left(estate, 4) and left(estate, 1), "the control: they were in one"
    contents = {key: house.objects.read(bucket, key, version) for key, version in parts(estate)}
    house.conn.execute("delete from index_merge where principal = %s", (ENERGY01,))  # it died before it was noted
    assert left(estate, 4) and noted(estate) == set() != parts(estate)
    case = asked_by(estate, estate.people[4])

    report = run(house, case.case_id, datetime.now(UTC))

    assert (report.residual, report.doubts, report.waiting) == (0, 0, 0)
    assert left(estate, 4) == 0 and parts(estate) == set()
    merge_all(house, NOW)
    assert left(estate, 4) == 0 < left(estate, 1)
    for key, content in contents.items():
        house.objects.put(bucket, key, content, "x")
    assert verify(house, case.case_id, datetime.now(UTC)).residual == left(estate, 4) > 0
    sweep_merged(house, ENERGY01)
    key = f"{merged_prefix(ENERGY01)}2026-11/merge=1/part-0000.parquet"
    house.objects.put(bucket, key, b"PAR1 and nothing else", "x")
    refs = target_of(estate, estate.people[4], ENERGY01, slice(0, 3, 2)).refs
    assert count_left(house, ENERGY01, refs) == Left(0, 1)
    report = verify(house, case.case_id, datetime.now(UTC))
    assert report.residual == 0 and report.doubts == 2, "what is no run: by the bytes, and by the references"
    sweep_merged(house, ENERGY01)
    assert verify(house, case.case_id, datetime.now(UTC)).doubts == 0, "it goes with the next sweep"


def test_of_a_sealed_return_whose_run_is_damaged_nothing_is_proven(estate: Estate) -> None:
    case = agree(estate, ask(estate, TELECOM01, estate.others[:1]).case_id)
    report = run(estate.house, case.case_id, datetime.now(UTC))
    assert (report.residual, report.doubts) == (0, 0) and report.sealed, "the control: its run says who is not in it"
    runs = find_runs(estate.house.conn, TELECOM01, {INDEX})
    [index] = [each for each in runs if each.direction is Direction.OUTBOUND_RETURN]
    broken = estate.house.objects.put(index.bucket, index.key, b"PAR1 and nothing else", "x")
    admin(estate, "update sluice.copy set version_id = %s where exchange_id = %s and kind = %s", broken.version_id,
          index.exchange_id, index.kind)  # fmt: skip

    again = verify(estate.house, case.case_id, datetime.now(UTC))
    assert (again.residual, again.sealed, again.doubts) == (0, 0, 1 + report.sealed)


def test_what_retention_removes_is_in_no_merge(estate: Estate) -> None:
    merge_all(estate.house, NOW)
    assert parts(estate)

    done = retain(estate.house, datetime.now(UTC) + timedelta(days=4_000), ENERGY01)

    assert done.deleted and not done.failed
    runs = find_runs(estate.house.conn, ENERGY01, RUNS)
    assert (parts(estate), noted(estate), [run.merge_id for run in runs]) == (set(), set(), [None] * len(runs))
