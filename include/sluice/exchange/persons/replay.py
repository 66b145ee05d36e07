"""After a restore of the database: keep out again everybody whom the evidence bucket knows to be kept out."""

from dataclasses import dataclass, replace
from datetime import datetime

from sluice.db import transaction
from sluice.exchange.house import House
from sluice.exchange.persons.sealed_runs import find_lost, find_sealed, open_sealed_run, put_run
from sluice.exchange.persons.suppressed_store import REPLAYED, find_in_force, insert_run, mark_lifted
from sluice.keys import QUARANTINE
from sluice.subject.suppression import Suppression, suppress, write_suppressions
from sluice.terms import Principal


@dataclass(frozen=True, slots=True)
class Replayed:
    """What was told again: runs, references in them, holds that had ended, and cases whose erasure is to be redone."""

    runs: int = 0
    references: int = 0
    lifted: int = 0
    erasures: frozenset[str] = frozenset()


def replay(house: House, now: datetime) -> Replayed:
    """Tell a restored database every run that it does not know, and every end of one. Doing it again changes nothing.

    Raises KeyLost when a principal's quarantine key is missing.
    """
    runs = references = 0
    erasures: set[str] = set()
    for principal, lost in find_lost(house.conn, house.objects, house.settings.bucket_evidence).items():
        if house.keyring.is_destroyed(principal, QUARANTINE):
            continue  # its agreement is over: nobody of it comes in any more, and nobody can be named
        for run_id in sorted(lost):
            reason, case_id, refs = _again(house, principal, run_id, now)
            runs, references = runs + 1, references + refs
            erasures |= {case_id} if case_id and reason is Suppression.ERASED else set()
    return Replayed(runs, references, _lift_again(house, now), frozenset(erasures))


def _again(house: House, principal: Principal, run_id: str, now: datetime) -> tuple[Suppression, str | None, int]:
    run, refs = open_sealed_run(house, principal, run_id)
    stored = put_run(house, principal, run_id, write_suppressions(suppress(refs, run.reason)))
    placed = replace(
        run, bucket=stored.bucket, key=stored.key, version_id=stored.version_id, sha256=stored.sha256 or ""
    )
    with transaction(house.conn):
        insert_run(house.conn, placed, REPLAYED, now)
    return run.reason, run.case_id, run.refs


def _lift_again(house: House, now: datetime) -> int:
    """Lift the holds that had ended when the newer database was lost; return how many."""
    lifted = 0
    for principal, sealed in find_sealed(house.objects, house.settings.bucket_evidence).items():
        for run_id in sorted(find_in_force(house.conn, principal) & sealed.lifted):
            with transaction(house.conn):
                lifted += mark_lifted(house.conn, run_id, now) is not None
    return lifted
