"""A thousand persons leave at once: no byte of them anywhere, and everybody else as they were (S-06)."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pyrage
import pytest

from rights.estate import ENERGY01, TELECOM01, Estate, agree, ask, open_estate
from rights.everywhere import in_folder, in_objects, in_server_files, in_tables, openers, place_of
from rights.others import Compared, compare
from rights.people import as_csv, contact_rows, draw_people
from rights.residue import Opener, Searcher, as_reference, views
from scan.plants import CONTAINERS, ENCODINGS, filled
from sluice.exchange.naming import merged_prefix, split_key, withheld_unless_safe
from sluice.exchange.persons.merge_rules import FEWEST
from sluice.exchange.persons.merged import RUNS, merge_all
from sluice.exchange.persons.merged_store import find_runs
from sluice.rights.case.model import Case
from sluice.rights.erasure.certificate import issue
from sluice.rights.erasure.classify import NAMED
from sluice.rights.erasure.erase import run, verify
from sluice.rights.erasure.model import ErasureReport
from sluice.settings import Settings
from support.desk import ENERGY
from support.effort import effort
from support.stores import Database

PEOPLE, OTHERS, SHARED = effort((25, 25, 5), (1000, 1000, 200))

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


@pytest.fixture
def estate(store_settings: Settings, tmp_path: Path) -> Iterator[Estate]:
    """An installation in which every person is in every kind of copy."""
    with open_estate(store_settings, tmp_path, PEOPLE, OTHERS, SHARED) as opened:
        yield opened


@dataclass(frozen=True)
class Kept:
    """One copy of the catalogue with its bytes."""

    bucket: str
    key: str
    content: bytes


def copies(estate: Estate) -> dict[tuple[str, str], Kept]:
    """What the catalogue names, by exchange and kind, as it lies there now."""
    rows = estate.night.desk.sql(
        """select c.exchange_id::text as id, c.kind, c.bucket, c.version_id,
               case when c.kind = 'arrived' then e.key else c.key end as key
           from copy c join exchange e using (exchange_id) where c.gone_at is null"""
    )
    return {
        (str(row["id"]), str(row["kind"])): Kept(
            str(row["bucket"]),
            str(row["key"]),
            estate.house.objects.read(str(row["bucket"]), str(row["key"]), str(row["version_id"])),
        )
        for row in rows
    }


def request_all(estate: Estate) -> list[Case]:
    """Both principals ask for their people; a file that comes meanwhile has rows on hold; the index is merged.

    Then everybody agrees.
    """
    cases = [ask(estate, ENERGY01, estate.people), ask(estate, TELECOM01, estate.shared)]
    few = [*estate.people[: PEOPLE // 2], *estate.others[: OTHERS // 2]]
    estate.drop(as_csv(contact_rows(few, 9)), "meanwhile.csv", ENERGY[1])
    estate.night.desk.work()
    _, failed = merge_all(estate.house, datetime.now(UTC))
    runs = find_runs(estate.house.conn, ENERGY01, RUNS)
    assert sum(run.merge_id is not None for run in runs) >= FEWEST and not failed
    return [agree(estate, case.case_id) for case in cases]


@pytest.mark.evidence
def test_a_thousand_persons_leave_no_byte_and_everybody_else_stays(
    estate: Estate,
    database: Database,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    record_property: Callable[[str, object], None],
) -> None:
    searcher = Searcher(each.values for each in estate.people)
    everybody = set(range(PEOPLE))
    cases = request_all(estate)
    there, before = in_objects(estate, searcher), copies(estate)
    assert set().union(*there.values()) - {-1} == everybody, "control: the reader finds all of them beforehand"
    for place in PLACES:
        assert any(each.startswith(place) for each in there), f"control: nobody is in {place}: {sorted(there)}"
    refs = Searcher(estate.refs(), as_reference)
    assert set().union(*in_objects(estate, refs).values()) - {-1} == everybody, "control: references are found too"
    assert in_merges(estate, refs) == everybody, "control: merges of the index have them all"
    in_database = [look(database.admin_url, each) for look in (in_tables, in_server_files) for each in (searcher, refs)]

    with caplog.at_level(logging.DEBUG, "sluice"):
        reports = [run(estate.house, case.case_id, datetime.now(UTC)) for case in cases]
        certificates = [each for case in cases for each in issue(estate.house, case.case_id)]

    assert [(each.residual, each.doubts, each.waiting) for each in reports] == [(0, 0, 0)] * 2
    assert len(certificates) == 2
    assert in_objects(estate, searcher) == {}, traced(estate, searcher)
    assert in_merges(estate, refs) == set()
    assert set(in_objects(estate, refs)) == {
        "lake _suppressions .parquet",
        "evidence _suppressions .age",
    }, "kept: who must stay out, keyed"
    in_database += [
        look(database.admin_url, each) for look in (in_tables, in_server_files) for each in (searcher, refs)
    ]
    assert [{place: owners for place, owners in each.items() if owners} for each in in_database] == [{}] * 8
    said = [*(record.getMessage() for record in caplog.records), *capfd.readouterr()]
    assert searcher.owners_in("\n".join(said).encode()) == set()
    assert {place: who for place, who in in_folder(estate.settings.var, searcher).items() if who} == {}
    assert set(in_objects(estate, searcher, with_cases=True)) == {"vault _cases .age"}, "sealed: the request itself"

    compared, whole = compare_all(estate, before, copies(estate), searcher)
    assert {place: each.is_same for place, each in compared.items() if not each.is_same} == {}
    found = plant_and_scan(estate, cases[0])
    assert found == (0, len(RESIDUES)), "control: as many values of nobody are not found"
    record_property("Second scan after an erasure, residues found", f"{found[1]} of {len(RESIDUES)}")
    record_property("Erasure of persons: residues", figure(there, searcher, in_database, reports))
    record_property("Erasure of persons: others", others_figure(compared, whole))


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


HIDEOUTS = (
    "exchange/energy01/inbound/renewal_campaign/", "exchange/energy01/outbound/renewal_results/",
    "exchange/energy01/receipts/renewal_results/", "exchange/energy01/notices/", "exchange/energy01/acks/",
    "internal/energy01/internal/renewal_results/", "lake/energy01/renewal_campaign/", "lake/energy01/",
    "lake/_returns/energy01/x/",
    "lake/_subject_index/energy01/", "lake/_anything/energy01/", "vault/energy01/renewal_campaign/",
    "evidence/energy01/",
)  # fmt: skip


@dataclass(frozen=True)
class Residue:
    """Something that was left: whose value, how it is written, in what, where, and under which version."""

    person: int
    value: str
    encoding: str
    container: str
    place: str
    version: str


RESIDUES = [
    Residue(
        number % PEOPLE,
        ("record", "e164", "email")[number % 3],
        list(ENCODINGS)[number % len(ENCODINGS)],
        ["sealed", "ndjson", *CONTAINERS][number % (len(CONTAINERS) + 2)],
        HIDEOUTS[number % len(HIDEOUTS)],
        ("current", "noncurrent", "deleted")[number // 3 % 3],
    )
    for number in range(effort(80, 200))
]


def plant_and_scan(estate: Estate, case: Case) -> tuple[int, int]:
    """Objects that the second scan finds naming the erased, with values of strangers, then with as many of theirs:
    residues, and what it waits for because it lies beside the flows of a principal."""
    strangers, reports = draw_people(len(RESIDUES), seed=4), []
    for people in (strangers, estate.people):
        for number, each in enumerate(RESIDUES):
            put_residue(estate, each, getattr(people[each.person % len(people)], each.value), number)
        reports.append(verify(estate.house, case.case_id, datetime.now(UTC)))
    nobody, theirs = reports
    waited_for = theirs.waiting - nobody.waiting  # what cannot be read waits whoever it names
    named = (nobody.residual or 0) + sum(each.reason == NAMED for each in nobody.unread)
    return named, (theirs.residual or 0) + waited_for


def put_residue(estate: Estate, residue: Residue, value: str, number: int) -> None:
    """One object in one version; over it a clean one or a delete marker, so that only a reader of versions sees it."""
    encoded = ENCODINGS[residue.encoding](value)
    if residue.container == "sealed":
        identity = pyrage.x25519.Identity.from_str(estate.house.keyring.quarantine_identity(ENERGY01))
        content = bytes(pyrage.encrypt(filled(encoded), [identity.to_public()]))
    elif residue.container == "ndjson":
        content = filled(b'{"note": "' + encoded + b'"}')
    else:
        content = CONTAINERS[residue.container](encoded)
    bucket, _, prefix = residue.place.partition("/")
    named = getattr(estate.settings, f"bucket_{bucket}")
    client, key = estate.s3(), f"{prefix}residue-{number}.bin"
    client.put_object(Bucket=named, Key=key, Body=content)
    if residue.version == "noncurrent":
        client.put_object(Bucket=named, Key=key, Body=b"clean")
    elif residue.version == "deleted":
        client.delete_object(Bucket=named, Key=key)


def compare_all(
    estate: Estate, before: dict[tuple[str, str], Kept], after: dict[tuple[str, str], Kept], searcher: Searcher
) -> tuple[dict[str, Compared], Counter[str]]:
    """Every copy that is left against what it has to be; and the copies that went whole, by their kind."""
    opened = openers(estate)
    compared, whole = {}, Counter[str]()
    for name, was in before.items():
        if name not in after:
            whole[f"{name[1]} {Path(was.key).suffix}"] += 1
        elif not name[1].startswith("index"):
            plain, now = (plain_of(each, opened) for each in (was, after[name]))
            told = withheld_unless_safe(was.key, split_key(was.key)[2])
            compared[" ".join((*name, told))] = compare(
                was.key, plain, now, lambda record: bool(searcher.owners_in(record))
            )
    return compared, whole


def plain_of(copy: Kept, opened: Sequence[Opener]) -> bytes:
    """The bytes of a copy, unsealed where it is sealed."""
    return list(islice(views(copy.content, opened), 2))[1] if copy.key.endswith(".age") else copy.content


def figure(
    there: dict[str, set[int]], searcher: Searcher, in_database: list[dict[str, set[int]]], reports: list[ErasureReport]
) -> str:
    scanned = sum(each.objects_scanned for each in reports)
    return (
        f"0 of {PEOPLE:,} persons in any byte; before, all of them in {len(there)} kinds of places. "
        f"{searcher.count:,} needles in every version of 5 buckets, in {len(in_database[0])} tables, in the server's "
        f"files with its WAL, in log lines, stdout and var/; no keyed reference in PostgreSQL before or after, and in "
        f"objects only those that keep the persons out; the second scan read {scanned} versions"
    )


def others_figure(compared: dict[str, Compared], whole: Counter[str]) -> str:
    rows = Counter[str]()
    for each in compared.values():
        rows[each.how] += each.rows
    said = ", ".join(f"{count:,} rows by {how}" for how, count in sorted(rows.items()))
    return f"100 % the same in {len(compared)} files: {said}; gone whole: {dict(whole)}"
