"""Send one mail over SMTP (RFC 5321), with a Message-ID that is the same on every try (RFC 5322, 3.6.4)."""

import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

from sluice.documents.words import in_each_language
from sluice.errors import Ref
from sluice.rights.mail.model import AddressRefused, Mail, MailKind, MailNotSent, MailTargetInvalid
from sluice.settings import Settings

TIMEOUT_SECONDS = 20.0
"""Time-out of each step of a conversation."""
PORTS: Mapping[str, int] = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
NEAR = frozenset({"localhost", "127.0.0.1", "::1"})
SUBJECTS: Mapping[MailKind, str] = {
    MailKind.NOTICE: "Notice about data of a person",
    MailKind.REMINDER: "Reminder: notice about data of a person",
    MailKind.ESCALATED: "Notice about data of a person: still no answer",
    MailKind.BY_HAND: "A recipient has to be told by hand",
    MailKind.NO_ANSWER: "A recipient does not answer",
    MailKind.ALARM: "The last day to answer a request is near",
    MailKind.LATE: "The last day to answer a request is past",
    MailKind.REFUSED: "Files were not accepted",
    MailKind.UNACKNOWLEDGED: "Returns were not acknowledged",
    MailKind.CONTRADICTED: "A principal takes back what it decided",
    MailKind.TAMPERED: "The ledger does not hold",
    MailKind.UNVERIFIED: "The ledger could not be verified",
}
"""In ASCII, so that every mail program shows them; what follows is in the three languages."""


@dataclass(frozen=True, slots=True)
class MailTarget:
    """The mail server, and the addresses that mail comes from."""

    scheme: str
    host: str
    port: int
    sender: str
    desk: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)


def read_target(settings: Settings) -> MailTarget | None:
    """Return the target in the settings, or None without a server. Raises MailTargetInvalid."""
    if settings.smtp_url is None:
        return None
    sender = settings.mail_from or ""
    try:
        url = urlsplit(settings.smtp_url.get_secret_value())
        port = url.port or PORTS.get(url.scheme, 0)
    except ValueError:
        raise MailTargetInvalid(Ref("setting", "SLUICE_SMTP_URL")) from None
    if not (url.hostname and port and url.scheme in PORTS):
        raise MailTargetInvalid(Ref("setting", "SLUICE_SMTP_URL"))
    if url.password and url.scheme == "smtp" and url.hostname not in NEAR:
        raise MailTargetInvalid(Ref("setting", "SLUICE_SMTP_URL"), Ref("password", "without TLS"))
    for name, address in (("SLUICE_MAIL_FROM", sender), ("SLUICE_MAIL_DESK", settings.mail_desk or sender)):
        if not is_address(address):
            raise MailTargetInvalid(Ref("setting", name))
    named = (unquote(url.username) if url.username else None, unquote(url.password) if url.password else None)
    return MailTarget(url.scheme, url.hostname, port, sender, settings.mail_desk or sender, *named)


def is_address(text: str) -> bool:
    """Whether this is a plain address: one @ between two words, and nothing that could begin another header."""
    name, _, host = text.rpartition("@")
    return bool(name and host) and "@" not in name and text.isascii() and not set(text) & set(' \t\r\n,;<>"')


def written(mail: Mail, target: MailTarget, now: datetime) -> EmailMessage:
    """Build the message: the text in three languages, then the facts."""
    message, sentences = EmailMessage(), in_each_language(f"mail.{mail.kind}").values()
    message["From"], message["To"], message["Subject"] = target.sender, mail.to, SUBJECTS[mail.kind]
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{mail.number}@{target.sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answer by a machine
    facts = "\n".join(f"{label}: {value}" for label, value in mail.facts)
    message.set_content("\n".join([*sentences, "", facts]) + "\n")
    return message


def hand_over(mail: Mail, target: MailTarget, now: datetime) -> None:
    """Send one mail. Raises MailNotSent or AddressRefused, with the server's reply code but none of its text."""
    failed: str | int
    failure: type[MailNotSent] = MailNotSent
    if not is_address(mail.to):
        raise AddressRefused(Ref("mail", mail.number), Ref("reason", "the agreement's address is none"))
    try:
        with _connected(target) as server:
            server.send_message(written(mail, target, now))
        return
    except smtplib.SMTPRecipientsRefused as error:
        failure, failed = AddressRefused, next((code for code, _ in error.recipients.values()), "refused")
    except smtplib.SMTPResponseException as error:
        failed = error.smtp_code
    except (smtplib.SMTPException, OSError) as error:
        failed = type(error).__name__
    raise failure(Ref("mail", mail.number), Ref("answer", failed))


def _connected(target: MailTarget) -> smtplib.SMTP:
    if target.scheme == "smtps":
        context = ssl.create_default_context()
        server: smtplib.SMTP = smtplib.SMTP_SSL(target.host, target.port, timeout=TIMEOUT_SECONDS, context=context)
    else:
        server = smtplib.SMTP(target.host, target.port, timeout=TIMEOUT_SECONDS)
    try:
        if target.scheme == "smtp+starttls":
            server.starttls(context=ssl.create_default_context())
        if target.user:
            server.login(target.user, target.password or "")
    except BaseException:
        server.close()
        raise
    return server
