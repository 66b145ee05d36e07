"""What recipients say of notices, by file or through the desk: never more than they say, and time says nothing."""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returns.deliveries import at_once
from rights.town import Town, is_notice, open_town, papers_of
from sluice.errors import NotFound, UsageError
from sluice.exchange.house import House
from sluice.returns.acks import read_acks
from sluice.rights.case.model import Action, Right
from sluice.rights.notices.answers import acknowledge, note_sent, parse_answer, read_answers
from sluice.rights.notices.follow import follow
from sluice.rights.notices.model import NotByHand, Notice, NoticeOutcome, NoticeState
from sluice.rights.notices.notice_store import get_notice, list_answers, list_notices
from sluice.rights.notices.tell import tell
from sluice.settings import Settings
from support.copies import Copies

ID, SHA = "7b0d3f1e-2c00-4e51-9d44-1f0c5f3a7b10", "ab" * 32
DAY = timedelta(days=1)
S = NoticeState


def planted(settings: Settings, folder: Path) -> None:
    """Eight persons objected; their suppliers were told: energy01 of eight, gas01 of two."""
    settings = papers_of(settings, folder, ("energy01", "gas01"))
    with open_town(settings, folder, ("energy01", "gas01"), 8) as opened:
        opened.arrive("energy01", opened.people)
        opened.arrive("gas01", opened.people[6:])
        for person in opened.people:
            opened.decided(person, Right.OBJECTION, Action.STOP)
        assert tell(opened.house, datetime.now(UTC)).sent == 10


@pytest.fixture
def town(copies: Copies, tmp_path: Path) -> Iterator[Town]:
    with copies.of(planted, tmp_path) as settings, open_town(settings, tmp_path, ("energy01", "gas01"), 8) as opened:
        yield opened


def notices_to(town: Town, principal: str) -> list[Notice]:
    return sorted(list_notices(town.house.conn, recipient=principal), key=lambda notice: notice.notice_id)


def put(town: Town, name: str, content: bytes = b"", principal: str = "energy01") -> str:
    """A file under acks/; its version."""
    bucket = town.desk.settings.bucket_exchange
    return town.house.objects.put(bucket, f"{principal}/acks/{name}", content, "x/y").version_id


def said(notice: str, state: str = "done") -> bytes:
    return json.dumps({"notice": notice, "state": state}).encode()


def moved(town: Town) -> list[dict[str, str]]:
    """Every move of every notice, as the ledger has it."""
    rows = town.house.conn.execute(
        "select convert_from(body, 'UTF8') as body from ledger.entry where kind = 'notice.moved' order by chain, seq"
    ).fetchall()
    return [json.loads(row["body"]) for row in rows]


def moves(town: Town, notice: Notice) -> list[str]:
    """The states of a notice, one after the other."""
    return [body["to_state"] for body in moved(town) if body["notice_id"] == notice.notice_id]


@pytest.mark.parametrize(("name", "is_done"), [("ack", False), ("done", True), ("DONE", True)])
def test_an_empty_file_says_it_by_its_name(name: str, is_done: bool) -> None:
    answer = parse_answer(f"notice-{ID}.{name}", b"")
    assert answer is not None and (answer.notice_id, answer.is_done) == (ID, is_done)
    assert parse_answer(f"Notice-{ID.upper()}.{name}", b"") == answer


def test_json_says_it_by_its_two_keys() -> None:
    for state, is_done in (("acknowledged", False), ("done", True), ("Done", True)):
        answer = parse_answer("notice-x.json", said(ID, state))
        assert answer is not None and (answer.notice_id, answer.is_done) == (ID, is_done)


@pytest.mark.parametrize(
    "content",
    [b"{}", b"[]", b" ", said(ID)[:-1], said(ID) * 2, said(ID, "closed"), said(ID[:-1]), said(ID + "\n"),
     json.dumps({"notice": ID}).encode(), json.dumps({"notice": ID, "state": "done", "by": "x"}).encode(),
     json.dumps({"notice": ID, "state": ["done"]}).encode(), said(ID) + b" " * (64 << 10)],
    ids=lambda content: f"{content[:30]!r}",
)  # fmt: skip
def test_anything_else_says_nothing(content: bytes) -> None:
    assert parse_answer(f"notice-{ID}.done", content) is None


@given(name=st.text(max_size=60), content=st.one_of(st.binary(max_size=200), st.just(b"")))
def test_whatever_lies_there_is_read_or_not_and_never_fails(name: str, content: bytes) -> None:
    answer = parse_answer(name, content)
    assert answer is None or content or answer.notice_id in name.lower()


