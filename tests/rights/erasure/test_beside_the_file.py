"""What a sender writes beside its file (metadata, headers, tags) is scanned, and an erasure leaves it out."""

import hashlib
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from rights.erasure.test_beside_flows import NAMES, asked, put, two_principals
from rights.town import Town
from sluice.lake.s3.names import ObjectVersion
from sluice.lake.s3.objects import StoredObject
from sluice.rights.case.model import CaseId
from sluice.rights.erasure.certificate import NotProven, issue
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.model import ErasureReport, PlanOutdated
from sluice.rights.erasure.release import draft, release
from sluice.settings import Settings
from support.desk import ENERGY

WAYS = ("metadata", "its name", "base64", "rfc 2047", "header", "tag", "with our hash", "not ascii")
NAME = "theirs.csv"


@pytest.fixture
def town(store_settings: Settings, tmp_path: Path) -> Iterator[Town]:
    with two_principals(store_settings, tmp_path) as opened:
        yield opened


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


def came(town: Town, persons: slice, how: dict[str, Any] | str, who: str) -> bytes:
    """A file of these persons comes in and is accepted, with ``who`` beside it."""
    rows = [f"{each.record(NAMES[0])};{each.line}" for each in town.people[persons]]
    content = "\n".join([town.head, *rows]).encode() + b"\n"
    put(town, f"inbound/{ENERGY[1]}/{NAME}", content, **(written(how, who, content) if isinstance(how, str) else how))
    town.desk.work()
    return content


def there(town: Town) -> list[StoredObject]:
    key = f"{NAMES[0]}/inbound/{ENERGY[1]}/{NAME}"
    return list(town.house.objects.list_versions(town.desk.settings.bucket_exchange, key))


def beside(town: Town, folder: Path) -> tuple[str, ...]:
    """What stands beside the one version that is left, tags included."""
    [item] = there(town)
    name = ObjectVersion.of(item)
    return town.house.objects.read_beside(*name, town.house.objects.fetch(*name, folder / "x"))


def run_again(town: Town, case_id: CaseId) -> ErasureReport:
    """The run that finds more than was released ends its plan; a new one is made, released and carried out."""
    with pytest.raises(PlanOutdated):
        run(town.house, case_id, datetime.now(UTC))
    draft(town.house, case_id, "airflow", datetime.now(UTC))
    release(town.house, case_id, "bert", datetime.now(UTC))
    return run(town.house, case_id, datetime.now(UTC))


@pytest.mark.parametrize("way", WAYS)
def test_whoever_is_named_beside_a_file_of_others_keeps_the_certificate_back_until_it_is_gone(
    town: Town, way: str, tmp_path: Path
) -> None:
    content = came(town, slice(1, 2), way, town.people[0].phone)
    case = asked(town, town.people[0], NAMES[0])

    first = run(town.house, case.case_id, datetime.now(UTC))

    assert (first.residual, [each.store for each in first.unread]) == (1, ["files as they came"])
    with pytest.raises(NotProven):
        issue(town.house, case.case_id)
    report = run_again(town, case.case_id)
    assert (report.residual, report.doubts, report.waiting) == (0, 0, 0) and issue(town.house, case.case_id)
    [item] = there(town)
    assert town.house.objects.read(item.bucket, item.key, item.version_id) == content, "nobody else lost a byte"
    assert beside(town, tmp_path) == ()
    [line] = [each for each in report.lines if each.ground == "NAMED_BESIDE_THE_FILE"]
    assert (line.store, line.objects, line.rows_before, line.rows_after, line.outcome) == (
        "files as they came", 1, 1, 1, "erased",
    )  # fmt: skip
    assert town.desk.open_new() == 0, "it is no arrival"


@pytest.mark.parametrize("way", ["metadata", "tag"])
def test_an_edit_of_the_rows_leaves_out_what_stands_beside_them(town: Town, way: str, tmp_path: Path) -> None:
    came(town, slice(0, 2), way, town.people[0].phone)
    assert beside(town, tmp_path), "the control"
    case = asked(town, town.people[0], NAMES[0])

    report = run(town.house, case.case_id, datetime.now(UTC))

    assert (report.residual, report.doubts) == (0, 0) and issue(town.house, case.case_id)
    assert beside(town, tmp_path) == ()


def test_what_stands_beside_a_file_and_names_nobody_stays(town: Town, tmp_path: Path) -> None:
    came(town, slice(1, 2), {"Metadata": {"batch": "7", "who": town.people[1].phone}, "Tagging": "a=b"}, "")
    case = asked(town, town.people[0], NAMES[0])

    report = run(town.house, case.case_id, datetime.now(UTC))

    assert (report.residual, report.doubts) == (0, 0) and issue(town.house, case.case_id)
    assert set(beside(town, tmp_path)) == {"batch", "7", "who", town.people[1].phone, "a", "b"}


def test_the_hash_that_we_write_ourselves_and_a_usual_type_are_no_words(town: Town, tmp_path: Path) -> None:
    town.arrive(NAMES[0], town.people[1:2], NAME)
    assert beside(town, tmp_path) == ()
    came(town, slice(1, 2), {"ContentType": "text/x; name=1", "Metadata": {"sha256": "no"}}, "")
    item = there(town)[0]
    fetched = town.house.objects.fetch(item.bucket, item.key, item.version_id, tmp_path / "x")
    assert set(fetched.beside) == {"sha256", "no", "text/x; name=1"}


def test_an_object_beside_the_flows_is_waited_for(town: Town) -> None:
    put(town, "acks/x.ack", b"a;b", Metadata={"who": town.people[0].phone})
    case = asked(town, town.people[0], NAMES[0])

    report = run(town.house, case.case_id, datetime.now(UTC))

    assert (report.residual, report.doubts, report.waiting) == (0, 0, 1)
