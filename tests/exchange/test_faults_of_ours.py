"""Faults of the house are no faults of a file: no attempt counts, nothing is forgotten, no lock outlives its holder."""

import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

import psycopg
import pytest

from sluice.answers.handover_model import ControllerInvalid
from sluice.db import Connection, coded, connect
from sluice.errors import (
    DatabaseError,
    DatabaseUnready,
    DocumentInvalid,
    GateFailed,
    NotMigrated,
    Ref,
    ServiceMissing,
    told_of,
)
from sluice.exchange import open as opening
from sluice.exchange import store
from sluice.exchange.drain import Drained, carry_arrival, drain
from sluice.exchange.held_up import HEARD_AFTER, FilesHeldUp, HeldUp, check_none_held_up, find_held_up
from sluice.exchange.house import House
from sluice.exchange.locks import hold_object, try_hold_object, try_lock
from sluice.exchange.model import Opened
from sluice.exchange.open import Arrivals, Looked
from sluice.exchange.sweeping import LeftUndone, do_each
from sluice.lake.s3 import objects
from sluice.lake.s3.objects import StoredObject
from sluice.lake.s3.versions import Listing
from sluice.retention.store import lock_principal
from sluice.settings import Settings
from sluice.terms import Decision, Direction, Flow, Principal
from support.desk import ENERGY, Desk, environment
from support.stores import client_of

pytestmark = pytest.mark.stores
MOST = 21
"""Attempts after which a file is given up."""
HOLDER = """
import sys, psycopg
from sluice.db import connect_to
with connect_to(sys.argv[1]) as conn:
    conn.execute("select pg_advisory_lock(1, 1)")
    print("holds", flush=True)
    conn.execute("select pg_advisory_lock(2, 2)")
"""
HEARS = """
import sys
from datetime import UTC, datetime
from sluice.db import connect
from sluice.exchange.held_up import HEARD_AFTER, find_held_up
from sluice.settings import get_settings
with connect(get_settings()) as conn:
    for held in find_held_up(conn, datetime.now(UTC) + HEARD_AFTER):
        print(held.code, "sluice.answers.handover_model" in sys.modules)
"""


def drained(desk: Desk) -> Drained:
    desk.sql("update exchange set next_attempt_at = now() returning 1")
    return drain(desk.house, Direction.INBOUND, Principal(ENERGY[0]), Flow(ENERGY[1]), {})


def as_admin(settings: Settings, statement: str) -> None:
    assert settings.database_admin_url is not None
    with closing(psycopg.connect(settings.database_admin_url.get_secret_value(), autocommit=True)) as conn:
        conn.execute(statement.encode())


def test_a_database_of_another_version_gives_no_file_up(desk: Desk) -> None:
    dropped = desk.drop(desk.campaign(rows=20)[0])
    desk.open_new()
    as_admin(desk.settings, "alter table sluice.copy rename to copy_of_later")

    each = [drained(desk).held_up for _ in range(MOST + 1)]

    as_admin(desk.settings, "alter table sluice.copy_of_later rename to copy")
    line = desk.line(dropped)
    assert (set(each), line.decision, line.last_error) == ({1}, "open", "SLU-204")
    assert drained(desk).decisions == {"accepted": 1}


def test_where_the_key_of_a_new_principal_cannot_be_made_no_file_is_given_up(desk: Desk) -> None:
    """Where no disk is shared, the folder of keys is brought readable only: as here, nobody can add one to it."""
    dropped = desk.drop(desk.campaign(rows=20)[0])
    desk.open_new()
    desk.settings.keys_dir.mkdir(exist_ok=True)
    blocked = desk.settings.keys_dir / ENERGY[0]
    blocked.write_bytes(b"")

    each = [drained(desk).held_up for _ in range(MOST + 1)]

    line = desk.line(dropped)
    assert (set(each), line.decision, line.last_error) == ({1}, "open", "SLU-119")
    blocked.unlink()
    assert drained(desk).decisions == {"accepted": 1}


