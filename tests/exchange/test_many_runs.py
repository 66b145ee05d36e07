"""Who must stay out: what a file costs when there are many; a database that is older than the evidence bucket; who is
kept out while a file is judged."""

import hashlib
import io
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from uuid import uuid4

import polars as pl
import psycopg
import pytest
from typer.testing import CliRunner

from sluice.cli.suppression import app
from sluice.db import connect_to, transaction
from sluice.errors import NotFound
from sluice.exchange.carry_alone import MOST_TRIES, carry_alone
from sluice.exchange.close import close
from sluice.exchange.house import open_house
from sluice.exchange.judge import judged_exchange
from sluice.exchange.keep import keep
from sluice.exchange.locks import try_lock
from sluice.exchange.model import Opened
from sluice.exchange.persons import sealed_runs
from sluice.exchange.persons.replay import Replayed, replay
from sluice.exchange.persons.sealed_runs import SuppressionsLost, seal_runs
from sluice.exchange.persons.suppressed import SuppressedMeanwhile, find_reasons, find_suppressed, keep_out, lift
from sluice.exchange.persons.suppressed_store import find_runs, find_unknown
from sluice.exchange.read import get_accepted
from sluice.exchange.store import claim_next, get_opened, lock_if_open
from sluice.key_files import KeyLost
from sluice.rights.person.identifiers import parse_identifier, refs_of
from sluice.subject.suppression import Suppression
from sluice.terms import Decision, Direction, ExchangeId, Flow, Principal
from support.desk import Desk, requests
from support.installation import examine_one

ENERGY = Principal("energy01")
RUNS = 20


def made_up(number: int, count: int = 2) -> frozenset[str]:
    return frozenset(hashlib.sha256(f"{number}/{each}".encode()).hexdigest() for each in range(count))


def keep_out_of(desk: Desk, number: int, count: int = 2) -> str:
    refs, cause = made_up(number, count), f"{uuid4()}"
    now = datetime.now(UTC)
    return keep_out(desk.house, ENERGY, refs, Suppression.SOFT_HOLD, cause=cause, case_id=None, now=now)


def kept_out_now(desk: Desk) -> set[str]:
    frame = find_suppressed(desk.house, ENERGY)
    return set() if frame is None else set(frame["ref"])


def test_a_small_run_is_read_once_by_a_worker_and_one_that_ended_no_longer_counts(desk: Desk) -> None:
    with transaction(desk.house.conn):
        ids = [keep_out_of(desk, number) for number in range(RUNS)]
    everybody = frozenset().union(*(made_up(number) for number in range(RUNS)))
    with requests(desk) as first:
        assert kept_out_now(desk) == everybody
    with requests(desk) as second:
        assert kept_out_now(desk) == everybody
    assert (first.count("GetObject"), second.count("GetObject")) == (RUNS, 0)
    lift(desk.house, ids[0], datetime.now(UTC))
    assert kept_out_now(desk) == everybody - made_up(0)
    keep_out_of(desk, RUNS)
    assert kept_out_now(desk) == everybody - made_up(0) | made_up(RUNS)


def test_what_is_kept_of_runs_is_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed_runs, "MOST_KEPT", 3)
    with transaction(desk.house.conn):
        large = keep_out_of(desk, 0, sealed_runs.SMALL + 1)
        for number in range(1, 6):
            keep_out_of(desk, number)
    for _ in range(2):
        assert len(kept_out_now(desk)) == sealed_runs.SMALL + 1 + 10
    [place] = {(run.bucket, run.key, run.version_id) for run in find_runs(desk.house.conn, only=[large])}
    assert len(sealed_runs._KEPT) == 3 and place not in sealed_runs._KEPT


