"""Mails about notices and the clock. They hold codes, numbers, dates and places, and name no person of a case."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from sluice.errors import Exit, SluiceError


class MailKind(StrEnum):
    """Why a mail is sent. The first three kinds go to a recipient, the others to the center's desk."""

    NOTICE = "NOTICE"
    REMINDER = "REMINDER"
    ESCALATED = "ESCALATED"
    BY_HAND = "BY_HAND"
    NO_ANSWER = "NO_ANSWER"
    ALARM = "ALARM"
    LATE = "LATE"
    REFUSED = "REFUSED"
    UNACKNOWLEDGED = "UNACKNOWLEDGED"
    CONTRADICTED = "CONTRADICTED"
    TAMPERED = "TAMPERED"
    UNVERIFIED = "UNVERIFIED"


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail. ``number``: a UUID computed from its subject matter, so that a rerun makes the same Message-ID.

    ``facts``: pairs of label and value, shown after the text.
    """

    number: str
    kind: MailKind
    to: str
    facts: tuple[tuple[str, str], ...]


class MailTargetInvalid(SluiceError):
    code: ClassVar[str] = "SLU-591"
    summary: ClassVar[str] = "the settings of mail cannot be used"
    cure: ClassVar[str] = (
        "set SLUICE_SMTP_URL to smtps://host, smtp+starttls://host or smtp://localhost, and SLUICE_MAIL_FROM; "
        "a password goes over TLS only"
    )
    exit: ClassVar[Exit] = Exit.MISSING


class MailNotSent(SluiceError):
    """A mail was not sent. The next sweep tries again; a receiver recognises a repeated mail by its Message-ID."""

    code: ClassVar[str] = "SLU-592"
    summary: ClassVar[str] = "a mail could not be handed over"
    cure: ClassVar[str] = "check the server of SLUICE_SMTP_URL and the address; it is tried again"


class AddressRefused(MailNotSent):
    """The server refused this receiver. Other mails do not wait for it."""

    code: ClassVar[str] = "SLU-599"
    summary: ClassVar[str] = "a mail's receiver was refused"
    cure: ClassVar[str] = "correct the address in the agreement, or SLUICE_MAIL_DESK; it is tried again"


class WebhookInvalid(SluiceError):
    code: ClassVar[str] = "SLU-597"
    summary: ClassVar[str] = "the setting of the webhook cannot be used"
    cure: ClassVar[str] = "set SLUICE_WEBHOOK_URL to https://host/path; http is for this machine only"
    exit: ClassVar[Exit] = Exit.MISSING


class WebhookNotSent(SluiceError):
    """The webhook did not take a message. The next run tries again, so a receiver may get the same lines twice."""

    code: ClassVar[str] = "SLU-598"
    summary: ClassVar[str] = "what the desk has to hear did not arrive at the webhook"
    cure: ClassVar[str] = "check the receiver of SLUICE_WEBHOOK_URL; it is tried again"