def test_what_waits_for_us_is_met_once_by_a_slot_and_keeps_no_newer_file_waiting(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However soon it is due again: it would be met first, for ever."""
    monkeypatch.setattr(store, "UNCOUNTED_RETRY_AFTER", timedelta(0))
    held = {desk.drop(desk.campaign(rows=20, seed=seed)[0], f"{seed}.csv").version_id for seed in (1, 2)}
    desk.open_new()
    good = desk.drop(desk.campaign(rows=20, seed=3)[0], "3.csv")
    desk.open_new()
    met: list[str] = []

    def carry(house: House, opened: Opened, run: Mapping[str, str]) -> Decision | None:
        met.append(opened.version_id)
        assert len(met) < 10, "it goes on for ever"
        if opened.version_id in held:
            raise DocumentInvalid(Ref("paper", "gone"))
        return carry_arrival(house, opened, run)

    done = drain(desk.house, Direction.INBOUND, Principal(ENERGY[0]), Flow(ENERGY[1]), {}, carry)

    assert (set(met[:2]), met[2:]) == (held, [good.version_id])
    assert (done.held_up, done.decisions) == (2, {"accepted": 1})
    assert find_held_up(desk.house.conn, datetime.now(UTC)) == [], "it may pass by itself"
    later = datetime.now(UTC) + HEARD_AFTER
    assert find_held_up(desk.house.conn, later) == [HeldUp(*ENERGY, "SLU-302", 2)]
    with pytest.raises(FilesHeldUp, match=r"SLU-207 .*2 of energy01/renewal_campaign SLU-302"):
        check_none_held_up(desk.house.conn, later)


def test_a_fault_of_ours_is_heard_of_where_its_class_was_never_loaded_and_one_of_the_file_is_none(desk: Desk) -> None:
    desk.drop(b"x")
    desk.open_new()
    faults = [ControllerInvalid(Ref("controller", "shop01")), GateFailed(Ref("file", "odd"))]

    def carry(house: House, opened: Opened, run: Mapping[str, str]) -> Decision | None:
        raise faults.pop(0)

    def once() -> Drained:
        desk.sql("update exchange set next_attempt_at = now() returning 1")
        return drain(desk.house, Direction.INBOUND, Principal(ENERGY[0]), Flow(ENERGY[1]), {}, carry, lambda: True)

    def heard() -> list[str]:
        return [each.code for each in find_held_up(desk.house.conn, datetime.now(UTC) + HEARD_AFTER)]

    assert once().held_up == 1 and heard() == [ControllerInvalid.code]
    fresh = subprocess.run(
        [sys.executable, "-c", HEARS], env=environment(desk.settings), capture_output=True, text=True, check=True
    )
    assert fresh.stdout.splitlines() == [f"{ControllerInvalid.code} False"]
    assert once().held_up == 0 and heard() == [], "what is set aside for its own fault waits for nobody of us"
    faults.append(ControllerInvalid(Ref("controller", "shop01")))
    assert once().held_up == 1 and heard() == [ControllerInvalid.code]
    assert drained(desk).waiting == 0 and heard() == [], "judged at last"


@pytest.mark.parametrize(
    "held",
    [
        lambda conn: try_lock(conn, str(uuid4())),
        lambda conn: lock_principal(conn, Principal(ENERGY[0])),
        lambda conn: try_hold_object(conn, "bucket", "key"),
        lambda conn: hold_object(conn, "bucket", "key"),
    ],
    ids=["exchange", "principal", "object, if free", "object"],
)
def test_a_lock_whose_connection_is_lost_does_not_hide_what_went_wrong(
    module_settings: Settings, held: Callable[[Connection], AbstractContextManager[object]]
) -> None:
    with connect(module_settings) as conn, pytest.raises(DocumentInvalid), held(conn):
        lose(module_settings, conn)
        raise DocumentInvalid(Ref("paper", "gone"))


def test_a_sweep_ends_where_its_connection_is_lost_and_meets_no_other_item(module_settings: Settings) -> None:
    met: list[int] = []
    with connect(module_settings) as conn:

        def step(number: int) -> int:
            met.append(number)
            if number == 2:
                lose(module_settings, conn)
            conn.execute("select 1")
            if number == 1:
                raise DocumentInvalid(Ref("paper", "gone"))
            return 1

        with pytest.raises(ServiceMissing, match="service postgresql"):
            do_each(conn, "an item", [1, 2, 3], step)

    assert met == [1, 2], "a fault of one is none of the next, a lost connection is"


def test_a_fault_is_told_by_its_code_or_its_place_and_never_by_what_it_quotes() -> None:
    assert told_of(missing := DocumentInvalid(Ref("paper", "gone"))) == ("SLU-302", str(missing))
    with pytest.raises(KeyError) as raised:
        {}["0470123456"]
    code, said = told_of(raised.value)
    assert code == "SLU-000" and said.startswith("SLU-000 KeyError at test_faults_of_ours.py:") and "0470" not in said


def lose(settings: Settings, conn: Connection) -> None:
    """Have the server end a connection, and wait until its owner has noticed."""
    as_admin(settings, f"select pg_terminate_backend({conn.info.backend_pid}, 5000)")
    with pytest.raises(psycopg.OperationalError):
        conn.execute("select 1")


def test_a_name_that_cannot_be_told_yet_is_not_opened_as_another(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version is listed before its object is, under a name that is none."""
    dropped = desk.drop(b"x", "jan\x01.csv")
    client_of(desk.settings).delete_object(Bucket=dropped.bucket, Key=dropped.key)
    desk.drop(b"x", "other.csv")  # else nothing is there whose principal could be asked for
    assert [desk.open_new() for _ in range(2)] == [1, 0]
    monkeypatch.setattr(opening, "TOLD_WITHIN", timedelta(-1))
    assert desk.open_new() == 1  # the control: it stays so


def cut_in_between(desk: Desk) -> StoredObject:
    """A listing of what arrives from energy01 ends in the middle, with pages of six; a file of another principal."""
    hidden = desk.drop(b"x", "x\x01y/one.csv")
    for number in range(9):
        desk.drop(b"x", f"{number}.csv")
    other = desk.drop(b"x", "other.csv", ("telecom01", "fiber_leads"))
    client_of(desk.settings).delete_object(Bucket=hidden.bucket, Key=hidden.key)
    return other


def test_where_the_listing_of_one_principal_is_cut_the_files_of_others_are_worked_off(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(objects, "Listing", partial(Listing, size=6))
    other = cut_in_between(desk)

    with pytest.raises(LeftUndone, match="left undone 1"):
        desk.work()

    assert [(line.id, line.decision) for line in desk.lines()] == [(desk.line(other).id, "refused")]
    assert "what arrives from energy01 waits: SLU-206" in caplog.text

    monkeypatch.setattr(objects, "Listing", Listing)
    assert desk.open_new() == 9, "the control"


def test_what_is_listed_no_more_is_not_remembered_but_where_the_listing_was_cut(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A triggerer lives for months: what it remembers is as much as lies there now."""
    arrivals, client = Arrivals.of(desk.settings), client_of(desk.settings)
    dropped = [desk.drop(b"x", f"{number}.csv") for number in range(9)]
    assert arrivals.open_new(desk.house.conn, desk.house.objects) == Looked(9, 0)
    assert arrivals.open_new(desk.house.conn, desk.house.objects) == Looked(0, 0), "the control"
    assert len(arrivals.seen) == 9
    for gone in dropped[:3]:
        client.delete_object(Bucket=gone.bucket, Key=gone.key, VersionId=gone.version_id)

    hidden = desk.drop(b"x", "x\x01y/one.csv")
    client.delete_object(Bucket=hidden.bucket, Key=hidden.key)
    with monkeypatch.context() as small:
        small.setattr(objects, "Listing", partial(Listing, size=6))
        assert arrivals.open_new(desk.house.conn, desk.house.objects) == Looked(0, 1)
    assert len(arrivals.seen) == 9, "nobody knows what else lies there"
    assert arrivals.open_new(desk.house.conn, desk.house.objects) == Looked(0, 0)
    assert arrivals.seen == {(each.key, each.version_id) for each in dropped[3:]}


@pytest.mark.parametrize(("sqlstate", "kind"), [
    ("08006", DatabaseUnready), ("40001", DatabaseUnready), ("53100", DatabaseUnready), ("57014", DatabaseUnready),
    ("58030", DatabaseUnready), ("25006", DatabaseUnready), ("42501", DatabaseUnready), ("42P01", NotMigrated),
    ("23505", DatabaseError), ("22P02", DatabaseError), ("25001", DatabaseError), ("42601", DatabaseError),
])  # fmt: skip
def test_which_faults_are_the_databases(sqlstate: str, kind: type[DatabaseError]) -> None:
    with pytest.raises(DatabaseError) as raised, coded():
        raise psycopg.errors.lookup(sqlstate)("0470123456")
    assert type(raised.value) is kind and "0470123456" not in str(raised.value)


@pytest.mark.parametrize(("fault", "kind"), [
    (psycopg.OperationalError, DatabaseUnready), (psycopg.InterfaceError, DatabaseUnready),
    (psycopg.DataError, DatabaseError), (psycopg.ProgrammingError, DatabaseError),
])  # fmt: skip
def test_what_the_client_says_by_itself_is_of_its_connection_or_ours(
    fault: type[psycopg.Error], kind: type[DatabaseError]
) -> None:
    with pytest.raises(DatabaseError, match=f"sqlstate {fault.__name__}") as raised, coded():
        raise fault("0470123456")
    assert type(raised.value) is kind


def test_what_nobody_foresaw_while_arrivals_are_opened_forgets_none(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    dropped = [desk.drop(desk.campaign(rows=20, seed=seed)[0], f"{seed}.csv") for seed in (1, 2, 3)]
    arrivals, real = Arrivals.of(desk.settings), opening.open_exchange

    def broken(*_: object) -> bool:
        raise KeyError("0470123456")

    monkeypatch.setattr(opening, "open_exchange", broken)
    assert arrivals.open_new(desk.house.conn, desk.house.objects) == Looked(0, len(dropped))
    assert "KeyError at" in caplog.text and "0470123456" not in caplog.text
    monkeypatch.setattr(opening, "open_exchange", real)

    assert arrivals.open_new(desk.house.conn, desk.house.objects) == Looked(len(dropped), 0)
    assert arrivals.open_new(desk.house.conn, desk.house.objects) == Looked(0, 0)


def test_a_lock_is_free_soon_after_its_holder_died_in_the_middle_of_a_query(module_settings: Settings) -> None:
    """PostgreSQL looks for a client that is gone only when told to; else the query of a dead one waits on."""
    assert module_settings.database_url is not None
    url = module_settings.database_url.get_secret_value()
    with connect(module_settings) as other, connect(module_settings) as asking:
        other.execute("select pg_advisory_lock(2, 2)")
        pipe = subprocess.PIPE
        with subprocess.Popen([sys.executable, "-c", HOLDER, url], stdout=pipe, text=True) as holder:
            assert holder.stdout is not None and holder.stdout.readline() == "holds\n"
            time.sleep(0.5)  # until it waits for the second
            assert not taken(asking)
            holder.kill()
        deadline = time.monotonic() + 20  # it looks every two
        while not taken(asking):
            assert time.monotonic() < deadline
            time.sleep(0.1)


def taken(conn: psycopg.Connection[dict[str, object]]) -> bool:
    row = conn.execute("select pg_try_advisory_lock(1, 1) as got").fetchone()
    return bool(row and row["got"])