def test_a_run_of_a_whole_file_is_read_once_too_and_all_together_are_bounded(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch of `suppression check` asks for all of them line by line."""
    monkeypatch.setattr(sealed_runs, "_KEPT", {})
    with transaction(desk.house.conn):
        keep_out_of(desk, 0, 1_000)
    counted = []
    for _ in range(2):
        with requests(desk) as asked:
            assert len(kept_out_now(desk)) == 1_000
        counted.append(asked.count("GetObject"))
    assert counted == [1, 0]
    monkeypatch.setattr(sealed_runs, "MOST_REFS", 1_000)
    with transaction(desk.house.conn):
        keep_out_of(desk, 1)
    assert len(kept_out_now(desk)) == 1_002
    assert sum(frame.height for frame in sealed_runs._KEPT.values()) == 2, "the older one made room"


def test_a_run_that_cannot_be_read_lets_no_file_pass(desk: Desk) -> None:
    with transaction(desk.house.conn):
        ids = [keep_out_of(desk, number) for number in range(RUNS)]
    [gone] = find_runs(desk.house.conn, only=ids[7:8])
    desk.house.objects.delete_version(gone.bucket, gone.key, gone.version_id)
    with pytest.raises(NotFound):
        find_suppressed(desk.house, ENERGY)


def test_sealing_one_run_lists_none_of_the_others(desk: Desk) -> None:
    run_id = keep_out_of(desk, 1)
    with requests(desk) as again:
        assert seal_runs(desk.house, ENERGY, {run_id}) == 0
    assert again == ["HeadObject"]
    with transaction(desk.house.conn):
        other = keep_out_of(desk, 2)
        lift(desk.house, run_id, datetime.now(UTC))
    assert seal_runs(desk.house, ENERGY, {run_id}) == 1, "its end alone"
    assert seal_runs(desk.house) == 1, "the other, kept_out_now by what is missing"
    bucket = desk.settings.bucket_evidence
    sealed = {item.key.rpartition("/")[2] for item in desk.objects(bucket) if "_suppressions/" in item.key}
    assert sealed == {f"{run_id}.age", f"{run_id}.lifted", f"{other}.age"}


FLOW = Flow("renewal_campaign")


def hold(desk: Desk, record: str) -> None:
    person = [parse_identifier(f"customer:{record}", 1)]
    refs = frozenset(refs_of(person, desk.house.subject_key(ENERGY), ENERGY).values())
    keep_out(desk.house, ENERGY, refs, Suppression.SOFT_HOLD, cause=record, case_id=None, now=datetime.now(UTC))


def test_who_is_kept_out_while_a_file_is_judged_does_not_come_in_with_it(desk: Desk) -> None:
    path, _ = desk.campaign(rows=20)
    records = pl.read_csv(path, separator=";", infer_schema=False)["customer_number"].to_list()
    dropped = desk.drop(path)
    desk.open_new()
    with claim_next(desk.house.conn, Direction.INBOUND, ENERGY, FLOW) as opened:
        assert opened is not None
        with judged_exchange(desk.house, opened) as judged:
            kept = keep(desk.house, judged)
            hold(desk, records[3])
            with pytest.raises(SuppressedMeanwhile):
                close(desk.house, kept, {})
    assert desk.line(dropped).decision == "open"

    desk.house.conn.execute("update exchange set next_attempt_at = now()")
    desk.work()

    assert desk.line(dropped).decision == "partly_accepted"
    item = get_accepted(desk.house.conn, desk.line(dropped).id)
    lake = pl.read_parquet(io.BytesIO(desk.house.objects.read(item.bucket, item.key, item.version_id)))
    assert sorted(lake["customer_number"].to_list()) == sorted(set(records) - {records[3]})
    rest = [each for each in desk.objects(desk.settings.bucket_lake) if "/part" in each.key]
    assert len(rest) == 1, "what was kept before is swept"


def test_who_is_not_in_the_file_keeps_it_from_nothing(desk: Desk) -> None:
    dropped = desk.drop(desk.campaign(rows=20)[0])
    desk.open_new()
    with claim_next(desk.house.conn, Direction.INBOUND, ENERGY, FLOW) as opened:
        assert opened is not None
        with judged_exchange(desk.house, opened) as judged:
            kept = keep(desk.house, judged)
            hold(desk, "E00000000")
            assert close(desk.house, kept, {}) is Decision.ACCEPTED
    assert desk.line(dropped).decision == "accepted"


TELECOM = Principal("telecom01")
REFS = frozenset({"ab" * 16, "cd" * 16})


def erased_of(desk: Desk, reason: Suppression = Suppression.ERASED, principal: Principal = ENERGY) -> str:
    return keep_out(desk.house, principal, REFS, reason, cause="test", case_id=None, now=datetime.now(UTC))


def forget(desk: Desk, statement: str) -> None:
    """What an older database does not know: only its owner can take it away."""
    url = desk.settings.database_admin_url
    assert url is not None
    with closing(psycopg.connect(url.get_secret_value(), autocommit=True)) as conn:
        conn.execute(statement.encode())


def sealed(desk: Desk) -> list[str]:
    return sorted(item.key for item in desk.objects(desk.settings.bucket_evidence) if "_suppressions/" in item.key)


def test_a_run_is_sealed_when_it_is_made_and_names_nobody_in_clear(desk: Desk) -> None:
    run_id = erased_of(desk)
    assert sealed(desk) == [f"_suppressions/energy01/{run_id}.age"]
    content = desk.house.objects.read(desk.settings.bucket_evidence, sealed(desk)[0])
    assert content.startswith(b"age-encryption.org/") and b"abababab" not in content
    assert erased_of(desk) == run_id and seal_runs(desk.house) == 0, "again changes nothing"


def test_files_wait_until_the_database_knows_again(desk: Desk) -> None:
    erased_of(desk)
    forget(desk, "delete from sluice.suppression_run")
    dropped = desk.drop(desk.campaign(rows=20)[0])
    desk.work()
    line = desk.line(dropped)
    assert line.decision == "open"
    assert desk.sql("select last_error, attempts from exchange") == [{"last_error": "SLU-417", "attempts": 0}]
    assert not desk.objects(desk.settings.bucket_lake)[1:], "nothing but the run itself"
    assert not examine_one("suppressions", desk.settings).ok
    with pytest.raises(SuppressionsLost):
        find_suppressed(desk.house, ENERGY)
    assert find_suppressed(desk.house, TELECOM) is None, "another principal's files do not wait"

    assert replay(desk.house, datetime.now(UTC)) == Replayed(1, 2, 0, frozenset())

    assert find_reasons(desk.house, ENERGY, REFS) == ("erased",)
    assert examine_one("suppressions", desk.settings).ok
    desk.house.conn.execute("update exchange set next_attempt_at = now()")
    desk.work()
    assert desk.line(dropped).decision == "accepted"
    rows = desk.sql("select convert_from(body, 'UTF8')::json ->> 'change' as change from ledger.entry order by seq")
    assert [row["change"] for row in rows if row["change"]] == ["made", "replayed"]


def test_a_hold_that_had_ended_ends_again_and_stays_ended(desk: Desk) -> None:
    run_id = erased_of(desk, Suppression.SOFT_HOLD)
    assert lift(desk.house, run_id, datetime.now(UTC))
    assert sealed(desk)[-1].endswith(".lifted")
    forget(desk, "update sluice.suppression_run set lifted_at = null")
    assert find_reasons(desk.house, ENERGY, REFS) == ("soft_hold",), "until then nobody comes in who was held"
    assert replay(desk.house, datetime.now(UTC)).lifted == 1
    assert find_suppressed(desk.house, ENERGY) is None
    forget(desk, "delete from sluice.suppression_run")
    assert replay(desk.house, datetime.now(UTC)) == Replayed()
    assert find_suppressed(desk.house, ENERGY) is None, "what had ended is not lost"


def test_what_a_dead_worker_did_not_seal_is_sealed_later(desk: Desk) -> None:
    run_id = erased_of(desk, Suppression.OBJECTED)
    for item in desk.objects(desk.settings.bucket_evidence):
        desk.house.objects.delete_version(item.bucket, item.key, item.version_id)
    assert seal_runs(desk.house) == 1
    assert sealed(desk) == [f"_suppressions/energy01/{run_id}.age"]


def test_inside_a_transaction_nothing_is_sealed_because_it_may_yet_fail(desk: Desk) -> None:
    with pytest.raises(ZeroDivisionError), desk.house.conn.transaction():
        erased_of(desk)
        raise ZeroDivisionError
    assert sealed(desk) == []
    assert find_suppressed(desk.house, ENERGY) is None


def test_without_the_key_nobody_is_guessed(desk: Desk) -> None:
    erased_of(desk)
    forget(desk, "delete from sluice.suppression_run")
    [key] = desk.settings.keys_dir.rglob("quarantine.wrapped")
    key.rename(key.with_suffix(".away"))
    with pytest.raises(KeyLost):
        replay(desk.house, datetime.now(UTC))


def test_of_a_principal_whose_keys_were_destroyed_nobody_is_told_again(desk: Desk) -> None:
    erased_of(desk)
    forget(desk, "delete from sluice.suppression_run")
    desk.house.keyring.destroy(ENERGY, "quarantine")
    assert replay(desk.house, datetime.now(UTC)) == Replayed()


def test_the_command_says_how_many(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    erased_of(desk)
    forget(desk, "delete from sluice.suppression_run")
    monkeypatch.setattr("sluice.cli.suppression.get_settings", lambda: desk.settings)
    said = CliRunner().invoke(app, ["replay", "--format", "json"])
    assert said.exit_code == 0, said.output
    assert '"runs": 1' in said.output and '"references": 2' in said.output


def test_what_is_no_id_of_a_run_is_one_that_the_database_does_not_have(desk: Desk) -> None:
    run_id = str(uuid4())
    assert find_unknown(desk.house.conn, ["no-id", run_id]) == {"no-id", run_id}
    assert find_runs(desk.house.conn, only=()) == []


@pytest.fixture
def opened(desk: Desk) -> Opened:
    dropped = desk.drop(desk.campaign(3)[0])
    desk.open_new()
    return get_opened(desk.house.conn, ExchangeId(desk.line(dropped).id))


def failing(times: int, tried: list[int]) -> Callable[[], None]:
    """A step that fails this many times because a person became suppressed meanwhile, and then succeeds."""

    def step() -> None:
        tried.append(1)
        if len(tried) <= times:
            raise SuppressedMeanwhile

    return step


@pytest.mark.parametrize("times", range(MOST_TRIES))
def test_it_is_made_again_for_whoever_must_stay_out_meanwhile(desk: Desk, opened: Opened, times: int) -> None:
    tried: list[int] = []
    carry_alone(desk.house, opened, failing(times, tried))
    assert len(tried) == times + 1


def test_no_worker_makes_it_for_ever(desk: Desk, opened: Opened) -> None:
    tried: list[int] = []
    with pytest.raises(SuppressedMeanwhile):
        carry_alone(desk.house, opened, failing(100, tried))
    assert len(tried) == MOST_TRIES
    carry_alone(desk.house, opened, failing(0, tried))
    assert len(tried) == MOST_TRIES + 1, "it stayed open, and nobody holds it"


def test_what_is_closed_or_in_other_hands_is_left_alone(desk: Desk, opened: Opened) -> None:
    tried: list[int] = []
    with (
        connect_to(desk.settings.database_url.get_secret_value()) as other,
        try_lock(other, opened.exchange_id) as free,
    ):
        assert free
        carry_alone(desk.house, opened, failing(0, tried))
    assert tried == []
    desk.work()
    carry_alone(desk.house, opened, failing(0, tried))
    assert tried == []


def test_while_one_worker_is_at_it_no_other_begins_although_the_row_is_free(desk: Desk, opened: Opened) -> None:
    """The lock of the session keeps others out, for as long as the step runs; nobody who reads the row waits."""
    begun: list[str] = []

    def step() -> None:
        begun.append("first")
        with open_house(desk.settings) as second:
            second.conn.execute("set lock_timeout = '100ms'")
            with transaction(second.conn):
                assert lock_if_open(second.conn, opened.exchange_id), "no row stays locked"
            carry_alone(second, opened, lambda: begun.append("second"))

    carry_alone(desk.house, opened, step)
    assert begun == ["first"]

    with open_house(desk.settings) as second:
        carry_alone(second, opened, lambda: begun.append("second"))
    assert begun == ["first", "second"], "the control: afterwards the next one may"
