"""A person's decision on the notes of held rows, and which rows wait for one. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sluice.terms import ExchangeId


class Choice(StrEnum):
    """What a person decides on a row: its note goes as it is, goes with its findings masked, or the row stays here."""

    SEND = "send"
    MASK = "mask"
    DROP = "drop"


def is_for_review(code: str) -> bool:
    """Whether a row with this code waits for a person to read its note."""
    return code.startswith("TEXT_") and code.endswith("_REVIEW")


@dataclass(frozen=True, slots=True)
class Review:
    """One decision. ``rows``: numbers in the file that was held, 1 = first record. ``sha256``: of the file put."""

    exchange_id: ExchangeId
    number: int
    choice: Choice
    rows: tuple[int, ...]
    decided_by: str
    decided_at: datetime
    bucket: str
    key: str
    sha256: str | None = None
    put_at: datetime | None = None

    @property
    def comes_back(self) -> bool:
        """Whether its rows come back, as a file of their own."""
        return self.choice is not Choice.DROP
