"""Arguments and options that several commands share, and how they are read: names, reasons, channels, days."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Annotated

import typer

from sluice.cli.output import err
from sluice.errors import Ref, UsageError
from sluice.ledger.names import check_name
from sluice.ledger.reason import check_reason
from sluice.times import brussels_day

FLOW_FORM = "lower-case letters, digits, _ and -, a letter or digit first"
"""Which characters the name of a flow may have, in words."""


def as_kept(by: str | None) -> str | None:
    """Return the name of who acts in the spelling of records, or None if none was given. Raises NameInvalid."""
    return None if by is None else check_name(by)


def as_code(reason: str | None) -> str | None:
    """Return a reason that the ledger may keep, or None if none was given. Raises UsageError."""
    check_reason(reason)
    return reason


ByOption = Annotated[
    str | None, typer.Option(callback=as_kept, help="Who does it; the user of this machine by default.")
]
WhyOption = Annotated[
    str | None,
    typer.Option(
        "--reason",
        callback=as_code,
        help="Why: a code in capitals for the ledger, such as CHECKED_BY_PHONE; no sentence.",
    ),
]


@contextmanager
def writing_to(option: str) -> Iterator[None]:
    """Run a block that writes to the place an option names; an OSError in it becomes a UsageError about the option."""
    try:
        yield
        return
    except OSError as error:
        because = errno.errorcode.get(error.errno or 0, "UNKNOWN")
    raise UsageError(Ref("option", option), Ref("because", because))


def channel_word(channel: str | None) -> str | None:
    """Return a channel as agreements spell it. Raises UsageError."""
    from sluice.dial.model import CHANNEL_WORDS

    if channel is not None and channel not in CHANNEL_WORDS:
        raise UsageError(Ref("channel", "phone, sms, email, letter, chat, robocall, push"))
    return CHANNEL_WORDS[channel] if channel else None


def day_of(dated: str | None, now: datetime) -> date:
    """Return the day of ``--dated``, else today in Brussels. Raises UsageError."""

    try:
        return date.fromisoformat(dated) if dated else brussels_day(now)
    except ValueError:
        raise UsageError(Ref("option", "--dated"), Ref("takes", "YYYY-MM-DD")) from None


def moment_of(option: str, text: str) -> datetime:
    """A moment, ISO 8601, in UTC: with a zone as said, without one Brussels time, a day from its midnight.

    One that is still to come is said on stderr: of it nothing is recorded. Raises UsageError, also for an hour that a
    clock change repeats or skips.
    """
    from sluice.staff.times import TimeFault, from_brussels

    takes = Ref("takes", "YYYY-MM-DD, or YYYY-MM-DDTHH:MM, with a zone or in Brussels time")
    try:
        moment = datetime.fromisoformat(text)
        found = moment.astimezone(UTC) if moment.tzinfo else from_brussels(moment)
    except (ValueError, OverflowError):
        raise UsageError(Ref("option", option), takes) from None
    if isinstance(found, TimeFault):
        raise UsageError(Ref("option", option), Ref("rule", found.value), takes)
    if found > datetime.now(UTC):
        err.print(f"{option} is still to come: the answer is what is known now", markup=False)
    return found


def check_address(option: str, url: str | None) -> None:
    """Raises UsageError for text that cannot be the address of an object; the message does not quote it."""
    from sluice.lineage.trace import address_of

    if url is not None and address_of(url) is None:
        raise UsageError(Ref("option", option), Ref("takes", "s3://bucket/key"))


def purpose_iri(word: str) -> str:
    """Return the IRI that the DPV has for a purpose. Raises UsageError."""
    from sluice.agreement.dpv import DPV, PURPOSES

    iri = word if word.startswith("https://") else DPV + word
    if iri not in PURPOSES:
        raise UsageError(Ref("option", "--purpose"), Ref("takes", "a purpose of DPV 2.3, such as DirectMarketing"))
    return iri
