"""What an erasure is cut into, so that many workers share it: batches of copies, by opaque names. Pure.

The documents pass between workers in clear text, so they hold a case, codes of principals, ids and kinds only.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sluice.rights.case.model import CaseId
from sluice.terms import ExchangeId, Principal

MOST_BATCHES = 256
"""Of all cases together, beside one more for each case: of what is left over, or because it has nothing to erase."""
MOST_CASES = 512
"""That one run takes up. Airflow maps no task over more than ``core.max_map_length`` (1,024) and fails the one that
says so, with nothing erased: `begin` is mapped over 512 cases, `erase` over 256 + 512 = 768 batches at most."""


@dataclass(frozen=True, slots=True)
class CopyName:
    """A copy to erase."""

    principal: Principal
    exchange_id: ExchangeId
    kind: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Copies of one case that one worker takes."""

    case_id: CaseId
    copies: tuple[CopyName, ...]

    def document(self) -> dict[str, Any]:
        """As it passes to a worker."""
        return {"case": self.case_id, "copies": [[c.principal, c.exchange_id, c.kind] for c in self.copies]}


def read_batch(document: dict[str, Any]) -> Batch:
    """What :meth:`Batch.document` wrote."""
    copies = (CopyName(Principal(who), ExchangeId(exchange), kind) for who, exchange, kind in document["copies"])
    return Batch(CaseId(document["case"]), tuple(copies))


def cut(begun: Iterable[Batch], most: int = MOST_BATCHES) -> list[Batch]:
    """The same copies in batches of about one size. A case without copies keeps one: it has to be finished too."""
    whole = list(begun)
    size = max(1, -(-sum(len(each.copies) for each in whole) // most))
    return [Batch(each.case_id, part) for each in whole for part in _parts(each.copies, size)]


def _parts(copies: Sequence[CopyName], size: int) -> list[tuple[CopyName, ...]]:
    return [tuple(copies[start : start + size]) for start in range(0, len(copies), size)] or [()]
