"""SQL of the second scans of a case, which are entries of the ledger."""

from dataclasses import dataclass

from sluice.db import Connection
from sluice.ledger.erased import ErasureDone
from sluice.rights.case.model import CaseId

SCANS_OF_CASE = """select body, hash from ledger.entry
    where kind = 'erasure.done' and ledger.case_of(body) = %s order by appended_at, chain, seq"""
"""The kind is written out: the index of these entries serves no other, and the server has to see that."""


@dataclass(frozen=True, slots=True)
class Scan:
    """One second scan, as the ledger has it. ``entry_hash``: SHA-256 of its entry, in hex."""

    done: ErasureDone
    entry_hash: str

    @property
    def is_clean(self) -> bool:
        """Whether it read everything, found only what was decided to stay, and nothing is still to come.

        So nothing was under way that may still bring rows, and no decision is open.
        """
        return self.is_idle and not self.done.undecided

    @property
    def is_idle(self) -> bool:
        """Whether it left nothing to do until somebody makes another decision."""
        return self.done.residual == 0 and self.done.doubts == 0 and not self.done.waiting


def find_last_scans(conn: Connection, case_id: CaseId) -> dict[str, Scan]:
    """Return the last second scan of a case per principal."""
    rows = conn.execute(SCANS_OF_CASE, (case_id,)).fetchall()
    scans = (Scan(ErasureDone.model_validate_json(row["body"]), bytes(row["hash"]).hex()) for row in rows)
    return {scan.done.principal: scan for scan in scans}


def find_proven(conn: Connection, case_id: CaseId) -> frozenset[str]:
    """Return the principals whose last second scan was clean."""
    return frozenset(name for name, scan in find_last_scans(conn, case_id).items() if scan.is_clean)
