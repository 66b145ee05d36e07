"""Remove a package for a person from the vault for good, because its day came or whoever decided to give it took that
back.
"""

from dataclasses import dataclass
from datetime import date, datetime

from sluice.db import transaction
from sluice.exchange.house import House
from sluice.ledger.answered import AnswerRemoved
from sluice.ledger.append import append
from sluice.ledger.model import EntryKind
from sluice.rights.case.model import CASES_CHAIN, CaseId, SubCase
from sluice.rights.copies import answer_store
from sluice.times import utc_text


@dataclass(frozen=True, slots=True)
class Package:
    """Where a package lies. ``delete_after``: its last day."""

    answer_id: str
    case_id: CaseId
    bucket: str
    key: str
    delete_after: date


def remove_package(house: House, package: Package, why: str, now: datetime) -> bool:
    """Remove a package for good, bytes first, then its line, with an entry; return False when it was gone before."""
    for key in (package.key, answer_store.index_key_of(package.key)):
        house.objects.delete_others(package.bucket, key, frozenset())
    with transaction(house.conn):
        if not answer_store.mark_gone(house.conn, package.answer_id, why, now):
            return False
        body = AnswerRemoved(
            answer_id=package.answer_id,
            case_id=package.case_id,
            why=why,
            delete_after=package.delete_after.isoformat(),
            at=utc_text(now),
        )
        append(house.conn, chain=CASES_CHAIN, kind=EntryKind.ANSWER_REMOVED, exchange_id=None, body=body)
    return True


def take_back(house: House, part: SubCase, now: datetime) -> int:
    """Remove every package with a part whose controller took back its word to give it; return how many.

    No link opens them any more, and what is decided of their parts next, or stands, is owed anew, taken out or not.
    Call while the case is locked: whoever makes one waits for that, and then finds that it was decided otherwise.
    """
    rows = answer_store.find_with_part(house.conn, part)
    packages = [Package(**{**row, "case_id": CaseId(row["case_id"])}) for row in rows]
    return sum(remove_package(house, each, answer_store.TAKEN_BACK, now) for each in packages)
