"""Merges of index runs: what is damaged, lost or nobody's goes and is made again; who edits waits for one month."""

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import numpy as np
import polars as pl
import pytest
from psycopg.errors import LockNotAvailable

from exchange.conftest import lent_desk
from sluice.db import Connection, connect_to
from sluice.errors import EvidenceInvalid, ServiceMissing
from sluice.exchange.house import House, open_house
from sluice.exchange.locks import hold_object
from sluice.exchange.naming import merged_prefix
from sluice.exchange.persons.corrections import Left
from sluice.exchange.persons.merge_rules import BIG_BYTES, FEWEST, MOST_BYTES
from sluice.exchange.persons.merged import (
    BETWEEN_CHECKS,
    RUNS,
    ask_merged,
    count_left,
    merge_all,
    merge_index,
    merge_new,
    named_in,
    sweep_merged,
)
from sluice.exchange.persons.merged_store import Run, find_months, find_runs
from sluice.ledger.copy_kinds import INDEX
from sluice.settings import Settings
from sluice.subject.index import ENTRIES_PER_PART, write_run
from sluice.terms import Decision, Principal
from support.copies import Copies
from support.desk import Desk, open_desk

ENERGY01, NOBODY = Principal("energy01"), Principal("gone99")
NOW = datetime(2026, 11, 26, tzinfo=UTC)
FILES, REFS = 4, ["ab" * 16]
Names = set[tuple[str, str]]


def unmerged(settings: Settings, folder: Path) -> None:
    """Fills an installation: as many files came in, and are not merged, as a merge needs."""
    with open_desk(settings, folder) as opened:
        for number in range(FILES):
            opened.drop(opened.campaign(5, seed=number + 1)[0], f"{number}.csv")
        opened.work()
        assert opened.unmerge() == FILES


@pytest.fixture
def desk(copies: Copies, tmp_path: Path) -> Iterator[Desk]:
    """For tests that take away no run."""
    with lent_desk(copies, tmp_path, fill=unmerged) as opened:
        yield opened


@pytest.fixture
def own(copies: Copies, tmp_path: Path) -> Iterator[Desk]:
    """For tests that do."""
    with copies.of(unmerged, tmp_path) as settings, open_house(settings) as house:
        yield Desk(house, tmp_path)


def admin(desk: Desk) -> "closing[Connection]":
    """A session of its own, which may what the product's own role may not."""
    url = desk.settings.database_admin_url
    assert url is not None
    return closing(connect_to(url.get_secret_value()))


def change(desk: Desk, statement: str, *values: object) -> None:
    with admin(desk) as conn:
        conn.execute(statement, values)


def parts(desk: Desk) -> Names:
    """Objects below ``merged/`` that the bucket has."""
    there = desk.house.objects.list_versions(desk.settings.bucket_lake, merged_prefix(ENERGY01))
    return {(item.key, item.version_id) for item in there}


def noted(desk: Desk) -> Names:
    """Objects of merges that the database knows."""
    return {
        (str(row["key"]), str(row["version_id"])) for row in desk.sql("select key, version_id from index_merge_part")
    }


def months(desk: Desk) -> set[str]:
    return {key.removeprefix(merged_prefix(ENERGY01)).split("/")[0] for key, _ in parts(desk)}


def runs_of(desk: Desk) -> list[Run]:
    return find_runs(desk.house.conn, ENERGY01, RUNS)


def answered(desk: Desk) -> int:
    """For how many runs merges answer."""
    return len(ask_merged(desk.house, ENERGY01, [run.name for run in runs_of(desk)], REFS))


def lose(desk: Desk) -> None:
    """Delete one object of a merge behind our back."""
    desk.house.objects.delete_version(desk.settings.bucket_lake, *min(parts(desk)))


