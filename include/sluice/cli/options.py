"""Words that several commands take: channels, purposes and days."""

from datetime import UTC, date, datetime
from typing import Annotated

import typer

from sluice.errors import Ref, UsageError

WhyOption = Annotated[
    str | None,
    typer.Option("--reason", help="Why: a code in capitals for the ledger, such as CHECKED_BY_PHONE; no sentence."),
]


def channel_word(channel: str | None) -> str | None:
    """A channel as agreements name it. Raises UsageError."""
    from sluice.dial.model import CHANNEL_WORDS

    if channel is not None and channel not in CHANNEL_WORDS:
        raise UsageError(Ref("channel", "phone, sms, email, letter, chat, robocall, push"))
    return CHANNEL_WORDS[channel] if channel else None


def day_of(dated: str | None, now: datetime) -> date:
    """The day that ``--dated`` says, else today in Brussels. Raises UsageError."""
    from sluice.exchange.naming import BRUSSELS

    try:
        return date.fromisoformat(dated) if dated else now.astimezone(BRUSSELS).date()
    except ValueError:
        raise UsageError(Ref("option", "--dated")) from None


def moment_of(option: str, text: str) -> datetime:
    """A moment, ISO 8601, in UTC; without an offset it is UTC. Raises UsageError."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(Ref("option", option)) from None


def purpose_iri(word: str) -> str:
    """A purpose as DPV names it. Raises UsageError."""
    from sluice.agreement.dpv import DPV, PURPOSES

    iri = word if word.startswith("https://") else DPV + word
    if iri not in PURPOSES:
        raise UsageError(Ref("option", "--purpose"))
    return iri
