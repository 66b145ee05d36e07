"""Clean up requests that are over at their principal: tell it what was withdrawn, remove notices that name persons."""

from collections.abc import Set as AbstractSet

from sluice.exchange.house import House
from sluice.lake.s3.objects import prefix_of
from sluice.returns.notices import give_notice
from sluice.rights.case import store
from sluice.rights.case.model import CaseId, State, Track
from sluice.rights.notices import notice_store
from sluice.rights.notices.to_controller import notice_key, told_document
from sluice.terms import Principal


def drop_over(house: House, principal: Principal) -> int:
    """Tell a principal what persons withdrew, and remove the notices that forwarded requests which are over.

    Returns how many withdrawals were told. Only the forwarding notices name somebody, because whoever decides needs
    that. Every other notice stays to be read.
    """
    keys = notice_store.find_over(house.conn, principal)
    bucket, there = house.settings.bucket_exchange, _notices(house, principal)
    told = _tell_withdrawn(house, principal, there)  # first: only who was sent a request is told of its withdrawal
    for key in filter(there.__contains__, keys):
        house.objects.delete_others(bucket, key, frozenset())
    return told


def drop_request_file(house: House, case_id: CaseId, principal: Principal) -> None:
    """Remove the file that asked for a case: it names the persons in clear. Its hash and the sealed request stay."""
    rows = house.conn.execute(
        "select version_id from request_file where case_id = %s and principal = %s", (case_id, principal)
    ).fetchall()
    asked = {row["version_id"] for row in rows}
    bucket = house.settings.bucket_exchange
    for item in house.objects.list_versions(bucket, prefix_of(principal, "requests")) if asked else ():
        if item.version_id in asked:
            house.objects.delete_version(bucket, item.key, item.version_id)


def _tell_withdrawn(house: House, principal: Principal, there: AbstractSet[str]) -> int:
    """Tell withdrawals of requests whose notice lies there, even if the worker that put it died before noting that."""
    told = 0
    withdrawn = store.CaseFilter(state=State.WITHDRAWN_BY_SUBJECT, principal=principal)
    for case in store.list_cases(house.conn, withdrawn, limit=None):
        for part in case.sub_cases:
            is_ours = part.principal == principal and part.track is Track.PROCESSOR
            if not is_ours or part.state is not State.WITHDRAWN_BY_SUBJECT or notice_key(part) not in there:
                continue
            if (key := notice_key(part, "-withdrawn")) not in there:
                give_notice(house, key, told_document(case, part, "WITHDRAWN"))
                told += 1
    return told


def _notices(house: House, principal: Principal) -> set[str]:
    found = house.objects.list_versions(house.settings.bucket_exchange, f"{prefix_of(principal, 'notices')}case-")
    return {item.key for item in found}