def test_what_is_lost_is_made_again_whoever_notices(desk: Desk) -> None:
    assert merge_all(desk.house, NOW) == (FILES, 0) and answered(desk) == FILES
    lose(desk)
    assert answered(desk) == 0 and noted(desk) == set(), "the runs are asked"
    assert merge_all(desk.house, NOW) == (FILES, 0)
    lose(desk)
    assert merge_all(desk.house, NOW) == (FILES, 0), "nobody asked"
    assert parts(desk) == noted(desk) != set() and answered(desk) == FILES
    assert merge_all(desk.house, NOW) == (0, 0)

    # Whoever reads waits for nobody, and forgets what is damaged afterwards.
    change(desk, "update sluice.index_merge_part set sha256 = repeat('0', 64)")
    [month] = find_months(desk.house.conn, ENERGY01, RUNS)
    desk.house.conn.execute("set lock_timeout = '2s'")
    with admin(desk) as other, hold_object(other, desk.settings.bucket_lake, merged_prefix(ENERGY01, f"{month}/")):
        assert answered(desk) == 0 and noted(desk) == set() != parts(desk), "what lies there is not theirs to remove"
        with pytest.raises(LockNotAvailable):
            sweep_merged(desk.house, ENERGY01)
    sweep_merged(desk.house, ENERGY01)
    assert parts(desk) == set()
    with admin(desk) as other, hold_object(other, desk.settings.bucket_lake, merged_prefix(ENERGY01, "2020-01/")):
        assert merge_all(desk.house, NOW) == (FILES, 0), "another month is nothing to wait for"


def test_who_edits_a_run_waits_for_who_makes_a_merge_of_its_month(desk: Desk) -> None:
    merge_all(desk.house, NOW)
    [month] = months(desk)
    done: list[Names] = []

    def edit() -> None:
        with open_house(desk.settings) as second:
            sweep_merged(second, ENERGY01, month)
            done.append(parts(desk))

    desk.house.conn.execute("delete from index_merge")
    with admin(desk) as other, hold_object(other, desk.settings.bucket_lake, merged_prefix(ENERGY01, f"{month}/")):
        editor = Thread(target=edit)
        editor.start()
        until_waiting(desk.house)
        assert not done and parts(desk)
    editor.join(60)
    assert done == [set()]


def until_waiting(house: House) -> None:
    """Wait until somebody waits for a lock."""
    waiting = """select from pg_locks join pg_database d on d.oid = database
                 where locktype = 'advisory' and not granted and datname = current_database()"""
    for _ in range(600):
        if house.conn.execute(waiting).fetchone() is not None:
            return
        time.sleep(0.1)
    raise AssertionError("nobody waits")


def test_what_lies_beside_merges_goes_whoever_it_is_of(desk: Desk) -> None:
    merge_all(desk.house, NOW)
    kept, [month] = noted(desk), months(desk)
    names = ("2", "merge=1/x", "2026-01/x", f"{month}/merge=1/x")
    strays = [*(f"{merged_prefix(ENERGY01)}{name}" for name in names), f"{merged_prefix(NOBODY)}2026-01/x"]
    for key in strays:
        for content in (b"PAR1 and nothing else", b"x"):
            desk.house.objects.put(desk.settings.bucket_lake, key, content, "x")

    assert count_left(desk.house, ENERGY01, REFS) == Left(0, 2 * len(names)), "what is no run is no proof"
    assert merge_all(desk.house, NOW) == (0, 0)
    assert parts(desk) == noted(desk) == kept != set()
    assert not desk.house.objects.has_versions(desk.settings.bucket_lake, strays[-1])


