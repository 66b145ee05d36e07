"""The wake-up by SQS, against a server with its API: what wakes, what is deleted and when, what if it is away."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from pydantic import SecretStr

from sluice.exchange.wake import QueueWaker, waker
from sluice.settings import Settings

SERVER = Path(__file__).with_name("queue_server.py")
PAUSE = 0.2
pytestmark = pytest.mark.slow  # half a minute of waiting
PLACE = {"region_name": "eu-central-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}


def event(bucket: str, key: str) -> str:
    """A notification as S3 writes it: the key is URL-encoded."""
    thing = {"bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"}, "object": {"key": key, "size": 9}}
    record = {"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": thing}
    return json.dumps({"Records": [record]})


MESSAGES = {
    "arrival": event("exchange", "energy01/inbound/renewal_campaign/leads.csv"),
    "URL-encoded key": event("exchange", "energy01/inbound/renewal_campaign/l%C3%A9ads+of+%23+2.csv"),
    "other bucket": event("somewhere-else", "a/b.csv"),
    "S3's test": json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "exchange"}),
    "malformed": '{"Records": [{"s3": ',
    "other shape": "[1, null]",
}


@contextmanager
def serving(port: int = 0) -> Iterator[str]:
    """Start a fresh SQS server and give its address; it stops afterwards."""
    command = [sys.executable, str(SERVER), str(port)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout and server.stdin
        try:
            yield server.stdout.readline().strip()
        finally:
            server.kill()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving() as there:
        yield there


class Queue:
    """One queue as an outsider sees it."""

    def __init__(self, address: str, name: str, visibility_seconds: int = 30) -> None:
        self.address = address
        self.client: Any = boto3.session.Session().client("sqs", endpoint_url=address, **PLACE)
        made = self.client.create_queue(QueueName=name, Attributes={"VisibilityTimeout": str(visibility_seconds)})
        self.url: str = made["QueueUrl"]

    def send(self, *bodies: str) -> None:
        for body in bodies:
            self.client.send_message(QueueUrl=self.url, MessageBody=body)

    def count(self) -> tuple[int, int]:
        """Messages that wait, and messages that somebody has in hand."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return int(found[names[0]]), int(found[names[1]])


@pytest.fixture
def queue(address: str, request: pytest.FixtureRequest) -> Queue:
    return Queue(address, f"q-{abs(hash(request.node.nodeid))}")


def settings_of(url: str | None) -> Settings:
    keys = {"s3_access_key": SecretStr("test"), "s3_secret_key": SecretStr("test")}
    return Settings(sqs_queue_url=url, poll_seconds=PAUSE, **keys)


def short(url: str, seconds: int = 1) -> QueueWaker:
    return QueueWaker(settings_of(url), url, long_poll_seconds=seconds)


def seconds_of(wait: Any) -> float:
    start = time.monotonic()
    wait()
    return time.monotonic() - start


def test_every_message_wakes_and_is_gone_after_the_look(queue: Queue) -> None:
    wake = short(queue.url, seconds=10)
    for name, body in MESSAGES.items():
        queue.send(body)
        assert seconds_of(wake.wait) < 9, f"{name}: not after the long poll"
        assert queue.count() == (0, 1), f"{name}: in hand while looking, and the one before is gone"

    wake.long_poll_seconds = 1
    assert seconds_of(wake.wait) > 0.9, "without a message it is time after the long poll"
    assert queue.count() == (0, 0)


def test_a_message_ends_a_wait_that_has_begun(queue: Queue) -> None:
    sender = threading.Timer(0.5, queue.send, ("x",))
    sender.start()

    assert 0.5 < seconds_of(short(queue.url, seconds=20).wait) < 19, "not after the long poll"
    sender.join()


def test_all_messages_that_lie_there_are_one_wake_up(queue: Queue) -> None:
    wake = short(queue.url)
    queue.send(*([MESSAGES["malformed"]] * 3), *([MESSAGES["arrival"]] * 22))
    wake.wait()
    assert queue.count() == (0, 25)
    queue.send(MESSAGES["arrival"])
    wake.wait()
    assert queue.count() == (0, 1)


def test_a_message_outlives_a_watcher_that_dies_before_it_looked(address: str) -> None:
    queue = Queue(address, "dies", visibility_seconds=1)
    queue.send(MESSAGES["arrival"])
    short(queue.url).wait()
    time.sleep(1.2)
    queue.client.set_queue_attributes(QueueUrl=queue.url, Attributes={"VisibilityTimeout": "30"})

    after = short(queue.url, seconds=10)

    assert seconds_of(after.wait) < 9, "not after the long poll"
    assert queue.count() == (0, 1)


def test_s3_itself_wakes_it(address: str, queue: Queue) -> None:
    s3 = boto3.session.Session().client("s3", endpoint_url=address, **PLACE)
    s3.create_bucket(Bucket="exchange", CreateBucketConfiguration={"LocationConstraint": PLACE["region_name"]})
    arn = queue.client.get_queue_attributes(QueueUrl=queue.url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    configured = {"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    s3.put_bucket_notification_configuration(Bucket="exchange", NotificationConfiguration=configured)
    wake = short(queue.url, seconds=5)
    wake.wait()
    wake.long_poll_seconds = 1
    wake.wait()
    before = queue.count()

    s3.put_object(Bucket="exchange", Key="energy01/inbound/renewal_campaign/a b.csv", Body=b"x")
    wake.wait()

    assert (before, queue.count()) == ((0, 0), (0, 1))


def test_while_the_server_is_away_it_polls_and_says_so_once_and_wakes_again_when_it_is_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def said() -> list[str]:
        return [record.getMessage() for record in caplog.records if record.name == "sluice.exchange.wake"]

    with serving() as address:
        wake = short(Queue(address, "away").url, seconds=10)
    took = [seconds_of(wake.wait) for _ in range(3)]
    assert all(PAUSE <= each < PAUSE + 2 for each in took)
    assert len(said()) == 1 and "EndpointConnectionError" in said()[0]

    with serving(urlsplit(address).port or 0) as again:
        queue = Queue(again, "away")
        queue.send(MESSAGES["arrival"])
        wake.wait()
        assert queue.count() == (0, 1)
    wake.wait()
    assert len(said()) == 2


def test_a_server_that_never_answers_is_given_up(queue: Queue) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/1/q"
        wake = short(url)
        wake.answer_seconds = 1
        took = seconds_of(wake.wait)

    assert 1 < took < 6


@pytest.mark.parametrize(
    ("url", "fault"), [("{host}/123456789012/no-such-queue", "NonExistentQueue"), ("not a url", "ValueError")]
)
def test_a_wrong_setting_means_polling_and_is_named(
    address: str, caplog: pytest.LogCaptureFixture, url: str, fault: str
) -> None:
    wake = waker(settings_of(url.format(host=address)))

    assert seconds_of(wake) >= PAUSE
    assert fault in caplog.text and "SLUICE_SQS_QUEUE_URL" in caplog.text


@pytest.mark.parametrize("url", [None, ""])
def test_without_the_setting_it_polls(url: str | None) -> None:
    assert seconds_of(waker(settings_of(url))) >= PAUSE
