"""Merged index runs say what the runs say, with fewer reads, and hold nobody whom a run holds no more."""

import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rights.asking import asked
from rights.erasure.test_lead import Found, asked_for, led, target_of
from rights.estate import ENERGY01, TELECOM01, Estate, agree, ask, copied_estate, open_estate
from rights.people import Person
from sluice.db import connect_to
from sluice.exchange.naming import merged_prefix
from sluice.exchange.persons.corrections import Left
from sluice.exchange.persons.merged import RUNS, count_left, merge_all, merge_index, named_in, sweep_merged
from sluice.exchange.persons.merged_store import find_runs
from sluice.ledger.copy_kinds import INDEX
from sluice.retention.run import retain
from sluice.rights.case.model import Case
from sluice.rights.copies.bench import open_bench
from sluice.rights.copies.copy_store import find_copies
from sluice.rights.copies.lead import find_lead
from sluice.rights.erasure.erase import run, verify
from sluice.settings import Settings
from sluice.subject.index import find_in_run
from sluice.terms import Direction
from support.copies import Copies
from support.dying import dying
from support.effort import effort

POINTS = effort(3, 60)
NUMBERS = {"people": 5, "others": 7, "shared": 2}
NOW = datetime(2026, 11, 26, tzinfo=UTC)


def filled(settings: Settings, folder: Path) -> None:
    with open_estate(settings, folder, **NUMBERS):
        pass


@pytest.fixture
def estate(copies: Copies, tmp_path: Path) -> Iterator[Estate]:
    with copied_estate(copies, filled, tmp_path, **NUMBERS) as opened:
        yield opened


def found(estate: Estate) -> dict[str, Found]:
    """What the index says of each person, by the identifiers that are asked for."""
    answers = {}
    for what, target in asked_for(estate).items():
        with open_bench(estate.house, target) as bench:
            answers[what] = led(bench)
    return answers


def said(estate: Estate) -> dict[str, object]:
    """What the index says of everybody: how often they are in each run, and whether it is whole."""
    answers: dict[str, object] = {}
    for what, target in asked_for(estate).items():
        with open_bench(estate.house, target) as bench:
            answers[what] = find_lead(bench, find_copies(estate.house.conn, target.principal)).answers
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


def test_who_is_erased_is_in_no_merge_whatever_died_before(estate: Estate) -> None:
    merge_all(estate.house, NOW)
    assert left(estate, 0) and left(estate, 1), "the control: they were in one"
    estate.house.conn.execute(
        "delete from index_merge where principal = %s", (ENERGY01,)
    )  # it died before it was noted
    assert left(estate, 0) and noted(estate) == set() != parts(estate)

    case = asked_by(estate, estate.people[0])
    report = run(estate.house, case.case_id, datetime.now(UTC))

    assert (report.residual, report.doubts, report.waiting) == (0, 0, 0)
    assert left(estate, 0) == 0 and parts(estate) == set()
    merge_all(estate.house, NOW)
    assert left(estate, 0) == 0 < left(estate, 1)


def test_a_merge_that_still_names_them_is_a_residue(estate: Estate) -> None:
    merge_all(estate.house, NOW)
    bucket = estate.settings.bucket_lake
    contents = {key: estate.house.objects.read(bucket, key, version) for key, version in parts(estate)}
    case = asked_by(estate, estate.people[0])
    assert run(estate.house, case.case_id, datetime.now(UTC)).residual == 0
    for key, content in contents.items():
        estate.house.objects.put(bucket, key, content, "x")

    assert verify(estate.house, case.case_id, datetime.now(UTC)).residual == left(estate, 0) > 0


def test_what_is_no_run_is_a_doubt_and_goes_with_the_next_sweep(estate: Estate) -> None:
    case = asked_by(estate, estate.people[0])
    assert run(estate.house, case.case_id, datetime.now(UTC)).doubts == 0
    key = f"{merged_prefix(ENERGY01)}2026-11/merge=1/part-0000.parquet"
    estate.house.objects.put(estate.settings.bucket_lake, key, b"PAR1 and nothing else", "x")
    target = target_of(estate, estate.people[0], ENERGY01)

    assert count_left(estate.house, ENERGY01, target.refs) == Left(0, 1)
    report = verify(estate.house, case.case_id, datetime.now(UTC))
    assert report.residual == 0 and report.doubts == 2, "by the bytes, and by the references"
    sweep_merged(estate.house, ENERGY01)
    assert verify(estate.house, case.case_id, datetime.now(UTC)).doubts == 0


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


@pytest.mark.timeout(900)
@pytest.mark.slow
@pytest.mark.evidence
def test_a_merge_killed_anywhere_leads_nobody_astray_and_is_made_again(
    estate: Estate, record_property: Callable[[str, object], None]
) -> None:
    plain, killed, whole = said(estate), 0, 0
    with dying(estate.settings, "crash_erase.py") as victim:
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
