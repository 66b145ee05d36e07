"""Cut an erasure into batches of copies, named by opaque ids, so that many workers can share it. Pure.

The documents pass between workers in clear text. They hold only a case, codes of principals, ids and kinds.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sluice.rights.case.model import CaseId
from sluice.terms import ExchangeId, Principal

MOST_BATCHES = 256
"""The most batches of all cases together. Each case may add one: for its remainder, or if it has nothing to erase."""
MOST_CASES = 512
"""The most cases that one run takes up.

Airflow does not map a task over more than ``core.max_map_length`` (1,024) items: it fails the task that returns more,
with nothing erased. `begin` is mapped over 512 cases, `erase` over at most 256 + 512 = 768 batches.
"""


@dataclass(frozen=True, slots=True)
class CopyName:
    """The name of a copy to erase."""

    principal: Principal
    exchange_id: ExchangeId
    kind: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Copies of one case that one worker erases."""

    case_id: CaseId
    copies: tuple[CopyName, ...]

    def document(self) -> dict[str, Any]:
        """Return the batch in the form in which it passes to a worker."""
        return {"case": self.case_id, "copies": [[c.principal, c.exchange_id, c.kind] for c in self.copies]}


def read_batch(document: dict[str, Any]) -> Batch:
    """Read what :meth:`Batch.document` wrote."""
    copies = (CopyName(Principal(who), ExchangeId(exchange), kind) for who, exchange, kind in document["copies"])
    return Batch(CaseId(document["case"]), tuple(copies))


def cut(begun: Iterable[Batch], most: int = MOST_BATCHES) -> list[Batch]:
    """Cut these copies into batches of about equal size. A case without copies keeps one, to be finished too."""
    whole = list(begun)
    size = max(1, -(-sum(len(each.copies) for each in whole) // most))
    return [Batch(each.case_id, part) for each in whole for part in _parts(each.copies, size)]


def _parts(copies: Sequence[CopyName], size: int) -> list[tuple[CopyName, ...]]:
    return [tuple(copies[start : start + size]) for start in range(0, len(copies), size)] or [()]
