"""Tell the desk what is new of one kind, many alerts in one message: in the log, by mail and to a webhook.

A message is stored before it is sent. Each way is tried and recorded separately until it succeeds; if a worker is
killed in between, the same message is sent again under the same number. Mail about the clock is not sent here: it
goes with the other mails about a case (``rights/mail/write.py``).
"""

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from sluice.db import Connection
from sluice.errors import Ref, told_of
from sluice.lineage.post import post_json
from sluice.rights.alerts.alert_store import Message, list_owed, number_of, store_message
from sluice.rights.alerts.due import Alert, Look
from sluice.rights.mail.mail_store import MAIL, begin_mail, count_failed, end_mail, note_mail_error
from sluice.rights.mail.model import Mail, MailKind, MailTargetInvalid, WebhookInvalid, WebhookNotSent
from sluice.rights.mail.send import NEAR, SUBJECTS, hand_over, read_target
from sluice.settings import Settings

log = logging.getLogger(__name__)
AT_ONCE = 100
"""The most messages that one run sends by one way; the next run continues."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way to reach the desk. ``send`` delivers one message, or raises."""

    name: str
    send: Callable[[Message], None]


@dataclass(frozen=True, slots=True)
class Alerted:
    """How many messages were sent, and how many wait for the next run, counted separately for each way."""

    sent: int = 0
    failed: int = 0


def ways(settings: Settings, now: datetime) -> list[Way]:
    """Return the ways that are set up; the log always is. A wrong setting shows only when its way is tried."""
    found = [Way("log", _log)]
    if settings.webhook_url is not None:
        found.append(Way("webhook", lambda message: _post(settings, message)))
    if settings.smtp_url is not None:
        found.append(Way(MAIL, lambda message: _mail(settings, now, message)))
    return found


def tell_desk(conn: Connection, found: Sequence[Way], kind: MailKind, look: Look, now: datetime) -> Alerted:
    """Store what was not told yet, then send everything that any way still has to send, of every kind."""
    names = [way.name for way in found if not (way.name == MAIL and kind is MailKind.ALARM)]
    store_message(conn, kind, look, names, now)
    counts = [_send(conn, way) for way in found]
    return Alerted(sum(each.sent for each in counts), sum(each.failed for each in counts))


def tell_unstored(found: Sequence[Way], kind: MailKind, alert: Alert) -> Alerted:
    """Send one alert without a database, which may be what is down."""
    message = Message(number_of(kind, [alert.about]), kind, (alert.line,))
    failed = sum(_failure(way, message) is not None for way in found)
    return Alerted(len(found) - failed, failed)


def find_stuck(conn: Connection) -> str:
    """How many messages and mails wait after a failed try, by way, with the codes of the last tries; else empty."""
    return ", ".join(f"{each.count} by {each.way} ({each.codes})" for each in count_failed(conn))


def read_webhook(settings: Settings) -> str | None:
    """Return the address of the webhook, or None if there is none.

    Raises WebhookInvalid, without the address, which may be secret.
    """
    if settings.webhook_url is None:
        return None
    url = settings.webhook_url.get_secret_value()
    try:
        parts = urlsplit(url)
        is_good = parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in NEAR))
    except ValueError:
        is_good = False
    if not is_good:
        raise WebhookInvalid(Ref("setting", "SLUICE_WEBHOOK_URL"))
    return url


def _send(conn: Connection, way: Way) -> Alerted:
    """Send what one way still has to send, up to the first failure: each further one would cost its time-out too."""
    sent = 0
    for message in list_owed(conn, way.name, AT_ONCE):
        if not begin_mail(conn, message.number, message.kind, way.name):
            continue
        code = _failure(way, message)
        if code is not None:
            note_mail_error(conn, message.number, code, way.name)
            return Alerted(sent, 1)
        end_mail(conn, message.number, way.name)
        sent += 1
    return Alerted(sent)


def _failure(way: Way, message: Message) -> str | None:
    """Try one way and return the code of its failure, or None.

    Every exception is caught, so that the other ways are tried too.
    """
    try:
        way.send(message)
    except Exception as error:
        code, said = told_of(error)
    else:
        return None
    log.warning("a message to the desk waits for the way %s: %s", way.name, said)
    return code


def _log(message: Message) -> None:
    log.warning("for the desk: %s", " | ".join(_text(message).splitlines()))  # one event, one log line


def _mail(settings: Settings, now: datetime, message: Message) -> None:
    target = read_target(settings)
    if target is None:
        raise MailTargetInvalid(Ref("setting", "SLUICE_SMTP_URL"))
    facts = tuple((str(place), line) for place, line in enumerate(message.lines, 1))
    hand_over(Mail(message.number, message.kind, target.desk, facts), target, now)


def _post(settings: Settings, message: Message) -> None:
    """Post a message. ``text`` is what Slack, Teams and Mattermost show; the other fields are for programs."""
    url = read_webhook(settings)
    if url is None:
        raise WebhookInvalid(Ref("setting", "SLUICE_WEBHOOK_URL"))
    text = f"Sluice {settings.environment}: {_text(message)}"
    said = {
        "id": message.number, "kind": message.kind.value, "environment": settings.environment, "text": text,
        "lines": list(message.lines),
    }  # fmt: skip
    failed = post_json(url, json.dumps(said, ensure_ascii=False))
    if failed is not None:
        raise WebhookNotSent(Ref("answer", failed))


def _text(message: Message) -> str:
    return "\n".join((SUBJECTS[message.kind], *message.lines))
