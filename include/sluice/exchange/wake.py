"""When to look at the bucket again: after a pause, or when S3 says so through SQS.

A message is only a wake-up. What arrived is read from the bucket, so a lost, doubled or late message
changes nothing but the delay.
"""

import time
from collections.abc import Callable

from sluice.settings import Settings

LONG_POLL_SECONDS = 20


def waker(settings: Settings) -> Callable[[], None]:
    """A function that returns when it is time to look."""
    if settings.sqs_queue_url is None:
        return lambda: time.sleep(settings.poll_seconds)
    return lambda: _await_message(settings, settings.sqs_queue_url or "")


def _await_message(settings: Settings, queue_url: str) -> None:
    """Long-poll the queue of the bucket's notifications; all messages in hand count as one."""
    import boto3

    queue = boto3.client("sqs", region_name=settings.s3_region)
    answer = queue.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=LONG_POLL_SECONDS)
    for message in answer.get("Messages", ()):
        queue.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
