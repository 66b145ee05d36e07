"""One corrected value of a person (GDPR Art. 16).

It is kept apart from what is done with it, so that a job can carry it without a table.
"""

from dataclasses import dataclass
from dataclasses import field as part
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Correction:
    """The right value of one field of one person since ``as_of`` (UTC).

    ``before``: keyed hashes of what it replaced. ``made_at``: when it was made; of two, the later one counts, whatever
    instant each is about. ``is_statement``: the field holds an opinion, which stays, and ``value`` is what the person
    has to say to it. ``salt``: hex, used for what the ledger says of the values. ``names``: for an identifier,
    references of the right value. ``named``: references of the values that
    it replaced.
    """

    correction_id: str
    refs: tuple[str, ...] = part(repr=False)
    field: str
    value: str = part(repr=False)
    as_of: datetime
    made_at: datetime
    before: tuple[str, ...]
    is_statement: bool = False
    salt: str = part(default="", repr=False)
    names: tuple[str, ...] = part(default=(), repr=False)
    named: tuple[str, ...] = part(default=(), repr=False)

    @property
    def order(self) -> tuple[datetime, str]:
        """Sort key: of two corrections of one field, the greater one counts."""
        return self.made_at, self.correction_id
