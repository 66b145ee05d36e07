"""Bodies of entries about answers to persons: a package made, its links, when it left the vault, when it was removed.

They hold ids, counts, hashes and codes, nothing that identifies a person. Times are UTC with ``Z``, dates are Brussels
dates.
"""

from sluice.ledger.record import Part


class AnswerMade(Part):
    """A package was sealed. ``sha256``: of the package as the person gets it. ``stores``: copies that named them.

    ``withheld``: rows, notes and objects left out for the rights of others, by reason.
    """

    answer_id: str
    case_id: str
    kind: str
    sub_cases: tuple[str, ...]
    principals: tuple[str, ...]
    made_by: str
    made_at: str
    files: int
    rows: int
    stores: dict[str, int]
    withheld: dict[str, int]
    sha256: str
    delete_after: str


class AnswerLinked(Part):
    """A link for one person was made; of its token nothing but a hash exists."""

    answer_id: str
    link_id: str
    case_id: str
    made_by: str
    made_at: str
    expires_at: str
    most_uses: int


class AnswerTaken(Part):
    """A package left the vault: by its link, or by the desk (``link_id`` None). ``use``: 1 is the first of a link."""

    answer_id: str
    link_id: str | None
    case_id: str
    by: str
    at: str
    use: int | None
    sha256: str


class AnswerLinkClosed(Part):
    """A link opens nothing any more: too many wrong second words, or the desk said so."""

    answer_id: str
    link_id: str
    case_id: str
    why: str
    at: str


class AnswerRemoved(Part):
    """A package was removed from the vault for good: its day came, or a new one took its place."""

    answer_id: str
    case_id: str
    why: str
    delete_after: str
    at: str


class HandoverAsked(Part):
    """A person asked to have their data sent to a controller (GDPR Art. 20(2)). ``reference``: of their letter."""

    case_id: str
    controller: str
    reference: str
    noted_by: str
    noted_at: str
