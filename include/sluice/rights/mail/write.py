"""Send mail to recipients and to the desk, if a mail server is set.

The mails that are owed are computed from notices and cases each time; a mail is recorded as sent after the server took
it. If a worker is killed in between, the same mail is sent again, with the same Message-ID. A mail only points to the
notice, which is the file under ``notices/``.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sluice.agreement.folder.load import parse_agreement
from sluice.exchange.house import House
from sluice.rights.case import store
from sluice.rights.case.clock import received_on
from sluice.rights.letters.had import without_answered
from sluice.rights.mail import mail_store
from sluice.rights.mail.due import mails_of_cases, mails_of_notices
from sluice.rights.mail.model import AddressRefused, Mail, MailNotSent
from sluice.rights.mail.send import MailTarget, hand_over, read_target
from sluice.rights.notices import notice_store
from sluice.rights.notices.model import NoticeState
from sluice.rights.notices.states import WAITING

log = logging.getLogger(__name__)
MOST_IN_A_ROW = 5
"""Failures in a row after which a sweep ends: if the server is away, every further mail would cost its time-out."""


@dataclass(frozen=True, slots=True)
class Mailed:
    """Result of one sweep. ``failed``: tried and not sent, to be tried again. ``is_on``: whether a server is set."""

    is_on: bool = False
    sent: int = 0
    failed: int = 0


def send_mails(house: House, now: datetime) -> Mailed:
    """Send every mail that is owed and was not sent. Does nothing without a server. Raises MailTargetInvalid."""
    target = read_target(house.settings)
    if target is None:
        return Mailed()
    sent = failed = in_a_row = 0
    for mail in _owed(house, target, now):
        if not mail_store.begin_mail(house.conn, mail.number, mail.kind):
            continue
        try:
            hand_over(mail, target, now)
        except MailNotSent as error:
            mail_store.note_mail_error(house.conn, mail.number, error.code)
            failed += 1
            in_a_row = 0 if isinstance(error, AddressRefused) else in_a_row + 1
            log.warning("a mail waits: %s", error)
            if in_a_row == MOST_IN_A_ROW:
                break
            continue
        mail_store.end_mail(house.conn, mail.number)
        sent, in_a_row = sent + 1, 0
    return Mailed(True, sent, failed)


def count_waiting(house: House, now: datetime) -> int:
    """Count the mails that are owed at ``now`` and were not sent. A mail that is no longer owed does not count.

    Returns zero without a server. Raises MailTargetInvalid.
    """
    target = read_target(house.settings)
    if target is None:
        return 0
    return mail_store.count_unsent(house.conn, [mail.number for mail in _owed(house, target, now)])


def _owed(house: House, target: MailTarget, now: datetime) -> Iterator[Mail]:
    """Yield the mails that are owed. Mails to the desk about deadlines come first, in case the sweep ends early."""
    cases = without_answered(house.conn, store.list_open_cases(house.conn), received_on(now))
    yield from mails_of_cases(cases, now, target.desk)
    states = (NoticeState.OWED, *WAITING)
    notices = notice_store.list_notices(house.conn, states=states, withdrawn=False, limit=None)
    yield from mails_of_notices(notices, _addresses(house, now), house.settings.bucket_exchange, target.desk)


def _addresses(house: House, now: datetime) -> dict[str, str]:
    """Return the contact address of each principal, from its agreement in force or else its last one."""
    rows = store.find_agreement_bodies(house.conn, received_on(now), now)
    found: dict[str, str] = {}
    for name, body, path, _ in sorted(rows, key=lambda row: row[3]):
        if address := parse_agreement(body, path).contact_email:
            found[name] = address
    return found
