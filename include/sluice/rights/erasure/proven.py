"""What the erasure of a case had proven by a moment: where, since when, and with which certificate."""

from dataclasses import dataclass
from datetime import datetime

from sluice.exchange.house import House
from sluice.rights.case.model import Case, CaseId
from sluice.rights.copies.scope import has_decided
from sluice.rights.erasure.certificate import key_of
from sluice.rights.erasure.scan_store import Scan, find_last_scans


@dataclass(frozen=True, slots=True)
class Erased:
    """The clean second scan of an erasure at one principal. ``done_at``: UTC with ``Z``.

    ``certificate``: the name of the signed one; None until it is issued.
    """

    principal: str
    done_at: str
    certificate: str | None


def find_erased(house: House, case: Case, at: datetime) -> tuple[Erased, ...]:
    """Return the principals where the erasure of a case was proven by a moment.

    Reads the ledger only if the erasure of some part was decided.
    """
    scans = find_last_scans(house.conn, case.case_id) if any(map(has_decided, case.sub_cases)) else {}
    return tuple(
        Erased(name, scan.done.done_at, _issued_as(house, case.case_id, scan))
        for name, scan in sorted(scans.items())
        if scan.is_clean and datetime.fromisoformat(scan.done.done_at) <= at
    )


def _issued_as(house: House, case_id: CaseId, scan: Scan) -> str | None:
    key = key_of(case_id, scan.done.principal, scan.entry_hash)
    there = house.objects.head(house.settings.bucket_evidence, key)
    return None if there is None else key.rpartition("/")[2].removesuffix(".json")
