"""Immediate protection by suppression runs: what opening a case uses."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sluice.exchange.house import House
from sluice.exchange.suppressed import keep_out
from sluice.rights.model import CaseId, Hold
from sluice.subject.suppression import Suppression
from sluice.terms import Principal


@dataclass(frozen=True)
class KeepOut:
    """Keeps a person out of a principal's files from ``now`` on; one run per case, principal and reason."""

    house: House
    now: datetime

    def apply(self, case_id: CaseId, principal: Principal, refs: Sequence[str], reason: Hold) -> None:
        """See ``Protection``: repeatable, and it holds when it returns."""
        keep_out(
            self.house,
            principal,
            frozenset(refs),
            Suppression(reason.value),
            cause=case_id,
            case_id=case_id,
            now=self.now,
        )
