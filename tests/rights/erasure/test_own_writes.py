"""What an erasure puts where files arrive is no arrival, whatever the store calls a version, wherever a worker dies."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from answers.giving import now
from rights.town import Person, Town, town_fixture
from sluice.exchange.effects.run import EFFECTS
from sluice.exchange.house import House
from sluice.exchange.open import Arrivals, Looked
from sluice.exchange.own_writes import note_own_write
from sluice.lake.s3.objects import ObjectStore, StoredObject
from sluice.rights.copies.copy_store import find_copies
from sluice.rights.copies.model import Copy
from sluice.rights.copies.swap import swap
from sluice.rights.erasure.erase import run
from sluice.terms import ExchangeId, Principal
from support.meanwhile import Meanwhile
from support.stores import client_of

ENERGY = Principal("energy01")
SIGN = "of-a-kms-"
NUMBERS = itertools.count()


class Killed(Exception):
    """The worker died there."""


def die() -> None:
    raise Killed


town = town_fixture([ENERGY], 20)


@pytest.fixture(params=["MD5", "others"])
def file(town: Town, request: pytest.FixtureRequest) -> Iterator["File"]:
    """A file of two persons; in the one half of the tests the store's ETags are no MD5, as under a key of a KMS."""
    undo = with_other_etags(town.house.objects._client) if request.param == "others" else id
    place = 2 * next(NUMBERS)
    opened = File(town, town.people[place], f"file-{place}.csv")
    town.arrive(ENERGY, town.people[place : place + 2], opened.name)
    if request.param == "others":
        assert [each.etag[: len(SIGN)] for each in opened.versions()] == [SIGN], "control"
    yield opened
    town.desk.work()
    undo(town)


@dataclass(frozen=True)
class File:
    """One that arrived, of the person and of somebody else."""

    town: Town
    person: Person
    name: str

    @property
    def house(self) -> House:
        return self.town.house

    def copy(self, kind: str = "arrived") -> Copy:
        copies = find_copies(self.house.conn, ENERGY)
        [arrived] = [each for each in copies if each.kind == "arrived" and each.key.endswith(f"/{self.name}")]
        return next(each for each in copies if each.kind == kind and each.exchange_id == arrived.exchange_id)

    def versions(self, copy: Copy | None = None) -> list[StoredObject]:
        copy = copy or self.copy()
        return list(self.house.objects.list_versions(copy.bucket, copy.key))

    def open_new(self) -> int:
        return self.town.desk.open_new()

    def dying_once(self, key: str, then: Callable[[], object] = die) -> House:
        """A house whose worker dies as soon as such an object was put, before anybody notes as what."""
        return replace(self.house, objects=Meanwhile(self.house.objects, lambda name: name == key, then))


def with_other_etags(client: Any) -> Callable[[object], None]:
    """The same answers under other ETags, and the same conditions on them; the test's server knows no KMS."""

    def other(etag: str) -> str:
        return f'"{SIGN}{etag.strip(chr(34))[::-1]}"'

    def told(parsed: dict[str, Any], **_: object) -> None:
        for each in (parsed, *parsed.get("Versions", ()), parsed.get("CopyObjectResult", {})):
            if "ETag" in each:
                each["ETag"] = other(each["ETag"])

    def asked(params: dict[str, Any], **_: object) -> dict[str, Any]:
        said = params.get("IfMatch", "")
        return params | {"IfMatch": f'"{said.removeprefix(SIGN)[::-1]}"'} if said.startswith(SIGN) else params

    events = (("after-call.s3", told), ("provide-client-params.s3", asked))
    for name, handler in events:
        client.meta.events.register(name, handler)

    def undo(_: object) -> None:
        for name, handler in events:
            client.meta.events.unregister(name, handler)

    return undo


def test_an_edited_file_is_no_arrival_and_the_same_bytes_of_its_principal_are_one(file: File) -> None:
    case_id, before = file.town.decided(file.person).case_id, file.versions()
    with pytest.raises(Killed):
        run(file.dying_once(file.copy().key), case_id, now())
    left = [each.version_id for each in file.versions()]
    noted = file.house.conn.execute("select from own_write where version_id is null and key = %s", (file.copy().key,))
    assert noted.rowcount == 1, "control"
    assert (len(left), file.open_new()) == (2, 0), "what a dead worker put is no arrival"

    assert run(file.house, case_id, now()).residual == 0

    [there] = file.versions()
    assert there.version_id in left, "no other version was put: the next worker finds it again"
    assert there.version_id not in {each.version_id for each in before}, "control: it was edited"
    assert (file.open_new(), file.copy().version_id) == (0, there.version_id)
    content = file.house.objects.read(there.bucket, there.key)
    assert file.person.phone.encode() not in content
    file.town.desk.drop(content, file.name, (ENERGY, there.key.split("/")[2]))
    assert [file.open_new(), file.open_new()] == [1, 0]


@dataclass
class Late:
    """A store that lists a version a moment before it says anything of it."""

    store: ObjectStore
    asked: int = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def head(self, *named: str) -> StoredObject | None:
        self.asked += 1
        return None if self.asked == 1 else self.store.head(*named)


def test_a_file_of_which_nothing_is_said_yet_is_met_again(file: File) -> None:
    """Somebody died before an edit was put, so whatever comes under that name is asked whose it is."""
    copy, town, late = file.copy(), file.town, Late(file.house.objects)
    note_own_write(town.house.conn, copy.bucket, copy.key, "0" * 64)
    arrivals = Arrivals.of(town.desk.settings)
    town.house.objects.put(copy.bucket, copy.key, b"a newer file", "text/csv")

    looked = [arrivals.open_new(town.house.conn, late) for _ in range(3)]
    assert looked == [Looked(0, 1), Looked(1, 0), Looked(0, 0)]


def test_an_unopened_file_beside_it_stays_and_an_edit_that_nobody_needs_any_more_goes(
    file: File, tmp_path: Path
) -> None:
    copy, other, edited = file.copy(), tmp_path / "other", tmp_path / "edited"
    other.write_bytes(b"of another erasure, which was stopped")
    edited.write_bytes(b"as it shall be")
    with pytest.raises(Killed):
        swap(file.dying_once(copy.key), copy, other, None)
    theirs = client_of(file.town.desk.settings).put_object(Bucket=copy.bucket, Key=copy.key, Body=b"a newer file")

    swap(file.house, copy, edited, None)

    assert {each.version_id for each in file.versions(copy)} == {theirs["VersionId"], file.copy().version_id}
    assert file.open_new() == 1


def test_what_sweeps_up_after_an_exchange_leaves_an_edit_that_is_being_made(file: File, tmp_path: Path) -> None:
    copy, edited, swept = file.copy("lake"), tmp_path / "edited", list[int]()
    edited.write_bytes(b"as it shall be")

    def sweep() -> None:
        EFFECTS["sweep"](file.house, ExchangeId(copy.exchange_id))
        swept.append(len(file.versions(copy)))

    swap(file.dying_once(copy.key, sweep), copy, edited, None)

    assert swept == [2]
    assert [file.house.objects.read(each.bucket, each.key) for each in file.versions(copy)] == [b"as it shall be"]
