"""Wait until the bucket has to be listed again: after a pause, or earlier when S3 sends an event through SQS.

A message is only a wake-up and is never read. What arrived is read from the bucket, so a lost,
doubled, late or broken message changes nothing but the delay, and a queue that does not answer
makes us look every ``poll_seconds`` as if there were none.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from sluice.errors import Ref, SettingInvalid
from sluice.settings import Settings

log = logging.getLogger(__name__)

LONG_POLL_SECONDS = 20
"""How long to wait for a message, at most: then it is time to look anyhow."""
ANSWER_SECONDS = 10
"""How many seconds after the long poll a queue still has to answer."""
MAX_MESSAGES = 10
"""How many SQS hands out at once, at most."""
MAX_BATCHES = 50
"""How many such batches count as one wake-up: one look at the bucket answers them all."""


def waker(settings: Settings) -> Callable[[], None]:
    """A function that returns when it is time to look. It never fails: in doubt it is time."""
    if not settings.sqs_queue_url:
        return lambda: time.sleep(settings.poll_seconds)
    return QueueWaker(settings, settings.sqs_queue_url).wait


def check_queue(url: str) -> None:
    """Raises SettingInvalid for text that cannot be the address of a queue; it is not asked."""
    try:
        address = urlsplit(url)
        is_good = address.scheme in ("http", "https") and bool(address.hostname)
    except ValueError:
        is_good = False
    if not is_good:
        raise SettingInvalid(Ref("setting", "SLUICE_SQS_QUEUE_URL"))


@dataclass
class QueueWaker:
    """Waits for messages of one queue, which must be ours alone: every message in it is deleted.

    A message is deleted once the look it asked for is over, that is, when we wait again. If we die before that, SQS
    shows it again.
    """

    settings: Settings
    queue_url: str
    long_poll_seconds: int = LONG_POLL_SECONDS
    answer_seconds: int = ANSWER_SECONDS
    _handed_over: list[str] = field(default_factory=list)
    _is_away: bool = False

    def wait(self) -> None:
        """Wait for a message or the end of the long poll; if the queue does not answer, pause once instead."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self._delete_handed_over()
            self._receive()
            self._is_away = False
            return
        except ClientError as error:
            fault = str(error.response.get("Error", {}).get("Code", "unknown"))
        except (BotoCoreError, ValueError) as error:  # ValueError: not a URL
            fault = type(error).__name__
        self._pause(fault)

    def _pause(self, fault: str) -> None:
        """Poll instead, and log that once, not every second."""
        if not self._is_away:
            log.warning(
                "the queue of SLUICE_SQS_QUEUE_URL does not answer (%s): the bucket is looked at every %s s instead",
                fault,
                self.settings.poll_seconds,
            )
        self._is_away = True
        time.sleep(self.settings.poll_seconds)

    def _receive(self) -> None:
        """Wait for the first messages, then take all that lie there."""
        wait_seconds = self.long_poll_seconds
        for _ in range(MAX_BATCHES):
            answer = self._client.receive_message(
                QueueUrl=self.queue_url, MaxNumberOfMessages=MAX_MESSAGES, WaitTimeSeconds=wait_seconds
            )
            handles = [message["ReceiptHandle"] for message in answer.get("Messages", ())]
            self._handed_over += handles
            wait_seconds = 0
            if not handles:
                return

    def _delete_handed_over(self) -> None:
        """Delete what the last wait received. What cannot be deleted is shown again by SQS and costs one more look."""
        handles, self._handed_over = self._handed_over, []
        for start in range(0, len(handles), MAX_MESSAGES):
            batch = handles[start : start + MAX_MESSAGES]
            self._client.delete_message_batch(
                QueueUrl=self.queue_url,
                Entries=[{"Id": str(number), "ReceiptHandle": handle} for number, handle in enumerate(batch)],
            )

    @cached_property
    def _client(self) -> Any:
        """An SQS client for the queue's own address, with the credential of the bucket that notifies it."""
        import boto3
        from botocore.config import Config

        address = urlsplit(self.queue_url)
        key, secret = self.settings.s3_access_key, self.settings.s3_secret_key
        explicit = key is not None and secret is not None
        return boto3.session.Session().client(
            "sqs",
            endpoint_url=f"{address.scheme}://{address.netloc}",
            region_name=self.settings.s3_region,
            aws_access_key_id=key.get_secret_value() if explicit and key else None,
            aws_secret_access_key=secret.get_secret_value() if explicit and secret else None,
            config=Config(
                connect_timeout=5,
                read_timeout=self.long_poll_seconds + self.answer_seconds,
                retries={"mode": "standard", "total_max_attempts": 1},
            ),
        )
