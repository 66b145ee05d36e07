"""The leak scanner by itself: what it sees in which wrapping, and that it is made of nothing that it looks through."""

import gzip
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from leaks.canaries import KINDS, PERSONS, draw
from leaks.scan import scan
from leaks.sources import Source, files
from rights.residue import QUOTED, Searcher

TESTS = Path(__file__).parents[1]
PEOPLE = draw(7)
SEARCHER = Searcher([each.spellings for who in PEOPLE for each in who.canaries])
LOADED = "import json, sys; import leaks.scan; print(json.dumps(sorted(sys.modules)))"


def zipped(content: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside", content)
    return target.getvalue()


WRAPPINGS: dict[str, Callable[[str], bytes]] = {
    "text": lambda text: f"INFO calling {text} again".encode(),
    "gzip": lambda text: gzip.compress(text.encode()),
    "zip": lambda text: zipped(text.encode()),
    "zip in gzip": lambda text: gzip.compress(zipped(text.encode())),
    "utf-16": lambda text: f"who {text}".encode("utf-16"),
}


def test_every_canary_is_seen_in_every_encoding_and_wrapping() -> None:
    canaries = [each.written for who in PEOPLE for each in who.canaries]
    assert len(canaries) == PERSONS * len(KINDS) == 200
    for encode in QUOTED.values():
        for wrap in WRAPPINGS.values():
            sources = [Source(str(n), wrap(encode(value))) for n, value in enumerate(canaries) if wants(value, encode)]
            report = scan(sources, SEARCHER)
            assert {int(channel): found for channel, found in report.leaks.items()} == {
                int(each.channel): {int(each.channel)} for each in sources
            }


def wants(value: str, encode: Callable[[str], str]) -> bool:
    """Of a note a word only is a canary, so that its hash is of the word, not of what stands around it."""
    return not (value.startswith("de hond") and encode is QUOTED["sha256"])


def test_digits_alone_betray_a_phone_and_strangers_are_not_seen() -> None:
    digits = "".join(filter(str.isdigit, PEOPLE[3].phone))
    others = [Source("x", json.dumps([each.written for each in who.canaries]).encode()) for who in draw(8)]

    assert scan([Source("x", digits.encode())], SEARCHER).leaks == {"x": {16}}
    assert scan(others, SEARCHER).leaks == {}


def test_a_place_where_values_may_be_is_no_leak_and_is_counted() -> None:
    channels = {"object lake x": PEOPLE[0].email, "object exchange x": PEOPLE[1].email}
    report = scan([Source(each, value.encode(), is_home=True) for each, value in channels.items()], SEARCHER)

    assert (report.leaks, report.at_home) == ({}, {"object lake x": {2}, "object exchange x": {7}})
    assert (report.kept_in("lake", "vault"), report.kept_in("exchange"), report.kept_in("vault")) == ({2}, {7}, set())


def test_it_loads_nothing_of_the_product() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], cwd=TESTS, capture_output=True, text=True, check=True)
    assert not [name for name in json.loads(done.stdout) if name.partition(".")[0] == "sluice"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_value_between_two_windows_of_a_file_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    monkeypatch.setattr("leaks.sources.WINDOW_BYTES", 64)
    (tmp_path / "log").write_bytes(("x" * 60 + PEOPLE[0].email + "y" * 90).encode(encoding))
    assert scan(files(tmp_path, "log"), SEARCHER).leaks == {"log log": {2}}
