"""What nobody foresaw of one effect or one flow keeps no other waiting, and is told."""

import json
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from exchange.conftest import lent_desk
from returns.commands import at_terminal, sluice
from sluice.errors import UNFORESEEN
from sluice.exchange import drain as draining
from sluice.exchange import outbox
from sluice.exchange.drain import drain, drain_all, drain_many
from sluice.exchange.effects import run
from sluice.exchange.effects.run import MOST_TRIES, do_effects
from sluice.exchange.held_up import FilesHeldUp, check_none_held_up
from sluice.exchange.house import open_house
from sluice.exchange.sweeping import LeftUndone, check_none_left
from sluice.lineage import post
from sluice.settings import Settings
from sluice.terms import Direction, Flow, Principal
from support.copies import Copies
from support.desk import ENERGY, Desk, open_desk
from support.installation import examine_one

pytestmark = pytest.mark.stores


@contextmanager
def listening(*answers: bytes) -> Iterator[tuple[str, list[str]]]:
    """The address of a receiver that gives these answers, then the last one for ever; and the types of what it took.

    An answer of nothing is none: the connection stays open.
    """
    took, held, left = list[str](), list[socket.socket](), list(answers)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            while True:
                try:
                    conn, _ = server.accept()
                except OSError:
                    return
                held.append(conn)
                said = left.pop(0) if len(left) > 1 else left[0]
                took.append(f"{heard(conn)} {said[9:12].decode()}")
                if said:
                    conn.sendall(said)
                    conn.close()

        threading.Thread(target=answer, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", took
        server.shutdown(socket.SHUT_RDWR)
        for conn in held:
            conn.close()


def heard(conn: socket.socket) -> str:
    """The type of the event in one request."""
    request = b""
    while b"\r\n\r\n" not in request:
        request += conn.recv(65_536)
    head, _, body = request.partition(b"\r\n\r\n")
    size = int(re.findall(rb"(?i)content-length: (\d+)", head)[0])
    while len(body) < size:
        body += conn.recv(65_536)
    return str(json.loads(body)["eventType"])


NONSENSE = b"\x15\x03\x01\x00\x02\x02\x16\r\n"
GONE, TAKEN, REFUSED, EXPIRED = (
    f"HTTP/1.1 {said}\r\nContent-Length: 0\r\n\r\n".encode()
    for said in ("503 Gone", "200 OK", "413 Too Large", "401 Unauthorized")
)


def errors(desk: Desk) -> set[tuple[str, str | None]]:
    rows = desk.sql("select effect as name, last_error from outbox where done_at is null")
    return {(str(row["name"]), str(row["last_error"])) for row in rows}


def judged(settings: Settings, folder: Path) -> None:
    """Fills an installation: three files were accepted, and nobody asked for lineage."""
    with open_desk(settings, folder) as desk:
        for seed in (1, 2, 3):
            desk.drop(desk.campaign(rows=20, seed=seed)[0])
        desk.work()


@contextmanager
def owing(copies: Copies, folder: Path, count: int, *answers: bytes) -> Iterator[tuple[Desk, list[str]]]:
    """A desk that owes the lineage of so many files to a receiver, and the receipts of all; what the receiver took."""
    with (
        listening(*answers) as (url, took),
        lent_desk(copies, folder, fill=judged) as lent,
        open_house(lent.settings.model_copy(update={"lineage_url": url})) as house,
    ):
        house.conn.execute("update exchange set receipt_at = null, opened_at = now()")
        house.conn.execute(
            """update outbox set done_at = null, attempts = 0, next_attempt_at = now() where effect = 'receipt'
               or effect like 'lineage%%' and exchange_id in (select exchange_id from exchange limit %s)""",
            (count,),
        )
        yield Desk(house, folder), took


def drained(desk: Desk) -> None:
    drain(desk.house, Direction.INBOUND, Principal(ENERGY[0]), Flow(ENERGY[1]), {})


def again(desk: Desk) -> int:
    """One round of everybody's effects, when the pauses of all of them are over."""
    desk.house.conn.execute(
        "update outbox set next_attempt_at = now() where done_at is null and next_attempt_at < 'infinity'"
    )
    return do_effects(desk.house)


def test_a_receiver_of_lineage_that_speaks_no_http_keeps_no_receipt(copies: Copies, tmp_path: Path) -> None:
    with owing(copies, tmp_path, 3, NONSENSE) as (desk, _):
        do_effects(desk.house)
        assert all(line.receipt_at for line in desk.lines())
        assert ("lineage.start", "SLU-472") in errors(desk)
        assert {name for name, _ in errors(desk)} == {"lineage.start", "lineage.closed"}


def test_a_receiver_that_never_answers_is_asked_once_and_after_every_receipt_and_no_slot_asks_for_others(
    copies: Copies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post, "TIMEOUT_SECONDS", 1.0)
    with owing(copies, tmp_path, 0, b"", GONE, TAKEN) as (desk, took):
        dropped = [desk.drop(desk.campaign(rows=20, seed=seed)[0]) for seed in (4, 5)]
        desk.open_new()
        drained(desk)
        assert all(desk.line(each).receipt_at for each in dropped)
        assert len(took) == 1, "the control: each file would have asked for its own two events"

        for seed in (6, 7):
            desk.drop(desk.campaign(rows=20, seed=seed)[0])
            desk.open_new()
            drained(desk)
            desk.house.conn.execute("update outbox set next_attempt_at = now() where done_at is null")
        drained(desk)
        assert took[1:] == ["START 503", "START 200", "COMPLETE 200"], "its own, and nothing where it met no file"
        assert do_effects(desk.house) == 6 and errors(desk) == set()


def test_a_run_is_told_to_end_only_after_it_was_told_to_begin(copies: Copies, tmp_path: Path) -> None:
    with owing(copies, tmp_path, 1, GONE, TAKEN) as (desk, took):
        for _ in range(2):
            do_effects(desk.house)
        assert took == ["START 503"]
        again(desk)
        assert took == ["START 503", "START 200", "COMPLETE 200"] and errors(desk) == set()


@pytest.mark.parametrize(("answer", "heard"), [(REFUSED, "START 413"), (GONE, "START 503"), (EXPIRED, "START 401")])
def test_an_event_that_is_refused_keeps_no_other_waiting_and_a_receiver_that_is_down_all(
    copies: Copies, tmp_path: Path, answer: bytes, heard: str
) -> None:
    with owing(copies, tmp_path, 2, answer, TAKEN) as (desk, took):
        do_effects(desk.house)
        assert took == [heard, *(["START 200", "COMPLETE 200"] if answer is REFUSED else [])]


def test_a_token_that_expired_costs_one_post_a_round_is_told_and_loses_no_event(
    copies: Copies, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with owing(copies, tmp_path, 3, *[EXPIRED] * 6, TAKEN) as (desk, took):
        settings = desk.settings
        for rounds in range(1, 7):
            again(desk)
            assert took == ["START 401"] * rounds
        assert caplog.text.count("lineage waits: SLU-472") == 6
        assert examine_one("lineage", settings).ok, "it may pass"
        desk.house.conn.execute("update exchange set opened_at = opened_at - interval '3 minutes'")
        found = examine_one("lineage", settings)
        assert not found.ok and found.detail == "0 refused, 6 waiting, SLU-472" and "token" in found.cure
        with pytest.raises(FilesHeldUp, match=r"SLU-207.* lineage events 0 refused, 6 waiting, SLU-472"):
            check_none_held_up(desk.house.conn, datetime.now(UTC))

        assert again(desk) == 6 and errors(desk) == set()
        assert examine_one("lineage", settings).ok
        check_none_held_up(desk.house.conn, datetime.now(UTC))


def test_an_event_that_is_always_refused_is_tried_a_few_times_and_stays_owed(
    copies: Copies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = [GONE, *[REFUSED] * MOST_TRIES]
    with owing(copies, tmp_path, 1, *tries, TAKEN) as (desk, took), at_terminal(desk, monkeypatch):
        desk.house.conn.execute("update exchange set opened_at = opened_at - interval '3 minutes'")
        for _ in range(2):
            again(desk)
        assert took == ["START 503", "START 413"]
        waits = [each.name for each in outbox.find_due(desk.house.conn)]
        assert waits == [], "only so many are taken up in a round: ends of runs that wait hide no newer event"
        desk.house.conn.execute("update outbox set next_attempt_at = now() where done_at is null")
        assert [each.name for each in outbox.find_due(desk.house.conn)] == ["lineage.start", "lineage.closed"]
        for _ in range(len(tries) + 5):
            again(desk)
        assert took == ["START 503", *["START 413"] * MOST_TRIES], "what was no refusal counts for none"
        assert errors(desk) == {("lineage.start", "SLU-475"), ("lineage.closed", "None")}
        assert examine_one("lineage", desk.settings).detail == "1 refused, 1 waiting, SLU-475"

        assert sluice("lineage", "again").document == {"events": 1}
        assert sluice("lineage", "again").document == {"events": 0}
        assert do_effects(desk.house) == 2
        assert took[len(tries) :] == ["START 200", "COMPLETE 200"] and errors(desk) == set()


def test_an_effect_that_fails_as_nobody_foresaw_or_that_a_newer_version_put_keeps_no_other(
    copies: Copies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("0470123456")

    with owing(copies, tmp_path, 1, TAKEN) as (desk, _):
        with monkeypatch.context() as patch:
            patch.setattr(run, "EFFECTS", {**run.EFFECTS, "lineage.start": broken})
            do_effects(desk.house)
        assert all(line.receipt_at for line in desk.lines())
        assert errors(desk) == {("lineage.start", UNFORESEEN), ("lineage.closed", "None")}
        assert again(desk) == 2 and errors(desk) == set()

        desk.sql(
            """insert into outbox (exchange_id, effect, rank) select exchange_id, 'of_later', 0
               from exchange limit 1 returning 1"""
        )
        desk.house.conn.execute("update outbox set done_at = null, next_attempt_at = now() where effect = 'receipt'")
        assert do_effects(desk.house) == 3
        assert errors(desk) == {("of_later", UNFORESEEN)}


def test_every_effect_is_done_by_somebody_and_the_outbox_keeps_the_texts_that_it_has() -> None:
    """Of what is done for one exchange no two have one rank."""
    assert set(run.EFFECTS) == set(outbox.Effect)
    assert {each.value: each.rank for each in outbox.Effect} == {
        "lineage.start": 1, "findings": 2, "receipt": 3, "delivery": 4, "dial": 4, "lineage.closed": 5, "sweep": 6,
        "review": 7, "lineage.changed": 9,
    }  # fmt: skip
    assert max(outbox.Effect, key=lambda each: each.rank) is outbox.Effect.CHANGED
    assert sorted(outbox.LINEAGE, key=lambda each: each.rank) == list(outbox.LINEAGE)


def test_a_flow_that_fails_as_nobody_foresaw_keeps_no_other(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    carry = draining.carry_arrival

    def broken(house: Any, opened: Any, run: Any) -> object:
        if opened.principal == "aaa":
            raise KeyError("0470123456")
        return carry(house, opened, run)

    monkeypatch.setattr(draining, "carry_arrival", broken)
    path = desk.campaign(rows=20)[0]
    first, second = desk.drop(path, where=("aaa", ENERGY[1])), desk.drop(path)
    with pytest.raises(LeftUndone, match="flows with files left undone 1"):
        drain_all(desk.house)
    assert desk.line(first).decision == "open" and desk.line(second).receipt_at

    desk.sql("update exchange set next_attempt_at = now() where decision = 'open' returning 1")
    assert drain_many(desk.house, lambda _, waiting: waiting.principal == "aaa", {}) == ({}, 1)
    monkeypatch.undo()
    desk.sql("update exchange set next_attempt_at = now() where decision = 'open' returning 1")
    done, left = drain_many(desk.house, lambda *_: True, {})
    check_none_left("flows with files", left)
    assert [each.decisions for each in done.values()] == [{"refused": 1}]
