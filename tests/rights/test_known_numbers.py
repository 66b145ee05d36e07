"""S-16: who knows a thousand telephones finds none of them in anything that is stored, by any hash without the key."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import phonenumbers
import polars as pl
import psycopg
import pytest

from rights.destroying import ENERGY, GAS, NAMES, emptied, end_agreement, now
from rights.everywhere import age_opener, in_folder, in_tables
from rights.residue import Searcher, as_reference
from rights.test_destroy import copied
from rights.town import Town, open_town, papers_of
from sluice.keys import SUBJECT
from sluice.rights.destroy import ask, confirm_destruction
from sluice.settings import Settings
from sluice.subject.index import find_in_run
from sluice.subject.key import SubjectKey
from sluice.subject.refs import refer
from sluice.terms import Principal, SubjectKind
from subject.plans import spellings
from support.effort import effort

pytestmark = pytest.mark.slow

PEOPLE, CALLED, SPELLINGS = effort(150, 1_000), 20, 12
HASHES = (hashlib.md5, hashlib.sha1, hashlib.sha256)


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    """A thousand persons in the files of two principals; some were called."""
    settings = papers_of(store_settings, tmp_path, NAMES)
    with open_town(settings, tmp_path, NAMES, PEOPLE) as opened:
        for name in NAMES:
            opened.arrive(name, opened.people)
        opened.give_back(ENERGY, opened.people[:CALLED])
        yield opened


def in_one_form(phone: str) -> str:
    return phonenumbers.format_number(phonenumbers.parse(phone, "BE"), phonenumbers.PhoneNumberFormat.E164)


def hashes_of(number: str) -> list[str]:
    """The first half of every hash of every spelling, which is how long a reference is."""
    spelt = spellings(number, "BE")
    assert len(set(spelt)) >= SPELLINGS
    return [name(text.encode()).hexdigest()[:32] for text in spelt for name in HASHES]


def in_everything(town: Town, admin_url: str, searcher: Searcher) -> dict[str, set[int]]:
    """Whose hashes stand where: tables, every version of every object, opened and inflated, keys, and files on disk."""
    keys = [age_opener(town.house.keyring, name) for name in (*NAMES, "_cases")]
    found = {f"table {name}": owners for name, owners in in_tables(admin_url, searcher).items()}
    settings, objects = town.desk.settings, town.house.objects
    for bucket in (settings.bucket_exchange, settings.bucket_internal, settings.bucket_lake, settings.bucket_vault,
                   settings.bucket_evidence):  # fmt: skip
        for item in objects.list_versions(bucket, ""):
            content = objects.read(item.bucket, item.key, item.version_id)
            found[f"{bucket} {item.key}"] = searcher.search(content, *keys) | searcher.owners_in(item.key.encode())
    return found | {f"file {name}": owners for name, owners in in_folder(settings.var, searcher).items()}


@pytest.mark.evidence
@pytest.mark.timeout(900)
def test_a_thousand_known_numbers_are_in_nothing_that_is_stored(
    town: Town, record_property: Callable[[str, object], None]
) -> None:
    url = town.desk.settings.database_admin_url
    assert url is not None
    town.ask(town.people[CALLED])
    numbers = [in_one_form(person.phone) for person in town.people]
    searcher = Searcher([hashes_of(number) for number in numbers], as_reference)

    found = in_everything(town, url.get_secret_value(), searcher)

    assert {place: owners for place, owners in found.items() if owners} == {}
    assert (
        sum(place.startswith("lake") for place in found) > 4 and sum(place.startswith("table") for place in found) > 50
    )
    unkeyed(town, url.get_secret_value(), numbers)
    again = in_everything(town, url.get_secret_value(), searcher)
    planted = {place: len(owners) for place, owners in again.items() if owners}
    assert planted == {
        "table sluice.unkeyed": len(set(numbers)),
        f"{town.desk.settings.bucket_lake} _subject_index/unkeyed.parquet": len(set(numbers)),
    }
    record_property(
        f"S-16 {len(set(numbers))} known phones, {searcher.count} ways to write a hash of them, in everything stored",
        f"0 in {len(found)} places; control, in a table and an index without a key: {planted['table sluice.unkeyed']}",
    )


def unkeyed(town: Town, admin_url: str, numbers: list[str]) -> None:
    """The control: a table of SHA-256, and an index of the first eight bytes of MD5 of how a file writes them."""
    with closing(psycopg.connect(admin_url, autocommit=True)) as conn:
        conn.execute("create table sluice.unkeyed (ref text)")
        rows = [(hashlib.sha256(number.encode()).hexdigest(),) for number in numbers]
        with conn.cursor() as cursor:
            cursor.executemany("insert into sluice.unkeyed values (%s)", rows)
    first = [hashlib.md5(number.encode(), usedforsecurity=False).digest()[:8] for number in numbers]
    path = town.desk.folder / "unkeyed.parquet"
    pl.DataFrame({"ref": [int.from_bytes(each, "big") for each in first]}, {"ref": pl.UInt64}).write_parquet(path)
    town.house.objects.put(town.desk.settings.bucket_lake, "_subject_index/unkeyed.parquet", path, "x/y")


def tied(copies: list[bytes], key: bytes, town: Town, principal: Principal) -> int:
    """How many of the people a copy of the index tells, to who knows their telephones and has this key."""
    kind, refs = SubjectKind.PHONE, dict[int, str]()
    for person in town.people:
        ref = refer(SubjectKey(key), kind, person.phone).ref
        assert ref
        refs[person.number] = ref
    held = {word for content in copies for word in words_in(content, list(refs.values()))}
    return sum(int(ref[:16], 16) in held for ref in refs.values())


def words_in(content: bytes, refs: list[str]) -> set[int]:
    columns = pl.read_parquet_schema(content)
    return set() if "reason" in columns else set(find_in_run(content, refs)["ref"].to_list())


@pytest.mark.evidence
@pytest.mark.timeout(900)
def test_with_one_key_destroyed_its_thousand_references_are_nobodys_and_the_others_are_as_before(
    town: Town, record_property: Callable[[str, object], None]
) -> None:
    url, key = town.desk.settings.database_admin_url, {}
    assert url is not None
    before = {name: copied(town, name) for name in NAMES}
    for name in NAMES:
        key[name] = bytes(town.house.keyring.subject_key(name))
        assert tied(before[name], key[name], town, name) == PEOPLE, "control: with its key each is known"
    end_agreement(url.get_secret_value(), ENERGY)
    emptied(town)
    ask(town.house, ENERGY, "an", now())

    assert confirm_destruction(town.house, ENERGY, "bert", now()).destroyed_at is not None

    states = [(path.parent.name, path.stem) for path in town.desk.settings.keys_dir.rglob("*.wrapped")]
    assert (ENERGY, SUBJECT) not in states and (GAS, SUBJECT) in states
    left = bytes(town.house.keyring.subject_key(GAS))
    assert (left, tied(before[ENERGY], left, town, ENERGY)) == (key[GAS], 0)
    assert tied(before[GAS], left, town, GAS) == PEOPLE
    record_property("S-16 one of two keys destroyed: its references, the other's", f"0 and {PEOPLE} of {PEOPLE} known")
