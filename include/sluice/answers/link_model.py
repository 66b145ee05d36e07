"""A link for one person: a random token of which only the hash is kept, a second word, a last day, a count of uses."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, NewType

from sluice.answers.ids import AnswerId
from sluice.errors import Exit, NotFound, SluiceError

LinkId = NewType("LinkId", str)
"""UUID of a link; it opens nothing."""


@dataclass(frozen=True, slots=True)
class Link:
    """One link. All moments are UTC. ``factor_sha256``: of the second word together with the link's own id."""

    link_id: LinkId
    answer_id: AnswerId
    token_sha256: str
    factor_sha256: str
    made_at: datetime
    made_by: str
    expires_at: datetime
    most_uses: int
    most_failures: int
    uses: int = 0
    failures: int = 0
    revoked_at: datetime | None = None

    def opens_at(self, now: datetime) -> bool:
        """Whether it can open anything now, to whoever has both words."""
        is_open = self.revoked_at is None and self.failures < self.most_failures
        return is_open and self.uses < self.most_uses and now < self.expires_at


class LinkRefused(NotFound):
    """Unknown token, wrong second word, too many of those, or closed: whoever lacks one of the two learns no more."""

    code: ClassVar[str] = "SLU-587"
    summary: ClassVar[str] = "this link and code open nothing"
    cure: ClassVar[str] = "check the code; after a few wrong ones, or its last day, ask the privacy desk for a new link"
    exit: ClassVar[Exit] = Exit.REFUSED


class LinkOver(SluiceError):
    """Told only to somebody who holds both words."""

    code: ClassVar[str] = "SLU-588"
    summary: ClassVar[str] = (
        "this link is over: its day has passed, it was used up, the package was removed, or the request was taken back"
    )
    cure: ClassVar[str] = "ask the privacy desk for a new link; what was taken back needs a new request"
    exit: ClassVar[Exit] = Exit.REFUSED
