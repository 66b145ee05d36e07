"""The embedded Redis: a password, this machine only, and what was queued survives its kill."""

import os
import signal
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError

from sluice.services import keeper, redis
from sluice.services.airflow import Celery
from sluice.services.doctor import _listening
from sluice.services.places import read_ports
from sluice.services.plan import Plan
from sluice.services.process import wait_until

pytestmark = pytest.mark.stores


def test_what_was_queued_survives_a_kill_and_a_restart_at_the_same_address(var: Path) -> None:
    first = redis.start(var)
    with Redis.from_url(first.url) as client:
        client.rpush("queue", "one", "two")
    os.kill(first.pid, signal.SIGKILL)
    assert wait_until(lambda: redis.find(var) is None, 5)
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


def test_it_asks_for_a_password_and_listens_on_this_machine_only(var: Path) -> None:
    server = redis.start(var)
    with Redis(port=server.port) as stranger, pytest.raises(AuthenticationError):
        stranger.ping()
    with Redis.from_url(server.url) as client:  # the control
        assert client.ping()
    assert _listening(server.pid) == [("127.0.0.1", read_ports(var)["redis"])]
    assert {path.stat().st_mode & 0o777 for path in (var / "secrets").glob("redis*")} == {0o600}
    redis.stop(var)
