"""A thousand persons leave at once: no byte of them anywhere, and everybody else as they were (S-06).

No place is without a store: what a night fills has one, or names nobody; and whatever else is there is named.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

import psycopg
import pyrage
import pytest

from rights.estate import ENERGY01, TELECOM01, Estate, agree, ask, open_estate
from rights.everywhere import in_folder, in_objects, in_server_files, in_tables, openers, place_of
from rights.others import Compared, compare
from rights.people import as_csv, contact_rows, draw_people
from rights.residue import Searcher, as_reference, views
from rights.town import now
from scan.plants import CONTAINERS, ENCODINGS, filled
from sluice.exchange.naming import merged_prefix, split_key, withheld_unless_safe
from sluice.exchange.persons.merge_rules import FEWEST
from sluice.exchange.persons.merged import RUNS, merge_all
from sluice.exchange.persons.merged_store import find_runs
from sluice.lake.s3.objects import StoredObject
from sluice.rights.case.model import Case
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
from sluice.rights.erasure.classify import NAMED
from sluice.rights.erasure.erase import run, verify
from sluice.rights.erasure.preflight import Risk, preflight
from sluice.settings import Settings
from support.desk import ENERGY
from support.effort import chosen, effort
from support.installation import examine_one

PEOPLE, OTHERS, SHARED = effort((21, 21, 4), (1000, 1000, 200))
NOBODY = "no person at all"
HIDDEN = (
    "lake/_scratch/", "lake/_returns/nobody99/", "lake/_subject_index/x.parquet", "lake/copy.parquet",
    "vault/exports/", "vault/[name withheld]", "vault/_cases/not-a-number/", "vault/_cases/subject.age",
    "internal/_anything/", "evidence/old/", "exchange/nobody99/",
)  # fmt: skip
"""Where the control hides an object, as the census has to name it."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module")
def estate(module_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """An installation in which every person is in every kind of copy."""
    with open_estate(module_settings, tmp_path_factory.mktemp("estate"), PEOPLE, OTHERS, SHARED) as opened:
        yield opened


@pytest.fixture(scope="module")
def cases(estate: Estate) -> list[Case]:
    """Both principals ask for their people; a file that comes meanwhile has rows on hold; the index is merged.

    Then everybody agrees.
    """
    found = [ask(estate, ENERGY01, estate.people), ask(estate, TELECOM01, estate.shared)]
    few = [*estate.people[: PEOPLE // 2], *estate.others[: OTHERS // 2]]
    estate.drop(as_csv(contact_rows(few, 9)), "meanwhile.csv", ENERGY[1])
    estate.night.desk.work()
    _, failed = merge_all(estate.house, now())
    runs = find_runs(estate.house.conn, ENERGY01, RUNS)
    assert sum(run.merge_id is not None for run in runs) >= FEWEST and not failed
    return [agree(estate, case.case_id) for case in found]


def admin_url(estate: Estate) -> str:
    url = estate.settings.database_admin_url
    assert url is not None
    return url.get_secret_value()


Kept = dict[tuple[str, str], tuple[str, bytes]]
"""Copies of the catalogue by exchange and kind: their keys and bytes."""


def copies(estate: Estate) -> Kept:
    """What the catalogue names, as it lies there now."""
    rows = estate.night.desk.sql(
        """select c.exchange_id::text as id, c.kind, c.bucket, c.version_id,
               case when c.kind = 'arrived' then e.key else c.key end as key
           from copy c join exchange e using (exchange_id) where c.gone_at is null"""
    )
    read = estate.house.objects.read
    return {
        (str(row["id"]), str(row["kind"])): (
            str(row["key"]), read(str(row["bucket"]), str(row["key"]), str(row["version_id"])),
        )
        for row in rows
    }  # fmt: skip


@pytest.mark.evidence
def test_a_thousand_persons_leave_no_byte_and_everybody_else_stays(
    estate: Estate,
    cases: list[Case],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    record_property: Callable[[str, object], None],
) -> None:
    searcher = Searcher(each.values for each in estate.people)
    everybody = set(range(PEOPLE))
    there, before = in_objects(estate, searcher), copies(estate)
    assert set().union(*there.values()) - {-1} == everybody, "control: the reader finds all of them beforehand"
    for place in PLACES:
        assert any(each.startswith(place) for each in there), f"control: nobody is in {place}: {sorted(there)}"
    refs = Searcher(estate.refs(), as_reference)
    assert set().union(*in_objects(estate, refs).values()) - {-1} == everybody, "control: references are found too"
    assert in_merges(estate, refs) == everybody, "control: merges of the index have them all"
    in_database = [look(admin_url(estate), each) for look in (in_tables, in_server_files) for each in (searcher, refs)]

    with caplog.at_level(logging.DEBUG, "sluice"):
        reports = [run(estate.house, case.case_id, now()) for case in cases]
        certificates = [each for case in cases for each in issue(estate.house, case.case_id)]

    assert [(each.residual, each.doubts, each.waiting) for each in reports] == [(0, 0, 0)] * 2
    assert len(certificates) == 2
    assert in_objects(estate, searcher) == {}, traced(estate, searcher)
    assert in_merges(estate, refs) == set()
    assert set(in_objects(estate, refs)) == {
        "lake _suppressions .parquet",
        "evidence _suppressions .age",
    }, "kept: who must stay out, keyed"
    in_database += [look(admin_url(estate), each) for look in (in_tables, in_server_files) for each in (searcher, refs)]
    assert [{place: owners for place, owners in each.items() if owners} for each in in_database] == [{}] * 8
    said = [*(record.getMessage() for record in caplog.records), *capfd.readouterr()]
    assert searcher.owners_in("\n".join(said).encode()) == set()
    assert {place: who for place, who in in_folder(estate.settings.var, searcher).items() if who} == {}
    assert set(in_objects(estate, searcher, with_cases=True)) == {"vault _cases .age"}, "sealed: the request itself"

    compared, whole = compare_all(estate, before, copies(estate), searcher)
    assert {place: each.is_same for place, each in compared.items() if not each.is_same} == {}
    scanned = sum(each.objects_scanned for each in reports)
    residues, others = figures(there, searcher, len(in_database[0]), scanned, compared)
    record_property("Erasure of persons: residues", residues)
    record_property("Erasure of persons: others", f"{others}; gone whole: {dict(whole)}")


def in_merges(estate: Estate, refs: Searcher) -> set[int]:
    """The persons whose references are in merged index runs."""
    merged = [item for item in estate.versions() if item.key.startswith(merged_prefix(ENERGY01))]
    return set().union(*(refs.search(estate.read(item)) for item in merged))


def traced(estate: Estate, searcher: Searcher) -> list[str]:
    """What stands where of whom, so that a failure can be told from chance."""
    opened = openers(estate)
    return [
        f"{place_of(item.bucket, item.key)}: {trace}"
        for item in estate.versions()
        for trace in searcher.traces(estate.read(item), *opened)
    ]


PLACES = (
    "exchange inbound .csv", "exchange inbound .xlsx", "exchange inbound .json", "exchange inbound .ndjson",
    "exchange outbound .csv", "exchange outbound .xlsx", "exchange outbound .json", "exchange outbound .ndjson",
    "exchange outbound .parquet", "exchange outbound .xlsx.pgp", "exchange requests", "exchange unfinished upload",
    "internal internal", "lake energy01", "lake telecom01", "lake _returns", "vault file.age", "vault refused_rows.age",
    "vault refused_records.age", "vault held_rows.age",
)  # fmt: skip


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
    roles = {name: role for role, name in buckets_by_role(estate.settings).items()}
    principals, searched = principals_of(estate.settings, estate.house.conn), searched_by_store(estate)
    owned = [(item, owner_of(roles[item.bucket], item.key, principals)) for item in estate.versions()]

    assert {each.store for _, each in owned if each} > {"lake", "quarantine", "subject index", "files as they came"}
    assert [item.key for item, each in owned if each is None] == []
    assert [item.key for item, each in owned if each and each.store and item not in searched[each.store]] == []
    assert census(estate) == [] == [p for p in preflight(estate.house) if p.risk is Risk.PLACE_UNKNOWN]
    assert examine_one("places", estate.settings).ok
    assert {each.store for each in known_places()} - {None} <= {store.name for store in STORES}
    assert all(each.store or each.reason for each in known_places()), "every line has a store or a reason"
    with closing(psycopg.connect(admin_url(estate))) as conn:
        rows = conn.execute("select schemaname || '.' || relname from pg_stat_user_tables").fetchall()
    assert {name for (name,) in rows} == known_tables(), "a line for each table, and a table for each line"


@pytest.mark.evidence
def test_a_place_in_no_list_is_named_and_nothing_is_certified_until_it_is_gone(
    estate: Estate, cases: list[Case], record_property: Callable[[str, object], None]
) -> None:
    case_id = cases[0].case_id
    hide(estate)

    named = census(estate)

    expected = {f"prefix {bucket_of(estate, each)}" for each in HIDDEN}
    expected |= {"bucket stray-of-nobody", "table sluice.contact_backup", "table attic.contacts"}
    assert set(named) == expected and len(named) == len(expected)
    assert {p.where for p in preflight(estate.house, case_id) if p.risk is Risk.PLACE_UNKNOWN} == expected
    assert not examine_one("places", estate.settings).ok
    report = run(estate.house, case_id, now())
    assert (report.residual, report.doubts, set(report.unknown)) == (0, len(expected), expected)
    with pytest.raises(NotProven):
        issue(estate.house, case_id)
    unhide(estate)
    assert census(estate) == []
    report = run(estate.house, case_id, now())
    assert (report.residual, report.doubts, report.unknown) == (0, 0, ())
    assert issue(estate.house, case_id)
    stored = estate.house.objects.put(estate.settings.bucket_lake, "_scratch/x", NOBODY.encode(), "text/plain")
    with pytest.raises(NotProven, match="unknown places 1"):  # a clean scan is not enough where something came later
        issue(estate.house, case_id)
    estate.house.objects.delete_version(stored.bucket, stored.key, stored.version_id)
    record_property("Places in no list: hidden ones named", f"{len(named)} of {len(expected)}; 0 after they were gone")


def bucket_of(estate: Estate, place: str) -> str:
    role, _, rest = place.partition("/")
    return f"{buckets_by_role(estate.settings)[role]}/{rest}"


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


HIDEOUTS = (
    "exchange/energy01/inbound/renewal_campaign/", "exchange/energy01/outbound/renewal_results/",
    "exchange/energy01/receipts/renewal_results/", "exchange/energy01/notices/", "exchange/energy01/acks/",
    "internal/energy01/internal/renewal_results/", "lake/energy01/renewal_campaign/", "lake/energy01/",
    "lake/_returns/energy01/x/",
    "lake/_subject_index/energy01/", "lake/_anything/energy01/", "vault/energy01/renewal_campaign/",
    "evidence/energy01/",
)  # fmt: skip


RESIDUES = [
    (
        number % PEOPLE,
        ("record", "e164", "email")[number % 3],
        list(ENCODINGS)[number % len(ENCODINGS)],
        ["sealed", "ndjson", *CONTAINERS][number % (len(CONTAINERS) + 2)],
        HIDEOUTS[number % len(HIDEOUTS)],
        ("current", "noncurrent", "deleted")[number // 3 % 3],
    )
    for number in chosen(range(200), 26)
]
"""What was left: of whom, which value, how it is written, in what, where, and under which version."""


@pytest.mark.evidence
def test_the_second_scan_finds_what_was_left_anywhere_in_any_form(
    estate: Estate, cases: list[Case], record_property: Callable[[str, object], None]
) -> None:
    found = plant_and_scan(estate, cases[0])
    assert found == (0, len(RESIDUES)), "control: as many values of nobody are not found"
    record_property("Second scan after an erasure, residues found", f"{found[1]} of {len(RESIDUES)}")


def plant_and_scan(estate: Estate, case: Case) -> tuple[int, int]:
    """Objects that the second scan finds naming the erased, with values of strangers, then with as many of theirs:
    residues, and what it waits for because it lies beside the flows of a principal."""
    strangers, reports = draw_people(len(RESIDUES), seed=4), []
    for people in (strangers, estate.people):
        for number, (person, value, *how) in enumerate(RESIDUES):
            put_residue(estate, number, getattr(people[person % len(people)], value), *how)
        reports.append(verify(estate.house, case.case_id, now()))
    nobody, theirs = reports
    waited_for = theirs.waiting - nobody.waiting  # what cannot be read waits whoever it names
    named = (nobody.residual or 0) + sum(each.reason == NAMED for each in nobody.unread)
    return named, (theirs.residual or 0) + waited_for


def put_residue(
    estate: Estate, number: int, value: str, encoding: str, container: str, place: str, version: str
) -> None:
    """One object in one version; over it a clean one or a delete marker, so that only a reader of versions sees it."""
    encoded = ENCODINGS[encoding](value)
    if container == "sealed":
        identity = pyrage.x25519.Identity.from_str(estate.house.keyring.quarantine_identity(ENERGY01))
        content = bytes(pyrage.encrypt(filled(encoded), [identity.to_public()]))
    elif container == "ndjson":
        content = filled(b'{"note": "' + encoded + b'"}')
    else:
        content = CONTAINERS[container](encoded)
    bucket, _, prefix = place.partition("/")
    named = {"Bucket": getattr(estate.settings, f"bucket_{bucket}"), "Key": f"{prefix}residue-{number}.bin"}
    client = estate.s3()
    client.put_object(**named, Body=content)
    if version == "noncurrent":
        client.put_object(**named, Body=b"clean")
    elif version == "deleted":
        client.delete_object(**named)


def compare_all(
    estate: Estate, before: Kept, after: Kept, searcher: Searcher
) -> tuple[dict[str, Compared], Counter[str]]:
    """Every copy that is left against what it has to be; and the copies that went whole, by their kind."""
    opened = openers(estate)
    compared, whole = {}, Counter[str]()
    for name, (key, was) in before.items():
        if name not in after:
            whole[f"{name[1]} {Path(key).suffix}"] += 1
        elif not name[1].startswith("index"):
            plain, left = (
                list(islice(views(each, opened), 2))[1] if key.endswith(".age") else each
                for each in (was, after[name][1])
            )
            told = withheld_unless_safe(key, split_key(key)[2])
            compared[" ".join((*name, told))] = compare(key, plain, left, lambda each: bool(searcher.owners_in(each)))
    return compared, whole


def figures(
    there: dict[str, set[int]], searcher: Searcher, tables: int, scanned: int, compared: dict[str, Compared]
) -> tuple[str, str]:
    rows = Counter[str]()
    for each in compared.values():
        rows[each.how] += each.rows
    said = ", ".join(f"{count:,} rows by {how}" for how, count in sorted(rows.items()))
    return (
        f"0 of {PEOPLE:,} persons in any byte; before, all of them in {len(there)} kinds of places. "
        f"{searcher.count:,} needles in every version of 5 buckets, in {tables} tables, in the server's files with its "
        f"WAL, in log lines, stdout and var/; the second scan read {scanned} versions",
        f"100 % the same in {len(compared)} files: {said}",
    )
