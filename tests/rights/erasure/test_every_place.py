"""No place without a store: what a night fills has one, or names nobody; and whatever else is there is named."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from rights.estate import ENERGY01, TELECOM01, Estate, agree, ask, copied_estate, open_estate
from sluice.lake.s3.objects import StoredObject
from sluice.rights.case.model import CaseId
from sluice.rights.copies.model import Target
from sluice.rights.copies.stores import STORES
from sluice.rights.erasure.census import (
    KnownPlace,
    buckets_by_role,
    find_unknown,
    known_places,
    known_tables,
    principals_of,
)
from sluice.rights.erasure.certificate import NotProven, issue
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.preflight import Risk, preflight
from sluice.settings import Settings
from support.copies import Copies
from support.examined import examine_one
from support.stores import Database

NOBODY = "no person at all"
HIDDEN = (
    "lake/_scratch/", "lake/_returns/nobody99/", "lake/_subject_index/x.parquet", "lake/copy.parquet",
    "vault/exports/", "vault/[name withheld]", "vault/_cases/not-a-number/", "vault/_cases/subject.age",
    "internal/_anything/", "evidence/old/", "exchange/nobody99/",
)  # fmt: skip
"""Where the control hides an object, as the census has to name it."""


def planted(settings: Settings, folder: Path) -> None:
    """A few persons in every kind of place."""
    with open_estate(settings, folder, 4, 4, 2):
        pass


@pytest.fixture
def estate(copies: Copies, tmp_path: Path) -> Iterator[Estate]:
    with copied_estate(copies, planted, tmp_path, 4, 4, 2) as opened:
        yield opened


def census(estate: Estate) -> list[str]:
    house = estate.house
    return [str(each) for each in find_unknown(house.settings, house.conn, house.objects)]


def owner_of(bucket: str, key: str, principals: Collection[str]) -> KnownPlace | None:
    """The narrowest known place of a key. ``bucket``: its setting, without ``bucket_``."""
    segments = key.split("/")[:-1]
    mine = [each for each in known_places() if each.bucket == bucket and each.covers(segments, principals)]
    return max(mine, key=lambda each: len(each.segments), default=None)


def searched_by_store(estate: Estate) -> dict[str, set[StoredObject]]:
    """What each store gives the second scan to read, for both principals."""
    found: dict[str, set[StoredObject]] = defaultdict(set)
    for principal in (ENERGY01, TELECOM01):
        for store in STORES:
            found[store.name].update(store.objects(estate.house, Target(principal, b"", frozenset(), (), frozenset())))
    return found


def test_every_object_lies_where_a_list_says_and_is_read_by_the_store_that_the_list_names(estate: Estate) -> None:
    case = agree(estate, ask(estate, ENERGY01, estate.people[:2]).case_id)
    run(estate.house, case.case_id, datetime.now(UTC))
    roles = {name: role for role, name in buckets_by_role(estate.settings).items()}
    principals, searched = principals_of(estate.settings, estate.house.conn), searched_by_store(estate)
    owned = [(item, owner_of(roles[item.bucket], item.key, principals)) for item in estate.versions()]

    assert {each.store for _, each in owned if each} > {"lake", "quarantine", "subject index", "files as they came"}
    assert [item.key for item, each in owned if each is None] == []
    assert [item.key for item, each in owned if each and each.store and item not in searched[each.store]] == []
    assert census(estate) == [] == [p for p in preflight(estate.house) if p.risk is Risk.PLACE_UNKNOWN]
    assert examine_one("places", estate.settings).ok


def test_every_line_of_the_lists_has_a_store_or_a_reason() -> None:
    assert {each.store for each in known_places()} - {None} <= {store.name for store in STORES}
    assert all(each.store or each.reason for each in known_places())


@pytest.mark.evidence
def test_a_place_in_no_list_is_named_and_nothing_is_certified_until_it_is_gone(
    estate: Estate, record_property: Callable[[str, object], None]
) -> None:
    case = agree(estate, ask(estate, ENERGY01, estate.people[:2]).case_id)
    hide(estate)

    named = census(estate)

    expected = {f"prefix {bucket_of(estate, each)}" for each in HIDDEN}
    expected |= {"bucket stray-of-nobody", "table sluice.contact_backup", "table attic.contacts"}
    assert set(named) == expected and len(named) == len(expected)
    assert {p.where for p in preflight(estate.house, case.case_id) if p.risk is Risk.PLACE_UNKNOWN} == expected
    assert not examine_one("places", estate.settings).ok
    uncertified(estate, case.case_id, expected)
    unhide(estate)
    assert census(estate) == []
    report = run(estate.house, case.case_id, datetime.now(UTC))
    assert (report.residual, report.doubts, report.unknown) == (0, 0, ())
    assert issue(estate.house, case.case_id)
    record_property("Places in no list: hidden ones named", f"{len(named)} of {len(expected)}; 0 after they were gone")


def uncertified(estate: Estate, case_id: CaseId, places: set[str]) -> None:
    """A run takes the person out of what is known, and says that it is not proven."""
    report = run(estate.house, case_id, datetime.now(UTC))
    assert (report.residual, report.doubts, set(report.unknown)) == (0, len(places), places)
    with pytest.raises(NotProven):
        issue(estate.house, case_id)


def test_a_clean_scan_is_not_enough_where_something_unknown_came_later(estate: Estate) -> None:
    case = agree(estate, ask(estate, ENERGY01, estate.people[:2]).case_id)
    assert run(estate.house, case.case_id, datetime.now(UTC)).doubts == 0
    estate.house.objects.put(estate.settings.bucket_lake, "_scratch/x", NOBODY.encode(), "text/plain")
    with pytest.raises(NotProven, match="unknown places 1"):
        issue(estate.house, case.case_id)


def bucket_of(estate: Estate, place: str) -> str:
    role, _, rest = place.partition("/")
    return f"{buckets_by_role(estate.settings)[role]}/{rest}"


def admin_url(estate: Estate) -> str:
    url = estate.settings.database_admin_url
    assert url is not None
    return url.get_secret_value()


def hide(estate: Estate) -> None:
    """An object under each prefix, one of them deleted but for its old version; a bucket; two tables."""
    client = estate.s3()
    for place in HIDDEN:
        bucket, _, key = bucket_of(estate, place).partition("/")
        key = key.replace("[name withheld]", "0470123456789.csv")
        client.put_object(Bucket=bucket, Key=f"{key}a/b.csv" if key.endswith("/") else key, Body=NOBODY.encode())
    client.delete_object(Bucket=estate.settings.bucket_lake, Key="_scratch/a/b.csv")
    client.create_bucket(Bucket="stray-of-nobody")
    with closing(psycopg.connect(admin_url(estate), autocommit=True)) as conn:
        conn.execute("create table sluice.contact_backup (phone text)")
        conn.execute("create schema attic")
        conn.execute("create materialized view attic.contacts as select 1 as phone")


def unhide(estate: Estate) -> None:
    client = estate.s3()
    for place in HIDDEN:
        bucket, _, key = bucket_of(estate, place).partition("/")
        prefix = key.replace("[name withheld]", "0470123456789.csv")
        for item in list(estate.house.objects.list_versions(bucket, prefix)):
            estate.house.objects.delete_others(bucket, item.key, frozenset())
    client.delete_bucket(Bucket="stray-of-nobody")
    with closing(psycopg.connect(admin_url(estate), autocommit=True)) as conn:
        conn.execute("drop schema attic cascade")
        conn.execute("drop table sluice.contact_backup")


def test_every_table_was_looked_through(database: Database) -> None:
    with closing(psycopg.connect(database.admin_url)) as conn:
        rows = conn.execute("select schemaname || '.' || relname from pg_stat_user_tables").fetchall()

    assert len(rows) > 25
    assert {name for (name,) in rows} == known_tables(), "a line for each table, and a table for each line"
