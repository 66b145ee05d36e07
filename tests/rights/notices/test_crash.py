"""Killed anywhere while notices are sent, answers are read and cases end, a rerun finishes: each thing once."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rights.town import DESK, Person, Town, is_notice, open_town, papers_of
from sluice.ledger.sign import open_signed, split_flattened
from sluice.ledger.verify import verify as verify_ledger
from sluice.rights.case import store
from sluice.rights.case.model import Action, Case, LetterKind, Right, State
from sluice.rights.letters.write import note_opened
from sluice.rights.notices.model import NoticeState
from sluice.rights.notices.notice_store import list_answers, list_notices
from sluice.rights.notices.to_recipient import RECEIPT_TYPE
from sluice.rights.schedule import follow, sweep
from sluice.settings import Settings
from support.copies import Copies
from support.crash import Victim, dying
from support.effort import effort

POINTS = effort(2, 24)
NAMES = ("energy01", "gas01")
SWEEP = ",".join(("rights/notices/", "lake/s3/objects", "ledger/append", "db.py"))
END = ",".join(
    ("rights/finish", "rights/report_to_controller", "rights/letters/", "rights/case/book", "lake/s3/", "db.py")
)


def planted(settings: Settings, folder: Path) -> None:
    """An installation in which every person is in the files of two principals."""
    with open_town(papers_of(settings, folder, NAMES), folder, NAMES, POINTS + 8) as opened:
        for name in NAMES:
            opened.arrive(name, opened.people)


@pytest.fixture
def town(copies: Copies, tmp_path: Path) -> Iterator[Town]:
    with copies.of(planted, tmp_path) as settings, open_town(settings, tmp_path, NAMES, POINTS + 8) as opened:
        yield opened


@pytest.fixture
def victim(town: Town) -> Iterator[Victim]:
    """A process that sweeps notices until it is killed at a step. Call it with moment, step, where."""
    with dying(town.desk.settings, "notices") as once:
        yield once


def objected(town: Town, person: Person) -> Case:
    return town.decided(person, Right.OBJECTION, Action.STOP)


def answered(town: Town, point: int) -> None:
    """The two oldest open notices of energy01 get an answer, and a third file says nothing."""
    waiting = [
        notice for notice in list_notices(town.house.conn, recipient="energy01", limit=None)
        if notice.told_at and notice.acknowledged_at is None
    ]  # fmt: skip
    bucket = town.desk.settings.bucket_exchange
    for notice, end in zip(waiting[-2:], ("done", "ack"), strict=False):
        town.house.objects.put(bucket, f"energy01/acks/notice-{notice.notice_id}.{end}", b"", "x/y")
    town.house.objects.put(bucket, f"energy01/acks/notice-{point}", b"garbage", "x/y")


@pytest.mark.timeout(900)
@pytest.mark.slow
@pytest.mark.evidence
def test_killed_anywhere_every_recipient_is_told_once_and_every_answer_counts_once(
    town: Town, victim: Victim, record_property: Callable[[str, object], None]
) -> None:
    """Eight days on, so that reminders are due as well."""
    later = datetime.now(UTC) + timedelta(days=9)
    objected(town, town.people[0])
    _, steps = victim(datetime.now(UTC).isoformat(), 0, SWEEP)
    objected(town, town.people[1])
    answered(town, 0)
    _, steps = victim(later.isoformat(), 0, SWEEP)
    assert consistent(town, later) == []
    points = range(1, steps, max(1, steps // POINTS))
    killed, faults = 0, Counter[str]()
    for person, point in zip(town.people[2:], points, strict=False):
        objected(town, person)
        answered(town, point)
        killed += victim(later.isoformat(), point, SWEEP)[0]
        faults.update(f"left half-way, {fault}" for fault in consistent(town, later))
        assert sweep(town.house, later).failed == 0
        assert consistent(town, later) == [], point
    assert killed >= max(1, POINTS * 2 // 3)
    assert faults, "the check sees what a killed worker left"
    assert verify_ledger(town.house.conn, public_pem=town.house.keyring.public_pem).valid
    record_property(
        "D6 SIGKILL points of telling and hearing recipients, consistent after rerun", f"{killed} of {killed}"
    )


def consistent(town: Town, now: datetime) -> list[str]:
    """What does not fit: rows, files, receipts, answers and ledger entries of notices."""
    house, bucket = town.house, town.desk.settings.bucket_exchange
    rows = house.conn.execute(
        "select convert_from(body, 'UTF8')::json as body from ledger.entry where kind = 'notice.moved'"
    ).fetchall()
    moves = Counter((row["body"]["notice_id"], row["body"]["to_state"]) for row in rows)
    found, owed = [], set()
    for notice in list_notices(house.conn, limit=None):
        key = f"{notice.recipient}/notices/notice-{notice.notice_id}"
        if notice.state is NoticeState.OWED:
            found.append("a recipient is not told")
        owed |= {f"{key}.json"} if notice.state is not NoticeState.DONE else set()
        owed |= {f"{key}.receipt.json"} | {f"{key}-reminder-{n}.json" for n in range(1, notice.reminders + 1)}
        for state in {NoticeState.SENT, notice.state} - {NoticeState.OWED, NoticeState.REMINDED}:
            found += [f"{state} is in the ledger {moves[notice.notice_id, state]} times"] * (
                moves[notice.notice_id, state] != 1
            )
        found += ["a reminder is not in the ledger"] * (moves[notice.notice_id, "REMINDED"] != notice.reminders)
        if head := house.objects.head(bucket, f"{key}.json"):
            found += ["the notice is not the one of its hash"] * (head.sha256 != notice.sha256)
        if receipt := house.objects.head(bucket, f"{key}.receipt.json"):
            content = house.objects.read(bucket, receipt.key)
            said = open_signed(split_flattened(content), house.keyring.public, RECEIPT_TYPE)
            found += ["a receipt of another entry"] * (said["ledger"] != {"entry_hash": notice.entry_hash})
    return [*found, *answers_fit(town, owed)]


def answers_fit(town: Town, owed: set[str]) -> list[str]:
    """The same of files under acks/ and notices/; ``owed``: keys that have to be there."""
    house, bucket = town.house, town.desk.settings.bucket_exchange
    there = list(house.objects.list_versions(bucket, "energy01/acks/"))
    files = list_answers(house.conn, limit=10_000)
    found = ["a file has no answer"] * ({item.version_id for item in there} != {file.version_id for file in files})
    refused = [file for file in files if not file.outcome.moves]
    entries = house.conn.execute("select 1 from ledger.entry where kind = 'notice.answer_refused'").fetchall()
    found += ["a refusal is not in the ledger once"] * (len(entries) != len(refused))
    owed = owed | {f"energy01/notices/notice-ack-{file.version_id}.json" for file in refused}
    listed = [item.key for name in NAMES for item in house.objects.list_versions(bucket, f"{name}/notices/notice-")]
    found += ["a file is missing"] * (not owed <= set(listed)) + ["a file is too much"] * (not set(listed) <= owed)
    found += ["a key has two versions"] * (len(listed) != len(set(listed)))
    return found


def test_the_check_sees_what_is_missing_and_what_is_too_much(town: Town) -> None:
    """The control."""
    now = datetime.now(UTC)
    objected(town, town.people[0])
    sweep(town.house, now)
    assert consistent(town, now) == []
    bucket, objects = town.desk.settings.bucket_exchange, town.house.objects
    name, content = next((name, each) for name, each in town.notices("gas01").items() if is_notice(name))
    [item] = objects.list_versions(bucket, f"gas01/notices/{name}")
    objects.delete_version(bucket, item.key, item.version_id)
    assert consistent(town, now) == ["a file is missing"]
    objects.put(bucket, item.key, content + b" ", "x/y")
    assert consistent(town, now) == ["the notice is not the one of its hash"]
    town.house.conn.execute("update notice set state = 'DONE', done_at = now()")
    assert {"a file is too much", "DONE is in the ledger 0 times"} <= set(consistent(town, now))
    assert json.loads(content)


@pytest.mark.timeout(900)
@pytest.mark.slow
@pytest.mark.evidence
def test_killed_anywhere_a_case_ends_once(
    town: Town, victim: Victim, record_property: Callable[[str, object], None]
) -> None:
    now, points = datetime.now(UTC), POINTS
    _, steps = ended(town, victim, town.people[0], now, (0, 0))
    killed = 0
    for number in range(points):
        kills = [(step * number // points + 1) for step in steps]
        died, _ = ended(town, victim, town.people[number + 1], now, kills)
        killed += died
    assert killed >= points
    record_property("D6 SIGKILL points of ending a case, each step and file once after rerun", f"{killed} of {killed}")


def ended(
    town: Town, victim: Victim, person: Person, now: datetime, kills: Sequence[int]
) -> tuple[int, tuple[int, ...]]:
    """One objection to its end, killed in the sweep before its letter is taken out and in the one after."""
    case, killed, steps = objected(town, person), 0, []
    follow(town.house, now)
    for kill_at in kills:
        died, count = victim(now.isoformat(), kill_at, END)
        killed, steps = killed + died, [*steps, count]
        assert sweep(town.house, now).failed == 0
        stands = store.get_case(town.house.conn, case.case_id)
        for letter in stands.letters:
            if letter.kind is LetterKind.COMPLETION and letter.opened_at is None:
                note_opened(town.house.conn, letter, now, DESK)
    assert stands.state is State.CLOSED
    taken = Counter((step.sub_case_id, step.to_state) for step in store.list_steps(town.house.conn, case.case_id))
    assert set(taken.values()) == {1}
    assert Counter(letter.kind for letter in stands.letters)[LetterKind.COMPLETION] == 1
    for part in stands.sub_cases:
        if part.controller == "principal":
            bucket = town.desk.settings.bucket_exchange
            [item] = town.house.objects.list_versions(
                bucket, f"{part.principal}/notices/confirmation-{part.sub_case_id}"
            )
            content = town.house.objects.read(bucket, item.key)
            steps_of = store.list_steps(town.house.conn, case.case_id)
            evidence = {
                step.evidence_sha256 for step in steps_of
                if step.sub_case_id == part.sub_case_id and step.to_state is State.CONFIRMED_TO_CONTROLLER
            }  # fmt: skip
            assert evidence == {hashlib.sha256(content).hexdigest()}
    return killed, tuple(steps)
