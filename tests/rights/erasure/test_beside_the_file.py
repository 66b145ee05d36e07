"""What a sender writes beside its file (metadata, headers, tags) is scanned, and an erasure leaves it out."""

import hashlib
from base64 import b64encode
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from rights.erasure.test_beside_flows import NAMES, asked, put
from rights.town import Person, Town, let_go, now, town_fixture
from sluice.lake.s3.names import ObjectVersion
from sluice.lake.s3.objects import StoredObject
from sluice.rights.erasure.certificate import NotProven, issue
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.model import PlanOutdated
from support.desk import ENERGY

WAYS = ("metadata", "its name", "base64", "rfc 2047", "header", "tag", "with our hash", "not ascii")
town = town_fixture(NAMES[:1], 12, lambda opened: opened.arrive(NAMES[0], opened.people[:1]))


def written(way: str, who: str, content: bytes) -> dict[str, Any]:
    """Arguments of a PUT that writes ``who`` beside the bytes."""
    sha256 = hashlib.sha256(content).hexdigest()
    return {
        "metadata": {"Metadata": {"customer": who}},
        "its name": {"Metadata": {f"of-{''.join(filter(str.isdigit, who))}": "x"}},
        "base64": {"Metadata": {"x": b64encode(f"to {who}".encode()).decode()}},
        "rfc 2047": {"Metadata": {"x": f"=?UTF-8?Q?{''.join(f'={ord(each):02X}' for each in who)}?="}},
        "header": {"ContentDisposition": f'attachment; filename="{who}.csv"'},
        "tag": {"Tagging": f"who={quote(who)}"},
        "with our hash": {"Metadata": {"sha256": sha256, "customer": who}},
        "not ascii": {"Metadata": {"x": "=?UTF-8?B?" + b64encode(f"é {who}".encode()).decode() + "?="}},
    }[way]


def came(town: Town, name: str, persons: list[Person], how: dict[str, Any] | str, who: str = "") -> bytes:
    """A file of these persons comes in, with ``who`` beside it."""
    rows = [f"{each.record(NAMES[0])};{each.line}" for each in persons]
    content = "\n".join([town.head, *rows]).encode() + b"\n"
    put(town, f"inbound/{ENERGY[1]}/{name}", content, **(written(how, who, content) if isinstance(how, str) else how))
    return content


def there(town: Town, name: str) -> list[StoredObject]:
    key = f"{NAMES[0]}/inbound/{ENERGY[1]}/{name}"
    return list(town.house.objects.list_versions(town.desk.settings.bucket_exchange, key))


def beside(town: Town, name: str, folder: Path) -> tuple[str, ...]:
    """What stands beside the one version that is left, tags included."""
    [item] = there(town, name)
    version = ObjectVersion.of(item)
    return town.house.objects.read_beside(*version, town.house.objects.fetch(*version, folder / "x"))


def test_whoever_is_named_beside_a_file_keeps_the_certificate_back_until_it_is_gone(town: Town, tmp_path: Path) -> None:
    person, *rest = town.people
    contents = {f"of-others-{n}.csv": came(town, f"of-others-{n}.csv", [rest[n]], way, person.phone)
                for n, way in enumerate(WAYS)}  # fmt: skip
    for way in ("metadata", "tag"):  # an edit of the rows leaves out what stands beside them
        came(town, f"theirs-{way}.csv", [person, rest[8 + (way == "tag")]], way, person.phone)
        assert beside(town, f"theirs-{way}.csv", tmp_path), "the control"
    somebody = {"Metadata": {"batch": "7", "who": rest[1].phone}, "Tagging": "a=b"}
    came(town, "nobody.csv", rest[10:], somebody)
    town.desk.work()
    assert {line.decision for line in town.desk.lines()} == {"accepted"}
    case = asked(town, person)

    first = run(town.house, case.case_id, now())

    assert (first.residual, {each.store for each in first.unread}) == (len(WAYS), {"files as they came"})
    for way in ("metadata", "tag"):
        assert beside(town, f"theirs-{way}.csv", tmp_path) == ()
    with pytest.raises(NotProven):
        issue(town.house, case.case_id)
    with pytest.raises(PlanOutdated):  # it finds more than was released
        run(town.house, case.case_id, now())
    let_go(town, case)
    report = run(town.house, case.case_id, now())
    assert (report.residual, report.doubts, report.waiting) == (0, 0, 0) and issue(town.house, case.case_id)
    for name, content in contents.items():
        [item] = there(town, name)
        assert town.house.objects.read(item.bucket, item.key, item.version_id) == content, "nobody else lost a byte"
        assert beside(town, name, tmp_path) == (), name
    [line] = [each for each in report.lines if each.ground == "NAMED_BESIDE_THE_FILE"]
    assert (line.store, line.objects, line.rows_before, line.rows_after, line.outcome) == (
        "files as they came", len(WAYS), len(WAYS), len(WAYS), "erased",
    )  # fmt: skip
    assert town.desk.open_new() == 0, "it is no arrival"
    assert set(beside(town, "nobody.csv", tmp_path)) == {"batch", "7", "who", rest[1].phone, "a", "b"}, "it stays"


def test_the_hash_that_we_write_ourselves_and_a_usual_type_are_no_words(town: Town, tmp_path: Path) -> None:
    town.arrive(NAMES[0], town.people[1:2], "plain.csv")
    assert beside(town, "plain.csv", tmp_path) == ()
    came(town, "typed.csv", town.people[1:2], {"ContentType": "text/x; name=1", "Metadata": {"sha256": "no"}})
    [item] = there(town, "typed.csv")
    fetched = town.house.objects.fetch(item.bucket, item.key, item.version_id, tmp_path / "x")
    assert set(fetched.beside) == {"sha256", "no", "text/x; name=1"}