def test_a_month_with_a_damaged_run_keeps_no_other_waiting(desk: Desk) -> None:
    earlier = [run.exchange_id for run in runs_of(desk)[: FILES // 2]]
    moved = "update sluice.exchange set opened_at = opened_at - interval '40 days' where exchange_id::text = any(%s)"
    change(desk, moved, earlier)
    assert merge_index(desk.house, ENERGY01, NOW, fewest=1) == (FILES, 0)
    both = months(desk)
    assert len(both) == 2
    desk.house.conn.execute("delete from index_merge")
    change(desk, "update sluice.copy set sha256 = repeat('0', 64) where exchange_id = %s", earlier[0])

    assert merge_index(desk.house, ENERGY01, NOW, fewest=1) == (FILES // 2, 1)
    assert months(desk) == {max(both)}


def read(desk: Desk, run: Run) -> bytes:
    return desk.house.objects.read(run.bucket, run.key, run.version_id)


def swap(desk: Desk, run: Run, content: bytes) -> None:
    """Another run in its place, as an erasure puts it: the new one is put and noted, and the old one goes."""
    put = desk.house.objects.put(run.bucket, run.key, content, "x")
    desk.house.conn.execute(
        "update copy set version_id = %s, sha256 = %s, size_bytes = %s where exchange_id = %s and kind = %s",
        (put.version_id, hashlib.sha256(content).hexdigest(), len(content), run.exchange_id, run.kind),
    )
    lose_run(desk, run)


def lose_run(desk: Desk, run: Run) -> None:
    """Delete this version of a run behind our back."""
    desk.house.objects.delete_version(run.bucket, run.key, run.version_id)


def remove(desk: Desk, run: Run) -> None:
    """Remove a run as retention does: note it first."""
    desk.sql(
        f"update copy set gone_at = now() where exchange_id = '{run.exchange_id}' and kind = '{run.kind}' returning 1"
    )
    lose_run(desk, run)


def asked_while(desk: Desk, happens: Callable[[Run], None]) -> tuple[Run, set[str]]:
    """Somebody of the oldest run, and one of the newest, are looked for; it happens once the newest was read.

    The oldest run, and those in which somebody was found.
    """
    runs = find_runs(desk.house.conn, ENERGY01, {INDEX})
    words = [pl.read_parquet(read(desk, run), columns=["ref"])["ref"][0] for run in (runs[0], runs[-1])]
    found = named_in(desk.house, ENERGY01, [f"{word:016x}{0:016x}" for word in words])
    newest, _ = next(found)
    assert newest == runs[-1], "the control: the oldest was not read yet"
    happens(runs[0])
    return runs[0], {run.exchange_id for run, _ in found}


def test_a_run_that_changes_while_others_are_read_names_who_is_in_it_now(own: Desk) -> None:
    oldest, names = asked_while(own, lambda run: None)
    assert names == {oldest.exchange_id}, "the control"
    assert asked_while(own, lambda run: swap(own, run, read(own, run)))[1] == names
    nobody = write_run(pl.DataFrame(schema={"ref": pl.UInt64, "kind": pl.UInt8}))
    content = read(own, oldest_run(own))
    assert asked_while(own, lambda run: swap(own, run, nobody))[1] == set(), "the edited one decides"
    swap(own, oldest_run(own), content)
    assert asked_while(own, lambda run: remove(own, run))[1] == set(), "one that was removed names nobody"
    with pytest.raises(EvidenceInvalid):
        asked_while(own, lambda run: lose_run(own, run))


def oldest_run(desk: Desk) -> Run:
    return find_runs(desk.house.conn, ENERGY01, {INDEX})[0]


@contextmanager
def before(house: House, operation: str, below: str, happens: Callable[[], object]) -> Iterator[list[str]]:
    """Call ``happens`` once, before the first request of this operation below a prefix.

    Gives the list of keys of all such requests.
    """
    keys, first = list[str](), Lock()

    def note(params: dict[str, Any], **_: Any) -> None:
        if params["Key"].startswith(below):
            keys.append(params["Key"])
            if first.acquire(blocking=False):
                happens()

    events, name = house.objects._client.meta.events, f"before-parameter-build.s3.{operation}"
    events.register(name, note)
    try:
        yield keys
    finally:
        events.unregister(name, note)


def test_a_run_that_is_edited_or_lost_meanwhile_waits_or_fails_its_month_and_what_was_merged_stays(own: Desk) -> None:
    *_, newest = runs_of(own)
    content = read(own, newest)
    with before(own.house, "GetObject", newest.key, lambda: swap(own, newest, content)) as gets:
        assert merge_all(own.house, NOW) == (0, 0), "it waits for the next night"
    assert gets and parts(own) == set()
    assert merge_all(own.house, NOW) == (FILES, 0)

    was = noted(own)
    own.drop(own.campaign(5, seed=FILES + 1)[0], "more.csv")
    own.work()
    *_, newest = runs_of(own)
    lose_run(own, newest)
    assert merge_index(own.house, ENERGY01, NOW, fewest=1) == (0, 1)
    assert parts(own) == noted(own) == was and answered(own) == FILES
    remove(own, newest)
    assert merge_index(own.house, ENERGY01, NOW, fewest=1) == (0, 0), "who was removed is missed by nobody"


def cut(desk: Desk, house: House) -> None:
    """PostgreSQL ends the session of a house, as in a failover."""
    pid = house.conn.info.backend_pid
    change(desk, "select pg_terminate_backend(%s, 10000)", pid)


def test_who_lost_the_lock_or_the_database_leaves_nothing(own: Desk) -> None:
    with open_house(own.settings) as second, before(second, "PutObject", "", lambda: None) as puts:
        with before(second, "GetObject", "", lambda: unlock(second)) as gets:
            assert merge_all(second, NOW) == (0, 1)
        assert gets and puts == [], "lost while reading: it puts nothing"
    with open_house(own.settings) as second:
        with before(second, "PutObject", "", lambda: cut(own, second)) as puts, pytest.raises(ServiceMissing):
            merge_all(second, NOW)
        assert puts and parts(own) == noted(own) == set()

    # A run of so many persons that it is cut into more parts than are put between two looks at the lock.
    *_, newest = runs_of(own)
    random = np.random.default_rng(1)
    refs = np.sort(random.integers(0, 2**64, BETWEEN_CHECKS * ENTRIES_PER_PART + 1, np.uint64))
    swap(own, newest, write_run(pl.DataFrame({"ref": refs, "kind": np.ones(len(refs), np.uint8)})))
    with open_house(own.settings) as second:
        with before(second, "PutObject", "", lambda: unlock(second)) as puts:
            assert merge_all(second, NOW) == (0, 1)
        assert len(puts) == BETWEEN_CHECKS and parts(own) == noted(own) == set(), "no more than was begun, taken back"
    assert merge_all(own.house, NOW) == (FILES, 0) and len(parts(own)) == 2 * BETWEEN_CHECKS, "the control"


def unlock(house: House) -> None:
    house.conn.execute("select pg_advisory_unlock_all()")


def one_more(desk: Desk, number: int) -> list[str | None]:
    """A file comes in and is worked off: the merge of each run, the oldest first."""
    desk.drop(desk.campaign(5, seed=100 + number)[0], f"more-{number}.csv")
    desk.work()
    return [run.merge_id for run in runs_of(desk)]


def test_what_comes_by_day_is_merged_by_whoever_takes_it_in(desk: Desk) -> None:
    assert one_more(desk, 0).count(None) == 0, "what was left is merged with it"
    [first] = {run.merge_id for run in runs_of(desk)}
    for number in range(1, FEWEST):
        assert one_more(desk, number).count(None) == number, "the control: fewer are not worth it"
    again = one_more(desk, FEWEST)
    assert len({*again}) == 1 and None not in again and first not in again, "with what was no larger"
    assert answered(desk) == len(again) and parts(desk) == noted(desk)


def test_a_run_that_cannot_be_merged_keeps_no_file_waiting(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.house.conn.execute("update copy set sha256 = repeat('0', 64) where kind = 'index'")
    assert set(one_more(desk, 0)) == {None} and "merging the index waits" in caplog.text
    assert {line.decision for line in desk.lines()} == {Decision.ACCEPTED}


def test_what_is_older_than_a_day_or_big_or_of_last_month_waits_for_the_night(desk: Desk) -> None:
    """Months are those of Brussels, where December begins an hour before it does in UTC."""
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    change(desk, "update sluice.exchange set opened_at = %s", noon)
    assert merge_new(desk.house, ENERGY01, noon + timedelta(hours=25)) == 0
    change(desk, "update sluice.copy set size_bytes = %s where kind = 'index'", BIG_BYTES)
    assert merge_new(desk.house, ENERGY01, noon + timedelta(hours=1)) == 0
    change(desk, "update sluice.copy set size_bytes = %s where kind = 'index'", BIG_BYTES - 1)
    assert merge_new(desk.house, ENERGY01, noon + timedelta(hours=1)) == FILES, "the control"

    assert desk.unmerge() == FILES
    change(desk, "update sluice.exchange set opened_at = '2026-11-30T22:30:00Z'")
    assert merge_new(desk.house, ENERGY01, datetime(2026, 11, 30, 23, 30, tzinfo=UTC)) == 0
    assert merge_new(desk.house, ENERGY01, datetime(2026, 11, 30, 22, 45, tzinfo=UTC)) == FILES, "the control"


def test_whoever_takes_files_in_waits_for_nobody_who_merges(desk: Desk) -> None:
    [month] = find_months(desk.house.conn, ENERGY01, RUNS)
    with admin(desk) as other, hold_object(other, desk.settings.bucket_lake, merged_prefix(ENERGY01, f"{month}/")):
        assert set(one_more(desk, 0)) == {None}
    assert None not in one_more(desk, 1), "the control"


def test_what_shares_a_merge_that_goes_is_merged_the_same_night(desk: Desk) -> None:
    """More came than fits into one merge: four of which three fit, and another."""
    assert merge_all(desk.house, NOW) == (FILES, 0)
    one_more(desk, 0)
    change(desk, "update sluice.copy set size_bytes = %s where kind = 'index'", MOST_BYTES // 3)
    assert merge_index(desk.house, ENERGY01, NOW, fewest=1) == (FILES + 1, 0)
    assert answered(desk) == FILES + 1 and len({run.merge_id for run in runs_of(desk)}) == 2
    assert merge_index(desk.house, ENERGY01, NOW, fewest=1) == (0, 0), "and that is all"
