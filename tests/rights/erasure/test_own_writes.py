"""What an erasure puts where files arrive is no arrival, whatever the store calls a version, wherever a worker dies."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from answers.giving import now
from rights.town import Person, Town, open_town, papers_of
from sluice.exchange.effects.run import EFFECTS
from sluice.exchange.house import House
from sluice.exchange.open import Arrivals, Looked
from sluice.exchange.own_writes import note_own_write
from sluice.lake.s3.objects import ObjectStore, StoredObject
from sluice.rights.case.model import CaseId
from sluice.rights.copies.copy_store import find_copies
from sluice.rights.copies.model import Copy
from sluice.rights.copies.swap import swap
from sluice.rights.erasure.erase import run
from sluice.settings import Settings
from sluice.terms import ExchangeId, Principal
from support.copies import Copies
from support.meanwhile import Meanwhile
from support.stores import client_of

ENERGY = Principal("energy01")
SIGN = "of-a-kms-"


class Killed(Exception):
    """The worker died there."""


def die() -> None:
    raise Killed


def planted(settings: Settings, folder: Path) -> None:
    """Two persons in one file."""
    with open_town(papers_of(settings, folder, [ENERGY]), folder, [ENERGY], 2) as town:
        town.arrive(ENERGY, town.people)


@pytest.fixture(params=["MD5", "others"])
def town(copies: Copies, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Town]:
    """Against a real store; in the one half of the tests its ETags are no MD5, as under a key of a KMS."""
    with copies.of(planted, tmp_path) as settings, open_town(settings, tmp_path, [ENERGY], 2) as opened:
        if request.param == "others":
            with_other_etags(opened.house.objects._client)
            assert [each.etag[: len(SIGN)] for each in versions(opened, arrived(opened))] == [SIGN], "control"
        yield opened


def with_other_etags(client: Any) -> None:
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

    client.meta.events.register("after-call.s3", told)
    client.meta.events.register("provide-client-params.s3", asked)


def dying_once(town: Town, is_meant: Callable[[str], bool], then: Callable[[], object] = die) -> House:
    """A house whose worker dies as soon as such an object was put, before anybody notes as what."""
    return replace(town.house, objects=Meanwhile(town.house.objects, is_meant, then))


def is_arrived(key: str) -> bool:
    return "/inbound/" in key


def decided(town: Town) -> tuple[Person, CaseId]:
    person = town.people[0]
    return person, town.decided(person).case_id


def arrived(town: Town) -> Copy:
    [copy] = [each for each in find_copies(town.house.conn, ENERGY) if each.kind == "arrived"]
    return copy


def versions(town: Town, copy: Copy) -> list[StoredObject]:
    return list(town.house.objects.list_versions(copy.bucket, copy.key))


def test_an_edited_file_is_no_arrival_and_the_same_bytes_of_its_principal_are_one(town: Town) -> None:
    person, case_id = decided(town)
    before = versions(town, arrived(town))

    assert run(town.house, case_id, now()).residual == 0

    [there] = versions(town, arrived(town))
    assert there.version_id not in {each.version_id for each in before}, "control: it was edited"
    assert town.desk.open_new() == 0
    content = town.house.objects.read(there.bucket, there.key)
    assert person.phone.encode() not in content
    town.desk.drop(content, there.key.rpartition("/")[2], (ENERGY, there.key.split("/")[2]))
    assert [town.desk.open_new(), town.desk.open_new()] == [1, 0]


def test_what_a_dead_worker_put_is_no_arrival_and_is_found_again_by_the_next(town: Town) -> None:
    _, case_id = decided(town)
    with pytest.raises(Killed):
        run(dying_once(town, is_arrived), case_id, now())
    left = [each.version_id for each in versions(town, arrived(town))]
    assert town.house.conn.execute("select from own_write where version_id is null").rowcount == 1, "control"

    assert (len(left), town.desk.open_new()) == (2, 0)
    assert run(town.house, case_id, now()).residual == 0

    [there] = versions(town, arrived(town))
    assert there.version_id in left, "no other version was put"
    assert (town.desk.open_new(), arrived(town).version_id) == (0, there.version_id)


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


def test_a_file_of_which_nothing_is_said_yet_is_met_again(town: Town) -> None:
    """Somebody died before an edit was put, so whatever comes under that name is asked whose it is."""
    copy, late = arrived(town), Late(town.house.objects)
    note_own_write(town.house.conn, copy.bucket, copy.key, "0" * 64)
    arrivals = Arrivals.of(town.desk.settings)
    town.house.objects.put(copy.bucket, copy.key, b"a newer file", "text/csv")

    looked = [arrivals.open_new(town.house.conn, late) for _ in range(3)]
    assert looked == [Looked(0, 1), Looked(1, 0), Looked(0, 0)]


def test_an_unopened_file_beside_it_stays_and_an_edit_that_nobody_needs_any_more_goes(
    town: Town, tmp_path: Path
) -> None:
    copy, other, edited = arrived(town), tmp_path / "other", tmp_path / "edited"
    other.write_bytes(b"of another erasure, which was stopped")
    edited.write_bytes(b"as it shall be")
    with pytest.raises(Killed):
        swap(dying_once(town, is_arrived), copy, other, None)
    theirs = client_of(town.desk.settings).put_object(Bucket=copy.bucket, Key=copy.key, Body=b"a newer file")

    swap(town.house, copy, edited, None)

    pinned = arrived(town).version_id
    assert {each.version_id for each in versions(town, copy)} == {theirs["VersionId"], pinned}
    assert town.desk.open_new() == 1


def test_what_sweeps_up_after_an_exchange_leaves_an_edit_that_is_being_made(town: Town, tmp_path: Path) -> None:
    copy = next(each for each in find_copies(town.house.conn, ENERGY) if each.kind == "lake")
    edited = tmp_path / "edited"
    edited.write_bytes(b"as it shall be")
    swept: list[int] = []

    def sweep() -> None:
        EFFECTS["sweep"](town.house, ExchangeId(copy.exchange_id))
        swept.append(len(versions(town, copy)))

    swap(dying_once(town, lambda key: key == copy.key, sweep), copy, edited, None)

    assert swept == [2]
    assert [town.house.objects.read(each.bucket, each.key) for each in versions(town, copy)] == [b"as it shall be"]
