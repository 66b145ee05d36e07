"""Remove the sealed data of a closed case: request, letters, values to search for (GDPR Art. 5(1)(e)).

Suppression, certificate, steps and hashes stay, because they name nobody. The beginning is noted first, so that a rerun
finishes what a dead worker left. The ledger records the removal once, when everything is gone.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sluice.db import transaction
from sluice.errors import Ref
from sluice.exchange.house import House
from sluice.exchange.sweeping import do_each
from sluice.ledger.append import append
from sluice.ledger.cased import CaseTidied
from sluice.ledger.model import EntryKind
from sluice.ledger.names import check_name
from sluice.rights import tidy_store
from sluice.rights.case import store
from sluice.rights.case.clock import received_on
from sluice.rights.case.errors import CaseNotTidied
from sluice.rights.case.facts import fewest_sealed_days, sealed_days
from sluice.rights.case.model import CASES_CHAIN, CaseId
from sluice.rights.person.sealed import PREFIX
from sluice.rights.tidy_store import Closed
from sluice.times import utc_text

BY_ITSELF = "system"


class Keeps(StrEnum):
    """Why the sealed material of a case stays."""

    STILL_OPEN = "STILL_OPEN"
    NOT_YET = "NOT_YET"
    RECIPIENT_NOT_DONE = "RECIPIENT_NOT_DONE"
    HOLD_STANDS = "HOLD_STANDS"
    COMPLAINT = "COMPLAINT"


@dataclass(frozen=True, slots=True)
class Tidied:
    """Result of one sweep. ``cases``: those whose material was removed; ``failed``: tried again."""

    cases: int = 0
    failed: int = 0


def goes_on(closed: Closed) -> date:
    """Return the Brussels date from which the material may go, by the rule in force on the day of closing. Pure."""
    day = received_on(closed.closed_at)
    return day + timedelta(days=sealed_days(day))


def keeps(closed: Closed | None, today: date, *, is_asked: bool) -> Keeps | None:
    """Return why the material stays today, or None if it goes.

    A complaint keeps it until a person asks for the removal of this very case. Pure.
    """
    if closed is None:
        return Keeps.STILL_OPEN
    if closed.objects is not None:
        return None  # a removal that was begun is finished
    if today < goes_on(closed):
        return Keeps.NOT_YET
    if closed.notices_open:
        return Keeps.RECIPIENT_NOT_DONE
    if closed.holds:
        return Keeps.HOLD_STANDS
    return Keeps.COMPLAINT if closed.has_complaint and not is_asked else None


def tidy(house: House, now: datetime) -> Tidied:
    """Remove what is due of every closed case. Raises ServiceMissing; other faults are tried again."""
    closed = tidy_store.find_closed(house.conn, now - timedelta(days=fewest_sealed_days()))
    due = [case for case in closed if keeps(case, received_on(now), is_asked=False) is None]
    cases, failed = do_each(
        house.conn, "what is sealed of a closed case", due, lambda case: _remove(house, case, BY_ITSELF, now)
    )
    return Tidied(cases, failed)


def tidy_case(house: House, case_id: CaseId, by: str, now: datetime) -> bool:
    """Remove the material of one case, even if somebody complained. False if it was gone.

    Raises CaseNotTidied, NotFound, NameInvalid.
    """
    name = check_name(by)
    store.get_case(house.conn, case_id)
    closed = tidy_store.find_case(house.conn, case_id)
    reason = keeps(closed, received_on(now), is_asked=True)
    if closed is None or reason is not None:
        raise CaseNotTidied(Ref("case", case_id), Ref("because", reason or Keeps.STILL_OPEN))
    return bool(_remove(house, closed, name, now))


def _remove(house: House, closed: Closed, by: str, now: datetime) -> int:
    """Begin, remove, end. Returns 1 if this call ended it; 0 if something has come up that keeps it.

    What keeps it is asked again with the case locked: a complaint may have come since the sweep began.
    """
    if closed.removed_at is not None:
        return 0
    bucket, prefix = house.settings.bucket_vault, f"{PREFIX}{closed.case_id}/"
    with transaction(house.conn):
        store.lock_case(house.conn, closed.case_id)
        current = tidy_store.find_case(house.conn, closed.case_id)
        if keeps(current, received_on(now), is_asked=by != BY_ITSELF) is not None:
            return 0
        objects = sum(1 for _ in house.objects.list_versions(bucket, prefix))
        tidy_store.begin(house.conn, closed.case_id, objects, by, now)
    for key in sorted({item.key for item in house.objects.list_versions(bucket, prefix)}):
        house.objects.delete_others(bucket, key, frozenset())
    house.objects.abort_uploads(bucket, prefix)
    with transaction(house.conn):
        ended = tidy_store.end(house.conn, closed.case_id, now)
        if ended is None:
            return 0
        body = CaseTidied(
            case_id=closed.case_id,
            objects=ended[0],
            closed_at=utc_text(closed.closed_at),
            days=sealed_days(received_on(closed.closed_at)),
            asked_by=ended[1],
            removed_at=utc_text(now),
        )
        append(house.conn, chain=CASES_CHAIN, kind=EntryKind.CASE_TIDIED, exchange_id=None, body=body)
    return 1
