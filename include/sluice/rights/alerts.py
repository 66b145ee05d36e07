"""Tell the desk what is new of a kind, by mail and to a webhook: each at least once, many at a time in one message.

What was told is noted after it was taken, per way; a worker killed in between tells it again. Mail about the clock
goes with the other mails of a case (``mails.py``), so it is not written here.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit
from uuid import uuid5

from sluice.db import Connection
from sluice.errors import Ref
from sluice.lineage.post import post_json
from sluice.rights import mail_store
from sluice.rights.alert_due import Alert
from sluice.rights.mail_due import NUMBERS
from sluice.rights.mail_model import Mail, MailKind, MailNotSent, WebhookInvalid, WebhookNotSent
from sluice.rights.mail_send import NEAR, TEXTS, hand_over, read_target
from sluice.settings import Settings

MOST_LINES = 20
"""Of one message; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Way:
    """How the desk is reached. ``send``: one message of a kind, with its lines."""

    name: str
    send: Callable[[str, MailKind, Sequence[str]], None]


@dataclass(frozen=True, slots=True)
class Told:
    """What was told, and what waits for the next run."""

    told: int = 0
    failed: int = 0


def ways(settings: Settings, kind: MailKind, now: datetime) -> list[Way]:
    """The ways that are set up. Raises MailTargetInvalid, WebhookInvalid."""
    found: list[Way] = []
    target = read_target(settings)
    if target is not None and kind is not MailKind.ALARM:
        desk = target

        def by_mail(number: str, kind: MailKind, lines: Sequence[str]) -> None:
            facts = tuple((str(place), line) for place, line in enumerate(lines, 1))
            hand_over(Mail(number, kind, desk.desk, facts), desk, now)

        found.append(Way("mail", by_mail))
    url = read_webhook(settings)
    if url is not None:
        found.append(Way("webhook", lambda number, kind, lines: _post(url, settings, number, kind, lines)))
    return found


def read_webhook(settings: Settings) -> str | None:
    """The address of the webhook; None when there is none. Raises WebhookInvalid: it may be secret, so not said."""
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


def tell_desk(conn: Connection, found: Sequence[Way], kind: MailKind, alerts: Iterator[Alert]) -> Told:
    """Tell what was not told yet, by every way. A way that fails does not keep the others."""
    due, told, failed = list(alerts), 0, 0
    for way in found:
        mails = [_numbered(way, kind, alert) for alert in due]
        taken = [mail for mail in mails if mail_store.begin_mail(conn, mail)]
        if not taken:
            continue
        lines = [mail.facts[0][1] for mail in taken[:MOST_LINES]]
        if len(taken) > MOST_LINES:
            lines.append(f"and {len(taken) - MOST_LINES} more")
        try:
            way.send(taken[0].number, kind, lines)
        except (MailNotSent, WebhookNotSent) as error:
            failed += len(taken)
            for mail in taken:
                mail_store.note_mail_error(conn, mail, error.code)
            continue
        told += len(taken)
        for mail in taken:
            mail_store.end_mail(conn, mail)
    return Told(told, failed)


def _numbered(way: Way, kind: MailKind, alert: Alert) -> Mail:
    return Mail(str(uuid5(NUMBERS, f"{way.name}/{kind}/{alert.about}")), kind, "", (("", alert.line),))


def _post(url: str, settings: Settings, number: str, kind: MailKind, lines: Sequence[str]) -> None:
    """``text`` is what Slack, Teams and Mattermost show; the rest is for programs."""
    subject = TEXTS[kind][0]
    text = "\n".join((f"Sluice {settings.environment}: {subject}", *lines))
    said = {"id": number, "kind": kind.value, "environment": settings.environment, "text": text, "lines": list(lines)}
    failed = post_json(url, json.dumps(said, ensure_ascii=False))
    if failed is not None:
        raise WebhookNotSent(Ref("answer", failed))
