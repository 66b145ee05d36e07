"""What nobody foresaw of one effect or one flow keeps no other waiting, and is told."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from desk import ENERGY, Desk, open_desk
from sluice.errors import UNFORESEEN, StoreError
from sluice.exchange import drain as draining
from sluice.exchange import effects
from sluice.exchange.drain import check_none_left, drain_all, drain_many
from sluice.exchange.effects import do_effects
from sluice.settings import Settings

pytestmark = pytest.mark.stores


@contextmanager
def nonsense() -> Iterator[str]:
    """The address of a server that answers, but not in HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            while True:
                try:
                    conn, _ = server.accept()
                except OSError:
                    return
                with conn:
                    conn.recv(65_536)
                    conn.sendall(b"\x15\x03\x01\x00\x02\x02\x16\r\n")

        threading.Thread(target=answer, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


def errors(desk: Desk) -> set[tuple[str, str | None]]:
    rows = desk.sql("select effect as name, last_error from outbox where done_at is null")
    return {(str(row["name"]), str(row["last_error"])) for row in rows}


def test_a_receiver_of_lineage_that_speaks_no_http_keeps_no_receipt(store_settings: Settings, tmp_path: Path) -> None:
    with (
        nonsense() as url,
        open_desk(store_settings.model_copy(update={"lineage_url": url}), tmp_path) as desk,
    ):
        dropped = [desk.drop(desk.campaign(rows=20, seed=seed)[0]) for seed in (1, 2)]
        desk.work()
        assert all(desk.line(each).receipt_at for each in dropped)
        assert errors(desk) == {("lineage.start", "SLU-472"), ("lineage.closed", "SLU-472")}


def test_an_effect_that_fails_as_nobody_foresaw_keeps_no_other(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("0470123456")

    monkeypatch.setattr(effects, "EFFECTS", {**effects.EFFECTS, "lineage.start": broken})
    dropped = desk.drop(desk.campaign(rows=20)[0])
    desk.work()
    assert desk.line(dropped).receipt_at and errors(desk) == {("lineage.start", UNFORESEEN)}
    monkeypatch.undo()
    desk.sql("update outbox set next_attempt_at = now() where done_at is null returning 1")
    assert do_effects(desk.house) == 1 and errors(desk) == set()


def test_a_flow_that_fails_as_nobody_foresaw_keeps_no_other(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    carry = draining.carry_arrival

    def broken(house: object, opened: object, run: object) -> object:
        if opened.principal == "aaa":  # type: ignore[attr-defined]
            raise KeyError("0470123456")
        return carry(house, opened, run)  # type: ignore[arg-type]

    monkeypatch.setattr(draining, "carry_arrival", broken)
    path = desk.campaign(rows=20)[0]
    first, second = desk.drop(path, where=("aaa", ENERGY[1])), desk.drop(path)
    with pytest.raises(StoreError, match="flows with files left undone 1"):
        drain_all(desk.house)
    assert desk.line(first).decision == "open" and desk.line(second).receipt_at

    desk.sql("update exchange set next_attempt_at = now() where decision = 'open' returning 1")
    assert drain_many(desk.house, lambda _, waiting: waiting.principal == "aaa", {}) == ({}, 1)
    monkeypatch.undo()
    desk.sql("update exchange set next_attempt_at = now() where decision = 'open' returning 1")
    done, left = drain_many(desk.house, lambda *_: True, {})
    check_none_left(left)
    assert [each.decisions for each in done.values()] == [{"refused": 1}]
