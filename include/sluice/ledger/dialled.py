"""Bodies of entries about dial lists that fit in no exchange record: imported lists of numbers, recalled dial lists."""

from sluice.ledger.record import Part


class NumbersImported(Part):
    """A Do-Not-Call-Me list was imported. ``sha256``: of its file; ``refused``: lines that hold no number."""

    sha256: str
    dated_on: str
    numbers: int
    refused: int
    imported_by: str
    imported_at: str


class ListRecalled(Part):
    """The agents' copy of a dial list was removed, because somebody in it must stay out since."""

    exchange_id: str
    principal: str
    recalled_at: str
