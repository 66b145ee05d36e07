"""Immediate protection: a person is kept out from the moment a request is received, before anything else."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sluice.exchange.house import House
from sluice.exchange.suppressed import keep_out, lift, run_id_of
from sluice.rights.model import CaseId, Hold
from sluice.subject.scope import Scope
from sluice.subject.suppression import Suppression
from sluice.terms import Principal


@dataclass(frozen=True)
class HouseProtection:
    """Protection by suppression runs: the gate and every return hold what they name."""

    house: House

    def apply(self, case_id: CaseId, principal: Principal, refs: Sequence[str], reason: Hold, scope: Scope) -> None:
        """Keep a person out; the same case, principal and reason again changes nothing."""
        if refs:
            keep_out(
                self.house,
                principal,
                frozenset(refs),
                Suppression(reason.value),
                cause=case_id,
                case_id=case_id,
                now=datetime.now(UTC),
                scope=scope,
            )

    def release(self, case_id: CaseId, principal: Principal, now: datetime) -> bool:
        """End the hold of a case that was decided; what was objected or erased stays out."""
        return lift(self.house, run_id_of(principal, Suppression.SOFT_HOLD, case_id), now)


def protection_of(house: House) -> HouseProtection:
    """The protection that counts in this house."""
    return HouseProtection(house)
