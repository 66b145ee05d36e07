"""A database that is older than the evidence bucket: the gate stays shut until it was told who must stay out."""

from contextlib import closing
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest
from typer.testing import CliRunner

from sluice.cli.suppression import app
from sluice.exchange.persons.replay import Replayed, replay
from sluice.exchange.persons.sealed_runs import SuppressionsLost, seal_runs
from sluice.exchange.persons.suppressed import find_reasons, find_suppressed, keep_out, lift
from sluice.exchange.persons.suppressed_store import find_runs, find_unknown
from sluice.key_files import KeyLost
from sluice.subject.suppression import Suppression
from sluice.terms import Principal
from support.desk import Desk
from support.examined import examine_one
from support.stores import Database

ENERGY, TELECOM = Principal("energy01"), Principal("telecom01")
REFS = frozenset({"ab" * 16, "cd" * 16})


def kept_out(desk: Desk, reason: Suppression = Suppression.ERASED, principal: Principal = ENERGY) -> str:
    return keep_out(desk.house, principal, REFS, reason, cause="test", case_id=None, now=datetime.now(UTC))


def forget(database: Database, statement: str) -> None:
    """What an older database does not know: only its owner can take it away."""
    with closing(psycopg.connect(database.admin_url, autocommit=True)) as conn:
        conn.execute(statement.encode())


def sealed(desk: Desk) -> list[str]:
    return sorted(item.key for item in desk.objects(desk.settings.bucket_evidence) if "_suppressions/" in item.key)


def test_a_run_is_sealed_when_it_is_made_and_names_nobody_in_clear(desk: Desk) -> None:
    run_id = kept_out(desk)
    assert sealed(desk) == [f"_suppressions/energy01/{run_id}.age"]
    content = desk.house.objects.read(desk.settings.bucket_evidence, sealed(desk)[0])
    assert content.startswith(b"age-encryption.org/") and b"abababab" not in content
    assert kept_out(desk) == run_id and seal_runs(desk.house) == 0, "again changes nothing"


def test_files_wait_until_the_database_knows_again(desk: Desk, database: Database) -> None:
    kept_out(desk)
    forget(database, "delete from sluice.suppression_run")
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


def test_a_hold_that_had_ended_ends_again_and_stays_ended(desk: Desk, database: Database) -> None:
    run_id = kept_out(desk, Suppression.SOFT_HOLD)
    assert lift(desk.house, run_id, datetime.now(UTC))
    assert sealed(desk)[-1].endswith(".lifted")
    forget(database, "update sluice.suppression_run set lifted_at = null")
    assert find_reasons(desk.house, ENERGY, REFS) == ("soft_hold",), "until then nobody comes in who was held"
    assert replay(desk.house, datetime.now(UTC)).lifted == 1
    assert find_suppressed(desk.house, ENERGY) is None
    forget(database, "delete from sluice.suppression_run")
    assert replay(desk.house, datetime.now(UTC)) == Replayed()
    assert find_suppressed(desk.house, ENERGY) is None, "what had ended is not lost"


def test_what_a_dead_worker_did_not_seal_is_sealed_later(desk: Desk) -> None:
    run_id = kept_out(desk, Suppression.OBJECTED)
    for item in desk.objects(desk.settings.bucket_evidence):
        desk.house.objects.delete_version(item.bucket, item.key, item.version_id)
    assert seal_runs(desk.house) == 1
    assert sealed(desk) == [f"_suppressions/energy01/{run_id}.age"]


def test_inside_a_transaction_nothing_is_sealed_because_it_may_yet_fail(desk: Desk) -> None:
    with pytest.raises(ZeroDivisionError), desk.house.conn.transaction():
        kept_out(desk)
        raise ZeroDivisionError
    assert sealed(desk) == []
    assert find_suppressed(desk.house, ENERGY) is None


def test_without_the_key_nobody_is_guessed(desk: Desk, database: Database) -> None:
    kept_out(desk)
    forget(database, "delete from sluice.suppression_run")
    [key] = desk.settings.keys_dir.rglob("quarantine.wrapped")
    key.rename(key.with_suffix(".away"))
    with pytest.raises(KeyLost):
        replay(desk.house, datetime.now(UTC))


def test_of_a_principal_whose_keys_were_destroyed_nobody_is_told_again(desk: Desk, database: Database) -> None:
    kept_out(desk)
    forget(database, "delete from sluice.suppression_run")
    desk.house.keyring.destroy(ENERGY, "quarantine")
    assert replay(desk.house, datetime.now(UTC)) == Replayed()


def test_the_command_says_how_many(desk: Desk, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    kept_out(desk)
    forget(database, "delete from sluice.suppression_run")
    monkeypatch.setattr("sluice.cli.suppression.get_settings", lambda: desk.settings)
    said = CliRunner().invoke(app, ["replay", "--format", "json"])
    assert said.exit_code == 0, said.output
    assert '"runs": 1' in said.output and '"references": 2' in said.output


def test_what_is_no_id_of_a_run_is_one_that_the_database_does_not_have(desk: Desk) -> None:
    run_id = str(uuid4())
    assert find_unknown(desk.house.conn, ["no-id", run_id]) == {"no-id", run_id}
    assert find_runs(desk.house.conn, only=()) == []