@pytest.mark.evidence
def test_each_answer_does_what_it_says_and_nothing_closes_by_itself(
    town: Town, record_property: Callable[[str, object], None]
) -> None:
    house, now = town.house, datetime.now(UTC)
    received, done, twice, late, never, *_ = notices_to(town, "energy01")
    [theirs, also_theirs] = notices_to(town, "gas01")
    wanted = {
        put(town, f"notice-{received.notice_id}.ack"): "ACKNOWLEDGED",
        put(town, "notice-a.json", said(done.notice_id)): "DONE",
        put(town, f"notice-{twice.notice_id}.ack"): "ACKNOWLEDGED",
        put(town, f"notice-{theirs.notice_id}.done"): "OTHER_PRINCIPAL",
        put(town, f"notice-{ID}.done"): "UNKNOWN_NOTICE",
        put(town, f"notice-{never.notice_id}.don"): "UNREADABLE",
        put(town, "notice-garbage", os.urandom(300)): "UNREADABLE",
        put(town, f"notice-{never.notice_id}.done", bytes(10 << 20)): "UNREADABLE",
    }
    assert read_acks(house, now).outcomes == {}, "the reader of returns leaves them alone"
    read_answers(house, now)
    wanted[put(town, f"notice-{twice.notice_id}.ack", said(twice.notice_id, "acknowledged"))] = "ALREADY_ACKNOWLEDGED"
    wanted[put(town, f"notice-{done.notice_id}.done")] = "ALREADY_DONE"
    read_answers(house, now)
    assert read_answers(house, now).outcomes == {}, "once per version"

    seen = {file.version_id: file.outcome.value for file in list_answers(house.conn)}
    assert seen == wanted
    refused = {version: outcome for version, outcome in wanted.items() if not NoticeOutcome(outcome).moves}
    every = town.notices("energy01")
    assert {name for name in every if name.startswith("notice-ack-")} == {f"notice-ack-{v}.json" for v in refused}
    other = next(version for version, outcome in wanted.items() if outcome == "OTHER_PRINCIPAL")
    read = json.loads(every[f"notice-ack-{other}.json"])
    assert (read["outcome"], read["number"]) == ("UNKNOWN_NOTICE", None), "who asks does not learn that it exists"
    assert theirs.notice_id not in json.dumps(read)

    years = now + 3650 * DAY
    for _ in range(3):
        follow(house, years)
    put(town, f"notice-{late.notice_id}.done")
    read_answers(house, years)
    states = {notice.notice_id: notice.state for notice in list_notices(house.conn)}
    assert (states[received.notice_id], states[done.notice_id]) == (S.ESCALATED, S.DONE)
    assert Counter(states.values()) == {S.DONE: 2, S.ESCALATED: 8}
    assert moves(town, received) == ["SENT", "ACKNOWLEDGED", "OVERDUE", "REMINDED", "ESCALATED"]
    assert moves(town, never) == ["SENT", "OVERDUE", "REMINDED", "ESCALATED"]
    assert moves(town, done) == ["SENT", "DONE"]
    said_late = get_notice(house.conn, late.notice_id)
    assert said_late.was_late and moves(town, late)[-1] == "DONE"
    assert not get_notice(house.conn, done.notice_id).was_late
    assert get_notice(house.conn, also_theirs.notice_id).state is S.ESCALATED
    right = sum(seen[version] == outcome for version, outcome in wanted.items())
    record_property("D6 files about notices: each has the outcome it must have", f"{right} of {len(wanted)}")
    by_itself = [
        body for body in moved(town) if body["to_state"] in ("ACKNOWLEDGED", "DONE") and body["via"] == "system"
    ]
    assert {body["via"] for body in moved(town)} == {"system", "file"}
    record_property("D6 notices acknowledged or done by anything but their recipient, ten years on", len(by_itself))


def test_what_is_done_no_longer_names_the_person_and_the_receipt_stays(town: Town) -> None:
    done, received, late, by_hand, *_ = notices_to(town, "energy01")
    put(town, f"notice-{done.notice_id}.done")
    put(town, f"notice-{received.notice_id}.ack")

    assert follow(town.house, datetime.now(UTC)).dropped == 1

    left = town.notices("energy01")
    assert f"notice-{done.notice_id}.json" not in left and f"notice-{received.notice_id}.json" in left
    assert {f"notice-{done.notice_id}.receipt.json", f"notice-{received.notice_id}.receipt.json"} <= set(left)
    assert len(list(filter(is_notice, left))) == 7
    assert follow(town.house, datetime.now(UTC)).dropped == 0
    assert tell(town.house, datetime.now(UTC)).sent == 0, "it does not come back"
    put(town, f"notice-{late.notice_id}.done")
    read_answers(town.house, datetime.now(UTC) + 99 * DAY)
    stands = get_notice(town.house.conn, late.notice_id)
    assert (stands.state, stands.was_late) == (S.DONE, False), "in time it lay there, however late it is read"
    the_desk_notes_what_it_was_told_and_only_of_what_exists(town, by_hand)


