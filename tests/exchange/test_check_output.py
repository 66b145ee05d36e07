"""A child that was taken over leaves a way to a file of the worker: nothing of it is kept, sealed or published."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from sluice.errors import GateFailed
from sluice.exchange.judging.check_output import check_left, read_left
from sluice.exchange.judging.nursery import Nursery
from sluice.exchange.read import ExchangeLine
from support.desk import Desk
from support.stores import client_of

SECRET = b"the key of everything"
TESTS = Path(__file__).parents[1]


@contextmanager
def in_evil_hands(desk: Desk, monkeypatch: pytest.MonkeyPatch, child: str) -> Iterator[Desk]:
    """The same desk, whose files are judged by a child that was taken over."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, (TESTS, TESTS.parent / "include"))))
    desk.settings.var.mkdir(parents=True, exist_ok=True)
    (desk.settings.var / "secret").write_bytes(SECRET)
    with Nursery(f"exchange.children_of_old:{child}") as evil:
        yield Desk(replace(desk.house, nursery=evil), desk.folder)


def judged(desk: Desk, left: str, seed: int) -> ExchangeLine:
    """What becomes of a file whose child leaves this."""
    desk.house.conn.execute("update exchange set next_attempt_at = now() + interval '1 day'")  # of those before
    (desk.settings.var / "evil").write_text(left)
    item = desk.drop(desk.campaign(60, seed=seed)[0], f"{seed}.csv")
    desk.work()
    return desk.line(item)


def everything(desk: Desk) -> bytes:
    """Every byte in the buckets that a child could have had something put into."""
    client, named = client_of(desk.settings), desk.settings
    found = b""
    for bucket in (named.bucket_exchange, named.bucket_lake, named.bucket_vault):
        for each in client.list_object_versions(Bucket=bucket).get("Versions", ()):
            body = client.get_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])["Body"]
            found += body.read()
    return found


def test_what_it_points_at_is_nowhere_and_the_file_waits(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    ways = ("findings.csv link", "findings.csv name", "index.parquet link", "failure.txt link")
    with in_evil_hands(desk, monkeypatch, "judge_and_link") as evil:
        for seed, left in enumerate(ways, 1):
            line = judged(evil, left, seed)
            assert (line.decision, line.last_error) == ("open", "SLU-401"), left
    assert SECRET not in everything(desk)
    assert judged(desk, "", 9).decision == "accepted", "the control"


TOLD = {
    "ValueError at reader.py:12": "ValueError at reader.py:12",
    "KeyError at unknown place": "KeyError at unknown place",
    "Jan Peeters 0470123456": "unknown",
    "ValueError at reader.py:12\nexchange 1 is accepted": "unknown",
    "ValueError at \x1b[2J.py:12": "unknown",
    "E" * (1 << 20): "unknown",
}


def test_a_log_repeats_a_place_and_nothing_else(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with in_evil_hands(desk, monkeypatch, "judge_and_talk") as evil:
        for seed, (text, told) in enumerate(TOLD.items(), 1):
            caplog.clear()
            assert judged(evil, text, seed).last_error == "SLU-401"
            said = [each.getMessage() for each in caplog.records if "is set aside" in each.getMessage()]
            assert len(said) == 1 and f"at {told}. Cure" in said[0]
            assert told == text or not any(word in caplog.text for word in ("Peeters", "is accepted", "\x1b", "EEE"))


def test_only_regular_files_with_one_name_are_a_childs(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(SECRET)
    folder = tmp_path / "work"
    (folder / "opened-1").mkdir(parents=True)
    (folder / "report.json").write_bytes(b"{}")
    check_left(folder)
    assert read_left(folder / "report.json", 1) == b"{"

    made = {
        "link": lambda place: place.symlink_to(tmp_path / "secret"),
        "folder": lambda place: place.symlink_to(tmp_path),
        "name": lambda place: place.hardlink_to(tmp_path / "secret"),
        "pipe": os.mkfifo,
    }
    for make in made.values():
        place = folder / "progress"
        make(place)
        assert read_left(place, 99) == b""
        with pytest.raises(GateFailed):
            check_left(folder)
        place.unlink()
    check_left(folder)
