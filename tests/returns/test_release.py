"""A second person lets a return go, once; what was delivered can be put there again, byte for byte."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import psycopg
import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from returns.commands import at_terminal, sluice
from returns.deliveries import Shop, at_once, open_shops
from returns.evenings import Evening
from sluice.cli.receipt import app
from sluice.db import connect, transaction
from sluice.errors import StoreConflict, StoreError
from sluice.exchange.house import House
from sluice.exchange.model import Opened
from sluice.exchange.read import ExchangeLine
from sluice.exchange.store import claim_next, lock_if_open
from sluice.gate.judge import as_undecided
from sluice.gate.model import Finding, GateVerdict, PassResult
from sluice.lake.s3.objects import StoredObject
from sluice.ledger.model import SignatureInvalid
from sluice.ledger.verify import verify
from sluice.returns import make
from sluice.returns.carry import carry_return
from sluice.returns.due import open_due
from sluice.returns.model import NotDelivered, NotReleasable
from sluice.returns.release import deliver_again, release
from sluice.terms import Direction, ExchangeId, Principal
from support.night import RESULTS, Call

pytestmark = pytest.mark.stores


@pytest.fixture
def prepared(night: Evening) -> ExchangeLine:
    """Somebody called an.peeters prepared the return of three calls; one of them waits for its agent."""
    people = night.people(3)
    night.called(*(Call(f"c{n}", *person) for n, person in enumerate(people[:2])), Call("c2", *people[2], "agent02"))
    night.make(by="an.peeters")
    [line] = night.returns()
    return line


@pytest.fixture
def terminal(night: Evening, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with at_terminal(night.desk, monkeypatch):
        yield


def entries(night: Evening, line: ExchangeLine) -> list[str]:
    rows = night.desk.sql(f"select kind from ledger.entry where exchange_id = '{line.id}' order by seq")
    return [str(row["kind"]) for row in rows]


def files(night: Evening, ending: str = ".csv") -> list[bytes]:
    """Every version of every data file of the day that the principal can see."""
    bucket, objects = night.desk.settings.bucket_exchange, night.desk.house.objects
    items = objects.list_versions(bucket, f"energy01/outbound/{RESULTS}/{RESULTS}_{night.day}")
    return [objects.read(bucket, item.key, item.version_id) for item in items if item.key.endswith(ending)]


def kept_of(night: Evening, line: ExchangeLine) -> list[StoredObject]:
    lake = night.desk.objects(night.desk.settings.bucket_lake)
    return [each for each in lake if each.key.startswith("_returns/") and line.id in each.key]


@pytest.mark.usefixtures("terminal")
def test_who_prepared_it_cannot_let_it_go_and_somebody_else_can_once(night: Evening, prepared: ExchangeLine) -> None:
    own = sluice("exchange", "release", prepared.id, "--by", "an.peeters")
    assert (own.exit, own.error, files(night)) == (1, "SLU-541", [])
    _is_recorded(night, prepared)
    assert [row["reason"] for row in sluice("exchange", "held", prepared.id).document["rows"]] == [
        "STAFF_EXAM_BELOW_MINIMUM"
    ]

    done = sluice("exchange", "release", prepared.id[:8], "--by", "jan.jansen")

    assert (done.exit, done.document["exchange"], done.document["released_by"]) == (0, prepared.id, "jan.jansen")
    assert [line.decision for line in night.returns()] == ["partly_accepted"]
    assert entries(night, prepared) == ["exchange.opened", "return.prepared", "return.released", "exchange.closed"]
    again = sluice("exchange", "release", prepared.id, "--by", "els.claes")
    assert (again.exit, again.error, len(files(night))) == (1, "SLU-541", 1)
    _redelivers(night, prepared)


def _is_recorded(night: Evening, line: ExchangeLine) -> None:
    """The refusal, each attempt once, with who it was; the return still waits, and the ledger holds."""
    with pytest.raises(NotReleasable):
        release(night.desk.house, line.id, " AN.Peeters", datetime.now(UTC))
    rows = night.desk.sql(
        "select chain, convert_from(body, 'UTF8')::json as body from ledger.entry "
        f"where kind = 'return.release_refused' and convert_from(body, 'UTF8') like '%{line.id}%' order by seq"
    )
    said = [{**row["body"], "chain": row["chain"], "refused_at": ""} for row in rows]  # type: ignore[dict-item]
    one = {"exchange_id": line.id, "refused_at": "", "reason": "PREPARED_IT", "chain": "DPA-ENERGY01"}
    assert said == [{**one, "asked_by": "an.peeters"}, {**one, "asked_by": "AN.Peeters"}]
    assert entries(night, line) == ["exchange.opened", "return.prepared"]
    assert verify(night.desk.house.conn, public_pem=night.desk.house.keyring.public_pem).valid


def _redelivers(night: Evening, line: ExchangeLine) -> None:
    """The same bytes again, as a new version of the same key, with a name on it; the ledger holds."""
    done = sluice("exchange", "redeliver", line.id, "--by", "els.claes")
    assert (done.exit, done.document["key"]) == (0, night.record(line).what.key)
    first, second = files(night)
    assert first == second
    [said] = night.entries("return.redelivered")
    assert (said["asked_by"], said["version_id"]) == ("els.claes", done.document["version_id"])
    assert verify(night.desk.house.conn, public_pem=night.desk.house.keyring.public_pem).valid
    with pytest.raises(NotDelivered, match="kept until"):
        deliver_again(night.desk.house, line.id, "els.claes", datetime.now(UTC) + timedelta(days=40))
    assert len(files(night)) == 2


@pytest.mark.usefixtures("terminal")
def test_prepare_says_what_it_did_and_an_unknown_return_is_said(night: Evening) -> None:
    nothing = sluice("exchange", "prepare", "energy01", RESULTS, "--by", "an.peeters")
    none = {"decisions": {}, "set_aside": 0, "held_up": 0}
    assert (nothing.exit, nothing.document) == (0, {**none, "waiting_for_release": []})
    night.called(Call("c1", *night.people(1)[0]))

    done = sluice("exchange", "prepare", "energy01", RESULTS, "--by", "an.peeters")

    [line] = night.returns()
    assert (done.exit, done.document) == (0, {**none, "waiting_for_release": [line.id]})
    assert entries(night, line) == ["exchange.opened", "return.prepared"]
    not_delivered = sluice("exchange", "redeliver", line.id)
    assert (not_delivered.exit, not_delivered.error) == (1, "SLU-542")
    for words in (("release", "00000000"), ("redeliver", "00000000"), ("held", "00000000")):
        assert sluice("exchange", *words).exit != 0


def at_once_again(night: Evening, line: ExchangeLine) -> None:
    """Its pause until the next attempt is over."""
    night.desk.house.conn.execute("update exchange set next_attempt_at = now() where exchange_id = %s", (line.id,))


@pytest.mark.usefixtures("terminal")
def test_what_a_fault_of_ours_holds_up_is_no_success(
    night: Evening, prepared: ExchangeLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(house: House, opened: Opened, run: object, by: str) -> None:
        raise StoreError

    with monkeypatch.context() as broken:
        broken.setattr("sluice.returns.drain.carry_return", fail)
        released = sluice("exchange", "release", prepared.id, "--by", "jan.jansen")
        assert (released.exit, released.document["decision"], files(night)) == (3, "open", [])
        at_once_again(night, prepared)
        done = sluice("exchange", "prepare", "energy01", RESULTS)
        assert (done.exit, done.document["held_up"], done.document["set_aside"]) == (3, 1, 0)
    at_once_again(night, prepared)
    night.make()
    assert len(files(night)) == 1


def test_two_who_release_at_once_are_one_release_and_one_delivery(night: Evening, prepared: ExchangeLine) -> None:
    works = [partial(lets_go, prepared.id, f"person {n}") for n in range(8)]
    assert sorted(at_once(night.desk, *works)) == [False] * 7 + [True]
    night.make()
    assert entries(night, prepared).count("return.released") == 1
    assert len(files(night)) == 1


def lets_go(exchange: str, by: str, house: House) -> bool:
    with suppress(NotReleasable):
        release(house, exchange, by, datetime.now(UTC))
        return True
    return False


def test_a_return_that_newer_results_overtook_is_not_delivered_and_the_newer_one_waits(
    night: Evening, prepared: ExchangeLine
) -> None:
    night.called(Call("c9", *night.people(4)[3]), name="late.csv")

    night.release(prepared, "jan.jansen")

    newer, older = night.returns()
    assert (older.id, older.decision, older.reason_code) == (prepared.id, "refused", "STALE_NEWER_RETURN")
    assert (newer.decision, files(night)) == ("open", [])
    night.release(newer, "els.claes")
    assert len(files(night)) == 1
    assert night.returns()[0].rows_in == 4


def test_a_return_that_is_closed_but_not_delivered_yet_cannot_be_delivered_again(
    night: Evening, prepared: ExchangeLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the file would be there before its receipt."""
    house, principal = night.desk.house, Principal("energy01")
    release(house, prepared.id, "jan.jansen", datetime.now(UTC))
    with claim_next(house.conn, Direction.OUTBOUND_RETURN, principal, RESULTS) as opened:
        assert opened is not None
        carry_return(house, opened, {})
    with at_terminal(night.desk, monkeypatch):
        done = sluice("exchange", "redeliver", prepared.id)
    assert (done.exit, done.error, files(night)) == (1, "SLU-542", [])
    night.make()
    assert len(files(night)) == 1
    assert open_due(house, principal, RESULTS, datetime.now(UTC)) == []