def the_desk_notes_what_it_was_told_and_only_of_what_exists(town: Town, notice: Notice) -> None:
    conn, now = town.house.conn, datetime.now(UTC)

    def by_desk(is_done: bool) -> NoticeOutcome:
        return acknowledge(conn, notice.notice_id[:13], "privacy desk, by mail", now, SHA, is_done=is_done)[1]

    assert [by_desk(False), by_desk(False), by_desk(True), by_desk(True)] == [
        "ACKNOWLEDGED", "ALREADY_ACKNOWLEDGED", "DONE", "ALREADY_DONE",
    ]  # fmt: skip
    with pytest.raises(NotFound):
        acknowledge(conn, ID, "desk", now, SHA, is_done=True)
    with pytest.raises(UsageError):
        acknowledge(conn, notice.notice_id, "a\nb", now, SHA, is_done=True)
    with pytest.raises(NotByHand):
        note_sent(conn, notices_to(town, "gas01")[0].notice_id, "desk", now, SHA)


def test_overdue_reminded_and_escalated_come_one_after_the_other(town: Town) -> None:
    now = datetime.now(UTC)
    answered, silent, *others = notices_to(town, "energy01")
    for other in (*others, *notices_to(town, "gas01")):
        acknowledge(town.house.conn, other.notice_id, "desk", now, SHA, is_done=True)
    seen: list[tuple[int, str, str]] = []
    moved: dict[int, tuple[int, int, int]] = {}
    for day in range(40):
        if day == 10:
            acknowledge(town.house.conn, answered.notice_id, "desk", now + day * DAY, SHA, is_done=False)
        told = follow(town.house, now + day * DAY + timedelta(hours=1))
        moved[day] = (told.overdue, told.reminded, told.escalated)
        stand = [get_notice(town.house.conn, each.notice_id).state.value for each in (answered, silent)]
        if not seen or stand != list(seen[-1][1:]):
            seen.append((day, *stand))

    assert (
        seen
        == [
            (0, "SENT", "SENT"),
            (7, "OVERDUE", "OVERDUE"),
            (8, "REMINDED", "REMINDED"),
            (10, "ACKNOWLEDGED", "REMINDED"),
            (21, "ACKNOWLEDGED", "ESCALATED"),
            (31, "OVERDUE", "ESCALATED"),
            (32, "REMINDED", "ESCALATED"),
            (39, "REMINDED", "ESCALATED"),
        ][:-1]
    )
    assert [moved[day] for day in (6, 7, 8, 21)] == [(0, 0, 0), (2, 0, 0), (0, 2, 0), (0, 0, 1)]
    names = {name for name in town.notices("energy01") if silent.notice_id in name}
    ends = (".json", ".receipt.json", "-reminder-1.json", "-reminder-2.json", "-escalated.json")
    assert names == {f"notice-{silent.notice_id}{end}" for end in ends}
    reminder = json.loads(town.notices("energy01")[f"notice-{silent.notice_id}-reminder-1.json"])
    assert set(reminder["text"]) == {"nl", "fr", "en"} and "identifiers" not in reminder
    assert get_notice(town.house.conn, answered.notice_id).was_late


@pytest.mark.timeout(120)
def test_two_workers_at_once_answer_each_file_and_remind_once(town: Town) -> None:
    now = datetime.now(UTC) + 9 * DAY
    for notice in notices_to(town, "energy01")[:4]:
        put(town, f"notice-{notice.notice_id}.ack")

    def sweep(house: House) -> Sequence[int]:
        done = follow(house, now)
        return sum(done.answers.outcomes.values()), done.overdue, done.reminded, done.failed

    both = at_once(town.desk, *[sweep] * 2)

    assert [sum(each) for each in zip(*both, strict=True)] == [4, 6, 6, 0], "who answered is not reminded"
    every = [move for notice in list_notices(town.house.conn) for move in moves(town, notice)]
    assert Counter(every) == {"SENT": 10, "ACKNOWLEDGED": 4, "OVERDUE": 6, "REMINDED": 6}
