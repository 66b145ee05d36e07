"""What would make an erasure fail half-way is named, with its cure, before anything is touched."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from returns.commands import at_terminal, sluice
from rights.asking import asked, decided
from services.test_buckets import store as fake_store
from sluice.db import connect
from sluice.exchange.house import House, open_house
from sluice.exchange.read import list_exchanges
from sluice.key_files import KeyLost
from sluice.lake.s3.objects import ObjectStore
from sluice.lake.s3.probe import Promise
from sluice.rights.case.model import Case
from sluice.rights.erasure import control_store
from sluice.rights.erasure.erase import run
from sluice.rights.erasure.preflight import PreflightFailed, Problem, Risk, preflight
from sluice.rights.erasure.release import draft
from sluice.settings import Settings
from sluice.terms import Principal
from support.copies import Copies
from support.night import Night, copied_night, three_returned
from support.stores import client_of

ENERGY = Principal("energy01")


@pytest.fixture
def night(copies: Copies, tmp_path: Path) -> Iterator[Night]:
    with copied_night(copies, tmp_path, fill=three_returned) as opened:
        yield opened


@pytest.fixture
def case(night: Night) -> Case:
    """A released erasure of one of three persons."""
    record, phone = night.people(3)[1]
    return asked(night, phone, record)


@pytest.fixture
def fresh(night: Night) -> Iterator[House]:
    """Another process, which has cached nothing yet."""
    with open_house(night.desk.settings) as house:
        yield house


def without_versions(night: Night) -> None:
    client_of(night.desk.settings).put_bucket_versioning(
        Bucket=night.desk.settings.bucket_lake, VersioningConfiguration={"Status": "Suspended"}
    )


def denied(action: str) -> Callable[[Night], None]:
    def deny(night: Night) -> None:
        bucket = night.desk.settings.bucket_lake
        statement = {
            "Sid": "No",
            "Effect": "Deny",
            "Principal": "*",
            "Action": action,
            "Resource": [f"arn:aws:s3:::{bucket}/*"],
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        client_of(night.desk.settings).put_bucket_policy(Bucket=bucket, Policy=policy)

    return deny


def without_key(night: Night) -> None:
    (night.desk.settings.keys_dir / ENERGY / "subject.wrapped").unlink()


def with_an_empty_key(night: Night) -> None:
    (night.desk.settings.keys_dir / ENERGY / "subject.wrapped").write_bytes(b"")


def with_a_key_that_cannot_be_read(night: Night) -> None:
    path = night.desk.settings.keys_dir / ENERGY / "subject.wrapped"
    path.unlink()
    path.mkdir()


def with_another_key(night: Night) -> None:
    path = night.desk.settings.keys_dir / ENERGY / "subject.wrapped"
    path.write_bytes(bytes(reversed(path.read_bytes())))


def with_a_strange_copy(night: Night) -> None:
    night.desk.house.conn.execute(
        """insert into copy (exchange_id, kind, bucket, key, version_id, sha256, size_bytes)
           select exchange_id, 'export', bucket, key, version_id, sha256, size_bytes from copy where kind = 'lake'
           limit 1"""
    )


@pytest.mark.parametrize(
    ("break_it", "risk", "where"),
    [
        pytest.param(without_versions, Risk.BUCKET_WITHOUT_VERSIONS, "bucket lake-", id="versions"),
        pytest.param(denied("s3:DeleteObjectVersion"), Risk.VERSION_NOT_DELETABLE, "bucket lake-", id="delete"),
        pytest.param(denied("s3:PutObject"), Risk.BUCKET_NOT_WRITABLE, "bucket lake-", id="put"),
        pytest.param(without_key, Risk.KEY_MISSING, "key energy01/subject", id="no key"),
        pytest.param(with_an_empty_key, Risk.KEY_MISSING, "key energy01/subject", id="a key that was cut off"),
        pytest.param(with_a_key_that_cannot_be_read, Risk.KEY_MISSING, "key energy01/subject", id="a key out of reach"),
        pytest.param(with_another_key, Risk.KEY_WRONG, "key energy01/subject", id="another key"),
        pytest.param(with_a_strange_copy, Risk.COPY_OF_NO_STORE, "copies energy01/export", id="strange copy"),
    ],
)
def test_what_would_fail_is_named_and_nothing_is_touched(
    night: Night, case: Case, fresh: House, break_it: Callable[[Night], None], risk: Risk, where: str
) -> None:
    assert preflight(fresh, case.case_id) == preflight(fresh) == ()
    before = [night.desk.objects(bucket) for bucket in buckets(night.desk.settings)]
    break_it(night)

    with open_house(night.desk.settings) as another:
        [problem] = preflight(another, case.case_id)
        with pytest.raises(PreflightFailed, match=f"SLU-562 .*check {risk}; at {where}"):
            run(another, case.case_id, datetime.now(UTC))
        with pytest.raises(PreflightFailed):
            draft(another, case.case_id, "carl", datetime.now(UTC))

    assert problem.risk is risk and problem.where.startswith(where) and problem.says and problem.cure
    assert [night.desk.objects(bucket) for bucket in buckets(night.desk.settings)] == before or "put" in problem.cure
    assert night.desk.sql("select 1 from erasure_run") == [], "it has not begun"


def buckets(settings: Settings) -> tuple[str, ...]:
    return settings.bucket_exchange, settings.bucket_internal, settings.bucket_vault


def test_a_lost_key_is_never_made_anew_while_somebody_must_stay_out(night: Night, case: Case) -> None:
    without_key(night)
    again = night.desk.drop(night.contacts.read_bytes() + b"\n", "again.csv")
    night.desk.work()
    line = night.desk.line(again)
    waits = night.desk.sql(f"select last_error, attempts from exchange where exchange_id = '{line.id}'")
    assert (line.decision, waits) == ("open", [{"last_error": "SLU-116", "attempts": 0}])
    with pytest.raises(KeyLost, match="key energy01/subject"):
        decided(night, *reversed(night.people(3)[2]))
    assert not (night.desk.settings.keys_dir / ENERGY / "subject.wrapped").exists()


@pytest.mark.slow
def test_a_store_that_only_says_yes_is_found_out() -> None:
    for promise in (Promise.IF_NONE_MATCH, Promise.IF_MATCH, Promise.VERSIONS):
        with fake_store(promise.value) as settings:
            objects = ObjectStore(settings)
            assert objects.broken_promises("evidence")[0] is promise
            assert Promise.DELETE in objects.broken_promises("evidence"), "nor does it delete"


def test_an_exchange_that_is_stuck_is_named_and_does_not_stop_the_run(night: Night, case: Case, fresh: House) -> None:
    exchange = list_exchanges(fresh.conn)[0].id
    fresh.conn.execute("update outbox set done_at = null, last_error = 'SLU-202' where exchange_id = %s", (exchange,))
    assert {problem.risk for problem in preflight(fresh, case.case_id)} == {Risk.EXCHANGE_STUCK}
    assert run(night.desk.house, case.case_id, datetime.now(UTC)).waiting >= 0


def test_another_run_is_named_by_case_and_the_commands_exit_with_it(
    night: Night, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect(night.desk.settings) as other, control_store.hold_case(other, case.case_id):
        [problem] = preflight(night.desk.house, case.case_id)
        assert problem == Problem(Risk.RUN_UNDER_WAY, f"case {case.case_id}")
        with at_terminal(night.desk, monkeypatch):
            told = sluice("erase", "preflight", case.case_id[:8])
            assert (told.exit, [each["code"] for each in told.document["problems"]]) == (1, ["RUN_UNDER_WAY"])
            assert sluice("erase", "preflight").document == {"problems": []}
            assert sluice("erase", "run", case.case_id).error == "SLU-559"
