"""Words that several commands take: names, reasons, channels, purposes and days."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, tzinfo
from typing import Annotated

import typer

from sluice.errors import Ref, UsageError
from sluice.ledger.names import check_name
from sluice.times import brussels_day

FLOW_FORM = "lower-case letters, digits, _ and -, a letter or digit first"
"""What the name of a flow is made of, in words."""


def as_kept(by: str | None) -> str | None:
    """The name of who does it as records spell it, where one was given. Raises NameInvalid."""
    return None if by is None else check_name(by)


ByOption = Annotated[
    str | None, typer.Option(callback=as_kept, help="Who does it; the user of this machine by default.")
]
WhyOption = Annotated[
    str | None,
    typer.Option("--reason", help="Why: a code in capitals for the ledger, such as CHECKED_BY_PHONE; no sentence."),
]


@contextmanager
def writing_to(option: str) -> Iterator[None]:
    """Around what writes where an option says; what the system refuses is a wrong option. Raises UsageError."""
    try:
        yield
        return
    except OSError as error:
        because = errno.errorcode.get(error.errno or 0, "UNKNOWN")
    raise UsageError(Ref("option", option), Ref("because", because))


def channel_word(channel: str | None) -> str | None:
    """A channel as agreements name it. Raises UsageError."""
    from sluice.dial.model import CHANNEL_WORDS

    if channel is not None and channel not in CHANNEL_WORDS:
        raise UsageError(Ref("channel", "phone, sms, email, letter, chat, robocall, push"))
    return CHANNEL_WORDS[channel] if channel else None


def day_of(dated: str | None, now: datetime) -> date:
    """The day that ``--dated`` says, else today in Brussels. Raises UsageError."""

    try:
        return date.fromisoformat(dated) if dated else brussels_day(now)
    except ValueError:
        raise UsageError(Ref("option", "--dated"), Ref("takes", "YYYY-MM-DD")) from None


def moment_of(option: str, text: str, zone: tzinfo = UTC) -> datetime:
    """A moment, ISO 8601, in UTC; without an offset it is one of ``zone``. Raises UsageError."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(Ref("option", option), Ref("takes", "YYYY-MM-DD, or YYYY-MM-DDTHH:MM")) from None


def check_address(option: str, url: str | None) -> None:
    """Raises UsageError for an address that can be none of an object; it is not repeated."""
    from sluice.lineage.trace import address_of

    if url is not None and address_of(url) is None:
        raise UsageError(Ref("option", option), Ref("takes", "s3://bucket/key"))


def purpose_iri(word: str) -> str:
    """A purpose as DPV names it. Raises UsageError."""
    from sluice.agreement.dpv import DPV, PURPOSES

    iri = word if word.startswith("https://") else DPV + word
    if iri not in PURPOSES:
        raise UsageError(Ref("option", "--purpose"), Ref("takes", "a purpose of DPV 2.3, such as DirectMarketing"))
    return iri