def test_a_delivery_is_a_copy_in_the_store_and_never_over_what_somebody_else_put_there(
    night: Evening, prepared: ExchangeLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects, bucket = night.desk.house.objects, night.desk.settings.bucket_exchange
    [row] = night.desk.sql(f"select key from exchange where exchange_id = '{prepared.id}'")
    theirs = objects.put(bucket, row["key"], b"theirs", "text/csv")
    with at_terminal(night.desk, monkeypatch):
        done = sluice("exchange", "release", prepared.id, "--by", "jan.jansen")
    assert (done.exit, done.document["decision"]) == (3, "partly_accepted"), "released, and not there yet"
    [waiting] = night.desk.sql("select effect, last_error from outbox where done_at is null")
    assert (waiting["effect"], waiting["last_error"], files(night)) == ("delivery", StoreConflict.code, [b"theirs"])
    objects.delete_version(bucket, row["key"], theirs.version_id)
    night.desk.house.conn.execute("update outbox set next_attempt_at = now() where done_at is null")
    night.make()
    [delivered] = files(night)
    [kept] = kept_of(night, prepared)
    assert objects.read(kept.bucket, kept.key) == delivered
    with pytest.raises(StoreConflict):  # whoever did not look first
        objects.copy(kept, bucket, row["key"], "text/csv", {"IfNoneMatch": "*"})
    there = objects.head(bucket, row["key"])
    assert there is not None and there.sha256 == hashlib.sha256(delivered).hexdigest()


def test_the_principal_sees_nothing_of_a_return_before_its_release_and_nothing_of_ours_ever(
    night: Evening, prepared: ExchangeLine, service_var: Path
) -> None:
    settings = night.desk.settings
    with open_shops(night.desk, service_var) as shops:
        mine, theirs = shops["energy01"], shops["telecom01"]
        kept = kept_of(night, prepared)
        logs = night.desk.objects(settings.bucket_internal)
        assert kept and logs
        ours = [(o.bucket, o.key) for o in [*kept, *logs, *night.desk.objects(settings.bucket_vault)]]
        assert [place for place in ours if can_read(mine, *place)] == []
        assert [bucket for bucket in {bucket for bucket, _ in ours} if can_list(mine, bucket)] == []
        assert names(night, mine) == []

        night.release(prepared, "jan.jansen")

        assert [name.rpartition(".")[2] for name in names(night, mine)] == ["csv", "yaml", "json", "pdf", "json"]
        assert all(can_read(mine, mine.bucket, name) for name in names(night, mine))
        assert not any(can_read(theirs, mine.bucket, name) for name in names(night, mine))
        assert [place for place in ours if can_read(mine, *place)] == []


def can_read(shop: Shop, bucket: str, key: str) -> bool:
    with suppress(ClientError):
        return bool(shop.client.get_object(Bucket=bucket, Key=key)["Body"].read())
    return False


def can_list(shop: Shop, bucket: str) -> bool:
    with suppress(ClientError):
        return bool(shop.client.list_objects_v2(Bucket=bucket).get("Contents"))
    return False


def names(night: Evening, shop: Shop) -> list[str]:
    prefix = f"{shop.name}/outbound/{RESULTS}/{RESULTS}_{night.day}"
    found = shop.client.list_objects_v2(Bucket=shop.bucket, Prefix=prefix)
    return sorted(each["Key"] for each in found.get("Contents", ()))


def test_a_list_of_held_rows_waits_for_no_worker_who_closes_the_return(night: Evening, prepared: ExchangeLine) -> None:
    house, exchange_id = night.desk.house, ExchangeId(prepared.id)
    with connect(night.desk.settings) as worker, transaction(worker):
        assert lock_if_open(worker, exchange_id)
        house.conn.execute("set lock_timeout = '100ms'")
        try:
            with pytest.raises(psycopg.errors.LockNotAvailable):
                lock_if_open(house.conn, exchange_id)  # the control: the row is locked
            assert [row.reason for row in night.held(prepared)] == ["STAFF_EXAM_BELOW_MINIMUM"]
        finally:
            house.conn.execute("reset lock_timeout")


def test_the_principal_verifies_whose_each_column_is_offline(
    night: Evening, prepared: ExchangeLine, tmp_path: Path
) -> None:
    night.release(prepared, "jan.jansen")
    stated = next(content for name, content in night.delivered().items() if name.endswith(".roles.json"))
    (tmp_path / "roles.json").write_bytes(stated)
    (tmp_path / "changed.json").write_bytes(stated.replace(b"A", b"B", 1))
    (tmp_path / "key.pem").write_bytes(night.desk.house.keyring.public_pem)
    key = ("--key", str(tmp_path / "key.pem"))

    told = CliRunner().invoke(app, ["roles", str(tmp_path / "roles.json"), *key, "--format", "json"])
    forged = CliRunner().invoke(app, ["roles", str(tmp_path / "changed.json"), *key])

    whose = {column["name"]: column["controller"] for column in json.loads(told.stdout)["columns"]}
    assert (whose["customer_number"], whose["disposition"]) == ("principal", "center")
    assert isinstance(forged.exception, SignatureInvalid)


def test_where_great_expectations_says_otherwise_no_file_goes_though_one_was_written(
    night: Evening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two judges that differ are a fault nobody can cause from outside: the second one is made to doubt."""

    def doubts(verdict: GateVerdict, passed: PassResult) -> GateVerdict:
        return as_undecided(verdict, Finding("UNREADABLE_JUDGES_DIFFER", "great_expectations", None, 1, stops=True))

    monkeypatch.setattr(make, "ask_gx", doubts)
    night.called(Call("c1", *night.people(1)[0]))
    night.make()

    [line] = night.returns()
    assert (line.decision, line.reason_code, line.rows_accepted) == ("undecided", "UNREADABLE_JUDGES_DIFFER", 0)
    assert night.delivered() == {}
